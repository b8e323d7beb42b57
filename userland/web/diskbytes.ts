// The bytes of the kept disk, as the page and the machine's worker each have them. They grow by writes up to MOST:
// the worker runs programs, which may lie, so the page checks each write that the worker asks for.

/** The most bytes of the disk. */
export const MOST: number = 32 * 2 ** 20;

export class Diskbytes {
  #bytes: Uint8Array;
  #length: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#length = bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  /** A copy of the bytes in [from, to), as far as there are any. */
  slice(from: number, to: number): Uint8Array {
    return this.#bytes.slice(from, Math.min(to, this.#length));
  }

  /** Fills buf from a place on; gives how many bytes there were. */
  read(buf: Uint8Array, at: number): number {
    const some = this.#bytes.subarray(at, Math.min(this.#length, at + buf.length));
    buf.set(some);
    return some.length;
  }

  /** False, and writes nothing, where this is no place on the disk. */
  write(bytes: Uint8Array, at: number): boolean {
    const end = at + bytes.length;
    if (!Number.isInteger(at) || !Number.isInteger(end) || at < 0 || end > MOST) return false;
    if (end > this.#bytes.length) {
      const more = new Uint8Array(Math.min(MOST, Math.max(end, 2 * this.#bytes.length)));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#bytes.set(bytes, at);
    this.#length = Math.max(this.#length, end);
    return true;
  }
}
