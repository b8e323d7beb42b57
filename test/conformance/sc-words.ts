// The words of a script of system calls: escapes, flags and numbers, as sc reads them.

import * as c from "../../kernel/abi/const.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";

/** Names that a number may be made of: OREAD|OCEXEC. */
const FLAGS: Readonly<Record<string, number>> = {
  OREAD: c.OREAD,
  OWRITE: c.OWRITE,
  ORDWR: c.ORDWR,
  OEXEC: c.OEXEC,
  OTRUNC: c.OTRUNC,
  OCEXEC: c.OCEXEC,
  ORCLOSE: c.ORCLOSE,
  OEXCL: c.OEXCL,
  DMDIR: c.DMDIR,
  DMAPPEND: c.DMAPPEND,
  DMEXCL: c.DMEXCL,
  DMMOUNT: c.DMMOUNT,
  DMAUTH: c.DMAUTH,
  DMTMP: c.DMTMP,
  MREPL: c.MREPL,
  MBEFORE: c.MBEFORE,
  MAFTER: c.MAFTER,
  MCREATE: c.MCREATE,
  MCACHE: c.MCACHE,
  RFNAMEG: c.RFNAMEG,
  RFENVG: c.RFENVG,
  RFFDG: c.RFFDG,
  RFNOTEG: c.RFNOTEG,
  RFPROC: c.RFPROC,
  RFMEM: c.RFMEM,
  RFNOWAIT: c.RFNOWAIT,
  RFCNAMEG: c.RFCNAMEG,
  RFCENVG: c.RFCENVG,
  RFCFDG: c.RFCFDG,
  RFREND: c.RFREND,
  RFNOMNT: c.RFNOMNT,
  AEXIST: c.AEXIST,
  AEXEC: c.AEXEC,
  AWRITE: c.AWRITE,
  AREAD: c.AREAD,
};

/** Flags and numbers with bars between them, or'ed together: "DMDIR|0777". */
export function number(word: string): bigint {
  let v = 0n;
  for (const part of word.split("|")) {
    const flag = Object.hasOwn(FLAGS, part) ? FLAGS[part] : undefined;
    v |= flag === undefined ? strtoll(part) : BigInt(flag);
  }
  return v;
}

/** strtoll(s, 0, 0): the number that s begins with, 0 if it does not. */
function strtoll(s: string): bigint {
  const m = /^\s*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)/i.exec(s);
  const digits = m?.[2];
  if (m === null || digits === undefined) return 0n;
  const octal = /^0[0-7]/.test(digits);
  const v = BigInt(octal ? `0o${digits.slice(1)}` : digits.toLowerCase());
  return BigInt.asIntN(64, m[1] === "-" ? -v : v);
}

const BACKSLASH = 0x5c;
const AT = 0x40;
const STAR = 0x2a;
const N = 0x6e;
const T = 0x74;
const X = 0x78;

/**
 * A word with its escapes undone. Escapes are bytes, so a name may be no UTF-8; a zero byte ends it.
 *
 *	a\x01b\n   the bytes that are meant
 *	b@*200     200 times b
 */
export function unescape(word: string): string {
  if (!/[\\@]/.test(word)) return word;
  const from = utfencode(word);
  const to: number[] = [];
  for (let i = 0; i < from.length; i++) {
    const b = from[i] ?? 0;
    if (b === BACKSLASH && i + 1 < from.length) i = escaped(from, i + 1, to);
    else if (b === AT && from[i + 1] === STAR) i = repeated(from, i + 2, to);
    else to.push(b);
  }
  const end = to.indexOf(0);
  const bytes = Uint8Array.from(end < 0 ? to : to.slice(0, end));
  return utfdecode(bytes, 0, bytes.length);
}

/** What follows a backslash; gives the index of its last byte. */
function escaped(from: Uint8Array, i: number, to: number[]): number {
  const b = from[i] ?? 0;
  if (b === X) {
    to.push(hex(from[i + 1]) * 16 + hex(from[i + 2]));
    return i + 2;
  }
  to.push(b === N ? 0x0a : b === T ? 0x09 : b);
  return i;
}

/** A digit, 0 for what is none. */
function hex(b: number | undefined): number {
  const digit = b === undefined ? -1 : "0123456789abcdef".indexOf(String.fromCharCode(b));
  return Math.max(0, digit);
}

/** The count behind `@*`: the last byte as often, itself counted. Gives the index of its last byte. */
function repeated(from: Uint8Array, i: number, to: number[]): number {
  let n = 0;
  let at = i;
  for (; isdigit(from[at]); at++) n = n * 10 + (from[at] ?? 0) - 0x30;
  const last = to[to.length - 1] ?? 0;
  for (let k = 1; k < n; k++) to.push(last);
  return at - 1;
}

const isdigit = (b: number | undefined): boolean => b !== undefined && b >= 0x30 && b <= 0x39;
