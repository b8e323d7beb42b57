// Tree: an immutable map from names to values, in the order of the names. It is a balanced binary tree (Adams
// 1993: neither side of an entry has more than three times the other's entries), so a change makes about
// log n new entries and shares the rest. Holders count themselves in `ref`, which nothing here looks at.

/** An entry of a map, with the entries before and after it. null is the empty map. */
export class Tree<V> {
  ref = 0;
  readonly name: string;
  readonly value: V;
  readonly left: Tree<V> | null;
  readonly right: Tree<V> | null;
  readonly size: number;

  constructor(name: string, value: V, left: Tree<V> | null, right: Tree<V> | null) {
    this.name = name;
    this.value = value;
    this.left = left;
    this.right = right;
    this.size = 1 + size(left) + size(right);
  }
}

const DELTA = 3;
const RATIO = 2;

const size = <V>(t: Tree<V> | null): number => (t === null ? 0 : t.size);

export function get<V>(t: Tree<V> | null, name: string): V | undefined {
  for (let at = t; at !== null; at = name < at.name ? at.left : at.right)
    if (at.name === name) return at.value;
  return undefined;
}

/** The map with this entry, instead of the one that it has of this name. */
export function put<V>(t: Tree<V> | null, name: string, value: V): Tree<V> {
  if (t === null) return new Tree(name, value, null, null);
  if (name < t.name) return balanced(t, put(t.left, name, value), t.right);
  if (name > t.name) return balanced(t, t.left, put(t.right, name, value));
  return new Tree(name, value, t.left, t.right);
}

/** The map without the entry of this name. */
export function without<V>(t: Tree<V> | null, name: string): Tree<V> | null {
  if (t === null) return null;
  if (name < t.name) return balanced(t, without(t.left, name), t.right);
  if (name > t.name) return balanced(t, t.left, without(t.right, name));
  return glued(t.left, t.right);
}

/** The entries in the order of their names. */
export function* entries<V>(t: Tree<V> | null): Generator<readonly [string, V], void, void> {
  if (t === null) return;
  yield* entries(t.left);
  yield [t.name, t.value];
  yield* entries(t.right);
}

/** Both sides of an entry that is gone, the lighter one's nearest entry in its place. */
function glued<V>(l: Tree<V> | null, r: Tree<V> | null): Tree<V> | null {
  if (l === null) return r;
  if (r === null) return l;
  if (l.size > r.size) {
    const last = end(l, "right");
    return balanced(last, without(l, last.name), r);
  }
  const first = end(r, "left");
  return balanced(first, l, without(r, first.name));
}

function end<V>(t: Tree<V>, side: "left" | "right"): Tree<V> {
  let at = t;
  for (let next = at[side]; next !== null; next = at[side]) at = next;
  return at;
}

/** The entry e with these sides, of which one has changed by one entry. */
function balanced<V>(e: Tree<V>, l: Tree<V> | null, r: Tree<V> | null): Tree<V> {
  const [nl, nr] = [size(l), size(r)];
  if (nl + nr > 1 && r !== null && nr > DELTA * nl) return leftward(e, l, r);
  if (nl + nr > 1 && l !== null && nl > DELTA * nr) return rightward(e, l, r);
  return new Tree(e.name, e.value, l, r);
}

function leftward<V>(e: Tree<V>, l: Tree<V> | null, r: Tree<V>): Tree<V> {
  const { left: m } = r;
  if (m === null || m.size < RATIO * size(r.right)) return top(r, top(e, l, m), r.right);
  return top(m, top(e, l, m.left), top(r, m.right, r.right));
}

function rightward<V>(e: Tree<V>, l: Tree<V>, r: Tree<V> | null): Tree<V> {
  const { right: m } = l;
  if (m === null || m.size < RATIO * size(l.left)) return top(l, l.left, top(e, m, r));
  return top(m, top(l, l.left, m.left), top(e, m.right, r));
}

const top = <V>(e: Tree<V>, l: Tree<V> | null, r: Tree<V> | null): Tree<V> =>
  new Tree(e.name, e.value, l, r);
