// Frames of 9P out of chunks of bytes, cut and merged in any way. A frame inside one chunk is a view of
// it; only one that was cut is copied, once.

import { framesize } from "../kernel/fcall.ts";

/** size[4] type[1] tag[2]: the least a frame can be. */
const MINFRAME = 7;

export class Frames {
  /** A size that cannot be: the stream is lost from there on. */
  broken = false;
  readonly #msize: number;
  #chunk: Uint8Array = new Uint8Array(0);
  #off = 0;
  /** A frame that was cut: its bytes so far, or its size's. */
  #part: Uint8Array | null = null;
  #have = 0;

  constructor(msize: number) {
    this.#msize = msize;
  }

  /** The next chunk; all frames of the last must have been taken. */
  add(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#off = 0;
  }

  /** The next whole frame, or null when more bytes are needed (or it is broken). */
  next(): Uint8Array | null {
    if (this.broken) return null;
    if (this.#part !== null) return this.#rest(this.#part);
    const left = this.#chunk.length - this.#off;
    if (left < 4) return this.#cut(left, 4);
    const size = framesize(this.#chunk, this.#off);
    if (!this.#sane(size)) return null;
    if (left < size) return this.#cut(left, size);
    const f = this.#chunk.subarray(this.#off, this.#off + size);
    this.#off += size;
    return f;
  }

  #sane(size: number): boolean {
    this.broken = size < MINFRAME || size > this.#msize;
    return !this.broken;
  }

  /** Keeps the chunk's last `left` bytes as the beginning of something of `size`. */
  #cut(left: number, size: number): null {
    if (left === 0) return null;
    this.#part = new Uint8Array(size);
    this.#part.set(this.#chunk.subarray(this.#off));
    this.#have = left;
    this.#off = this.#chunk.length;
    return null;
  }

  #rest(part: Uint8Array): Uint8Array | null {
    const take = Math.min(part.length - this.#have, this.#chunk.length - this.#off);
    part.set(this.#chunk.subarray(this.#off, this.#off + take), this.#have);
    this.#have += take;
    this.#off += take;
    if (this.#have < part.length) return null;
    if (part.length > 4) {
      this.#part = null;
      return part;
    }
    // The size itself was cut: now it is known.
    const size = framesize(part, 0);
    if (!this.#sane(size)) return null;
    this.#part = new Uint8Array(size);
    this.#part.set(part);
    return this.#rest(this.#part);
  }
}
