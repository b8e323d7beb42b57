// Streams: the runs that Tstreams ask for, and the pump that sends them, a frame of each in turn. The
// pump hands on a frame when the transport has taken everything before it, so other replies, which go
// out as they come, wait for one frame at most.
//
// A server whose read is plain is asked when the frame's turn comes. One whose read takes time is asked
// ahead, in a thread, for one frame; what it gave is sent also if the run is flushed meanwhile, since a
// file without offsets would not give it again.

import { Eshort, PlanError } from "../../../kernel/abi/errors.ts";
import { Rstream, type Rmsg } from "../../../kernel/abi/fcall.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { istask } from "./answer.ts";
import type { Conn } from "./conn.ts";
import { readfid } from "./rw.ts";
import { Flushable } from "./flushable.ts";
import { rerror } from "./out.ts";
import type { Answer, Fid } from "./srv.ts";
import type { Msg, Session } from "./session.ts";

/** Data in one frame, at most. */
const FRAME = 65536;
/** Frames end on multiples of this in the file, where they are long enough: servers keep files so. */
const BLOCK = 4096;

const EMPTY = new Uint8Array(0);

/** A run of a file: what one Tstream asks for. */
export class Run<A> {
  readonly #s: Session<A>;
  readonly #fid: Fid<A>;
  readonly #tag: number;
  readonly #isdir: boolean;
  readonly #frame: number;
  #offset: number;
  #left: number;
  #done: (r: Rmsg | null) => void = () => undefined;
  #begun = false;
  #over = false;
  /** Something was sent. */
  #given = false;
  /** The server takes its time: the frame asked for ahead, and what holds it. */
  #slow = false;
  #data: Uint8Array | null = null;
  #charged = 0;
  #fill: { readonly work: Flushable<Uint8Array>; readonly thread: number } | null = null;

  constructor(s: Session<A>, fid: Fid<A>, f: Msg<"Tstream">) {
    const max = Math.min(s.msize - 11, FRAME);
    this.#s = s;
    this.#fid = fid;
    this.#tag = f.tag;
    this.#offset = f.offset;
    this.#left = f.count;
    this.#isdir = s.isdir(fid.aux);
    this.#frame = max < 2 * BLOCK || this.#isdir ? max : max - (max % BLOCK);
  }

  /** Begins; done is called when it is over, with the reply that ends it if it still has to be sent. */
  start(done: (r: Rmsg | null) => void): void {
    this.#done = done;
    this.#s.conn.pump.add(this);
  }

  /** Its turn: sends a frame, or sees to it that one comes; false if there is no room to ask for one. */
  send(): boolean {
    if (this.#over) return true;
    if (this.#slow && this.#data === null && this.#s.conn.room.grant(this.#frame) === 0)
      return false;
    this.#send();
    return true;
  }

  #send(): void {
    if (this.#data !== null) {
      this.#put(this.#data);
      return;
    }
    const a = this.#read();
    if (a === null) return;
    if (istask(a)) {
      this.#slow = true;
      this.#ask(a);
    } else this.#put(a);
  }

  /** Ends it early. */
  flush(): void {
    const fill = this.#fill;
    if (fill !== null) {
      if (fill.work.flush()) this.#s.conn.sys.threadint(fill.thread);
    } else if (this.#data !== null) this.#last(this.#data);
    else this.#finish(null);
  }

  #read(): Answer<Uint8Array> | null {
    try {
      if (this.#begun) return this.#frameof();
      this.#begun = true;
      const begin = this.#isdir ? undefined : this.#s.srv.stream?.(this.#fid, this.#offset);
      return istask(begin) ? this.#begin(begin) : this.#frameof();
    } catch (e) {
      this.#fail(e);
      return null;
    }
  }

  #frameof(): Answer<Uint8Array> {
    const count = this.#slow ? this.#s.room(this.#frame) : this.#frame;
    return readfid(this.#s, this.#fid, Math.min(this.#left, count), this.#offset);
  }

  *#begin(task: Task<void>): Task<Uint8Array> {
    yield* task;
    const a = this.#frameof();
    return istask(a) ? yield* a : a;
  }

  /** Has the next frame fetched in a thread. */
  #ask(task: Task<Uint8Array>): void {
    const { conn } = this.#s;
    const work = new Flushable(task);
    this.#charged = Math.min(this.#left, this.#frame);
    conn.room.reply(this.#charged);
    this.#fill = { work, thread: conn.thread(this.#fetch(work)) };
  }

  *#fetch(work: Flushable<Uint8Array>): Task<void> {
    try {
      const data = yield* work.task;
      this.#data = this.#s.srv.views === true ? data.slice() : data;
    } catch (e) {
      this.#fill = null;
      if (work.flushed && e instanceof PlanError) this.#finish(null);
      else this.#fail(e);
    }
    this.#fill = null;
    if (this.#data !== null) {
      if (work.flushed) this.#last(this.#data);
      else this.#s.conn.pump.add(this);
    }
    if (this.#over) yield* this.#s.conn.out.flush();
  }

  #put(data: Uint8Array): void {
    const n = data.length;
    this.#release();
    if (n > 0) this.#s.put({ type: Rstream, tag: this.#tag, data });
    this.#given ||= n > 0;
    this.#offset += n;
    this.#left -= n;
    if (n === 0 || (this.#left === 0 && this.#isdir))
      this.#finish({ type: Rstream, tag: this.#tag, data: EMPTY });
    else if (this.#left === 0) this.#finish(null);
    else if (this.#slow && this.#s.conn.room.grant(this.#frame) > 0) this.#next();
    else this.#s.conn.pump.add(this);
  }

  /** Asks ahead. */
  #next(): void {
    const a = this.#read();
    if (a === null) return;
    if (istask(a)) this.#ask(a);
    else {
      this.#data = a.slice();
      this.#s.conn.pump.add(this);
    }
  }

  /** Flushed, with a frame in hand. */
  #last(data: Uint8Array): void {
    this.#release();
    if (data.length > 0) this.#s.put({ type: Rstream, tag: this.#tag, data });
    this.#finish(null);
  }

  #release(): void {
    this.#data = null;
    if (this.#charged > 0) this.#s.conn.replied(this.#charged);
    this.#charged = 0;
  }

  #fail(e: unknown): void {
    if (!(e instanceof PlanError)) {
      this.#s.conn.fault(e);
      this.#finish(null);
      return;
    }
    // The rest of this run has no room for the next entry: the client asks for another run.
    const full = this.#isdir && this.#given && e.message === Eshort;
    this.#finish(
      full ? { type: Rstream, tag: this.#tag, data: EMPTY } : rerror(this.#tag, e.message),
    );
  }

  #finish(r: Rmsg | null): void {
    this.#release();
    this.#over = true;
    this.#done(r);
  }
}

/** Sends the frames of the runs of a connection, one at a time, in turn. */
export class Pump<A> {
  readonly #conn: Conn<A>;
  readonly #ready: Run<A>[] = [];
  #running = false;

  constructor(conn: Conn<A>) {
    this.#conn = conn;
  }

  /** The run has a frame to send, or will when it is asked. */
  add(run: Run<A>): void {
    this.#ready.push(run);
    if (this.#running) return;
    this.#running = true;
    this.#conn.thread(this.#pump());
  }

  *#pump(): Task<void> {
    const conn = this.#conn;
    try {
      for (;;) {
        yield* conn.out.pump();
        const run = conn.out.hungup ? undefined : this.#ready.shift();
        if (run === undefined) break;
        if (!run.send()) conn.park(() => run.send());
      }
    } finally {
      this.#running = false;
    }
  }
}
