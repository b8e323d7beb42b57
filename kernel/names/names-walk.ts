// Walking in the name space `names`. A name starts at a device, at dot, or at its longest mounted prefix:
// nothing is sent to find out. From there the device is asked for the rest at once; where its server takes
// groups the walk is put off (device λ), and goes with the operation. Of a union the first member that has
// the first element wins, also where a later element is then missing.

import { andthen, after, istask } from "../abi/answer.ts";
import { DMDIR, MCREATE, OEXCL, OSTREAM, OTRUNC, QTDIR } from "../abi/const.ts";
import type { Dir } from "../abi/dir.ts";
import { Eintr, Enocreate, Enonexist, Enotdir, PlanError, error } from "../abi/errors.ts";
import { CLATER, CMTPT, Path, cclose } from "../chan.ts";
import type { Chan, Unionstate } from "../chan.ts";
import { QTNONE } from "../dev.ts";
import type { Walkqid, Want } from "../dev.ts";
import type { Proc } from "../proc/proc.ts";
import { DONE, waitfor } from "../proc/rendez.ts";
import type { Answer, Task } from "../proc/rendez.ts";
import type { Asking } from "../trace.ts";
import { cleanelems, nameupto, parsename, rawindex } from "./name.ts";
import type { Name } from "./name.ts";
import { createin, exists, named, truncate, using, whole } from "./namec.ts";
import type { Member, MountTable, Prefix } from "./names-table.ts";
import { attach } from "./namespace.ts";
import type { Blame, Forcedby, Way } from "./namespace.ts";
import { young } from "../abi/young.ts";

/** The members of a mount point as they are now: an unmount ends the reading of a union. */
export type Membersat = { membersat(elems: readonly string[]): readonly Chan[] };

/** Where a walk begins. */
export type Origin = {
  readonly name: Name;
  /** The union it starts at; null at dot and at a device. */
  readonly members: readonly Member[] | null;
  /** The Chan it starts at: the first member's, dot's or the device's. */
  readonly chan: Chan;
  /** The elements to walk. */
  readonly rest: readonly string[];
  /** The whole name, cleaned. */
  readonly path: Path;
  /** Elements of the path that are not walked, since the table knows them. */
  readonly skip: number;
  /** Elements of the path that are dot's. */
  readonly dotlen: number;
  /** The rest is walked as given, ".." and all: a device's own tree. */
  readonly raw: boolean;
};

/**
 * The start of a walk. It holds the table, whose Chans stay open under it, and dot or the attached device,
 * which may change while it is walked from. A table remembers the starts of names that begin at a mount point, and
 * a call uses such a start again while no other call has it.
 */
export class Start implements Way {
  // A table has thousands of these. What each call needs is here, the rest in `from`, which few calls touch.
  up: Proc;
  space: Membersat;
  /** A call has it. */
  busy = true;
  readonly mustdir: boolean;
  /** The walk starts at more members than one. */
  readonly union: boolean;
  readonly table: MountTable;
  readonly members: readonly Member[] | null;
  readonly chan: Chan;
  readonly rest: readonly string[];
  readonly path: Path;
  private readonly from: Origin;

  /** Takes the reference to the Chan of an origin without members. */
  constructor(up: Proc, table: MountTable, space: Membersat, o: Origin) {
    this.up = up;
    this.space = space;
    this.mustdir = o.name.mustdir;
    this.union = o.members !== null && o.members.length > 1;
    this.table = table;
    table.ref++;
    this.members = o.members;
    this.chan = o.chan;
    this.rest = o.rest;
    this.path = o.path;
    this.from = o;
  }

  /** This start, which the table remembers, for another call. */
  again(up: Proc, space: Membersat): this {
    this.busy = true;
    this.up = up;
    this.space = space;
    this.table.ref++;
    return this;
  }

  get name(): Name {
    return this.from.name;
  }

  get ismtpt(): boolean {
    return this.members !== null && this.rest.length === 0;
  }

  get end(): number {
    return this.rest.length;
  }

  get last(): string {
    return this.rest[this.rest.length - 1] ?? "";
  }

  /** The name of the mount point that the walk starts at. */
  get point(): string {
    return `/${this.path.elems.slice(0, this.from.skip).join("/")}`;
  }

  /** A Chan for `rest`, walked or, where the server lets us, put off. */
  find(rest: readonly string[] = this.rest): Answer<Chan> {
    if (this.union && rest.length > 0) return walkunion(this, rest);
    const { chan, up } = this;
    const c = putoff(this, rest);
    if (c !== null) return c;
    // The trace is to hear of the walk.
    return (up.k.trace.on ? null : chan.dev.chanat(up, chan, rest)) ?? walkfrom(this, chan, rest);
  }

