// Buffers that the host reads into, used again when all that was read into one is done with: memory that
// was just allocated costs more than the bytes' way through the host. A reader is handed views and owes
// nobody: what is never given back is the garbage collector's. Whoever does give back gives each byte
// back once, when nothing looks at it any more.

import { Panic } from "../../kernel/abi/errors.ts";

/** Bytes of a buffer. */
export const RBUF: number = 256 * 1024;
/** Buffers that are kept. */
const NRBUF = 16;

const idle: Uint8Array[] = [];
/** Bytes of each buffer that are in use; an idle one has none. */
const used: WeakMap<ArrayBufferLike, number> = new WeakMap();

/** A buffer, all of it in use. What it has in it is anybody's. */
export function takebuf(): Uint8Array {
  const buf = idle.pop() ?? new Uint8Array(RBUF);
  used.set(buf.buffer, RBUF);
  return buf;
}

/** Whether giving it back makes a difference. */
export function lent(bytes: Uint8Array): boolean {
  return used.has(bytes.buffer);
}

/** Gives back n bytes of a view, if they are of such a buffer. */
export function giveback(bytes: Uint8Array, n: number = bytes.length): void {
  const { buffer } = bytes;
  const had = used.get(buffer);
  if (had === undefined) return;
  if (had < n) throw new Panic("bytes of a buffer were given back twice");
  used.set(buffer, had - n);
  if (had > n) return;
  if (idle.length < NRBUF) idle.push(new Uint8Array(buffer));
  else used.delete(buffer);
}
