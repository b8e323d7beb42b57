// Walking in the name space `standard`, as Plan 9's chan.c does. Every server on the way is asked, since only the
// file that a walk has reached tells whether something is mounted on it. While names are left, the function walk
//
//	1. goes to what is mounted where it stands, if anything is;
//	2. asks for the next names up to a "..", at most 16. In a union the first member is asked, then the others
//	   in order, until one has the first of the names;
//	3. stops at the first of them that is a mount point, and closes what was walked beyond it.
//
// A ".." is asked for alone. If the directory was reached over a mount point, ".." goes to the parent of the
// file that is mounted upon.

import { andthen } from "../abi/answer.ts";
import { MAXWELEM, MCREATE, QTDIR } from "../abi/const.ts";
import type { Dir, Qid } from "../abi/dir.ts";
import { Edoesnotexist, Eintr, Enocreate, Enotdir, PlanError, error } from "../abi/errors.ts";
import type { Fact } from "../abi/errors.ts";
import { CMTPT, Chan, Path, ccloseall, cclose, instead } from "../chan.ts";
import type { Mtpt } from "../chan.ts";
import type { Dev, Walkqid } from "../dev.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Answer, Task } from "../proc/rendez.ts";
import { nameupto, parsename } from "./name.ts";
import type { Name } from "./name.ts";
import { file, kindchecked, using, whole } from "./namec.ts";
import { attach } from "./namespace.ts";
import type { Blame, Way } from "./namespace.ts";
import type { Mhead, MountTable } from "./standard-table.ts";

/** Why a walk failed, and how many of the names the error shows. */
export type Miss = { readonly error: string; readonly at: number; readonly fact?: Fact };

/** What a device's walk gave, and the device: that of the Chan asked, or of another member of its union. */
type Asked = {
  readonly qids: readonly Qid[];
  readonly error: string;
  readonly fact: Fact | undefined;
  readonly dev: Dev;
  readonly devno: number;
};

/**
 * The start of a walk: the Chan of /, of dot or of a device, which it holds. Plan 9's nerror, how many
 * elements of the name an error shows, is PlanError.at here.
 */
export class Start implements Way {
  readonly up: Proc;
  readonly name: Name;
  readonly mustdir: boolean;
  /** Not known before the walk. */
  readonly ismtpt = false;
  /** The mount point at the end of the name, once the walk has gone to what is mounted there. */
  head: Mhead | null = null;
  // Plain fields and not private ones: a Start is made for every name, and V8 defines private fields slowly.
  /** null for a # name: nothing is mounted below it. */
  private readonly tab: MountTable | null;
  private readonly start: Chan;
  /** The directory that create has walked to. */
  private dir: Chan | null = null;

  /** Takes the reference to chan. */
  constructor(up: Proc, name: Name, tab: MountTable | null, chan: Chan) {
    this.up = up;
    this.name = name;
    this.mustdir = name.mustdir;
    this.tab = tab;
    this.start = chan;
    if (up.k.trace.on) tracestart(this, chan);
  }

  get end(): number {
    return this.name.elems.length;
  }

  get path(): Path {
    return this.start.path;
  }

  get last(): string {
    return this.name.elems[this.name.elems.length - 1] ?? "";
  }

  *find(): Task<Chan> {
    const c = yield* this.#walk(this.start, this.name.elems);
    return yield* waitfor(kindchecked(this, c));
  }

  found(): Task<Chan> {
    return this.find();
  }

