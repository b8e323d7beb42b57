// Faults of system calls, as they are counted: which calls a fault fits, and whose turn it is.

import { calls } from "../../kernel/abi/calls.ts";
import type { Callname, Callrow } from "../../kernel/abi/calls.ts";
import type { Injected } from "./faults.ts";
import { ALWAYS, isturn } from "./when.ts";
import type { Turn, When } from "./when.ts";

/** What is done to a system call. */
export type Calleffect =
  /** It is not made, and fails so. A close closes all the same. */
  | { readonly what: "error"; readonly ename: string }
  /** It begins so much later, in nanoseconds. */
  | { readonly what: "delay"; readonly ns: number }
  /** It is made with a buffer of at most so many bytes. */
  | { readonly what: "short"; readonly bytes: number }
  /** Its process gets this note: where the call first sleeps, which interrupts it, or else at its end. */
  | { readonly what: "note"; readonly note: string }
  /** Its process ends in its place. */
  | { readonly what: "kill" };

/** A fault of calls. What is not given fits every call. */
export type Callfault = {
  /** Names of calls; "call" is any. */
  readonly calls: readonly string[];
  /** Which of the calls. */
  readonly when?: When;
  /** Names of files, in which * is any text and ? any character. */
  readonly path?: string;
  /** A descriptor. */
  readonly fd?: number;
  /** A process, by its number or the name of its program. */
  readonly proc?: number | string;
  /** What happens. */
  readonly effect: Calleffect;
};

/** A call as a fault sees it. */
export type Callseen = {
  /** The call's name. */
  readonly name: string;
  /** Its arguments. */
  readonly args: readonly unknown[];
  /** The process that makes it. */
  readonly pid: number;
  /** The name of that process's program. */
  readonly text: string;
  /**
   * Tells which files the call is about.
   *
   * @returns their names, clean and from the root
   * @example
   * ```ts
   * call.paths(); // ["/tmp/f"]
   * ```
   */
  readonly paths: () => readonly string[];
};

const rows: readonly (readonly [string, Callrow])[] = Object.entries(calls).filter(
  ([, row]) => row.as === undefined,
);

/** The calls that a fault may name. */
export const CALLNAMES: readonly string[] = rows.map(([name]) => name);

/** The calls that transfer data, which may be short. */
export const SHORTCALLS: readonly string[] = rows
  .filter(([, row]) => row.args[1] === "fill" || row.args[1] === "bytes")
  .map(([name]) => name);

/** The calls that do not come back: they cannot fail. */
export const ENDLESS: readonly string[] = [
  "exits",
  "_exits",
  "noted",
] satisfies readonly Callname[];

/** The calls whose first argument is a descriptor. */
export const FDCALLS: readonly string[] = rows
  .filter(([, row]) => row.args[0] === "fd")
  .map(([name]) => name);

/** The calls that are about files with names. */
export const FILECALLS: readonly string[] = rows
  .filter(([, row]) => row.args[0] === "fd" || row.args.includes("name"))
  .map(([name]) => name);

/** The calls that an effect can be done to. */
export function canhave(what: Calleffect["what"]): readonly string[] {
  if (what === "short") return SHORTCALLS;
  return what === "error" ? CALLNAMES.filter((name) => !ENDLESS.includes(name)) : CALLNAMES;
}

/** A fault of calls at work. */
export class Countedcall implements Injected<Callfault>, Turn<Calleffect> {
  /** The fault. */
  readonly fault: Callfault;
  /** Calls of its names. */
  named = 0;
  /** Calls that it could have met. */
  seen = 0;
  /** Calls that it met. */
  done = 0;
  readonly #names: ReadonlySet<string>;
  readonly #path: RegExp | null;

  constructor(fault: Callfault) {
    this.fault = fault;
    const all = fault.calls.includes("call");
    this.#names = new Set(
      canhave(fault.effect.what).filter((name) => all || fault.calls.includes(name)),
    );
    this.#path = fault.path === undefined ? null : globof(fault.path);
  }

  /** Counts a call; says whether it is this fault's. */
  take(c: Callseen): boolean {
    const { fd, proc, when = ALWAYS } = this.fault;
    const path = this.#path;
    if (!this.#names.has(c.name)) return false;
    this.named++;
    if (fd !== undefined && (!FDCALLS.includes(c.name) || c.args[0] !== fd)) return false;
    if (proc !== undefined && proc !== c.pid && proc !== c.text) return false;
    if (path !== null && !c.paths().some((p) => path.test(p))) return false;
    return isturn(when, ++this.seen);
  }

  do(): Calleffect {
    this.done++;
    return this.fault.effect;
  }
}

/** The names that a pattern stands for: "/tmp/*" is all below /tmp. */
function globof(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`, "u");
}
