// The mount table of the `names` name space: an immutable tree of names. A node on the path to a mount
// point has children; a mount point also has members, the union in order. A lookup walks names in memory
// and sends nothing; a change makes a new root that shares all it did not touch, so that a copy for
// rfork and a picture for the trace cost nothing. Rules: design, section 4 ("The mount table").
//
// Every process group whose table this is counts in `ref`, and so does every name that is resolved in it:
// what a walk starts from stays open under it. A table holds a reference to each of its members' Chans,
// hidden ones too, and gives them up when the last leaves (release).

import { ccloseall } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { MBEFORE, MREPL } from "../abi/const.ts";
import { assert } from "../abi/errors.ts";
import { mounteddev } from "./namespace.ts";
import type { Mounted, Picture } from "./namespace.ts";
import type { Task } from "../proc/rendez.ts";

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

type Children = ReadonlyMap<string, Mnode>;

/** A name in the table. */
export type Mnode = {
  /** Empty for a name that only leads to mount points. */
  readonly members: readonly Member[];
  readonly children: Children;
  /** What an MREPL hides here; it comes back with the last member's end. */
  readonly hidden: Children | null;
};

const NONE: Children = new Map<string, Mnode>();
const EMPTY: Mnode = { members: [], children: NONE, hidden: null };

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

export class MountTable {
  ref = 1;
  readonly root: Mnode;
  /** What `/` is when nothing is mounted on it. */
  readonly #base: Member;
  #picture: Picture | null = null;

  constructor(base: Member, root: Mnode = { members: [base], children: NONE, hidden: null }) {
    this.root = root;
    this.#base = base;
  }

  /** The longest prefix of elems that is a mount point; `/` always is one. */
  lookup(elems: readonly string[]): Prefix {
    let node = this.root;
    let best = node;
    let depth = 0;
    for (let i = 0; i < elems.length; i++) {
      const next = node.children.get(elems[i] ?? "");
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
      node = node.children.get(e);
      if (node === undefined) return undefined;
    }
    return node;
  }

  mount(elems: readonly string[], m: Mounting): MountTable {
    return this.#derive(change(this.root, elems, 0, (old) => mounted(old, m)));
  }

  /** Without the first member that matches, or without any. null: there is none such, or no mount point. */
  unmount(elems: readonly string[], match: ((m: Member) => boolean) | null): MountTable | null {
    const old = this.node(elems);
    if (old === undefined || old.members.length === 0) return null;
    const at = match === null ? -1 : old.members.findIndex(match);
    if (match !== null && at < 0) return null;
    const left = match === null ? [] : old.members.filter((_, i) => i !== at);
    return this.#derive(change(this.root, elems, 0, (n) => unmounted(n, left)));
  }

  #derive(root: Mnode | null): MountTable {
    const r = root ?? EMPTY;
    const t = new MountTable(
      this.#base,
      r.members.length > 0 ? r : { ...r, members: [this.#base] },
    );
    for (const m of t.members()) m.chan.incref();
    return t;
  }

  /** Nothing but the root. */
  clean(): MountTable {
    this.#base.chan.incref();
    return new MountTable(this.#base);
  }

  /** All members, hidden ones too, as often as they stand in the table. */
  *members(): Generator<Member, void, void> {
    yield* below(this.root);
  }

  /** The mount points one can reach, with their names. */
  *mountpoints(): Generator<{ readonly path: string; readonly node: Mnode }, void, void> {
    yield* points("", this.root);
  }

  /** The mount points that one can reach, for those who show them. */
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
    yield* ccloseall([...this.members()].map((m) => m.chan));
  }
}

function* below(n: Mnode): Generator<Member, void, void> {
  yield* n.members;
  for (const c of n.children.values()) yield* below(c);
  if (n.hidden !== null) for (const c of n.hidden.values()) yield* below(c);
}

function shown(m: Member): Mounted {
  const { from, flags, spec, id } = m;
  return { from, flags, spec, id, ...mounteddev(m.chan) };
}

function* points(
  path: string,
  n: Mnode,
): Generator<{ readonly path: string; readonly node: Mnode }, void, void> {
  if (n.members.length > 0) yield { path: path === "" ? "/" : path, node: n };
  for (const [name, c] of n.children) yield* points(`${path}/${name}`, c);
}

/** The tree with the node at elems[i..] changed; null when nothing is left of it. */
function change(
  n: Mnode,
  elems: readonly string[],
  i: number,
  fn: (old: Mnode) => Mnode,
): Mnode | null {
  const name = elems[i];
  const now =
    name === undefined
      ? fn(n)
      : { ...n, children: changechild(n.children, name, (c) => change(c, elems, i + 1, fn)) };
  return now.members.length === 0 && now.children.size === 0 && now.hidden === null ? null : now;
}

function changechild(children: Children, name: string, fn: (c: Mnode) => Mnode | null): Children {
  const child = fn(children.get(name) ?? EMPTY);
  const now = new Map(children);
  if (child === null) now.delete(name);
  else now.set(name, child);
  return now.size === 0 ? NONE : now;
}

function mounted(old: Mnode, m: Mounting): Mnode {
  const was = old.members.length > 0;
  if (m.order === MREPL) {
    const hidden = was ? old.hidden : old.children.size > 0 ? old.children : null;
    return { members: m.members, children: m.below, hidden };
  }
  const there = was || m.covered === null ? old.members : [m.covered];
  const before = m.order === MBEFORE;
  return {
    members: before ? [...m.members, ...there] : [...there, ...m.members],
    children: before ? merge(m.below, old.children) : merge(old.children, m.below),
    hidden: old.hidden,
  };
}

/** Both trees; where both mount on one name, the first wins. */
function merge(first: Children, second: Children): Children {
  if (second.size === 0) return first;
  if (first.size === 0) return second;
  const all = new Map(second);
  for (const [name, a] of first) {
    const b = all.get(name);
    all.set(name, b === undefined || a.members.length > 0 ? a : join(a, b));
  }
  return all;
}

/** Only `b` may be a mount point. */
function join(a: Mnode, b: Mnode): Mnode {
  return { members: b.members, children: merge(a.children, b.children), hidden: b.hidden };
}

function unmounted(old: Mnode, left: readonly Member[]): Mnode {
  if (left.length > 0) return { ...old, members: left };
  return { members: [], children: old.hidden ?? NONE, hidden: null };
}

/** The same mounts with new ids, so that in ns(1) they come after the bind that carried them. */
export function carried(children: Children, nextid: () => number): Children {
  if (children.size === 0) return NONE;
  const now = new Map<string, Mnode>();
  for (const [name, n] of children) {
    const members = n.members.map((m) => ({ ...m, id: nextid(), origin: m.origin ?? m.id }));
    now.set(name, { members, children: carried(n.children, nextid), hidden: null });
  }
  return now;
}
