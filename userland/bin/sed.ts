// sed: edits the lines of files by a script. sed(1)
//
//	sed [-n] [-g] [-e script] [-f sfile] [file ...]
//
// -n: prints only what the script says; -g: every s is for all matches in its line. Expressions are regexp(6)'s.

import { OREAD, OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Linereader, Output } from "../lib/bio.ts";
import { fprint, readtext } from "../lib/io.ts";
import type { Match } from "../lib/regexp.ts";
import { type Address, type Command, Script, Sederror } from "../lib/sed.ts";

/** Where a line of `l` is folded. */
const FOLD = 72;

/** All files as one row of lines, with one of them read ahead. */
class Input {
  readonly #sys: ThreadSys;
  readonly #files: (string | null)[];
  #reader: Linereader | null = null;
  #ahead: string | null = null;
  #begun = false;
  number = 0;

  constructor(sys: ThreadSys, files: readonly string[]) {
    this.#sys = sys;
    this.#files = files.length > 0 ? [...files] : [null];
  }

  /** The line that was given is the last. */
  get atend(): boolean {
    return this.#ahead === null && this.#files.length === 0;
  }

  *#open(): Task<boolean> {
    const name = this.#files.shift();
    if (name === undefined) return false;
    let fd = 0;
    try {
      if (name !== null) fd = yield* this.#sys.open(name, OREAD);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      throw new Sederror(`Can't open ${name}`);
    }
    this.#reader = new Linereader(this.#sys, fd);
    return true;
  }

  *next(): Task<string | null> {
    if (!this.#begun) {
      this.#begun = true;
      yield* this.#open();
      this.#ahead = (yield* this.#reader?.line() ?? none()) ?? null;
    }
    while (this.#ahead === null) {
      if (!(yield* this.#open())) return null;
      this.#ahead = (yield* this.#reader?.line() ?? none()) ?? null;
    }
    const line = this.#ahead;
    this.#ahead = (yield* this.#reader?.line() ?? none()) ?? null;
    this.number++;
    return line;
  }
}

function* none(): Task<null> {
  return null;
}

/** What follows a command: the next command, the one that it branches to, the next line, or the end of all. */
type Next = "next" | "jump" | "delete" | "quit";

class Editor {
  readonly #sys: ThreadSys;
  readonly #commands: readonly Command[];
  readonly #quiet: boolean;
  readonly #input: Input;
  readonly #out: Output;
  readonly #files: ReadonlyMap<string, Output>;
  #space = "";
  #hold = "";
  #substituted = false;
  #appended: Command[] = [];

  constructor(sys: ThreadSys, commands: readonly Command[], how: How) {
    this.#sys = sys;
    this.#commands = commands;
    this.#quiet = how.quiet;
    this.#input = how.input;
    this.#out = how.out;
    this.#files = how.files;
  }

  *run(): Task<void> {
    for (let line = yield* this.#read(); line !== null; line = yield* this.#read()) {
      this.#space = line;
      const end = yield* this.#cycle();
      if (end !== "delete" && !this.#quiet) yield* this.#print(this.#space);
      yield* this.#appends();
      if (end === "quit") return;
    }
  }

  *#read(): Task<string | null> {
    const line = yield* this.#input.next();
    this.#substituted = false;
    return line;
  }

  *#cycle(): Task<Next> {
    for (let pc = 0; pc < this.#commands.length;) {
      const c = this.#commands[pc];
      if (c === undefined) break;
      if (!this.#selected(c)) {
        pc++;
        continue;
      }
      const next = yield* this.#command(c);
      if (next === "delete" || next === "quit") return next;
      pc = next === "jump" ? c.to : pc + 1;
    }
    return "next";
  }

  #matches(a: Address): boolean {
    switch (a.type) {
      case "last":
        return this.#input.atend;
      case "line":
        return a.line === this.#input.number;
      case "re":
        return a.re.test(this.#space);
    }
  }

  /** Whether the command is for this line. */
  #selected(c: Command): boolean {
    if (c.active !== 0) {
      c.active = 2;
      if (c.ad2 === null) c.active = 0;
      else if (c.ad2.type === "last") return !c.not;
      else if (c.ad2.type === "re") {
        if (c.ad2.re.test(this.#space)) c.active = 0;
        return !c.not;
      } else {
        const { number } = this.#input;
        if (number >= c.ad2.line) c.active = 0;
        return number <= c.ad2.line ? !c.not : c.not;
      }
    }
    if (c.ad1 === null) return !c.not;
    if (!this.#matches(c.ad1)) return c.not;
    if (c.ad1.type !== "last") c.active = 1;
    return !c.not;
  }

  *#print(line: string): Task<void> {
    yield* this.#out.put(`${line}\n`);
  }

  /** What a and r have put behind the line. */
  *#appends(): Task<void> {
    const list = this.#appended;
    this.#appended = [];
    for (const { name, text } of list) {
      if (name === "a") yield* this.#out.put(`${text}\n`);
      else {
        try {
          yield* this.#out.put(yield* readtext(this.#sys, text));
        } catch (e) {
          if (!(e instanceof PlanError)) throw e;
        }
      }
    }
  }

  *#command(c: Command): Task<Next> {
    switch (c.name) {
      case "{":
      case "b":
        return "jump";
      case "t": {
        const jump = this.#substituted;
        this.#substituted = false;
        return jump ? "jump" : "next";
      }
      case "c":
        // For a range of lines the text is written once, at the first of them.
        if (c.active === 1) yield* this.#out.put(`${c.text}\n`);
        return "delete";
      case "d":
        return "delete";
      case "D": {
        const nl = this.#space.indexOf("\n");
        if (nl < 0) return "delete";
        this.#space = this.#space.slice(nl + 1);
        return "jump";
      }
      case "q":
        return "quit";
      case "n":
        if (!this.#quiet) yield* this.#print(this.#space);
        return yield* this.#nextline("");
      case "N":
        return yield* this.#nextline(`${this.#space}\n`);
      default:
        yield* this.#edit(c);
        return "next";
    }
  }

  *#nextline(before: string): Task<Next> {
    yield* this.#appends();
    const line = yield* this.#read();
    if (line === null) return "delete";
    this.#space = before + line;
    return "next";
  }

  *#edit(c: Command): Task<void> {
    switch (c.name) {
      case "a":
      case "r":
        this.#appended.push(c);
        return;
      case "i":
        return yield* this.#out.put(`${c.text}\n`);
      case "=":
        return yield* this.#print(`${this.#input.number}`);
      case "p":
        return yield* this.#print(this.#space);
      case "P":
        return yield* this.#print(firstline(this.#space));
      case "l":
        return yield* this.#out.put(listed(this.#space));
      case "w":
        return yield* this.#write(c);
      case "g":
        this.#space = this.#hold;
        return;
      case "G":
        this.#space += `\n${this.#hold}`;
        return;
      case "h":
        this.#hold = this.#space;
        return;
      case "H":
        this.#hold += `\n${this.#space}`;
        return;
      case "x":
        [this.#space, this.#hold] = [this.#hold, this.#space];
        return;
      case "y":
        this.#space = Array.from(this.#space, (ch) => c.table.get(ch) ?? ch).join("");
        return;
      case "s":
        return yield* this.#substitute(c);
      default:
    }
  }

  *#write(c: Command): Task<void> {
    yield* this.#files.get(c.text)?.put(`${this.#space}\n`) ?? none();
  }

  *#substitute(c: Command): Task<void> {
    const { re } = c;
    if (re === null) return;
    const s = this.#space;
    let m: Match | null = re.exec(s, 0);
    if (m === null) return;
    this.#substituted = true;
    let out = "";
    let at = 0;
    for (; m !== null;) {
      const start: number = m[0] ?? 0;
      const end: number = m[1] ?? 0;
      out += s.slice(at, start) + replaced(c, s, m);
      at = end;
      if (!c.global || at >= s.length) break;
      const from = end > start ? at : at + 1;
      m = from >= s.length ? null : re.exec(s, from);
    }
    this.#space = out + s.slice(at);
    if (c.print === "p") yield* this.#print(this.#space);
    else if (c.print === "P") yield* this.#print(firstline(this.#space));
    if (c.text !== "") yield* this.#write(c);
  }
}

