// rpc: a connection to a 9P server. Here are its tags and fids, the messages that go out and come in, and
// what a reply may be. Which messages an operation needs is in mnt.ts and later.ts; where frames begin and
// end in what the transport brings is in frames.ts.
//
// One read, message by message:
//	1. the caller gets a Group, which has a tag of its own;
//	2. send() packs the Tread and writes it;
//	3. the reader coroutine of the connection finds the Rread's Group by its tag, and keeps the Rread there;
//	4. the reader wakes the caller, which takes the Rread in receive(). The reader never waits for a process.
//
// What becomes of a fid, who holds it, and who gives its number back:
//
//	held by             since                            until
//	a Group             one of its requests makes it     a Chan keeps it, or the Group is settled
//	a Chan of M         the reply said that it exists    its close, which asks for a Tclunk
//	a Group             its Tclunk or Tremove            the Group is settled
//	#clunks             its Tclunk waits for room        the connection has room
//
// A Group is settled when no more reply will come and its system call has let go of it (Life). Then the number of
// each of its fids that the server does not have is free again, and the others are clunked. A Tclunk that was
// flushed leaves its fid with the server, so it is sent again; an interrupted or killed caller loses no fid.

import { joined } from "../../kernel/abi/bits.ts";
import { NOTAG, STATFIXLEN } from "../../kernel/abi/const.ts";
import { Ebadarg, Ehungup, Eintr, Panic, PlanError, error } from "../../kernel/abi/errors.ts";
import {
  Rerror,
  Rread,
  Rstat,
  Rstream,
  Rwalk,
  Rwrite,
  Tattach,
  Tauth,
  Tclunk,
  Tflush,
  Tread,
  Tremove,
  Tstream,
  Twalk,
  Twrite,
  convM2S,
  convS2M,
  framesize,
  sizeS2M,
} from "../../kernel/abi/fcall.ts";
import type { Fcall, Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { cclose } from "../../kernel/chan.ts";
import type { Chan } from "../../kernel/chan.ts";
import type { Conn, Filter, Kernel, Transport } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { Slab } from "../../kernel/abi/slab.ts";
import { REPLY, Rendez, waitfor } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Coroutine } from "../../kernel/proc/sched.ts";
import type { Call } from "../../kernel/trace.ts";
import { Frames } from "./frames.ts";
import type { Part } from "./frames.ts";

/**
 * The requests, and their bytes, that may be outstanding on a connection: half of what a server must take.
 */
const MAXOUT = 1024;
const MAXOUTBYTES = 8 * 1024 * 1024;
/** Requests that the windows of long reads and writes leave to other calls. */
const OTHERS = 64;
const MAXFIDS = 32768;
/** Bytes up to which messages are gathered for one write. */
const BATCH = 32768;

/** What was agreed with fversion. */
export type Agreed = { readonly version: string; readonly msize: number };

/** Agreed, and the round trip of the Tversion in nanoseconds. */
export type Agreement = Agreed & { readonly rtt: number };

/**
 * The life of a Group. The system call holds the Group from group() until release(). The wire is done with the
 * Group when no more reply will come.
 *
 *	life       the system call      the wire
 *	open       may add requests     brings replies
 *	sent       waits for replies    brings replies
 *	flushing   waits for the Rflush brings replies, then the Rflush
 *	whole      takes the replies    done: every reply is here
 *	lost       takes the replies    done: the Rflush has come, or the connection is gone
 *	left       is gone              brings replies
 *	dropped    is gone              brings replies, then the Rflush
 *	settled    is gone              done: the tag is free, the fids are dealt with
 */
type Life = "open" | "sent" | "flushing" | "whole" | "lost" | "left" | "dropped" | "settled";

/**
 * What can happen to a Group: "open" says that more requests follow, "leave" that the system call has let go
 * of it.
 */
type Event = "open" | "flush" | "whole" | "lost" | "leave";

