// grep: the lines that a pattern matches. grep(1)
//
//	grep [-bchiLlnsv] [-e pattern] [-f patternfile] [file ...]
//
// -c: how many; -n: with numbers; -v: those that do not match; -i: capital letters are like small ones; -l, -L:
// the files that have such lines, or have none; -h: no names; -s: nothing but the status; -b: each line at once.

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Linereader, Output } from "../lib/bio.ts";
import { fprint, readtext } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";
import { Regexp, Regexperror } from "../lib/regexp.ts";

const USAGE = "usage: grep [-bchiLlnsv] [-e pattern] [-f patternfile] [file ...]\n";

type Given = {
  readonly flags: ReadonlySet<string>;
  readonly patterns: readonly (readonly [kind: "e" | "f", text: string])[];
  readonly rest: readonly string[];
};

function given(argv: readonly string[]): Given | null {
  const flags = new Set<string>();
  const patterns: (readonly ["e" | "f", string])[] = [];
  let i = 1;
  for (; i < argv.length; i++) {
    const w = argv[i] ?? "";
    if (!w.startsWith("-") || w === "-") break;
    if (w === "--") {
      i++;
      break;
    }
    for (let j = 1; j < w.length; j++) {
      const c = w.charAt(j);
      if (c === "e" || c === "f") {
        const value = w.slice(j + 1) || argv[++i];
        if (value === undefined) return null;
        patterns.push([c, value]);
        break;
      }
      if (!"bchiLlnsv".includes(c)) return null;
      flags.add(c);
    }
  }
  return { flags, patterns, rest: argv.slice(i) };
}

export default function* grep(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const g = given(argv);
  if (g === null || (g.patterns.length === 0 && g.rest.length === 0)) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  const files = g.patterns.length === 0 ? g.rest.slice(1) : g.rest;
  const texts: Pattern[] = g.patterns.length === 0 ? [{ text: g.rest[0] ?? "", file: null }] : [];
  for (const [kind, text] of g.patterns) {
    if (kind === "e") {
      texts.push({ text, file: null });
      continue;
    }
    try {
      texts.push({ text: (yield* readtext(sys, text)).replace(/\n$/, ""), file: text });
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "grep", `can't open ${text}: ${e.message}`);
      return "open";
    }
  }
  const re = compile(texts, g.flags.has("i"));
  if (typeof re === "string") {
    yield* warn(sys, "grep", re);
    return "syntax";
  }
  return yield* search(sys, g, re, files);
}

/** Patterns, and what stands before a complaint about them: the text itself, or its file. */
type Pattern = { readonly text: string; readonly file: string | null };

/** A star at the beginning means that the rest is no expression. */
const literal = (line: string): string =>
  line.length > 1 && line.startsWith("*")
    ? line.slice(1).replaceAll(/[\\[\]()*+?|^$.]/g, "\\$&")
    : line;

/** The expression of all patterns, each line of them an alternative; or what is wrong. */
function compile(patterns: readonly Pattern[], fold: boolean): Regexp | string {
  const lines: string[] = [];
  for (const { text, file } of patterns) {
    for (const [i, line] of text.split("\n").entries()) {
      const who = file === null ? text : `${file}:${i + 1}`;
      if (line === "" && text.trim() !== "") continue;
      if (line === "" || line === "[") return `${who}: empty pattern`;
      try {
        void new Regexp(literal(line));
      } catch (e) {
        if (!(e instanceof Regexperror)) throw e;
        return `${who}: syntax error`;
      }
      lines.push(literal(line));
    }
  }
  const whole = lines.length === 1 ? (lines[0] ?? "") : lines.map((l) => `(${l})`).join("|");
  return new Regexp(fold ? whole.toLowerCase() : whole);
}

function* search(
  sys: ThreadSys,
  { flags }: Given,
  re: Regexp,
  files: readonly string[],
): Task<Exit> {
  const out = new Output(sys);
  const named = files.length > 1 && !flags.has("h");
  let found = false;
  for (const file of files.length > 0 ? files : [null]) {
    let fd = 0;
    try {
      if (file !== null) fd = yield* sys.open(file, OREAD);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "grep", `can't open ${file}: ${e.message}`);
      continue;
    }
    const prefix = named && file !== null ? `${file}:` : "";
    const n = yield* lines(sys, { fd, re, flags, prefix, out });
    if (n > 0) found = true;
    if (file !== null) yield* sys.close(fd);
    if (flags.has("s")) {
      if (found) return;
      continue;
    }
    if (flags.has("c")) yield* out.put(`${prefix}${n}\n`);
    else if (flags.has("l") || flags.has("L")) {
      if (n > 0 === flags.has("l")) yield* out.put(`${file ?? "stdin"}\n`);
    }
  }
  yield* out.flush();
  if (!found) return "no matches";
}

type Search = {
  readonly fd: number;
  readonly re: Regexp;
  readonly flags: ReadonlySet<string>;
  readonly prefix: string;
  readonly out: Output;
};

/** How many lines of a file match; prints them where they are wanted. */
function* lines(sys: ThreadSys, { fd, re, flags, prefix, out }: Search): Task<number> {
  const input = new Linereader(sys, fd);
  const silent = ["c", "l", "L", "s"].some((f) => flags.has(f));
  const once = ["l", "L", "s"].some((f) => flags.has(f));
  const fold = flags.has("i");
  const not = flags.has("v");
  let n = 0;
  let number = 0;
  for (let line = yield* input.line(); line !== null; line = yield* input.line()) {
    number++;
    if (re.test(fold ? line.toLowerCase() : line) === not) continue;
    n++;
    if (once) break;
    if (silent) continue;
    // A last line without a newline stays so, but where a file's name stands before it.
    const end = input.whole || prefix !== "" ? "\n" : "";
    yield* out.put(`${prefix}${flags.has("n") ? `${number}: ` : ""}${line}${end}`);
    if (flags.has("b")) yield* out.flush();
  }
  return n;
}
