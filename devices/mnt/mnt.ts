// Device M, the mount driver: files at a 9P server. Every operation here is one message and its answer;
// what is sent together is in later.ts, reading and writing in io.ts, the connection in rpc.ts. A
// Chan of M (chan.ts) holds a fid and a reference to the Chan of its connection, which thereby lives
// as long as its files.

import { CRCLOSE, cclose } from "../../kernel/chan.ts";
import type { Chan } from "../../kernel/chan.ts";
import { COPEN } from "../../kernel/chan.ts";
import { IOHDRSZ, MAXWELEM, NOFID, OCEXEC, ORDWR, QTAUTH, QTEXCL } from "../../kernel/abi/const.ts";
import { Dev, miss } from "../../kernel/dev.ts";
import type { Later, Walkqid, Want } from "../../kernel/dev.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import { Emountrpc, Enoattach, PlanError, error } from "../../kernel/abi/errors.ts";
import {
  Rattach,
  Rauth,
  Rstat,
  Rwalk,
  Tattach,
  Tauth,
  Tclunk,
  Tcreate,
  Topen,
  Tremove,
  Tstat,
  Twalk,
  Twstat,
} from "../../kernel/abi/fcall.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { newLater } from "./later.ts";
import { Eclone, MntChan, dirof, mntclone, opened, packwstat, partial, plain } from "./chan.ts";
import { Mntcache } from "./cache.ts";
import { mntread, mntwrite } from "./io.ts";
import type { Mnt } from "./rpc.ts";
import { startruns } from "./stream.ts";
import { Readwindow, Writewindow, readlength } from "./window.ts";
import type { Readstream } from "../../kernel/stream.ts";

class Devmnt extends Dev<MntChan> {
  readonly dc = "M";
  readonly name = "mnt";
  /** The standard kernel asks one thing at a time. */
  override readonly later: Later | null;
  readonly #k: Kernel;

  constructor(k: Kernel) {
    super(k);
    this.#k = k;
    this.later = k.config.namespace === "names" ? newLater(k) : null;
  }

  /** Only mount(2) attaches it (mntattach); a # name cannot. */
  attach(): never {
    return error(Enoattach);
  }

  *walk(_up: Proc, c: MntChan, names: readonly string[]): Task<Walkqid<MntChan>> {
    const qids: Qid[] = [];
    let at = c;
    for (let i = 0; ; i += MAXWELEM) {
      let step: Walkqid<MntChan>;
      try {
        step = yield* walkpart(at, names.slice(i, i + MAXWELEM));
      } finally {
        if (at !== c) yield* cclose(at);
      }
      qids.push(...step.qids);
      if (step.clone === null) return miss(qids, step.error);
      at = step.clone;
      if (i + MAXWELEM >= names.length) return { clone: at, qids, error: "" };
    }
  }

  *stat(_up: Proc, c: MntChan): Task<Dir> {
    yield* isopen(c);
    const r = yield* c.mnt.rpc((tag) => ({ type: Tstat, tag, fid: c.fid }));
    return r.type === Rstat ? dirof(c, r.stat) : error(Emountrpc);
  }

  *open(_up: Proc, c: MntChan, omode: number): Task<Chan> {
    const mode = omode & 0xff & ~OCEXEC;
    return opened(c, omode, yield* c.mnt.rpc((tag) => ({ type: Topen, tag, fid: c.fid, mode })));
  }

  override *create(_up: Proc, c: MntChan, name: string, want: Want): Task<Chan> {
    const mode = want.omode & 0xff & ~OCEXEC;
    const r = yield* c.mnt.rpc((tag) => ({
      type: Tcreate,
      tag,
      fid: c.fid,
      name,
      perm: want.perm >>> 0,
      mode,
    }));
    return opened(c, want.omode, r);
  }

  override *remove(_up: Proc, c: MntChan): Task<void> {
    const { fid } = c;
    c.fid = -1;
    try {
      yield* c.mnt.rpc((tag) => ({ type: Tremove, tag, fid }), { ends: fid });
    } finally {
      c.cache?.moved();
    }
  }

  override *wstat(_up: Proc, c: MntChan, w: Wstat): Task<void> {
    yield* isopen(c);
    const bytes = packwstat(w);
    try {
      yield* c.mnt.rpc((tag) => ({ type: Twstat, tag, fid: c.fid, stat: bytes }));
    } finally {
      c.cache?.moved();
      c.cache?.wrote(c.qid);
    }
  }

