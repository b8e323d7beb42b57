// One function for each request: what it asks of a fid, which callback answers it, what becomes of the
// fids. They throw PlanError for Rerror and give a Task where a callback did.

import {
  MAXOFFSET,
  NOFID,
  OEXCL,
  OEXEC,
  OREAD,
  OTRUNC,
  ORCLOSE,
  OWRITE,
  QTDIR,
  STATMAX,
} from "../../../kernel/const.ts";
import { type Dir, convD2M, convM2D, dirwstat, statcheck } from "../../../kernel/dir.ts";
import {
  Ebadchar,
  Ebadstat,
  Edirseek,
  Efilename,
  Eio,
  Enonexist,
  Enotdir,
  Eperm,
  PlanError,
  error,
} from "../../../kernel/errors.ts";
import * as fcall from "../../../kernel/fcall.ts";
import type { Rmsg, Tmsg } from "../../../kernel/fcall.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { andthen, istask } from "./answer.ts";
import * as e from "./errors.ts";
import type { Session } from "./session.ts";
import { type Answer, Fid, NOTOPEN, OPENING, type Srv } from "./srv.ts";

/** The messages of each type. */
type Msg<K extends number> = Extract<Tmsg, { readonly type: K }>;

/** What a mode may hold on the wire. */
const OMASK = 3 | OTRUNC | ORCLOSE;

/** The answer to a request that is no Tversion, Tflush or Tstream. */
export function answer<A>(s: Session<A>, f: Tmsg): Answer<Rmsg> {
  switch (f.type) {
    case fcall.Twalk:
      return walk(s, f);
    case fcall.Topen:
      return open(s, f);
    case fcall.Tread:
      return read(s, f);
    case fcall.Twrite:
      return write(s, f);
    case fcall.Tclunk:
      return andthen(s.fids.clunk(s.fids.get(f.fid)), () => ({ type: fcall.Rclunk, tag: f.tag }));
    case fcall.Tstat:
      return andthen(s.srv.stat(s.fids.get(f.fid)), (d) => ({
        type: fcall.Rstat,
        tag: f.tag,
        stat: entry(d),
      }));
    case fcall.Tcreate:
      return create(s, f);
    case fcall.Tremove:
      return remove(s, f);
    case fcall.Twstat:
      return wstat(s, f);
    case fcall.Tattach:
      return attach(s, f);
    case fcall.Tauth:
      return error(s.srv.noauth ?? e.Eauth);
    default:
      return error(e.Ebadfcall);
  }
}

function isdir<A>(s: Session<A>, file: A): boolean {
  return (s.srv.qid(file).type & QTDIR) !== 0;
}

function attach<A>(s: Session<A>, f: Msg<typeof fcall.Tattach>): Answer<Rmsg> {
  s.fids.mustbefree(f.fid);
  if (f.afid !== NOFID) error(s.srv.noauth ?? e.Eauth);
  return andthen(s.srv.attach(f.uname, f.aname), (aux) => {
    s.addfid(new Fid(f.fid, f.uname === "" ? "none" : f.uname, aux));
    return { type: fcall.Rattach, tag: f.tag, qid: s.srv.qid(aux) };
  });
}

/** Walks, and makes newfid only if that came all the way. */
function walk<A>(s: Session<A>, f: Msg<typeof fcall.Twalk>): Answer<Rmsg> {
  const fid = s.fids.get(f.fid);
  if (fid.omode !== NOTOPEN) error(e.Ecloneopen);
  if (f.newfid !== f.fid) s.fids.mustbefree(f.newfid);
  const { wname } = f;
  for (const name of wname) checkname(name);
  if (wname.length > 0 && s.srv.walk !== undefined)
    return andthen(s.srv.walk(fid, wname), (files) => walked(s, f, fid, files));
  const files: A[] = [];
  let at = fid.aux;
  for (const name of wname) {
    const next = step(s, fid, { at, name, first: files.length === 0 });
    if (istask(next)) return walkon(s, f, fid, { files, next });
    if (next === null) break;
    files.push(next);
    at = next;
  }
  return walked(s, f, fid, files);
}

