// The name space `names`: namec over the immutable mount table (mtab.ts). A name is cleaned, its longest
// mounted prefix found in memory, and the device then asked for exactly what is wanted, in one exchange
// where its server can take one. Binding and listing are in names-bind.ts. Rules: design, section 3.

import { CCEXEC, CRCLOSE, Path, cclose } from "./chan.ts";
import type { Chan } from "./chan.ts";
import { DMDIR, MCREATE, OCEXEC, OEXCL, OEXEC, ORCLOSE, OTRUNC, QTDIR } from "./const.ts";
import type { Walkqid, Want } from "./dev.ts";
import type { Dir, Wstat } from "./dir.ts";
import {
  Ecreatedir,
  Eexecdir,
  Eexist,
  Eintr,
  Eismtpt,
  Enocreate,
  Enonexist,
  Enotdir,
  PlanError,
  error,
} from "./errors.ts";
import type { MountTable } from "./mtab.ts";
import { nameerror, nameupto, parsename, rawindex } from "./name.ts";
import { Acreate, Aopen, Aremove, Astat, Atodir, Awstat } from "./namespace.ts";
import type { Proc } from "./proc.ts";
import type { Task } from "./rendez.ts";
import { attached, release, startof } from "./start.ts";
import type { Start } from "./start.ts";

/** What namec's last argument may be. */
export type Arg = number | Want | Wstat | undefined;

/** What namec is to do: one of the access modes of namespace.ts, and what goes with it. */
export type Wanted = { readonly amode: number; readonly arg: Arg };

/** Does with the name what is wanted. The overloads of Namespace.namec give the types. */
export function* namec(up: Proc, table: MountTable, text: string, want: Wanted): Task<unknown> {
  const name = parsename(text);
  const s = startof(up, table, name) ?? (yield* attached(up, name));
  try {
    switch (want.amode) {
      case Astat:
        return statnow(up, s) ?? (yield* stat(up, s));
      case Aopen:
        return yield* open(up, s, want.arg as number);
      case Acreate:
        return yield* create(up, s, want.arg as Want);
      case Aremove:
        return yield* remove(up, s);
      case Awstat:
        return yield* wstat(up, s, want.arg as Wstat);
      case Atodir:
        return yield* todir(up, s);
      default:
        return error(`namec: access mode ${want.amode}`);
    }
  } catch (e) {
    throw e instanceof PlanError ? named(s, e, want.amode) : e;
  } finally {
    if (s.owned) yield* release(s);
  }
}

/** The error with the part of the name that failed, as the kernel shows it. */
export function named(s: Start, e: PlanError, amode: number): PlanError {
  const { name } = s;
  e.file = name.text;
  if (e.at === undefined) {
    // What fails after the walk is the device's own business, but for an open or create.
    if (
      (amode !== Aopen && amode !== Acreate) ||
      name.elems.length === 0 ||
      e.element !== undefined
    )
      return e;
    e.at = s.rest.length;
    e.element = s.path.last;
    e.message = nameerror(name.text, e.message);
    return e;
  }
  const k = s.raw ? e.at + 1 : rawindex(name, s.dotlen, s.skip + e.at + 1);
  e.element = s.rest[e.at] ?? s.path.last;
  e.message = nameerror(k === 0 ? name.text : nameupto(name, k), e.message);
  return e;
}

/** The error for the whole name. */
export function whole(s: Start, text: string): PlanError {
  const e = new PlanError(s.name.elems.length === 0 ? text : nameerror(s.name.text, text));
  e.element = s.path.last;
  return e;
}

/** How a walk failed, as an error that says after how many elements. */
function walkerror(wq: Walkqid): PlanError {
  const n = wq.qids.length;
  const last = wq.qids[n - 1];
  // An element that is no directory is itself what failed, not the one after it.
  const at = n > 0 && last !== undefined && (last.type & QTDIR) === 0 ? n - 1 : n;
  return new PlanError(wq.error, at);
}