  found(why: Forcedby): Answer<Chan> {
    return andthen(walked(this, this.rest, why), (c) => {
      c.path = this.path;
      return c;
    });
  }

  /** c itself: the walk began at the last mount point on the name, so nothing is mounted on c. */
  cross(c: Chan): Chan {
    return c;
  }

  stat(): Answer<Dir> {
    const { chan, rest, up } = this;
    if (this.union && rest.length > 0) return statunion(this);
    // The trace is to hear of the walk.
    const e = up.k.trace.on ? null : chan.dev.statat(up, chan, rest);
    const d = e ?? statone(this);
    return istask(d) ? after(d, (x) => this.entry(x)) : this.entry(d);
  }

  /** d under the name that was asked for. */
  entry(d: Dir): Dir {
    if (this.mustdir && (d.mode & DMDIR) === 0) throw whole(this, Enotdir);
    const name = this.path.last;
    return d.name === name ? d : { ...d, name };
  }

  opened(c: Chan): Chan {
    this.created(c);
    if (this.members === null || this.rest.length > 0) return c;
    c.flag |= CMTPT;
    if (this.union) c.union = unionof(this.space, this.path.elems);
    return c;
  }

  createnow(want: Want): Answer<Chan> | null {
    const { members, rest, name } = this;
    const one = members === null || members.length === 1;
    if (!one || name.mustdir || rest.length === 0) return null;
    if (forbidden(this)) return createforbidden(this, want);
    const dir = putoff(this, rest.slice(0, -1));
    if (dir === null) return null;
    tracecreate(this, -1);
    return createin(this, dir, want);
  }

  look(): Answer<Chan | null> {
    return this.rest.length === 0 ? this.find() : lookfor(this);
  }

  parent(): Answer<Chan> {
    return createdir(this);
  }

  created(c: Chan): Chan {
    // A descriptor's or a posted Chan, which devices d and s give, keeps the name it has.
    if (c.ref === 1) c.path = this.path;
    if (c.streams !== null) c.streams.name = namer(this);
    return c;
  }

  blame(at: number): Blame {
    const { rest, path } = this;
    const { name, raw, dotlen, skip } = this.from;
    const k = raw ? at + 1 : rawindex(name, dotlen, skip + at + 1);
    const element = rest[at] ?? path.last;
    const i = path.elems.lastIndexOf(element);
    const walked = i < 0 ? name.elems.length : i + 1;
    return { name: k === 0 ? name.text : nameupto(name, k), element, walked };
  }

  release(): Task<void> {
    const { table, up } = this;
    if (this.members !== null) {
      // It may be remembered for longer than the process lives.
      this.up = up.k.proc0 ?? up;
      this.busy = false;
      if (table.ref === 1) return table.release();
      table.ref--;
      return DONE;
    }
    const t = cclose(this.chan);
    if (!istask(t) && table.ref > 1) {
      table.ref--;
      return DONE;
    }
    return releaseboth(t, table);
  }
}

function unionof(space: Membersat, elems: readonly string[]): Unionstate {
  return { members: () => space.membersat(elems), uri: 0, umc: null };
}

/** What puts the name into errors of a stream. */
function namer(s: Start): (e: PlanError) => PlanError {
  return young((e: PlanError) => named(s, e, true));
}

function* releaseboth(t: Task<void>, table: MountTable): Task<void> {
  try {
    yield* t;
  } finally {
    yield* table.release();
  }
}

const NODOT: readonly string[] = [];

/** Where the walk of a name starts that the table does not remember. */
export function start(up: Proc, text: string, table: MountTable, space: Membersat): Answer<Start> {
  const name = parsename(text);
  if (name.root === "/" || (name.root === "" && up.dot.path.root === "/")) {
    const s = new Start(up, table, space, fromtable(up, table, name));
    if (name.root === "/") table.remember(s);
    return s;
  }
  if (name.root === "") return new Start(up, table, space, fromdevice(up, name));
  const chan = attach(up, name.root);
  if (istask(chan)) return attaching(up, name, table, space, chan);
  return new Start(up, table, space, fromattach(up, name, chan));
}

function* attaching(
  up: Proc,
  name: Name,
  table: MountTable,
  space: Membersat,
  a: Task<Chan>,
): Task<Start> {
  table.hold();
  try {
    return new Start(up, table, space, fromattach(up, name, yield* a));
  } finally {
    yield* table.release();
  }
}

