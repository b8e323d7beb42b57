// A connection: frames in, replies out, the version, the limits. What the requests mean is the
// session's; a Tversion ends one and begins the next.
//
// The client is hung up on, never believed, when its bytes cannot be frames or it has more outstanding
// than the limits say. Frames may be cut and merged in any way; the replies to all that one read brought
// go out in one write.

import { Eintr, PlanError } from "../../../kernel/abi/errors.ts";
import {
  Rversion,
  Tversion,
  type Tmsg,
  convM2S,
  framesize,
  isT,
} from "../../../kernel/abi/fcall.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { Ebadfcall, Emsize, Enotyet } from "./errors.ts";
import { Out, rerror } from "./out.ts";
import { Session } from "./session.ts";
import type { Srv } from "./srv.ts";
import { Pump } from "./stream.ts";

const MINMSIZE = 256;
const MAXMSIZE = 1048576;
/** The longest frame before a version is agreed on. */
const FIRSTMSIZE = 8216;
/** Requests, and bytes of their frames, that may be outstanding. */
const MAXREQS = 2048;
const MAXBYTES = 16 * 1048576;
/** Bytes of replies in the making, beyond which reads give less. */
const REPLYROOM = 16 * 1048576;
/** Room for what one read brings: more than comes while a frame of a stream goes out. */
const INBUF = 262144;
/** Replies are written when this many bytes have gathered, even if more requests are there. */
const OUTMARK = 65536;
/** size[4] type[1] tag[2] */
const MINFRAME = 7;

/** The versions of 9P that it speaks, the best last. */
export const VERSIONS: readonly string[] = ["9P2000", "9P2000.ix", "9P2000.ix.stream"];

/** The longest beginning of the offer, cut at a dot, that is spoken; `best` limits that. */
export function agree(offer: string, best: string): string {
  const spoken = VERSIONS.filter((v) => v === best || best.startsWith(`${v}.`));
  for (let v = offer; ; v = v.slice(0, v.lastIndexOf("."))) {
    if (spoken.includes(v)) return v;
    if (!v.includes(".")) return "unknown";
  }
}

/** Where requests come from and replies go to; it may be the same. */
export type Fds = { readonly in: number; readonly out: number };

export class Conn<A> {
  readonly sys: ThreadSys;
  readonly out: Out;
  readonly pump: Pump<A>;
  /** Bytes of replies that may still be in the making. */
  replyroom: number = REPLYROOM;
  readonly #srv: Srv<A>;
  readonly #fds: Fds;
  #session: Session<A> | null = null;
  #msize = FIRSTMSIZE;
  #nreqs = 0;
  #nbytes = 0;
  readonly #threads: Set<number> = new Set();
  /** Where the connection's end waits for the last of its threads. */
  #last: object | null = null;
  #buf: Uint8Array = new Uint8Array(INBUF);
  #start = 0;
  #end = 0;

  constructor(sys: ThreadSys, fds: Fds, srv: Srv<A>) {
    this.sys = sys;
    this.out = new Out(sys, fds.out);
    this.pump = new Pump(this);
    this.#srv = srv;
    this.#fds = fds;
  }

  /** Fids that the client has. */
  get nfids(): number {
    return this.#session?.fids.size ?? 0;
  }

  /** Serves until the client hangs up, or is hung up on; then everything it had ends. */
  *run(): Task<void> {
    while (!this.out.hungup && (yield* this.#fill())) {
      if (this.#srv.turn !== undefined) yield* this.#srv.turn();
      while (this.#next()) if (this.out.n >= OUTMARK) yield* this.out.flush();
      yield* this.out.flush();
    }
    this.out.hungup = true;
    yield* this.#finish();
  }

  /** The client did what nobody may: it gets no more answers. */
  hangup(): void {
    this.out.hungup = true;
  }

  /** One more request is outstanding, and its frame. */
  admit(size: number): void {
    this.#nreqs++;
    this.#nbytes += size;
    if (this.#nreqs > MAXREQS || this.#nbytes > MAXBYTES) this.hangup();
  }

  discharge(size: number): void {
    this.#nreqs--;
    this.#nbytes -= size;
  }

  /** Runs a Task in a thread that the connection's end waits for. */
  thread(task: Task<void>): number {
    const me = { id: 0 };
    me.id = this.sys.threadcreate(this.#thread(task, me));
    this.#threads.add(me.id);
    return me.id;
  }

  *#thread(task: Task<void>, me: { readonly id: number }): Task<void> {
    yield* task;
    this.#threads.delete(me.id);
    if (this.#threads.size === 0 && this.#last !== null)
      yield* this.sys.rendezvous(this.#last, true);
  }

  /** Lets go of everything. No thread is left writing to a client that does not read. */
  *#finish(): Task<void> {
    const { sys } = this;
    const rest = this.#session?.end();
    for (const id of this.#threads) sys.threadint(id);
    yield* sys.close(this.#fds.in);
    if (this.#fds.out !== this.#fds.in) yield* sys.close(this.#fds.out);
    if (rest !== undefined) yield* rest;
    while (this.#threads.size > 0) {
      this.#last = {};
      yield* sys.rendezvous(this.#last, true);
    }
  }

  /** Reads more bytes; false at the end. */
  *#fill(): Task<boolean> {
    this.#makeroom();
    for (;;) {
      try {
        const n = yield* this.sys.read(this.#fds.in, this.#buf.subarray(this.#end));
        this.#end += n;
        return n > 0;
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
        if (e.message !== Eintr) return false;
      }
    }
  }

  /** Room to read: for the rest of the frame that begins at start, at least. */
  #makeroom(): void {
    const have = this.#end - this.#start;
    if (have === 0) {
      this.#start = this.#end = 0;
      return;
    }
    const need = have < 4 ? INBUF : Math.max(INBUF, framesize(this.#buf, this.#start));
    if (this.#buf.length < need) {
      const bigger = new Uint8Array(need);
      bigger.set(this.#buf.subarray(this.#start, this.#end));
      this.#buf = bigger;
    } else this.#buf.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = have;
  }

  /** Takes one frame, if a whole one is there. */
  #next(): boolean {
    const start = this.#start;
    const have = this.#end - start;
    if (this.out.hungup || have < 4) return false;
    const buf = this.#buf;
    const size = framesize(buf, start);
    if (size < MINFRAME || size > this.#msize) {
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

  /** Ends the session there is. */
  #reset(): void {
    const old = this.#session;
    this.#session = null;
    this.#msize = FIRSTMSIZE;
    if (old !== null) this.thread(old.end());
  }
}