/**
 * A Chan for the start's rest, walked or, where the server lets us, put off. Of a union the first member
 * that has the first element wins, also where a later element is then missing.
 */
export function* walk(up: Proc, s: Start, rest: readonly string[]): Task<Chan> {
  if (s.members !== null && s.members.length > 1 && rest.length > 0) {
    const wq = yield* pick(up, s, rest);
    if (wq.clone === null) throw walkerror(wq);
    return wq.clone;
  }
  const { chan } = s;
  const late = chan.dev.later?.defer(chan, rest) ?? null;
  const { trace } = up.k;
  if (late !== null) {
    if (trace.on) trace.emit({ type: "namec", step: "deferred", chan: chan.path.toString(), rest });
    return late;
  }
  const wq = yield* chan.dev.walk(up, chan, rest);
  if (trace.on)
    trace.emit({
      type: "namec",
      step: "walk",
      chan: chan.path.toString(),
      rest,
      got: wq.qids.length,
    });
  if (wq.clone === null) throw walkerror(wq);
  return wq.clone;
}

/** walk, and really made. */
export function* walked(up: Proc, s: Start, rest: readonly string[], why: string): Task<Chan> {
  return yield* force(up, yield* walk(up, s, rest), why);
}

/** Makes a walk that was put off; any other Chan is as it was. */
export function* force(up: Proc, c: Chan, why: string): Task<Chan> {
  const later = c.dev.later;
  if (later === undefined || c.dev !== later) return c;
  if (up.k.trace.on)
    up.k.trace.emit({ type: "namec", step: "forced", chan: c.path.toString(), rest: [], why });
  try {
    const wq = yield* later.force(up, c);
    if (wq.clone === null) throw walkerror(wq);
    return wq.clone;
  } finally {
    yield* cclose(c);
  }
}

/** Asks all remote members at once, then takes them in order up to the first that has the first element. */
function* pick(up: Proc, s: Start, rest: readonly string[]): Task<Walkqid> {
  const members = s.members ?? [];
  const late = yield* askall(up, members, rest, "walk");
  let last: Walkqid = { clone: null, qids: [], error: Enonexist };
  try {
    for (const [i, m] of members.entries()) {
      const c = late[i] ?? null;
      last = yield* attempt(c === null ? m.chan.dev.walk(up, m.chan, rest) : laterforce(up, c));
      traceMember(up, s, i, last);
      if (last.qids.length > 0) break;
    }
    return last;
  } finally {
    for (const c of late) if (c !== null) yield* cclose(c);
  }
}

function laterforce(up: Proc, c: Chan): Task<Walkqid> {
  return c.dev.later === undefined ? c.dev.walk(up, c, []) : c.dev.later.force(up, c);
}

/** A server that is gone has nothing: a union goes on without it. */
function* attempt(task: Task<Walkqid>): Task<Walkqid> {
  try {
    return yield* task;
  } catch (e) {
    if (!(e instanceof PlanError) || e.message === Eintr) throw e;
    return { clone: null, qids: [], error: e.message };
  }
}

/** Sends the walk (and stat) to every member whose server takes it later; null for the others. */
export function* askall(
  up: Proc,
  members: readonly { readonly chan: Chan }[],
  rest: readonly string[],
  what: "walk" | "stat",
): Task<(Chan | null)[]> {
  const late = members.map((m) => m.chan.dev.later?.defer(m.chan, rest) ?? null);
  for (const c of late) if (c !== null) yield* asklater(up, c, what);
  return late;
}

function* asklater(up: Proc, c: Chan, what: "walk" | "stat"): Task<void> {
  try {
    yield* c.dev.later?.ask(up, c, what) ?? nothing();
  } catch (e) {
    // It could not be asked: receiving says why, in its turn.
    if (!(e instanceof PlanError) || e.message === Eintr) throw e;
  }
}

function* nothing(): Task<void> {}

