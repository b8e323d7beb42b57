// What a server says about itself, on descriptor 2: faults that ended a connection, calls that were refused.

import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { fprint } from "../io.ts";
import { errtext } from "../proc.ts";

/** Milliseconds between two lines of a kind. */
const SECOND = 1000;

/** Lines on descriptor 2. Of one kind there is one a second; how many were left out is said with the next. */
export class Log {
  readonly #sys: ThreadSys;
  /** Lines that were left out, for each kind that was said in the last second. */
  readonly #since: Map<string, number> = new Map();

  constructor(sys: ThreadSys) {
    this.#sys = sys;
  }

  /** Something that is no answer was thrown. */
  fault(e: unknown): void {
    this.add("fault", `a connection ended by a fault: ${errtext(e)}`);
  }

  add(kind: string, line: string): void {
    const n = this.#since.get(kind);
    this.#since.set(kind, n === undefined ? 0 : n + 1);
    if (n === undefined) this.#sys.threadcreate(this.#say(kind, line));
  }

  *#say(kind: string, line: string): Task<void> {
    const sys = this.#sys;
    yield* say(sys, `${line}\n`);
    for (;;) {
      yield* sys.sleep(SECOND);
      const n = this.#since.get(kind) ?? 0;
      if (n === 0) break;
      this.#since.set(kind, 0);
      yield* say(sys, `${line} (and ${n} more such)\n`);
    }
    this.#since.delete(kind);
  }
}

/** A server without descriptor 2 says nothing. */
function* say(sys: ThreadSys, line: string): Task<void> {
  try {
    yield* fprint(sys, 2, line);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}
