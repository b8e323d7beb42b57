// A layer below a server of a simulated run: system calls on files that take time, come back in another order
// than they were made, and fail. Where hostile clients work all of that is by chance. Elsewhere no call fails,
// and a call of one kind on one file always takes the same time, whatever happens beside it.

import { Eintr, Eio, PlanError } from "../../kernel/abi/errors.ts";
import type { Task } from "../../syscalls/sys.ts";
import { chance } from "../../userland/boot/boot.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";

/** The directory, by a part of its name, in which calls fail. */
export type Slowness = { readonly seed: number; readonly hostile: string };

/** Milliseconds before a call, and after it; the error that it fails with instead. */
type Fate = { readonly before: number; readonly after: number; readonly fails: boolean };

type Call = (...args: readonly unknown[]) => Task<unknown>;

const NAMED: readonly string[] = [
  "open",
  "create",
  "stat",
  "wstat",
  "remove",
  "statraw",
  "wstatraw",
];
const BYFD: readonly string[] = [
  "read",
  "write",
  "pread",
  "pwrite",
  "sread",
  "swrite",
  "fstat",
  "fwstat",
  "fstatraw",
  "fwstatraw",
  "stream",
  "close",
];
/** A close gives the descriptor up at once; writes of one process begin in the order made, as in the kernel. */
const PROMPT: readonly string[] = ["close", "write", "pwrite", "swrite"];
/** Of so many calls one waits. */
const WAITS = 4;
/** The longest wait, and longest of a hostile client's. */
const LONG = 12;
const LONGER = 60;
/** Of so many calls in the hostile directory one fails. */
const FAILS = 10;

/** The system calls of a server, as the layer below makes them. */
export function slowsys(sys: ThreadSys, how: Slowness): ThreadSys {
  const below = new Below(sys, how);
  const slow = { ...sys };
  for (const kind of [...NAMED, ...BYFD]) {
    const call = Reflect.get(sys, kind) as Call | undefined;
    if (call === undefined) continue;
    const late: Call = (...args) => below.call(kind, call, args);
    Reflect.set(slow, kind, late);
  }
  return slow;
}

class Below {
  readonly #sys: ThreadSys;
  readonly #how: Slowness;
  readonly #pick: (n: number) => number;
  readonly #names: Map<unknown, string> = new Map();

  constructor(sys: ThreadSys, how: Slowness) {
    this.#sys = sys;
    this.#how = how;
    this.#pick = chance(how.seed);
  }

  *call(kind: string, call: Call, args: readonly unknown[]): Task<unknown> {
    const [file] = args;
    const name = typeof file === "string" ? file : (this.#names.get(file) ?? "");
    const { before, after, fails } = this.#fate(kind, name);
    if (before > 0 && !PROMPT.includes(kind)) yield* this.#sys.sleep(before);
    if (fails) throw new PlanError(Eio);
    const value = yield* call(...args);
    if (kind === "open" || kind === "create") this.#names.set(value, name);
    if (after > 0) yield* this.#linger(after);
    return value;
  }

  /** What is done is done: an interrupt does not undo it. */
  *#linger(ms: number): Task<void> {
    try {
      yield* this.#sys.sleep(ms);
    } catch (e) {
      if (!(e instanceof PlanError) || e.message !== Eintr) throw e;
    }
  }

  #fate(kind: string, name: string): Fate {
    const pick = this.#pick;
    if (name.includes(this.#how.hostile)) {
      const waits = (): number => (pick(WAITS) === 0 ? 1 + pick(LONGER) : 0);
      return { before: waits(), after: waits(), fails: kind !== "close" && pick(FAILS) === 0 };
    }
    const h = hash(this.#how.seed, kind, name);
    if (h % WAITS !== 0) return { before: 0, after: 0, fails: false };
    const ms = 1 + ((h >>> 8) % LONG);
    return ((h >>> 16) & 1) === 0
      ? { before: ms, after: 0, fails: false }
      : { before: 0, after: ms, fails: false };
  }
}

function hash(seed: number, kind: string, name: string): number {
  let h = seed | 0;
  for (const text of [kind, name])
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}