  /** The Chan that names lead to from c. A Miss is thrown as the call's error. */
  *#walk(c: Chan, names: readonly string[]): Task<Chan> {
    const got = yield* walk(this.up, this.tab, c, names);
    if (got instanceof Chan) return got;
    const e = new PlanError(got.error, got.at);
    if (got.fact !== undefined) e.fact = got.fact;
    throw e;
  }

  /**
   * The Chan to open or change: what is mounted on c, else c. It has one reference, and the name that led
   * here.
   */
  cross(c: Chan): Answer<Chan> {
    const mh = this.tab?.at(c) ?? null;
    // The walk gave a Chan with one reference.
    return mh === null ? c : this.#tomounted(c, mh);
  }

  *#tomounted(c: Chan, mh: Mhead): Task<Chan> {
    const p = new Place(c);
    let kept = false;
    try {
      yield* p.domount(mh);
      if (this.up.k.trace.on) tracemount(this.up, p, mh, []);
      yield* p.unique(this.up);
      kept = true;
    } catch (e) {
      throw this.#whole(e);
    } finally {
      if (!kept) yield* p.close();
    }
    this.head = mh;
    const nc = p.named();
    nc.flag |= CMTPT;
    return nc;
  }

  /** The error as one about the whole name, unless it says already which part it is about. */
  #whole(e: unknown): unknown {
    return e instanceof PlanError && e.at === undefined ? whole(this, e.message) : e;
  }

  stat(): Answer<Dir> {
    return using(file(this), (c) =>
      andthen(c.dev.stat(this.up, c), (d) => ({ ...d, name: c.path.last })),
    );
  }

  /**
   * What a bind takes: the Chan that is mounted at the name, with its own path. `head` is then its union.
   */
  *bound(): Task<Chan> {
    const c = yield* this.find();
    this.head = this.tab?.at(c) ?? null;
    return this.head === null ? c : yield* waitfor(instead(this.head.first.incref(), c));
  }

  opened(c: Chan): Chan {
    const { head } = this;
    if (head !== null && head.mounts.length > 1)
      c.union = { members: () => head.mounts.map((m) => m.to), uri: 0, umc: null };
    return c;
  }

  createnow(): null {
    return null;
  }

  *look(): Task<Chan | null> {
    const dir = (this.dir ??= yield* this.#todir());
    const { trace } = this.up.k;
    if (trace.on) trace.emit({ type: "namec", step: "look", elem: this.last });
    const got = yield* walk(this.up, this.tab, dir, [this.last]);
    if (!(got instanceof Chan)) return null;
    this.dir = null;
    return yield* waitfor(instead(got, dir));
  }

  /** The Chan of the directory that the last element is in. */
  *#todir(): Task<Chan> {
    const { elems, mustdir } = this.name;
    const c = yield* this.#walk(this.start, elems.slice(0, -1));
    if (!mustdir || (c.qid.type & QTDIR) !== 0) return c;
    yield* cclose(c);
    throw new PlanError(Enotdir, elems.length - 1);
  }

  /** The directory to create in. Of a union that is the first member with MCREATE. */
  *parent(): Task<Chan> {
    const at = this.dir;
    if (at === null) return error("create in no directory");
    const mh = this.tab?.at(at) ?? null;
    const allows = mh?.mounts.find((m) => (m.flags & MCREATE) !== 0)?.to ?? null;
    if (mh !== null && allows === null) error(Enocreate);
    const dir = (allows ?? at).incref();
    const { trace } = this.up.k;
    if (trace.on) {
      const mounts = mh?.mounts ?? [];
      const index = mounts.length > 1 ? mounts.findIndex((m) => m.to === dir) : -1;
      const name = at.path.toString();
      trace.emit({ type: "namec", step: "create", dir: name, elem: this.last, index });
    }
    try {
      const nc = yield* cclone(this.up, dir);
      nc.path = at.path;
      nc.mtpt = at.mtpt?.map(({ depth, from }) => ({ depth, from: from.incref() })) ?? null;
      return nc;
    } finally {
      yield* cclose(dir);
    }
  }

  created(c: Chan): Chan {
    c.path = c.path.add(this.last);
    return c;
  }

  blame(at: number): Blame {
    const { name } = this;
    return { name: nameupto(name, at), element: name.elems[at - 1], walked: at };
  }

  release(): Task<void> {
    return ccloseall(this.dir === null ? [this.start] : [this.dir, this.start]);
  }
}

/** Where the walk of a name starts. */
export function start(up: Proc, text: string, tab: MountTable, slash: Chan): Answer<Start> {
  const name = parsename(text);
  if (!name.root.startsWith("#"))
    return new Start(up, name, tab, (name.root === "/" ? slash : up.dot).incref());
  return andthen(attach(up, name.root), (chan) => new Start(up, name, null, chan));
}

function tracestart(s: Start, chan: Chan): void {
  const { trace } = s.up.k;
  const { elems: rest, root } = s.name;
  const path = chan.path.toString();
  if (root === "") trace.emit({ type: "namec", step: "dot", path, rest });
  else if (root !== "/") trace.emit({ type: "namec", step: "device", path, rest });
}

/**
 * Where a walk stands: its Chan, the elements that led there, and the mount points among them. A Place holds
 * a reference to each of its Chans.
 */
export class Place {
  chan: Chan;
  /** The mount point stepped onto last, when chan is what is mounted there. */
  head: Mhead | null = null;
  /** chan is what is mounted already: step 1 (head of the file) is done. */
  crossed = false;
  /** The Chan that the device's walk gave, until dotdot or forward goes there. */
  found: Chan | null = null;
  private readonly root: string;
  private readonly elems: string[];
  private mtpt: Mtpt[];

