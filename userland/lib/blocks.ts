// The contents of a file in memory: blocks of 64 KiB, those never written absent, the first no bigger
// than it must be. A read within one block is a view of it, good until the next write.

const BSIZE = 65536;
const MINBLOCK = 64;
/** Reads of at most so many bytes are put together in `joined`, which grows to that. */
const MAXJOINED = 1048576;
const NONE: Uint8Array = new Uint8Array(0);
let joined: Uint8Array = NONE;

/** n bytes to put a read together in, with whatever is in them. */
function join(n: number): Uint8Array {
  if (n > MAXJOINED) return new Uint8Array(n);
  if (n > joined.length) joined = new Uint8Array(Math.min(MAXJOINED, 2 * n));
  return joined.subarray(0, n);
}

/** What all files of a tree may hold together, in bytes. */
export type Quota = { used: number; readonly limit: number };

export class Blocks {
  length = 0;
  readonly #quota: Quota;
  #blocks: (Uint8Array | undefined)[] = [];
  /** The view that the last read of the file's beginning gave, and its block. A short file is read whole each time. */
  #view: Uint8Array = NONE;
  #viewed: Uint8Array = NONE;

  constructor(quota: Quota) {
    this.#quota = quota;
  }

  /** At most count bytes from offset on. */
  read(offset: number, count: number): Uint8Array {
    const n = Math.max(0, Math.min(count, this.length - offset));
    // V8 takes the remainder of an offset by a call, as an offset may be more than 31 bits.
    const i = Math.floor(offset / BSIZE);
    const at = offset - i * BSIZE;
    const block = this.#blocks[i];
    if (block !== undefined && at + n <= block.length)
      return at === 0 ? this.#begin(block, n) : block.subarray(at, at + n);
    const out = join(n);
    for (let o = 0; o < n;) {
      const a = (offset + o) % BSIZE;
      const b = this.#blocks[(offset + o - a) / BSIZE];
      const m = Math.min(BSIZE - a, n - o);
      const had = b === undefined ? 0 : Math.max(0, Math.min(m, b.length - a));
      if (b !== undefined && had > 0) out.set(b.subarray(a, a + had), o);
      out.fill(0, o + had, o + m);
      o += m;
    }
    return out;
  }

  /** The first n bytes of a block. */
  #begin(block: Uint8Array, n: number): Uint8Array {
    if (block === this.#viewed && n === this.#view.length) return this.#view;
    this.#viewed = block;
    return (this.#view = block.subarray(0, n));
  }

  /** Drops the view, since a block is about to be replaced: while there is a view of it, its memory stays. */
  #forget(): void {
    this.#view = this.#viewed = NONE;
  }

  /** Writes all of data at offset, with zeros before it where nothing was, or nothing: false if the quota forbids it. */
  write(offset: number, data: Uint8Array): boolean {
    const n = data.length;
    const at = offset % BSIZE;
    const first = (offset - at) / BSIZE;
    // What lies within one block, as most writes do, asks for that block alone.
    if (at + n <= BSIZE ? !this.#room(first, at + n) : !this.#rooms(offset, n)) return false;
    for (let o = 0; o < n;) {
      const from = (offset + o) % BSIZE;
      const m = Math.min(BSIZE - from, n - o);
      this.#blocks[(offset + o - from) / BSIZE]?.set(
        m === n ? data : data.subarray(o, o + m),
        from,
      );
      o += m;
    }
    if (n > 0 && offset + n > this.length) this.length = offset + n;
    return true;
  }

  /** Cuts the contents, and gives back the memory behind the cut; or lengthens them with zeros. */
  setlength(length: number): void {
    if (length < this.length) {
      this.#forget();
      const at = length % BSIZE;
      const keep = (length - at) / BSIZE;
      const dropped = this.#blocks.splice(at > 0 ? keep + 1 : keep);
      for (const b of dropped) this.#quota.used -= b?.length ?? 0;
      if (at > 0) this.#cut(keep, at);
    }
    this.length = length;
  }

  /** Leaves block i its first n bytes, with zeros behind them, in no bigger a block than it must be. */
  #cut(i: number, n: number): void {
    const old = this.#blocks[i];
    if (old === undefined) return;
    const size = i > 0 ? BSIZE : fit(n);
    if (size >= old.length) {
      old.fill(0, n);
      return;
    }
    const block = new Uint8Array(size);
    block.set(old.subarray(0, n));
    this.#blocks[i] = block;
    this.#quota.used -= old.length - size;
  }

  /** Room in each block of n bytes at offset; none is made when the quota has not enough for all. */
  #rooms(offset: number, n: number): boolean {
    const at = offset % BSIZE;
    const first = (offset - at) / BSIZE;
    const last = Math.floor((offset + n - 1) / BSIZE);
    let more = 0;
    for (let i = first; i <= last; i++)
      more += this.#more(i, i === last ? offset + n - i * BSIZE : BSIZE);
    if (this.#quota.used + more > this.#quota.limit) return false;
    for (let i = first; i <= last; i++) this.#room(i, i === last ? offset + n - i * BSIZE : BSIZE);
    return true;
  }

  /** How many bytes more block i takes when it is to hold n. */
  #more(i: number, n: number): number {
    const have = this.#blocks[i]?.length ?? 0;
    return have >= n ? 0 : (i > 0 ? BSIZE : fit(Math.max(n, 2 * have))) - have;
  }

  /** Makes room for n bytes in block i; false when the quota has not enough. */
  #room(i: number, n: number): boolean {
    const more = this.#more(i, n);
    if (more === 0) return true;
    this.#forget();
    if (this.#quota.used + more > this.#quota.limit) return false;
    this.#quota.used += more;
    const old = this.#blocks[i];
    const block = new Uint8Array((old?.length ?? 0) + more);
    if (old !== undefined) block.set(old);
    this.#blocks[i] = block;
    return true;
  }
}

/** The size of a first block that holds n bytes: a power of two. */
function fit(n: number): number {
  let size = MINBLOCK;
  while (size < n) size *= 2;
  return size;
}
