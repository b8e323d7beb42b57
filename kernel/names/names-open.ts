// open(2) and create(2) in the name space `names`: what is sent with the walk, and when the walk must be
// made first, because its answer decides. Rules: design, section 3.

import { CCEXEC, CRCLOSE, Path, cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import {
  DMDIR,
  MCREATE,
  OCEXEC,
  OEXCL,
  OEXEC,
  ORCLOSE,
  OSTREAM,
  OTRUNC,
  QTDIR,
} from "../abi/const.ts";
import type { Want } from "../dev.ts";
import {
  Ecreatedir,
  Eexecdir,
  Eexist,
  Eintr,
  Enocreate,
  Enotdir,
  PlanError,
  error,
} from "../abi/errors.ts";
import { QTNONE, force, named, walk, walked, walkerror, whole } from "./names-walk.ts";
import { Aopen } from "./namespace.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Task } from "../proc/rendez.ts";
import type { Start } from "./start.ts";

const MUSTDIR = "must be a directory before it is changed";

export function* open(up: Proc, s: Start, omode: number): Task<Chan> {
  const c = yield* waitfor(walk(up, s, s.rest));
  const forced = s.name.mustdir && (omode & (OTRUNC | ORCLOSE)) !== 0;
  const known = forced ? yield* force(up, c, s.rest, MUSTDIR) : c;
  return yield* openchan(up, s, known, omode);
}

/** Opens c, which it takes over, as what the name stands for. */
function* openchan(up: Proc, s: Start, c: Chan, omode: number): Task<Chan> {
  let nc = c;
  let open = false;
  try {
    checkkind(s, c, omode);
    nc = yield* waitfor(c.dev.open(up, c, devmode(c, omode)));
    if (nc !== c) checkkind(s, nc, omode);
    open = true;
    return finish(s, nc, omode);
  } catch (e) {
    throw (e instanceof PlanError && e.at === undefined ? wrongkind(s, nc, omode) : null) ?? e;
  } finally {
    // Also when it is killed while it waits in the device.
    if (!open) yield* cclose(nc);
  }
}

/** The mode a device is told: OSTREAM is λ's business alone. */
function devmode(c: Chan, omode: number): number {
  return omode & ~(c.dev === c.dev.later ? OCEXEC : OCEXEC | OSTREAM);
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
  if (c.streams !== null) c.streams.name = (e) => named(s, e, Aopen);
  if ((omode & OCEXEC) !== 0) c.flag |= CCEXEC;
  if ((omode & ORCLOSE) !== 0) c.flag |= CRCLOSE;
  if (s.members !== null && s.rest.length === 0) {
    c.ismtpt = true;
    if (s.members.length > 1) c.union = { members: s.live, uri: 0, umc: null };
  }
  return c;
}

export function* create(up: Proc, s: Start, want: Want): Task<Chan> {
  const dot = s.name.elems.length === 0;
  if ((s.name.mustdir || dot) && (want.perm & DMDIR) === 0) throw whole(s, Ecreatedir);
  if (dot) error(Eexist);
  const last = s.rest[s.rest.length - 1];
  if (last === undefined) return yield* exists(up, s, yield* waitfor(walk(up, s, [])), want);
  const one = s.members === null || s.members.length === 1;
  if (one && !s.name.mustdir) {
    if (forbidden(s)) return yield* createforbidden(up, s, want);
    const c = putoff(up, s, s.rest.slice(0, -1));
    if (c !== null) tracecreate(up, s, last, -1);
    if (c !== null) return finish(s, yield* createin(up, c, last, want), want.omode);
  }
  return yield* createwalked(up, s, last, want);
}

/** The Chan of the directory to create in, where the walk may go with the create. */
function putoff(up: Proc, s: Start, rest: readonly string[]): Chan | null {
  const c = s.chan.dev.later?.defer(s.chan, rest) ?? null;
  if (c !== null && up.k.trace.on)
    up.k.trace.emit({ type: "namec", step: "deferred", chan: s.chan.path.toString(), rest });
  return c;
}

function tracecreate(up: Proc, s: Start, elem: string, index: number): void {
  if (!up.k.trace.on) return;
  const dir = new Path(s.path.root, s.path.elems.slice(0, -1)).toString();
  up.k.trace.emit({ type: "namec", step: "create", dir, elem, index });
}

/** The name is there: it is opened and truncated, or with OEXCL an error. Takes c over. */
function* exists(up: Proc, s: Start, c: Chan, want: Want): Task<Chan> {
  if ((want.omode & OEXCL) === 0) return yield* truncate(up, s, c, want.omode | OTRUNC);
  yield* cclose(c);
  throw whole(s, Eexist);
}

/** Opens c, which it takes over, whatever kind of file it is: to create, what is there is good enough. */
function* truncate(up: Proc, s: Start, c: Chan, omode: number): Task<Chan> {
  let nc: Chan | null = null;
  try {
    nc = yield* waitfor(c.dev.open(up, c, devmode(c, omode)));
    return finish(s, nc, omode);
  } finally {
    if (nc === null) yield* cclose(c);
  }
}

/** A mount point's direct children can be created only where a member has MCREATE. */
function forbidden(s: Start): boolean {
  return (
    s.members !== null && s.rest.length === 1 && !s.members.some((m) => (m.flags & MCREATE) !== 0)
  );
}

function* createforbidden(up: Proc, s: Start, want: Want): Task<Chan> {
  try {
    // No stream: whether the name is there must be known now.
    const omode = (want.omode | OTRUNC) & ~OSTREAM;
    if ((want.omode & OEXCL) === 0)
      return yield* truncate(up, s, yield* waitfor(walk(up, s, s.rest)), omode);
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
  let nc: Chan | null = null;
  try {
    nc = yield* waitfor(
      c.dev.create(up, c, last, { omode: devmode(c, want.omode), perm: want.perm }),
    );
    return nc;
  } finally {
    if (nc === null) yield* cclose(c);
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
  // A create that is put off would open what has come to be there meanwhile.
  const omode = parent.dev === parent.dev.later ? want.omode : want.omode & ~OEXCL;
  try {
    return finish(s, yield* createin(up, parent, last, { omode, perm: want.perm }), want.omode);
  } catch (e) {
    if ((want.omode & OEXCL) !== 0 || !(e instanceof PlanError) || e.message === Eintr) throw e;
    const again = yield* lookfor(up, s);
    if (again === null) throw e;
    return yield* exists(up, s, again, want);
  }
}

/** The Chan of the name, null when its last element is missing; other failures are the caller's error. */
function* lookfor(up: Proc, s: Start): Task<Chan | null> {
  if (up.k.trace.on) up.k.trace.emit({ type: "namec", step: "look", elem: s.path.last });
  try {
    return yield* walked(up, s, s.rest, "create looks whether it is there");
  } catch (e) {
    if (!(e instanceof PlanError) || e.message === Eintr || e.at === undefined) throw e;
    // Where its parent is no directory, the device says so when asked to create.
    if (e.at === s.rest.length - 1) return null;
    if (e.at === s.rest.length - 2 && e.message === Enotdir && !s.name.mustdir) return null;
    throw e;
  }
}

/** The directory to create in: the parent, or in a union its first member with MCREATE. */
function* createdir(up: Proc, s: Start): Task<Chan> {
  const rest = s.rest.slice(0, -1);
  if (s.members === null || rest.length > 0) {
    tracecreate(up, s, s.path.last, -1);
    return yield* walked(up, s, rest, "create needs the directory");
  }
  const i = s.members.findIndex((member) => (member.flags & MCREATE) !== 0);
  const m = s.members[i];
  if (m === undefined) throw whole(s, Enocreate);
  tracecreate(up, s, s.path.last, s.members.length > 1 ? i : -1);
  const late = m.chan.dev.later?.defer(m.chan, []) ?? null;
  if (late !== null) return late;
  const wq = yield* waitfor(m.chan.dev.walk(up, m.chan, []));
  if (wq.clone === null) throw walkerror(wq);
  return wq.clone;
}
