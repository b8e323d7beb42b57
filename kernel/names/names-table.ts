// The mount table of the `names` name space: an immutable tree of names. A node on the path to a mount
// point has children; a mount point also has members, the union in order. A lookup walks names in memory
// and sends nothing. A change makes a new root, which shares with the old one all that has not changed. So a
// copy for rfork costs nothing, and a picture for the trace is made once.
//
// Who holds what:
//  - a process group holds its table, and so does a name that is resolved in it: what a walk starts from
//    stays open under it;
//  - a table holds its root; a node holds its children, what it hides, and a reference to each of its members'
//    Chans. Tables share nodes, and each node counts the holders it has (retain);
//  - with its last holder a table, and each node, gives up what it holds (release).
// So a bind costs what it changes, among however many mounts.

import { ccloseall } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { MBEFORE, MREPL } from "../abi/const.ts";
import { assert } from "../abi/errors.ts";
import { mounteddev } from "./namespace.ts";
import type { Mounted, Picture } from "./namespace.ts";
import type { Start } from "./names-walk.ts";
import type { Task } from "../proc/rendez.ts";
import { entries, get, put, without } from "./tree.ts";
import type { Tree } from "./tree.ts";

/** One directory (or file) of a union. Its Chan is never open: users of it walk from it. */
export type Member = {
  readonly chan: Chan;
  /** MREPL, MBEFORE or MAFTER, MCREATE, MCACHE, as bind or mount had them. */
  readonly flags: number;
  /** The attach name of a mount. */
  readonly spec: string;
  readonly id: number;
  /** The name that it was bound from, as ns(1) shows it. */
  readonly from: string;
  readonly mounted: boolean;
  /** It is the covered directory itself. */
  readonly covered: boolean;
  /** Of a mount that a bind carried along: the id of the one it is a copy of. */
  readonly origin?: number | undefined;
};

/** Names below a name, null when there are none. */
export type Children = Tree<Mnode> | null;

/** A name in the table. It never changes once a table has it, but for the count of its holders. */
export class Mnode {
  /** Entries of trees and tables that hold it; 0 while it is being built. */
  ref = 0;
  /** Empty for a name that only leads to mount points. */
  readonly members: readonly Member[];
  readonly children: Children;
  /** The mounts below this name that an MREPL hides. They come back when the last member is unmounted. */
  readonly hidden: Children;

  constructor(members: readonly Member[], children: Children, hidden: Children) {
    this.members = members;
    this.children = children;
    this.hidden = hidden;
  }
}

const EMPTY: Mnode = new Mnode([], null, null);

/** The deepest mount point on the way of a name, and how many elements lead to it. */
export type Prefix = { readonly node: Mnode; readonly depth: number };

/** What a bind or mount puts on a name. */
export type Mounting = {
  readonly order: number;
  readonly members: readonly Member[];
  /** Mounts below the source, which come along. */
  readonly below: Children;
  /** The covered directory, for MBEFORE and MAFTER on a name that is no mount point. */
  readonly covered: Member | null;
};

/** How many names a table remembers, and how long they may be. */
const NREMEMBERED = 4096;
const MAXREMEMBERED = 256;

export class MountTable {
  ref = 1;
  readonly root: Mnode;
  /** What `/` is when nothing is mounted on it. */
  readonly #base: Member;
  #picture: Picture | null = null;
  /** Where names start that were looked up; the table is immutable, so none becomes wrong. */
  readonly starts: Map<string, Start> = new Map();

  /** Without `root` it takes over a reference to the base's Chan. mount and unmount give the changed tree's root. */
  constructor(base: Member, root: Mnode = owned(base)) {
    this.root = root;
    this.#base = base;
    root.ref++;
  }

  /** Keeps where a name starts. All are forgotten when there are too many, so that memory is bounded. */
  remember(s: Start): void {
    const { text } = s.name;
    if (text.length > MAXREMEMBERED) return;
    if (this.starts.size >= NREMEMBERED) this.starts.clear();
    this.starts.set(text, s);
  }

  /** The longest prefix of elems that is a mount point; `/` always is one. */
  lookup(elems: readonly string[]): Prefix {
    let node = this.root;
    let best = node;
    let depth = 0;
    for (let i = 0; i < elems.length; i++) {
      const next = get(node.children, elems[i] ?? "");
      if (next === undefined) break;
      node = next;
      if (node.members.length > 0) {
        best = node;
        depth = i + 1;
      }
    }
    return { node: best, depth };
  }

