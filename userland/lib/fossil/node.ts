// Node: a node of the tree in memory, and its bytes on the disk. A leaf holds values, an inner node its
// kids, each with the least key that is in it. A node that was changed has no place on the disk yet: its
// ptr is null. A kid is a Node while it is changed, and else only its Ptr; the store finds it.
//
// The values of a leaf stay bytes until they are asked for: what was never looked at takes no more memory than on the
// disk.
//
//	"fnod" level[1] 0[1] count[2] then for each: k1[8] k2[8] and the value, or the kid's pointer

import {
  get16,
  get32,
  get8,
  getoffset,
  put16,
  put32,
  putoffset,
} from "../../../kernel/abi/bits.ts";
import {
  NODESIZE,
  PTRSIZE,
  type Ptr,
  type Value,
  behindvalue,
  getptr,
  getvalue,
  kindof,
  putptr,
  putvalue,
  valuesize,
} from "./format.ts";

const HEAD = 8;
/** Bytes of a key. */
const KEYSIZE = 16;
const NONE = new Uint8Array(0);
const MAGIC = 0x646f6e66;

/** A kid of an inner node. */
export type Kid = Ptr | Node;

export class Node {
  /** 0 for a leaf. */
  readonly level: number;
  /** The generation that may change it. */
  readonly gen: number;
  /** Keys, in order; the first key of an inner node stands for everything below the second. */
  readonly k1: number[];
  readonly k2: number[];
  /** An inner node's kids. */
  readonly kids: Kid[];
  /** A leaf's values; a number says where in #packed the value is. */
  #values: (Value | number)[] = [];
  #packed: Uint8Array = NONE;
  /** Bytes on the disk. */
  size: number;
  /** Where it is on the disk; null while it is not. */
  ptr: Ptr | null = null;

  constructor(level: number, gen: number) {
    this.level = level;
    this.gen = gen;
    this.k1 = [];
    this.k2 = [];
    this.kids = [];
    this.size = HEAD;
  }

  get count(): number {
    return this.k1.length;
  }