  /**
   * Gives the fid back. Nobody waits for that, but where the next call could tell: a file removed on
   * close, or one that only one may have open. The standard kernel always waits.
   */
  override *close(c: MntChan): Task<void> {
    const m = c.mnt;
    // Of an open that was not answered for, the fid is its group's to settle.
    const fid = c.opening === null ? c.fid : -1;
    c.fid = -1;
    if (c.cacheroot) c.cache?.clear();
    const wait = m.waits || (c.flag & CRCLOSE) !== 0 || (c.qid.type & QTEXCL) !== 0;
    const co = this.#k.sched.current;
    try {
      if (fid >= 0 && wait && !m.dead && co !== null && !co.dying) yield* clunkwait(m, fid);
      else if (fid >= 0) m.clunk(fid);
    } finally {
      yield* cclose(m.chan);
    }
  }

  /** Reads ahead: runs where the server speaks streams, else a window of Treads. */
  override *rstream(up: Proc, c: MntChan): Task<Readstream> {
    if (c.mnt.stream) return yield* startruns(c);
    const w = new Readwindow(c, yield* readlength(up, c));
    yield* w.fill();
    return w;
  }

  read(up: Proc, c: MntChan, buf: Uint8Array, offset: number): Task<number> {
    return mntread(up, c, buf, offset);
  }

  override write(up: Proc, c: MntChan, bytes: Uint8Array, offset: number): Task<number> {
    return mntwrite(up, c, bytes, offset);
  }

  override wstream(_up: Proc, c: MntChan): Writewindow {
    return new Writewindow(c, null);
  }

  override plain(c: MntChan): boolean {
    return plain(c);
  }

  override conn(c: MntChan): number {
    return c.mnt.id;
  }

  override cache(c: MntChan): void {
    c.cache = new Mntcache(this.#k);
    c.cacheroot = true;
  }
}

/** Makes the mount device. */
export function newMnt(k: Kernel): Dev {
  return new Devmnt(k);
}

/** One Twalk to a fresh fid. A failure of any kind is a miss, so that a union may go on. */
function* walkpart(c: MntChan, names: readonly string[]): Task<Walkqid<MntChan>> {
  const m = c.mnt;
  try {
    const newfid = m.newfid();
    const r = yield* m.rpc((tag) => ({ type: Twalk, tag, fid: c.fid, newfid, wname: names }), {
      makes: newfid,
      keep: (f) => f.type === Rwalk && f.wqid.length === names.length,
    });
    const qids = r.type === Rwalk ? r.wqid : [];
    if (qids.length < names.length) return { clone: null, qids, error: partial(qids) };
    return { clone: mntclone(c, newfid, qids[qids.length - 1] ?? c.qid), qids, error: "" };
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    if (names.length === 0) throw new PlanError(Eclone);
    return { clone: null, qids: [], error: e.message };
  }
}

/** Sleeps until the open of c, which may be on its way, is answered; throws its failure. */
function* isopen(c: MntChan): Task<void> {
  while (c.opening !== null && !c.opening.known()) yield* c.opening.wait();
}

function* clunkwait(m: Mnt, fid: number): Task<void> {
  try {
    yield* m.rpc((tag) => ({ type: Tclunk, tag, fid }), { ends: fid });
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

/** The fid for authentication, open for reading and writing: fauth(2). */
export function* mntauth(up: Proc, dev: Dev, m: Mnt, aname: string): Task<Chan> {
  const afid = m.newfid();
  const r = yield* m.rpc((tag) => ({ type: Tauth, tag, afid, uname: up.user, aname }), {
    makes: afid,
    keep: (f) => f.type === Rauth,
  });
  const qid = r.type === Rauth ? r.aqid : { path: 0n, vers: 0, type: QTAUTH };
  const c = new MntChan(dev, m, { fid: afid, qid, devno: up.k.nextdevno() });
  c.mode = ORDWR;
  c.flag |= COPEN;
  c.iounit = m.msize - IOHDRSZ;
  return c;
}

/** The root of a server, for mount(2). Each attach is a device of its own. */
export function* mntattach(
  up: Proc,
  dev: Dev,
  m: Mnt,
  how: { readonly afid: Chan | null; readonly aname: string },
): Task<Chan> {
  const fid = m.newfid();
  const afid = how.afid instanceof MntChan ? how.afid.fid : NOFID;
  const r = yield* m.rpc(
    (tag) => ({ type: Tattach, tag, fid, afid, uname: up.user, aname: how.aname }),
    { makes: fid, keep: (f) => f.type === Rattach },
  );
  if (r.type !== Rattach) return error(Emountrpc);
  return new MntChan(dev, m, { fid, qid: r.qid, devno: up.k.nextdevno() });
}
