// Which granules of the disk are taken: a bit for each. Blocks are put one behind the other as long as there
// is room, so that what is written together lies together; when much is free behind, the search starts anew
// at the beginning.

import { FIRST } from "./format.ts";

/** Bits that are added when the map must grow. */
const STEP = 1 << 20;

export class Space {
  /** Granules that are taken. */
  used = 0;
  /** Granules that the disk may have. */
  readonly limit: number;
  /** The host's disk was full: what was never taken is perhaps not to be had, so the first hole is taken. */
  scarce = false;
  #bits: Uint32Array;
  /** The first granule that was never taken. */
  #top: number = FIRST;
  /** Where the search goes on. */
  #next: number = FIRST;
  /** No so many granules in a row were found, and how many became free since then. */
  #futile: number = Infinity;
  #freed = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.#bits = new Uint32Array(STEP / 32);
  }

  /** The first granule that was never taken. */
  get top(): number {
    return this.#top;
  }

  has(addr: number): boolean {
    return ((this.#bits[addr >>> 5] ?? 0) & (1 << (addr & 31))) !== 0;
  }

  /** Takes n granules in a row; their first, or -1 when there is no such room. */
  take(n: number): number {
    const holes = this.scarce || (this.#top - FIRST - this.used) * 8 > this.#top;
    // A search that finds no room looks at all bits, so the next one waits until much has become free.
    let addr = holes && (n < this.#futile || this.#freed * 64 > this.#top) ? this.#hole(n) : -1;
    if (addr < 0 && this.#top + n <= this.limit) addr = this.#top;
    if (addr < 0) addr = this.#search(FIRST, this.#top, n);
    if (addr < 0) return -1;
    this.mark(addr, n);
    this.#next = addr + n;
    return addr;
  }

  /** n free granules in a row below the top, from where the last search ended. */
  #hole(n: number): number {
    let addr = this.#search(this.scarce ? FIRST : this.#next, this.#top, n);
    if (addr < 0 && !this.scarce)
      addr = this.#search(FIRST, Math.min(this.#next + n, this.#top), n);
    if (addr < 0) {
      this.#futile = n;
      this.#freed = 0;
    }
    return addr;
  }

  /** Takes these granules; false if one of them was taken already. */
  mark(addr: number, n: number): boolean {
    this.#grow(addr + n);
    let fresh = true;
    for (let a = addr; a < addr + n; a++) {
      const bit = 1 << (a & 31);
      const w = a >>> 5;
      if (((this.#bits[w] as number) & bit) !== 0) fresh = false;
      else this.used++;
      this.#bits[w] = (this.#bits[w] as number) | bit;
    }
    if (addr + n > this.#top) this.#top = addr + n;
    return fresh;
  }

  /** Gives granules back. */
  free(addr: number, n: number): void {
    for (let a = addr; a < addr + n; a++) {
      const bit = 1 << (a & 31);
      const w = a >>> 5;
      if (((this.#bits[w] ?? 0) & bit) === 0) continue;
      this.#bits[w] = (this.#bits[w] as number) & ~bit;
      this.used--;
      this.#freed++;
    }
  }

  /** The first of n free granules in a row within [from, to), or -1. */
  #search(from: number, to: number, n: number): number {
    let run = 0;
    for (let a = from; a < to;) {
      if ((a & 31) === 0 && (this.#bits[a >>> 5] ?? 0) === 0xffffffff) {
        run = 0;
        a += 32;
        continue;
      }
      run = this.has(a) ? 0 : run + 1;
      a++;
      if (run === n) return a - n;
    }
    return -1;
  }

  #grow(bits: number): void {
    if (bits <= this.#bits.length * 32) return;
    const bigger = new Uint32Array((Math.max(bits, this.#bits.length * 64) + STEP) >>> 5);
    bigger.set(this.#bits);
    this.#bits = bigger;
  }

  /** The map as it is now. */
  copy(): Space {
    return Space.unpack(this.pack(), this.limit);
  }

  /** The map as bytes, for a server that ends in order. */
  pack(): Uint8Array {
    const words = (this.#top + 31) >>> 5;
    return new Uint8Array(this.#bits.slice(0, words).buffer);
  }

  /** The map that pack gave. */
  static unpack(bytes: Uint8Array, limit: number): Space {
    const s = new Space(limit);
    const words = new Uint32Array(bytes.slice().buffer, 0, bytes.length >>> 2);
    s.#grow(words.length * 32);
    s.#bits.set(words);
    for (const [i, w] of words.entries()) {
      if (w === 0) continue;
      let n = 0;
      for (let v = w; v !== 0; v &= v - 1) n++;
      s.used += n;
      s.#top = Math.max(FIRST, 32 * i + 32 - Math.clz32(w));
    }
    return s;
  }
}
