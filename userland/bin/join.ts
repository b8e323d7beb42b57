// join: lines of two sorted files that agree in a field. join(1)
//
//	join [-a1] [-a2] [-e text] [-o list] [-t c] [-j1 n] [-j2 n] [-j n] file1 file2
//
// -a1, -a2: lines without a partner, too; -e: what stands for an empty field; -o: the fields to print, 1.2,2.1;
// -t: what is between fields; -j1, -j2: the fields that are compared.

import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Linereader, Output } from "../lib/bio.ts";
import { fprint } from "../lib/io.ts";
import { atoi } from "../lib/number.ts";
import { sysfatal } from "../lib/proc.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { OREAD } from "../../kernel/abi/const.ts";
import { bytewise } from "../lib/rc/word.ts";

/** A field to print: of file 0 or 1, or the one compared (null). */
type Field = { readonly file: 0 | 1 | null; readonly n: number };

type Options = {
  readonly alone: [boolean, boolean];
  empty: string;
  sep: string | null;
  readonly list: Field[];
  readonly by: [number, number];
  readonly files: readonly string[];
  problem: string;
};

function field(text: string): Field | null {
  if (text === "0") return { file: null, n: 0 };
  const m = /^([12])\.([0-9]+)/.exec(text);
  return m === null ? null : { file: m[1] === "1" ? 0 : 1, n: Number(m[2]) - 1 };
}

/** Takes the options from the words, which come before the two names. */
function options(argv: readonly string[]): Options {
  const words = argv.slice(1);
  const o: Options = {
    alone: [false, false],
    empty: "",
    sep: null,
    list: [],
    by: [0, 0],
    files: words,
    problem: "",
  };
  for (let w = words[0]; w?.startsWith("-") === true && w !== "-"; w = words[0]) {
    words.shift();
    if (w === "--") break;
    option(o, w, words);
  }
  return o;
}

function option(o: Options, w: string, words: string[]): void {
  const value = (): string => {
    if (w.length > 2) return w.slice(2);
    const next = words[0];
    if (next === undefined || next.startsWith("-")) o.problem = `incomplete option ${w}`;
    else words.shift();
    return next ?? "";
  };
  switch (w.charAt(1)) {
    case "a": {
      const which = value();
      if (which.startsWith("1")) o.alone[0] = true;
      else if (which.startsWith("2")) o.alone[1] = true;
      else o.problem ||= "incomplete option -a";
      return;
    }
    case "e":
      o.empty = value();
      return;
    case "t":
      o.sep = value().charAt(0);
      return;
    case "o":
      fields(o, w, words, value);
      return;
    case "j": {
      const n = atoi(words.shift() ?? "") - 1;
      if (w !== "-j2") o.by[0] = n;
      if (w !== "-j1") o.by[1] = n;
      return;
    }
    case "1":
    case "2":
      o.by[w.charAt(1) === "1" ? 0 : 1] = atoi(value()) - 1;
      return;
    default:
  }
}

/** The list of -o: one word with commas, or a word for each field. */
function fields(o: Options, w: string, words: string[], value: () => string): void {
  if (w.length > 2 || words[0]?.includes(",") === true) {
    for (const text of value().split(",")) {
      const f = field(text);
      if (f === null) o.problem ||= "invalid -o list";
      else o.list.push(f);
    }
    return;
  }
  for (let f = field(words[0] ?? ""); f !== null; f = field(words[0] ?? "")) {
    o.list.push(f);
    words.shift();
  }
}

/** A line in fields: blanks and tabs are between them, or each separator. */
function split(line: string, sep: string | null): string[] {
  if (sep !== null && sep !== " ") return line.split(sep);
  const text = line.replace(/^[ \t]+/, "");
  return text.split(/[ \t]+/);
}

export default function* join(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const o = options(argv);
  const [name1, name2, ...more] = o.files;
  if (o.problem !== "") return yield* sysfatal(sys, "join", o.problem);
  if (name1 === undefined || name2 === undefined || more.length > 0) {
    yield* fprint(sys, 2, "usage: join [-1 x -2 y] [-o list] file1 file2\n");
    return "usage";
  }
  if (o.by[0] < 0 || o.by[1] < 0) return yield* sysfatal(sys, "join", "invalid field indices");
  const sides: string[][][] = [];
  for (const name of [name1, name2]) sides.push(yield* rows(sys, o, name));
  const out = new Output(sys);
  yield* match(o, sides[0] ?? [], sides[1] ?? [], out);
  yield* out.flush();
}

function* rows(sys: ThreadSys, o: Options, name: string): Task<string[][]> {
  let fd = 0;
  try {
    if (name !== "-") fd = yield* sys.open(name, OREAD);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return yield* sysfatal(sys, "join", `can't open ${name}: ${e.message}`);
  }
  const input = new Linereader(sys, fd);
  const all: string[][] = [];
  for (let line = yield* input.line(); line !== null; line = yield* input.line())
    if (input.whole) all.push(split(line, o.sep));
  return all;
}

function* match(o: Options, one: string[][], two: string[][], out: Output): Task<void> {
  const key = (row: string[] | undefined, side: 0 | 1): string => row?.[o.by[side]] ?? "";
  let i = 0;
  let j = 0;
  while (i < one.length || j < two.length) {
    const order =
      i === one.length ? 1 : j === two.length ? -1 : bytewise(key(one[i], 0), key(two[j], 1));
    if (order < 0) {
      if (o.alone[0]) yield* out.put(row(o, one[i] ?? [], null));
      i++;
    } else if (order > 0) {
      if (o.alone[1]) yield* out.put(row(o, null, two[j] ?? []));
      j++;
    } else {
      const k = key(one[i], 0);
      let end = j;
      while (end < two.length && key(two[end], 1) === k) end++;
      for (; i < one.length && key(one[i], 0) === k; i++)
        for (let n = j; n < end; n++) yield* out.put(row(o, one[i] ?? [], two[n] ?? []));
      j = end;
    }
    if ((i === one.length || j === two.length) && !o.alone[0] && !o.alone[1]) return;
  }
}

function row(o: Options, one: string[] | null, two: string[] | null): string {
  const sep = o.sep ?? " ";
  const [j1, j2] = o.by;
  const shared = one?.[j1] ?? two?.[j2] ?? "";
  if (o.list.length === 0) {
    const rest = [
      ...(one?.filter((_w, i) => i !== j1) ?? []),
      ...(two?.filter((_w, i) => i !== j2) ?? []),
    ];
    return `${[shared, ...rest].join(sep)}\n`;
  }
  const words = o.list.map(({ file, n }) => {
    const word = file === null ? shared : (file === 0 ? one : two)?.[n];
    return word === undefined || word === "" ? o.empty : word;
  });
  return `${words.join(sep)}\n`;
}
