// mnt: device M, the mount driver: files at a 9P server. Here a version is agreed with a server, and its root is
// attached. Each operation on a Chan of M is one message and its answer. The walk that goes in one
// group with its operation is in later.ts, the bytes of files in io.ts, the connection in rpc.ts.
//
// A mount, message by message: fversion or mount agrees a version over a Chan (Tversion), and a Mnt then
// owns the reading of it; fauth makes a fid to authenticate with (Tauth); mount gets the root (Tattach).
//
// Who holds what: a Chan of M (MntChan) holds a fid and a reference to the Chan of its connection. So the
// connection lives as long as its files; when that Chan closes, the connection ends with it (Chan.mux).

import {
  IOHDRSZ,
  MAXWELEM,
  NOFID,
  OCEXEC,
  ORDWR,
  QTDIR,
  QTEXCL,
  NOTAG,
} from "../../kernel/abi/const.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import {
  Ebadusefd,
  Emountrpc,
  Enoattach,
  PlanError,
  error,
  Ebadiounit,
  Ebadversion,
  Efversion,
  Efversioneof,
} from "../../kernel/abi/errors.ts";
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
  Rerror,
  Rversion,
  Tversion,
  convM2S,
  convS2M,
  framesize,
  sizeS2M,
} from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import { CMSG, COPEN, CRCLOSE, CWRITE, cclose, enter, leave } from "../../kernel/chan.ts";
import type { Chan } from "../../kernel/chan.ts";
import { Dev, miss } from "../../kernel/dev.ts";
import type { Later, Walkqid, Want } from "../../kernel/dev.ts";
import type { Kernel, Transport } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { waitfor } from "../../kernel/proc/rendez.ts";
import type { Answer, Task } from "../../kernel/proc/rendez.ts";
import type { Readstream } from "../../kernel/stream.ts";
import { Mntcache } from "./cache.ts";
import {
  Eclone,
  MntChan,
  dirof,
  mntclone,
  opened,
  packwstat,
  partial,
  plain,
  readdir,
  readfile,
  writefile,
  startruns,
  Readwindow,
  Writewindow,
  readlength,
} from "./io.ts";
import { newLater } from "./later.ts";
import { Mnt } from "./rpc.ts";
import type { Agreed } from "./rpc.ts";

