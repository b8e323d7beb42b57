// Buffers for pieces of files, each as long as a whole piece. They are used again: memory that was just allocated
// costs as much as the hash of what is put there, and the garbage collector's work besides.
//
// Who owns a buffer: a piece that waits for a flush (files.ts), then the cache of blocks (store.ts). The owner
// gives it back when nothing looks at it any more. One that is never given back is left to the garbage collector.

import { DSIZE } from "./format.ts";

/** Buffers that are kept: as many as may wait for a flush, unless said otherwise. */
const KEPT = 128;

export class Bufs {
  readonly #idle: Uint8Array[] = [];

  /** A buffer of DSIZE bytes, with whatever is in them. */
  take(): Uint8Array {
    return this.#idle.pop() ?? new Uint8Array(DSIZE);
  }

  /** Takes back the buffer that bytes are in. One of another size is none of these. */
  give(bytes: Uint8Array): void {
    const { buffer } = bytes;
    if (buffer.byteLength !== DSIZE || this.#idle.length >= KEPT) return;
    this.#idle.push(bytes.length === DSIZE ? bytes : new Uint8Array(buffer));
  }
}
