// Patterns: a word against a pattern, and the names of files that a pattern stands for.
//
// In a pattern * is any text, ? any character, [a-z] one of these and [~a-z] none of them. A file's name that
// begins with . is like any other, but . and .. themselves are never found.

import { OREAD } from "../../../kernel/abi/const.ts";
import type { Dir } from "../../../kernel/abi/dir.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { dirread, dirstat } from "../dirread.ts";
import { GLOB, bytewise, deglob } from "./word.ts";

const ISDIR = 0x80;

/** One piece of a pattern: a character, any text, any character, or a class. */
type Piece =
  | { readonly type: "char"; readonly c: string }
  | { readonly type: "star" | "any" | "never" }
  | {
      readonly type: "class";
      readonly not: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    };

const code = (c: string): number => c.codePointAt(0) ?? 0;

function pieces(pattern: string): Piece[] {
  const chars = Array.from(pattern);
  const list: Piece[] = [];
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i] ?? "";
    if (c !== GLOB) {
      list.push({ type: "char", c });
      continue;
    }
    const meta = chars[++i];
    if (meta === "*") list.push({ type: "star" });
    else if (meta === "?") list.push({ type: "any" });
    else if (meta === "[") {
      const end = charclass(chars, i + 1, list);
      if (end < 0) return [...list, { type: "never" }];
      i = end;
    } else if (meta !== undefined) list.push({ type: "char", c: meta });
  }
  return list;
}

/** Reads a class that begins at i; gives where its bracket is, or -1 when there is none. */
function charclass(chars: readonly string[], start: number, list: Piece[]): number {
  let i = start;
  const not = chars[i] === "~";
  if (not) i++;
  const ranges: (readonly [number, number])[] = [];
  for (; chars[i] !== "]"; i++) {
    const lo = chars[i];
    if (lo === undefined) return -1;
    if (chars[i + 1] !== "-") {
      ranges.push([code(lo), code(lo)]);
      continue;
    }
    const hi = chars[i + 2];
    if (hi === undefined) return -1;
    i += 2;
    ranges.push(code(lo) <= code(hi) ? [code(lo), code(hi)] : [code(hi), code(lo)]);
  }
  list.push({ type: "class", not, ranges });
  return i;
}

function matches1(p: Piece, c: string): boolean {
  switch (p.type) {
    case "char":
      return p.c === c;
    case "any":
      return true;
    case "class":
      return p.ranges.some(([lo, hi]) => lo <= code(c) && code(c) <= hi) !== p.not;
    default:
      return false;
  }
}

/** Goes back to the last star only, so the time is at most the product of the lengths. */
function matchpieces(subject: readonly string[], list: readonly Piece[]): boolean {
  let s = 0;
  let p = 0;
  let star = -1;
  let mark = 0;
  while (s < subject.length) {
    const piece = list[p];
    if (piece?.type === "star") {
      star = p++;
      mark = s;
    } else if (piece !== undefined && matches1(piece, subject[s] ?? "")) {
      s++;
      p++;
    } else if (star >= 0) {
      p = star + 1;
      s = ++mark;
    } else return false;
  }
  while (list[p]?.type === "star") p++;
  return p === list.length;
}

/** Whether the whole of subject is what the pattern, a word with marks, describes. */
export function match(subject: string, pattern: string): boolean {
  if (!pattern.includes(GLOB)) return subject === pattern;
  return matchpieces(Array.from(subject), pieces(pattern));
}

/** The files that each word with a pattern stands for; the word itself, without marks, where there are none. */
export function* glob(sys: ThreadSys, words: readonly string[]): Task<string[]> {
  const all: string[] = [];
  for (const word of words) {
    const found = word.includes(GLOB) ? yield* files(sys, word) : [];
    if (found.length === 0) all.push(deglob(word));
    else for (const name of found.toSorted(bytewise)) all.push(name);
  }
  return all;
}

/** The names of the files that a pattern stands for. */
function* files(sys: ThreadSys, pattern: string): Task<string[]> {
  const found: string[] = [];
  // Directories still to look into: a name as far as it is known, and the rest of the pattern.
  const todo: (readonly [name: string, rest: string])[] = [["", pattern]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [name, rest] = next;
    if (rest === "") {
      found.push(name);
      continue;
    }
    const mark = rest.indexOf(GLOB);
    if (mark < 0) {
      if ((yield* dirstat(sys, name + rest)) !== null) found.push(name + rest);
      continue;
    }
    const start = rest.lastIndexOf("/", mark) + 1;
    const slash = rest.indexOf("/", mark);
    const end = slash < 0 ? rest.length : slash;
    const dir = name + rest.slice(0, start);
    const elem = rest.slice(start, end);
    const list = pieces(elem);
    for (const d of yield* entries(sys, dir === "" ? "." : dir)) {
      if (slash >= 0 && (d.qid.type & ISDIR) === 0) continue;
      if ((d.name === "." || d.name === "..") && !elem.startsWith(".")) continue;
      if (matchpieces(Array.from(d.name), list)) todo.push([dir + d.name, rest.slice(end)]);
    }
  }
  return found;
}

/** What is in a directory; nothing where it cannot be read. */
function* entries(sys: ThreadSys, name: string): Task<Dir[]> {
  const all: Dir[] = [];
  try {
    const fd = yield* sys.open(name, OREAD);
    try {
      for (;;) {
        const some = yield* dirread(sys, fd);
        if (some.length === 0) return all;
        for (const d of some) all.push(d);
      }
    } finally {
      yield* sys.close(fd);
    }
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return all;
  }
}
