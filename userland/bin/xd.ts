// xd: the bytes of files as numbers or characters, 16 a line. xd(1)
//
//	xd [-u] [-r] [-s] [-a{odx}] [-c|{b1w2l4v8}{odx}] ... file ...
//
// A format is a size, b or 1, w or 2, l or 4, v or 8 bytes, and a base, o, d or x; -c: characters; -R: runes.
// Several formats are lines of their own. -a: the base of addresses; -s: words of four bytes turned round; -r: a
// star for lines like the one before; -u: each line at once.

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Output } from "../lib/bio.ts";
import { fprint } from "../lib/io.ts";

const USAGE = "usage: xd [-u] [-r] [-s] [-a{odx}] [-c|{b1w2l4v8}{odx}] ... file ...\n";
const LINE = 16;
const MAXFORMATS = 9;

type Base = 8 | 10 | 16;
/** One way to print bytes: numbers of `size` bytes, or characters. */
type Format = { size: 1 | 2 | 4 | 8; base: Base; chars: "" | "ascii" | "runes" };

type Options = {
  readonly formats: Format[];
  readonly files: readonly string[];
  addr: Base;
  repeats: boolean;
  swizzle: boolean;
  flush: boolean;
};

const BASES: ReadonlyMap<string, Base> = new Map([
  ["o", 8],
  ["d", 10],
  ["x", 16],
]);
const SIZES: ReadonlyMap<string, Format["size"]> = new Map([
  ["b", 1],
  ["1", 1],
  ["w", 2],
  ["2", 2],
  ["l", 4],
  ["4", 4],
  ["v", 8],
  ["8", 8],
]);
/** Digits of a number, by its size. */
const DIGITS: Readonly<Record<Base, Readonly<Record<Format["size"], number>>>> = {
  8: { 1: 3, 2: 6, 4: 11, 8: 22 },
  10: { 1: 3, 2: 5, 4: 10, 8: 20 },
  16: { 1: 2, 2: 4, 4: 8, 8: 16 },
};

function options(argv: readonly string[]): Options | null {
  let i = 1;
  const o: Options = {
    formats: [],
    files: [],
    addr: 16,
    repeats: false,
    swizzle: false,
    flush: false,
  };
  for (; i < argv.length; i++) {
    const w = argv[i] ?? "";
    if (!w.startsWith("-") || w === "-") break;
    const opt = w.slice(1);
    if (opt === "r") o.repeats = true;
    else if (opt === "s") o.swizzle = true;
    else if (opt === "u") o.flush = true;
    else if (/^a[odx]$/.test(opt)) o.addr = BASES.get(opt.charAt(1)) ?? 16;
    else {
      const f = format(opt);
      if (f === null) return null;
      o.formats.push(f);
    }
  }
  if (o.formats.length === 0) o.formats.push({ size: 4, base: 16, chars: "" });
  return { ...o, files: argv.slice(i) };
}

function format(opt: string): Format | null {
  if (opt === "c") return { size: 1, base: 16, chars: "ascii" };
  if (opt === "R") return { size: 1, base: 16, chars: "runes" };
  const f: Format = { size: 4, base: 16, chars: "" };
  for (const c of opt) {
    const base = BASES.get(c);
    const size = SIZES.get(c);
    if (base !== undefined) f.base = base;
    else if (size !== undefined) f.size = size;
    else return null;
  }
  return f;
}

export default function* xd(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const o = options(argv);
  if (o === null) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  if (o.formats.length > MAXFORMATS) {
    yield* fprint(sys, 2, `xd: too many formats (max ${MAXFORMATS + 1})\n`);
    return "usage";
  }
  const out = new Output(sys);
  let status = "";
  for (const name of o.files.length > 0 ? o.files : [null]) {
    let fd = 0;
    try {
      if (name !== null) fd = yield* sys.open(name, OREAD);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* fprint(sys, 2, `xd: can't open ${name}\n`);
      status = "error";
      continue;
    }
    if (o.files.length > 1) yield* out.put(`${name}\n`);
    yield* dump(sys, o, fd, out);
    if (name !== null) yield* sys.close(fd);
  }
  yield* out.flush();
  return status;
}

function address(o: Options, addr: number, first: boolean): string {
  return `${addr.toString(o.addr).padStart(7, first ? "0" : " ")} `;
}

function* dump(sys: ThreadSys, o: Options, fd: number, out: Output): Task<void> {
  // More than a line is kept, for the rune that ends in the next.
  const buf = new Uint8Array(2 * LINE);
  let have = 0;
  let addr = 0;
  let before: Uint8Array | null = null;
  let star = false;
  let skip = 0;
  for (let eof = false; ;) {
    while (!eof && have < buf.length) {
      const got = yield* sys.read(fd, buf.subarray(have));
      eof = got === 0;
      have += got;
    }
    const n = Math.min(have, LINE);
    const line = new Uint8Array(2 * LINE);
    line.set(buf.subarray(0, have));
    if (o.swizzle) swizzle(line);
    const same = o.repeats && n === LINE && before !== null && equal(line, before);
    if (same) {
      if (!star) yield* out.put("*\n");
      star = true;
    } else {
      for (const [i, f] of o.formats.entries()) {
        const [text, over] =
          f.chars === "runes" ? runes(line.subarray(0, have), n, skip) : [items(f, line, n), skip];
        skip = over;
        yield* out.put(`${address(o, addr, i === 0)}${text}\n`);
        if (o.flush) yield* out.flush();
      }
      star = false;
    }
    before = line.slice(0, LINE);
    addr += n;
    if (n < LINE) {
      yield* out.put(`${address(o, addr, true)}\n`);
      return;
    }
    buf.copyWithin(0, n, have);
    have -= n;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < LINE; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Turns each word of four bytes of a line round. */
function swizzle(line: Uint8Array): void {
  for (let i = 0; i < LINE; i += 4) line.subarray(i, i + 4).reverse();
}

function items(f: Format, line: Uint8Array, n: number): string {
  let text = "";
  for (let i = 0; i < n; i += f.size) {
    if (f.chars !== "") {
      text += character(line[i] ?? 0);
      continue;
    }
    let v = 0n;
    for (let k = 0; k < f.size; k++) v = (v << 8n) | BigInt(line[i + k] ?? 0);
    text += ` ${v.toString(f.base).padStart(DIGITS[f.base][f.size], "0")}`;
  }
  return text;
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0d, "\\r"],
]);

function character(c: number): string {
  const escape = ESCAPES.get(c);
  if (escape !== undefined) return ` ${escape}`;
  if (c < 0x20 || c >= 0x7f) return ` ${c.toString(16).padStart(2, "0")}`;
  return `  ${String.fromCodePoint(c)}`;
}

/** A line of runes, each in the place of its first byte, and how many bytes it takes of the next line. */
function runes(line: Uint8Array, n: number, skip: number): readonly [string, number] {
  let text = " ".repeat(3 * skip);
  let i = skip;
  while (i < n) {
    const b = line[i] ?? 0;
    const width = b < 0xc0 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    const rune = utfdecode(line, i, Math.min(i + width, line.length));
    if (width === 1 || i + width > line.length || rune.length > 2 || /[\udc80-\udcff]/.test(rune)) {
      text += character(b);
      i++;
      continue;
    }
    text += ` ${rune.padStart(2)}`.padEnd(3) + " ".repeat(3 * (Math.min(width, n - i) - 1));
    i += width;
  }
  return [text, i > n ? i - n : 0];
}