/** The life after an event, by the life before it. A life that is not listed stays as it is. */
const LIVES: Readonly<Record<Event, Readonly<Partial<Record<Life, Life>>>>> = {
  open: { sent: "open" },
  flush: { open: "flushing", sent: "flushing", left: "dropped" },
  whole: { open: "whole", sent: "whole", left: "settled" },
  lost: { open: "lost", sent: "lost", flushing: "lost", left: "settled", dropped: "settled" },
  leave: { open: "left", sent: "left", flushing: "dropped", whole: "settled", lost: "settled" },
};

/** The lives in which no more requests may be sent: a server that has flushed the tag would take them for a new group. */
const MUTE: ReadonlySet<Life> = new Set(["flushing", "whole", "lost", "dropped", "settled"]);

/** A fid that a request of a Group makes (Twalk) or ends (Tclunk, Tremove). `there`: the server has the fid now. */
type Groupfid = { readonly fid: number; there: boolean };

/** Takes what a Tstream brings; the connection calls it for each Rstream, in order. */
export interface Sink {
  /**
   * Takes the bytes of an Rstream. The sink owns them from now on, and gives them back to the host's buffers
   * (frames.ts). "over": the Tstream is answered to its end; "bad": the server sent more than the Tstream asked for.
   */
  data(bytes: Uint8Array): "more" | "over" | "bad";
  /** An Rerror ended the answers to the Tstream. */
  failed(ename: string): void;
}

/** Requests with one tag, and their replies in the same order. */
export class Group {
  readonly tag: number;
  readonly call: Call | null;
  readonly requests: Tmsg[] = [];
  readonly replies: Rmsg[] = [];
  readonly fids: Groupfid[] = [];
  life: Life;
  /** Bytes of the requests that are not answered. */
  bytes = 0;
  /** Where Rstreams go. */
  sink: Sink | null = null;
  // A plain field and not a #private one: a Group is made for every message, and private fields take V8
  // longer to make.
  private asleep: Rendez | null = null;

  constructor(tag: number, call: Call | null, life: Life) {
    this.tag = tag;
    this.call = call;
    this.life = life;
  }

  /**
   * Where a call sleeps until a reply of this group has come. It is made when a call first sleeps, since no
   * call waits for most Tclunks.
   */
  get r(): Rendez {
    return (this.asleep ??= new Rendez(REPLY));
  }

  wakeup(): void {
    this.asleep?.wakeupall();
  }

  /** Moves the life on by an event; false when the event changes nothing. */
  turn(event: Event): boolean {
    const next = LIVES[event][this.life];
    if (next === undefined) return false;
    this.life = next;
    return true;
  }

  /** Every request has its reply. */
  get answered(): boolean {
    return this.replies.length === this.requests.length;
  }

  /** No more replies will come. */
  get over(): boolean {
    return this.life === "whole" || this.life === "lost" || this.life === "settled";
  }

  /**
   * A Tflush was sent, or the connection is gone. A request that has no answer when the Rflush comes was not
   * done. Only a call that holds the group asks.
   */
  get flushed(): boolean {
    return this.life === "flushing" || this.life === "lost";
  }

  /** A Chan takes over fid, which the server has: when the group is settled, this fid is left alone. */
  keep(fid: number): void {
    const i = this.fids.findIndex((f) => f.fid === fid);
    if (i >= 0) this.fids.splice(i, 1);
  }

  /** Notes what a reply says of a fid. */
  note(fid: number, there: boolean): void {
    for (const f of this.fids) if (f.fid === fid) f.there = there;
  }
}

