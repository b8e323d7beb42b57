// namec of the name space `standard`: a name becomes a Chan, walked, opened or created, in the steps and
// with the errors of Plan 9's chan.c. Walking is in standard-walk.ts.

import { CCEXEC, CRCLOSE, Chan, ccloseall, cclose } from "../chan.ts";
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
import { nameerror, nameupto, parsename } from "./name.ts";
import type { Name } from "./name.ts";
import { Abind, Acreate, Aopen, Aremove, Astat, Atodir, Awstat } from "./namespace.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Task } from "../proc/rendez.ts";
import type { Mhead, Mnttab } from "./standard-mount.ts";
import { Place, cclone, tracemount, walk } from "./standard-walk.ts";
import { attach } from "./start.ts";

/** The name space that a name is looked up in: its mounts, and the Chan that `/` starts from. */
export type Space = { readonly tab: Mnttab; readonly slash: Chan };

/** What a name came to: a Chan of the caller's, and the mount point it was found through, if any. */
export type Found = { readonly chan: Chan; readonly head: Mhead | null };

/** What is to be done with a name: an access mode, and for Aopen and Acreate how. */
export type Access = { readonly amode: number; readonly want: Want };

export const NOWANT: Want = { omode: 0, perm: 0 };

/** One call of namec, and the Chan it has come to. */
type Call = {
  readonly up: Proc;
  readonly name: Name;
  /** null for a # name: nothing is mounted below it. */
  readonly tab: Mnttab | null;
  chan: Chan;
  head: Mhead | null;
  /** How many elements of the name an error shows: Plan 9's nerror. */
  nerror: number;
  /** The caller has chan now. */
  done: boolean;
};

/** Finds what the name stands for. Throws with the part of the name that failed. */
export function* namec(up: Proc, space: Space, text: string, access: Access): Task<Found> {
  const name = parsename(text);
  const sharp = name.root.startsWith("#");
  const chan = sharp
    ? yield* waitfor(attach(up, name.root))
    : (name.root === "/" ? space.slash : up.dot).incref();
  traceorigin(up, name, chan);
  const tab = sharp ? null : space.tab;
  const f: Call = { up, name, tab, chan, head: null, nerror: 0, done: false };
  try {
    yield* access.amode === Acreate ? create(f, access.want) : find(f, access);
    f.done = true;
    return { chan: f.chan, head: f.head };
  } catch (e) {
    throw e instanceof PlanError ? named(f, e) : e;
  } finally {
    if (!f.done) yield* cclose(f.chan);
  }
}

/** The error with as much of the name as it concerns. */
function named(f: Call, e: PlanError): PlanError {
  const { name, nerror } = f;
  const element = nerror > 0 ? name.elems[nerror - 1] : undefined;
  e.file = name.text;
  if (element !== undefined) e.element = element;
  if (nerror > 0) e.message = nameerror(nameupto(name, nerror), e.message);
  if (f.up.k.trace.on)
    f.up.k.trace.emit({
      type: "namec",
      step: "fail",
      error: e.message,
      walked: nerror,
      elem: element ?? "",
    });
  return e;
}

function* find(f: Call, { amode, want }: Access): Task<void> {
  const { elems } = f.name;
  yield* walkto(f, elems);
  if (f.name.mustdir && !isdir(f.chan)) error(Enotdir);
  switch (amode) {
    case Aopen:
      if ((want.omode & 3) === OEXEC && isdir(f.chan)) error(Eexecdir);
      yield* openit(f, want.omode);
      return;
    case Abind:
      yield* bindside(f);
      return;
    case Aremove:
    case Astat:
    case Awstat:
      yield* ours(f);
      return;
    default:
      // Atodir and Amount stay in front of a mount point, so that one may mount on . and see the effect.
      if (amode === Atodir && !isdir(f.chan)) error(Enotdir);
  }
}

const isdir = (c: Chan): boolean => (c.qid.type & QTDIR) !== 0;

/** Goes to the Chan at the end of these names; a miss is the call's error. */
function* walkto(f: Call, elems: readonly string[]): Task<void> {
  const got = yield* walk(f.up, f.tab, f.chan, elems);
  if (!(got instanceof Chan)) {
    f.nerror = got.at;
    error(got.error);
  }
  const old = f.chan;
  f.chan = got;
  f.nerror = elems.length;
  yield* cclose(old);
}

/** Goes to what is mounted here, keeping its own path: what a bind takes. */
function* bindside(f: Call): Task<void> {
  const mh = f.tab?.at(f.chan) ?? null;
  if (mh === null) return;
  const old = f.chan;
  f.head = mh;
  f.chan = mh.first.incref();
  yield* cclose(old);
}

