// A connection: frames in, replies out, the version, the limits. A session (session.ts) works on the requests; a
// Tversion ends one session and begins the next.
//
// A client is hung up on when its bytes cannot be frames, or when it has more outstanding than the limits say.
// Frames may be cut and merged in any way. The replies to all frames of one read go out in one write. While a
// client does not take its replies, its connection is not read.
//
// Threads of a connection: the reader takes frames until the end, and then waits for all others. Each request that
// takes time has a thread, and so has the pump (stream.ts). One more goes on with requests that waited for room. An
// exception in one of them ends the connection, and no other.
//
// A connection on which little comes is most of what a server with thousands of clients holds. So it has one thread, and
// a short read buffer.

import { Eintr, PlanError } from "../../../kernel/abi/errors.ts";
import {
  Rversion,
  Tflush,
  Tversion,
  type Tmsg,
  convM2S,
  framesize,
  isT,
} from "../../../kernel/abi/fcall.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { istask } from "./answer.ts";
import { Ebadfcall, Emsize, Enotyet } from "./errors.ts";
import { Log } from "./log.ts";
import { INBUF, OUTMARK, Out, type Owner, giveback, newbuf, rerror } from "./out.ts";
import { Session, quietly } from "./session.ts";
import { settling } from "./promises.ts";
import type { Anysrv, Plainsrv } from "./promises.ts";
import { MAXFIDS, PROVEN, RESTS, Room, Share, Shares, type Waiter } from "./shares.ts";
import type { Answer, Srv } from "./srv.ts";
import { Pump } from "./stream.ts";

const MINMSIZE = 256;
const MAXMSIZE = 1048576;
/** The longest frame before a version is agreed on. */
const FIRSTMSIZE = 8216;
/** Requests, and bytes of their frames, that may be outstanding. */
const MAXREQS = 2048;
const MAXBYTES = 16 * 1048576;
/**
 * Bytes of the read buffer: FIRSTBUF until a read fills that, then SMALLBUF. While reads bring much it has INBUF, which
 * is more than a frame of a stream.
 */
const FIRSTBUF = 256;
const SMALLBUF = 4096;
/** Requests of one read after which other threads have their turn, and the least when many connections are busy. */
const TURN = 128;
const LEASTTURN = 16;
/** Replies that are not read stop the reader at this many bytes, where the server is short of room. */
const TIGHTMARK = 8192;
/** size[4] type[1] tag[2] */
const MINFRAME = 7;
const NOBUF: Uint8Array = new Uint8Array(0);

/** The versions of 9P that a server speaks, the best last. */
export const VERSIONS: readonly string[] = ["9P2000", "9P2000.ix", "9P2000.ix.stream"];

const [PLAIN = ""] = VERSIONS;

/**
 * The longest beginning of the offer, cut at a dot, that is spoken; `best` limits that. Of a version with a
 * higher number than 9P2000's, 9P2000 is spoken. version(5)
 *
 *	9P2000.u -> 9P2000, 9P2001 -> 9P2000, 9P1999 -> unknown
 */
export function agree(offer: string, best: string): string {
  const spoken = VERSIONS.filter((v) => v === best || best.startsWith(`${v}.`));
  for (let v = offer; ; v = v.slice(0, v.lastIndexOf("."))) {
    if (spoken.includes(v)) return v;
    if (!v.includes(".")) return /^9P\d{4}$/.test(v) && v > PLAIN ? PLAIN : "unknown";
  }
}

/** Bytes of a buffer that are counted. */
const counts = (length: number): number => (length > SMALLBUF ? length : 0);

/** The least power of 2 that is not below n. */
const powerof2 = (n: number): number => 2 ** Math.ceil(Math.log2(n));

/** The descriptors that requests come from and replies go to; they may be one. */
export type Fds = {
  readonly in: number;
  readonly out: number;
  /** Whom the client has proved to be, and so the only user that it may attach as; "" without proof. */
  readonly user?: string;
};

/** Goes on with a group, or a run, that waits for room for replies. False: there is no room yet. */
export type Parked = () => boolean;

/** The number of a thread, 0 until it has one. */
type Threadid = { readonly id: number };

