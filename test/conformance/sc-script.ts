// The interpreter itself: one line after another, the words of each, variables, and what fork copies.

import { NCONT, NDFLT, RFMEM, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfencode } from "../../kernel/abi/utf.ts";
import type { Exit, Main, Sys, Task } from "../../syscalls/sys.ts";
import { type ThreadSys, both } from "../../userland/lib/both.ts";
import { getpid } from "../../userland/lib/proc.ts";
import { tokenize } from "../../kernel/abi/quote.ts";
import { percents } from "./sc-print.ts";
import { number, unescape } from "./sc-words.ts";

/** The most words of a line. */
const MAXWORDS = 38;

/** The words of a command: `s` as they are, `n` as an int, `v` as a long number. */
export class Words {
  readonly list: readonly string[];
  readonly #sc: Sc;

  constructor(sc: Sc, list: readonly string[]) {
    this.list = list;
    this.#sc = sc;
  }

  get length(): number {
    return this.list.length;
  }

  s(i: number): string {
    return this.list[i] ?? "";
  }

  bytes(i: number): Uint8Array {
    return utfencode(this.s(i));
  }

  n(i: number, dflt?: number): number {
    if (dflt !== undefined && i >= this.length) return dflt;
    return Number(BigInt.asIntN(32, this.big(i)));
  }

  v(i: number): number {
    return Number(this.big(i));
  }

  big(i: number): bigint {
    return this.#sc.num(this.s(i));
  }
}

/** A command: it prints what it does, and gives what $last becomes. */
export type Command = (sc: Sc, w: Words) => Task<number>;

/** What interpreters that forked from one another share. */
export type Setup = {
  readonly commands: ReadonlyMap<string, Command>;
  /** Children are async programs. */
  readonly async: boolean;
  /** The interpreter has a memory of its own, which a fork copies: no function is the child. */
  readonly vm: boolean;
};

/** Commands that print their line themselves, when the child they wait for has printed. */
const LATE: ReadonlySet<string> = new Set(["wait", "await"]);

/** One interpreter: a script, where it is, and its variables. A fork copies it. */
export class Sc {
  sys: ThreadSys;
  readonly setup: Setup;
  readonly lines: readonly string[];
  pc = 0;
  readonly vars: Map<string, bigint>;
  #pid = -1n;
  #missing = "";
  /** How notes are handled: not at all, going on, or dying of them. */
  notes: "off" | "cont" | "dflt" = "off";

  constructor(sys: ThreadSys, lines: readonly string[], from: Sc | Setup) {
    this.sys = sys;
    this.lines = lines;
    this.setup = from instanceof Sc ? from.setup : from;
    this.vars = new Map(from instanceof Sc ? from.vars : []);
    if (!(from instanceof Sc)) return;
    this.pc = from.pc;
    this.notes = from.notes;
  }

  get line(): string {
    return this.lines[this.pc] ?? "";
  }

  /** Prints on descriptor 1, if that is open. */
  *print(text: string): Task<void> {
    const all = this.#missing + text;
    this.#missing = "";
    yield* attempt(this.sys.write(1, utfencode(all)));
  }

  /** Prints the result of a call, or for -1 the error string, which stays what it was. */
  *result(v: number): Task<number> {
    if (v !== -1) {
      yield* this.print(`  = ${v}\n`);
      return v;
    }
    const e = yield* this.sys.errstr("");
    yield* this.print(`  = -1 "${percents(e)}"\n`);
    yield* this.sys.errstr(e);
    return v;
  }

  /** Makes a call and prints its result; nothing counts as 0. */
  *call(task: Task<number | void>): Task<number> {
    const v = yield* attempt(task);
    return yield* this.result(v === undefined ? -1 : v.value === undefined ? 0 : v.value);
  }