/** A name in the tree. One that begins with / starts at the same place as long as the table is this one. */
function fromtable(up: Proc, table: MountTable, name: Name): Origin {
  const { trace } = up.k;
  const from = name.root === "/" ? NODOT : up.dot.path.elems;
  const elems = from.length > 0 || name.dotdot ? cleanelems(from, name.elems) : name.elems;
  if (trace.on)
    trace.emit({ type: "namec", step: "clean", name: name.text, path: `/${elems.join("/")}` });
  const { node, depth } = table.lookup(elems);
  if (name.root === "") return fromdot(up, name, elems, { node, depth });
  return fromprefix(up, name, elems, { node, depth });
}

/** From dot, unless the table has a mount point at dot's name or below it on the way. */
function fromdot(up: Proc, name: Name, elems: readonly string[], at: Prefix): Origin {
  const { dot } = up;
  const dotlen = dot.path.elems.length;
  if (at.depth >= dotlen || !isbelow(dot.path.elems, elems))
    return { ...fromprefix(up, name, elems, at), dotlen };
  const rest = elems.slice(dotlen);
  if (up.k.trace.on)
    up.k.trace.emit({ type: "namec", step: "dot", path: dot.path.toString(), rest });
  const path = new Path("/", elems);
  const chan = dot.incref();
  return { name, members: null, chan, rest, path, skip: dotlen, dotlen, raw: false };
}

/** From the longest prefix that is a mount point. */
function fromprefix(up: Proc, name: Name, elems: readonly string[], at: Prefix): Origin {
  const { depth } = at;
  const { members } = at.node;
  const first = members[0];
  if (first === undefined) return error("mount table without a root");
  const rest = depth === 0 ? elems : elems.slice(depth);
  if (up.k.trace.on) {
    const prefix = `/${elems.slice(0, depth).join("/")}`;
    const { length } = members;
    up.k.trace.emit({
      type: "namec",
      step: "prefix",
      prefix,
      rest,
      members: length,
      point: prefix,
    });
  }
  const path = new Path("/", elems);
  return { name, members, chan: first.chan, rest, path, skip: depth, dotlen: 0, raw: false };
}

function isbelow(dot: readonly string[], elems: readonly string[]): boolean {
  for (let i = 0; i < dot.length; i++) if (dot[i] !== elems[i]) return false;
  return elems.length >= dot.length;
}

/** From a dot inside a device's tree: its names bypass the table, and ".." is the device's to walk. */
function fromdevice(up: Proc, name: Name): Origin {
  const { dot } = up;
  const elems = cleanelems(dot.path.elems, name.elems);
  if (up.k.trace.on)
    up.k.trace.emit({ type: "namec", step: "dot", path: dot.path.toString(), rest: name.elems });
  const path = new Path(dot.path.root, elems);
  const chan = dot.incref();
  return { name, members: null, chan, rest: name.elems, path, skip: 0, dotlen: 0, raw: true };
}

/** From a name such as #s/x: the device is attached for it. */
function fromattach(up: Proc, name: Name, chan: Chan): Origin {
  const rest = name.dotdot ? cleanelems([], name.elems) : name.elems;
  const path = new Path(name.root, rest);
  if (up.k.trace.on) up.k.trace.emit({ type: "namec", step: "device", path: name.root, rest });
  return { name, members: null, chan, rest, path, skip: 0, dotlen: 0, raw: false };
}

/** How a walk failed, as an error that says after how many elements. */
function walkerror(wq: Walkqid): PlanError {
  const n = wq.qids.length;
  const last = wq.qids[n - 1];
  // An element that is no directory is itself what failed, not the one after it.
  const at = n > 0 && last !== undefined && (last.type & QTDIR) === 0 ? n - 1 : n;
  const e = new PlanError(wq.error, at);
  e.began = n > 0;
  if (wq.fact !== undefined) e.fact = wq.fact;
  return e;
}

/** The Chan of a walk that goes with what comes next; null where the server takes no groups. */
function putoff(s: Start, rest: readonly string[]): Chan | null {
  const { chan, up } = s;
  const c = chan.dev.later?.defer(chan, rest) ?? null;
  if (c !== null && up.k.trace.on)
    up.k.trace.emit({ type: "namec", step: "deferred", chan: chan.path.toString(), rest });
  return c;
}

function walkfrom(s: Start, chan: Chan, rest: readonly string[]): Answer<Chan> {
  const wq = chan.dev.walk(s.up, chan, rest);
  return istask(wq) ? reaching(s, chan, rest, wq) : reached(s, chan, rest, wq);
}

function* reaching(s: Start, chan: Chan, rest: readonly string[], wq: Task<Walkqid>): Task<Chan> {
  return reached(s, chan, rest, yield* wq);
}

