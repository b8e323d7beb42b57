// file: says what files hold, from how they begin. file(1)

import { DMDIR, OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfdecode, utflen } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, print } from "../lib/io.ts";
import { getenv } from "../lib/proc.ts";

/** Bytes that are looked at. */
const NBUF = 6001;
/** How the files of programs begin here. */
const PROGRAM = "\0namec\0";

/** First bytes and what they mean. */
const MAGIC: readonly (readonly [start: string, what: string])[] = [
  ["%!", "postscript"],
  ["%PDF", "PDF"],
  ["GIF", "GIF image"],
  ["\x89PNG", "PNG image"],
  ["\xff\xd8\xff", "jpeg"],
  ["\x1f\x8b", "gzip compressed"],
  ["BZh", "bzip2 compressed"],
  ["PK\x03\x04", "zip archive"],
  ["!<arch>\n", "archive"],
  ["\x7fELF", "ELF executable"],
  ["x T utf", "troff output for UTF"],
  ["<html>", "HTML file"],
  ["<HTML>", "HTML file"],
  ["<!DOCTYPE", "HTML file"],
  ["<?xml", "HTML file"],
  ["From ", "mail box"],
];

export default function* file(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "m");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "usage: file [-m] [file...]\n");
    return "usage";
  }
  const cputype = (yield* getenv(sys, "cputype")) ?? "386";
  if (a.rest.length === 0) {
    yield* print(sys, `stdin: ${yield* descriptor(sys, 0, cputype)}\n`);
    return;
  }
  const width = Math.max(...a.rest.map((n) => n.length));
  for (const name of a.rest) {
    const what = yield* named(sys, name, cputype);
    yield* print(sys, `${`${name}:`.padEnd(width + 1)} ${what}\n`);
  }
}

function* named(sys: ThreadSys, name: string, cputype: string): Task<string> {
  try {
    const d = yield* sys.stat(name);
    if ((d.mode & DMDIR) !== 0) return "directory";
    const fd = yield* sys.open(name, OREAD);
    try {
      return yield* descriptor(sys, fd, cputype);
    } finally {
      yield* sys.close(fd);
    }
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return `cannot open: ${e.message}`;
  }
}

function* descriptor(sys: ThreadSys, fd: number, cputype: string): Task<string> {
  const buf = new Uint8Array(NBUF);
  const n = yield* sys.read(fd, buf);
  return what(buf.subarray(0, n), cputype);
}

/** The kind of a file, by its first bytes. */
function what(bytes: Uint8Array, cputype: string): string {
  if (bytes.length === 0) return "empty file";
  const start = String.fromCodePoint(...bytes.subarray(0, 32));
  if (start.startsWith(PROGRAM)) return `${cputype} plan 9 executable`;
  if (start.startsWith("#!")) {
    const [, interpreter = ""] = /^#!\s*(\S*)/.exec(start) ?? [];
    return `${interpreter.slice(interpreter.lastIndexOf("/") + 1)} executable file`;
  }
  for (const [magic, name] of MAGIC) if (start.startsWith(magic)) return name;
  return text(bytes);
}

type Guess = "Ascii" | "extended ascii" | "latin ascii" | "UTF text" | null;

function guess(s: string): Guess {
  let best: Guess = "Ascii";
  for (const ch of s) {
    const c = ch.codePointAt(0) ?? 0;
    if (c >= 0xdc80 && c <= 0xdcff) return null;
    if (c < 0x20 && !"\b\t\n\f\r\v".includes(ch)) return null;
    if (c > 0xff) best = "UTF text";
    else if (c >= 0xa0 && best === "Ascii") best = "latin ascii";
    else if (c >= 0x80 && best === "Ascii") best = "extended ascii";
  }
  return best;
}

function text(bytes: Uint8Array): string {
  const s = utfdecode(bytes, 0, bytes.length);
  const kind = guess(s);
  if (kind === null) return "unknown binary file";
  if (isc(s)) return "c program";
  if (kind === "Ascii" && isenglish(s)) return "English text";
  const short = utflen(s) < 100 ? "short " : "";
  return `${short}${kind}`;
}

const count = (s: string, re: RegExp): number => s.match(re)?.length ?? 0;

/** Whether a text is C: it includes two files, or has many words and semicolons of C. */
function isc(s: string): boolean {
  if (count(s, /^#\s*include\s*[<"].*\.h[>"]/gm) >= 2) return true;
  const words = count(
    s,
    /\b(auto|break|case|char|continue|default|do|double|else|enum|extern|float|for|goto|if|int|long|register|return|short|sizeof|static|struct|switch|typedef|uchar|ulong|union|unsigned|ushort|void|while)\b/g,
  );
  const semicolons = count(s, /;/g);
  return (
    (words >= 5 && semicolons >= 5) || (words >= 1 && semicolons >= 10 && count(s, /[=]/g) >= 10)
  );
}

/** Whether a text is English: its letters are as frequent as in English, and blanks follow its punctuation. */
function isenglish(s: string): boolean {
  const bad = count(s, /[.,)%;:?](?![ \n]|$)/g);
  if (bad * 5 > count(s, /[.,)%;:?]/g)) return false;
  const e = count(s, /e/g);
  if (count(s, /[<>/]/g) > e || 2 * count(s, /;/g) > e) return false;
  const vowels = count(s, /[aeiou]/gi);
  return (
    vowels * 5 >= utflen(s) - count(s, / /g) &&
    count(s, /[etaion]/gi) >= 10 * count(s, /[vjkqxz]/gi)
  );
}