function traceMember(up: Proc, s: Start, index: number, wq: Walkqid): void {
  if (!up.k.trace.on) return;
  const elem = s.rest[0] ?? "";
  if (wq.qids.length > 0) up.k.trace.emit({ type: "namec", step: "found", index, elem });
  else up.k.trace.emit({ type: "namec", step: "miss", index, elem, error: wq.error });
}

/** The entry where a device has it at hand, as one in memory does; null where it must be asked. */
function statnow(up: Proc, s: Start): Dir | null {
  const { chan } = s;
  if (
    chan.dev.statof === undefined ||
    (s.members !== null && s.members.length > 1 && s.rest.length > 0)
  )
    return null;
  const d = chan.dev.statof(up, chan, s.rest);
  if ("clone" in d) throw walkerror(d);
  if (up.k.trace.on)
    up.k.trace.emit({
      type: "namec",
      step: "walk",
      chan: chan.path.toString(),
      rest: s.rest,
      got: s.rest.length,
    });
  return entry(s, d);
}

function* stat(up: Proc, s: Start): Task<Dir> {
  const union = s.members !== null && s.members.length > 1 && s.rest.length > 0;
  return entry(s, union ? yield* statunion(up, s) : yield* statone(up, s));
}

/** d under the name that was asked for. */
function entry(s: Start, d: Dir): Dir {
  if (s.name.mustdir && (d.mode & DMDIR) === 0) throw whole(s, Enotdir);
  const name = s.path.last;
  return d.name === name ? d : { ...d, name };
}

function* statone(up: Proc, s: Start): Task<Dir> {
  if (s.rest.length === 0) return yield* s.chan.dev.stat(up, s.chan);
  const c = yield* walk(up, s, s.rest);
  try {
    return yield* c.dev.stat(up, c);
  } finally {
    yield* cclose(c);
  }
}

/** All members are asked for the walk and the stat at once: it changes nothing. */
function* statunion(up: Proc, s: Start): Task<Dir> {
  const members = s.members ?? [];
  const late = yield* askall(up, members, s.rest, "stat");
  let last = new PlanError(Enonexist, 0);
  try {
    for (const [i, m] of members.entries()) {
      const c = late[i] ?? null;
      try {
        const d =
          c === null
            ? yield* statone(up, { ...s, members: null, chan: m.chan })
            : yield* c.dev.stat(up, c);
        if (up.k.trace.on)
          up.k.trace.emit({ type: "namec", step: "found", index: i, elem: s.rest[0] ?? "" });
        return d;
      } catch (e) {
        if (!(e instanceof PlanError) || e.message === Eintr) throw e;
        if (e.at !== 0 && missedlater(e, c)) throw e;
        if (up.k.trace.on)
          up.k.trace.emit({
            type: "namec",
            step: "miss",
            index: i,
            elem: s.rest[0] ?? "",
            error: e.message,
          });
        last = new PlanError(e.message, 0);
      }
    }
    throw last;
  } finally {
    for (const c of late) if (c !== null) yield* cclose(c);
  }
}

/** The member has the first element, so it won and its error is the answer. */
function missedlater(e: PlanError, c: Chan | null): boolean {
  return e.at !== undefined || c === null || c.qid.type !== QTNONE;
}

/** The qid type of a λ Chan that has not walked at all. */
export const QTNONE: number = 0xff;

function* open(up: Proc, s: Start, omode: number): Task<Chan> {
  const changes = (omode & (OTRUNC | ORCLOSE)) !== 0;
  let c = yield* walk(up, s, s.rest);
  if (s.name.mustdir && changes)
    c = yield* force(up, c, "must be a directory before it is changed");
  return yield* openchan(up, s, c, omode);
}

/** Opens c, which it takes over, as what the name stands for. */
function* openchan(up: Proc, s: Start, c: Chan, omode: number): Task<Chan> {
  let nc = c;
  try {
    checkkind(s, c, omode);
    nc = yield* c.dev.open(up, c, omode & ~OCEXEC);
    if (nc !== c) checkkind(s, nc, omode);
    return finish(s, nc, omode);
  } catch (e) {
    const kind = e instanceof PlanError && e.at === undefined ? wrongkind(s, nc, omode) : null;
    yield* cclose(nc);
    throw kind ?? e;
  }
}

