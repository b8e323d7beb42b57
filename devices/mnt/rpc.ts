// A connection to a 9P server, as the mount driver uses it: tags, fids, messages out and in. An RPC is
// split in two: send() puts the requests of one tag, a Group, on the wire; receive() waits for a reply.
//
// Who owns what. A tag belongs to its Group until the last reply or the Rflush. A fid made by a Group is
// settled when the wire and the system call are both done with the Group: it is free again if it never
// came to be or is clunked, it is kept by the Chan that took it, and else it is clunked. So an
// interrupted or killed caller loses nothing. One reader coroutine matches a reply to the first request
// outstanding with its tag and never waits for the process the reply is for.

import { NOTAG, STATFIXLEN } from "../../kernel/abi/const.ts";
import { Ehungup, Eintr, PlanError, assert, error } from "../../kernel/abi/errors.ts";
import {
  Rerror,
  Rstream,
  Rwrite,
  Tclunk,
  Tflush,
  Tstream,
  Twrite,
  convM2S,
  convS2M,
  sizeS2M,
  Rread,
  Rstat,
  Rwalk,
  Tread,
  Tremove,
  Twalk,
} from "../../kernel/abi/fcall.ts";
import type { Fcall, Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { cclose } from "../../kernel/chan.ts";
import type { Chan } from "../../kernel/chan.ts";
import type { Conn, Filter, Kernel, Transport } from "../../kernel/kernel.ts";
import { Rendez, waitfor } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Coroutine } from "../../kernel/proc/sched.ts";
import type { Call } from "../../kernel/trace.ts";
import { Frames, join, readchunk } from "./frames.ts";
import type { Part } from "./frames.ts";

/** Half of what a server must bear: requests, and bytes of frames, outstanding on a connection. */
const MAXOUT = 1024;
const MAXOUTBYTES = 8 * 1024 * 1024;
const MAXFIDS = 32768;
/** Bytes up to which messages are gathered for one write. */
const BATCH = 32768;

/** What a single message does to fids. */
export type Fidfate = {
  readonly makes?: number;
  readonly ends?: number;
  /** Whether, with this reply, the caller's Chan takes over the fid made. */
  readonly keep?: (r: Rmsg) => boolean;
};

/** What was agreed with fversion. */
export type Agreed = { readonly version: string; readonly msize: number };

export class Mnt implements Conn {
  readonly id: number;
  readonly chan: Chan;
  readonly version: string;
  readonly msize: number;
  /** 9P2000.ix was agreed: requests with one tag are served in order. */
  readonly ix: boolean;
  /** 9P2000.ix.stream was agreed. */
  readonly stream: boolean;
  /** As the standard kernel: whoever closes a file waits for the Rclunk. */
  readonly waits: boolean;
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
  /** A process of the kernel's is about to write what is posted. */
  #due = false;
  #reader: Coroutine | null = null;
  /** What messages go through. */
  readonly #wire: Transport;
  readonly #filter: Filter | null;
  /** Bytes over the transport so far, each way. */
  #out: number;
  #in: number;

