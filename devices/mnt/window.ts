// Streams without Tstream: windows of Treads and Twrites that are sent without waiting for each other, on
// one tag over 9P2000.ix, on different tags and for plain files only over 9P2000 (protocol, the end of
// "9P2000.ix.stream"). With 9P2000.ix.stream the writes go this way too.

import { QTDIR } from "../../kernel/abi/const.ts";
import { Ehungup, Eintr, Eio, Emountrpc, PlanError, error } from "../../kernel/abi/errors.ts";
import { Rerror, Rread, Rwrite, Tread, Twrite } from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { waitfor } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Readstream, Writestream } from "../../kernel/stream.ts";
import type { Group } from "./group.ts";
import { plain } from "./chan.ts";
import type { MntChan, Opening } from "./chan.ts";
import type { Mnt } from "./rpc.ts";

/** Bytes that a window may have outstanding: what the connection may, less room for other requests. */
const WINDOW = 8 * 1024 * 1024 - 128 * 1024;
/** Bytes of a Twrite beside its data. */
const IOFRAME = 23;

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
