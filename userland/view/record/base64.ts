// Base64 (RFC 4648), both ways: recordings are read and written where no host is known.

import { utfdecode, utfencode } from "../../../kernel/abi/utf.ts";

const LETTERS: Uint8Array = utfencode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);
const PAD = 0x3d;
/** Of no letter. */
const BAD = 0xff;

const VALUES: Uint8Array = new Uint8Array(256).fill(BAD);
for (const [value, letter] of LETTERS.entries()) VALUES[letter] = value;

/** Bytes as base64, filled up with "=". */
export function base64(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PAD);
  for (let i = 0, o = 0; i < bytes.length; i += 3, o += 4) {
    const [a = 0, b = 0, c = 0] = [bytes[i], bytes[i + 1], bytes[i + 2]];
    const n = (a << 16) | (b << 8) | c;
    text[o] = LETTERS[n >> 18] ?? BAD;
    text[o + 1] = LETTERS[(n >> 12) & 63] ?? BAD;
    if (i + 1 < bytes.length) text[o + 2] = LETTERS[(n >> 6) & 63] ?? BAD;
    if (i + 2 < bytes.length) text[o + 3] = LETTERS[n & 63] ?? BAD;
  }
  return utfdecode(text, 0, text.length);
}

/** The bytes that base64 gave as this text; null when it gave no such text. */
export function unbase64(text: string): Uint8Array | null {
  const m = /^([A-Za-z0-9+/]*)(={0,2})$/.exec(text);
  if (m === null || text.length % 4 !== 0) return null;
  const bytes = new Uint8Array((text.length / 4) * 3 - (m[2] ?? "").length);
  const value = (i: number): number => {
    const v = VALUES[text.charCodeAt(i)] ?? BAD;
    return v === BAD ? 0 : v;
  };
  for (let i = 0, o = 0; i < text.length; i += 4, o += 3) {
    const n = (value(i) << 18) | (value(i + 1) << 12) | (value(i + 2) << 6) | value(i + 3);
    bytes[o] = n >> 16;
    if (o + 1 < bytes.length) bytes[o + 1] = n >> 8;
    if (o + 2 < bytes.length) bytes[o + 2] = n;
  }
  return bytes;
}