/** The rest of a walk, from a step that takes time. */
function* walkon<A>(
  s: Session<A>,
  f: Msg<typeof fcall.Twalk>,
  fid: Fid<A>,
  { files, next }: { files: A[]; next: Task<A | null> },
): Task<Rmsg> {
  let found: A | null = null;
  try {
    found = yield* next;
    while (found !== null) {
      files.push(found);
      const name = f.wname[files.length];
      if (name === undefined) break;
      const a = step(s, fid, { at: found, name, first: false });
      found = istask(a) ? yield* a : a;
    }
  } catch (error_) {
    if (files.length === 0 || !(error_ instanceof PlanError)) throw error_;
  }
  return walked(s, f, fid, files);
}

/** One name of a walk. What fails behind the first name only makes the walk shorter. */
function step<A>(
  s: Session<A>,
  fid: Fid<A>,
  { at, name, first }: { at: A; name: string; first: boolean },
): Answer<A | null> {
  try {
    if (!isdir(s, at)) return error(Enotdir);
    if (name === ".") return at;
    return s.srv.walk1 === undefined ? null : s.srv.walk1(at, name, fid);
  } catch (error_) {
    if (first || !(error_ instanceof PlanError)) throw error_;
    return null;
  }
}

function walked<A>(
  s: Session<A>,
  f: Msg<typeof fcall.Twalk>,
  fid: Fid<A>,
  files: readonly A[],
): Rmsg {
  const n = f.wname.length;
  if (n > 0 && files.length === 0) error(Enonexist);
  if (files.length >= n) {
    const aux = n === 0 ? fid.aux : (files[n - 1] as A);
    if (f.newfid !== f.fid) s.addfid(new Fid(f.newfid, fid.uid, aux));
    else if (fid.clunked || fid.omode !== NOTOPEN) error(e.Ecloneopen);
    else fid.aux = aux;
  }
  return { type: fcall.Rwalk, tag: f.tag, wqid: files.slice(0, n).map((file) => s.srv.qid(file)) };
}

function open<A>(s: Session<A>, f: Msg<typeof fcall.Topen>): Answer<Rmsg> {
  const fid = s.fids.get(f.fid);
  if (fid.omode !== NOTOPEN) error(e.Eisopen);
  const a = opening(fid, openfid(s, fid, f.mode & OMASK));
  return andthen(a, () => opened(s, fid, fcall.Ropen, f.tag));
}

/** While an open or create takes its time the fid is good for nothing else. */
function opening<A>(fid: Fid<A>, a: Answer<void>): Answer<void> {
  if (!istask(a)) return a;
  fid.omode = OPENING;
  return openingtask(fid, a);
}

function* openingtask<A>(fid: Fid<A>, task: Task<void>): Task<void> {
  try {
    yield* task;
  } finally {
    if (fid.omode === OPENING) fid.omode = NOTOPEN;
  }
}

