// sort: the lines of files in order. sort(1)
//
//	sort [-cmu] [-bdfgiMnrw] [-t c] [+pos1 [-pos2]] [-k pos1[,pos2]] [-o file] [file ...]
//
// Lines are compared by each key and then, unless -u, as a whole. -n, -g: as numbers; -M: as months; -d, -i, -w:
// without what is no letter or digit, no ASCII, or blank; -f: capital letters are like small ones; -r: backwards;
// -b: a field begins behind its blanks; -t: what is between fields; -c: only looks whether all is in order.

import { OREAD, OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Linereader, Output } from "../lib/bio.ts";
import { fprint } from "../lib/io.ts";
import { bytewise } from "../lib/rc/word.ts";

const FLAGS = "bdfgiMnrw";
const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");

/** A key: where it begins and ends (field and character, -1 for none), and how it is compared. */
type Key = {
  begin: [field: number, char: number];
  end: [field: number, char: number];
  flags: Set<string>;
  /** Blanks before the beginning do not count. */
  skip: boolean;
};

/** What ends the sort before it begins, and its status. */
class Bad extends Error {
  readonly status: string;

  constructor(message: string, status = "option") {
    super(message);
    this.status = status;
  }
}

type Options = {
  readonly keys: Key[];
  readonly whole: Key;
  readonly files: string[];
  tab: string;
  output: string | null;
  check: boolean;
  unique: boolean;
  /** The last word was +pos. */
  plus: boolean;
};

const newkey = (): Key => ({ begin: [-1, -1], end: [-1, -1], flags: new Set(), skip: false });

/** Reads "2.3nr": a place of a key, and flags. `off` is what the numbers count from. */
function place(key: Key, text: string, where: "begin" | "end", off: [number, number]): void {
  const [, field = "", char = "", flags = ""] = /^([0-9]*)(?:\.([0-9]*))?(.*)$/s.exec(text) ?? [];
  const at = key[where];
  if (field !== "") at[0] = Number(field) - off[0];
  if (char !== "") at[1] = Number(char) - off[1];
  if (at[0] < -1 || (field !== "" && at[0] < 0)) throw new Bad("field offset must be positive");
  if (char !== "" && at[1] < 0) throw new Bad("character offset must be positive");
  for (const c of flags) {
    if (!FLAGS.includes(c)) throw new Bad(`unknown option: field.${c}`);
    key.flags.add(c);
  }
  if (where === "begin" && key.flags.delete("b")) key.skip = true;
}

function options(argv: readonly string[]): Options {
  const o: Options = {
    keys: [],
    whole: newkey(),
    files: [],
    tab: "",
    output: null,
    check: false,
    unique: false,
    plus: false,
  };
  const words = argv.slice(1);
  for (let w = words.shift(); w !== undefined; w = words.shift()) {
    if (w === "-" || (!w.startsWith("-") && !w.startsWith("+"))) {
      o.files.push(w);
      if (w === "-") break;
    } else if (w === "--") break;
    else word(o, w, words);
  }
  o.files.push(...words);
  for (const key of o.keys) inherit(key, o.whole);
  return o;
}

/** A key without flags has those of all lines. */
function inherit(key: Key, whole: Key): void {
  if (key.flags.size > 0 || key.skip) return;
  for (const f of whole.flags) key.flags.add(f);
  key.skip = whole.flags.has("b");
}

function word(o: Options, w: string, words: string[]): void {
  if (/^[-+][.0-9]/.test(w)) {
    const plus = w.startsWith("+");
    if (plus || !o.plus) o.keys.push(newkey());
    const key = o.keys.at(-1);
    if (key !== undefined) place(key, w.slice(1), plus ? "begin" : "end", [0, 0]);
    o.plus = plus;
    return;
  }
  if (w.startsWith("+")) throw new Bad(`unknown option: ${w.slice(0, 2)}`);
  for (let i = 1; i < w.length; i++) {
    const c = w.charAt(i);
    if ("Totkl".includes(c)) {
      const value = w.slice(i + 1) || words.shift();
      if (value !== undefined) valued(o, c, value);
      return;
    }
    if (FLAGS.includes(c)) o.whole.flags.add(c);
    else if (c === "c") o.check = true;
    else if (c === "u") o.unique = true;
    else if (c !== "m") throw new Bad(`unknown option: -${c}`);
  }
}

function valued(o: Options, c: string, value: string): void {
  if (c === "o") o.output = value;
  else if (c === "t") o.tab = String.fromCodePoint(value.codePointAt(0) ?? 0x20);
  else if (c === "k") {
    const key = newkey();
    o.keys.push(key);
    const [begin = "", end] = value.split(/,(.*)/s);
    place(key, begin, "begin", [1, 1]);
    if (end !== undefined) {
      place(key, end, "end", [1, 0]);
      if (key.end[1] <= 0) key.end[0]++;
    }
    o.plus = false;
  }
}

const isblank = (c: string): boolean => c === " " || c === "\t";

/** Where a place is in a line; null behind its end. */
function find(line: string, [field, char]: readonly [number, number], how: Find): number | null {
  const { tab, skip, end } = how;
  if (end && field < 0) return null;
  let i = 0;
  for (let n = field; n > 0; n--) {
    if (tab !== "") {
      const at = line.indexOf(tab, i);
      if (at < 0) return null;
      i = end && n === 1 ? at : at + tab.length;
      continue;
    }
    while (isblank(line.charAt(i))) i++;
    while (!isblank(line.charAt(i))) if (i++ >= line.length) return null;
  }
  if (skip) while (isblank(line.charAt(i))) i++;
  for (let n = char; n > 0; n--) {
    if (i >= line.length) return null;
    i += (line.codePointAt(i) ?? 0) > 0xffff ? 2 : 1;
  }
  return i;
}

