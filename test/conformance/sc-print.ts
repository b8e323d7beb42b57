// How sc prints: what Plan 9's print(2) makes of strings that are no UTF-8, and directory entries in the
// form that the recorded transcripts have.

import { DMAPPEND, DMAUTH, DMDIR, DMEXCL, DMMOUNT, DMTMP } from "../../kernel/abi/const.ts";
import { type Dir, convM2D } from "../../kernel/abi/dir.ts";
import { quote } from "../../kernel/abi/elems.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import { get16 } from "../../kernel/abi/bits.ts";

/** The longest rune of the recorded systems, in bytes. */
const UTFMAX = 3;

/** Bytes that pesc shows. */
const SHOWN = 600;

/**
 * %s. A rune at a time: bytes that are none become U+FFFD, and where the last of them might be the
 * beginning of a rune, print stops. (A surrogate is a rune like any other to it.)
 */
export function percents(s: string): string {
  const from = utfencode(s);
  const to: number[] = [];
  for (let i = 0; i < from.length;) {
    const b = from[i] ?? 0;
    const left = from.length - i;
    if (b >= 0x80 && left < UTFMAX && !(left > 1 && b < 0xe0)) break;
    const n = runelen(from, i);
    if (n > 0) to.push(...from.subarray(i, i + n));
    else to.push(0xef, 0xbf, 0xbd);
    i += n > 0 ? n : 1;
  }
  return utfdecode(Uint8Array.from(to), 0, to.length);
}

/** Bytes of the rune at i, 0 if there is none. */
function runelen(b: Uint8Array, i: number): number {
  const [c, c1, c2] = [b[i] ?? 0, (b[i + 1] ?? 0) ^ 0x80, (b[i + 2] ?? 0) ^ 0x80];
  if (c < 0x80) return 1;
  if (c < 0xc0 || c > 0xef || c1 > 0x3f) return 0;
  if (c < 0xe0) return c > 0xc1 ? 2 : 0;
  return c2 <= 0x3f && (c > 0xe0 || c1 > 0x1f) ? 3 : 0;
}

/** %q: in quotes where it must be. */
export const percentq = (s: string): string => percents(quote(s));

/** Bytes between double quotes. A byte that is no ASCII is half a rune to print, which shows nothing. */
export function pesc(bytes: Uint8Array): string {
  let s = "";
  for (const b of bytes.subarray(0, SHOWN)) {
    if (b === 0x0a) s += "\\n";
    else if (b === 0x22) s += '\\"';
    else if (b < 0x20 || b === 0x7f) s += `\\x${b.toString(16).padStart(2, "0")}`;
    else if (b < 0x80) s += String.fromCharCode(b);
  }
  const more = bytes.length > SHOWN ? `...+${bytes.length - SHOWN}` : "";
  return `"${s}${more}"`;
}

function modes(m: number): string {
  const flag = (bit: number, c: string, none = ""): string => ((m & bit) === 0 ? none : c);
  const perm = (m & 0o777).toString(8).padStart(3, "0");
  const kind = flag(DMDIR, "d", "-") + flag(DMAPPEND, "a", "-") + flag(DMEXCL, "l", "-");
  return kind + perm + flag(DMTMP, "t") + flag(DMMOUNT, "M") + flag(DMAUTH, "A");
}

/** A directory entry on a line of its own. */
export function pdir(d: Dir): string {
  const mode = d.mode >>> 0;
  const qid = `(${d.qid.path.toString(16)} ${d.qid.vers} ${d.qid.type.toString(16)})`;
  const type = d.type >= 0x20 ? String.fromCodePoint(d.type) : "?";
  const times = (d.atime === 0 ? " atime=0" : "") + (d.mtime === 0 ? " mtime=0" : "");
  return (
    `  name=${percentq(d.name)} uid=${percentq(d.uid)} gid=${percentq(d.gid)} muid=${percentq(d.muid)}` +
    ` mode=${modes(mode)}(0x${mode.toString(16)}) qid=${qid} len=${d.length}` +
    ` type=${type}(0x${d.type.toString(16)}) dev=${d.dev}${times}\n`
  );
}

/** What stat(2) put into a buffer. */
export function dumpstat(bytes: Uint8Array): string {
  const e = convM2D(bytes, 0, bytes.length);
  return e === null ? `  convM2D failed n=${bytes.length}\n` : pdir(e.dir);
}

/** The names and sizes of the entries that one read gave. */
export function names(bytes: Uint8Array): string {
  const list: string[] = [];
  for (let i = 0; i + 2 <= bytes.length;) {
    const n = 2 + get16(bytes, i);
    const e = convM2D(bytes, i, i + n);
    if (e === null) return `  [${list.join(" ")} BAD]\n`;
    list.push(`${percentq(e.dir.name)}:${n}`);
    i += n;
  }
  return `  [${list.join(" ")}]\n`;
}

/** The entries of a directory, or null if these bytes are none. */
export function entries(bytes: Uint8Array): Dir[] | null {
  const list: Dir[] = [];
  for (let i = 0; i < bytes.length;) {
    const e = convM2D(bytes, i, bytes.length);
    if (e === null) return null;
    list.push(e.dir);
    i = e.next;
  }
  return list;
}
