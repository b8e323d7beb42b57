// The name space `names` as a process group has it: one MountTable (names-table.ts) at a time, in which names
// are found (names-walk.ts). Binding, mounting and unmounting put a new table in place of the old one;
// listing a directory with mounts below it shows what is mounted. `standard` (standard.ts) is the other one.

import { MAFTER, MCACHE, MCREATE, MORDER, MREPL, OREAD, QTDIR } from "../abi/const.ts";
import { convM2D } from "../abi/dir.ts";
import type { Dir } from "../abi/dir.ts";
import { Emount, Enotdir, Eunion, Eunmount, PlanError, error, refuse } from "../abi/errors.ts";
import { Path, cclose, eqchan } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { packdirs, statquiet } from "../dirread.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Answer, Task } from "../proc/rendez.ts";
import { Aopen, failure, kindchecked, named, namec, whole } from "./namec.ts";
import { MountTable, carried } from "./names-table.ts";
import type { Children, Member, Mnode } from "./names-table.ts";
import { Start, askall, askeach, force, start } from "./names-walk.ts";
import { get } from "./tree.ts";
import { nsline } from "./namespace.ts";
import type { Mounthow, Namespace, Nsline, Picture } from "./namespace.ts";

/** The source of a bind: what it brings to the name it is bound on. */
type Source = {
  /** Its own Chan, or the members of the mount point that it is. */
  readonly members: readonly Member[];
  readonly below: Children;
  /** It is a union, or a mount point without MCREATE: a bind of it with MCREATE fails. */
  readonly nocreate: boolean;
};

/** A call of bind or mount, with the members that it puts on a name and the mounts below these. */
type Mountcall = {
  readonly op: "bind" | "mount";
  readonly flags: number;
  readonly members: readonly Member[];
  readonly below: Children;
};

/** The name that a bind or mount goes on. */
type Covered = {
  readonly elems: readonly string[];
  readonly dir: boolean;
  readonly chan: Chan | null;
};

/** An entry of a directory that is a mount point, and the first Chan mounted there. */
type Fix = { readonly index: number; readonly chan: Chan };

export class Names implements Namespace {
  #table: MountTable;

  /** `root` is device / , which `/` starts as; its reference is taken. */
  constructor(root: Chan | MountTable) {
    this.#table = root instanceof MountTable ? root : new MountTable(base(root));
  }

  start(up: Proc, text: string): Answer<Start> {
    const table = this.#table;
    const known = table.starts.get(text);
    if (known === undefined || known.busy || up.k.trace.on) return start(up, text, table, this);
    return known.again(up, this);
  }

  *bind(up: Proc, name: string, old: string, flags: number): Task<number> {
    const [source, covered] = yield* this.#both(up, name, old);
    try {
      const members = source.members.map((m, i) => {
        const { chan, spec, from, mounted } = m;
        return member(chan, { flags: i === 0 ? flags : followflags(flags), spec, from, mounted });
      });
      // As in Plan 9: the bind cannot allow a create that the source's own members do not take.
      if (source.nocreate && (flags & MCREATE) !== 0) refuse(Emount, { why: "create" });
      return yield* this.#mount(up, covered, { flags, members, below: source.below, op: "bind" });
    } finally {
      for (const m of source.members) yield* cclose(m.chan);
      if (covered.chan !== null) yield* cclose(covered.chan);
    }
  }