export class Conn<A> implements Owner {
  readonly sys: ThreadSys;
  readonly out: Out;
  readonly pump: Pump<A>;
  readonly shares: Shares;
  /** This connection's share of the fids, open files and memory that all connections of the server have. */
  readonly fids: Share;
  readonly opens: Share;
  readonly room: Room;
  /** Whom the client has proved to be; "" without proof. */
  readonly user: string;
  /** Requests that came so far, and bytes. */
  requests = 0;
  came = 0;
  readonly #srv: Plainsrv<A>;
  readonly #fds: Fds;
  #session: Session<A> | null = null;
  #msize = FIRSTMSIZE;
  #nreqs = 0;
  #nbytes = 0;
  readonly #threads: Set<number> = new Set();
  #reader = 0;
  /** The reader has come to the end, and waits for the last of the others in #waits. */
  #ended = false;
  #waits: object | null = null;
  readonly #parked: Parked[] = [];
  #resuming = false;
  #buf: Uint8Array = NOBUF;
  #start = 0;
  #end = 0;
  /** The last read filled the buffer; it did so, or brought much. */
  #filled = false;
  #much = false;
  /** What the reader waits for, if it waits: room, or bytes of the client. */
  #waitsfor: "room" | "bytes" | null = null;

  constructor(sys: ThreadSys, fds: Fds, srv: Srv<A>, shares?: Shares) {
    this.sys = sys;
    this.shares = shares ?? new Shares(srv as Anysrv, new Log(sys));
    this.fids = new Share(this.shares.fids, MAXFIDS);
    this.opens = new Share(this.shares.opens);
    this.room = new Room(this.shares.bytes);
    this.out = new Out(sys, fds.out, this);
    this.pump = new Pump(this);
    this.#srv = settling(sys, srv);
    this.#fds = fds;
    this.user = fds.user ?? "";
  }

  /** Fids that the client has. */
  get nfids(): number {
    return this.#session?.fids.size ?? 0;
  }

  /** Requests are worked on, or replies have not left. */
  get busy(): boolean {
    return this.#nreqs > 0 || this.out.unsent > 0;
  }

  /** Serves until the client hangs up, or is hung up on; then everything it had ends. */
  *run(): Task<void> {
    const { sys } = this;
    const end = { over: false, waits: false };
    this.start(() => {
      end.over = true;
      return end.waits ? met(sys, end) : undefined;
    });
    while (!end.over) {
      end.waits = true;
      yield* sys.rendezvous(end, true);
      end.waits = false;
    }
  }

  /** The same in a thread of its own, which calls over at the end. */
  start(over: () => Answer<void>): void {
    this.#reader = this.sys.threadcreate(this.#serve(over));
  }

