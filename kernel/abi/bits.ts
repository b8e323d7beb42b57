// Integers on the wire: little-endian, unsigned, 16, 32 or 64 bits. Plan 9's fcall.h calls these
// GBIT16, PBIT16 and so on. The get functions need their bytes inside buf; the put functions return
// the offset behind what they wrote, and what is past buf's end is lost, as stores there are.
//
// 64 bits are a bigint where every bit counts (qid.path), else a number, exact up to MAXOFFSET.

import { MAXOFFSET, TOOBIG } from "./const.ts";

const TWO32 = 2 ** 32;

// One bigint seen as two words is quicker than a DataView for each buffer.
const quad = new BigUint64Array(1);
const words = new Uint32Array(quad.buffer);
quad[0] = 1n;
const LO = words[0] === 1 ? 0 : 1;
const HI = 1 - LO;

/** Reads one byte. */
export function get8(buf: Uint8Array, o: number): number {
  return buf[o] as number;
}

/** Reads 16 bits. */
export function get16(buf: Uint8Array, o: number): number {
  return (buf[o] as number) | ((buf[o + 1] as number) << 8);
}

/** Reads 32 bits. */
export function get32(buf: Uint8Array, o: number): number {
  const low = (buf[o] as number) | ((buf[o + 1] as number) << 8) | ((buf[o + 2] as number) << 16);
  return (low | ((buf[o + 3] as number) << 24)) >>> 0;
}

/** Reads 64 bits. */
export function get64(buf: Uint8Array, o: number): bigint {
  words[LO] = get32(buf, o);
  words[HI] = get32(buf, o + 4);
  return quad[0] as bigint;
}

/** Reads 64 bits as an offset: TOOBIG above MAXOFFSET. */
export function getoffset(buf: Uint8Array, o: number): number {
  const hi = get32(buf, o + 4);
  const lo = get32(buf, o);
  // A sum of the two would be no small integer for the engine, which allocates memory for others.
  if (hi === 0) return lo;
  return hi < 0x200000 ? hi * TWO32 + lo : TOOBIG;
}

/** Whether the 64 bits at o are all ones. */
export function isones(buf: Uint8Array, o: number): boolean {
  return get32(buf, o) === 0xffffffff && get32(buf, o + 4) === 0xffffffff;
}

/** Writes 16 bits. */
export function put16(buf: Uint8Array, o: number, v: number): number {
  buf[o] = v;
  buf[o + 1] = v >> 8;
  return o + 2;
}

/** Writes 32 bits. */
export function put32(buf: Uint8Array, o: number, v: number): number {
  buf[o] = v;
  buf[o + 1] = v >> 8;
  buf[o + 2] = v >> 16;
  buf[o + 3] = v >> 24;
  return o + 4;
}

/** Writes 64 bits; a bigint outside them is cut to them. */
export function put64(buf: Uint8Array, o: number, v: bigint): number {
  quad[0] = v;
  put32(buf, o, words[LO] as number);
  return put32(buf, o + 4, words[HI] as number);
}

/** Writes an offset or length: -1 and Infinity are all ones, others above MAXOFFSET are 2^63. */
export function putoffset(buf: Uint8Array, o: number, v: number): number {
  if (v > MAXOFFSET) {
    put32(buf, o, v === Infinity ? -1 : 0);
    return put32(buf, o + 4, v === Infinity ? -1 : 0x80000000);
  }
  put32(buf, o, v);
  return put32(buf, o + 4, Math.floor(v / TWO32));
}

/** Pieces of bytes as one; a single piece is that piece itself. `size` is how many bytes they are. */
export function joined(
  list: readonly Uint8Array[],
  size: number = list.reduce((n, b) => n + b.length, 0),
): Uint8Array {
  const [first] = list;
  if (list.length === 1 && first !== undefined) return first;
  const all = new Uint8Array(size);
  let off = 0;
  for (const b of list) {
    all.set(b, off);
    off += b.length;
  }
  return all;
}