  *mount(up: Proc, c: Chan, old: string, how: Mounthow): Task<number> {
    let covered: Covered | null = null;
    if ((how.flags & MCACHE) !== 0) c.dev.cache(c);
    try {
      covered = yield* this.#coveredname(up, old);
      c.path = new Path("/", covered.elems);
      const members = [member(c, { flags: how.flags, spec: how.spec, from: "", mounted: true })];
      return yield* this.#mount(up, covered, {
        flags: how.flags,
        members,
        below: null,
        op: "mount",
      });
    } finally {
      yield* cclose(c);
      if (covered !== null && covered.chan !== null) yield* cclose(covered.chan);
    }
  }

  *#mount(up: Proc, covered: Covered, m: Mountcall): Task<number> {
    const order = m.flags & MORDER;
    const first = m.members[0];
    const newdir = first !== undefined && (first.chan.qid.type & QTDIR) !== 0;
    if (first === undefined || covered.dir !== newdir)
      return refuse(Emount, { why: "kinds", newdir });
    if (!covered.dir && order !== MREPL) refuse(Emount, { why: "union" });
    let self: Member | null = null;
    if (covered.chan !== null && order !== MREPL) {
      // ns(1) sorts by id. The covered directory was there before the bind, so it gets its id first.
      const from = `/${covered.elems.join("/")}`;
      self = {
        chan: covered.chan,
        flags: 0,
        spec: "",
        id: up.k.nextmountid(),
        from,
        mounted: false,
        covered: true,
      };
    }
    const members = m.members.map((x) => member(x.chan, x, up.k.nextmountid()));
    const below = carried(m.below, () => up.k.nextmountid());
    yield* this.#become(this.#table.mount(covered.elems, { order, members, below, covered: self }));
    if (up.k.trace.on)
      up.k.trace.emit({
        type: "mount",
        op: m.op,
        path: `/${covered.elems.join("/")}`,
        table: this.#table.picture,
        pgrp: up.pgrp.pgrpid,
      });
    return members[0]?.id ?? 0;
  }

  *#become(table: MountTable): Task<void> {
    const old = this.#table;
    this.#table = table;
    yield* old.release();
  }

  /** Looks up both names of a bind. The walks of both are sent before the answer to either. */
  *#both(up: Proc, name: string, old: string): Task<[Source, Covered]> {
    const starts: Start[] = [];
    try {
      const s = yield* waitfor(this.start(up, name));
      starts.push(s);
      const o = yield* this.#trystart(up, old);
      if (!(o instanceof PlanError)) starts.push(o);
      const early = o instanceof PlanError ? NOTASKED : yield* askboth(up, s, o);
      try {
        // The source is evaluated first, so its error goes before the other's.
        const source = yield* this.#source(s, early[0]);
        try {
          if (o instanceof PlanError) throw o;
          return [source, yield* this.#covered(o, early[1])];
        } catch (e) {
          for (const m of source.members) yield* cclose(m.chan);
          throw e;
        }
      } finally {
        for (const c of early) if (c !== null) yield* cclose(c);
      }
    } finally {
      for (const x of starts) yield* x.release();
    }
  }

  /** start, or the error that it failed with. */
  *#trystart(up: Proc, text: string): Task<Start | PlanError> {
    try {
      return yield* waitfor(this.start(up, text));
    } catch (e) {
      if (e instanceof PlanError) return e;
      throw e;
    }
  }

  *#source(s: Start, early: Chan | null): Task<Source> {
    const node = s.path.root === "/" ? s.table.node(s.path.elems) : undefined;
    const below = node?.children ?? null;
    if (s.members !== null && s.rest.length === 0) {
      if (wrongkind(s, s.chan)) throw named(s, whole(s, Enotdir), false);
      // Each member keeps its `from`, so ns(1) shows where it came from.
      const members = s.members.map((m, i) => {
        const { flags, from, mounted } = m;
        return member(m.chan.incref(), { flags, spec: i === 0 ? "" : m.spec, from, mounted });
      });
      const nocreate = members.length > 1 || !members.some((m) => (m.flags & MCREATE) !== 0);
      return { members, below, nocreate };
    }
    try {
      const c = yield* known(s, early);
      c.path = s.path;
      const from = s.path.toString();
      return {
        members: [member(c, { flags: 0, spec: "", from, mounted: false })],
        below,
        nocreate: false,
      };
    } catch (e) {
      throw failure(s, e, false);
    }
  }

  *#coveredname(up: Proc, old: string): Task<Covered> {
    const o = yield* waitfor(this.start(up, old));
    try {
      return yield* this.#covered(o, null);
    } finally {
      yield* o.release();
    }
  }

  *#covered(o: Start, early: Chan | null): Task<Covered> {
    const { elems, root } = o.path;
    // The present table is asked, not o's: another process may have unmounted this name since the walk began.
    const [first] = root === "/" ? this.membersat(elems) : [];
    if (first !== undefined) {
      if (wrongkind(o, first)) throw named(o, whole(o, Enotdir), false);
      return { elems, dir: (first.qid.type & QTDIR) !== 0, chan: null };
    }
    if (o.members !== null && o.rest.length === 0)
      return yield* this.#coveredname(o.up, o.name.text);
    try {
      const chan = yield* known(o, early);
      if (root !== "/") {
        yield* cclose(chan);
        refuse(Emount, { why: "device" });
      }
      chan.path = o.path;
      return { elems, dir: (chan.qid.type & QTDIR) !== 0, chan };
    } catch (e) {
      throw failure(o, e, false);
    }
  }

  *unmount(up: Proc, name: string | null, old: string): Task<void> {
    const o = yield* waitfor(this.start(up, old));
    try {
      // If the name is no mount point, its file may not exist. Then "does not exist" goes before "not mounted".
      if (!o.ismtpt) yield* this.#exists(o);
      const c = name === null ? null : yield* waitfor(namec(up, name, Aopen, OREAD));
      try {
        if (!o.ismtpt) error(Eunmount);
        yield* this.#unmount(up, o, c);
      } finally {
        if (c !== null) yield* cclose(c);
      }
    } finally {
      yield* o.release();
    }
  }

  *#unmount(up: Proc, o: Start, c: Chan | null): Task<void> {
    const match = c === null ? null : (m: Member) => issame(m.chan, c);
    const table = this.#table.unmount(o.path.elems, match);
    if (table === null) return error(Eunion);
    yield* this.#become(table);
    if (up.k.trace.on)
      up.k.trace.emit({
        type: "mount",
        op: "unmount",
        path: o.path.toString(),
        table: table.picture,
        pgrp: up.pgrp.pgrpid,
      });
  }

  *#exists(o: Start): Task<void> {
    try {
      yield* cclose(yield* known(o, null));
    } catch (e) {
      throw failure(o, e, false);
    }
  }

  /**
   * The lines of ns(1). A bind carries along the mounts below its source. Such a copy has no line while it is like its
   * original, since the line of the bind makes it, too.
   */
  lines(channame: (c: Chan) => string): Nsline[] {
    const points = [...this.#table.mountpoints()];
    const homes = new Map<number, Mnode>();
    for (const { node } of points) for (const m of node.members) homes.set(m.id, node);
    const lines: Nsline[] = [];
    for (const { path, node } of points) {
      if (islike(node, homes.get(node.members[0]?.origin ?? 0)) || isbare(node)) continue;
      for (const m of node.members) {
        const { flags, from, spec } = m;
        const mchan = m.mounted ? m.chan.mchan : null;
        lines.push({ id: m.id, text: nsline({ mchan, flags, from, old: path, spec }, channame) });
      }
    }
    return lines.sort((a, b) => a.id - b.id);
  }

  /**
   * Puts the entry of what is mounted in place of each entry that is a mount point; null when there is none. The stats
   * of these are all sent at once; other entries cost no message.
   */
  mountfix(up: Proc, c: Chan, entries: Uint8Array): Answer<Uint8Array | null> {
    const children = c.path.root === "/" ? this.#table.node(c.path.elems)?.children : null;
    return children === undefined || children === null ? null : this.#fixed(up, entries, children);
  }

  *#fixed(up: Proc, entries: Uint8Array, children: Children): Task<Uint8Array | null> {
    const dirs: Dir[] = [];
    const fix: Fix[] = [];
    for (let off = 0; off < entries.length;) {
      const e = convM2D(entries, off, entries.length);
      if (e === null) return null;
      const members = get(children, e.dir.name)?.members ?? [];
      const first = members[0];
      if (first !== undefined && !members.some((m) => m.covered))
        fix.push({ index: dirs.length, chan: first.chan });
      dirs.push(e.dir);
      off = e.next;
    }
    if (fix.length === 0) return null;
    const table = this.#table.hold();
    try {
      yield* statall(up, fix, dirs);
    } finally {
      yield* table.release();
    }
    return packdirs(dirs);
  }

  membersat(elems: readonly string[]): readonly Chan[] {
    return this.#table.node(elems)?.members.map((m) => m.chan) ?? [];
  }

  fork(): Namespace {
    this.#table.ref++;
    return new Names(this.#table);
  }

  clean(): Namespace {
    return new Names(this.#table.clean());
  }

  snapshot(): Picture {
    return this.#table.picture;
  }

  close(): Task<void> {
    return this.#table.release();
  }
}

/** Every field is written, and none is spread, so that V8 has one hidden class for all members. */
function member(
  chan: Chan,
  { flags, spec, from, mounted }: Pick<Member, "flags" | "spec" | "from" | "mounted">,
  id = 0,
): Member {
  return { chan, flags, spec, id, from, mounted, covered: false };
}

function base(root: Chan): Member {
  return { chan: root, flags: 0, spec: "", id: 0, from: "/", mounted: false, covered: false };
}

/** Whether n is the root with the kernel's own root device alone, which has id 0. */
function isbare(n: Mnode): boolean {
  return n.members.length === 1 && n.members[0]?.id === 0;
}

/** Whether a mount point is a copy of another, member by member. */
function islike(copy: Mnode, n: Mnode | undefined): boolean {
  if (n === undefined || n.members.length !== copy.members.length) return false;
  return copy.members.every((m, i) => m.origin === n.members[i]?.id);
}

/** The flags of the members after the first, when a union is bound: they come after the first, and take no creates. */
function followflags(flags: number): number {
  const order = flags & MORDER;
  return order === MREPL ? MAFTER : order;
}

/** Puts the entries of what is mounted in place of those it covers. */
function* statall(up: Proc, fix: readonly Fix[], dirs: Dir[]): Task<void> {
  const late = yield* askall(up, fix, [], { what: "stat", of: "directory" });
  try {
    for (const [i, f] of fix.entries()) {
      const d = yield* statquiet(up, late[i] ?? f.chan);
      const was = dirs[f.index];
      if (d !== null && was !== undefined) dirs[f.index] = { ...d, name: was.name };
    }
  } finally {
    for (const l of late) if (l !== null) yield* cclose(l);
  }
}

type Pair = readonly [Chan | null, Chan | null];
const NOTASKED: Pair = [null, null];

/** Sends the walks of a bind's names that can be put off. null for a name whose walk cannot, or that needs none. */
function* askboth(up: Proc, s: Start, o: Start): Task<Pair> {
  const pair: Pair = [later(s), later(o)];
  yield* askeach(up, pair, [], { what: "walk", of: "bind" });
  return pair;
}

function later(x: Start): Chan | null {
  if (x.members !== null && (x.rest.length === 0 || x.members.length > 1)) return null;
  return x.chan.dev.later?.defer(x.chan, x.rest) ?? null;
}

/** The Chan of a bind's or mount's name, walked: whether it is a directory must be known. */
function* known(s: Start, early: Chan | null): Task<Chan> {
  const c = early === null ? yield* waitfor(s.find()) : early.incref();
  const f = yield* waitfor(force(s, c, s.rest, "mount"));
  return yield* waitfor(kindchecked(s, f));
}

/** Whether c is a file, and its name was given as a directory's (it ends in /). */
const wrongkind = (s: Start, c: Chan): boolean => s.mustdir && (c.qid.type & QTDIR) === 0;

/** Whether c, the first name of an unmount, is the member's file, or the connection of the server mounted there. */
function issame(member: Chan, c: Chan): boolean {
  return eqchan(member, c) || (member.mchan !== null && eqchan(member.mchan, c));
}
