// The editor behind ed: lines, the current one, addresses and commands. ed(1)
//
//	.  $  n  'x  /re/  ?re?    with +n and -n behind    addresses; a,b  a;b  , ranges
//	a c d e E f g i j k l m n p q Q r s t u v w W = !     commands

import { OREAD, OWRITE, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfencode, utflen } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { Linereader, Output } from "./bio.ts";
import type { ThreadSys } from "./both.ts";
import { fprint, readtext, writeall, writefile } from "./io.ts";
import { type Match, Regexp, Regexperror } from "./regexp.ts";

/** A line; marks and g know it by itself, wherever it moves. */
type Line = { readonly text: string };

/** Something is wrong: a question mark, with a file's name if it is about one. */
class Query extends Error {}

/** A line that is parsed: its text, and the place in it. */
class Command {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get c(): string {
    return this.text.charAt(this.at);
  }

  next(): string {
    return this.text.charAt(this.at++);
  }

  blanks(): void {
    while (this.c === " " || this.c === "\t") this.at++;
  }

  number(): number | null {
    const digits = /^[0-9]+/.exec(this.text.slice(this.at))?.[0];
    if (digits === undefined) return null;
    this.at += digits.length;
    return Number(digits);
  }

  rest(): string {
    const rest = this.text.slice(this.at);
    this.at = this.text.length;
    return rest;
  }
}

type Undo = { readonly lines: readonly Line[]; readonly dot: number };

/** How the editor is started. */
export type Edopts = { readonly quiet: boolean; readonly tostdout: boolean };

/** The lines of a command, and how many addresses it was given. */
type Addressed = { readonly given: number; readonly from: number; readonly to: number };

/** Lines from one to another, both included. */
type Lines = { readonly from: number; readonly to: number };

export class Editor {
  readonly #sys: ThreadSys;
  readonly #opts: Edopts;
  readonly #input: Linereader;
  readonly #out: Output;
  #lines: Line[] = [];
  #dot = 0;
  #file: string | null = null;
  #changed = false;
  #warned = false;
  #last: Regexp | null = null;
  #undo: Undo | null = null;
  readonly #marks = new Map<string, Line>();
  /** The lines that a command of g has still to read. */
  #global: string[] | null = null;
  #status: string | null = null;

  constructor(sys: ThreadSys, opts: Edopts) {
    this.#sys = sys;
    this.#opts = opts;
    this.#input = new Linereader(sys, 0);
    this.#out = new Output(sys, opts.tostdout ? 2 : 1);
  }

  /** Edits until q or the end of the commands. */
  *run(file: string | null): Task<Exit> {
    if (file !== null) yield* this.#guard(() => this.#read(file, 0, true));
    this.#changed = false;
    while (this.#status === null) {
      yield* this.#out.flush();
      const text = yield* this.#input.line();
      if (text === null) {
        yield* this.#guard(() => this.#quit(this.#warned));
        if (this.#status === null && this.#warned) continue;
        break;
      }
      const warned = this.#warned;
      yield* this.#guard(() => this.#command(new Command(text)));
      if (warned) this.#warned = false;
    }
    yield* this.#out.flush();
    if (this.#opts.tostdout)
      yield* writeall(this.#sys, 1, utfencode(this.#lines.map((l) => `${l.text}\n`).join("")));
    return this.#status ?? "";
  }

  *#guard(fn: () => Task<void>): Task<void> {
    try {
      yield* fn();
    } catch (e) {
      if (!(e instanceof Query) && !(e instanceof PlanError) && !(e instanceof Regexperror))
        throw e;
      this.#global = null;
      yield* this.#out.put(`?${e instanceof Query ? e.message : ""}\n`);
    }
  }

  #fail(text = ""): never {
    throw new Query(text);
  }

  /** The next line of text: of the command that g runs, or of the input; null at the end. */
  *#textline(): Task<string | null> {
    if (this.#global !== null) return this.#global.shift() ?? null;
    return yield* this.#input.line();
  }

  /** The lines up to a dot. */
  *#text(): Task<Line[]> {
    const lines: Line[] = [];
    for (;;) {
      const text = yield* this.#textline();
      if (text === null || text === ".") return lines;
      lines.push({ text });
    }
  }

