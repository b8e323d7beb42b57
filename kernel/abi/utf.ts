// UTF-8, our own, since the kernel knows no host. Plan 9 names are bytes, and a string here carries any bytes there and
// back. A byte that is no part of valid UTF-8 becomes the lone surrogate U+DC00 + byte, and again that byte when
// encoded. The bytes of overlong forms and of encoded surrogates are invalid, too. Another lone surrogate encodes as
// U+FFFD, EF BF BD.
//
//	utfdecode(61 ff 62)  →  "a\udcffb"  →  utfencode: 61 ff 62

import { get16, put16 } from "./bits.ts";
import { STRMAX } from "./const.ts";

const fromunits = String.fromCharCode;

// Names repeat: a direct-mapped table of short ASCII strings spares making them again, and keeps
// the hash that a Map lookup of the name needs. It never holds more than NSLOT short strings.
const NSLOT = 1024;
const SLOTMAX = 24;
const slots: string[] = Array.from({ length: NSLOT }, () => "");

const NUNIT = 1024;
const units = new Uint16Array(NUNIT + 1);

/** The number of bytes that s takes. */
export function utflen(s: string): number {
  const n = s.length;
  let len = n;
  for (let i = 0; i < n; i++) {
    const c = s.charCodeAt(i);
    if (c < 0x80) continue;
    if (c < 0x800) len++;
    else if (c < 0xd800 || c > 0xdfff) len += 2;
    else if (ispair(s, i)) {
      len += 2;
      i++;
    } else if (!isescape(c)) len += 2;
  }
  return len;
}

/** The longest beginning of s that takes at most n bytes; no character is cut in two. */
export function utfcut(s: string, n: number): string {
  if (s.length * 3 <= n || utflen(s) <= n) return s;
  let len = 0;
  let i = 0;
  for (;;) {
    const next = i + (ispair(s, i) ? 2 : 1);
    len += utflen(s.slice(i, next));
    if (len > n) return s.slice(0, i);
    i = next;
  }
}

/** The bytes of s. */
export function utfencode(s: string): Uint8Array {
  const buf = new Uint8Array(utflen(s));
  utfput(s, buf, 0);
  return buf;
}

/** Writes the bytes of s at off and returns the offset behind them; what is past buf's end is lost. */
export function utfput(s: string, buf: Uint8Array, off: number): number {
  let o = off;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c < 0x80) buf[o++] = c;
    else if (c < 0x800) {
      buf[o++] = 0xc0 | (c >> 6);
      buf[o++] = 0x80 | (c & 0x3f);
    } else if (isescape(c)) buf[o++] = c & 0xff;
    else if (ispair(s, i)) {
      const r = 0x10000 + ((c & 0x3ff) << 10) + (s.charCodeAt(++i) & 0x3ff);
      buf[o++] = 0xf0 | (r >> 18);
      buf[o++] = 0x80 | ((r >> 12) & 0x3f);
      buf[o++] = 0x80 | ((r >> 6) & 0x3f);
      buf[o++] = 0x80 | (r & 0x3f);
    } else {
      const r = c >= 0xd800 && c <= 0xdfff ? 0xfffd : c;
      buf[o++] = 0xe0 | (r >> 12);
      buf[o++] = 0x80 | ((r >> 6) & 0x3f);
      buf[o++] = 0x80 | (r & 0x3f);
    }
  }
  return o;
}

/** The string of the bytes in [start, end), which must lie in buf. Never fails. */
export function utfdecode(buf: Uint8Array, start: number, end: number): string {
  const n = end - start;
  if (n === 0 || n > SLOTMAX) return text(buf, start, end);
  const slot = slotof(buf, start, n);
  const s = slots[slot] as string;
  if (same(s, buf, start, n)) return s;
  const t = text(buf, start, end);
  if (t.length === n) slots[slot] = t;
  return t;
}

/** A slot from four of the n bytes and n: the rest is compared anyway. */
function slotof(buf: Uint8Array, start: number, n: number): number {
  const a = buf[start] as number;
  const b = buf[start + (n >> 1)] as number;
  const c = buf[start + ((3 * n) >> 2)] as number;
  const d = buf[start + n - 1] as number;
  return (((a * 31 + b) * 31 + c) * 31 + d + n) & (NSLOT - 1);
}

function same(s: string, buf: Uint8Array, start: number, n: number): boolean {
  if (s.length !== n) return false;
  for (let i = 0; i < n; i++) if (s.charCodeAt(i) !== buf[start + i]) return false;
  return true;
}

