// The mount table of the name space `standard`: a mount head for each file that is mounted upon, found by
// the file itself (device, instance, qid path), with the list of what is mounted there. These are findmount,
// cmount and cunmount of Plan 9's chan.c.
//
// A head holds a reference to the covered Chan and one to each Chan in its list. The list is replaced and
// never changed, so that a picture of it may be kept. A head that leaves the table is emptied: that ends
// the reading of a union that a process still has open.

import { Path, ccloseall, eqchan } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { MAFTER, MBEFORE, MCREATE, MORDER, MREPL, QTDIR } from "../abi/const.ts";
import type { Dev } from "../dev.ts";
import type { Qid } from "../abi/dir.ts";
import { Emount, Eunion, Eunmount, error, refuse } from "../abi/errors.ts";
import { mounteddev, nsline } from "./namespace.ts";
import type { Mounted, Nsline, Picture } from "./namespace.ts";
import type { Task } from "../proc/rendez.ts";

/** One element of a union. Its Chan is never open: users of it walk from it. */
export type Mount = {
  readonly to: Chan;
  /** MCREATE and the order, as bind or mount had them. */
  readonly flags: number;
  /** The attach name of a mount. */
  readonly spec: string;
  readonly id: number;
};

/** A file that is mounted upon, and the union that is there instead. */
export class Mhead {
  readonly from: Chan;
  /** Empty once nothing is mounted there any more. */
  mounts: readonly Mount[] = [];

  /** Takes the reference to `from`. */
  constructor(from: Chan) {
    this.from = from;
  }

  /** The Chan that stands in for the covered one. */
  get first(): Chan {
    return this.mounts[0]?.to ?? this.from;
  }
}

/** What a bind or mount puts on a file. */
export type Mounting = {
  readonly to: Chan;
  /** What `to` was found through: all of a union is bound. */
  readonly head: Mhead | null;
  readonly flags: number;
  readonly spec: string;
};

/** What the root of a server has for a path: it has no name of its own, and ns(1) shows its connection. */
export const MNTPATH: Path = new Path("#M", []);

export class MountTable {
  /** By qid path, the likeliest to differ. */
  readonly #heads = new Map<bigint, readonly Mhead[]>();
  readonly #nextid: () => number;
  #closed = false;

  constructor(nextid: () => number) {
    this.#nextid = nextid;
  }

  /** The head of a file, null when nothing is mounted on it. */
  find(dev: Dev, devno: number, qid: Qid): Mhead | null {
    const list = this.#heads.get(qid.path);
    if (list === undefined) return null;
    for (const mh of list) if (mh.from.dev === dev && mh.from.devno === devno) return mh;
    return null;
  }

  /** The head of the file that c is. */
  at(c: Chan): Mhead | null {
    return this.find(c.dev, c.devno, c.qid);
  }

  get empty(): boolean {
    return this.#heads.size === 0;
  }

