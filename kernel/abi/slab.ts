// Small blocks of bytes that come and go, cut from a slab: allocating each by itself costs ten times as much. The
// memory of a slab is free when nothing has a view of it.

const SLAB = 65536;
/** A longer block has memory of its own. */
const SLABMAX = 8192;

/** A slab from which blocks are cut. No block has the bytes of buf from used on, so its owner may write there. */
export class Slab {
  buf: Uint8Array = new Uint8Array(SLAB);
  used = 0;

  /** A block of n bytes, 0 or more, of which the last may be a part: the block has the whole ones. */
  take(n: number): Uint8Array {
    if (n > SLABMAX) return new Uint8Array(n);
    if (this.used + n > SLAB) {
      this.buf = new Uint8Array(SLAB);
      this.used = 0;
    }
    const block = this.buf.subarray(this.used, this.used + n);
    this.used += block.length;
    return block;
  }
}

const slab = new Slab();

/** A copy of bytes[from, to). A program's array may have a length, and a slice, of its own: the block is made here. */
export function copyof(bytes: Uint8Array, from: number = 0, to: number = bytes.length): Uint8Array {
  const n = to - from;
  if (!(n >= 0 && n <= SLABMAX)) return new Uint8Array(bytes.subarray(from, to));
  const block = slab.take(n);
  block.set(n === bytes.length ? bytes : bytes.subarray(from, to));
  return block;
}
