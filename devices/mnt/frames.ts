// frames: where 9P messages begin and end in the chunks that a transport brings. The chunks may be cut and merged in
// any way. Here are also the buffers that the host reads chunks into. The fields of a message are in
// kernel/abi/fcall.ts; its Group is found in rpc.ts.
//
//	what came                                  what next() gives            copied
//	a frame inside a chunk of its own memory   a view                       no
//	a frame inside a lent buffer               the frame                    once
//	a frame that was cut                       the frame, when it is whole  once
//	an Rstream                                 parts of its data, as views  no
//
// Who owns the bytes of a lent buffer: the host until a read is done; then Frames; the data of an Rstream belongs to
// the stream's sink. The owner gives each byte back once (giveback), when it does not need the byte any more.

import { get16, get32, get8 } from "../../kernel/abi/bits.ts";
import { Panic } from "../../kernel/abi/errors.ts";
import { Rstream, framesize } from "../../kernel/abi/fcall.ts";

/** size[4] type[1] tag[2]: the least a frame can be. */
const MINFRAME = 7;
/** The fixed part of an Rstream: size[4] type[1] tag[2] count[4]. */
const STREAMHEAD = 11;

/** Data of an Rstream, all or some; never empty. */
export type Part = { readonly tag: number; readonly data: Uint8Array };

export class Frames {
  /** A frame was wrong, for example of an impossible size: no more frames are taken, since they may begin anywhere. */
  broken = false;
  /** Every frame is given whole. */
  whole = false;
  /** The Rstream that is given in parts, and how much of its data is still to come. */
  #tag = 0;
  #left = 0;
  readonly #msize: number;
  #chunk: Uint8Array = new Uint8Array(0);
  #lent = false;
  #off = 0;
  /** The bytes so far of a frame that was cut. While its size is not known, #part has 4 bytes, for the size[4]. */
  #part: Uint8Array | null = null;
  #have = 0;

  constructor(msize: number) {
    this.#msize = msize;
  }

  /** The next chunk; all frames of the last must have been taken. */
  add(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#lent = lent(chunk);
    this.#off = 0;
  }

  /** Bytes of the last chunk behind the frame that was given last. */
  get behind(): number {
    return this.#chunk.length - this.#off;
  }

  /** The next whole frame, or null when more bytes are needed (or it is broken). */
  next(): Uint8Array | Part | null {
    if (this.broken) return null;
    if (this.#left > 0) return this.#data();
    if (this.#part !== null) return this.#rest(this.#part);
    const left = this.#chunk.length - this.#off;
    if (left < 4) return this.#cut(left, 4);
    const size = framesize(this.#chunk, this.#off);
    if (!this.#sane(size)) return null;
    if (this.#begins(left, size)) return this.#data();
    return left < size ? this.#cut(left, size) : this.#frame(size);
  }

  #frame(size: number): Uint8Array {
    const [from, to] = [this.#off, this.#off + size];
    this.#off = to;
    if (!this.#lent) return this.#chunk.subarray(from, to);
    const f = this.#chunk.slice(from, to);
    giveback(this.#chunk, size);
    return f;
  }

  #sane(size: number): boolean {
    this.broken = size < MINFRAME || size > this.#msize;
    return !this.broken;
  }

  /** Whether an Rstream begins here that can be given in parts. If so, takes the fixed part of it. */
  #begins(left: number, size: number): boolean {
    const [c, o] = [this.#chunk, this.#off];
    if (this.whole || left < STREAMHEAD || size === STREAMHEAD || get8(c, o + 4) !== Rstream)
      return false;
    if (get32(c, o + 7) !== size - STREAMHEAD) return false;
    this.#tag = get16(c, o + 5);
    this.#left = size - STREAMHEAD;
    this.#off += STREAMHEAD;
    giveback(this.#chunk, STREAMHEAD);
    return true;
  }

  /** The next data of the Rstream that this chunk has; null when it has no more. */
  #data(): Part | null {
    const n = Math.min(this.#left, this.#chunk.length - this.#off);
    if (n === 0) return null;
    const data = this.#chunk.subarray(this.#off, this.#off + n);
    this.#off += n;
    this.#left -= n;
    return { tag: this.#tag, data };
  }

  /** Keeps the chunk's last `left` bytes as the beginning of a frame, or of a size[4], of `size` bytes. */
  #cut(left: number, size: number): null {
    if (left === 0) return null;
    this.#part = new Uint8Array(size);
    this.#part.set(this.#chunk.subarray(this.#off));
    this.#have = left;
    this.#off = this.#chunk.length;
    giveback(this.#chunk, left);
    return null;
  }

  #rest(part: Uint8Array): Uint8Array | null {
    const take = Math.min(part.length - this.#have, this.#chunk.length - this.#off);
    part.set(this.#chunk.subarray(this.#off, this.#off + take), this.#have);
    this.#have += take;
    this.#off += take;
    giveback(this.#chunk, take);
    if (this.#have < part.length) return null;
    if (part.length > 4) {
      this.#part = null;
      return part;
    }
    // The part was the size[4] of the frame, which is whole now.
    const size = framesize(part, 0);
    if (!this.#sane(size)) return null;
    this.#part = new Uint8Array(size);
    this.#part.set(part);
    return this.#rest(this.#part);
  }
}

// A buffer of the host's is used again when all bytes that were read into it are given back. To allocate memory for
// each chunk would cost more than to read the chunk. A buffer that is never given back is left to the garbage
// collector.

/** Bytes of a buffer. */
export const RBUF: number = 256 * 1024;
/** Buffers that are kept. */
const NRBUF = 16;

const idle: Uint8Array[] = [];
/**
 * A buffer was taken. Until then no bytes are of one: they are not asked for the memory that they are in, which V8
 * allocates when a short array is first asked.
 */
let taken = false;
/** How many bytes of each buffer are in use; 0 for an idle buffer. */
const used: WeakMap<ArrayBufferLike, number> = new WeakMap();

/** A buffer, all of it in use. Its bytes are those of an earlier read. */
export function takebuf(): Uint8Array {
  const buf = idle.pop() ?? new Uint8Array(RBUF);
  used.set(buf.buffer, RBUF);
  taken = true;
  return buf;
}

/** Whether the bytes are in a buffer of the host's, and so must be given back. */
export function lent(bytes: Uint8Array): boolean {
  return taken && used.has(bytes.buffer);
}

/** Gives back n bytes of a view. Without effect when the view is not in a buffer of the host's. */
export function giveback(bytes: Uint8Array, n: number = bytes.length): void {
  if (!taken) return;
  const { buffer } = bytes;
  const had = used.get(buffer);
  if (had === undefined || n === 0) return;
  if (had < n) throw new Panic("bytes of a buffer were given back twice");
  used.set(buffer, had - n);
  if (had === n && idle.length < NRBUF) idle.push(new Uint8Array(buffer));
}