const firstline = (s: string): string => s.split("\n", 1)[0] ?? "";

function replaced(c: Command, s: string, m: Match): string {
  return c.rhs
    .map((p) => {
      if (typeof p === "string") return p;
      const [start = -1, end = -1] = m.slice(2 * p, 2 * p + 2);
      if (start < 0 || end < 0) throw new Sederror(`Invalid back reference \\${p}`);
      return s.slice(start, end);
    })
    .join("");
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\b", "\\b"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\\", "\\\\"],
]);

/** A line as l shows it: what cannot be seen by its code, folded. */
function listed(s: string): string {
  let out = "";
  let n = 0;
  for (const ch of s) {
    const code = (ch.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
    const plain = ch >= " " && ch < "\x7f" && ch !== "\\";
    for (const c of plain ? ch : (ESCAPES.get(ch) ?? `\\x${code}`)) {
      out += c;
      if (n++ < FOLD) continue;
      out += "\\\n";
      n = 0;
    }
  }
  return `${out}${s.endsWith(" ") ? "\\n" : ""}\n`;
}

type How = {
  readonly quiet: boolean;
  readonly input: Input;
  readonly out: Output;
  readonly files: ReadonlyMap<string, Output>;
};

export default function* sed(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  if (argv.length <= 1) return;
  const outputs = new Map<string, Output>();
  const out = new Output(sys);
  try {
    const { script, quiet, files } = yield* options(sys, argv.slice(1));
    for (const c of script.commands)
      if ((c.name === "w" || c.name === "s") && c.text !== "" && !outputs.has(c.text))
        outputs.set(c.text, yield* openfile(sys, c.text));
    const input = new Input(sys, files);
    yield* new Editor(sys, script.commands, { quiet, input, out, files: outputs }).run();
    yield* out.flush();
    for (const o of outputs.values()) yield* o.flush();
  } catch (e) {
    if (!(e instanceof Sederror)) throw e;
    yield* out.flush();
    yield* fprint(sys, 2, `sed: ${e.message}\n`);
    return "error";
  }
}

type Options = { readonly script: Script; readonly quiet: boolean; readonly files: string[] };

function* options(sys: ThreadSys, words: string[]): Task<Options> {
  let quiet = false;
  const gflag = words.some((w) => /^-[a-z]*g/.test(w));
  const script = new Script(gflag);
  let read = false;
  while (words[0]?.startsWith("-") === true && words[0] !== "-") {
    const w = words.shift() ?? "";
    if (w === "--") break;
    for (let i = 1; i < w.length; i++) {
      const c = w.charAt(i);
      if (c === "n") quiet = true;
      else if (c === "e" || c === "f") {
        const value = w.slice(i + 1) || words.shift();
        if (value === undefined)
          throw new Sederror(c === "e" ? "missing pattern" : "no pattern-file");
        script.read(c === "e" ? value : yield* scriptfile(sys, value));
        read = true;
        break;
      } else if (c !== "g") yield* fprint(sys, 2, `sed: Unknown flag: ${c}\n`);
    }
  }
  if (!read) {
    const text = words.shift();
    if (text === undefined) throw new Sederror("missing pattern");
    script.read(text);
  }
  script.end();
  return { script, quiet, files: words };
}

function* scriptfile(sys: ThreadSys, name: string): Task<string> {
  try {
    return yield* readtext(sys, name);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    throw new Sederror(`Cannot open pattern-file: ${name}\n`);
  }
}

/** Opens the file of a w command, and creates it only if it is not there. Its contents are not truncated. */
function* openfile(sys: ThreadSys, name: string): Task<Output> {
  let fd;
  try {
    fd = yield* sys.open(name, OWRITE);
    yield* sys.seek(fd, 0, 2);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    try {
      fd = yield* sys.create(name, OWRITE, 0o666);
    } catch (e2) {
      if (!(e2 instanceof PlanError)) throw e2;
      throw new Sederror(`Cannot create ${name}`);
    }
  }
  return new Output(sys, fd);
}