function reached(s: Start, chan: Chan, rest: readonly string[], wq: Walkqid): Chan {
  const { trace } = s.up.k;
  if (trace.on) {
    const [at, got] = [chan.path.toString(), wq.qids.length];
    trace.emit({ type: "namec", step: "walk", chan: at, rest, got, conn: chan.dev.conn(chan) });
  }
  if (wq.clone === null) throw walkerror(wq);
  return wq.clone;
}

/** The Chan of `rest`, walked: if walk has put it off, it is made now, because of `why`. */
function walked(s: Start, rest: readonly string[], why: Forcedby): Answer<Chan> {
  return andthen(s.find(rest), (c) => force(s, c, rest, why));
}

/** Makes a walk that was put off; any other Chan is as it was. */
export function force(s: Start, c: Chan, rest: readonly string[], why: Forcedby): Answer<Chan> {
  return (c.flag & CLATER) !== 0 ? forced(s, c, rest, why) : c;
}

function* forced(s: Start, c: Chan, rest: readonly string[], why: Forcedby): Task<Chan> {
  const { up } = s;
  if (up.k.trace.on)
    up.k.trace.emit({ type: "namec", step: "forced", chan: c.path.toString(), rest, why });
  try {
    return yield* memberwalk(up, c, c, rest);
  } finally {
    yield* cclose(c);
  }
}

/**
 * Asks all remote members of a union for the same at once. Then it takes them in order, up to the first that has the
 * first element: what `answer` gives of that member is the union's, and so is its error. A server that is gone has
 * nothing: a union goes on without it.
 */
function* inunion<T>(
  s: Start,
  rest: readonly string[],
  what: Asking["what"],
  answer: (chan: Chan, late: Chan | null) => Answer<T>,
): Task<T> {
  const members = s.members ?? [];
  const late = yield* askall(s.up, members, rest, { what, of: "union" });
  let last = new PlanError(Enonexist, 0);
  try {
    for (const [i, m] of members.entries()) {
      const c = late[i] ?? null;
      try {
        const value = yield* waitfor(answer(m.chan, c));
        tracemember(s, i, null);
        return value;
      } catch (e) {
        if (!(e instanceof PlanError) || e.message === Eintr) throw e;
        const has = what === "walk" ? e.began === true : statedfirst(e, c);
        tracemember(s, i, has ? null : e.message);
        if (has) throw e;
        e.at = 0;
        last = e;
      }
    }
    throw last;
  } finally {
    for (const c of late) if (c !== null) yield* cclose(c);
  }
}

function walkunion(s: Start, rest: readonly string[]): Task<Chan> {
  return inunion(s, rest, "walk", (chan, late) => memberwalk(s.up, chan, late, rest));
}

/** Whether the member whose walk and stat failed with e has the first element: the walk came there, or the stat failed. */
function statedfirst(e: PlanError, c: Chan | null): boolean {
  return c === null ? e.began === true || e.at === undefined : c.qid.type !== QTNONE;
}

/** The walk from a member, or from `late`, where it was put off. */
function* memberwalk(up: Proc, chan: Chan, late: Chan | null, rest: readonly string[]): Task<Chan> {
  const later = late?.dev.later ?? null;
  const wq =
    late !== null && later !== null
      ? yield* later.force(up, late)
      : yield* waitfor(chan.dev.walk(up, chan, rest));
  if (wq.clone === null) throw walkerror(wq);
  return wq.clone;
}

/** The entry of the file, where no union has to be asked. */
function statone(s: Start): Answer<Dir> {
  const { chan, rest, up } = s;
  if (rest.length === 0) return chan.dev.stat(up, chan);
  return statclose(up, putoff(s, rest) ?? walkfrom(s, chan, rest));
}

function statunion(s: Start): Task<Dir> {
  const { rest, up } = s;
  const entry = inunion(s, rest, "stat", (chan, late) =>
    late === null ? statclose(up, walkfrom(s, chan, rest)) : late.dev.stat(up, late),
  );
  return after(entry, (d) => s.entry(d));
}

function statclose(up: Proc, c: Answer<Chan>): Answer<Dir> {
  return using(c, (x) => x.dev.stat(up, x));
}

/** Tells the trace that a member has the first element, or with which error it has not. */
function tracemember(s: Start, index: number, miss: string | null): void {
  const { trace } = s.up.k;
  if (!trace.on) return;
  const at = { point: s.point, index, elem: s.rest[0] ?? "" };
  if (miss === null) trace.emit({ type: "namec", step: "found", ...at });
  else trace.emit({ type: "namec", step: "miss", ...at, error: miss });
}

