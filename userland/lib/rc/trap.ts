// Notes: the functions sighup, sigint, sigalrm and so on run when the note of that name comes; sigexit when
// the script ends. A note that is none of rc's ends it.

import { NCONT, NDFLT } from "../../../kernel/abi/const.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import type { Shell } from "./shell.ts";

/** How a note begins, and the function that it runs. */
const SIGNALS: readonly (readonly [note: string, fn: string])[] = [
  ["exit", "sigexit"],
  ["hangup", "sighup"],
  ["interrupt", "sigint"],
  ["quit", "sigquit"],
  ["alarm", "sigalrm"],
  ["kill", "sigkill"],
  ["sys: fp: ", "sigfpe"],
  ["term", "sigterm"],
];
const INTERRUPTS: ReadonlySet<string> = new Set(["sigint", "sigquit"]);
/** Traps that may wait. */
const MAXTRAPS = 32;

/** From here on this process's notes are this shell's. */
export function* listen(sh: Shell): Task<void> {
  yield* sh.sys.notify(function* (note: string, s: unknown): Task<void> {
    const sys = s as ThreadSys;
    const signal = SIGNALS.find(([text]) => note.startsWith(text));
    if (signal === undefined) {
      yield* sh.warn(`rc: note: ${note}\n`);
      return yield* sys.noted(NDFLT);
    }
    if (!note.startsWith("sys: ")) sh.interrupted = true;
    const [, fn] = signal;
    if (note !== "interrupt" || !sh.traps.includes(fn)) sh.traps.push(fn);
    if (sh.traps.length >= MAXTRAPS) {
      yield* sh.warn(`rc: Too many traps (trap ${note}), aborting\n`);
      return yield* sys.noted(NDFLT);
    }
    yield* sys.noted(NCONT);
  });
}

/** Starts the function of a trap with the arguments of now, and without redirections. */
function starttrap(sh: Shell, name: string): boolean {
  const fn = sh.fn(name);
  if (fn === null) return false;
  const star = sh.look("*").val;
  const t = sh.start(fn.code, 0, null);
  sh.pushlocal(t, "*", star);
  t.redir = null;
  return true;
}

/** Deals with the notes that have come. */
export function* dotraps(sh: Shell): Task<void> {
  for (let name = sh.traps.shift(); name !== undefined; name = sh.traps.shift()) {
    if (sh.over !== null) return;
    if (sh.forked) yield* sh.exit(sh.status);
    else if (starttrap(sh, name)) continue;
    else if (INTERRUPTS.has(name)) yield* sh.unwind();
    else yield* sh.exit(sh.status);
  }
}

/** The end of the script: sigexit first, if there is one. */
export function* exitop(sh: Shell): Task<void> {
  if (!sh.forked && !sh.exiting && sh.fn("sigexit") !== null) {
    sh.exiting = true;
    sh.thread.pc--;
    starttrap(sh, "sigexit");
    return;
  }
  yield* sh.exit(sh.status);
}
