// What a server says about itself, on descriptor 2: faults that ended a connection, calls that were refused.

import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { fprint } from "../io.ts";

/** Milliseconds between two lines of a kind. */
const SECOND = 1000;

/** Lines on descriptor 2. Of one kind there is one a second; how many were left out is said with the next. */
export class Log {
  readonly #sys: ThreadSys;
  /** Lines that were left out, for each kind that was said in the last second. */
  readonly #since: Map<string, number> = new Map();

  readonly #hear: (fault: string) => void;

  /** `hear` gets the faults, each with its stack, beside what is written. */
  constructor(sys: ThreadSys, hear: (fault: string) => void = () => undefined) {
    this.#sys = sys;
    this.#hear = hear;
  }

  /** Something that is no answer was thrown. */
  fault(e: unknown): void {
    const text = faulttext(e);
    this.#hear(text);
    this.add("fault", `a connection ended by a fault: ${text}`);
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

/** Lines of a stack that are shown. */
const FRAMES = 8;

/** What was thrown, with the lines of its stack that are the callback's; what the library threw has all lines. */
function faulttext(e: unknown): string {
  if (!(e instanceof Error)) return `threw ${String(e)}`;
  const lines = (e.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line));
  const end = lines.findIndex((line) => /[\\/]userland[\\/]lib[\\/]9p[\\/]/.test(line));
  const mine = lines.slice(0, end <= 0 ? FRAMES : Math.min(end, FRAMES));
  return [`${e.name}: ${e.message}`, ...mine].join("\n");
}

/** A server without descriptor 2 says nothing. */
function* say(sys: ThreadSys, line: string): Task<void> {
  try {
    yield* fprint(sys, 2, line);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}