/** What holds a Chan that is asked: a member of a union, or an entry of a directory that is a mount point. */
type Chanholder = { readonly chan: Chan };

/** Sends the walk (and stat) to every member whose server takes it later; null for the others. */
export function* askall(
  up: Proc,
  members: readonly Chanholder[],
  rest: readonly string[],
  how: Asking,
): Task<(Chan | null)[]> {
  const late = members.map((m) => m.chan.dev.later?.defer(m.chan, rest) ?? null);
  yield* askeach(up, late, rest, how);
  return late;
}

/** Sends the walks that were put off, all before the first answer. If it fails, it closes their Chans. */
export function* askeach(
  up: Proc,
  late: readonly (Chan | null)[],
  rest: readonly string[],
  how: Asking,
): Task<void> {
  let done = false;
  if (up.k.trace.on) traceask(up, late, rest, how);
  try {
    for (const c of late) if (c !== null) yield* asklater(up, c, how.what);
    done = true;
  } finally {
    if (!done) for (const c of late) if (c !== null) yield* cclose(c);
  }
}

function* asklater(up: Proc, c: Chan, what: "walk" | "stat"): Task<void> {
  try {
    yield* c.dev.later?.ask(up, c, what) ?? DONE;
  } catch (e) {
    // The server could not be asked, so the step that takes this member's answer fails, in its turn.
    if (!(e instanceof PlanError) || e.message === Eintr) throw e;
  }
}

function traceask(
  up: Proc,
  late: readonly (Chan | null)[],
  rest: readonly string[],
  how: Asking,
): void {
  const asked = late.flatMap((c, i) => (c === null ? [] : [i]));
  if (asked.length > 0) up.k.trace.emit({ type: "namec", step: "ask", asked, rest, ...how });
}

function tracecreate(s: Start, index: number): void {
  const { trace } = s.up.k;
  if (!trace.on) return;
  const dir = new Path(s.path.root, s.path.elems.slice(0, -1)).toString();
  trace.emit({ type: "namec", step: "create", dir, elem: s.path.last, index });
}

/** A mount point's direct children can be created only where a member has MCREATE. */
function forbidden(s: Start): boolean {
  return (
    s.members !== null && s.rest.length === 1 && !s.members.some((m) => (m.flags & MCREATE) !== 0)
  );
}

/** Create where no new file may be made (forbidden): a file that is there is opened and truncated. */
function* createforbidden(s: Start, want: Want): Task<Chan> {
  let there: Chan;
  try {
    there = yield* waitfor((want.omode & OEXCL) === 0 ? s.find() : s.found("exclusive"));
    // No OSTREAM, with which open returns before the server's answer: the answer says whether the name is there.
    if ((want.omode & OEXCL) === 0)
      return yield* waitfor(truncate(s, there, (want.omode | OTRUNC) & ~OSTREAM));
  } catch (e) {
    throw e instanceof PlanError && e.at !== undefined ? whole(s, Enocreate) : e;
  }
  return yield* waitfor(exists(s, there, want));
}

/** The Chan of the name, null when its last element is missing; other failures are the caller's error. */
function* lookfor(s: Start): Task<Chan | null> {
  const { up, rest, name } = s;
  if (up.k.trace.on) up.k.trace.emit({ type: "namec", step: "look", elem: s.path.last });
  try {
    return yield* waitfor(walked(s, rest, "look"));
  } catch (e) {
    if (!(e instanceof PlanError) || e.message === Eintr || e.at === undefined) throw e;
    // Where its parent is no directory, the device says so when asked to create.
    if (e.at === rest.length - 1) return null;
    if (e.at === rest.length - 2 && e.message === Enotdir && !name.mustdir) return null;
    throw e;
  }
}

/** The directory to create in: the parent, or in a union its first member with MCREATE. */
function createdir(s: Start): Answer<Chan> {
  const rest = s.rest.slice(0, -1);
  if (s.members === null || rest.length > 0) {
    tracecreate(s, -1);
    return walked(s, rest, "parent");
  }
  const i = s.members.findIndex((member) => (member.flags & MCREATE) !== 0);
  const m = s.members[i];
  if (m === undefined) throw whole(s, Enocreate);
  tracecreate(s, s.members.length > 1 ? i : -1);
  const late = m.chan.dev.later?.defer(m.chan, []) ?? null;
  if (late !== null) return late;
  return andthen(m.chan.dev.walk(s.up, m.chan, []), (wq) => {
    if (wq.clone === null) throw walkerror(wq);
    return wq.clone;
  });
}
