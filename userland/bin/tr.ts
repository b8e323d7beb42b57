// tr: characters in place of others. tr(1)
//
//	tr [-cds] [string1 [string2]]
//
// -d: those of string1 go away; -s: of a run of the same in string2 one stays; -c: string1 is all others. In both,
// a-z is a range, \012 and \x263a are characters by number.

import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, writeall } from "../lib/io.ts";
import { sysfatal } from "../lib/proc.ts";

/** The characters of a string, by code; what is wrong with it. */
function characters(spec: string): number[] | string {
  const out: number[] = [];
  const chars = Array.from(spec, (c) => c.codePointAt(0) ?? 0);
  let i = 0;
  const one = (): number | null => {
    const c = chars[i++] ?? 0;
    if (c !== 0x5c || i >= chars.length) return c;
    const rest = String.fromCodePoint(...chars.slice(i, i + 5));
    const hex = /^x([0-9a-fA-F]{1,4})/.exec(rest)?.[1];
    if (hex !== undefined) {
      i += 1 + hex.length;
      return Number.parseInt(hex, 16);
    }
    const octal = /^[0-7]{1,3}/.exec(rest)?.[0];
    if (octal === undefined) return chars[i++] ?? 0;
    i += octal.length;
    const n = Number.parseInt(octal, 8);
    return n > 0o377 ? null : n;
  };
  while (i < chars.length) {
    const last = out.at(-1);
    const range = chars[i] === 0x2d && last !== undefined && i + 1 < chars.length;
    if (range) i++;
    const c = one();
    if (c === null) return "character > 0377";
    if (!range) out.push(c);
    else if (c < last) return "invalid range specification";
    else for (let n = last + 1; n <= c; n++) out.push(n);
  }
  return out;
}

/** What becomes of a character: another, or null to leave it out. */
type Map1 = (c: number) => number | null;

/** For -c: the characters that are not in string1, in order, become those of string2. */
function complement(from: readonly number[], to: readonly number[]): Map1 {
  const keep = new Set(from);
  const high = Math.max(0, ...from, ...to);
  const table = new Map<number, number>();
  let n = 0;
  for (let c = 0; c <= high; c++)
    if (!keep.has(c)) table.set(c, to[Math.min(n++, to.length - 1)] ?? 0);
  return (c) => (keep.has(c) ? c : (table.get(c) ?? to.at(-1) ?? 0));
}

function translate(from: readonly number[], to: readonly number[]): Map1 | string {
  const table = new Map<number, number>();
  for (const [i, c] of from.entries()) {
    const t = to[Math.min(i, to.length - 1)] ?? 0;
    if ((table.get(c) ?? t) !== t) return "ambiguous translation";
    table.set(c, t);
  }
  return (c) => table.get(c) ?? c;
}

export default function* tr(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "cds");
  const [c, d, s] = ["c", "d", "s"].map((f) => a.flags.has(f));
  const n = a.rest.length;
  if (a.bad !== null || n !== (d === true && s !== true ? 1 : 2)) {
    yield* fprint(sys, 2, "usage: tr [-cds] [string1 [string2]]\n");
    return "usage";
  }
  const from = characters(a.rest[0] ?? "");
  const to = characters(a.rest[1] ?? "");
  if (typeof from === "string") return yield* sysfatal(sys, "tr", from);
  if (typeof to === "string") return yield* sysfatal(sys, "tr", to);
  const gone = new Set(from);
  const map =
    d === true
      ? (x: number) => (gone.has(x) === (c !== true) ? null : x)
      : c === true
        ? complement(from, to)
        : translate(from, to);
  if (typeof map === "string") return yield* sysfatal(sys, "tr", map);
  yield* copy(sys, map, new Set(s === true ? to : []));
}

/** Copies descriptor 0 to 1; of a run of one that is in `squeeze` one stays. */
function* copy(sys: ThreadSys, map: Map1, squeeze: ReadonlySet<number>): Task<void> {
  const buf = new Uint8Array(8192);
  let left = 0;
  let last = -1;
  for (;;) {
    const got = yield* sys.read(0, buf.subarray(left));
    const n = left + got;
    if (n === 0) return;
    const end = got === 0 ? n : whole(buf, n);
    let out = "";
    for (const ch of utfdecode(buf, 0, end)) {
      const c = map(ch.codePointAt(0) ?? 0);
      if (c === null || (c === last && squeeze.has(c))) continue;
      out += String.fromCodePoint(c);
      last = c;
    }
    if (out !== "") yield* writeall(sys, 1, utfencode(out));
    if (got === 0) return;
    buf.copyWithin(0, end, n);
    left = n - end;
  }
}

/** How many of n bytes are before a last character that is not complete. */
function whole(buf: Uint8Array, n: number): number {
  for (let back = 1; back <= 3 && back <= n; back++) {
    const b = buf[n - back] ?? 0;
    if ((b & 0xc0) === 0x80) continue;
    return (b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1) > back ? n - back : n;
  }
  return n;
}