  /** The number that a word stands for. A variable that is not there is -1, and the next print says so. */
  num(word: string): bigint {
    if (!word.startsWith("$")) return number(word);
    const v = this.vars.get(word.slice(1)) ?? (word === "$pid" ? this.#pid : undefined);
    if (v === undefined) this.#missing += `?? no var ${percents(word)}\n`;
    return v ?? -1n;
  }

  set(name: string, v: number | bigint): void {
    this.vars.set(name, BigInt(v));
  }

  /** A word with the variables inside it put in: /proc/$f/ns. */
  expand(word: string): string {
    return word.replaceAll(/\$[A-Za-z0-9]*/g, (part) =>
      part === "$pid" || this.vars.has(part.slice(1)) ? String(this.num(part)) : part,
    );
  }

  /** The rest of the script. */
  *run(): Task<void> {
    for (; this.pc < this.lines.length; this.pc++) yield* this.step();
  }

  *step(): Task<void> {
    const line = this.line.replace(/^[ \t]+/, "");
    if (line === "" || line.startsWith(";")) return;
    if (line.startsWith("# ")) {
      yield* this.print(`${line}\n`);
      return;
    }
    const words = tokenize(line).slice(0, MAXWORDS).map(unescape);
    const first = words[0];
    if (first === undefined) return;
    const name = first.endsWith("=") ? first.slice(0, -1) : null;
    yield* this.command(name, name === null ? words : words.slice(1));
  }

  *command(name: string | null, words: string[]): Task<void> {
    const verb = words[0] ?? "";
    if (verb === "end") {
      yield* this.print("  (child end)\n");
      yield* this.sys.exits("");
    }
    if (!LATE.has(verb)) yield* this.print(`${this.line}\n`);
    if (this.line.includes("$pid")) this.#pid = BigInt(yield* getpid(this.sys));
    if (verb === "fork") return yield* this.fork(name, words[1] ?? "0");
    for (const [i, w] of words.entries())
      if (i > 0 && w.includes("$") && !w.startsWith("$")) words[i] = this.expand(w);
    const cmd = this.setup.commands.get(verb);
    const w = new Words(this, words);
    let v = -1;
    if (cmd !== undefined) v = yield* cmd(this, w);
    else yield* this.print(`  ?? unknown ${verb}\n`);
    if (name !== null) this.set(name, v);
    this.set("last", v);
  }

  /** `fork flags ... end`: the child runs the block, the parent passes over it. */
  *fork(name: string | null, flags: string): Task<void> {
    this.pc++;
    const pid = yield* this.spawn(Number(BigInt.asIntN(32, this.num(flags))) | RFPROC);
    this.pc--;
    if (pid < 0) yield* this.result(-1);
    if (name !== null) this.set(name, pid);
    this.set("child", pid);
    for (let depth = 1; depth > 0 && this.pc + 1 < this.lines.length; this.pc++) {
      const line = (this.lines[this.pc + 1] ?? "").replace(/^[ \t]+/, "");
      if (line.startsWith("fork") || line.includes("= fork")) depth++;
      if (line === "end") depth--;
    }
  }

  /** rfork with a child that goes on from here; `first` is what it does before. Gives the pid, or -1. */
  *spawn(flags: number, first?: (child: Sc) => Task<void>): Task<number> {
    if (this.setup.vm && (flags & RFMEM) === 0) return yield* this.fork2(flags, first);
    const now = new Sc(this.sys, this.lines, this);
    const child = function* (sys: ThreadSys): Task<Exit> {
      const sc = new Sc(sys, now.lines, now);
      if (sc.notes !== "off") yield* sc.notify(sc.notes);
      if (first !== undefined) yield* first(sc);
      yield* sc.run();
    };
    const main: Main = (sys) => both(child)(sys);
    const pid = yield* attempt(this.sys.rfork(flags, this.setup.async ? main : child));
    if (pid === undefined) return -1;
    // As on a machine with one processor: a new process runs first, and its children, until all of them wait.
    yield* attempt(this.sys.sleep(1));
    return pid.value;
  }

  /** rfork that returns twice: here in the child, which goes on with the script, and ends with it. */
  *fork2(flags: number, first?: (child: Sc) => Task<void>): Task<number> {
    const pid = yield* attempt(this.sys.rfork(flags));
    if (pid?.value === 0) {
      if (first !== undefined) yield* first(this);
      yield* this.run();
      yield* this.sys.exits("");
    }
    yield* attempt(this.sys.sleep(1));
    return pid?.value ?? -1;
  }

  /** Sets the handler of notes, which prints them. */
  *notify(how: "off" | "cont" | "dflt"): Task<void> {
    this.notes = how;
    const handler = async (note: string, sys: unknown): Promise<void> => {
      const its = sys as Sys;
      await its.write(1, utfencode(`  NOTE "${percents(note)}"\n`)).catch(() => 0);
      await its.noted(this.notes === "cont" ? NCONT : NDFLT);
    };
    yield* this.sys.notify(how === "off" ? null : handler);
  }
}

/** What a call gave, or undefined when it failed: the error string says why. */
export function* attempt<T>(task: Task<T>): Task<{ readonly value: T } | undefined> {
  try {
    return { value: yield* task };
  } catch (e) {
    if (e instanceof PlanError) return undefined;
    throw e;
  }
}