  /** The node of exactly this name. */
  node(elems: readonly string[]): Mnode | undefined {
    let node: Mnode | undefined = this.root;
    for (const e of elems) {
      node = get(node.children, e);
      if (node === undefined) return undefined;
    }
    return node;
  }

  mount(elems: readonly string[], m: Mounting): MountTable {
    return this.#derive(change(this.root, elems, (old) => mounted(old, m)));
  }

  /**
   * The table without the first member that matches, or, where match is null, without all members of the mount
   * point. null: no member matches, or the name is no mount point.
   */
  unmount(elems: readonly string[], match: ((m: Member) => boolean) | null): MountTable | null {
    const old = this.node(elems);
    if (old === undefined || old.members.length === 0) return null;
    const at = match === null ? -1 : old.members.findIndex(match);
    if (match !== null && at < 0) return null;
    const left = match === null ? [] : old.members.filter((_, i) => i !== at);
    return this.#derive(change(this.root, elems, (n) => unmounted(n, left)));
  }

  #derive(root: Mnode | null): MountTable {
    const r = root ?? EMPTY;
    const now = r.members.length > 0 ? r : new Mnode([this.#base], r.children, r.hidden);
    retain(now);
    return new MountTable(this.#base, now);
  }

  /** A table with nothing mounted. */
  clean(): MountTable {
    this.#base.chan.incref();
    return new MountTable(this.#base);
  }

  /** The mount points and their names, without those that an MREPL hides. */
  *mountpoints(): Generator<Point, void, void> {
    yield* points(this.root);
  }

  /** The mount points as the trace shows them. */
  get picture(): Picture {
    this.#picture ??= [...this.mountpoints()].map(({ path, node }) => ({
      path,
      members: node.members.map(shown),
    }));
    return this.#picture;
  }

  /** Another use of the table, to be given up with release. */
  hold(): this {
    this.ref++;
    return this;
  }

  /** Gives up one use of the table. */
  *release(): Task<void> {
    assert(this.ref > 0, "release of a dead mount table");
    if (--this.ref > 0) return;
    yield* ccloseall(given(this.root));
  }
}

// A tree of mounts is as deep as programs make it, so the functions below keep their own stacks.

/** What is counted in a table: nodes, and the entries of their trees. */
type Counted = Mnode | Tree<Mnode>;

/** What a node or an entry holds. */
function held(x: Counted): readonly (Counted | null)[] {
  return x instanceof Mnode ? [x.children, x.hidden] : [x.value, x.left, x.right];
}

/**
 * Counts the holders in what was built for a new table. Each new part is held by the part above it, and holds the
 * parts that it is made of. A part that has holders already is shared; below it nothing changes. The root is new; its
 * own holder, the table, counts itself.
 */
function retain(root: Mnode): void {
  const left: Counted[] = [root];
  for (let x = left.pop(); x !== undefined; x = left.pop()) {
    if (x instanceof Mnode) for (const m of x.members) m.chan.incref();
    for (const part of held(x)) if (part !== null && part.ref++ === 0) left.push(part);
  }
}

/** Gives up a table's root. The result is the Chans that no other table holds: the caller closes them. */
function given(root: Mnode): Chan[] {
  const chans: Chan[] = [];
  const left: Counted[] = [root];
  for (let x = left.pop(); x !== undefined; x = left.pop()) {
    if (--x.ref > 0) continue;
    if (x instanceof Mnode) for (const m of x.members) chans.push(m.chan);
    for (const part of held(x)) if (part !== null) left.push(part);
  }
  return chans;
}

/** A root with the base alone. */
const owned = (base: Member): Mnode => new Mnode([base], null, null);

function shown(m: Member): Mounted {
  const { from, flags, spec, id } = m;
  return { from, flags, spec, id, ...mounteddev(m.chan) };
}

/** A mount point with its name. */
type Point = { readonly path: string; readonly node: Mnode };

function* points(root: Mnode): Generator<Point, void, void> {
  const left: Point[] = [{ path: "", node: root }];
  for (let p = left.pop(); p !== undefined; p = left.pop()) {
    const { path, node } = p;
    if (node.members.length > 0) yield { path: path === "" ? "/" : path, node };
    const next = [...entries(node.children)];
    for (let e = next.pop(); e !== undefined; e = next.pop())
      left.push({ path: `${path}/${e[0]}`, node: e[1] });
  }
}