/** Opens the file a fid stands for. */
function openfid<A>(s: Session<A>, fid: Fid<A>, mode: number): Answer<void> {
  if (mode !== OREAD && isdir(s, fid.aux)) error(Eperm);
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
function allowed<A>(srv: Srv<A>, mode: number): void {
  const how = mode & 3;
  const writes = how !== OREAD && how !== OEXEC;
  if ((writes || (mode & OTRUNC) !== 0) && srv.write === undefined) error(Eperm);
  if (how === OEXEC || ((mode & ORCLOSE) !== 0 && srv.remove === undefined)) error(Eperm);
}

function opened<A>(
  s: Session<A>,
  fid: Fid<A>,
  type: typeof fcall.Ropen | typeof fcall.Rcreate,
  tag: number,
): Rmsg {
  fid.dir = null;
  fid.diroffset = 0;
  return { type, tag, qid: s.srv.qid(fid.aux), iounit: 0 };
}

function create<A>(s: Session<A>, f: Msg<typeof fcall.Tcreate>): Answer<Rmsg> {
  const fid = s.fids.get(f.fid);
  if (fid.omode !== NOTOPEN) error(e.Eisopen);
  checknewname(f.name);
  if (!isdir(s, fid.aux)) error(Enotdir);
  const mode = f.mode & OMASK;
  const a = opening(fid, createfid(s, fid, f, mode));
  return andthen(a, () => opened(s, fid, fcall.Rcreate, f.tag));
}

/** Makes the file, or with OTRUNC (in 9P2000.ix) opens the one that is there. */
function createfid<A>(
  s: Session<A>,
  fid: Fid<A>,
  f: Msg<typeof fcall.Tcreate>,
  mode: number,
): Answer<void> {
  if ((mode & OTRUNC) === 0 || !s.ix) return makefile(s, fid, f, (mode & ~OTRUNC) | OEXCL);
  if (s.srv.opensexisting === true) return makefile(s, fid, f, mode);
  const found = s.srv.walk1 === undefined ? null : s.srv.walk1(fid.aux, f.name, fid);
  if (istask(found)) return findormake(s, fid, f, found);
  return found === null ? makefile(s, fid, f, mode & ~OTRUNC) : openfound(s, fid, found, mode);
}

function* findormake<A>(
  s: Session<A>,
  fid: Fid<A>,
  f: Msg<typeof fcall.Tcreate>,
  task: Task<A | null>,
): Task<void> {
  const mode = f.mode & OMASK;
  const found = yield* task;
  const a = found === null ? makefile(s, fid, f, mode & ~OTRUNC) : openfound(s, fid, found, mode);
  if (istask(a)) yield* a;
}

function makefile<A>(
  s: Session<A>,
  fid: Fid<A>,
  f: Msg<typeof fcall.Tcreate>,
  mode: number,
): Answer<void> {
  if (s.srv.create === undefined) error(e.Enocreate);
  const told = s.srv.opensexisting === true ? mode : mode & ~OEXCL;
  return andthen(s.srv.create(fid, f.name, f.perm, told), (aux) => {
    fid.aux = aux;
    fid.omode = mode & ~OEXCL;
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
  return istask(a) ? openback(fid, dir, a) : a;
}

function* openback<A>(fid: Fid<A>, dir: A, task: Task<void>): Task<void> {
  try {
    yield* task;
  } catch (error_) {
    fid.aux = dir;
    throw error_;
  }
}

function read<A>(s: Session<A>, f: Msg<typeof fcall.Tread>): Answer<Rmsg> {
  const fid = s.fids.get(f.fid);
  const data = readfid(s, fid, s.room(f.count), f.offset);
  return andthen(data, (bytes) => ({ type: fcall.Rread, tag: f.tag, data: bytes }));
}

/** At most count bytes of an open file, or entries of a directory. */
export function readfid<A>(
  s: Session<A>,
  fid: Fid<A>,
  count: number,
  offset: number,
): Answer<Uint8Array> {
  const { omode } = fid;
  if (omode < 0) error(e.Enotopen);
  if ((omode & 3) === OWRITE) error(e.wrongmode("read", omode));
  if (offset + count > MAXOFFSET) error(e.Ebadoffset);
  if (isdir(s, fid.aux)) return readdir(s, fid, count, offset);
  if (s.srv.read === undefined) return error(e.Enoread);
  return andthen(s.srv.read(fid, count, offset), (bytes) => clip(bytes, count));
}

const clip = (bytes: Uint8Array, count: number): Uint8Array =>
  bytes.length > count ? bytes.subarray(0, count) : bytes;

/** A directory is read from 0 or where the last read ended. */
function readdir<A>(s: Session<A>, fid: Fid<A>, count: number, offset: number): Answer<Uint8Array> {
  if (offset !== 0 && offset !== fid.diroffset) error(Edirseek);
  const ended = (bytes: Uint8Array): Uint8Array => {
    fid.diroffset = offset + bytes.length;
    return bytes;
  };
  if (s.srv.entries === undefined) {
    if (s.srv.read === undefined) return error(e.Enoread);
    return andthen(s.srv.read(fid, count, offset), (bytes) => ended(clip(bytes, count)));
  }
  if (offset === 0 || fid.dir === null)
    fid.dir = { rest: s.srv.entries(fid)[Symbol.iterator](), held: null };
  return ended(pack(fid, count));
}

const scratch = new Uint8Array(STATMAX);

/** As many of the entries to come as fit. */
function pack<A>(fid: Fid<A>, count: number): Uint8Array {
  const { dir } = fid;
  const buf = new Uint8Array(count);
  let n = 0;
  while (dir !== null) {
    let d = dir.held;
    if (d === null) {
      const next = dir.rest.next();
      if (next.done === true) break;
      d = next.value;
    }
    const end = convD2M(d, buf, n);
    dir.held = end < 0 ? d : null;
    if (end < 0) break;
    n = end;
  }
  return buf.subarray(0, n);
}

/** The bytes of an entry, good until the next one. */
function entry(d: Dir): Uint8Array {
  const n = convD2M(d, scratch, 0);
  return n < 0 ? error(Ebadstat) : scratch.subarray(0, n);
}

function write<A>(s: Session<A>, f: Msg<typeof fcall.Twrite>): Answer<Rmsg> {
  const fid = s.fids.get(f.fid);
  const { omode } = fid;
  if (omode < 0) error(e.Enotopen);
  const how = omode & 3;
  if (how === OREAD || how === OEXEC) error(e.wrongmode("write", omode));
  if (f.offset + f.data.length > MAXOFFSET) error(e.Ebadoffset);
  if (s.srv.write === undefined) return error(e.Enowrite);
  const data = s.keeps.write ? f.data.slice() : f.data;
  return andthen(s.srv.write(fid, data, f.offset), (n) => {
    if (n < 0 || n > f.data.length) error(Eio);
    return { type: fcall.Rwrite, tag: f.tag, count: n };
  });
}

function remove<A>(s: Session<A>, f: Msg<typeof fcall.Tremove>): Answer<Rmsg> {
  const fid = s.fids.get(f.fid);
  const { srv } = s;
  const gone = s.fids.remove(fid, () =>
    srv.remove === undefined ? error(e.Enoremove) : srv.remove(fid),
  );
  return andthen(gone, () => ({ type: fcall.Rremove, tag: f.tag }));
}

function wstat<A>(s: Session<A>, f: Msg<typeof fcall.Twstat>): Answer<Rmsg> {
  const fid = s.fids.get(f.fid);
  const { stat } = f;
  if (!statcheck(stat, 0, stat.length)) error(Ebadstat);
  const d = convM2D(stat, 0, stat.length);
  if (d === null || d.dir.length > MAXOFFSET) return error(Ebadstat);
  const changes = dirwstat(d.dir);
  if (changes.name !== undefined) checknewname(changes.name);
  if (s.srv.wstat === undefined) return error(e.Enowstat);
  return andthen(s.srv.wstat(fid, changes), () => ({ type: fcall.Rwstat, tag: f.tag }));
}

/** Names with '/' or NUL in them are no names; an empty one names nothing. */
function checkname(name: string): void {
  if (name === "") error(Enonexist);
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c === 0 || c === 0x2f) error(Ebadchar);
  }
}

/** A new name can be neither "." nor "..". */
function checknewname(name: string): void {
  if (name === "" || name === "." || name === "..") error(Efilename);
  checkname(name);
}