type Find = { readonly tab: string; readonly skip: boolean; readonly end: boolean };

/** A number to compare: its sign, its exponent, its digits. */
type Num = { readonly sign: number; readonly exp: number; readonly digits: string };

function num(text: string, exponent: boolean): Num {
  const re = exponent
    ? /^[ \t]*([-+]?)[ \t]*([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?[0-9]+))?/
    : /^[ \t]*([-+]?)[ \t]*([0-9]*)(?:\.([0-9]*))?/;
  const [, sign, whole = "", fraction = "", e = "0"] = re.exec(text) ?? [];
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "");
  if (digits === "") return { sign: 0, exp: 0, digits: "" };
  const exp = whole.length - (all.length - digits.length) + Number(e);
  return { sign: sign === "-" ? -1 : 1, exp, digits: digits.replace(/0+$/, "") };
}

function numcmp(a: Num, b: Num): number {
  if (a.sign !== b.sign) return a.sign - b.sign;
  return a.sign * (a.exp - b.exp || (a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0));
}

const month = (text: string): number =>
  MONTHS.indexOf(text.replaceAll(/[ \t]/g, "").slice(0, 3).toUpperCase());

/** A text without what the flags leave out. */
function folded(text: string, flags: ReadonlySet<string>): string {
  let s = text;
  if (flags.has("i")) s = s.replaceAll(/[^ -~]/g, "");
  if (flags.has("w")) s = s.replaceAll(/[ \t]/g, "");
  if (flags.has("d")) s = s.replaceAll(/[^\p{L}\p{N} \t]/gu, "");
  return flags.has("f") ? s.normalize("NFD").replaceAll(/\p{M}/gu, "").toUpperCase() : s;
}

/** The part of a line that a key is, in the form in which it is compared. */
type Part = string | number | Num;

function part(line: string, key: Key, tab: string): Part {
  const begin = find(line, key.begin, { tab, skip: key.skip, end: false }) ?? line.length;
  const end = find(line, key.end, { tab, skip: key.flags.has("b"), end: true }) ?? line.length;
  const text = line.slice(begin, Math.max(begin, end));
  if (key.flags.has("n") || key.flags.has("g")) return num(text, key.flags.has("g"));
  return key.flags.has("M") ? month(text) : folded(text, key.flags);
}

function compare(a: Part, b: Part): number {
  if (typeof a === "string" && typeof b === "string") return bytewise(a, b);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return typeof a === "object" && typeof b === "object" ? numcmp(a, b) : 0;
}

type Line = { readonly text: string; readonly parts: readonly Part[] };

export default function* sort(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  try {
    const o = options(argv);
    if (o.check && o.files.length > 1) throw new Bad("-c can have at most one input file");
    // With keys, -u compares nothing else.
    const keys = o.unique && o.keys.length > 0 ? o.keys : [...o.keys, o.whole];
    const order = (a: Line, b: Line): number => {
      for (const [i, key] of keys.entries()) {
        const c = compare(a.parts[i] ?? "", b.parts[i] ?? "");
        if (c !== 0) return key.flags.has("r") ? -c : c;
      }
      return 0;
    };
    const lines: Line[] = [];
    for (const text of yield* readlines(sys, o.files))
      lines.push({ text, parts: keys.map((key) => part(text, key, o.tab)) });
    if (o.check) return check(o, lines, order);
    lines.sort(order);
    yield* write(sys, o, lines, order);
  } catch (e) {
    if (!(e instanceof Bad)) throw e;
    yield* fprint(sys, 2, `sort: ${e.message}\n`);
    return e.status;
  }
}

function check(o: Options, lines: readonly Line[], order: (a: Line, b: Line) => number): Exit {
  for (const [i, line] of lines.entries()) {
    const next = lines[i + 1];
    const c = next === undefined ? -1 : order(line, next);
    if (c > 0 || (c === 0 && o.unique)) throw new Bad("-c file not in sort", "order");
  }
}

function* readlines(sys: ThreadSys, files: readonly string[]): Task<string[]> {
  const all: string[] = [];
  for (const name of files.length > 0 ? files : ["-"]) {
    let fd = 0;
    try {
      if (name !== "-") fd = yield* sys.open(name, OREAD);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      throw new Bad(`open ${name}: ${e.message}`, "open");
    }
    const input = new Linereader(sys, fd);
    for (let line = yield* input.line(); line !== null; line = yield* input.line()) {
      all.push(line);
      if (!input.whole) yield* fprint(sys, 2, "sort: newline added\n");
    }
    if (name !== "-") yield* sys.close(fd);
  }
  return all;
}

function* write(
  sys: ThreadSys,
  o: Options,
  lines: readonly Line[],
  order: (a: Line, b: Line) => number,
): Task<void> {
  let fd = 1;
  try {
    if (o.output !== null) fd = yield* sys.create(o.output, OWRITE, 0o666);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    throw new Bad(`create ${o.output}: ${e.message}`, "create");
  }
  const out = new Output(sys, fd);
  let last: Line | null = null;
  for (const line of lines) {
    if (o.unique && last !== null && order(last, line) === 0) continue;
    yield* out.put(`${line.text}\n`);
    last = line;
  }
  yield* out.flush();
}
