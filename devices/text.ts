// What several devices show as text, or read: numbers in Plan 9's fixed columns, and a piece of a small file at an offset;
// the line of an open file, for /proc/n/fd and #d/Nctl; and the numbers that programs write.

import { OEXEC } from "../kernel/abi/const.ts";
import type { Chan } from "../kernel/chan.ts";
import { utfdecode, utfencode } from "../kernel/abi/utf.ts";

/** The width of a column of numbers. */
export const NUMSIZE = 12;

/** A number right-aligned in a column, with a blank behind it: `%11lud `. */
export function num(n: number | bigint, width: number = NUMSIZE): string {
  return `${n.toString().padStart(width - 1)} `;
}

/** The part of a small file that a read at offset sees; gives the count. */
export function readbytes(bytes: Uint8Array, buf: Uint8Array, offset: number): number {
  if (offset >= bytes.length) return 0;
  const all = offset === 0 && bytes.length <= buf.length;
  const part = all ? bytes : bytes.subarray(offset, Math.min(bytes.length, offset + buf.length));
  buf.set(part);
  return part.length;
}

/** readbytes of a text. */
export function readstr(text: string, buf: Uint8Array, offset: number): number {
  return readbytes(utfencode(text), buf, offset);
}

/** What a program wrote, without the newline that echo adds. */
export function written(bytes: Uint8Array): string {
  const text = utfdecode(bytes, 0, bytes.length);
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

/** strtoul(s, 0, 0), where text that is no number is 0: `" 12x"` is 12, `"0x1f"` 31, `"010"` 8. */
export function strtoul(s: string): number {
  const m = /^\s*([+-]?)(?:0x([0-9a-f]+)|0([0-7]*)|([1-9][0-9]*))/i.exec(s);
  if (m === null) return 0;
  const n =
    m[2] !== undefined ? parseInt(m[2], 16) : m[4] !== undefined ? parseInt(m[4], 10) : octal(m[3]);
  return m[1] === "-" ? -n : n;
}

function octal(digits: string | undefined): number {
  return digits === undefined || digits === "" ? 0 : parseInt(digits, 8);
}

const MODES: readonly string[] = ["r ", "w ", "rw"];

/** An open file as /proc/n/fd shows it: descriptor, mode, device, qid, iounit, offset, name. proc(3) */
export function fdline(fd: number, c: Chan, verswidth: number): string {
  const mode = MODES[c.mode === OEXEC ? 0 : c.mode] ?? "  ";
  const path = c.qid.path.toString(16).padStart(16, "0");
  const vers = c.qid.vers.toString().padStart(verswidth);
  const type = c.qid.type.toString(16).padStart(2, "0");
  const dev = `${c.dev.dc} ${c.devno.toString().padStart(4)}`;
  const io = `${c.iounit.toString().padStart(5)} ${c.offset.toString().padStart(8)}`;
  return `${fd.toString().padStart(3)} ${mode} ${dev} (${path} ${vers} ${type}) ${io} ${c.path.toString()}\n`;
}