  constructor(k: Kernel, chan: Chan, agreed: Agreed, filter: Filter | null) {
    this.k = k;
    this.#filter = filter;
    this.#wire = filter ?? chan.dev;
    this.waits = k.config.namespace === "standard";
    this.id = k.nextconn();
    this.chan = chan;
    this.version = agreed.version;
    this.msize = agreed.msize;
    this.ix = agreed.version.startsWith("9P2000.ix");
    this.stream = agreed.version.startsWith("9P2000.ix.stream");
    ({ out: this.#out, in: this.#in } = chan.dev.wire(chan) ?? { out: 0, in: 0 });
    k.conns.add(this);
    filter?.agreed(this.id, agreed.version);
    this.#tell("open");
  }

  /** A fresh group with a tag of its own, when the connection has room for `n` more requests. */
  *group(n: number): Task<Group> {
    while (!this.dead && this.#full(n)) yield this.#room;
    if (this.dead) error(Ehungup);
    return this.#newgroup();
  }

  #full(n: number): boolean {
    return this.#nout > 0 && (this.#nout + n > MAXOUT || this.#outbytes >= MAXOUTBYTES);
  }

  /** group(1), giving back the fid that was meant for it when there is none. */
  *groupfor(newfid: number | undefined): Task<Group> {
    let g: Group | null = null;
    try {
      g = yield* this.group(1);
      return g;
    } finally {
      if (g === null && newfid !== undefined) this.#freefid(newfid);
    }
  }

  #newgroup(): Group {
    const tag = this.#freetags.pop() ?? this.#groups.length;
    if (tag >= NOTAG) error("no free tags");
    const g = new Group(tag, this.k.sched.current?.call ?? null);
    this.#groups[tag] = g;
    return g;
  }

  /** A fid number that the server does not know. */
  newfid(): number {
    if (this.#usedfids.size >= MAXFIDS) error("no free fids");
    const fid = this.#freefids.pop() ?? this.#nextfid++;
    this.#usedfids.add(fid);
    return fid;
  }

  #freefid(fid: number): void {
    if (this.#usedfids.delete(fid)) this.#freefids.push(fid);
  }

  /** One message and its answer; an Rerror is thrown. `fids` says what it makes or ends, and what a Chan takes. */
  *rpc(build: (tag: number) => Tmsg, fids: Fidfate = {}): Task<Rmsg> {
    const g = yield* this.groupfor(fids.makes);
    let done = false;
    try {
      if (fids.makes !== undefined) g.makes(fids.makes);
      if (fids.ends !== undefined) g.ends(fids.ends);
      this.send(g, [build(g.tag)]);
      const r = yield* this.receive(g, 0);
      if (fids.makes !== undefined && fids.keep?.(r) === true) g.keep(fids.makes);
      done = true;
      return r;
    } finally {
      this.release(g, done);
    }
  }

  /** Sends requests of g, behind what was posted before. Nobody waits here, nor is sending interrupted. */
  send(g: Group, requests: readonly Tmsg[]): void {
    if (this.dead) error(Ehungup);
    // The server may have flushed it already, and would take the tag for a new one's.
    assert(!g.flushing && !g.ended, "request on a tag that is flushed");
    this.#posted.push(this.#pack(g, requests));
    if (this.#writing) return;
    const task = this.#write();
    const step = task.next();
    // The transport wants to wait: the kernel does that for the caller, who waits for the reply.
    if (step.done !== true) this.k.kproc("mount writer", task, step.value);
  }

  #pack(g: Group, requests: readonly Tmsg[]): Uint8Array {
    let n = 0;
    for (const t of requests) {
      const size = sizeS2M(t);
      if (size > this.msize) error("message too long for the connection");
      n += size;
    }
    const buf = new Uint8Array(n);
    let off = 0;
    for (const t of requests) {
      const end = convS2M(t, buf, off);
      if (this.k.trace.on) {
        const m = { conn: this.id, fcall: t, bytes: end - off, off: this.#out + off };
        this.k.trace.emit({ type: "send", ...m }, g.call);
      }
      off = end;
      g.requests.push(t);
    }
    g.bytes += n;
    this.#out += n;
    this.#nout += requests.length;
    this.#outbytes += n;
    this.#holdclock();
    return buf;
  }

  /** How many more requests of this many bytes each may be outstanding. */
  room(bytes: number): number {
    return Math.min(MAXOUT - this.#nout, Math.floor((MAXOUTBYTES - this.#outbytes) / bytes));
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
      if (g.ended) return error(this.dead ? Ehungup : Eintr);
      try {
        yield g.r;
      } catch (e) {
        if (!(e instanceof PlanError) || e.message !== Eintr) throw e;
        // A note: the request is flushed, and the answer to that says whether it happened.
        this.#flush(g);
      }
    }
  }

  /**
   * The system call is done with g. `done`: it has what it wanted and the rest may come when it comes;
   * else (it failed, or is being killed) what is outstanding is flushed.
   */
  release(g: Group, done: boolean): void {
    g.released = true;
    if (!done) this.#flush(g);
    this.closewindow(g);
    this.#ended(g);
  }

  #flush(g: Group): void {
    if (g.flushing || g.ended) return;
    g.flushing = true;
    // Nothing was sent, so the server has nothing to flush.
    if (g.requests.length === 0) this.#end(g);
    if (this.dead || g.ended) return;
    const f = this.#newgroup();
    f.released = true;
    this.#post(f, [{ type: Tflush, tag: f.tag, oldtag: g.tag }]);
  }

  /** Gives the fid back to the server, waiting for nothing; the message goes when there is room for it. */
  clunk(fid: number): void {
    if (this.dead) this.#freefid(fid);
    else this.#clunks.push(fid);
    this.#roomy();
  }

  /** There may be room: for fids to be given back, then for requests. */
  #roomy(): void {
    while (!this.dead && !this.#full(1)) {
      const fid = this.#clunks.shift();
      if (fid === undefined) break;
      const g = this.#newgroup();
      g.released = true;
      g.ends(fid);
      this.#post(g, [{ type: Tclunk, tag: g.tag, fid }]);
    }
    if (!this.#room.empty && !this.#full(1)) this.#room.wakeupall();
  }

  /** Sends soon: with the next request, or by itself if none comes. */
  #post(g: Group, requests: readonly Tmsg[]): void {
    this.#posted.push(this.#pack(g, requests));
    if (this.#writing || this.#due) return;
    // It keeps the connection until all is written, also when the last user of it is gone.
    this.#due = true;
    this.chan.incref();
    this.k.kproc("mount writer", this.#writer());
  }

  *#writer(): Task<void> {
    this.#due = false;
    if (!this.#writing) yield* this.#write();
    yield* cclose(this.chan);
  }

  /** Writes what is posted, one writer at a time. */
  *#write(): Task<void> {
    const { chan } = this;
    const up = this.k.proc0;
    if (up === null) return;
    this.#writing = true;
    chan.ref++;
    try {
      this.#startreader();
      while (this.#posted.length > 0 && !this.dead)
        yield* waitfor(this.#wire.write(up, chan, this.#batch(), 0));
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      this.hangup();
    } finally {
      this.#writing = false;
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
    return join(
      n === this.#posted.length ? this.#posted.splice(0) : this.#posted.splice(0, n),
      size,
    );
  }

  #startreader(): void {
    this.#reader ??= this.k.kproc("mount reader", this.#read());
  }

  /** The reader: every frame to its group, until the server hangs up or says what it was not asked. */
  *#read(): Task<void> {
    const up = this.k.proc0;
    if (up === null) return;
    const frames = new Frames(this.msize);
    try {
      for (;;) {
        const chunk = yield* readchunk(up, this.chan, this.msize, this.#wire);
        if (chunk.length === 0) break;
        frames.add(chunk);
        this.#in += chunk.length;
        // The trace shows messages, not parts.
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

  /** One frame from the server; false when it cannot be. */
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

  /** Data of an Rstream that was cut. */
  #part({ tag, data }: Part): boolean {
    return this.#answer(this.#groups[tag] ?? null, { type: Rstream, tag, data });
  }

  /** An answer to the first request of g that is outstanding. */
  #answer(g: Group | null, f: Fcall): boolean {
    if (g === null || g.ended) return false;
    const t = g.requests[g.replies.length];
    if (t === undefined || !answers(t, f)) return false;
    if (t.type === Tstream) {
      const state = tosink(g, f);
      if (state === "bad") return false;
      g.r.wakeupall();
      if (state === "more") return true;
    }
    g.replies.push(f as Rmsg);
    this.#nout--;
    const size = sizeS2M(t);
    g.bytes -= size;
    this.#outbytes -= size;
    notefids(g, t, f);
    // The server refuses all further Twrites with this tag and fid until it is flushed.
    if (this.stream && t.type === Twrite && !(f.type === Rwrite && f.count === t.data.length))
      this.#flush(g);
    if (t.type === Tflush) this.#flushed(t.oldtag);
    if (g.replies.length === g.requests.length && !g.open && !g.flushing) this.#end(g);
    g.r.wakeupall();
    this.#roomy();
    this.#holdclock();
    return true;
  }

  /** While a server outside is to answer, virtual time stands still. */
  #holdclock(): void {
    const hold = this.#nout > 0 && this.#wire.outside === true;
    if (hold === this.#holding) return;
    this.#holding = hold;
    if (hold) this.k.sched.hold();
    else this.k.sched.release();
  }

  /** An Rflush: what was not answered by now never happened. */
  #flushed(oldtag: number): void {
    const old = this.#groups[oldtag] ?? null;
    if (old === null || !old.flushing) return;
    this.#nout -= old.requests.length - old.replies.length;
    this.#end(old);
    old.r.wakeupall();
  }

  #end(g: Group): void {
    if (g.ended) return;
    g.ended = true;
    this.#outbytes -= g.bytes;
    this.#groups[g.tag] = null;
    this.#freetags.push(g.tag);
    this.#ended(g);
    this.#roomy();
  }

  /** Ends a window whose requests are all answered; what came in between may have ended it already. */
  closewindow(g: Group): void {
    g.open = false;
    if (!g.ended && !g.flushing && g.replies.length === g.requests.length) this.#end(g);
  }

  /** When wire and caller are both done: the fids, each once. */
  #ended(g: Group): void {
    if (!g.ended || !g.released) return;
    const fids = g.fids.splice(0);
    for (const f of fids) {
      if (f.gone || !f.made || this.dead) this.#freefid(f.fid);
      else this.clunk(f.fid);
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
      this.#end(g);
      g.r.wakeupall();
    }
    this.#nout = 0;
    this.#holdclock();
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
    // Behind a filter a message is not where it seems to be.
    const wire = this.#filter === null ? (chan.dev.wire(chan)?.wire ?? null) : null;
    const peer = chan.dev.peer(chan);
    const name = chan.path.toString();
    this.k.trace.emit({ type: "conn", conn, what, name, peer, wire, version });
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

// A Group: the requests of one tag, their replies, and the fids that they make and end. The connection
// (rpc.ts) sends and receives them; here is what a reply may be and what it says about fids.

/** A fid that a Group makes, or for a Tclunk or Tremove of its own the fid it ends. */
type Fresh = { readonly fid: number; made: boolean; gone: boolean };

/** Takes what a Tstream brings; the connection calls it for each Rstream, in order. */
export interface Sink {
  /** The bytes are its own, to give back (frames.ts). "over": that was the last of the run; "bad": it is more than was asked for. */
  data(bytes: Uint8Array): "more" | "over" | "bad";
  /** The run ended with an Rerror. */
  failed(ename: string): void;
}

/** Requests with one tag, and their replies in the same order. */
export class Group {
  readonly tag: number;
  readonly call: Call | null;
  readonly requests: Tmsg[] = [];
  readonly replies: Rmsg[] = [];
  readonly fids: Fresh[] = [];
  readonly r: Rendez = new Rendez("9P reply");
  bytes = 0;
  /** A Tflush was sent. */
  flushing = false;
  /** Nothing more will come: every reply is here, or the Rflush, or the connection is gone. */
  ended = false;
  /** The system call has let go. */
  released = false;
  /** More requests may still be added (a window). */
  open = false;
  /** Where Rstreams go. */
  sink: Sink | null = null;

  constructor(tag: number, call: Call | null) {
    this.tag = tag;
    this.call = call;
  }

  /** Notes that a request of this group makes fid. */
  makes(fid: number): void {
    this.fids.push({ fid, made: false, gone: false });
  }

  /** A Chan has taken over fid, which exists: it is no more this group's to settle. */
  keep(fid: number): void {
    const i = this.fids.findIndex((f) => f.fid === fid);
    if (i >= 0) this.fids.splice(i, 1);
  }

  /** Notes that a request of this group ends fid, which exists. */
  ends(fid: number): void {
    this.fids.push({ fid, made: true, gone: false });
  }
}

/** Whether f can be the answer to t: its type, its counts. What cannot be is hung up on, not believed. */
export function answers(t: Tmsg, f: Fcall): boolean {
  if (f.type === Rerror) return true;
  if (f.type !== t.type + 1) return false;
  if (f.type === Rwalk && t.type === Twalk) return f.wqid.length <= t.wname.length;
  if (f.type === Rread && t.type === Tread) return f.data.length <= t.count;
  if (f.type === Rwrite && t.type === Twrite) return f.count <= t.data.length;
  if (f.type === Rstat) return f.stat.length >= STATFIXLEN;
  return true;
}

/** What a reply says about the fids of its group. */
export function notefids(g: Group, t: Tmsg, f: Fcall): void {
  for (const fid of g.fids) {
    if (t.type === Twalk && t.newfid === fid.fid)
      fid.made = f.type === Rwalk && f.wqid.length === t.wname.length;
    else if ((t.type === Tclunk || t.type === Tremove) && t.fid === fid.fid) fid.gone = true;
    else if (
      "afid" in t &&
      f.type !== Rerror &&
      (("fid" in t && t.fid === fid.fid) || t.afid === fid.fid)
    )
      fid.made = true;
  }
}

/** An Rstream, or the Rerror that ends its run, to whoever takes the stream. */
export function tosink(g: Group, f: Fcall): "more" | "over" | "bad" {
  if (g.sink === null) return "bad";
  if (f.type === Rstream) return g.sink.data(f.data);
  if (f.type !== Rerror) return "bad";
  g.sink.failed(f.ename);
  return "over";
}