  /** A leaf's i-th value. */
  value(i: number): Value {
    const v = this.#values[i] as Value | number;
    if (typeof v !== "number") return v;
    const [value] = getvalue(this.#packed, v, kindof(this.k1[i] as number));
    this.#values[i] = value;
    return value;
  }

  /** A node with the same contents that generation gen may change. */
  copy(gen: number): Node {
    const n = new Node(this.level, gen);
    n.#packed = this.#packed;
    n.#move(this, 0);
    n.size = this.size;
    return n;
  }

  /** The first index whose key is not below (k1, k2). */
  find(k1: number, k2: number): number {
    return this.#bound(0, k1, k2, false);
  }

  /** The first index from low on whose key is not below (k1, k2); with `orequal`, whose key is above it. */
  #bound(low: number, k1: number, k2: number, orequal: boolean): number {
    let high = this.k1.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      const a = this.k1[mid] as number;
      const b = this.k2[mid] as number;
      if (a < k1 || (a === k1 && (b < k2 || (orequal && b === k2)))) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** Whether index i has just this key. */
  is(i: number, k1: number, k2: number): boolean {
    return this.k1[i] === k1 && this.k2[i] === k2;
  }

  /**
   * The index of the kid that a key belongs to: the last whose key is not above it. The first kid's key is not looked
   * at: there may be less below it.
   */
  kidof(k1: number, k2: number): number {
    return this.#bound(1, k1, k2, true) - 1;
  }

  setvalue(i: number, v: Value): void {
    const kind = kindof(this.k1[i] as number);
    this.size += valuesize(kind, v) - valuesize(kind, this.value(i));
    this.#values[i] = v;
  }

  insertvalue(i: number, k1: number, k2: number, v: Value): void {
    this.k1.splice(i, 0, k1);
    this.k2.splice(i, 0, k2);
    this.#values.splice(i, 0, v);
    this.size += KEYSIZE + valuesize(kindof(k1), v);
  }

  insertkid(i: number, kid: Node): void {
    this.k1.splice(i, 0, kid.k1[0] as number);
    this.k2.splice(i, 0, kid.k2[0] as number);
    this.kids.splice(i, 0, kid);
    this.size += KEYSIZE + PTRSIZE;
  }

  delete(i: number): void {
    this.size -= this.#bytes(i);
    this.k1.splice(i, 1);
    this.k2.splice(i, 1);
    (this.level === 0 ? this.#values : this.kids).splice(i, 1);
  }

  #bytes(i: number): number {
    if (this.level > 0) return KEYSIZE + PTRSIZE;
    return KEYSIZE + valuesize(kindof(this.k1[i] as number), this.value(i));
  }

  /** Cuts off the upper half as a node of its own; only the upper eighth where keys are added in their order. */
  split(last: boolean): Node {
    const right = new Node(this.level, this.gen);
    const want = last ? (NODESIZE * 7) / 8 : this.size / 2;
    let at = 1;
    for (let n = HEAD + this.#bytes(0); at < this.count - 1; at++) {
      n += this.#bytes(at);
      if (n > want) break;
    }
    let moved = 0;
    for (let i = at; i < this.count; i++) moved += this.#bytes(i);
    right.#packed = this.#packed;
    right.#move(this, at);
    this.k1.length = this.k2.length = at;
    (this.level === 0 ? this.#values : this.kids).length = at;
    this.size -= moved;
    right.size += moved;
    return right;
  }

  /** Takes in all of the node behind it. */
  join(right: Node): void {
    for (let i = 0; right.level === 0 && i < right.count; i++) right.value(i);
    this.#move(right, 0);
    this.size += right.size - HEAD;
  }

  /** Adds what another node has from an index on. Values that are bytes must be in the same ones. */
  #move(from: Node, start: number): void {
    for (let i = start; i < from.count; i++) {
      this.k1.push(from.k1[i] as number);
      this.k2.push(from.k2[i] as number);
      if (from.level === 0) this.#values.push(from.#values[i] as Value | number);
      else this.kids.push(from.kids[i] as Kid);
    }
  }

  /** Its bytes, which its values are from then on. Every kid has its place by now. */
  pack(): Uint8Array {
    const buf = new Uint8Array(this.size);
    let o = put32(buf, 0, MAGIC);
    buf[o] = this.level;
    o = put16(buf, o + 2, this.count);
    for (let i = 0; i < this.count; i++) {
      const k1 = this.k1[i] as number;
      o = putoffset(buf, o, k1);
      o = putoffset(buf, o, this.k2[i] as number);
      if (this.level > 0) o = putptr(buf, o, ptrof(this.kids[i] as Kid));
      else {
        const at = o;
        o = this.#put(buf, o, i);
        this.#values[i] = at;
      }
    }
    if (this.level === 0) this.#packed = buf;
    return buf;
  }

  #put(buf: Uint8Array, o: number, i: number): number {
    const v = this.#values[i] as Value | number;
    const kind = kindof(this.k1[i] as number);
    if (typeof v !== "number") return putvalue(buf, o, kind, v);
    const bytes = this.#packed.subarray(v, behindvalue(this.#packed, v, kind));
    buf.set(bytes, o);
    return o + bytes.length;
  }

  /** A leaf as those bytes have it; false where they are none. */
  #unpackleaf(buf: Uint8Array, count: number): boolean {
    let o = HEAD;
    for (let i = 0; i < count; i++) {
      const k1 = getoffset(buf, o);
      this.k1.push(k1);
      this.k2.push(getoffset(buf, o + 8));
      o += KEYSIZE;
      this.#values.push(o);
      o = behindvalue(buf, o, kindof(k1));
    }
    this.#packed = buf;
    return o === buf.length;
  }

  #unpackinner(buf: Uint8Array, count: number): boolean {
    let o = HEAD;
    for (let i = 0; i < count; i++) {
      const kid = getptr(buf, o + KEYSIZE);
      if (kid === null) return false;
      this.k1.push(getoffset(buf, o));
      this.k2.push(getoffset(buf, o + 8));
      this.kids.push(kid);
      o += KEYSIZE + PTRSIZE;
    }
    return o === buf.length;
  }

  /** The node whose bytes these are, which it keeps; null when they are none. */
  static unpack(buf: Uint8Array, ptr: Ptr): Node | null {
    if (buf.length < HEAD || get32(buf, 0) !== MAGIC) return null;
    const n = new Node(get8(buf, 4), ptr.birth);
    const count = get16(buf, 6);
    n.size = buf.length;
    n.ptr = ptr;
    try {
      const whole = n.level === 0 ? n.#unpackleaf(buf, count) : n.#unpackinner(buf, count);
      return whole ? n : null;
    } catch (e) {
      if (e instanceof RangeError) return null;
      throw e;
    }
  }
}

/** Where a kid is on the disk. */
export function ptrof(kid: Kid): Ptr | null {
  return kid instanceof Node ? kid.ptr : kid;
}
