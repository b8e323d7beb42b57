// MntChan, a file at a server, and how replies become what the kernel knows of files.

import { put16, put32, get16 } from "../../kernel/abi/bits.ts";
import { IOHDRSZ, OTRUNC, QTDIR, STATFIXLEN } from "../../kernel/abi/const.ts";
import { convD2M, convM2D, sizeD2M, wstatdir } from "../../kernel/abi/dir.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import {
  Ebadstat,
  Edoesnotexist,
  Emountrpc,
  Enotdir,
  error,
  Eintr,
  Ehungup,
  Eio,
  PlanError,
} from "../../kernel/abi/errors.ts";
import {
  Rcreate,
  Ropen,
  Rread,
  Rwrite,
  Tread,
  Twrite,
  Rerror,
  Tstream,
} from "../../kernel/abi/fcall.ts";
import type { Fcall, Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { COPEN, Chan } from "../../kernel/chan.ts";
import { openmode } from "../../kernel/dev.ts";
import type { Dev } from "../../kernel/dev.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { waitfor } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Readstream, Writestream } from "../../kernel/stream.ts";
import type { Mntcache } from "./cache.ts";
import { giveback } from "./frames.ts";
import type { Group, Mnt, Sink } from "./rpc.ts";

/** What a walk of no elements fails with, whatever the server said. */
export const Eclone = "clone failed";

/** A file at a server. Its mchan, which it holds a reference to, is the Chan of the connection. */
export class MntChan extends Chan {
  readonly mnt: Mnt;
  /** -1 once the server has forgotten it. */
  fid: number;
  /** This client created it, so it is a plain file whatever its qid says. */
  created = false;
  /** Its open is on its way: whatever needs the answer waits for it. */
  opening: Opening | null = null;
  /** What its mount remembers: MCACHE. */
  cache: Mntcache | null = null;
  /** It is the root that was mounted, with which the cache goes. */
  cacheroot = false;

  constructor(
    dev: Dev,
    mnt: Mnt,
    at: { readonly fid: number; readonly qid: Qid; readonly devno: number },
  ) {
    super(dev, at.qid, at.devno);
    this.mnt = mnt;
    this.fid = at.fid;
    this.mchan = mnt.chan.incref();
  }
}

/** A Chan for another file of c's server, reached from c. */
export function mntclone(c: MntChan, fid: number, qid: Qid): MntChan {
  const nc = new MntChan(c.dev, c.mnt, { fid, qid, devno: c.devno });
  nc.path = c.path;
  nc.cache = c.cache;
  return nc;
}

/** The open of a Chan that was sent and not yet answered. */
export interface Opening {
  readonly g: Group;
  /** Whether it is open now; throws what the open failed with. */
  known(): boolean;
  /** Sleeps until more of the answer has come. */
  wait(): Task<void>;
}

/** A file that bytes are kept in, and no pipe or device, as far as its qid tells. */
export function plain(c: MntChan): boolean {
  return c.qid.type === 0 && (c.qid.vers !== 0 || c.created);
}

/** What the kernel says of a walk that stopped after some elements. */
export function partial(qids: readonly Qid[]): string {
  const last = qids[qids.length - 1];
  return last === undefined || (last.type & QTDIR) !== 0 ? Edoesnotexist : Enotdir;
}

/** The entry that a server sent, as a file of device M. */
export function dirof(c: Chan, stat: Uint8Array): Dir {
  const d = convM2D(stat, 0, stat.length);
  if (d === null) return error(Ebadstat);
  return { ...d.dir, type: 0x4d, dev: c.devno };
}

/** The entry of a Twstat: what is not given is left alone. */
export function packwstat(w: Wstat): Uint8Array {
  const d = wstatdir(w);
  const n = sizeD2M(d);
  if (n === Infinity) error(Ebadstat);
  const buf = new Uint8Array(n);
  convD2M(d, buf, 0);
  return buf;
}

/** c as the open file that an Ropen or Rcreate says it is. */
export function opened(c: MntChan, omode: number, r: Fcall): MntChan {
  if (r.type !== Ropen && r.type !== Rcreate) return error(Emountrpc);
  c.qid = r.qid;
  c.mode = openmode(omode & 3);
  c.flag |= COPEN;
  c.offset = 0;
  c.created = r.type === Rcreate;
  if (c.created || (omode & OTRUNC) !== 0) c.cache?.wrote(c.qid);
  const max = c.mnt.msize - IOHDRSZ;
  c.iounit = r.iounit === 0 || r.iounit > max ? max : r.iounit;
  return c;
}

// Reading and writing files at a server. What does not fit one message goes in pieces: one after another
// over 9P2000, as a window on one tag over 9P2000.ix, where one call is one round trip whatever its size.

/** Bytes of a Tread; a Twrite has these and its data. */
const IOFRAME = 23;
const DEVM = 0x4d;

/**
 * Whether pieces may be asked for beyond the first before it is answered: of a plain file only, since
 * elsewhere a short answer would not be the last.
 */
function windowed(c: MntChan): boolean {
  return c.mnt.ix && plain(c);
}

/** Dev.read of device M. */
export function* mntread(_up: Proc, c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  if ((c.qid.type & QTDIR) !== 0) return yield* readdir(c, buf, offset);
  if (c.cache !== null && c.cache.holds(c)) return yield* c.cache.read(c, buf, { offset, fetch });
  return yield* fetch(c, buf, offset);
}

/** Reads from the server. */
function* fetch(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  if (buf.length > c.iounit && windowed(c)) return yield* readwindow(c, buf, offset);
  let n = 0;
  do {
    const got = yield* readone(c, buf.subarray(n, n + c.iounit), offset + n);
    n += got;
    if (got < c.iounit) break;
  } while (n < buf.length);
  return n;
}

function* readone(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  const r = yield* c.mnt.rpc((tag) => ({
    type: Tread,
    tag,
    fid: c.fid,
    offset,
    count: buf.length,
  }));
  if (r.type !== Rread) return error(Emountrpc);
  buf.set(r.data);
  return r.data.length;
}

/** One chunk of entries, which a server never splits; they become entries of device M. */
function* readdir(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  const n = yield* readone(c, buf.subarray(0, c.iounit), offset);
  let off = 0;
  while (off + STATFIXLEN <= n) {
    const end = off + 2 + get16(buf, off);
    if (end > n) break;
    put16(buf, off + 2, DEVM);
    put32(buf, off + 4, c.devno);
    off = end;
  }
  return off;
}

/** Every piece asked for at once, as far as the connection lets us; a short answer is the end. */
function* readwindow(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  let n = 0;
  const next = (tag: number, at: number) =>
    ({
      type: Tread,
      tag,
      fid: c.fid,
      offset: offset + at,
      count: Math.min(c.iounit, buf.length - at),
    }) as const;
  const take = (r: Rmsg, at: number): boolean => {
    if (r.type !== Rread) return error(Emountrpc);
    buf.set(r.data, at);
    n += r.data.length;
    return r.data.length === Math.min(c.iounit, buf.length - at);
  };
  yield* inpieces(c, { total: buf.length, frame: IOFRAME, next, take });
  return n;
}

/** Dev.write of device M. */
export function* mntwrite(_up: Proc, c: MntChan, bytes: Uint8Array, offset: number): Task<number> {
  c.cache?.wrote(c.qid);
  try {
    return yield* towrite(c, bytes, offset);
  } finally {
    // What was read while it was on its way may be from before.
    c.cache?.wrote(c.qid);
  }
}

function* towrite(c: MntChan, bytes: Uint8Array, offset: number): Task<number> {
  if (bytes.length > c.iounit && windowed(c)) return yield* writewindow(c, bytes, offset);
  let n = 0;
  do {
    const data = bytes.subarray(n, n + c.iounit);
    const r = yield* c.mnt.rpc((tag) => ({
      type: Twrite,
      tag,
      fid: c.fid,
      offset: offset + n,
      data,
    }));
    if (r.type !== Rwrite) return error(Emountrpc);
    n += r.count;
    if (r.count < data.length) break;
  } while (n < bytes.length);
  return n;
}

function* writewindow(c: MntChan, bytes: Uint8Array, offset: number): Task<number> {
  let n = 0;
  const next = (tag: number, at: number) =>
    ({
      type: Twrite,
      tag,
      fid: c.fid,
      offset: offset + at,
      data: bytes.subarray(at, at + c.iounit),
    }) as const;
  const take = (r: Rmsg, at: number): boolean => {
    if (r.type !== Rwrite) return error(Emountrpc);
    n += r.count;
    return r.count === Math.min(c.iounit, bytes.length - at);
  };
  yield* inpieces(c, { total: bytes.length, frame: IOFRAME + c.iounit, next, take });
  return n;
}

/** A window of requests over `total` bytes in pieces of c.iounit. */
type Pieces = {
  readonly total: number;
  /** Bytes of one request on the wire. */
  readonly frame: number;
  /** The request for the piece at `at`. */
  next(tag: number, at: number): Parameters<Group["requests"]["push"]>[0];
  /** Takes the answer for the piece at `at`; false when it ends the transfer. */
  take(r: Rmsg, at: number): boolean;
};

function* inpieces(c: MntChan, w: Pieces): Task<void> {
  const m = c.mnt;
  const g = yield* m.group(1);
  g.open = true;
  let done = false;
  try {
    let sent = 0;
    for (let i = 0; i * c.iounit < w.total; i++) {
      const batch = [];
      for (
        let room = m.room(w.frame);
        sent < w.total && (room > 0 || sent <= i * c.iounit);
        room--
      ) {
        batch.push(w.next(g.tag, sent));
        sent += c.iounit;
      }
      // After a note nothing more is said on this tag.
      if (batch.length > 0 && g.flushing) error(Eintr);
      if (batch.length > 0) m.send(g, batch);
      if (!w.take(yield* m.receive(g, i), i * c.iounit)) break;
    }
    done = g.replies.length === g.requests.length;
  } finally {
    m.release(g, done);
  }
}

// Streams without Tstream: windows of Treads and Twrites that are sent without waiting for each other, on
// one tag over 9P2000.ix, on different tags and for plain files only over 9P2000 (protocol, the end of
// "9P2000.ix.stream"). With 9P2000.ix.stream the writes go this way too.

/** Bytes that a window may have outstanding: what the connection may, less room for other requests. */
const WINDOW = 8 * 1024 * 1024 - 128 * 1024;

/** A request outstanding: reply number i of g, for len bytes at `at`. */
type Piece = { readonly g: Group; readonly i: number; readonly at: number; readonly len: number };

/** Requests sent in order, on one tag or each on its own. */
class Window {
  readonly pieces: Piece[] = [];
  readonly m: Mnt;
  #g: Group | null;
  #bytes = 0;

  constructor(m: Mnt, g: Group | null) {
    this.m = m;
    this.#g = g;
    if (g !== null) g.open = true;
  }

  /** How many more pieces may be sent; one, whatever the connection has outstanding, when there is none. */
  room(piece: number): number {
    const mine = Math.floor((WINDOW - this.#bytes) / piece);
    return Math.max(Math.min(mine, this.m.room(IOFRAME + piece)), this.pieces.length > 0 ? 0 : 1);
  }

  /** Sends the requests that `build` makes for these pieces of a file. */
  *send(
    parts: readonly { at: number; len: number }[],
    build: (tag: number, at: number, len: number) => Tmsg,
  ): Task<void> {
    if (!this.m.ix) {
      for (const { at, len } of parts) {
        const g = yield* this.m.group(1);
        this.#add({ g, i: 0, at, len });
        this.m.send(g, [build(g.tag, at, len)]);
      }
      return;
    }
    const g = (this.#g ??= yield* this.m.group(parts.length));
    g.open = true;
    const first = g.requests.length;
    for (const [i, p] of parts.entries()) this.#add({ g, i: first + i, ...p });
    this.m.send(
      g,
      parts.map((p) => build(g.tag, p.at, p.len)),
    );
  }

  #add(p: Piece): void {
    this.pieces.push(p);
    this.#bytes += p.len;
  }

  /** The answer to the first piece, if it is there: null when it is not. */
  next(): { readonly piece: Piece; readonly r: Rmsg } | null {
    const piece = this.pieces[0];
    if (piece === undefined) return null;
    const r = piece.g.replies[piece.i];
    if (r === undefined) return piece.g.ended ? error(this.m.dead ? Ehungup : Eintr) : null;
    this.pieces.shift();
    this.#bytes -= piece.len;
    if (piece.g !== this.#g) this.m.release(piece.g, true);
    return { piece, r };
  }

  /** Sleeps until something of the first piece's group has come. */
  *wait(): Task<void> {
    const piece = this.pieces[0];
    if (piece !== undefined && piece.g.replies[piece.i] === undefined && !piece.g.ended)
      yield piece.g.r;
  }

  /**
   * Sleeps as wait does. At a note what is outstanding on that tag is flushed, and when the Rflush has come
   * the fate of all of it is known.
   */
  *settle(): Task<"went on" | "flushed"> {
    const g = this.pieces[0]?.g;
    try {
      yield* this.wait();
      return "went on";
    } catch (e) {
      if (g === undefined || !(e instanceof PlanError) || e.message !== Eintr) throw e;
      this.m.release(g, false);
      while (!g.ended) yield g.r;
      return "flushed";
    }
  }

  /** Lets go of it all; `done` says that nothing outstanding is to be flushed. */
  end(done: boolean): void {
    for (const p of this.pieces.splice(0)) if (p.g !== this.#g) this.m.release(p.g, done);
    this.#bytes = 0;
    const g = this.#g;
    this.#g = null;
    if (g !== null) this.m.release(g, done && g.replies.length === g.requests.length);
  }
}

/** Reads ahead, never beyond the length that the file had; what lies beyond is read one by one. */
export class Readwindow implements Readstream {
  offset: number;
  readonly #c: MntChan;
  readonly #w: Window;
  #asked: number;
  /** No request goes beyond this one's end; 0 for a file that may not be read ahead. */
  #length: number;
  #left: Uint8Array = new Uint8Array(0);

  constructor(c: MntChan, length: number) {
    this.#c = c;
    this.#w = new Window(c.mnt, null);
    this.#length = length;
    this.offset = this.#asked = c.offset;
  }

  *read(_up: Proc, buf: Uint8Array): Task<number> {
    if (buf.length === 0) return 0;
    if (this.#left.length === 0) this.#left = yield* this.#next(buf.length);
    const n = Math.min(this.#left.length, buf.length);
    buf.set(this.#left.subarray(0, n));
    this.#left = this.#left.subarray(n);
    this.offset += n;
    try {
      yield* this.fill();
    } catch (e) {
      // What has come is read first; that the connection is gone the next call says.
      if (!(e instanceof PlanError)) throw e;
    }
    return n;
  }

  /** Sends what the window has room for. */
  *fill(): Task<void> {
    const parts: { at: number; len: number }[] = [];
    let room = Math.min(
      this.#c.mnt.room(IOFRAME),
      Math.ceil((WINDOW - (this.#asked - this.offset)) / this.#c.iounit),
    );
    for (; room > 0 && this.#asked < this.#length; room--) {
      const len = Math.min(this.#c.iounit, this.#length - this.#asked);
      parts.push({ at: this.#asked, len });
      this.#asked += len;
    }
    if (parts.length > 0) yield* this.#w.send(parts, this.#tread);
  }

  readonly #tread = (tag: number, offset: number, count: number): Tmsg => ({
    type: Tread,
    tag,
    fid: this.#c.fid,
    offset,
    count,
  });

  *#next(want: number): Task<Uint8Array> {
    yield* this.fill();
    if (this.#w.pieces.length === 0) return yield* this.#one(want);
    for (;;) {
      const got = this.#w.next();
      if (got === null) {
        yield* this.#w.wait();
        continue;
      }
      if (got.r.type === Rerror) {
        this.#stop();
        throw new PlanError(got.r.ename);
      }
      if (got.r.type !== Rread) return error(Emountrpc);
      if (got.r.data.length < got.piece.len) this.#stop();
      return got.r.data;
    }
  }

  /** A short answer, or none: from here on one request at a time. */
  #stop(): void {
    this.#length = 0;
    this.#w.end(false);
  }

  *#one(want: number): Task<Uint8Array> {
    const count = Math.min(Math.max(want, 1), this.#c.iounit);
    const r = yield* this.#c.mnt.rpc((tag) => this.#tread(tag, this.offset, count));
    return r.type === Rread ? r.data : error(Emountrpc);
  }

  end(): void {
    this.#w.end(this.#w.pieces.length === 0);
  }
}

/** The length up to which c may be read ahead: that of a plain file. */
export function* readlength(up: Proc, c: MntChan): Task<number> {
  if (!plain(c) || (c.qid.type & QTDIR) !== 0) return 0;
  return (yield* waitfor(c.dev.stat(up, c))).length;
}

/** Writes sent without waiting. The offset of the first that fails is exact. */
export class Writewindow implements Writestream {
  offset: number;
  readonly #c: MntChan;
  readonly #w: Window;
  readonly #opening: Opening | null;
  /** What failed, for this and every later call; and as a plain write says it. */
  #failed: PlanError | null = null;
  #why = "";
  /** All before this is written. */
  #done: number;

  constructor(c: MntChan, opening: Opening | null) {
    this.#c = c;
    this.#opening = opening;
    this.#w = new Window(c.mnt, opening?.g ?? null);
    this.offset = this.#done = c.offset;
  }

  get failed(): boolean {
    return this.#failed !== null;
  }

  *write(_up: Proc, bytes: Uint8Array): Task<number> {
    this.#check();
    this.#c.cache?.wrote(this.#c.qid);
    const parts: { at: number; len: number }[] = [];
    for (let n = 0; n < bytes.length || n === 0; n += this.#c.iounit)
      parts.push({ at: n, len: Math.min(this.#c.iounit, bytes.length - n) });
    const start = this.offset;
    for (let i = 0, n = 0; i < parts.length; i += n) {
      while ((n = Math.min(BATCH, this.#w.room(this.#c.iounit))) <= 0) {
        yield* this.#w.wait();
        this.#check();
      }
      const batch = parts.slice(i, i + n).map((p) => ({ at: start + p.at, len: p.len }));
      yield* this.#w.send(batch, (tag, at, len) => ({
        type: Twrite,
        tag,
        fid: this.#c.fid,
        offset: at,
        data: bytes.subarray(at - start, at - start + len),
      }));
    }
    this.offset += bytes.length;
    if (!this.#ahead()) yield* this.#all();
    return bytes.length;
  }

  /** Whether a write may be sent before the last is answered. */
  #ahead(): boolean {
    return this.#c.mnt.ix || plain(this.#c);
  }

  /** Takes the answers that are here; the first failure is thrown, now and ever after. */
  #check(): void {
    if (this.#failed !== null) throw this.#failed;
    try {
      if (this.#opening !== null && !this.#opening.known()) return;
      for (let got = this.#w.next(); got !== null; got = this.#w.next())
        this.#answer(got.piece, got.r);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      this.#failed = e;
      if (this.#why === "") this.#why = e.message;
      // The tag is flushed, so that it can be used again; nobody waits for that.
      this.#w.end(false);
      throw e;
    }
  }

  #answer(p: Piece, r: Rmsg): void {
    this.#c.cache?.wrote(this.#c.qid);
    const at = r.type === Rwrite ? p.at + r.count : p.at;
    this.#done = at;
    if (r.type === Rwrite && r.count === p.len) return;
    const later = this.#c.mnt.stream ? "" : "; later bytes may be written";
    this.#why = r.type === Rerror ? r.ename : Eio;
    const e = new PlanError(`${this.#why} at offset ${at}${later}`);
    e.offset = at;
    e.step = "write";
    throw e;
  }

  *answered(end: number, n: number): Task<number> {
    let flushed = false;
    try {
      for (;;) {
        this.#check();
        if (this.#done >= end) return n;
        if (this.#opening !== null && !this.#opening.known()) yield* this.#opening.wait();
        else if ((yield* this.#w.settle()) === "flushed") flushed = true;
      }
    } catch (e) {
      if (!(e instanceof PlanError) || this.#failed === null) throw e;
    }
    const written = this.#done - (end - n);
    if (written > 0) return Math.min(written, n);
    // Somebody else's note: what was not answered never happened.
    if (this.#why === Eintr && !flushed) return -1;
    throw new PlanError(this.#why);
  }

  *#all(): Task<void> {
    for (;;) {
      this.#check();
      if (this.#opening !== null && !this.#opening.known()) yield* this.#opening.wait();
      else if (this.#w.pieces.length > 0) yield* this.#w.wait();
      else return;
    }
  }

  *finish(): Task<void> {
    // A failure that a write has told already is not told again.
    if (this.#failed !== null) return;
    let done = false;
    try {
      // Who is killed waits for no server.
      if (this.#c.mnt.k.sched.current?.dying === true) return;
      yield* this.#all();
      done = true;
    } finally {
      this.#w.end(done);
    }
  }
}

/** Pieces in one write of the transport. */
const BATCH = 64;

// Streams from a server that speaks 9P2000.ix.stream: runs of Rstreams under credit (protocol,
// "9P2000.ix.stream"). Two runs are in flight, so that the pipe never empties; the next is asked for when
// one has been read, so what waits here is bounded by two runs. The connection's reader never waits for
// whoever reads the stream.

/** While a kernel's streams hold more credit than this, new runs are small. */
const MAXCREDIT = 256 * 1024 * 1024;
const SMALLRUN = 64 * 1024;

/** A run that was asked for: how much, and how much of it came. */
type Run = { readonly count: number; got: number };

export class Runs implements Readstream, Sink {
  offset: number;
  readonly #m: Mnt;
  readonly #g: Group;
  readonly #fid: number;
  /** Runs that may be in flight: one until the file is known to be plain, since elsewhere each takes what it reads. */
  #max = 1;
  /** The file's offset behind the last run asked for. */
  #asked: number;
  #runs: Run[] = [];
  #chunks: Uint8Array[] = [];
  #have = 0;
  #eof = false;
  #failed: string | null = null;
  /** Nobody reads any more. */
  #dropped = false;

  constructor(m: Mnt, g: Group, fid: number, offset: number) {
    this.#m = m;
    this.#g = g;
    this.#fid = fid;
    this.offset = this.#asked = offset;
    g.sink = this;
    g.open = true;
  }

  /** The Tstreams that may be sent now. They count as asked for. */
  ask(): Tmsg[] {
    const msgs: Tmsg[] = [];
    const { k } = this.#m;
    while (!this.#eof && this.#failed === null && !this.#dropped && this.#runs.length < this.#max) {
      const size = k.credit > MAXCREDIT ? SMALLRUN : k.config.run;
      if (this.#asked - this.offset > size) break;
      msgs.push({
        type: Tstream,
        tag: this.#g.tag,
        fid: this.#fid,
        offset: this.#asked,
        count: size,
      });
      this.#runs.push({ count: size, got: 0 });
      this.#asked += size;
      k.credit += size;
    }
    return msgs;
  }

  /** What the open's answer says of the file. */
  know(c: MntChan): void {
    if (plain(c)) this.#max = 2;
  }

  data(bytes: Uint8Array): "more" | "over" | "bad" {
    const run = this.#runs[0];
    if (run === undefined || run.got + bytes.length > run.count) return "bad";
    run.got += bytes.length;
    if (this.#eof || this.#failed !== null || this.#dropped) giveback(bytes);
    else if (bytes.length > 0) {
      this.#chunks.push(bytes);
      this.#have += bytes.length;
    }
    if (bytes.length > 0 && run.got < run.count) return "more";
    // A run that ends short is the end: what the runs behind it bring is discarded.
    this.#runs.shift();
    if (run.got < run.count) {
      this.#eof = true;
      this.#uncredit();
    }
    return "over";
  }

  failed(ename: string): void {
    this.#runs.shift();
    if (!this.#eof) this.#failed ??= ename;
    this.#uncredit();
  }

  /** No more will be kept: the credit for what did not come is given back. */
  #uncredit(): void {
    const rest = this.#asked - this.offset - this.#have;
    this.#asked -= rest;
    this.#m.k.credit -= rest;
  }

  *read(_up: Proc, buf: Uint8Array): Task<number> {
    if (buf.length === 0) return 0;
    this.#refill();
    while (this.#have === 0) {
      if (this.#eof) return 0;
      if (this.#failed !== null) throw new PlanError(this.#failed);
      if (this.#g.ended) error(this.#m.dead ? Ehungup : Eintr);
      yield this.#g.r;
    }
    const n = this.#take(buf);
    this.ahead();
    return n;
  }

  /** Asks for more where that may be. */
  ahead(): void {
    try {
      this.#refill();
    } catch (e) {
      // What has come is read first; that the connection is gone the next call says.
      if (!(e instanceof PlanError)) throw e;
    }
  }

  #refill(): void {
    if (this.#g.ended) return;
    const msgs = this.ask();
    if (msgs.length > 0) this.#m.send(this.#g, msgs);
  }

  #take(buf: Uint8Array): number {
    let n = 0;
    let i = 0;
    for (; i < this.#chunks.length && n < buf.length; i++) {
      const chunk = this.#chunks[i] ?? NONE;
      const part = chunk.length <= buf.length - n ? chunk : chunk.subarray(0, buf.length - n);
      buf.set(part, n);
      n += part.length;
      giveback(part);
      if (part.length === chunk.length) continue;
      this.#chunks[i] = chunk.subarray(part.length);
      break;
    }
    this.#chunks.splice(0, i);
    this.#have -= n;
    this.offset += n;
    this.#m.k.credit -= n;
    return n;
  }

  end(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    for (const chunk of this.#chunks) giveback(chunk);
    this.#chunks = [];
    this.#have = 0;
    this.#uncredit();
    // Past the end of the file the server answers by itself; a run that flows is flushed.
    this.#m.release(this.#g, this.#runs.length === 0 || this.#eof);
  }
}

const NONE: Uint8Array = new Uint8Array(0);

/** A stream of an open file from its Chan's offset on. */
export function* startruns(c: MntChan): Task<Readstream> {
  const m = c.mnt;
  const g = yield* m.group(2);
  const runs = new Runs(m, g, c.fid, c.offset);
  runs.know(c);
  let started = false;
  try {
    m.send(g, runs.ask());
    started = true;
    return runs;
  } finally {
    if (!started) runs.end();
  }
}