  *#serve(over: () => Answer<void>): Task<void> {
    try {
      yield* this.#read();
      yield* this.#finish();
    } catch (e) {
      this.shares.log.fault(e);
    }
    const a = over();
    if (istask(a)) yield* a;
  }

  /** Ends the connection, as for a client that breaks the rules: no more answers are sent, and no more bytes read. */
  hangup(): void {
    if (this.out.hungup && this.#ended) return;
    this.out.hungup = true;
    this.sys.threadint(this.#reader);
  }

  /** Ends this connection, and no other, for an exception that is no error of 9P. The log gets the exception. */
  fault(e: unknown): void {
    this.shares.log.fault(e);
    this.hangup();
  }

  /** One more request is outstanding, and its frame. */
  admit(size: number): void {
    this.#nreqs++;
    this.#nbytes += size;
    this.room.add(size);
    if (this.#nreqs > MAXREQS || this.#nbytes > MAXBYTES) this.hangup();
  }

  discharge(size: number): void {
    this.#nreqs--;
    this.#nbytes -= size;
    this.room.add(-size);
  }

  /** Notes that so many bytes of replies are not held any more. Those that wait for room may go on (park). */
  replied(bytes: number): void {
    this.room.reply(-bytes);
    if (this.#parked.length > 0) this.#unpark();
  }

  /** Requests wait while so many bytes of replies have not left. */
  get mark(): number {
    return this.room.tight(0) ? TIGHTMARK : OUTMARK;
  }

  /** Has fn called when there is room again; what was parked first goes on first. */
  park(fn: Parked): void {
    this.#parked.push(fn);
    this.#unpark();
  }

  /** Whether requests wait for room, so that another has to wait behind them. */
  get crowded(): boolean {
    return this.#parked.length > 0;
  }

  /** Runs a Task in a thread that the connection's end waits for. */
  thread(task: Task<void>): number {
    return this.#go("threadcreate", task);
  }

  /** As thread, but the task begins at once: 0 when it needed no thread. */
  begin(task: Task<void>): number {
    return this.#go("threadbegin", task);
  }

  #go(how: "threadcreate" | "threadbegin", task: Task<void>): number {
    const me = { id: 0 };
    me.id = this.sys[how](this.#thread(task, me));
    if (me.id !== 0) this.#threads.add(me.id);
    return me.id;
  }

  *#thread(task: Task<void>, me: Threadid): Task<void> {
    try {
      yield* task;
    } catch (e) {
      this.fault(e);
    }
    this.#threads.delete(me.id);
    const at = this.#waits;
    if (at === null || this.#threads.size > 0) return;
    this.#waits = null;
    yield* this.sys.rendezvous(at, true);
  }

  #unpark(): void {
    if (this.#resuming) return;
    this.#resuming = true;
    this.thread(this.#resume());
  }

  /** Goes on with what was parked, in order, as long as there is room. */
  *#resume(): Task<void> {
    try {
      while (!this.out.hungup) {
        yield* this.out.drain(this.mark);
        const [fn] = this.#parked;
        if (fn === undefined || !fn()) break;
        this.#parked.shift();
      }
      yield* this.out.flush();
    } finally {
      this.#resuming = false;
    }
  }

  /** Takes frames until the end. */
  *#read(): Task<void> {
    try {
      while (!this.out.hungup && (yield* this.#fill())) {
        if (this.#srv.turn !== undefined) yield* this.#srv.turn();
        yield* this.#takeall();
      }
    } catch (e) {
      if (!this.out.hungup) this.fault(e);
    }
    this.out.hungup = true;
    this.#ended = true;
  }

  /**
   * Takes the frames that one read has brought, and sends the replies. After TURN frames it pauses, so that other
   * connections have their turn. A client that sends one request at a time never has so many frames here, so it
   * is never made to pause.
   */
  *#takeall(): Task<void> {
    const { out, shares } = this;
    shares.busy++;
    try {
      for (let n = 0; ; n++) {
        if (this.#nreqs > 0 && this.#small) yield* this.#waitroom(SMALLBUF);
        if (n >= LEASTTURN && n * shares.busy >= TURN && this.#whole) {
          n = 0;
          yield* this.#turn();
        }
        if (!this.#next()) break;
        this.requests++;
        if (shares.bytes.overdrawn !== null) this.room.repay();
        if (out.unsent >= TIGHTMARK && out.unsent >= this.mark) {
          yield* this.#leave();
          yield* out.drain(this.mark);
        }
      }
      yield* this.#leave();
      yield* out.flush();
    } finally {
      shares.busy--;
    }
  }

  /**
   * Lets all others have their turn. Of the connections that have more to do than a turn, one goes on at a time, and
   * then the host has its turn. So a client that sends little waits for one turn, however many send much.
   */
  *#turn(): Task<void> {
    const { crowd } = this.shares;
    yield* this.#leave();
    yield* this.out.flush();
    crowd.push(this);
    while (crowd[0] !== this && !this.out.hungup) yield* this.sys.rendezvous(this, true);
    yield* quietly(this.sys.sleep(0));
  }

  /** Leaves the connections that have more to do, and lets the next go on: what comes now may wait for the client. */
  *#leave(): Task<void> {
    const { crowd } = this.shares;
    this.#shrink();
    const at = crowd.indexOf(this);
    if (at < 0) return;
    crowd.splice(at, 1);
    if (at === 0 && crowd.length > 0) yield* this.sys.rendezvous(crowd[0], true);
  }

  /**
   * Whether a frame adds to what is held when its request takes time: it came in a buffer that is not counted.
   * A Tflush adds nothing.
   */
  get #small(): boolean {
    return this.#buf.length <= SMALLBUF && this.#whole && this.#buf[this.#start + 4] !== Tflush;
  }

  /** Waits until n bytes more of input may be held, or the client is hung up on. */
  *#waitroom(n: number): Task<void> {
    const { room, sys } = this;
    const { bytes } = this.shares;
    const most = n <= this.came - (this.#end - this.#start) ? PROVEN : RESTS;
    if (room.ask(n, most)) return;
    yield* this.#leave();
    yield* this.out.flush();
    const me = { sleeps: false };
    const waiter: Waiter = {
      room,
      n,
      most,
      wake: () => void (me.sleeps && sys.threadcreate(meet(sys, me))),
    };
    bytes.queue.push(waiter);
    this.#waitsfor = "room";
    this.shares.full();
    try {
      while (!this.out.hungup && !room.ask(n, most)) {
        me.sleeps = true;
        yield* sys.rendezvous(me, true);
      }
      bytes.served++;
    } finally {
      me.sleeps = false;
      this.#waitsfor = null;
      bytes.leave(waiter);
    }
  }

  /** Where the server is short of room, no more of the buffer is held than is needed. */
  #shrink(): void {
    if (!this.room.tight(INBUF)) return;
    const size = this.#size(this.#end - this.#start);
    if (size < this.#buf.length) this.#makeroom(size);
  }

  /**
   * Ends the session, interrupts the threads, closes the descriptors, and waits for the threads. The interrupt also
   * ends a write to a client that does not read.
   */
  *#finish(): Task<void> {
    const { sys } = this;
    yield* this.#leave();
    const rest = this.#session?.end();
    this.#parked.length = 0;
    for (const id of this.#threads) sys.threadint(id);
    this.#keep(NOBUF);
    yield* quietly(sys.close(this.#fds.in));
    if (this.#fds.out !== this.#fds.in) yield* quietly(sys.close(this.#fds.out));
    if (rest !== undefined && rest !== null) yield* rest;
    while (this.#threads.size > 0) {
      this.#waits = {};
      yield* sys.rendezvous(this.#waits, true);
      this.#waits = null;
    }
    this.room.add(-this.room.held);
    this.room.repay();
  }

  /** A frame waits for room, or has room and does not come whole. */
  get stuck(): boolean {
    if (this.#waitsfor === "room") return true;
    return this.#end > this.#start && !this.#whole && this.room.counted > 0;
  }

  /** Gives back a long buffer in which no bytes are: the client has nothing to say now. */
  release(): void {
    if (this.listens && this.#end === this.#start && this.#buf.length > SMALLBUF)
      this.sys.threadint(this.#reader);
  }

  /** The client could send more of its frame. */
  get listens(): boolean {
    return this.#waitsfor === "bytes";
  }

  /** Reads more bytes; false at the end. */
  *#fill(): Task<boolean> {
    const have = this.#end - this.#start;
    let size = this.#size(have);
    const counted = counts(this.#buf.length);
    if (counts(size) > counted && !this.room.ask(counts(size) - counted)) {
      // A connection waits once for the rest of a frame of which bytes are here, and then has room for all of it.
      size = have < 4 ? SMALLBUF : Math.max(size, framesize(this.#buf, this.#start));
      if (have >= 4) yield* this.#waitroom(size - counted);
      if (this.out.hungup) return false;
    }
    this.#makeroom(size);
    for (;;) {
      try {
        this.#waitsfor = "bytes";
        const n = yield* this.sys.read(this.#fds.in, this.#buf.subarray(this.#end));
        this.#waitsfor = null;
        this.came += n;
        this.#end += n;
        this.#filled = this.#end === this.#buf.length;
        this.#much = n >= SMALLBUF || (this.#filled && this.#end >= SMALLBUF);
        return n > 0;
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
        if (e.message !== Eintr || this.out.hungup) return false;
        if (this.#end === 0) this.#makeroom(SMALLBUF);
      }
    }
  }

  /** Makes the buffer so long. It grows when bytes come, and not because a frame's size says that they will. */
  #makeroom(size: number): void {
    const have = this.#end - this.#start;
    if (size !== this.#buf.length) {
      const next = newbuf(size);
      next.set(this.#buf.subarray(this.#start, this.#end));
      this.#keep(next);
    } else if (this.#start > 0) this.#buf.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = have;
  }

  /** How long the buffer should be, with so many bytes in it. */
  #size(have: number): number {
    const { length } = this.#buf;
    if (have === 0 && length < SMALLBUF && !this.#filled) return FIRSTBUF;
    // While the server is short of room the buffer is no bigger than the frame needs.
    if (this.room.tight(INBUF)) return have < 4 ? SMALLBUF : this.#least(have);
    const much = this.#much;
    if (have === 0) return much && !this.crowded ? Math.max(length, INBUF) : SMALLBUF;
    if (length < SMALLBUF) return SMALLBUF;
    if (length < INBUF) return much || 2 * have > length ? INBUF : length;
    if (2 * have <= length) return length;
    return Math.max(length, Math.min(framesize(this.#buf, this.#start), 2 * length));
  }

  /** The least buffer for the frame of which there are so many bytes: it doubles as they come. */
  #least(have: number): number {
    const frame = framesize(this.#buf, this.#start);
    // A frame that waited for its room has a buffer of its length, and keeps it.
    if (this.#buf.length === frame) return frame;
    return Math.max(SMALLBUF, have + 1, Math.min(frame, powerof2(have + 1)));
  }

  /** Makes `next` the read buffer, and counts its bytes in the server's room. */
  #keep(next: Uint8Array): void {
    const old = this.#buf;
    this.room.add(counts(next.length) - counts(old.length));
    giveback(old);
    this.#buf = next;
  }

  /** A whole frame is there. */
  get #whole(): boolean {
    const have = this.#end - this.#start;
    return have >= 4 && have >= framesize(this.#buf, this.#start);
  }

  /** Takes one frame, if a whole one is there. */
  #next(): boolean {
    const start = this.#start;
    const have = this.#end - start;
    if (this.out.hungup || have < 4) return false;
    const buf = this.#buf;
    const size = framesize(buf, start);
    if (size < MINFRAME || size > this.#msize) {
      if (this.requests === 0 && ishello(buf, start))
        this.shares.log.add("tls", "a call was refused: the client speaks TLS; dial tcp!");
      this.hangup();
      return false;
    }
    if (have < size) return false;
    this.#start = start + size;
    const f = convM2S(buf, start, start + size);
    if (f !== null && isT(f)) this.#take(f, size);
    else
      this.out.put(
        rerror((buf[start + 5] ?? 0) | ((buf[start + 6] ?? 0) << 8), Ebadfcall),
        this.#msize,
      );
    return true;
  }

  #take(f: Tmsg, size: number): void {
    if (f.type === Tversion) this.#version(f.tag, f.msize, f.version);
    else if (this.#session === null) this.out.put(rerror(f.tag, Enotyet), this.#msize);
    else this.#session.take(f, size);
  }

  #version(tag: number, offered: number, version: string): void {
    this.#reset();
    if (offered < MINMSIZE) {
      this.out.put(rerror(tag, Emsize), FIRSTMSIZE);
      return;
    }
    const msize = Math.min(offered, this.#srv.msize ?? MAXMSIZE, MAXMSIZE);
    const agreed = agree(version, this.#srv.version ?? "9P2000.ix.stream");
    if (agreed !== "unknown") {
      this.#msize = msize;
      const ix = agreed !== "9P2000";
      this.#session = new Session(this, this.#srv, {
        msize,
        ix,
        stream: agreed === "9P2000.ix.stream",
      });
    }
    this.out.put({ type: Rversion, tag, msize, version: agreed }, msize);
  }

  /** Ends the session, if there is one. */
  #reset(): void {
    const old = this.#session;
    this.#session = null;
    this.#msize = FIRSTMSIZE;
    if (old === null) return;
    const rest = old.end();
    if (rest !== null) this.thread(rest);
  }
}

/** Whether bytes begin as a TLS handshake does: record type 22, version 3. */
const ishello = (buf: Uint8Array, at: number): boolean => buf[at] === 22 && buf[at + 1] === 3;

/** Meets the thread that waits at a tag. */
function* met(sys: ThreadSys, at: object): Task<void> {
  yield* sys.rendezvous(at, true);
}

/** Where a thread sleeps, if it does. */
type Sleeper = { sleeps: boolean };

/** The same, if that thread still sleeps when this one runs. */
function* meet(sys: ThreadSys, at: Sleeper): Task<void> {
  if (!at.sleeps) return;
  at.sleeps = false;
  yield* sys.rendezvous(at, true);
}