/** A deferred Chan knows nothing yet and passes. */
function checkkind(s: Start, c: Chan, omode: number): void {
  const e = wrongkind(s, c, omode);
  if (e !== null) throw e;
}

function wrongkind(s: Start, c: Chan, omode: number): PlanError | null {
  if (c.qid.type === QTNONE) return null;
  const dir = (c.qid.type & QTDIR) !== 0;
  if (s.name.mustdir && !dir) return whole(s, Enotdir);
  if ((omode & 3) === OEXEC && dir) return whole(s, Eexecdir);
  return null;
}

/** What the name adds to an open Chan: its path, flags, and the union it is. */
function finish(s: Start, c: Chan, omode: number): Chan {
  // A descriptor's or a posted Chan, which devices d and s give, keeps the name it has.
  if (c.ref === 1) c.path = s.path;
  if ((omode & OCEXEC) !== 0) c.flag |= CCEXEC;
  if ((omode & ORCLOSE) !== 0) c.flag |= CRCLOSE;
  if (s.members !== null && s.rest.length === 0) {
    c.ismtpt = true;
    if (s.members.length > 1) c.union = { members: s.live, uri: 0, umc: null };
  }
  return c;
}

function* remove(up: Proc, s: Start): Task<void> {
  if (s.members !== null && s.rest.length === 0) {
    if (up.k.trace.on)
      up.k.trace.emit({ type: "namec", step: "mountpoint", path: s.path.toString() });
    error(Eismtpt);
  }
  const c = yield* target(up, s);
  try {
    yield* c.dev.remove(up, c);
  } finally {
    yield* cclose(c);
  }
}

function* wstat(up: Proc, s: Start, d: Wstat): Task<void> {
  if (s.members !== null && s.rest.length === 0 && d.name !== undefined && d.name !== "") {
    const e = new PlanError(nameerror(s.path.toString(), Eismtpt));
    e.element = s.path.last;
    throw e;
  }
  const c = yield* target(up, s);
  try {
    yield* c.dev.wstat(up, c, d);
  } finally {
    yield* cclose(c);
  }
}

/** The Chan of something that is about to be changed. */
function* target(up: Proc, s: Start): Task<Chan> {
  if (!s.name.mustdir) return yield* walk(up, s, s.rest);
  const c = yield* walked(up, s, s.rest, "must be a directory before it is changed");
  if ((c.qid.type & QTDIR) !== 0) return c;
  yield* cclose(c);
  throw whole(s, Enotdir);
}

function* todir(up: Proc, s: Start): Task<Chan> {
  const c = yield* walked(up, s, s.rest, "dot must be known");
  if ((c.qid.type & QTDIR) === 0) {
    yield* cclose(c);
    throw whole(s, Enotdir);
  }
  c.path = s.path;
  return c;
}

function* create(up: Proc, s: Start, want: Want): Task<Chan> {
  if (s.name.mustdir && (want.perm & DMDIR) === 0) throw whole(s, Ecreatedir);
  if (s.name.elems.length === 0) error(Eexist);
  const last = s.rest[s.rest.length - 1];
  if (last === undefined) return yield* exists(up, s, yield* walk(up, s, []), want);
  const one = s.members === null || s.members.length === 1;
  if (one && !s.name.mustdir) {
    if (forbidden(s)) return yield* createforbidden(up, s, want);
    const c = s.chan.dev.later?.defer(s.chan, s.rest.slice(0, -1)) ?? null;
    if (c !== null) return finish(s, yield* createin(up, c, last, want), want.omode);
  }
  return yield* createwalked(up, s, last, want);
}