  /** Takes the reference to chan. */
  constructor(chan: Chan) {
    this.chan = chan;
    this.root = chan.path.root;
    this.elems = [...chan.path.elems];
    this.mtpt = chan.mtpt?.map(({ depth, from }) => ({ depth, from: from.incref() })) ?? [];
  }

  get path(): Path {
    return new Path(this.root, [...this.elems]);
  }

  get isdir(): boolean {
    return (this.chan.qid.type & QTDIR) !== 0;
  }

  /** Goes to what is mounted on chan. */
  *domount(mh: Mhead): Task<void> {
    const gone = [this.chan, ...this.#take(this.elems.length)];
    this.mtpt.push({ depth: this.elems.length, from: mh.from.incref() });
    this.head = mh;
    this.chan = mh.first.incref();
    yield* ccloseall(gone);
  }

  /**
   * Goes on by these names to the Chan found. With mh the last of them is a mount point, and the walk goes
   * to what is mounted there.
   */
  *forward(names: readonly string[], mh: Mhead | null): Task<void> {
    const gone = [this.chan];
    const found = this.#takefound();
    for (const name of names) this.elems.push(name);
    if (mh === null) this.chan = found ?? this.chan.incref();
    else {
      if (found !== null) gone.unshift(found);
      this.chan = mh.first.incref();
      this.mtpt.push({ depth: this.elems.length, from: mh.from.incref() });
    }
    this.head = mh;
    this.crossed = mh !== null;
    yield* ccloseall(gone);
  }

  /**
   * Goes up to the Chan found. If the directory above is one that the walk crossed to as a mount, the walk
   * goes to the file that the mount covers.
   */
  *dotdot(): Task<void> {
    const gone = this.elems.length > 0 ? this.#take(this.elems.length) : [];
    this.elems.pop();
    const [from] = this.#take(this.elems.length);
    const found = this.#takefound() ?? this.chan.incref();
    if (from !== undefined) gone.push(found);
    gone.push(this.chan);
    this.chan = from ?? found;
    this.head = null;
    this.crossed = false;
    yield* ccloseall(gone);
  }

  #takefound(): Chan | null {
    const c = this.found;
    this.found = null;
    return c;
  }

  /** Takes the covered Chans of an element out of the list. The caller has their references. */
  #take(depth: number): Chan[] {
    const out = this.mtpt.filter((m) => m.depth === depth);
    if (out.length > 0) this.mtpt = this.mtpt.filter((m) => m.depth !== depth);
    return out.map((m) => m.from);
  }

  /** Makes chan a Chan with one reference, so that its fid may be opened or moved, and without mount points. */
  *unique(up: Proc): Task<void> {
    // The file that an unmount has uncovered may be here alone. It has the mount points that led to it.
    if (this.chan.ref === 1 && this.chan.mtpt === null) return;
    const nc = yield* cclone(up, this.chan);
    const old = this.chan;
    this.chan = nc;
    yield* cclose(old);
  }

  /** Gives chan, which is unique, the path that led here and its mount points. The caller has the Chan now. */
  named(): Chan {
    const { chan } = this;
    chan.path = this.path;
    chan.mtpt = this.mtpt.length > 0 ? this.mtpt : null;
    return chan;
  }

  close(): Task<void> {
    const found = this.#takefound();
    const held = [this.chan, ...this.mtpt.map((m) => m.from)];
    return ccloseall(found === null ? held : [found, ...held]);
  }
}

/** Another Chan for the same file. */
export function* cclone(up: Proc, c: Chan): Task<Chan> {
  const { clone } = yield* waitfor(c.dev.walk(up, c, []));
  if (clone === null) return error("clone failed");
  return clone;
}

/**
 * The Chan of `names` from c, or a Miss when one of them is not there. The caller keeps c. Without a table
 * (a name such as #s/x) nothing is mounted on the way.
 */
export function* walk(
  up: Proc,
  tab: MountTable | null,
  c: Chan,
  names: readonly string[],
): Task<Chan | Miss> {
  const p = new Place(c.incref());
  let arrived = false;
  try {
    for (let have = 0; have < names.length;) {
      if (!p.isdir) return { error: Enotdir, at: have };
      const part = portion(names, have);
      const got = yield* step(up, tab, p, part);
      if (typeof got !== "number") return { ...got, at: have + got.at };
      have += got;
    }
    yield* p.unique(up);
    arrived = true;
    return p.named();
  } finally {
    if (!arrived) yield* p.close();
  }
}

/** The names that may be asked for together: a ".." alone, else those before the next one. */
function portion(names: readonly string[], have: number): readonly string[] {
  if (names[have] === "..") return names.slice(have, have + 1);
  let end = have + 1;
  while (end < names.length && end - have < MAXWELEM && names[end] !== "..") end++;
  return names.slice(have, end);
}