  /** Mounts m on the file `old`; gives the mount id. The references are the caller's, the table takes its own. */
  *mount(old: Chan, m: Mounting): Task<number> {
    const order = m.flags & MORDER;
    checkkinds(old, m);
    // The last process of the group left while the names were looked up: no process would see the mount.
    if (this.#closed) return this.#nextid();
    const mh = this.at(old) ?? this.#newhead(old, order !== MREPL);
    const follow = order === MREPL ? MAFTER : order;
    const first = this.#newmount(m.to, m.flags, m.spec);
    const rest = m.head?.mounts.slice(1) ?? [];
    const now = [first, ...rest.map((um) => this.#newmount(um.to, follow, um.spec))];
    const was = mh.mounts;
    if (order === MREPL) mh.mounts = now;
    else mh.mounts = order === MBEFORE ? [...now, ...was] : [...was, ...now];
    if (order === MREPL) yield* ccloseall(was.map((f) => f.to));
    return first.id;
  }

  #newmount(to: Chan, flags: number, spec: string): Mount {
    return { to: to.incref(), flags, spec, id: this.#nextid() };
  }

  #newhead(old: Chan, union: boolean): Mhead {
    const mh = new Mhead(old.incref());
    if (union) mh.mounts = [this.#newmount(old, 0, "")];
    this.#enter(mh);
    return mh;
  }

  #enter(mh: Mhead): void {
    const { path } = mh.from.qid;
    this.#heads.set(path, [...(this.#heads.get(path) ?? []), mh]);
  }

  #leave(mh: Mhead): void {
    const { path } = mh.from.qid;
    const left = this.#heads.get(path)?.filter((x) => x !== mh) ?? [];
    if (left.length > 0) this.#heads.set(path, left);
    else this.#heads.delete(path);
  }

  /** Takes `mounted` out of what is mounted on `old`, or everything. */
  *unmount(old: Chan, mounted: Chan | null): Task<void> {
    const mh = this.at(old);
    if (mh === null) return error(Eunmount);
    const was = mh.mounts;
    const i = mounted === null ? -1 : was.findIndex((f) => ismounted(f.to, mounted));
    if (mounted !== null && i < 0) error(Eunion);
    const gone = was.filter((_, j) => mounted === null || j === i).map((f) => f.to);
    mh.mounts = was.filter((_, j) => mounted !== null && j !== i);
    if (mh.mounts.length === 0) {
      this.#leave(mh);
      gone.push(mh.from);
    }
    yield* ccloseall(gone);
  }

  /** A copy with heads of its own. */
  fork(): MountTable {
    const copy = new MountTable(this.#nextid);
    for (const mh of this.#all()) {
      const own = new Mhead(mh.from.incref());
      own.mounts = mh.mounts;
      for (const m of own.mounts) m.to.incref();
      copy.#enter(own);
    }
    return copy;
  }

  /** An empty one that numbers its mounts on. */
  clean(): MountTable {
    return new MountTable(this.#nextid);
  }

  *#all(): Generator<Mhead, void, void> {
    for (const list of this.#heads.values()) yield* list;
  }

  lines(channame: (c: Chan) => string): Nsline[] {
    const lines: Nsline[] = [];
    for (const mh of this.#all()) {
      const old = mh.from.path.toString();
      for (const { to, flags, spec, id } of mh.mounts) {
        const mchan = to.path === MNTPATH ? to.mchan : null;
        const from = to.path.toString();
        lines.push({ id, text: nsline({ mchan, flags, from, old, spec }, channame) });
      }
    }
    return lines.sort((a, b) => a.id - b.id);
  }

  /** The mount points by the names that they were made by, and what is on them, as it is now. */
  picture(): Picture {
    return [...this.#all()]
      .map(({ from, mounts }) => ({ path: from.path.toString(), members: mounts.map(shown) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** The last process group that had the table has left. */
  *close(): Task<void> {
    this.#closed = true;
    const gone: Chan[] = [];
    for (const mh of this.#all()) {
      gone.push(mh.from, ...mh.mounts.map((m) => m.to));
      mh.mounts = [];
    }
    this.#heads.clear();
    yield* ccloseall(gone);
  }
}

/** Kinds must match, files make no unions, and what forbids creation cannot be bound to allow it. */
function checkkinds(old: Chan, m: Mounting): void {
  const dir = (old.qid.type & QTDIR) !== 0;
  if (dir !== ((m.to.qid.type & QTDIR) !== 0)) refuse(Emount, { why: "kinds", newdir: !dir });
  if (!dir && (m.flags & MORDER) !== MREPL) refuse(Emount, { why: "union" });
  const first = m.head?.mounts[0];
  if ((m.flags & MCREATE) === 0 || m.head === null || first === undefined) return;
  if (m.head.mounts.length > 1 || (first.flags & MCREATE) === 0) refuse(Emount, { why: "create" });
}

/** The same file, or something of the server whose channel it is. */
function ismounted(to: Chan, mounted: Chan): boolean {
  return eqchan(to, mounted) || (to.mchan !== null && eqchan(to.mchan, mounted));
}

function shown(m: Mount): Mounted {
  const { flags, spec, id, to } = m;
  const from = (to.mchan ?? to).path.toString();
  return { from, flags, spec, id, ...mounteddev(to) };
}
