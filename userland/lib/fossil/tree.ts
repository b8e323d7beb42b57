// The tree: all that a fossil holds, in one B+tree. A key is two numbers; format.ts has the kinds.
//
// What lies on the disk is never changed. A change copies the nodes from the root down to the leaf; the copies
// are in memory only and belong to the present generation, which may change them in place until a commit
// (store.ts) freezes them and begins the next. A node that was copied is told to `drop`.
//
// Nothing here waits. A node that is not in memory is a Miss: the caller loads it and runs the operation
// again from its start (store.ts: run). So an operation first looks at all that it needs, and changes then.

import { NODESIZE, type Ptr, type Value } from "./format.ts";
import { type Kid, Node } from "./node.ts";

/** Something on the disk is needed that is not in memory. */
export class Miss {
  readonly ptr: Ptr;
  /** A node, or a piece of a file. */
  readonly node: boolean;

  constructor(ptr: Ptr, node: boolean) {
    this.ptr = ptr;
    this.node = node;
  }
}

/** Finds nodes by their pointers: undefined when one is not in memory. */
export type Findnode = (ptr: Ptr) => Node | undefined;

/** What range tells of an entry of the tree; false ends it. */
export type Visit = (k2: number, v: Value) => boolean;

export class Tree {
  /** The tree as it is now; null when it is empty. */
  root: Kid | null;
  /** The present generation. */
  gen: number;
  readonly #find: Findnode;
  readonly #drop: (kid: Kid) => void;

  constructor(root: Kid | null, gen: number, find: Findnode, drop: (kid: Kid) => void) {
    this.root = root;
    this.gen = gen;
    this.#find = find;
    this.#drop = drop;
  }

  /** The node that a kid stands for. */
  at(kid: Kid): Node {
    if (kid instanceof Node) return kid;
    const n = this.#find(kid);
    if (n === undefined) throw new Miss(kid, true);
    return n;
  }

  /** The value of a key below a root, undefined when there is none. */
  get(root: Kid | null, k1: number, k2: number): Value | undefined {
    if (root === null) return undefined;
    let n = this.at(root);
    while (n.level > 0) n = this.at(n.kids[n.kidof(k1, k2)] as Kid);
    const i = n.find(k1, k2);
    return n.is(i, k1, k2) ? n.value(i) : undefined;
  }

  /** Visits the values of k1 whose second half is at least `from`, in order. */
  range(root: Kid | null, k1: number, from: number, visit: Visit): void {
    let at = from;
    while (root !== null) {
      let n = this.at(root);
      let after: number | null = null; // where the next leaf begins, if it may hold more of k1
      while (n.level > 0) {
        const i = n.kidof(k1, at);
        if (n.k1[i + 1] === k1) after = n.k2[i + 1] as number;
        else if (i + 1 < n.count) after = null;
        n = this.at(n.kids[i] as Kid);
      }
      for (let i = n.find(k1, at); i < n.count && n.k1[i] === k1; i++)
        if (!visit(n.k2[i] as number, n.value(i))) return;
      if (after === null) return;
      at = after;
    }
  }

  /** The last key of k1: its second half, -1 when there is none. */
  last(root: Kid | null, k1: number): number {
    if (root === null) return -1;
    const n = this.at(root);
    if (n.level === 0) {
      const i = n.find(k1, Infinity) - 1;
      return n.k1[i] === k1 ? (n.k2[i] as number) : -1;
    }
    // A kid's least key may be gone from it: then the one before is asked.
    for (let i = n.kidof(k1, Infinity); i >= 0; i--) {
      const k2 = this.last(n.kids[i] as Kid, k1);
      if (k2 >= 0 || (n.k1[i] as number) < k1) return k2;
    }
    return -1;
  }

  /** Sees to it that a change of this key misses nothing. */
  need(k1: number, k2: number): void {
    this.get(this.root, k1, k2);
  }

