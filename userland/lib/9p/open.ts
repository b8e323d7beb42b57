// Topen and Tcreate, and the modes they ask for.

import { OEXCL, OEXEC, ORCLOSE, OREAD, OTRUNC } from "../../../kernel/abi/const.ts";
import { type Dir, nulldir } from "../../../kernel/abi/dir.ts";
import { Eintr, Enotdir, Eperm, PlanError, error } from "../../../kernel/abi/errors.ts";
import { Rcreate, Ropen, type Rmsg } from "../../../kernel/abi/fcall.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { andthen, istask } from "./answer.ts";
import { Eisopen, Enocreate } from "./errors.ts";
import { checkentry, checknewname, isnarrow } from "./name.ts";
import { unknownfid } from "./out.ts";
import type { Msg, Session } from "./session.ts";
import { takeopen } from "./shares.ts";
import { type Answer, type Fid, NOTOPEN, OPENING } from "./srv.ts";
import type { Plainsrv } from "./promises.ts";

/** What a mode may hold on the wire. */
const OMASK = 3 | OTRUNC | ORCLOSE;

export function open<A>(s: Session<A>, f: Msg<"Topen">): Answer<Rmsg> {
  const fid = s.fids.find(f.fid);
  if (fid === undefined) return unknownfid(f.tag);
  if (fid.omode !== NOTOPEN) error(Eisopen);
  const a = opening(s, fid, () => openfid(s, fid, f.mode & OMASK));
  return andthen(a, () => opened(s, fid, Ropen, f.tag));
}

/**
 * Opens a fid with fn, and counts it as an open one until fn fails or the fid ends. While that takes its time
 * no other request may use the fid.
 */
function opening<A>(s: Session<A>, fid: Fid<A>, fn: () => Answer<void>): Answer<void> {
  takeopen(s.conn.opens);
  fid.counted = true;
  let a: Answer<void>;
  try {
    a = fn();
  } catch (error_) {
    notopened(s, fid);
    throw error_;
  }
  if (!istask(a)) return a;
  fid.omode = OPENING;
  return openingtask(s, fid, a);
}

function* openingtask<A>(s: Session<A>, fid: Fid<A>, task: Task<void>): Task<void> {
  try {
    yield* task;
  } finally {
    if (fid.omode === OPENING) {
      fid.omode = NOTOPEN;
      notopened(s, fid);
    }
  }
}

function notopened<A>(s: Session<A>, fid: Fid<A>): void {
  fid.counted = false;
  s.conn.opens.add(-1);
}

/** Opens the file a fid stands for. */
function openfid<A>(s: Session<A>, fid: Fid<A>, mode: number): Answer<void> {
  if (mode !== OREAD && s.isdir(fid.aux)) error(Eperm);
  if (s.srv.open === undefined) {
    allowed(s.srv, mode);
    fid.omode = mode;
    return undefined;
  }
  return andthen(s.srv.open(fid, mode), () => {
    fid.omode = mode;
  });
}

/** A server that has no open lets files be used as far as it has the callbacks. */
function allowed<A>(srv: Plainsrv<A>, mode: number): void {
  const how = mode & 3;
  const writes = how !== OREAD && how !== OEXEC;
  if ((writes || (mode & OTRUNC) !== 0) && srv.write === undefined) error(Eperm);
  if (how === OEXEC || ((mode & ORCLOSE) !== 0 && srv.remove === undefined)) error(Eperm);
}

function opened<A>(
  s: Session<A>,
  fid: Fid<A>,
  type: typeof Ropen | typeof Rcreate,
  tag: number,
): Rmsg {
  return { type, tag, qid: s.srv.qid(fid.aux), iounit: 0 };
}

export function create<A>(s: Session<A>, f: Msg<"Tcreate">): Answer<Rmsg> {
  const fid = s.fids.find(f.fid);
  if (fid === undefined) return unknownfid(f.tag);
  if (fid.omode !== NOTOPEN) error(Eisopen);
  checknewname(f.name, s.conn.shares.limits.elem);
  if (isnarrow(s.msize)) checkentry(newentry(f.name, fid.uid), s.msize);
  if (!s.isdir(fid.aux)) error(Enotdir);
  const mode = f.mode & OMASK;
  const a = opening(s, fid, () => createfid(s, fid, f, mode));
  return andthen(a, () => opened(s, fid, Rcreate, f.tag));
}

/** An entry as long as a new file's, if its group's name is as long as its owner's. */
const newentry = (name: string, uid: string): Dir => ({
  ...nulldir(),
  name,
  uid,
  gid: uid,
  muid: uid,
});

/** Makes the file, or with OTRUNC (in 9P2000.ix) opens the one that is there. */
function createfid<A>(s: Session<A>, fid: Fid<A>, f: Msg<"Tcreate">, mode: number): Answer<void> {
  if ((mode & OTRUNC) === 0 || !s.ix) return makefile(s, fid, f, (mode & ~OTRUNC) | OEXCL);
  if (s.srv.opensexisting === true) return makefile(s, fid, f, mode);
  const found = lookfor(s, fid, f.name);
  if (istask(found)) return findormake(s, fid, f, found);
  return found === null ? makefile(s, fid, f, mode & ~OTRUNC) : openfound(s, fid, found, mode);
}

/** The file of a name, null where there is none. One that may not be looked for is left to create. */
function lookfor<A>(s: Session<A>, fid: Fid<A>, name: string): Answer<A | null> {
  try {
    return s.srv.walk1 === undefined ? null : s.srv.walk1(fid.aux, name, fid);
  } catch (error_) {
    if (error_ instanceof PlanError) return null;
    throw error_;
  }
}

function* findormake<A>(
  s: Session<A>,
  fid: Fid<A>,
  f: Msg<"Tcreate">,
  task: Task<A | null>,
): Task<void> {
  const mode = f.mode & OMASK;
  let found: A | null = null;
  try {
    found = yield* task;
  } catch (error_) {
    if (!(error_ instanceof PlanError) || error_.message === Eintr) throw error_;
  }
  const a = found === null ? makefile(s, fid, f, mode & ~OTRUNC) : openfound(s, fid, found, mode);
  if (istask(a)) yield* a;
}

function makefile<A>(s: Session<A>, fid: Fid<A>, f: Msg<"Tcreate">, mode: number): Answer<void> {
  if (s.srv.create === undefined) error(Enocreate);
  const told = s.srv.opensexisting === true ? mode : mode & ~OEXCL;
  return andthen(s.srv.create(fid, f.name, f.perm, told), (aux) => {
    s.fids.become(fid, aux);
    // A new directory is open to be read, whatever the mode said: nothing writes a directory.
    fid.omode = s.isdir(aux) ? OREAD | (mode & ORCLOSE) : mode & ~OEXCL;
  });
}

/** Tcreate with OTRUNC of what exists: as a walk to it and Topen; if that fails, fid stays on the directory. */
function openfound<A>(s: Session<A>, fid: Fid<A>, found: A, mode: number): Answer<void> {
  const dir = fid.aux;
  fid.aux = found;
  let a: Answer<void>;
  try {
    a = openfid(s, fid, mode);
  } catch (error_) {
    fid.aux = dir;
    throw error_;
  }
  if (istask(a)) return openback(s, fid, dir, a);
  s.srv.became?.(fid, dir);
  return a;
}

function* openback<A>(s: Session<A>, fid: Fid<A>, dir: A, task: Task<void>): Task<void> {
  try {
    yield* task;
    s.srv.became?.(fid, dir);
  } catch (error_) {
    fid.aux = dir;
    throw error_;
  }
}
