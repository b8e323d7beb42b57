// The contents of a file in memory: blocks of 64 KiB, those never written absent, the first no bigger
// than it must be. A read within one block is a view of it, good until the next write.

const BSIZE = 65536;
const MINBLOCK = 64;

/** What all files of a tree may hold together, in bytes. */
export type Quota = { used: number; readonly limit: number };

export class Blocks {
  length = 0;
  readonly #quota: Quota;
  #blocks: (Uint8Array | undefined)[] = [];

  constructor(quota: Quota) {
    this.#quota = quota;
  }

  /** At most count bytes from offset on. */
  read(offset: number, count: number): Uint8Array {
    const n = Math.max(0, Math.min(count, this.length - offset));
    const at = offset % BSIZE;
    const block = this.#blocks[(offset - at) / BSIZE];
    if (block !== undefined && at + n <= block.length) return block.subarray(at, at + n);
    const out = new Uint8Array(n);
    for (let o = 0; o < n;) {
      const a = (offset + o) % BSIZE;
      const b = this.#blocks[(offset + o - a) / BSIZE];
      const m = Math.min(BSIZE - a, n - o);
      if (b !== undefined && a < b.length) out.set(b.subarray(a, a + m), o);
      o += m;
    }
    return out;
  }

  /** Writes at offset, with zeros before it where nothing was; false if the quota does not allow it. */
  write(offset: number, data: Uint8Array): boolean {
    const n = data.length;
    for (let o = 0; o < n;) {
      const at = (offset + o) % BSIZE;
      const m = Math.min(BSIZE - at, n - o);
      const block = this.#room((offset + o - at) / BSIZE, at + m);
      if (block === null) return false;
      block.set(m === n ? data : data.subarray(o, o + m), at);
      o += m;
      if (offset + o > this.length) this.length = offset + o;
    }
    return true;
  }

  /** Cuts the contents, or lengthens them with zeros. */
  setlength(length: number): void {
    if (length < this.length) {
      const at = length % BSIZE;
      const keep = (length - at) / BSIZE;
      const dropped = this.#blocks.splice(at > 0 ? keep + 1 : keep);
      for (const b of dropped) this.#quota.used -= b?.length ?? 0;
      if (at > 0) this.#blocks[keep]?.fill(0, at);
    }
    this.length = length;
  }

  /** Block i with room for n bytes. */
  #room(i: number, n: number): Uint8Array | null {
    const old = this.#blocks[i];
    if (old !== undefined && old.length >= n) return old;
    let size = i > 0 ? BSIZE : Math.max(MINBLOCK, 2 * (old?.length ?? 0));
    while (size < n) size *= 2;
    const more = size - (old?.length ?? 0);
    if (this.#quota.used + more > this.#quota.limit) return null;
    this.#quota.used += more;
    const block = new Uint8Array(size);
    if (old !== undefined) block.set(old);
    this.#blocks[i] = block;
    return block;
  }
}