export class Mnt implements Conn {
  readonly id: number;
  readonly chan: Chan;
  readonly version: string;
  readonly msize: number;
  /** 9P2000.ix was agreed: requests with one tag are served in order. */
  readonly ix: boolean;
  /** 9P2000.ix.stream was agreed. */
  readonly stream: boolean;
  /** The close of a file waits for the Rclunk, as in Plan 9. Only the name space `standard` does so. */
  readonly waits: boolean;
  /** Nanoseconds to the server and back, when the version was agreed. */
  readonly rtt: number;
  /** The server is gone, or was hung up on. */
  dead = false;
  readonly k: Kernel;
  readonly #groups: (Group | null)[] = [];
  readonly #freetags: number[] = [];
  readonly #freefids: number[] = [];
  readonly #usedfids = new Set<number>();
  #nextfid = 0;
  #nout = 0;
  #holding = false;
  #outbytes = 0;
  readonly #room = new Rendez("room on the connection");
  readonly #clunks: number[] = [];
  /** Packed and not yet given to the transport, in order. */
  readonly #posted: Uint8Array[] = [];
  #writing = false;
  /** A kernel process was made that will write what is posted. */
  #due = false;
  #reader: Coroutine | null = null;
  /**
   * The transport, or a filter before it, and whether a server outside of this host process is at its other
   * end (#holdclock).
   */
  readonly #wire: Transport;
  readonly #outside: boolean;
  readonly #filter: Filter | null;
  /** Bytes over the transport so far, each way. */
  #out: number;
  #in: number;