class Devmnt extends Dev<MntChan> {
  readonly dc = "M";
  readonly name = "mnt";
  /** null in the name space `standard`, where each message waits for the answer to the last, as in Plan 9. */
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
    const g = c.mnt.group() ?? (yield* c.mnt.waitgroup());
    const r = yield* c.mnt.rpc(g, { type: Tstat, tag: g.tag, fid: c.fid });
    return r.type === Rstat ? dirof(c, r.stat) : error(Emountrpc);
  }

  *open(_up: Proc, c: MntChan, omode: number): Task<Chan> {
    const mode = omode & 0xff & ~OCEXEC;
    const g = c.mnt.group() ?? (yield* c.mnt.waitgroup());
    return opened(c, omode, yield* c.mnt.rpc(g, { type: Topen, tag: g.tag, fid: c.fid, mode }));
  }

  override *create(_up: Proc, c: MntChan, name: string, want: Want): Task<Chan> {
    const mode = want.omode & 0xff & ~OCEXEC;
    const g = c.mnt.group() ?? (yield* c.mnt.waitgroup());
    const perm = want.perm >>> 0;
    const r = yield* c.mnt.rpc(g, { type: Tcreate, tag: g.tag, fid: c.fid, name, perm, mode });
    return opened(c, want.omode, r);
  }

  override *remove(_up: Proc, c: MntChan): Task<void> {
    const { fid } = c;
    c.fid = -1;
    try {
      yield* c.mnt.rpcend(Tremove, fid);
    } finally {
      c.cache?.moved();
    }
  }

  override *wstat(_up: Proc, c: MntChan, w: Wstat): Task<void> {
    yield* isopen(c);
    const bytes = packwstat(w);
    try {
      const g = c.mnt.group() ?? (yield* c.mnt.waitgroup());
      yield* c.mnt.rpc(g, { type: Twstat, tag: g.tag, fid: c.fid, stat: bytes });
    } finally {
      c.cache?.moved();
      c.cache?.wrote(c.qid);
    }
  }

  /**
   * Gives the fid back. The caller waits for the Rclunk only if the file is removed on close (ORCLOSE) or of exclusive
   * use, since a later call could see the difference. In the name space `standard` it always waits.
   */
  override close(c: MntChan): Answer<void> {
    const m = c.mnt;
    // The group of an open that is not answered yet ends the open's fid itself.
    const fid = c.opening === null ? c.fid : -1;
    if (c.cacheroot) c.cache?.clear();
    if (fid >= 0) {
      const wait = m.waits || (c.flag & CRCLOSE) !== 0 || (c.qid.type & QTEXCL) !== 0;
      if (wait && this.#k.sched.current?.dying === false) return clunkwait(m, fid);
      m.clunk(fid);
    }
    // The last file of the connection closes its Chan, and so ends it.
    if (m.chan.ref === 1) return cclose(m.chan);
    m.chan.ref--;
    return undefined;
  }

  /** Reads ahead: runs where the server speaks streams, else a window of Treads. */
  override *rstream(up: Proc, c: MntChan): Task<Readstream> {
    if (c.mnt.stream) return yield* startruns(c);
    const w = new Readwindow(c, yield* readlength(up, c));
    yield* w.fill();
    return w;
  }

  read(_up: Proc, c: MntChan, buf: Uint8Array, offset: number): Task<number> {
    if ((c.qid.type & QTDIR) !== 0) return readdir(c, buf, offset);
    if (c.cache === null || !c.cache.holds(c)) return readfile(c, buf, offset);
    return c.cache.read(c, buf, { offset, fetch: readfile });
  }

  override write(_up: Proc, c: MntChan, bytes: Uint8Array, offset: number): Task<number> {
    return writefile(c, bytes, offset);
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
    const { r, fid } = yield* m.rpcfid((tag, newfid) => ({
      type: Twalk,
      tag,
      fid: c.fid,
      newfid,
      wname: names,
    }));
    const qids = r.type === Rwalk ? r.wqid : [];
    if (qids.length < names.length) return { clone: null, qids, error: partial(qids) };
    return { clone: mntclone(c, fid, qids[qids.length - 1] ?? c.qid), qids, error: "" };
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

/** Gives fid back and waits for the answer, then gives up the reference to the connection. */
function* clunkwait(m: Mnt, fid: number): Task<void> {
  try {
    yield* m.rpcend(Tclunk, fid);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  } finally {
    yield* cclose(m.chan);
  }
}

/** The fid for authentication, open for reading and writing: fauth(2). */
export function* mntauth(up: Proc, dev: Dev, m: Mnt, aname: string): Task<Chan> {
  const { r, fid } = yield* m.rpcfid((tag, afid) => ({
    type: Tauth,
    tag,
    afid,
    uname: up.user,
    aname,
  }));
  if (r.type !== Rauth) return error(Emountrpc);
  const c = new MntChan(dev, m, { fid, qid: r.aqid, devno: up.k.nextdevno() });
  c.mode = ORDWR;
  c.flag |= COPEN;
  c.iounit = m.msize - IOHDRSZ;
  return c;
}

/** The fid of a file of this connection; whether it is an authentication file is the server's to say. */
function afidof(m: Mnt, c: Chan): number {
  return c instanceof MntChan && c.mnt === m ? c.fid : error(Ebadusefd);
}

/** The authentication file of an attach, if there is one, and the tree that it is to. attach(5) */
type Attachhow = { readonly afid: Chan | null; readonly aname: string };

/** The root of a server, for mount(2). Each attach is a device of its own. */
export function* mntattach(up: Proc, dev: Dev, m: Mnt, how: Attachhow): Task<Chan> {
  const afid = how.afid === null ? NOFID : afidof(m, how.afid);
  const { r, fid } = yield* m.rpcfid((tag, newfid) => ({
    type: Tattach,
    tag,
    fid: newfid,
    afid,
    uname: up.user,
    aname: how.aname,
  }));
  if (r.type !== Rattach) return error(Emountrpc);
  return new MntChan(dev, m, { fid, qid: r.qid, devno: up.k.nextdevno() });
}

// The version. A client offers the longest string that it can use, and a server answers with a prefix of it
// that it speaks, or "unknown". So the ladder goes 9P2000.ix.stream, 9P2000.ix, 9P2000.

const VERSION9P = "9P2000";
const MINMSIZE = 256;
const MAXMSIZE = 1024 * 1024;

/** The version and msize that each name space offers when the caller asks for none. */
const OFFERS = {
  names: { version: "9P2000.ix.stream", msize: 65536 + 24 },
  standard: { version: VERSION9P, msize: 8192 + 24 },
} as const;

/**
 * The connection over c, which the first call makes. msize 0 or version "" leaves the choice to the kernel. A version
 * that the caller names is offered as it is, and the server may answer with any prefix of it.
 */
export function* mntversion(up: Proc, c: Chan, want: Agreed): Task<Mnt> {
  const named = want.version !== "";
  if (want.msize < 0) error(Ebadiounit);
  if (named && !want.version.startsWith(VERSION9P)) error(Ebadversion);
  if (c.mux instanceof Mnt) return c.mux;
  const offer = OFFERS[up.k.config.namespace];
  const msize = want.msize === 0 ? offer.msize : Math.min(want.msize, MAXMSIZE);
  yield* enter(c, CWRITE);
  try {
    if (c.mux instanceof Mnt) return c.mux;
    return yield* connect(up, c, { version: named ? want.version : offer.version, msize });
  } finally {
    leave(c, CWRITE);
  }
}

function* connect(up: Proc, c: Chan, offer: Agreed): Task<Mnt> {
  const filter = up.k.config.filter?.(up.k, c) ?? null;
  const heard = c.mux instanceof Heard ? c.mux : new Heard();
  c.mux = heard;
  let m: Mnt | null = null;
  try {
    const { version, msize } = yield* negotiate(up, { c, wire: filter ?? c.dev, heard }, offer);
    m = new Mnt(up.k, c, { version, msize, rtt: heard.rtt }, filter);
    c.mux = m;
    c.flag |= CMSG;
    return m;
  } finally {
    if (m === null) filter?.end();
    if (m === null && heard.owed === 0) c.mux = null;
  }
}

/** The longest Rversion. */
const MAXHEARD = 8192;

/** A connection of which no version is agreed on yet. */
type Line = { readonly c: Chan; readonly wire: Transport; readonly heard: Heard };

/**
 * The bytes that have come over a Line, and how many Rversions are on their way. A call that is interrupted leaves the
 * answer to its Tversion to the next call, which finds the Heard in Chan.mux.
 */
class Heard {
  buf: Uint8Array = new Uint8Array(64);
  n = 0;
  /** Rversions that have not come. */
  owed = 0;
  /** Nanoseconds that the fastest of the Rversions took. */
  rtt = Infinity;

  /** The first frame, when all of it is here. */
  take(): Uint8Array | null {
    if (this.n < 4) return null;
    const size = framesize(this.buf, 0);
    if (size < 7 || size > MAXHEARD || (this.owed === 1 && this.n > size)) this.fail(Efversion);
    if (this.n < size) return null;
    const frame = this.buf.slice(0, size);
    this.buf.copyWithin(0, size, this.n);
    this.n -= size;
    this.owed--;
    return frame;
  }

  /** Where more bytes go: an ordinary Rversion has room in the first buffer. */
  get room(): Uint8Array {
    if (this.n === this.buf.length) {
      const more = new Uint8Array(MAXHEARD);
      more.set(this.buf);
      this.buf = more;
    }
    return this.buf.subarray(this.n);
  }

  /** Ends the framing: where the next message begins is unknown. */
  fail(message: string): never {
    this.n = this.owed = 0;
    throw new PlanError(message);
  }

  *close(): Task<void> {}
}

/** Agrees a version: offers `offer`, then lower ones of the ladder to a server that does not know it. */
function* negotiate(up: Proc, c: Line, offer: Agreed): Task<Agreed> {
  let got = yield* exchange(up, c, offer);
  // A server that compares whole strings may know 9P2000.ix and not the longer one.
  if (got.version === VERSION9P && offer.version === "9P2000.ix.stream")
    got = yield* exchange(up, c, { version: "9P2000.ix", msize: got.msize });
  if (got.version === "unknown" && offer.version !== VERSION9P)
    got = yield* exchange(up, c, { version: VERSION9P, msize: offer.msize });
  if (got.version === "unknown") error("bad 9P version returned from server");
  return got;
}

function* exchange(up: Proc, { c, wire, heard }: Line, offer: Agreed): Task<Agreed> {
  const t: Fcall = { type: Tversion, tag: NOTAG, msize: offer.msize, version: offer.version };
  const buf = new Uint8Array(sizeS2M(t));
  convS2M(t, buf, 0);
  const off = c.dev.wire(c)?.out ?? 0;
  if (up.k.trace.on) up.k.trace.emit({ type: "send", conn: 0, fcall: t, bytes: buf.length, off });
  const began = up.k.clock.now();
  c.offset += yield* waitfor(wire.write(up, c, buf, c.offset));
  heard.owed++;
  const frame = yield* readanswer(up, { c, wire, heard });
  heard.rtt = Math.min(heard.rtt, up.k.clock.now() - began);
  const r = convM2S(frame, 0, frame.length);
  if (r !== null && up.k.trace.on) {
    const bytes = frame.length;
    const at = c.dev.wire(c)?.in ?? bytes;
    up.k.trace.emit({ type: "receive", conn: 0, fcall: r, bytes, off: at - bytes });
  }
  return checkreply(r, offer);
}

function checkreply(r: Fcall | null, offer: Agreed): Agreed {
  if (r === null || r.tag !== NOTAG) return error(Efversion);
  if (r.type === Rerror) return error(r.ename);
  if (r.type !== Rversion) return error("unexpected reply type in fversion");
  if (r.version === "unknown") return { version: r.version, msize: r.msize };
  if (r.msize > offer.msize) error("server tries to increase msize in fversion");
  if (r.msize < MINMSIZE) error("nonsense value of msize in fversion");
  const prefix = offer.version === r.version || offer.version.startsWith(`${r.version}.`);
  if (!prefix || !r.version.startsWith(VERSION9P)) error("bad 9P version returned from server");
  return { version: r.version, msize: r.msize };
}

/** Waits for the answer to the last Tversion. The answers to earlier ones, of interrupted calls, are dropped. */
function* readanswer(up: Proc, { c, wire, heard }: Line): Task<Uint8Array> {
  for (;;) {
    const frame = heard.take();
    if (frame !== null && heard.owed === 0) return frame;
    if (frame !== null) continue;
    const got = yield* waitfor(wire.read(up, c, heard.room, c.offset));
    c.offset += got;
    heard.n += got;
    if (got === 0) heard.fail(Efversioneof);
  }
}