/** The name is there: it is opened and truncated, or with OEXCL an error. Takes c over. */
function* exists(up: Proc, s: Start, c: Chan, want: Want): Task<Chan> {
  if ((want.omode & OEXCL) === 0) return yield* openchan(up, s, c, want.omode | OTRUNC);
  yield* cclose(c);
  throw whole(s, Eexist);
}

/** A mount point's direct children can be created only where a member has MCREATE. */
function forbidden(s: Start): boolean {
  return (
    s.members !== null && s.rest.length === 1 && !s.members.some((m) => (m.flags & MCREATE) !== 0)
  );
}

function* createforbidden(up: Proc, s: Start, want: Want): Task<Chan> {
  try {
    if ((want.omode & OEXCL) === 0) return yield* open(up, s, want.omode | OTRUNC);
    yield* cclose(
      yield* walked(up, s, s.rest, "an exclusive create must see that there is no such file"),
    );
  } catch (e) {
    throw e instanceof PlanError && e.at !== undefined ? whole(s, Enocreate) : e;
  }
  throw whole(s, Eexist);
}

/** dev.create, keeping its rule: a Chan that fails is closed here. */
function* createin(up: Proc, c: Chan, last: string, want: Want): Task<Chan> {
  try {
    return yield* c.dev.create(up, c, last, { omode: want.omode & ~OCEXEC, perm: want.perm });
  } catch (e) {
    const notdir =
      e instanceof PlanError &&
      e.at === undefined &&
      c.qid.type !== QTNONE &&
      (c.qid.type & QTDIR) === 0;
    yield* cclose(c);
    throw notdir ? new PlanError(Enotdir) : e;
  }
}

/**
 * Create where the walk must be made to know: a union, a server that takes no groups, a name that must be
 * a directory. As Plan 9: look for the name, open it truncated if it is there, else create; and if that
 * fails look once more, since another process may have been faster.
 */
function* createwalked(up: Proc, s: Start, last: string, want: Want): Task<Chan> {
  const there = yield* lookfor(up, s);
  if (there !== null) return yield* exists(up, s, there, want);
  const parent = yield* createdir(up, s);
  try {
    return finish(
      s,
      yield* createin(up, parent, last, { omode: want.omode & ~OEXCL, perm: want.perm }),
      want.omode,
    );
  } catch (e) {
    if ((want.omode & OEXCL) !== 0 || !(e instanceof PlanError) || e.message === Eintr) throw e;
    const again = yield* lookfor(up, s);
    if (again === null) throw e;
    return yield* exists(up, s, again, want);
  }
}

/** The Chan of the name, null when its last element is missing; other failures are the caller's error. */
function* lookfor(up: Proc, s: Start): Task<Chan | null> {
  try {
    return yield* walked(up, s, s.rest, "create looks whether it is there");
  } catch (e) {
    if (!(e instanceof PlanError) || e.message === Eintr || e.at === undefined) throw e;
    if (e.at < s.rest.length - 1 && e.message !== Enotdir) throw e;
    if (e.at === s.rest.length - 1) return null;
    // Its parent is no directory: the kernel names the whole.
    throw e.at === s.rest.length - 2 ? whole(s, Enotdir) : e;
  }
}

/** The directory to create in: the parent, or in a union its first member with MCREATE. */
function* createdir(up: Proc, s: Start): Task<Chan> {
  const rest = s.rest.slice(0, -1);
  if (s.members === null || rest.length > 0)
    return yield* walked(up, s, rest, "create needs the directory");
  const m = s.members.find((member) => (member.flags & MCREATE) !== 0);
  if (m === undefined) throw whole(s, Enocreate);
  const late = m.chan.dev.later?.defer(m.chan, []) ?? null;
  if (late !== null) return late;
  const wq = yield* m.chan.dev.walk(up, m.chan, []);
  if (wq.clone === null) throw walkerror(wq);
  return wq.clone;
}

/** The path of a name below another. */
export function pathof(root: string, elems: readonly string[]): Path {
  return new Path(root, elems);
}