/** The tree with the node at elems changed; null when nothing is left of it. */
function change(root: Mnode, elems: readonly string[], fn: (old: Mnode) => Mnode): Mnode | null {
  const way = [root];
  for (const e of elems) way.push(get(way[way.length - 1]?.children ?? null, e) ?? EMPTY);
  let now = pruned(fn(way[elems.length] ?? EMPTY));
  for (let i = elems.length - 1; i >= 0; i--) {
    const up = way[i] ?? EMPTY;
    const name = elems[i] ?? "";
    const children = now === null ? without(up.children, name) : put(up.children, name, now);
    now = pruned(new Mnode(up.members, children, up.hidden));
  }
  return now;
}

/** null for a node that holds nothing. Only a node with members hides anything. */
const pruned = (n: Mnode): Mnode | null =>
  n.members.length === 0 && n.children === null ? null : n;

function mounted(old: Mnode, m: Mounting): Mnode {
  const was = old.members.length > 0;
  if (m.order === MREPL) return new Mnode(m.members, m.below, was ? old.hidden : old.children);
  const there = was || m.covered === null ? old.members : [m.covered];
  const before = m.order === MBEFORE;
  return new Mnode(
    before ? [...m.members, ...there] : [...there, ...m.members],
    before ? merge(m.below, old.children) : merge(old.children, m.below),
    old.hidden,
  );
}

/** Two trees that are being joined; `into` is where the result goes, in place of the second. */
type Joining = { readonly first: Children; all: Children; readonly into: Joined | null };
type Joined = { readonly up: Joining; readonly name: string; readonly node: Mnode };

/** Both trees; where both mount on one name, the first wins. */
function merge(first: Children, second: Children): Children {
  if (second === null) return first;
  if (first === null) return second;
  const root: Joining = { first, all: second, into: null };
  const done: Joining[] = [];
  const left = [root];
  for (let x = left.pop(); x !== undefined; x = left.pop()) {
    done.push(x);
    for (const [name, a] of entries(x.first)) {
      const b = get(x.all, name);
      if (b === undefined || a.members.length > 0) x.all = put(x.all, name, a);
      else if (a.children !== null)
        // a has no members, so the joined node has the members of b.
        left.push({ first: a.children, all: b.children, into: { up: x, name, node: b } });
    }
  }
  // The deepest come last on the list, so each is whole before it goes into the one above.
  for (const { all, into } of done.toReversed())
    if (into !== null) {
      const { members, hidden } = into.node;
      into.up.all = put(into.up.all, into.name, new Mnode(members, all, hidden));
    }
  return root.all;
}

function unmounted(old: Mnode, left: readonly Member[]): Mnode {
  if (left.length > 0) return new Mnode(left, old.children, old.hidden);
  return new Mnode([], old.hidden, null);
}

/**
 * The same mounts with new ids, so that in ns(1) they come after the bind that carried them, in the order
 * that they had.
 */
export function carried(children: Children, nextid: () => number): Children {
  if (children === null) return null;
  const ids: number[] = [];
  for (const { node } of points(new Mnode([], children, null)))
    for (const m of node.members) ids.push(m.id);
  const now = new Map(ids.toSorted((a, b) => a - b).map((id) => [id, nextid()]));
  return copied(children, (m) => ({
    ...m,
    id: now.get(m.id) ?? 0,
    origin: m.origin ?? m.id,
  }));
}

/** The tree with its members changed, and nothing hidden. */
function copied(children: Children, fn: (m: Member) => Member): Children {
  type Copying = {
    readonly from: Mnode;
    readonly name: string;
    all: Children;
    readonly up: Copying | null;
  };
  const root: Copying = { from: new Mnode([], children, null), name: "", all: null, up: null };
  const done: Copying[] = [];
  const left = [root];
  for (let x = left.pop(); x !== undefined; x = left.pop()) {
    done.push(x);
    for (const [name, n] of entries(x.from.children))
      left.push({ from: n, name, all: null, up: x });
  }
  for (const { from, name, all, up } of done.toReversed())
    if (up !== null) up.all = put(up.all, name, new Mnode(from.members.map(fn), all, null));
  return root.all;
}