  /** Sets the value of a key. */
  put(k1: number, k2: number, v: Value): void {
    this.need(k1, k2);
    const path = this.#path(k1, k2);
    const leaf = path.at(-1)?.node;
    if (leaf === undefined) {
      const n = new Node(0, this.gen);
      n.insertvalue(0, k1, k2, v);
      this.root = n;
      return;
    }
    const i = leaf.find(k1, k2);
    if (leaf.is(i, k1, k2)) leaf.setvalue(i, v);
    else leaf.insertvalue(i, k1, k2, v);
    if (leaf.size > NODESIZE) this.#split(path, i === leaf.count - 1);
  }

  /** Takes a key out. */
  delete(k1: number, k2: number): void {
    if (this.get(this.root, k1, k2) === undefined) return;
    const path = this.#path(k1, k2);
    const leaf = path.at(-1)?.node;
    if (leaf === undefined) return;
    leaf.delete(leaf.find(k1, k2));
    if (leaf.size < NODESIZE / 4) this.#shrink(path);
  }

  /** The nodes from the root to a key's leaf, all of them owned by this generation; `i` is where each goes on. */
  #path(k1: number, k2: number): { node: Node; i: number }[] {
    const path: { node: Node; i: number }[] = [];
    if (this.root === null) return path;
    let n = this.#own(this.root);
    this.root = n;
    for (;;) {
      const i = n.level === 0 ? -1 : n.kidof(k1, k2);
      path.push({ node: n, i });
      if (i < 0) return path;
      const kid = this.#own(n.kids[i] as Kid);
      n.kids[i] = kid;
      n = kid;
    }
  }

  /** The node, or a copy, that this generation may change. */
  #own(kid: Kid): Node {
    const n = this.at(kid);
    if (n.gen === this.gen && n.ptr === null) return n;
    // One that a commit is writing just now gets its place later: so the node itself is told.
    if (n.ptr !== null || n.gen !== this.gen) this.#drop(n);
    return n.copy(this.gen);
  }

  /** Splits what has become too large, from the leaf up. `last`: the leaf grew at its end. */
  #split(path: { node: Node; i: number }[], last: boolean): void {
    for (let d = path.length - 1; d >= 0; d--) {
      const node = path[d]?.node;
      if (node === undefined || node.size <= NODESIZE || node.count < 2) return;
      const up = path[d - 1];
      const right = node.split(last);
      if (up === undefined) {
        const root = new Node(node.level + 1, this.gen);
        root.insertkid(0, node);
        root.insertkid(1, right);
        this.root = root;
      } else {
        up.node.insertkid(up.i + 1, right);
        last = up.i + 2 === up.node.count;
      }
    }
  }

  /** Joins nodes that have become small with one beside them, where that is in memory; empty ones go. */
  #shrink(path: { node: Node; i: number }[]): void {
    for (let d = path.length - 1; d > 0; d--) {
      const node = path[d]?.node;
      const up = path[d - 1];
      if (node === undefined || up === undefined || node.size >= NODESIZE / 4) break;
      if (node.count === 0) up.node.delete(up.i);
      else if (!this.#join(up.node, up.i) && (up.i === 0 || !this.#join(up.node, up.i - 1))) break;
    }
    while (this.root instanceof Node && this.root.level > 0 && this.root.count === 1)
      this.root = this.root.kids[0] as Kid;
    if (this.root instanceof Node && this.root.count === 0) this.root = null;
  }

  /** Joins kid i of a node with the next one, if both are at hand and fit. */
  #join(up: Node, i: number): boolean {
    const right = up.kids[i + 1];
    if (right === undefined) return false;
    const [a, b] = [this.#athand(up.kids[i] as Kid), this.#athand(right)];
    if (a === undefined || b === undefined || a.size + b.size > (NODESIZE * 3) / 4) return false;
    if (b.ptr !== null || b.gen !== this.gen) this.#drop(b);
    const left = this.#own(up.kids[i] as Kid);
    const n = left.count;
    left.join(b);
    // The first key of an inner node may be above some keys below it: from now on it is one that parts.
    if (b.level > 0) {
      left.k1[n] = up.k1[i + 1] as number;
      left.k2[n] = up.k2[i + 1] as number;
    }
    up.kids[i] = left;
    up.delete(i + 1);
    return true;
  }

  #athand(kid: Kid): Node | undefined {
    return kid instanceof Node ? kid : this.#find(kid);
  }
}
