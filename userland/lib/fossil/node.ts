// Node: a node of the tree in memory, and its bytes on the disk. A leaf holds values, an inner node its
// kids, each with the least key that is in it. A node that was changed has no place on the disk yet: its
// ptr is null. A kid is a Node while it is changed, and else only its Ptr; the store finds it.
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
  getptr,
  getvalue,
  kindof,
  putptr,
  putvalue,
  valuesize,
} from "./format.ts";

const HEAD = 8;
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
  /** A leaf's values, or an inner node's kids. */
  readonly values: Value[];
  readonly kids: Kid[];
  /** Bytes on the disk. */
  size: number;
  /** Where it is on the disk; null while it is not. */
  ptr: Ptr | null = null;

  constructor(level: number, gen: number) {
    this.level = level;
    this.gen = gen;
    this.k1 = [];
    this.k2 = [];
    this.values = [];
    this.kids = [];
    this.size = HEAD;
  }

  get count(): number {
    return this.k1.length;
  }

  /** A node with the same contents that generation gen may change. */
  copy(gen: number): Node {
    const n = new Node(this.level, gen);
    move(this, n, 0);
    n.size = this.size;
    return n;
  }

  /** The first index whose key is not below (k1, k2). */
  find(k1: number, k2: number): number {
    let low = 0;
    let high = this.k1.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      const a = this.k1[mid] as number;
      if (a < k1 || (a === k1 && (this.k2[mid] as number) < k2)) low = mid + 1;
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
    let low = 1;
    let high = this.k1.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      const a = this.k1[mid] as number;
      if (a < k1 || (a === k1 && (this.k2[mid] as number) <= k2)) low = mid + 1;
      else high = mid;
    }
    return low - 1;
  }

  setvalue(i: number, v: Value): void {
    const kind = kindof(this.k1[i] as number);
    this.size += valuesize(kind, v) - valuesize(kind, this.values[i] as Value);
    this.values[i] = v;
  }

  insertvalue(i: number, k1: number, k2: number, v: Value): void {
    this.k1.splice(i, 0, k1);
    this.k2.splice(i, 0, k2);
    this.values.splice(i, 0, v);
    this.size += 16 + valuesize(kindof(k1), v);
  }

  insertkid(i: number, kid: Node): void {
    this.k1.splice(i, 0, kid.k1[0] as number);
    this.k2.splice(i, 0, kid.k2[0] as number);
    this.kids.splice(i, 0, kid);
    this.size += 16 + PTRSIZE;
  }

  delete(i: number): void {
    this.size -= this.#bytes(i);
    this.k1.splice(i, 1);
    this.k2.splice(i, 1);
    (this.level === 0 ? this.values : this.kids).splice(i, 1);
  }

  #bytes(i: number): number {
    if (this.level > 0) return 16 + PTRSIZE;
    return 16 + valuesize(kindof(this.k1[i] as number), this.values[i] as Value);
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
    move(this, right, at);
    this.k1.length = this.k2.length = at;
    (this.level === 0 ? this.values : this.kids).length = at;
    this.size -= moved;
    right.size += moved;
    return right;
  }

  /** Takes in all of the node behind it. */
  join(right: Node): void {
    move(right, this, 0);
    this.size += right.size - HEAD;
  }

  /** Its bytes. Every kid has its place by now. */
  pack(): Uint8Array {
    const buf = new Uint8Array(this.size);
    let o = put32(buf, 0, MAGIC);
    buf[o] = this.level;
    o = put16(buf, o + 2, this.count);
    for (let i = 0; i < this.count; i++) {
      const k1 = this.k1[i] as number;
      o = putoffset(buf, o, k1);
      o = putoffset(buf, o, this.k2[i] as number);
      if (this.level === 0) o = putvalue(buf, o, kindof(k1), this.values[i] as Value);
      else o = putptr(buf, o, ptrof(this.kids[i] as Kid));
    }
    return buf;
  }
}

/** Where a kid is on the disk. */
export function ptrof(kid: Kid): Ptr | null {
  return kid instanceof Node ? kid.ptr : kid;
}

function move(from: Node, to: Node, start: number): void {
  for (let i = start; i < from.count; i++) {
    to.k1.push(from.k1[i] as number);
    to.k2.push(from.k2[i] as number);
    if (from.level === 0) to.values.push(from.values[i] as Value);
    else to.kids.push(from.kids[i] as Kid);
  }
}

/** The node whose bytes these are; null when they are none. */
export function unpacknode(buf: Uint8Array, ptr: Ptr): Node | null {
  if (buf.length < HEAD || get32(buf, 0) !== MAGIC) return null;
  const n = new Node(get8(buf, 4), ptr.birth);
  const count = get16(buf, 6);
  let o = HEAD;
  try {
    for (let i = 0; i < count; i++) {
      const k1 = getoffset(buf, o);
      n.k1.push(k1);
      n.k2.push(getoffset(buf, o + 8));
      o += 16;
      if (n.level === 0) {
        const [v, next] = getvalue(buf, o, kindof(k1));
        n.values.push(v);
        o = next;
      } else {
        const kid = getptr(buf, o);
        if (kid === null) return null;
        n.kids.push(kid);
        o += PTRSIZE;
      }
    }
  } catch (e) {
    if (e instanceof RangeError) return null;
    throw e;
  }
  n.size = buf.length;
  n.ptr = ptr;
  return o === buf.length ? n : null;
}
