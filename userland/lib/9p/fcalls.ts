// One function for each request: what it asks of a fid, which callback answers it, what becomes of the
// fids. They throw PlanError for Rerror and give a Task where a callback did.

import { NOFID, ORDWR, QTAUTH } from "../../../kernel/abi/const.ts";
import { Ebadstat, Eperm, error } from "../../../kernel/abi/errors.ts";
import * as fcall from "../../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../../kernel/abi/fcall.ts";
import { getwstat } from "../../../kernel/abi/wstat.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { andthen, istask } from "./answer.ts";
import { packed } from "./entry.ts";
import * as e from "./errors.ts";
import { checkentry, checklength, checknewname, isnarrow } from "./name.ts";
import { create, open } from "./open.ts";
import { read, write } from "./rw.ts";
import { unknownfid } from "./out.ts";
import type { Msg, Session } from "./session.ts";
import { type Answer, Fid } from "./srv.ts";
import { walk } from "./walk.ts";

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
      return clunk(s, f);
    case fcall.Tstat:
      return stat(s, f);
    case fcall.Tcreate:
      return create(s, f);
    case fcall.Tremove:
      return remove(s, f);
    case fcall.Twstat:
      return wstat(s, f);
    case fcall.Tattach:
      return attach(s, f);
    case fcall.Tauth:
      return auth(s, f);
    default:
      return error(e.Ebadfcall);
  }
}

/** The user that a client attaches as: whom it has proved to be, if the network asks for proof. */
function userof<A>(s: Session<A>, uname: string, aname: string): string {
  const most = s.conn.shares.limits.name;
  checklength(uname, most, "uname");
  checklength(aname, most, "aname");
  const { user } = s.conn;
  if (user !== "" && uname !== "" && uname !== user) {
    const why = e.otheruser(user, uname);
    s.conn.shares.log.add("user", `an attach was refused: ${why}`);
    error(why);
  }
  return user === "" ? uname : user;
}

/** A long name is memory too: it counts as so many more fids. */
const costof = (uname: string, aname: string): number => 1 + ((uname.length + aname.length) >> 7);

function attach<A>(s: Session<A>, f: Msg<"Tattach">): Answer<Rmsg> {
  s.fids.mustbefree(f.fid);
  const { aname } = f;
  const uname = userof(s, f.uname, aname);
  const cost = costof(uname, aname);
  if (s.srv.auth === undefined && f.afid !== NOFID) error(s.srv.noauth ?? e.Eauth);
  if (s.srv.auth !== undefined) mustbeauthed(s, f.afid, uname, aname);
  return andthen(s.srv.attach(uname, aname), (aux) => {
    s.addfid(new Fid(f.fid, uname === "" ? "none" : uname, aux, cost));
    return { type: fcall.Rattach, tag: f.tag, qid: s.srv.qid(aux) };
  });
}

/** Makes the afid, which is open from the start. */
function auth<A>(s: Session<A>, f: Msg<"Tauth">): Answer<Rmsg> {
  const { srv } = s;
  if (srv.auth === undefined) return error(srv.noauth ?? e.Eauth);
  if (f.afid === NOFID) error(e.Eunknownfid);
  s.fids.mustbefree(f.afid);
  const { aname } = f;
  const uname = userof(s, f.uname, aname);
  return andthen(srv.auth(uname, aname), (aux) => {
    const aqid = srv.qid(aux);
    assertauth(aqid.type);
    const afid = new Fid(f.afid, uname === "" ? "none" : uname, aux, costof(uname, aname));
    afid.omode = ORDWR;
    afid.authfor = aname;
    s.addfid(afid);
    return { type: fcall.Rauth, tag: f.tag, aqid };
  });
}

/** A server whose authentication file says that it is another file has a fault. */
function assertauth(type: number): void {
  if ((type & QTAUTH) === 0) throw new Error("the qid of an authentication file lacks QTAUTH");
}

/** Throws unless the afid has proved this user for this tree. */
function mustbeauthed<A>(s: Session<A>, fid: number, uname: string, aname: string): void {
  if (fid === NOFID) error(e.Eauthfirst);
  const afid = s.fids.find(fid) ?? error(e.Eunknownfid);
  if (afid.authfor === null) error(e.Eauthfirst);
  const user = uname === "" ? "none" : uname;
  if (afid.authfor !== aname || afid.uid !== user) error(e.Eauthother);
  if (s.srv.authed?.(afid) !== true) error(e.Eauthpending);
}

function clunk<A>(s: Session<A>, f: Msg<"Tclunk">): Answer<Rmsg> {
  const fid = s.fids.find(f.fid);
  if (fid === undefined) return unknownfid(f.tag);
  return andthen(s.fids.clunk(fid), () => ({ type: fcall.Rclunk, tag: f.tag }));
}

function stat<A>(s: Session<A>, f: Msg<"Tstat">): Answer<Rmsg> {
  const { tag, fid } = f;
  const of = s.fids.find(fid);
  if (of === undefined) return unknownfid(tag);
  const d = s.srv.stat(of);
  if (istask(d)) return andthen(d, (dir) => ({ type: fcall.Rstat, tag, stat: packed(fid, dir) }));
  return { type: fcall.Rstat, tag, stat: packed(fid, d) };
}

function remove<A>(s: Session<A>, f: Msg<"Tremove">): Answer<Rmsg> {
  const fid = s.fids.find(f.fid);
  if (fid === undefined) return unknownfid(f.tag);
  const { srv } = s;
  const gone = s.fids.remove(fid, () => {
    if (fid.authfor !== null) return error(Eperm);
    return srv.remove === undefined ? error(e.Enoremove) : srv.remove(fid);
  });
  return andthen(gone, () => ({ type: fcall.Rremove, tag: f.tag }));
}

/** The answer that fn gives for an answer, when both are there. */
function chain<T, R>(a: Answer<T>, fn: (value: T) => Answer<R>): Answer<R> {
  return istask(a) ? chained(a, fn) : fn(a);
}

function* chained<T, R>(task: Task<T>, fn: (value: T) => Answer<R>): Task<R> {
  const b = fn(yield* task);
  return istask(b) ? yield* b : b;
}

function wstat<A>(s: Session<A>, f: Msg<"Twstat">): Answer<Rmsg> {
  const fid = s.fids.find(f.fid);
  if (fid === undefined) return unknownfid(f.tag);
  const changes = getwstat(f.stat);
  if (changes === null) return error(Ebadstat);
  if (fid.authfor !== null) return error(Eperm);
  const { name, elem } = s.conn.shares.limits;
  for (const what of ["uid", "gid", "muid"] as const) checklength(changes[what] ?? "", name, what);
  const { srv } = s;
  if (changes.name !== undefined && srv.oddnames?.has(changes.name) !== true)
    checknewname(changes.name, elem);
  const change = (): Answer<void> =>
    srv.wstat === undefined ? error(e.Enowstat) : srv.wstat(fid, changes);
  const longer = changes.name !== undefined || changes.gid !== undefined;
  const done =
    longer && isnarrow(s.msize)
      ? chain(srv.stat(fid), (d) => {
          checkentry({ ...d, ...changes }, s.msize);
          return change();
        })
      : change();
  return andthen(done, () => ({ type: fcall.Rwstat, tag: f.tag }));
}