/** Decodes without the table: ASCII eight bytes at a step, which is what the engine does fastest. */
function text(buf: Uint8Array, start: number, end: number): string {
  let s = "";
  let o = start;
  for (; o + 8 <= end; o += 8) {
    const a = buf[o] as number;
    const b = buf[o + 1] as number;
    const c = buf[o + 2] as number;
    const d = buf[o + 3] as number;
    const e = buf[o + 4] as number;
    const f = buf[o + 5] as number;
    const g = buf[o + 6] as number;
    const h = buf[o + 7] as number;
    if ((a | b | c | d | e | f | g | h) >= 0x80) return s + runes(buf, o, end);
    s += fromunits(a, b, c, d, e, f, g, h);
  }
  for (; o + 4 <= end; o += 4) {
    const a = buf[o] as number;
    const b = buf[o + 1] as number;
    const c = buf[o + 2] as number;
    const d = buf[o + 3] as number;
    if ((a | b | c | d) >= 0x80) break;
    s += fromunits(a, b, c, d);
  }
  for (; o < end; o++) {
    const c = buf[o] as number;
    if (c >= 0x80) return s + runes(buf, o, end);
    s += fromunits(c);
  }
  return s;
}

/** Decodes anything, through a buffer of UTF-16 units. */
function runes(buf: Uint8Array, start: number, end: number): string {
  let s = "";
  let n = 0;
  for (let o = start; o < end;) {
    const c = buf[o] as number;
    const r = c < 0x80 ? c : rune(buf, o, end);
    if (r < 0) {
      units[n++] = 0xdc00 + c;
      o++;
    } else if (r < 0x10000) {
      units[n++] = r;
      o += r < 0x80 ? 1 : r < 0x800 ? 2 : 3;
    } else {
      units[n++] = 0xd7c0 + (r >> 10);
      units[n++] = 0xdc00 + (r & 0x3ff);
      o += 4;
    }
    if (n >= NUNIT) {
      s += unitstring(n);
      n = 0;
    }
  }
  return s + unitstring(n);
}

function unitstring(n: number): string {
  if (n > 32) {
    const t: string = Reflect.apply(fromunits, undefined, units.subarray(0, n));
    return t;
  }
  let s = "";
  for (let i = 0; i < n; i++) s += fromunits(units[i] as number);
  return s;
}

/** The code point of the valid sequence of two bytes or more at o, or -1. */
function rune(buf: Uint8Array, o: number, end: number): number {
  const c = buf[o] as number;
  if (c < 0xc2 || c > 0xf4 || o + 1 >= end) return -1;
  const c1 = (buf[o + 1] as number) ^ 0x80;
  if (c1 > 0x3f) return -1;
  if (c < 0xe0) return ((c & 0x1f) << 6) | c1;
  if (o + 2 >= end) return -1;
  const c2 = (buf[o + 2] as number) ^ 0x80;
  if (c2 > 0x3f) return -1;
  if (c < 0xf0) {
    const r = ((c & 0xf) << 12) | (c1 << 6) | c2;
    return r < 0x800 || (r >= 0xd800 && r <= 0xdfff) ? -1 : r;
  }
  if (o + 3 >= end) return -1;
  const c3 = (buf[o + 3] as number) ^ 0x80;
  if (c3 > 0x3f) return -1;
  const r = ((c & 7) << 18) | (c1 << 12) | (c2 << 6) | c3;
  return r < 0x10000 || r > 0x10ffff ? -1 : r;
}

/** Whether the unit stands for a byte that was not UTF-8: read from the left, so no half of a pair. */
function isescape(c: number): boolean {
  return c >= 0xdc80 && c <= 0xdcff;
}

function ispair(s: string, i: number): boolean {
  const c = s.charCodeAt(i);
  if (c < 0xd800 || c > 0xdbff) return false;
  const d = s.charCodeAt(i + 1); // NaN at the end of s
  return d >= 0xdc00 && d <= 0xdfff;
}

// A string on the wire is the length of its UTF-8, in 16 bits, and that.

/** The offset behind the string at o, or -1 if it reaches past end; -1 for an o of -1. */
export function strend(buf: Uint8Array, o: number, end: number): number {
  if (o < 0 || o + 2 > end) return -1;
  const next = o + 2 + get16(buf, o);
  return next <= end ? next : -1;
}

/** Writes a string and returns the offset behind it, which is past buf's end if it is too long. */
export function putstr(buf: Uint8Array, o: number, s: string): number {
  const next = utfput(s, buf, o + 2);
  const n = next - o - 2;
  if (n > STRMAX) return buf.length + 1;
  put16(buf, o, n);
  return next;
}