/** Goes to what is mounted here, under the name that led to it, as a Chan to open or remove. */
function* ours(f: Call): Task<void> {
  const mounted = f.tab !== null && f.tab.at(f.chan) !== null;
  if (!mounted && f.chan.ref === 1) return;
  const p = new Place(f.chan);
  // From here on the Place has the Chan.
  f.done = true;
  let kept = false;
  try {
    if (f.tab !== null) yield* p.domount(f.tab);
    if (p.head !== null) tracemount(f.up, p, []);
    yield* p.unique(f.up);
    yield* p.name();
    kept = true;
  } finally {
    if (!kept) yield* p.close();
  }
  f.done = false;
  f.chan = p.chan;
  f.head = p.head;
  f.chan.ismtpt = f.head !== null;
}

function* openit(f: Call, omode: number): Task<void> {
  yield* ours(f);
  const mh = f.head;
  if (mh !== null && mh.mounts.length > 1)
    f.chan.union = { members: () => mh.mounts.map((m) => m.to), uri: 0, umc: null };
  f.chan = yield* waitfor(f.chan.dev.open(f.up, f.chan, omode & ~(OCEXEC | OSTREAM)));
  setflags(f.chan, omode);
}

function setflags(c: Chan, omode: number): void {
  if ((omode & OCEXEC) !== 0) c.flag |= CCEXEC;
  if ((omode & ORCLOSE) !== 0) c.flag |= CRCLOSE;
}

/**
 * Opens the file truncated where the name is there, else creates it. Should that fail the name is looked
 * for once more, since of two processes that create it one comes second.
 */
function* create(f: Call, want: Want): Task<void> {
  const { elems, mustdir } = f.name;
  const last = elems[elems.length - 1];
  if ((mustdir || last === undefined) && (want.perm & DMDIR) === 0) {
    f.nerror = elems.length;
    error(Ecreatedir);
  }
  if (last === undefined) return error(Eexist);
  yield* walkto(f, elems.slice(0, -1));
  if (mustdir && !isdir(f.chan)) error(Enotdir);
  f.nerror = elems.length;
  if (yield* lookfor(f, last)) {
    if ((want.omode & OEXCL) !== 0) error(Eexist);
    return yield* openit(f, want.omode | OTRUNC);
  }
  try {
    yield* make(f, last, want);
  } catch (e) {
    if (!(e instanceof PlanError) || e.message === Eintr || (want.omode & OEXCL) !== 0) throw e;
    if (!(yield* lookfor(f, last))) throw e;
    yield* openit(f, want.omode | OTRUNC);
  }
}

/** Goes to the last name where it is there. */
function* lookfor(f: Call, last: string): Task<boolean> {
  if (f.up.k.trace.on) f.up.k.trace.emit({ type: "namec", step: "look", elem: last });
  const got = yield* walk(f.up, f.tab, f.chan, [last]);
  if (!(got instanceof Chan)) return false;
  const old = f.chan;
  f.chan = got;
  yield* cclose(old);
  return true;
}

/** Creates in the directory, or in a union in its first member that lets one. */
function* make(f: Call, last: string, want: Want): Task<void> {
  const dir = parent(f).incref();
  if (f.up.k.trace.on) tracecreate(f, dir, last);
  // What is given up at the end: dir and the new Chan, or once that is the file the directory's own.
  const held = [dir];
  try {
    const nc = yield* cclone(f.up, dir);
    held.push(nc);
    nc.path = f.chan.path;
    nc.mtpt = f.chan.mtpt?.map(({ depth, from }) => ({ depth, from: from.incref() })) ?? null;
    const omode = want.omode & ~(OEXCL | OCEXEC | OSTREAM);
    const made = yield* waitfor(nc.dev.create(f.up, nc, last, { omode, perm: want.perm }));
    made.path = f.chan.path.add(last);
    held[1] = f.chan;
    f.chan = made;
  } finally {
    yield* ccloseall(held);
  }
  setflags(f.chan, want.omode);
}

function tracecreate(f: Call, dir: Chan, elem: string): void {
  const mounts = f.tab?.at(f.chan)?.mounts ?? [];
  const index = mounts.length > 1 ? mounts.findIndex((m) => m.to === dir) : -1;
  const name = f.chan.path.toString();
  f.up.k.trace.emit({ type: "namec", step: "create", dir: name, elem, index });
}

function parent(f: Call): Chan {
  const mh = f.tab?.at(f.chan) ?? null;
  if (mh === null) return f.chan;
  return mh.mounts.find((m) => (m.flags & MCREATE) !== 0)?.to ?? error(Enocreate);
}

function traceorigin(up: Proc, name: Name, chan: Chan): void {
  if (!up.k.trace.on) return;
  const { elems: rest } = name;
  const path = chan.path.toString();
  if (name.root === "") up.k.trace.emit({ type: "namec", step: "dot", path, rest });
  else if (name.root !== "/") up.k.trace.emit({ type: "namec", step: "device", path, rest });
}