  constructor(k: Kernel, chan: Chan, agreed: Agreement, filter: Filter | null) {
    this.k = k;
    this.#filter = filter;
    this.#wire = filter ?? chan.dev;
    this.#outside = this.#wire.outside === true;
    this.waits = k.config.namespace === "standard";
    this.id = k.nextconn();
    this.chan = chan;
    this.version = agreed.version;
    this.msize = agreed.msize;
    this.rtt = agreed.rtt;
    this.ix = agreed.version.startsWith("9P2000.ix");
    this.stream = agreed.version.startsWith("9P2000.ix.stream");
    ({ out: this.#out, in: this.#in } = chan.dev.wire(chan) ?? { out: 0, in: 0 });
    k.conns.add(this);
    filter?.agreed(this.id, agreed.version);
    this.#tell("open");
  }

  /**
   * A fresh group with a tag of its own; null while the connection has no room for n more requests. A caller asks
   * for less than MAXOUT. There is always room for a Tflush, which asks for 0. A Tflush and a Tclunk belong to no
   * system call: their groups begin as "left".
   */
  group(n: 0, life: Life): Group;
  group(n?: number, life?: Life): Group | null;
  group(n: number = 1, life: Life = "sent"): Group | null {
    if (this.dead) error(Ehungup);
    if (n > 0 && (this.#nout + n > MAXOUT || this.#outbytes >= MAXOUTBYTES)) return null;
    const tag = this.#freetags.pop() ?? this.#groups.length;
    if (tag >= NOTAG) error("no free tags");
    return (this.#groups[tag] = new Group(tag, this.k.sched.current?.call ?? null, life));
  }

  /** group, which sleeps until there is room. A caller asks group first: where there is room, no generator is made. */
  *waitgroup(n: number = 1): Task<Group> {
    for (;;) {
      yield this.#room;
      const g = this.group(n);
      if (g !== null) return g;
    }
  }

  /** A fid number that the server does not know, for a request of g that makes the fid. */
  newfid(g: Group): number {
    if (this.#usedfids.size >= MAXFIDS) error("no free fids");
    const fid = this.#freefids.pop() ?? this.#nextfid++;
    this.#usedfids.add(fid);
    g.fids.push({ fid, there: false });
    return fid;
  }

  #freefid(fid: number): void {
    if (this.#usedfids.delete(fid)) this.#freefids.push(fid);
  }

  /** Sends the one message of g, waits for its answer, and releases g; an Rerror is thrown. */
  *rpc(g: Group, t: Tmsg): Task<Rmsg> {
    try {
      this.send(g, [t]);
      return yield* this.receive(g, 0);
    } finally {
      this.release(g, false);
    }
  }

  /**
   * rpc of a message that ends a fid. When the message cannot be sent or is flushed, the fid is clunked later, so
   * no failure leaks it.
   */
  *rpcend(type: typeof Tclunk | typeof Tremove, fid: number): Task<Rmsg> {
    let g: Group | null = null;
    try {
      g = this.group() ?? (yield* this.waitgroup());
      g.fids.push({ fid, there: true });
    } finally {
      if (g === null) this.clunk(fid);
    }
    return yield* this.rpc(g, { type, tag: g.tag, fid });
  }

  /**
   * rpc of a message that makes a fid. If the answer says that the server has the fid, the caller's Chan
   * takes it over.
   */
  *rpcfid(
    build: (tag: number, fid: number) => Tmsg,
  ): Task<{ readonly r: Rmsg; readonly fid: number }> {
    const g = this.group() ?? (yield* this.waitgroup());
    try {
      const fid = this.newfid(g);
      this.send(g, [build(g.tag, fid)]);
      const r = yield* this.receive(g, 0);
      if (g.fids[0]?.there === true) g.keep(fid);
      return { r, fid };
    } finally {
      this.release(g, false);
    }
  }

  /**
   * Sends requests of g, after those that were posted before. It does not sleep, so a note cannot interrupt
   * a message in the middle. A Tflush or Tclunk goes `soon`: with the next requests, or when what is ready now has run.
   */
  send(g: Group, requests: readonly Tmsg[], soon = false): void {
    if (this.dead) error(Ehungup);
    if (MUTE.has(g.life)) throw new Panic("request on a tag that is flushed");
    const bytes = packed(requests, this.msize);
    this.#posted.push(bytes);
    if (this.k.trace.on) this.#tellsent(g, requests, bytes);
    for (const t of requests) g.requests.push(t);
    g.bytes += bytes.length;
    this.#out += bytes.length;
    this.#nout += requests.length;
    this.#outbytes += bytes.length;
    if (this.#outside) this.#holdclock();
    const { proc0, sched, kdone } = this.k;
    if (this.#writing || (soon && this.#due) || proc0 === null) return;
    // The writer's reference: the last user may close the connection's Chan before all is written.
    this.chan.ref++;
    const task = this.#write(proc0, soon);
    if (soon) {
      this.#due = true;
      sched.soon({ proc: proc0, label: "mount writer", task, done: kdone });
      return;
    }
    const step = task.next();
    // The transport has to wait. A kernel process waits for it, and the caller goes on to wait for the reply.
    if (step.done !== true) this.k.kproc("mount writer", task, step.value);
  }

  #tellsent({ call }: Group, requests: readonly Tmsg[], packed: Uint8Array): void {
    let at = 0;
    for (const fcall of requests) {
      const bytes = framesize(packed, at);
      this.k.trace.emit({ type: "send", conn: this.id, fcall, bytes, off: this.#out + at }, call);
      at += bytes;
    }
  }

  /**
   * How many more requests of so many bytes each a long read or write may send; some are left to other
   * calls.
   */
  room(bytes: number): number {
    const left = Math.floor((MAXOUTBYTES - this.#outbytes) / bytes);
    return Math.min(MAXOUT - OTHERS - this.#nout, left);
  }

  /**
   * Waits for reply number i of g. Throws the server's error, Ehungup, or, when a note came and the
   * server did not answer before the Rflush, Eintr.
   */
  *receive(g: Group, i: number): Task<Rmsg> {
    const r = yield* this.reply(g, i);
    if (r.type === Rerror) error(r.ename);
    return r;
  }

  /** receive, but an Rerror is a value. */
  *reply(g: Group, i: number): Task<Rmsg> {
    for (;;) {
      const r = g.replies[i];
      if (r !== undefined) return r;
      if (g.over) return this.unanswered();
      try {
        yield g.r;
      } catch (e) {
        if (!(e instanceof PlanError) || e.message !== Eintr) throw e;
        // A note has come: the request is flushed. It was done if its reply comes before the Rflush.
        this.#flush(g);
      }
    }
  }

  /** Fails a call whose request gets no answer: the connection is gone, or a note has flushed the request. */
  unanswered(): never {
    return error(this.dead ? Ehungup : Eintr);
  }

  /**
   * The system call lets go of g. With `done` it has the replies that it needs, and the others may come
   * later. Without `done` (the call failed, or its process is killed) the outstanding requests are flushed.
   */
  release(g: Group, done: boolean): void {
    // Where nothing is outstanding there is nothing to flush.
    if (g.answered && !MUTE.has(g.life)) this.#end(g, "whole");
    else if (!done) this.#flush(g);
    if (g.turn("leave") && g.life === "settled") this.#settle(g);
  }

  #flush(g: Group): void {
    if (!g.turn("flush")) return;
    const f = this.group(0, "left");
    this.send(f, [{ type: Tflush, tag: f.tag, oldtag: g.tag }], true);
  }

  /** Gives the fid back to the server, without a wait: the Tclunk goes when there is room for it. */
  clunk(fid: number): void {
    if (this.dead) return this.#freefid(fid);
    const g = this.group(1, "left");
    if (g === null) return void this.#clunks.push(fid);
    g.fids.push({ fid, there: true });
    this.send(g, [{ type: Tclunk, tag: g.tag, fid }], true);
  }

  get #hasroom(): boolean {
    return this.#nout < MAXOUT && this.#outbytes < MAXOUTBYTES;
  }

  /**
   * The connection may have room again: first the Tclunks that wait are sent, then calls that wait for room
   * are woken.
   */
  #roomy(): void {
    while (this.#hasroom) {
      const fid = this.#clunks.shift();
      if (fid === undefined) break;
      this.clunk(fid);
    }
    if (this.#hasroom) this.#room.wakeupall();
  }

  /** Writes what is posted, one writer at a time, and gives up a reference to the connection's Chan. */
  *#write(up: Proc, due: boolean): Task<void> {
    const { chan } = this;
    if (due) this.#due = false;
    if (!this.#writing) {
      this.#writing = true;
      try {
        this.#reader ??= this.k.kproc("mount reader", this.#read());
        while (this.#posted.length > 0) {
          const buf = this.#posted.length === 1 ? this.#posted.pop() : this.#batch();
          if (buf !== undefined) yield* waitfor(this.#wire.write(up, chan, buf, 0));
        }
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
        this.hangup();
      } finally {
        this.#writing = false;
      }
    }
    if (chan.ref > 1) chan.ref--;
    else yield* cclose(chan);
  }

  /** What goes out in one write: small messages together, a big one by itself. */
  #batch(): Uint8Array {
    let n = 0;
    let size = 0;
    for (const b of this.#posted) {
      if (n > 0 && size + b.length > BATCH) break;
      size += b.length;
      n++;
    }
    return joined(this.#posted.splice(0, n), size);
  }

  /**
   * The reader coroutine: gives each frame to its Group, until the server hangs up or sends an answer to no
   * request.
   */
  *#read(): Task<void> {
    const up = this.k.proc0;
    if (up === null) return;
    const frames = new Frames(this.msize);
    try {
      for (;;) {
        const chunk = yield* this.#wire.bread(up, this.chan, this.msize);
        if (chunk.length === 0) break;
        frames.add(chunk);
        this.#in += chunk.length;
        // The trace shows whole messages, so the frames are not cut.
        frames.whole = this.k.trace.on;
        for (let f = frames.next(); f !== null; f = frames.next())
          if (!(f instanceof Uint8Array ? this.#mux(f, frames.behind) : this.#part(f)))
            frames.broken = true;
        if (!frames.broken) continue;
        this.#wire.hangup?.(this.chan);
        break;
      }
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    } finally {
      this.hangup();
    }
  }

  /** Takes one frame from the server; false when it is no answer to a request. */
  #mux(frame: Uint8Array, behind: number): boolean {
    const f = convM2S(frame, 0, frame.length);
    if (f === null) return false;
    const g = this.#groups[f.tag] ?? null;
    if (this.k.trace.on) {
      const [conn, bytes] = [this.id, frame.length];
      const off = this.#in - behind - bytes;
      this.k.trace.emit({ type: "receive", conn, fcall: f, bytes, off }, g?.call ?? null);
    }
    return this.#answer(g, f);
  }

  /** Takes a piece of an Rstream that frames.ts gave before the rest had come. */
  #part({ tag, data }: Part): boolean {
    return this.#answer(this.#groups[tag] ?? null, { type: Rstream, tag, data });
  }

  /** An answer to the first request of g that is outstanding. */
  #answer(g: Group | null, f: Fcall): boolean {
    if (g === null) return false;
    const t = g.requests[g.replies.length];
    if (t === undefined || !answers(t, f)) return false;
    if (t.type === Tstream) {
      const state = tosink(g, f);
      if (state === "bad") return false;
      g.wakeup();
      if (state === "more") return true;
    }
    g.replies.push(f as Rmsg);
    this.#nout--;
    const size = sizeS2M(t);
    g.bytes -= size;
    this.#outbytes -= size;
    notefids(g, t, f);
    // A Twrite failed or fell short. A server of streams refuses those that follow with its tag and fid until
    // the tag is flushed.
    if (this.stream && t.type === Twrite && !(f.type === Rwrite && f.count === t.data.length))
      this.#flush(g);
    if (t.type === Tflush) this.#flushed(t.oldtag);
    if (g.answered && (g.life === "sent" || g.life === "left")) this.#end(g, "whole");
    g.wakeup();
    this.#roomy();
    if (this.#outside) this.#holdclock();
    return true;
  }

  /** Virtual time stands still while a server outside is to answer, since that one takes real time. */
  #holdclock(): void {
    const hold = this.#nout > 0;
    if (hold === this.#holding) return;
    this.#holding = hold;
    if (hold) this.k.sched.hold();
    else this.k.sched.release();
  }

  /** An Rflush: what was not answered by now never happened. */
  #flushed(oldtag: number): void {
    const old = this.#groups[oldtag] ?? null;
    if (old === null || (old.life !== "flushing" && old.life !== "dropped")) return;
    this.#nout -= old.requests.length - old.replies.length;
    this.#end(old, "lost");
    old.wakeup();
  }

  /** The wire is done with g: its tag is free. */
  #end(g: Group, how: "whole" | "lost"): void {
    g.turn(how);
    this.#outbytes -= g.bytes;
    this.#groups[g.tag] = null;
    this.#freetags.push(g.tag);
    if (g.life === "settled") this.#settle(g);
    this.#roomy();
  }

  /**
   * The wire and the system call are both done with g: each of its fids is clunked, or its number is free
   * again.
   */
  #settle(g: Group): void {
    for (const { fid, there } of g.fids.splice(0)) {
      if (there) this.clunk(fid);
      else this.#freefid(fid);
    }
  }

  /** The server is gone: whatever waits for it fails with "i/o on hungup channel". */
  hangup(): void {
    if (this.dead) return;
    this.dead = true;
    this.#tell("hangup");
    this.#posted.length = 0;
    for (const fid of this.#clunks.splice(0)) this.#freefid(fid);
    for (const g of this.#groups.slice()) {
      if (g === null) continue;
      this.#end(g, "lost");
      g.wakeup();
    }
    this.#nout = 0;
    if (this.#outside) this.#holdclock();
    this.#room.wakeupall();
  }

  /** The last Chan on the connection is closed (Chan.mux). */
  *close(): Task<void> {
    this.hangup();
    this.#filter?.end();
    if (this.#reader !== null) this.k.sched.kill(this.#reader);
    this.k.conns.delete(this);
    this.#tell("close");
  }

  #tell(what: "open" | "hangup" | "close"): void {
    if (!this.k.trace.on) return;
    const { chan, id: conn, version } = this;
    // A filter adds and drops bytes, so behind one the place of a message on the wire is not known.
    const at = this.#filter === null ? chan.dev.wire(chan) : null;
    const { wire, pipe } = at ?? { wire: null, pipe: null };
    const peer = chan.dev.peer(chan);
    const name = chan.path.toString();
    this.k.trace.emit({ type: "conn", conn, what, name, peer, wire, pipe, version });
  }

  get server(): string {
    return this.chan.dev.peer(this.chan) ?? this.chan.path.toString();
  }

  fids(): readonly string[] {
    return [...this.#usedfids].map((fid) => `conn ${this.id} fid ${fid}`);
  }

  tags(): readonly string[] {
    return this.#groups
      .filter((g) => g !== null)
      .map((g) => `conn ${this.id} tag ${g.tag} ${g.requests.length}`);
  }
}

/** Requests are packed here. Bytes of a slab are written once, so a transport may look at them as long as it likes. */
const slab = new Slab();
/** size[4] type[1] tag[2]: the least a request can be. */
const MINFRAME = 7;

/** The bytes of requests, each of at most msize. */
function packed(requests: readonly Tmsg[], msize: number): Uint8Array {
  let end = slab.used;
  for (const t of requests) {
    const at = end;
    end = convS2M(t, slab.buf, at);
    // An array of a program's may have any length, and what is behind `used` is for others, too.
    if ((end | 0) !== end || end - at < MINFRAME || end - at > msize)
      return packapart(requests, msize);
  }
  const bytes = slab.buf.subarray(slab.used, end);
  slab.used = end;
  return bytes;
}

/** The bytes of requests for which what is left of the slab is too short, or of which one is too long. */
function packapart(requests: readonly Tmsg[], msize: number): Uint8Array {
  let n = 0;
  for (const t of requests) {
    const size = sizeS2M(t);
    if (size > msize) error("message too long for the connection");
    n += size;
  }
  // An array of a program's may have any length.
  if (!(n >= MINFRAME)) error(Ebadarg);
  const buf = slab.take(n);
  let end = 0;
  for (const t of requests) end = convS2M(t, buf, end);
  if (end !== n) error(Ebadarg);
  return buf;
}

/**
 * Whether f is a possible answer to t: of the right type, with counts no greater than asked. After any other
 * the connection is hung up.
 */
function answers(t: Tmsg, f: Fcall): boolean {
  if (f.type === Rerror) return true;
  if (f.type !== t.type + 1) return false;
  if (f.type === Rwalk && t.type === Twalk) return f.wqid.length <= t.wname.length;
  if (f.type === Rread && t.type === Tread) return f.data.length <= t.count;
  if (f.type === Rwrite && t.type === Twrite) return f.count <= t.data.length;
  if (f.type === Rstat) return f.stat.length >= STATFIXLEN;
  return true;
}

/** What a reply says about the fids of its group. An error to a Tclunk or Tremove ends the fid, too. */
function notefids(g: Group, t: Tmsg, f: Fcall): void {
  switch (t.type) {
    case Twalk:
      g.note(t.newfid, f.type === Rwalk && f.wqid.length === t.wname.length);
      break;
    case Tclunk:
    case Tremove:
      g.note(t.fid, false);
      break;
    case Tattach:
      g.note(t.fid, f.type !== Rerror);
      break;
    case Tauth:
      g.note(t.afid, f.type !== Rerror);
      break;
    default:
  }
}

/** An Rstream, or the Rerror that ends its run, goes to the stream's sink. */
function tosink(g: Group, f: Fcall): "more" | "over" | "bad" {
  if (g.sink === null) return "bad";
  if (f.type === Rstream) return g.sink.data(f.data);
  if (f.type !== Rerror) return "bad";
  g.sink.failed(f.ename);
  return "over";
}