  *#put(text: string): Task<void> {
    yield* this.#out.put(text);
  }

  /** One address; null if there is none here. */
  #address(c: Command): number | null {
    c.blanks();
    let n = c.number();
    if (n === null) {
      switch (c.c) {
        case ".":
          c.at++;
          n = this.#dot;
          break;
        case "$":
          c.at++;
          n = this.#lines.length;
          break;
        case "'": {
          c.at++;
          const mark = this.#marks.get(c.next());
          n = mark === undefined ? 0 : this.#lines.indexOf(mark) + 1;
          if (n === 0) this.#fail();
          break;
        }
        case "/":
        case "?":
          n = this.#search(c);
          break;
        default:
      }
    }
    return this.#offsets(c, n);
  }

  /** What stands behind an address: +3, -, or a number alone. */
  #offsets(c: Command, from: number | null): number | null {
    let n = from;
    for (;;) {
      c.blanks();
      const sign = c.c;
      if (sign === "+" || sign === "-" || sign === "^") {
        c.at++;
        const by = c.number() ?? 1;
        n = (n ?? this.#dot) + (sign === "+" ? by : -by);
      } else {
        const by = n === null ? null : c.number();
        if (by === null || n === null) return n;
        n += by;
      }
    }
  }

  #search(c: Command): number {
    const delimiter = c.next();
    const re = this.#expression(c, delimiter);
    const count = this.#lines.length;
    const step = delimiter === "/" ? 1 : -1;
    for (let i = 1; i <= count; i++) {
      const n = (((this.#dot - 1 + step * i) % count) + count) % count;
      if (re.test(this.#lines[n]?.text ?? "")) return n + 1;
    }
    return this.#fail();
  }

  /** An expression up to its delimiter, or to the end of the line; an empty one is the last. */
  #expression(c: Command, delimiter: string): Regexp {
    let text = "";
    while (c.c !== "" && c.c !== delimiter) {
      const ch = c.next();
      text += ch;
      if (ch === "\\") {
        if (c.c === delimiter) text = text.slice(0, -1);
        text += c.next();
      }
    }
    if (c.c === delimiter) c.at++;
    if (text !== "") this.#last = new Regexp(text);
    return this.#last ?? this.#fail();
  }

  /** The addresses before a command: none, one, or two. */
  #range(c: Command): { given: number; from: number; to: number } {
    let from = this.#address(c);
    let to = from;
    let given = from === null ? 0 : 1;
    c.blanks();
    while (c.c === "," || c.c === ";") {
      const semicolon = c.next() === ";";
      from = to ?? (given === 0 ? (semicolon ? this.#dot : 1) : this.#dot);
      if (semicolon) this.#dot = from;
      to = this.#address(c) ?? this.#lines.length;
      given = 2;
      c.blanks();
    }
    return { given, from: from ?? this.#dot, to: to ?? this.#dot };
  }

  *#command(c: Command): Task<void> {
    const range = this.#range(c);
    const name = c.next();
    const { given } = range;
    if (range.from > range.to || range.to > this.#lines.length || range.from < 0) this.#fail();
    const all = given === 0 ? { from: 1, to: this.#lines.length } : range;
    switch (name) {
      case "":
        return yield* this.#print(given === 0 ? this.#dot + 1 : range.to, null, "p");
      case "g":
      case "v":
        return yield* this.#globally(c, all, name === "v");
      case "e":
      case "E":
      case "f":
      case "q":
      case "Q":
      case "u":
      case "!":
        if (given > 0 && name !== "u") this.#fail();
        return yield* this.#whole(c, name);
      case "w":
      case "W":
        return yield* this.#write(
          c,
          given === 0 && this.#lines.length === 0 ? null : all,
          name === "W",
        );
      case "r": {
        const file = this.#name(c);
        this.#save();
        return yield* this.#read(file, given === 0 ? this.#lines.length : range.to, false);
      }
      case "=":
        this.#end(c);
        return yield* this.#put(`${given === 0 ? this.#lines.length : range.to}\n`);
      default:
        yield* this.#lineby(c, name, range);
    }
  }

  /** Commands that work on lines. */
  *#lineby(c: Command, name: string, { given, from, to }: Addressed): Task<void> {
    switch (name) {
      case "a":
      case "i":
        this.#suffix(c);
        this.#save();
        return this.#insert(name === "a" ? to : Math.max(0, to - 1), yield* this.#text());
      case "c":
        this.#some(from);
        this.#suffix(c);
        this.#save();
        this.#delete(from, to);
        return this.#insert(from - 1, yield* this.#text());
      case "d": {
        this.#some(from);
        const print = this.#suffix(c);
        this.#save();
        this.#delete(from, to);
        this.#dot = Math.min(from, this.#lines.length);
        return yield* this.#shown(print);
      }
      case "j": {
        const last = given === 2 ? to : Math.min(this.#lines.length, from + 1);
        this.#some(from);
        const print = this.#suffix(c);
        this.#save();
        const text = this.#lines.slice(from - 1, last).map((l) => l.text);
        this.#lines.splice(from - 1, last - from + 1, { text: text.join("") });
        this.#dot = from;
        return yield* this.#shown(print);
      }
      case "k": {
        this.#some(to);
        const mark = c.next();
        this.#end(c);
        const line = this.#lines[to - 1];
        if (!/^[a-z]$/.test(mark) || line === undefined) this.#fail();
        else this.#marks.set(mark, line);
        return;
      }
      case "p":
      case "l":
      case "n":
        this.#end(c);
        return yield* this.#print(from, to, name);
      case "m":
      case "t":
        return yield* this.#move(c, from, to, name === "t");
      case "s":
        return yield* this.#substitute(c, from, to);
      default:
        this.#fail();
    }
  }

  #some(n: number): void {
    if (n < 1) this.#fail();
  }

  /** The end of a command, where nothing may follow. */
  #end(c: Command): void {
    c.blanks();
    if (c.c !== "") this.#fail();
  }

  /** p, l or n behind a command: the line is printed. */
  #suffix(c: Command): string {
    const print = "pln".includes(c.c) ? c.next() : "";
    this.#end(c);
    return print;
  }

  *#shown(print: string): Task<void> {
    if (print !== "") yield* this.#print(this.#dot, null, print);
  }

  /** Keeps the lines as they are, for u. */
  #save(): void {
    if (this.#global === null) this.#undo = { lines: [...this.#lines], dot: this.#dot };
    this.#changed = true;
  }

  #insert(after: number, lines: readonly Line[]): void {
    this.#lines = [...this.#lines.slice(0, after), ...lines, ...this.#lines.slice(after)];
    this.#dot = after + lines.length;
  }

  #delete(from: number, to: number): void {
    this.#lines.splice(from - 1, to - from + 1);
  }

  *#print(from: number, last: number | null, how: string): Task<void> {
    const to = last ?? from;
    if (from < 1 || to > this.#lines.length) this.#fail();
    for (let n = from; n <= to; n++) {
      const text = this.#lines[n - 1]?.text ?? "";
      const shown = how === "l" ? listed(text) : text;
      yield* this.#put(how === "n" ? `${n}\t${text}\n` : `${shown}\n`);
    }
    this.#dot = to;
  }

  *#move(c: Command, from: number, to: number, copy: boolean): Task<void> {
    this.#some(from);
    const after = this.#address(c);
    if (after === null || after < 0 || after > this.#lines.length) this.#fail();
    const print = this.#suffix(c);
    if (!copy && (after ?? 0) >= from && (after ?? 0) < to) this.#fail();
    this.#save();
    const some = this.#lines.slice(from - 1, to);
    const at = after ?? 0;
    if (copy)
      this.#insert(
        at,
        some.map((l) => ({ text: l.text })),
      );
    else {
      this.#delete(from, to);
      this.#insert(at >= to ? at - some.length : at, some);
    }
    yield* this.#shown(print);
  }

  *#substitute(c: Command, from: number, to: number): Task<void> {
    this.#some(from);
    const count = c.number() ?? 1;
    const delimiter = c.next();
    if (delimiter === "" || delimiter === " ") this.#fail();
    const re = this.#expression(c, delimiter);
    const rhs = yield* this.#replacement(c, delimiter);
    let all = false;
    if (c.c === "g") {
      c.at++;
      all = true;
    }
    const print = this.#suffix(c);
    this.#save();
    let found = false;
    for (let n = from, end = to; n <= end; n++) {
      const line = this.#lines[n - 1];
      const text = line === undefined ? null : replaced(line.text, re, { rhs, count, all });
      if (text === null) continue;
      found = true;
      const lines = text.split("\n").map((t) => ({ text: t }));
      this.#lines.splice(n - 1, 1, ...lines);
      n += lines.length - 1;
      end += lines.length - 1;
      this.#dot = n;
    }
    if (!found && this.#global === null) this.#fail();
    if (found) yield* this.#shown(print);
  }

  /** The right side of s: a newline in it has a backslash before it, and goes on in the next line. */
  *#replacement(c: Command, delimiter: string): Task<string> {
    let rhs = "";
    let line = c;
    for (;;) {
      const ch = line.next();
      if (ch === delimiter) break;
      if (ch === "" && line.at > line.text.length) break;
      rhs += ch;
      if (ch !== "\\") continue;
      if (line.c !== "") {
        rhs += line.next();
        continue;
      }
      const more = yield* this.#textline();
      if (more === null) this.#fail();
      rhs += "\n";
      line = new Command(more ?? "");
    }
    // What is behind the delimiter is in the last line that was read.
    if (line !== c) c.at = c.text.length;
    return rhs;
  }

  *#globally(c: Command, all: Lines, not: boolean): Task<void> {
    if (this.#global !== null) this.#fail();
    const delimiter = c.next();
    if (delimiter === "" || delimiter === " ") this.#fail();
    const re = this.#expression(c, delimiter);
    const commands = [c.rest() || "p"];
    while (commands.at(-1)?.endsWith("\\") === true) {
      commands.push((commands.pop() ?? "").slice(0, -1));
      const more = yield* this.#input.line();
      if (more === null) break;
      commands.push(more);
    }
    this.#save();
    const chosen = this.#lines.slice(all.from - 1, all.to).filter((l) => re.test(l.text) !== not);
    for (const line of chosen) {
      const n = this.#lines.indexOf(line);
      if (n < 0) continue;
      this.#dot = n + 1;
      const queue = [...commands];
      this.#global = queue;
      for (let text = queue.shift(); text !== undefined; text = queue.shift())
        yield* this.#command(new Command(text));
    }
    this.#global = null;
  }

  *#whole(c: Command, name: string): Task<void> {
    switch (name) {
      case "!":
        return yield* this.#shell(c.rest());
      case "f": {
        c.blanks();
        const file = c.rest();
        if (file !== "") this.#file = file;
        return yield* this.#put(`${this.#changed ? "'" : " "}${this.#file ?? ""}\n`);
      }
      case "u": {
        this.#end(c);
        const old = this.#undo;
        if (old === null) return this.#fail();
        this.#undo = { lines: [...this.#lines], dot: this.#dot };
        this.#lines = [...old.lines];
        this.#dot = Math.min(old.dot, this.#lines.length);
        return;
      }
      case "q":
      case "Q":
        this.#end(c);
        return yield* this.#quit(name === "Q");
      default: {
        if (name === "e" && this.#changed && !this.#warned) {
          this.#warned = true;
          this.#fail();
        }
        const file = this.#name(c);
        this.#lines = [];
        this.#dot = 0;
        this.#marks.clear();
        yield* this.#read(file, 0, true);
        this.#changed = false;
      }
    }
  }

  *#quit(anyway: boolean): Task<void> {
    if (this.#changed && !anyway && !this.#warned && !this.#opts.tostdout) {
      this.#warned = true;
      this.#fail();
    }
    this.#status = "";
  }

  /** The file that a command names, or the one that is edited. */
  #name(c: Command): string {
    if (c.c !== "" && c.c !== " ") this.#fail();
    c.blanks();
    const file = c.rest();
    if (file === "") return this.#file ?? this.#fail();
    this.#file ??= file;
    return file;
  }

  *#read(file: string, after: number, whole: boolean): Task<void> {
    if (whole) this.#file = file;
    let text;
    try {
      text = yield* readtext(this.#sys, file);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      return this.#fail(file);
    }
    const texts = text.split("\n");
    if (texts.at(-1) === "") texts.pop();
    this.#insert(
      after,
      texts.map((t) => ({ text: t })),
    );
    yield* this.#count(text);
  }

  *#count(text: string): Task<void> {
    if (!this.#opts.quiet) yield* this.#put(`${Array.from(text).length}\n`);
  }

  *#write(c: Command, range: { from: number; to: number } | null, append: boolean): Task<void> {
    const quit = c.c === "q";
    if (quit) c.at++;
    const file = this.#name(c);
    const some = range === null ? [] : this.#lines.slice(Math.max(0, range.from - 1), range.to);
    const text = some.map((l) => `${l.text}\n`).join("");
    try {
      if (append) yield* this.#append(file, text);
      else yield* writefile(this.#sys, file, text);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      this.#fail(file);
    }
    if (some.length === this.#lines.length) this.#changed = false;
    yield* this.#count(text);
    if (quit) this.#status = "";
  }

  *#append(file: string, text: string): Task<void> {
    const fd = yield* this.#sys.open(file, OWRITE);
    yield* this.#sys.seek(fd, 0, 2);
    if (utflen(text) > 0) yield* writeall(this.#sys, fd, utfencode(text));
    yield* this.#sys.close(fd);
  }

  *#shell(line: string): Task<void> {
    yield* this.#out.flush();
    const pid = yield* this.#sys.rfork(RFPROC | RFFDG, function* (child: ThreadSys): Task<Exit> {
      // The commands that ed reads are not for it.
      yield* child.close(0);
      yield* child.open("/dev/null", OREAD);
      yield* child.exec("/bin/rc", ["rc", "-c", line]);
    });
    while ((yield* this.#sys.wait()).pid !== pid);
    if (!this.#opts.quiet) yield* fprint(this.#sys, 1, "!\n");
  }
}

type Substitution = { readonly rhs: string; readonly count: number; readonly all: boolean };

/** The text with its count-th match, or all from there on, replaced; null if there is none. */
function replaced(s: string, re: Regexp, { rhs, count, all }: Substitution): string | null {
  let out = "";
  let at = 0;
  let n = 0;
  let found = false;
  for (let m = re.exec(s, 0); m !== null;) {
    const start: number = m[0] ?? 0;
    const end: number = m[1] ?? 0;
    n++;
    const take = n === count || (all && n > count);
    out += s.slice(at, start) + (take ? expand(rhs, s, m) : s.slice(start, end));
    found ||= take;
    at = end;
    if (take && !all) break;
    const from = end > start ? end : end + 1;
    m = from > s.length || (from === s.length && end > start) ? null : re.exec(s, from);
  }
  return found ? out + s.slice(at) : null;
}

/** The right side with & and \1 to \9 replaced by what matched. */
function expand(rhs: string, s: string, m: Match): string {
  const group = (n: number): string => {
    const [start = -1, end = -1] = m.slice(2 * n, 2 * n + 2);
    return start < 0 || end < 0 ? "" : s.slice(start, end);
  };
  return rhs.replaceAll(/\\([^])|&/g, (_m, c: string | undefined) => {
    if (c === undefined) return group(0);
    return /[1-9]/.test(c) ? group(Number(c)) : c;
  });
}

/** A line as l prints it: tabs, backslashes and what cannot be seen are escaped. */
function listed(text: string): string {
  let out = "";
  for (const ch of text) {
    if (ch === "\t") out += "\\t";
    else if (ch === "\b") out += "\\b";
    else if (ch === "\\") out += "\\\\";
    else if (ch >= " " && ch < "\x7f") out += ch;
    else out += `\\x${(ch.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  }
  return out + (text.endsWith(" ") ? "\\n" : "");
}
