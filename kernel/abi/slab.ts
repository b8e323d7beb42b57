// Small blocks of bytes that come and go, cut from a slab: allocating each by itself costs ten times as much. The
// memory of a slab is free when nothing has a view of it.

const SLAB = 65536;
/** A longer block has memory of its own. */
const SLABMAX = 8192;
let slab = new Uint8Array(SLAB);
let used = 0;

/** A copy of bytes[from, to). A program's array may have a length, and a slice, of its own: the block is made here. */
export function copyof(bytes: Uint8Array, from: number = 0, to: number = bytes.length): Uint8Array {
  const n = to - from;
  if (!(n >= 0 && n <= SLABMAX)) return new Uint8Array(bytes.subarray(from, to));
  if (used + n > SLAB) {
    slab = new Uint8Array(SLAB);
    used = 0;
  }
  const block = slab.subarray(used, used + n);
  block.set(n === bytes.length ? bytes : bytes.subarray(from, to));
  used += block.length;
  return block;
}
