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
import type { Origin } from "./names-walk.ts";
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

/** How many names a table remembers, and how long they may be. */
const NREMEMBERED = 4096;
const MAXREMEMBERED = 256;

export class MountTable {
  ref = 1;
  readonly root: Mnode;
  /** What `/` is when nothing is mounted on it. */
  readonly #base: Member;
  #picture: Picture | null = null;
  /** Where names begin that were looked up; the table is immutable, so none becomes wrong. */
  readonly #origins = new Map<string, Origin>();

  constructor(base: Member, root: Mnode = { members: [base], children: NONE, hidden: null }) {
    this.root = root;
    this.#base = base;
  }

  /** Where a name begins that was looked up before. */
  remembered(text: string): Origin | undefined {
    return this.#origins.get(text);
  }

  /** Keeps where a name begins. All are forgotten when there are too many, so that memory is bounded. */
  remember(o: Origin): void {
    const { text } = o.name;
    if (text.length > MAXREMEMBERED) return;
    if (this.#origins.size >= NREMEMBERED) this.#origins.clear();
    this.#origins.set(text, o);
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
    return this.#derive(change(this.root, elems, (old) => mounted(old, m)));
  }

  /** Without the first member that matches, or without any. null: there is none such, or no mount point. */
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
  members(): Member[] {
    return below(this.root);
  }

  /** The mount points one can reach, with their names. */
  *mountpoints(): Generator<Point, void, void> {
    yield* points(this.root);
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
    yield* ccloseall(this.members().map((m) => m.chan));
  }
}

// A tree of mounts is as deep as programs make it, so the functions below keep their own stacks.

function below(root: Mnode): Member[] {
  const list: Member[] = [];
  const left = [root];
  for (let n = left.pop(); n !== undefined; n = left.pop()) {
    for (const m of n.members) list.push(m);
    if (n.hidden !== null) for (const c of n.hidden.values()) left.push(c);
    for (const c of n.children.values()) left.push(c);
  }
  return list;
}

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
    const next = [...node.children];
    for (let e = next.pop(); e !== undefined; e = next.pop())
      left.push({ path: `${path}/${e[0]}`, node: e[1] });
  }
}

/** The tree with the node at elems changed; null when nothing is left of it. */
function change(root: Mnode, elems: readonly string[], fn: (old: Mnode) => Mnode): Mnode | null {
  const way = [root];
  for (const e of elems) way.push(way[way.length - 1]?.children.get(e) ?? EMPTY);
  let now = pruned(fn(way[elems.length] ?? EMPTY));
  for (let i = elems.length - 1; i >= 0; i--) {
    const up = way[i] ?? EMPTY;
    now = pruned({ ...up, children: changechild(up.children, elems[i] ?? "", now) });
  }
  return now;
}

/** null for a node that holds nothing. */
const pruned = (n: Mnode): Mnode | null =>
  n.members.length === 0 && n.children.size === 0 && n.hidden === null ? null : n;

function changechild(children: Children, name: string, child: Mnode | null): Children {
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
  const root = new Map(second);
  const left = [{ first, all: root }];
  for (let x = left.pop(); x !== undefined; x = left.pop())
    for (const [name, a] of x.first) {
      const b = x.all.get(name);
      if (b === undefined || a.members.length > 0) x.all.set(name, a);
      else if (a.children.size > 0) {
        // Only b may be a mount point.
        const children = new Map(b.children);
        x.all.set(name, { ...b, children });
        left.push({ first: a.children, all: children });
      }
    }
  return root;
}

function unmounted(old: Mnode, left: readonly Member[]): Mnode {
  if (left.length > 0) return { ...old, members: left };
  return { members: [], children: old.hidden ?? NONE, hidden: null };
}

/** The same mounts with new ids, so that in ns(1) they come after the bind that carried them. */
export function carried(children: Children, nextid: () => number): Children {
  if (children.size === 0) return NONE;
  const root = new Map<string, Mnode>();
  const left = [{ from: children.entries(), to: root }];
  for (let x = left.at(-1); x !== undefined; x = left.at(-1)) {
    const step = x.from.next();
    if (step.done === true) {
      left.pop();
      continue;
    }
    const [name, n] = step.value;
    const members = n.members.map((m) => ({ ...m, id: nextid(), origin: m.origin ?? m.id }));
    const to = new Map<string, Mnode>();
    x.to.set(name, { members, children: n.children.size === 0 ? NONE : to, hidden: null });
    if (n.children.size > 0) left.push({ from: n.children.entries(), to });
  }
  return root;
}
