// io: files at a server. Here is the Chan of one (MntChan), what the replies say of it, and its bytes: plain
// reads and writes, windows of them, and streams. What is remembered of bytes is in cache.ts, the tags and
// the waiting in rpc.ts.
//
// What goes on the wire for the bytes of a file:
//
//	call                     9P2000                        9P2000.ix             9P2000.ix.stream
//	read, write, one piece   a request                     a request             a request
//	read, write, more        one after another             a Window, one tag     a Window, one tag
//	sread                    a Window of plain files       a Window, one tag     Runs
//	swrite                   a Window of plain files       a Window, one tag     a Window, one tag
//
// A piece is what fits one message, c.iounit. A Window is the requests that are outstanding, in order, each
// for a piece; over 9P2000 each has a tag of its own. A window of reads sends no request beyond the length
// that the file had. Its first short answer ends it, since a read of a plain file is short only at the file's
// end. A pipe or a device may give a short answer and go on, so it is not read ahead.
//
// Who owns what: a Window owns the Groups of its pieces and releases them; a Runs owns its Group and the
// bytes that came and are not read, which it gives back to the host's buffers (frames.ts).

import { get16, put16, put32 } from "../../kernel/abi/bits.ts";
import { IOHDRSZ, OTRUNC, QTDIR, STATFIXLEN } from "../../kernel/abi/const.ts";
import { convD2M, convM2D, sizeD2M, wstatdir } from "../../kernel/abi/dir.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import {
  Ebadstat,
  Edoesnotexist,
  Ehungup,
  Eintr,
  Eio,
  Emountrpc,
  Enotdir,
  PlanError,
  error,
} from "../../kernel/abi/errors.ts";
import {
  Rcreate,
  Rerror,
  Ropen,
  Rread,
  Rwrite,
  Tread,
  Tstream,
  Twrite,
} from "../../kernel/abi/fcall.ts";
import type { Fcall, Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { COPEN, Chan } from "../../kernel/chan.ts";
import { openmode } from "../../kernel/dev.ts";
import type { Dev } from "../../kernel/dev.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { Rendez, waitfor } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { Ended } from "../../kernel/stream.ts";
import type { Readstream, Writestream } from "../../kernel/stream.ts";
import type { Mntcache } from "./cache.ts";
import { giveback } from "./frames.ts";
import type { Group, Mnt, Sink } from "./rpc.ts";

/** The type of device in the entries that a server gives: M. */
const DEVM = 0x4d;
/** Bytes of a Tread; a Twrite has these and its data. */
const IOFRAME = 23;
/** Bytes that a stream's window may have outstanding: what the connection may, less room for other requests. */
const WINDOW = 8 * 1024 * 1024 - 128 * 1024;
/** Pieces in one write of the transport. */
const BATCH = 64;

/** What a walk of no elements fails with, whatever the server said. */
export const Eclone = "clone failed";

/** A fid of a server, and the file that it stands for. */
type Mntfid = { readonly fid: number; readonly qid: Qid; readonly devno: number };

/** A file at a server. Its mchan, which it holds a reference to, is the Chan of the connection. */
export class MntChan extends Chan {
  readonly mnt: Mnt;
  /** The fid of the file; -1 once the server has forgotten the fid. */
  fid: number;
  /** The file counts as plain, whatever its qid says: a Tcreate made it, or its open is not answered yet (openwrite). */
  created = false;
  /** The open that was sent and is not answered yet; calls that need the answer wait for it. */
  opening: Opening | null = null;
  /** The cache of its mount; null where the mount has no MCACHE. */
  cache: Mntcache | null = null;
  /** It is the root that was mounted. The cache is emptied when this Chan is closed. */
  cacheroot = false;

  constructor(dev: Dev, mnt: Mnt, at: Mntfid) {
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
  /** Sleeps until more of the answer has come. The caller has just seen known give false. */
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
  return { ...d.dir, type: DEVM, dev: c.devno };
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

/** Builds the request for len bytes at `at` of the file. */
type Build = (tag: number, at: number, len: number) => Tmsg;

/** An extent of a file, of at most c.iounit bytes. */
type Extent = { readonly at: number; readonly len: number };

/** An extent that is asked for: reply number i of g is its answer. */
type Piece = Extent & { readonly g: Group; readonly i: number };

/** Requests for pieces of a file, sent and answered in order: all on one tag, or each on a tag of its own. */
export class Window {
  readonly pieces: Piece[] = [];
  /** Where in the file the next piece starts. */
  at: number;
  readonly #c: MntChan;
  readonly #what: typeof Tread | typeof Twrite;
  /** Bytes that may be outstanding. */
  readonly #most: number;
  #bytes = 0;
  #g: Group | null = null;
  /** The group that a note has flushed last (settle), until its fate is known. */
  #flushed: Group | null = null;
  #ended = false;
  /** A note has flushed the request of the last reply, which was done: nothing more is asked for. */
  #noted = false;
  /** The end of the window has dropped pieces that were not answered. */
  lost = false;

  constructor(c: MntChan, what: typeof Tread | typeof Twrite, at: number, most: number) {
    this.#c = c;
    this.#what = what;
    this.at = at;
    this.#most = most;
  }

  /** Goes on with the tag of g, behind what g has sent. */
  behind(g: Group): void {
    this.#g = g;
    g.turn("open");
  }

  /** How many more pieces may be sent. A window with none outstanding may always send one, and go on. */
  room(): number {
    const { iounit, mnt } = this.#c;
    const mine = Math.floor((this.#most - this.#bytes) / iounit);
    const all = mnt.room(this.#what === Twrite ? IOFRAME + iounit : IOFRAME);
    return Math.max(Math.min(mine, all), this.pieces.length > 0 ? 0 : 1);
  }

  /** Sends the pieces up to `to` that there is room for. */
  *fill(to: number, build: Build): Task<void> {
    // Of a tag that is flushed the answers that are here come first: one may say why.
    if (this.#g?.flushed === true && this.pieces.length > 0) return;
    for (let room = this.room(); room > 0 && this.at < to; room = this.room()) {
      const parts: Extent[] = [];
      for (let at = this.at; at < to && parts.length < Math.min(room, BATCH);) {
        const len = Math.min(this.#c.iounit, to - at);
        parts.push({ at, len });
        at += len;
      }
      yield* this.send(parts, build);
    }
  }

  /**
   * Sends the requests for these parts of the file. Fails with Ended where another call has ended the window, with Eintr
   * where requests before these were flushed and not done.
   */
  *send(parts: readonly Extent[], build: Build): Task<void> {
    const m = this.#c.mnt;
    if (this.#flushed !== null) yield* this.#fate(this.#flushed);
    if (this.#ended) throw new Ended();
    if (!m.ix) {
      if (this.#noted) m.unanswered();
      for (const { at, len } of parts) {
        const g = m.group(1) ?? (yield* this.#waitgroup(1));
        this.#add({ g, i: 0, at, len });
        m.send(g, [build(g.tag, at, len)]);
      }
      return;
    }
    const n = parts.length;
    const g = (this.#g ??= m.group(n) ?? (yield* this.#waitgroup(n)));
    // The note of a plain call, which reply has flushed: nothing more is said on this tag.
    if (g.flushed) m.unanswered();
    g.turn("open");
    const first = g.requests.length;
    for (const [i, p] of parts.entries()) this.#add({ g, i: first + i, ...p });
    m.send(
      g,
      parts.map((p) => build(g.tag, p.at, p.len)),
    );
  }

  /** Sleeps until the Rflush of g has come. What follows goes with a new tag, where all of g was done. */
  *#fate(g: Group): Task<void> {
    while (!g.over) yield g.r;
    if (!g.answered) this.#c.mnt.unanswered();
    this.#flushed = null;
  }

  /** A group, when there is room for it. Another call may have ended the window by then. */
  *#waitgroup(n: number): Task<Group> {
    const m = this.#c.mnt;
    const g = yield* m.waitgroup(n);
    if (!this.#ended) return g;
    m.release(g, true);
    throw new Ended();
  }

  #add(p: Piece): void {
    this.pieces.push(p);
    this.#bytes += p.len;
    this.at = p.at + p.len;
  }

  #shift({ g, len }: Piece): void {
    this.pieces.shift();
    this.#bytes -= len;
    if (g !== this.#g) this.#c.mnt.release(g, true);
  }

  /** The answer to the first piece, if it is there: null when it is not. */
  next(): { readonly piece: Piece; readonly r: Rmsg } | null {
    const piece = this.pieces[0];
    if (piece === undefined) return null;
    const r = piece.g.replies[piece.i];
    if (r === undefined) return piece.g.over ? this.#c.mnt.unanswered() : null;
    this.#shift(piece);
    return { piece, r };
  }

  /** Waits for the answer to the first piece, as a plain call does: a note flushes what is outstanding. */
  *reply(): Task<{ readonly piece: Piece; readonly r: Rmsg }> {
    const piece = this.pieces[0];
    if (piece === undefined) return error(Emountrpc);
    const r = yield* this.#c.mnt.receive(piece.g, piece.i);
    this.#noted = piece.g.flushed;
    this.#shift(piece);
    return { piece, r };
  }

  /**
   * Sleeps until something of the first piece's group has come. The caller has just seen next give null. Fails
   * with Ended where another call has ended the window: no answer will come.
   */
  *wait(): Task<void> {
    const [piece] = this.pieces;
    if (piece === undefined) throw new Ended();
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
      // Nothing more is said on this tag.
      this.#flushed = g;
      if (g === this.#g) this.#g = null;
      this.#c.mnt.release(g, false);
      while (!g.over) yield g.r;
      return "flushed";
    }
  }

  /** Releases all groups; what is outstanding is flushed, and no more is sent. */
  end(): void {
    const m = this.#c.mnt;
    this.#ended = true;
    this.lost ||= this.pieces.length > 0;
    for (const p of this.pieces.splice(0)) if (p.g !== this.#g) m.release(p.g, false);
    if (this.#g !== null) m.release(this.#g, false);
  }
}

/** The request for a piece that is read. */
const treads =
  (c: MntChan): Build =>
  (tag, offset, count) => ({ type: Tread, tag, fid: c.fid, offset, count });

/** The request for a piece that is written, of bytes that go to `from`. */
const twrites =
  (c: MntChan, bytes: Uint8Array, from: number): Build =>
  (tag, offset, len) => {
    const data = bytes.subarray(offset - from, offset - from + len);
    return { type: Twrite, tag, fid: c.fid, offset, data };
  };

/** How a call asks for a piece; `took` takes the answer, behind n bytes before it, and gives how many bytes it has. */
type Pieceio = { readonly build: Build; readonly took: (r: Rmsg, n: number) => number };

/**
 * What a call of more than one piece reads or writes up to `to`, in a window; gives how many bytes, up to
 * the first short answer.
 */
function* inpieces(w: Window, to: number, how: Pieceio): Task<number> {
  let n = 0;
  try {
    for (let at = w.at; at < to;) {
      yield* w.fill(to, how.build);
      const { piece, r } = yield* w.reply();
      const got = how.took(r, n);
      n += got;
      if (got < piece.len) break;
      at += got;
    }
    return n;
  } finally {
    w.end();
  }
}

/**
 * Bytes that a call of several pieces may have outstanding: any number at a plain file over 9P2000.ix, else one
 * piece. A pipe may give a short answer, which ends the call: bytes of requests behind it would be lost.
 */
function outstanding(c: MntChan): number {
  return c.mnt.ix && plain(c) ? Infinity : c.iounit;
}

/** Reads a file from its server: by one Tread where one message has room for buf, else by a Window. */
export function* readfile(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  const count = buf.length;
  if (count <= c.iounit) {
    const { mnt: m, fid } = c;
    const g = m.group() ?? (yield* m.waitgroup());
    return readin(yield* m.rpc(g, { type: Tread, tag: g.tag, fid, offset, count }), buf);
  }
  const w = new Window(c, Tread, offset, outstanding(c));
  const took = (r: Rmsg, n: number): number => readin(r, buf.subarray(n));
  return yield* inpieces(w, offset + count, { build: treads(c), took });
}

/** Takes the bytes of an answer to a Tread; says how many. */
function readin(r: Rmsg, buf: Uint8Array): number {
  if (r.type !== Rread) return error(Emountrpc);
  buf.set(r.data);
  return r.data.length;
}

/** One chunk of entries, which a server never splits; they become entries of device M. */
export function* readdir(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  const n = yield* readfile(c, buf.subarray(0, c.iounit), offset);
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

/** Writes a file at its server: by one Twrite where one message has room for the bytes, else by a Window. */
export function* writefile(c: MntChan, bytes: Uint8Array, offset: number): Task<number> {
  c.cache?.wrote(c.qid);
  try {
    if (bytes.length <= c.iounit) {
      const { mnt: m, fid } = c;
      // A program's array may throw here, so it is looked at before a tag is taken.
      const data = bytes.subarray(0, bytes.length);
      const g = m.group() ?? (yield* m.waitgroup());
      return wrote(yield* m.rpc(g, { type: Twrite, tag: g.tag, fid, offset, data }));
    }
    const w = new Window(c, Twrite, offset, outstanding(c));
    const build = twrites(c, bytes, offset);
    return yield* inpieces(w, offset + bytes.length, { build, took: wrote });
  } finally {
    // A read during the write may have put old bytes into the cache, so the cache is told again.
    c.cache?.wrote(c.qid);
  }
}

/** How many bytes an answer to a Twrite says were written. */
function wrote(r: Rmsg): number {
  return r.type === Rwrite ? r.count : error(Emountrpc);
}

/** Reads ahead up to the length that the file had. Bytes beyond that length are read by one request at a time. */
export class Readwindow implements Readstream {
  offset: number;
  readonly #c: MntChan;
  readonly #w: Window;
  readonly #build: Build;
  /** Where the window of reads ends: the length that the file had, or 0 for a file that may not be read ahead. */
  #length: number;
  #left: Uint8Array = new Uint8Array(0);

  constructor(c: MntChan, length: number) {
    this.#c = c;
    this.#w = new Window(c, Tread, c.offset, WINDOW);
    this.#build = treads(c);
    this.#length = length;
    this.offset = c.offset;
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
      // This call returns the bytes that it has; a later call tells of the failure.
      if (!(e instanceof PlanError)) throw e;
    }
    return n;
  }

  /** Sends what the window has room for. */
  fill(): Task<void> {
    return this.#w.fill(this.#length, this.#build);
  }

  *#next(want: number): Task<Uint8Array> {
    // On a lost connection fill fails, and pieces that have come are still to be read: they go first.
    if (this.#w.pieces.length === 0) yield* this.fill();
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

  /** After a short answer, or a failure, one request goes at a time. */
  #stop(): void {
    this.#length = 0;
    this.#w.end();
  }

  *#one(want: number): Task<Uint8Array> {
    const count = Math.min(Math.max(want, 1), this.#c.iounit);
    const { mnt: m } = this.#c;
    const g = m.group() ?? (yield* m.waitgroup());
    const r = yield* m.rpc(g, this.#build(g.tag, this.offset, count));
    return r.type === Rread ? r.data : error(Emountrpc);
  }

  end(): void {
    this.#w.end();
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
  /** The first failure, which every later call throws; and its text as a plain write would give it. */
  #failed: PlanError | null = null;
  #why = "";
  /** The offset up to which the server has written. */
  #done: number;
  /** A write is being sent, and where finish sleeps until all of it is. */
  #writing = false;
  readonly #written = new Rendez("write");

  constructor(c: MntChan, opening: Opening | null) {
    this.#c = c;
    this.#opening = opening;
    this.#w = new Window(c, Twrite, c.offset, WINDOW);
    if (opening !== null) this.#w.behind(opening.g);
    this.offset = this.#done = c.offset;
  }

  get failed(): boolean {
    return this.#failed !== null;
  }

  *write(_up: Proc, bytes: Uint8Array): Task<number> {
    this.#c.cache?.wrote(this.#c.qid);
    this.#writing = true;
    try {
      yield* this.#send(bytes);
    } catch (e) {
      // Where a write before this one was flushed and not done, that is the stream's failure.
      this.#check();
      throw e;
    } finally {
      this.#writing = false;
      this.#written.wakeupall();
    }
    if (!this.#ahead()) yield* this.#all();
    return bytes.length;
  }

  /** Sends bytes, in the order of the calls, as there is room. */
  *#send(bytes: Uint8Array): Task<void> {
    const [w, end] = [this.#w, this.offset + bytes.length];
    const build = twrites(this.#c, bytes, this.offset);
    // An interrupted write may have sent some pieces. The offset is as before, so the repeated write sends them again.
    w.at = this.offset;
    do {
      for (this.#check(); w.room() <= 0; this.#check()) yield* w.wait();
      // A write of nothing is a message, too.
      if (bytes.length === 0) yield* w.send([{ at: end, len: 0 }], build);
      else yield* w.fill(end, build);
    } while (w.at < end);
    this.offset += bytes.length;
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
      // The tag is flushed, so that it can be used again; no call waits for that.
      this.#w.end();
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
    // Another call's note flushed the tag, and the server did not do this write: -1 has the caller write again.
    if (this.#why === Eintr && !flushed) return -1;
    throw new PlanError(this.#why);
  }

  *#all(): Task<void> {
    for (;;) {
      this.#check();
      if (this.#opening !== null && !this.#opening.known()) yield* this.#opening.wait();
      else if (this.#w.pieces.length > 0) yield* this.#w.wait();
      // Another call, interrupted in finish, has ended the window.
      else if (this.#w.lost) error(Eintr);
      else return;
    }
  }

  *finish(): Task<void> {
    // The program has this failure already as the error of a write.
    if (this.#failed !== null) return;
    try {
      // A process that is killed waits for no server.
      if (this.#c.mnt.k.sched.current?.dying === true) return;
      while (this.#writing) yield this.#written;
      yield* this.#all();
    } finally {
      this.#w.end();
    }
  }
}

/** The fastest link that a first run is to fill, in bytes a second. */
const FASTEST = 4e9;
/** Bytes of a run while the kernel's streams hold their whole allowance. */
const SMALLRUN = 64 * 1024;
/** The least bytes of a run while the kernel's streams hold less than their allowance. */
const RUN = 16 * 1024 * 1024;
/** Parts of at most so many bytes are gathered in buffers of that size. */
const SMALLPART = 512;
const GATHER = 16 * 1024;

/** A run that was asked for: how much, and how much of it came. */
type Run = { readonly count: number; got: number };

/**
 * A stream from a server that speaks 9P2000.ix.stream: runs of Rstreams under credit. Credit is what the
 * kernel's streams have asked for and not read; what they may hold together is config.credit.
 *
 *	run            when                                         bytes
 *	the first      with the open                                what FASTEST brings in a round trip, at most
 *	                                                            3/4 of what is free
 *	the second     the file is plain, and what was asked for    the same, at most half of what is free
 *	               and is not read is not more than the run
 *	all others     one has ended, and the same                  the same; twice as much as before where the
 *	                                                            reader has read all that came
 *
 * "Free" is config.credit less the credit in use. All runs are at least RUN, or SMALLRUN while the streams hold more
 * than their allowance. With config.run, runs are of that size. The first run goes alone, since only the Ropen
 * tells whether the file is plain. (Of a pipe or a device each run takes the bytes that it reads.) So the first run
 * may be as big as two runs in a row: 1/2 of what is free, and 1/2 of the rest. The connection's reader never
 * waits for the reader of a stream.
 */
export class Runs implements Readstream, Sink {
  offset: number;
  readonly #m: Mnt;
  readonly #g: Group;
  readonly #fid: number;
  /** Runs that may be in flight. */
  #max = 1;
  /** Where the stream began, and the file's offset behind the last run asked for. */
  readonly #began: number;
  #asked: number;
  /** Bytes of a run that fills the link, as far as is known. */
  #fills: number;
  #runs: Run[] = [];
  #chunks: Uint8Array[] = [];
  #have = 0;
  /** Where small parts gather, and how much of it is used. */
  #gather: Uint8Array = NONE;
  #gathered = 0;
  #eof = false;
  #failed: string | null = null;
  /** The stream has ended: what still comes is given back. */
  #dropped = false;

  constructor(m: Mnt, g: Group, fid: number, offset: number) {
    this.#m = m;
    this.#g = g;
    this.#fid = fid;
    this.#fills = Math.max(RUN, Math.ceil((FASTEST / 1e9) * m.rtt));
    this.offset = this.#began = this.#asked = offset;
    g.sink = this;
    g.turn("open");
  }

  /** The Tstreams that may be sent now. They count as asked for. */
  ask(): Tmsg[] {
    const msgs: Tmsg[] = [];
    const { tag } = this.#g;
    while (!this.#eof && this.#failed === null && this.#runs.length < this.#max) {
      const count = this.#size();
      if (this.#asked - this.offset > count) break;
      msgs.push({ type: Tstream, tag, fid: this.#fid, offset: this.#asked, count });
      this.#runs.push({ count, got: 0 });
      this.#asked += count;
      this.#m.k.credit += count;
    }
    return msgs;
  }

  /** Bytes of the next run. */
  #size(): number {
    const { credit, config } = this.#m.k;
    const free = config.credit - credit;
    if (free < 0) return SMALLRUN;
    if (config.run !== null) return config.run;
    const part = this.#asked === this.#began ? (free * 3) / 4 : free / 2;
    const least = Math.max(SMALLRUN, Math.min(RUN, config.credit / 2));
    return Math.floor(Math.max(least, Math.min(this.#fills, part)));
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
    else if (bytes.length > 0) this.#add(bytes);
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

  /** Keeps what came until it is read. */
  #add(bytes: Uint8Array): void {
    this.#have += bytes.length;
    if (bytes.length > SMALLPART) this.#chunks.push(bytes);
    else this.#gathers(bytes);
  }

  /** Small parts gather, so that what waits takes no more memory than its bytes. */
  #gathers(bytes: Uint8Array): void {
    if (bytes.length > this.#gather.length - this.#gathered) {
      this.#gather = new Uint8Array(GATHER);
      this.#gathered = 0;
    }
    const at = this.#gathered;
    this.#gather.set(bytes, at);
    this.#gathered += bytes.length;
    giveback(bytes);
    const last = this.#chunks.at(-1);
    const joins = last?.buffer === this.#gather.buffer;
    if (joins) this.#chunks.pop();
    this.#chunks.push(this.#gather.subarray(joins ? last.byteOffset : at, this.#gathered));
  }

  /** No more will be kept: the credit for what did not come is given back. */
  #uncredit(): void {
    const rest = this.#asked - this.offset - this.#have;
    this.#asked -= rest;
    this.#m.k.credit -= rest;
  }

  *read(_up: Proc, buf: Uint8Array): Task<number> {
    if (buf.length === 0) return 0;
    this.ahead();
    while (this.#have === 0) {
      if (this.#eof) return 0;
      if (this.#failed !== null) throw new PlanError(this.#failed);
      if (this.#g.over) throw this.#m.dead ? new PlanError(Ehungup) : new Ended();
      yield this.#g.r;
    }
    const n = this.#take(buf);
    this.ahead();
    return n;
  }

  /** Sends the Tstreams that ask() allows; none once the group is over, of which the next read tells. */
  ahead(): void {
    if (this.#g.over) return;
    const msgs = this.ask();
    if (msgs.length === 0) return;
    if (this.#have === 0 && this.offset > this.#began) this.#fills *= 2;
    this.#m.send(this.#g, msgs);
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
    // Runs beyond the end of the file are answered at once and need no Tflush. A run that still brings bytes does.
    this.#m.release(this.#g, this.#runs.length === 0 || this.#eof);
  }
}

const NONE: Uint8Array = new Uint8Array(0);

/** A stream of an open file from its Chan's offset on. */
export function* startruns(c: MntChan): Task<Readstream> {
  const m = c.mnt;
  const g = m.group(2) ?? (yield* m.waitgroup(2));
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
