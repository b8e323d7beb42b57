// test: the truth about files, words and numbers, as the exit status. test(1)
//
//	-r -w -x -e -f -d -s -A -L -T file    -t [fd]    -n -z word
//	a = b   a != b   file -older time   f1 -ot f2   f1 -nt f2   n -eq -ne -gt -ge -lt -le m
//	! e   e -a e   e -o e   ( e )

import { AEXEC, AREAD, AWRITE, DMAPPEND, DMDIR, DMEXCL, DMTMP } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { access } from "../lib/proc.ts";

/** The words are no expression; said on descriptor 2. */
class Bad extends Error {}

const MODES: ReadonlyMap<string, number> = new Map([
  ["-A", DMAPPEND],
  ["-L", DMEXCL],
  ["-T", DMTMP],
  ["-d", DMDIR],
]);
const ACCESS: ReadonlyMap<string, number> = new Map([
  ["-r", AREAD],
  ["-w", AWRITE],
  ["-x", AEXEC],
  ["-e", 0],
]);
const COMPARE: ReadonlyMap<string, (a: number, b: number) => boolean> = new Map([
  ["-eq", (a: number, b: number) => a === b],
  ["-ne", (a: number, b: number) => a !== b],
  ["-gt", (a: number, b: number) => a > b],
  ["-lt", (a: number, b: number) => a < b],
  ["-ge", (a: number, b: number) => a >= b],
  ["-le", (a: number, b: number) => a <= b],
]);

/** A whole number in C's notation; null if it is none. */
function int(word: string | undefined): number | null {
  if (word === undefined || !/^\s*[-+]?(0[xX][0-9a-fA-F]+|[0-9]*)$/.test(word)) return null;
  const octal = /^\s*[-+]?0[0-7]+$/.test(word);
  return octal
    ? Number.parseInt(word, 8)
    : Number.parseInt(word || "0", word.includes("x") ? 16 : 10) || 0;
}

class Expression {
  readonly #sys: ThreadSys;
  readonly #words: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(sys: ThreadSys, words: readonly string[]) {
    this.#sys = sys;
    this.#words = words;
  }

  #next(): string {
    const w = this.#words[this.#at++];
    if (w === undefined) throw new Bad("argument expected");
    return w;
  }

  #accept(word: string): boolean {
    if (this.#words[this.#at] !== word) return false;
    this.#at++;
    return true;
  }

  /** e -o e; where the left is true the right is not looked at. */
  *or(): Task<boolean> {
    if (++this.#depth > 500) throw new Bad("expression too deep");
    const left = yield* this.#and();
    const value = this.#accept("-o") ? left || (yield* this.or()) : left;
    this.#depth--;
    return value;
  }

  *#and(): Task<boolean> {
    const left = yield* this.#not();
    return this.#accept("-a") ? left && (yield* this.#and()) : left;
  }

  *#not(): Task<boolean> {
    let odd = false;
    let w = this.#next();
    for (; w === "!"; w = this.#next()) odd = !odd;
    return (yield* this.#primary(w)) !== odd;
  }

  *#primary(a: string): Task<boolean> {
    if (a === "(") {
      const value = yield* this.or();
      if (this.#next() !== ")") throw new Bad(") expected");
      return value;
    }
    if (["-c", "-b", "-u", "-g"].includes(a)) return false;
    const mode = MODES.get(a);
    if (mode !== undefined)
      return ((yield* this.#stat(this.#next()))?.mode ?? 0) & mode ? true : false;
    const how = ACCESS.get(a);
    if (how !== undefined) return yield* this.#may(this.#next(), how);
    switch (a) {
      case "-f": {
        const d = yield* this.#stat(this.#next());
        return d !== null && (d.mode & DMDIR) === 0;
      }
      case "-s":
        return ((yield* this.#stat(this.#next()))?.length ?? 0) > 0;
      case "-t":
        return yield* this.#terminal();
      case "-n":
        return this.#next() !== "";
      case "-z":
        return this.#next() === "";
      default:
        return yield* this.#binary(a);
    }
  }

  *#binary(a: string): Task<boolean> {
    const op = this.#words[this.#at++];
    if (op === undefined) return a !== "";
    switch (op) {
      case "=":
        return this.#next() === a;
      case "!=":
        return this.#next() !== a;
      case "-older":
        return yield* this.#older(a, this.#next());
      case "-ot":
      case "-nt": {
        const x = yield* this.#stat(a);
        const y = yield* this.#stat(this.#next());
        if (x === null || y === null) return false;
        return op === "-ot" ? x.mtime < y.mtime : x.mtime > y.mtime;
      }
      default: {
        const n = int(a);
        if (n === null) throw new Bad(`unexpected operator/operand: ${op}`);
        const m = int(this.#words[this.#at]);
        const compare = COMPARE.get(op);
        if (m === null || compare === undefined) throw new Bad(`unknown operator ${op}`);
        this.#at++;
        return compare(n, m);
      }
    }
  }

  *#stat(name: string): Task<Dir | null> {
    return yield* dirstat(this.#sys, name);
  }

  *#may(name: string, how: number): Task<boolean> {
    try {
      yield* access(this.#sys, name, how);
      return true;
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      return false;
    }
  }

  /** Whether a descriptor, 1 if none is named, is the console. */
  *#terminal(): Task<boolean> {
    const given = this.#words[this.#at];
    const fd = given === undefined ? 1 : int(given);
    if (fd === null) throw new Bad("not a valid file descriptor number ");
    if (given !== undefined) this.#at++;
    try {
      const d = yield* this.#sys.fstat(fd);
      const cons = yield* this.#sys.stat("/dev/cons");
      return d.type === cons.type && d.qid.path === cons.qid.path;
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      return false;
    }
  }

  /** Whether a file is older than a time: seconds since 1970, or 1d2h3m before now. */
  *#older(file: string, time: string): Task<boolean> {
    const units: Readonly<Record<string, number>> = {
      y: 31104000,
      M: 2592000,
      d: 86400,
      h: 3600,
      m: 60,
      s: 1,
    };
    const d = yield* this.#stat(file);
    if (d === null) return false;
    if (/^[0-9]+$/.test(time)) return d.mtime < Number(time);
    if (!/^([0-9]+[yMdhms])*$/.test(time)) throw new Bad(`bad time syntax, ${time}`);
    let n = 0;
    for (const [, count = "", unit = ""] of time.matchAll(/([0-9]+)([yMdhms])/g))
      n += Number(count) * (units[unit] ?? 0);
    const now = Number((yield* this.#sys.nsec()) / 1_000_000_000n);
    return d.mtime < Math.max(0, now - n);
  }
}

export default function* test(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  if (argv.length <= 1) return "usage";
  try {
    return (yield* new Expression(sys, argv.slice(1)).or()) ? "" : "false";
  } catch (e) {
    if (!(e instanceof Bad)) throw e;
    yield* fprint(sys, 2, `test: ${e.message}\n`);
    return "bad syntax";
  }
}