/** Goes on by some of the names of `part`, and gives how many. */
function* step(
  up: Proc,
  tab: MountTable | null,
  p: Place,
  part: readonly string[],
): Task<number | Miss> {
  const dotdot = part[0] === "..";
  const here = dotdot || p.crossed ? null : (tab?.at(p.chan) ?? null);
  if (here !== null) {
    yield* p.domount(here);
    if (up.k.trace.on) tracemount(up, p, here, part);
  }
  const a = yield* ask(up, tab !== null, p, part);
  const n = a.qids.length;
  const refused = a.fact === undefined ? {} : { fact: a.fact };
  if (p.found === null && n === 0) return { error: a.error, at: 1, ...refused };
  if (dotdot) {
    yield* p.dotdot();
    return 1;
  }
  // What is mounted on the last name is crossed to by the next step, or by namec.
  for (const [i, qid] of a.qids.slice(0, part.length - 1).entries()) {
    const mh = tab?.find(a.dev, a.devno, qid) ?? null;
    if (mh === null) continue;
    yield* p.forward(part.slice(0, i + 1), mh);
    if (up.k.trace.on) tracemount(up, p, mh, part.slice(i + 1));
    return i + 1;
  }
  if (p.found === null) return { ...short(a.qids), ...refused };
  yield* p.forward(part, null);
  return n;
}

/**
 * The Miss of a device's walk that ended early: the next name is not there, or the last is no directory.
 */
function short(qids: readonly Qid[]): Miss {
  const last = qids[qids.length - 1];
  if (last === undefined || (last.type & QTDIR) !== 0)
    return { error: Edoesnotexist, at: qids.length + 1 };
  return { error: Enotdir, at: qids.length };
}

/**
 * Asks the Chan where the walk stands. When it has not even the first name, the other members of the union
 * are asked in order: also when its server is gone, since a device's walk throws no PlanError for names.
 */
function* ask(up: Proc, mounts: boolean, p: Place, part: readonly string[]): Task<Asked> {
  const { dev, devno } = p.chan;
  const first = yield* waitfor(p.chan.dev.walk(up, p.chan, part));
  p.found = first.clone;
  if (up.k.trace.on) traceask(up, p, part, first);
  let { error: why, fact } = first;
  const mh = mounts && isnothing(first) ? p.head : null;
  // The list is read anew each time, since it may have changed meanwhile.
  for (let i = 1; mh !== null && why !== Eintr; i++) {
    const to = mh.mounts[i]?.to.incref();
    if (to === undefined) break;
    try {
      const wq = yield* waitfor(to.dev.walk(up, to, part));
      p.found = wq.clone;
      if (up.k.trace.on) tracemember(up, p, { index: i, elem: part[0] ?? "", wq });
      if (!isnothing(wq))
        return { qids: wq.qids, error: wq.error, fact: wq.fact, dev: to.dev, devno: to.devno };
      why = wq.error;
      fact = wq.fact;
    } finally {
      yield* cclose(to);
    }
  }
  return { qids: first.qids, error: why, fact, dev, devno };
}

/** Not even the first name was there. */
const isnothing = (wq: Walkqid): boolean => wq.clone === null && wq.qids.length === 0;

/** Tells that the walk has stepped onto a mount point. */
function tracemount(up: Proc, p: Place, mh: Mhead, rest: readonly string[]): void {
  const prefix = p.path.toString();
  const members = mh.mounts.length;
  const point = mh.from.path.toString();
  up.k.trace.emit({ type: "namec", step: "prefix", prefix, rest, members, point });
}

function traceask(up: Proc, p: Place, rest: readonly string[], wq: Walkqid): void {
  const got = wq.qids.length;
  const conn = p.chan.dev.conn(p.chan);
  up.k.trace.emit({ type: "namec", step: "walk", chan: p.path.toString(), rest, got, conn });
  if (p.head !== null && p.head.mounts.length > 1)
    tracemember(up, p, { index: 0, elem: rest[0] ?? "", wq });
}

/** A member of a union that was asked for an element, and what its server answered. */
type Membertry = { readonly index: number; readonly elem: string; readonly wq: Walkqid };

function tracemember(up: Proc, p: Place, m: Membertry): void {
  const { index, elem, wq } = m;
  const point = p.head?.from.path.toString() ?? "";
  if (!isnothing(wq)) up.k.trace.emit({ type: "namec", step: "found", point, index, elem });
  else up.k.trace.emit({ type: "namec", step: "miss", point, index, elem, error: wq.error });
}
