// A server's session with one client: from one Tversion to the next it has the client's fids, and the requests
// by tag.
//
// A request whose callback is a plain function is answered when it comes. A request whose callback is a Task gets
// a thread, and makes its tag a group. Later requests with that tag wait in the group's queue (9P2000.ix) or are
// refused; other tags go on. Tflush drops the queue and interrupts the requests that are worked on; Rflush is
// sent when these have ended. A Tstream asks for a run, a part of a file, which the pump sends (stream.ts). A
// write stream is a row of Twrites with one tag and fid, each of which starts where the last ends. If the server
// allows it (wstream), they are worked on together, and still answered in order.
//
// Who owns what: a request that takes time holds a reference to its fid; a fid that was clunked
// meanwhile ends when the last of these is released.

import { MAXOFFSET, OWRITE, QTDIR } from "../../../kernel/abi/const.ts";
import { Eduptag, Eio, PlanError, error } from "../../../kernel/abi/errors.ts";
import * as fcall from "../../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../../kernel/abi/fcall.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { istask } from "./answer.ts";
import type { Conn } from "./conn.ts";
import { Ebadoffset, Enotopen, wrongmode } from "./errors.ts";
import { answer } from "./fcalls.ts";
import { Fids } from "./fids.ts";
import { Flushable } from "./flushable.ts";
import { rerror, unknownfid } from "./out.ts";
import { LEAST, MAXFIDS } from "./shares.ts";
import type { Answer, Fid } from "./srv.ts";
import type { Plainsrv } from "./promises.ts";
import { Run } from "./stream.ts";

/** How many failed write streams, each a tag and a fid, are remembered until the client ends them. */
const MAXSTOPS = 2048;

/** Stands for the thread's number until a request's first sleep: the request may end before it needs a thread. */
const BEGINNING = -1;

/** How many fids are ended in a row, at the end of a session, before other threads run. */
const ENDS = 512;

/** What is agreed on with Tversion. */
export type Agreed = { readonly msize: number; readonly ix: boolean; readonly stream: boolean };

/** The request of one type: Msg<"Tread">. */
export type Msg<K extends keyof typeof fcall> = Extract<Tmsg, { readonly type: (typeof fcall)[K] }>;

/** A request that is not answered yet. */
type Req<A> = {
  readonly f: Tmsg;
  /** Bytes of its frame, and what its reply may take. */
  readonly size: number;
  reply: number;
  /** The fid it holds. */
  fid: Fid<A> | null;
  /** Its thread's number; BEGINNING until it needs a thread. */
  thread: number;
  run: Run<A> | null;
  work: Flushable<Rmsg> | null;
  /** Its reply, while that waits for the replies before it; null if it was flushed. */
  end?: Rmsg | null;
};

/**
 * The requests of a tag. cur are worked on: one request, or the writes of a stream. queue comes after them. flushes
 * are the tags of the Tflushes that are answered when cur has ended.
 */
type Group<A> = {
  readonly tag: number;
  readonly cur: Req<A>[];
  readonly queue: Req<A>[];
  flushes: number[];
  /** The offset at which the next write of cur's stream starts; -1 where cur is of no stream. */
  next: number;
  /**
   * A request of cur was flushed and not answered. Those after it cannot be answered either, since replies
   * with one tag go in order.
   */
  cut: boolean;
  /** The first of the queue waits for room for its reply; the group does nothing meanwhile. */
  parked: boolean;
};

export class Session<A> {
  readonly conn: Conn<A>;
  readonly srv: Plainsrv<A>;
  readonly msize: number;
  /** Whether the version is 9P2000.ix, in which requests may share a tag. */
  readonly ix: boolean;
  readonly fids: Fids<A>;
  readonly #stream: boolean;
  readonly #groups: Map<number, Group<A>> = new Map();
  /**
   * The error of each write stream that failed, by its stopkey. Later writes of such a stream get it, too.
   */
  readonly #stops: Map<number, string> = new Map();
  #over = false;

  constructor(conn: Conn<A>, srv: Plainsrv<A>, agreed: Agreed) {
    this.conn = conn;
    this.srv = srv;
    this.msize = agreed.msize;
    this.ix = agreed.ix;
    this.#stream = agreed.stream;
    this.fids = new Fids(srv, conn);
  }

  /** A request came; size is that of its frame. */
  take(f: Tmsg, size: number): void {
    if (f.type === fcall.Tflush) {
      this.#flush(f.tag, f.oldtag);
      return;
    }
    const group = this.#groups.size === 0 ? undefined : this.#groups.get(f.tag);
    if (group !== undefined) {
      if (this.ix) this.#enqueue(group, f, size);
      else this.put(rerror(f.tag, Eduptag));
      return;
    }
    if (this.#mustwait(f)) {
      const g = this.#newgroup(f.tag);
      g.queue.push(this.#req(kept(f), size));
      this.#park(g);
      return;
    }
    const a = this.#answer(f);
    if (istask(a) || a instanceof Run) {
      const g = this.#newgroup(f.tag);
      if (this.#begin(g, this.#req(f, size), a) && this.#settle(g)) this.#advance(g);
    } else this.#done(f, a);
  }

  #newgroup(tag: number): Group<A> {
    const g: Group<A> = {
      tag,
      cur: [],
      queue: [],
      flushes: [],
      next: -1,
      cut: false,
      parked: false,
    };
    this.#groups.set(tag, g);
    return g;
  }

  /** Whether a request has to wait until the client has taken replies: a read for which there is no room. */
  #mustwait(f: Tmsg): boolean {
    if (f.type !== fcall.Tread || f.count <= LEAST) return false;
    return this.conn.crowded || this.conn.room.grant(this.#most(f.count)) === 0;
  }

  /** Lets the group wait until there is room for replies. */
  #park(g: Group<A>): void {
    g.parked = true;
    this.conn.park(() => this.#unpark(g));
  }

  #unpark(g: Group<A>): boolean {
    const [first] = g.queue;
    // A flush, or the end of the session, has emptied the queue.
    if (first === undefined) return true;
    const { f } = first;
    if (f.type === fcall.Tread && this.conn.room.grant(this.#most(f.count)) === 0) return false;
    g.parked = false;
    this.#advance(g, true);
    return true;
  }

  #most(count: number): number {
    return Math.min(count, this.msize - 11);
  }

  /** A new fid; one too many ends the connection. */
  addfid(fid: Fid<A>): void {
    if (this.fids.size >= MAXFIDS) this.conn.hangup();
    else if (!this.#over) {
      this.fids.add(fid);
      this.srv.became?.(fid, null);
    }
  }

  isdir(file: A): boolean {
    return (this.srv.qid(file).type & QTDIR) !== 0;
  }

  /**
   * How many bytes a read of count bytes may give: at most what fits a reply, and less when the server is
   * short of room.
   */
  room(count: number): number {
    const n = this.#most(count);
    return n <= LEAST ? n : Math.max(LEAST, this.conn.room.grant(n));
  }

  /**
   * Ends the session: the requests that are worked on are interrupted, and not answered. Gives a Task that ends
   * all fids, null if there are none.
   */
  end(): Task<void> | null {
    this.#over = true;
    for (const g of this.#groups.values()) {
      this.#drop(g);
      this.#interrupt(g);
    }
    const fids = this.fids.clear();
    return fids.length === 0 ? null : this.#endfids(fids);
  }

  /** Ends all fids. If the end of one fails, the others are ended all the same. */
  *#endfids(fids: readonly Fid<A>[]): Task<void> {
    const { conn } = this;
    for (const [i, fid] of fids.entries()) {
      try {
        const a = this.fids.end(fid);
        if (istask(a)) yield* a;
      } catch (e) {
        if (!(e instanceof PlanError)) conn.fault(e);
      }
      if (i % ENDS === ENDS - 1) yield* quietly(conn.sys.sleep(0));
    }
  }

  #answer(f: Tmsg): Answer<Rmsg> | Run<A> {
    try {
      if (f.type === fcall.Twrite && this.#stops.size > 0) {
        const ename = this.#stops.get(stopkey(f.tag, f.fid));
        if (ename !== undefined) return rerror(f.tag, ename);
      }
      if (f.type === fcall.Tstream && this.#stream) return this.#run(f);
      return answer(this, f);
    } catch (e) {
      return failure(f.tag, e);
    }
  }

  /** Checks a Tstream, and makes the run that it asks for. */
  #run(f: Msg<"Tstream">): Run<A> | Rmsg {
    const fid = this.fids.find(f.fid);
    if (fid === undefined) return unknownfid(f.tag);
    if (fid.omode < 0) error(Enotopen);
    if ((fid.omode & 3) === OWRITE) error(wrongmode("read", fid.omode));
    if (f.offset > MAXOFFSET || (f.count !== Infinity && f.offset + f.count > MAXOFFSET))
      error(Ebadoffset);
    if (f.count === 0) return { type: fcall.Rstream, tag: f.tag, data: new Uint8Array(0) };
    return new Run(this, fid, f);
  }

  #enqueue(g: Group<A>, f: Tmsg, size: number): void {
    g.queue.push(this.#req(kept(f), size));
    this.#ride(g);
  }

  /**
   * Begins also those writes of the queue that start where the writes under way end: they are of one stream.
   */
  #ride(g: Group<A>): void {
    for (;;) {
      const [first] = g.cur;
      const [req] = g.queue;
      if (g.next < 0 || req === undefined || first?.f.type !== fcall.Twrite) return;
      const { f } = req;
      if (f.type !== fcall.Twrite || f.fid !== first.f.fid || f.offset !== g.next) return;
      g.queue.shift();
      const a = this.#answer(f);
      if (istask(a)) {
        g.next += f.data.length;
        this.#begin(g, req, a);
        continue;
      }
      if (a instanceof Run) return;
      g.next = -1;
      req.end = a;
      g.cur.push(req);
    }
  }

  #req(f: Tmsg, size: number): Req<A> {
    this.conn.admit(size);
    return { f, size, reply: 0, fid: null, thread: BEGINNING, run: null, work: null };
  }

  /** Begins a request that may take time. True: it has ended at once, with its reply in req.end. */
  #begin(g: Group<A>, req: Req<A>, a: Task<Rmsg> | Run<A>): boolean {
    const { f } = req;
    const { conn } = this;
    g.cur.push(req);
    if ("fid" in f && f.type !== fcall.Tattach) {
      req.fid = this.fids.find(f.fid) ?? null;
      if (req.fid !== null) req.fid.ref++;
    }
    if (f.type === fcall.Tread) req.reply = this.room(f.count);
    if (req.reply > 0) conn.room.reply(req.reply);
    if (a instanceof Run) {
      req.run = a;
      a.start((r) => this.#finish(g, req, r));
      return false;
    }
    const first = f.type === fcall.Twrite && g.cur.length === 1;
    const work = new Flushable(first ? this.#streamed(g, req, a) : a);
    req.work = work;
    // A write is not begun at once: the frames that came with it may be writes of the same stream.
    if (f.type === fcall.Twrite) req.thread = conn.thread(this.#work(g, req, work));
    else req.thread = conn.begin(this.#work(g, req, work));
    return req.end !== undefined;
  }

  /** Runs a write. If it is the first of a stream, begins the queued writes of that stream with it. */
  *#streamed(g: Group<A>, { f, fid }: Req<A>, task: Task<Rmsg>): Task<Rmsg> {
    const { srv } = this;
    if (!this.#stream || srv.wstream === undefined || fid === null || f.type !== fcall.Twrite)
      return yield* task;
    if (yield* srv.wstream(fid, f.offset)) {
      g.next = f.offset + f.data.length;
      this.#ride(g);
    }
    return yield* task;
  }

  /** The thread of a request. */
  *#work(g: Group<A>, req: Req<A>, work: Flushable<Rmsg>): Task<void> {
    let r: Rmsg | null;
    try {
      r = yield* work.task;
    } catch (e) {
      if (!(e instanceof PlanError)) this.conn.fault(e);
      r = e instanceof PlanError ? rerror(req.f.tag, e.message) : null;
      // It was flushed and changed nothing, so it is as if it had never come. But a Tclunk or Tremove ends
      // its fid all the same.
      if (work.flushed && !clunks(req.f)) r = null;
    }
    if (req.thread === BEGINNING) {
      req.end = r;
      return;
    }
    this.#finish(g, req, r);
    yield* this.conn.out.flush();
  }

  /** A request is over, and the group goes on. null: it was flushed, and is not answered. */
  #finish(g: Group<A>, req: Req<A>, r: Rmsg | null): void {
    req.end = r;
    if (this.#settle(g)) this.#advance(g);
  }

  /** Sends the replies of the group's finished requests, in order. True: none is worked on any more. */
  #settle(g: Group<A>): boolean {
    const { conn } = this;
    for (let [first] = g.cur; first?.end !== undefined; [first] = g.cur) {
      g.cur.shift();
      g.cut ||= first.end === null;
      if (first.end !== null && !g.cut) this.#done(first.f, first.end);
      conn.discharge(first.size);
      if (first.reply > 0) conn.replied(first.reply);
      if (first.fid !== null) this.#release(first.fid);
    }
    if (g.cur.length > 0) return false;
    g.next = -1;
    g.cut = false;
    for (const tag of g.flushes) {
      this.put({ type: fcall.Rflush, tag });
      conn.discharge(0);
    }
    g.flushes = [];
    return true;
  }

  /** Works on the queue of a group as far as that takes no time and its replies have room. */
  #advance(g: Group<A>, granted = false): void {
    const { conn } = this;
    let free = granted;
    for (let [req] = g.queue; req !== undefined; [req] = g.queue) {
      if (!free && (conn.out.unsent >= conn.mark || this.#mustwait(req.f))) {
        this.#park(g);
        return;
      }
      free = false;
      g.queue.shift();
      const a = this.#answer(req.f);
      if (istask(a) || a instanceof Run) {
        if (!this.#begin(g, req, a) || !this.#settle(g)) return;
        continue;
      }
      this.#done(req.f, a);
      conn.discharge(req.size);
    }
    this.#groups.delete(g.tag);
  }

  #release(fid: Fid<A>): void {
    try {
      const a = this.fids.release(fid);
      if (istask(a)) this.conn.thread(quietly(a));
    } catch (e) {
      if (!(e instanceof PlanError)) this.conn.fault(e);
    }
  }

  /**
   * Answers a request. A write that failed or fell short is noted in #stops; the end of a fid deletes its
   * stops.
   */
  #done(f: Tmsg, r: Rmsg): void {
    if (this.#stream && f.type === fcall.Twrite) {
      const ename = this.#stops.get(stopkey(f.tag, f.fid));
      if (ename !== undefined) r = rerror(f.tag, ename);
      else if (r.type === fcall.Rerror) this.#stop(f.tag, f.fid, r.ename);
      else if (r.type === fcall.Rwrite && r.count < f.data.length) this.#stop(f.tag, f.fid, Eio);
    } else if (this.#stops.size > 0 && clunks(f) && "fid" in f)
      this.#unstop((_tag, fid) => fid === f.fid);
    this.put(r);
  }

  #stop(tag: number, fid: number, ename: string): void {
    if (this.#stops.size >= MAXSTOPS) this.conn.hangup();
    else this.#stops.set(stopkey(tag, fid), ename);
  }

  #unstop(which: (tag: number, fid: number) => boolean): void {
    for (const key of this.#stops.keys())
      if (which(key % 65536, Math.floor(key / 65536))) this.#stops.delete(key);
  }

  /** Sends a reply, unless the session is over. */
  put(r: Rmsg): void {
    if (!this.#over) this.conn.out.put(r, this.msize);
  }

  #flush(tag: number, oldtag: number): void {
    if (this.#stops.size > 0) this.#unstop((t) => t === oldtag);
    const g = this.#groups.get(oldtag);
    if (g === undefined) {
      this.put({ type: fcall.Rflush, tag });
      return;
    }
    this.#drop(g);
    if (g.parked) {
      this.#groups.delete(oldtag);
      this.put({ type: fcall.Rflush, tag });
      return;
    }
    this.conn.admit(0);
    g.flushes.push(tag);
    this.#interrupt(g);
  }

  #drop(g: Group<A>): void {
    for (const req of g.queue) this.conn.discharge(req.size);
    g.queue.length = 0;
  }

  #interrupt(g: Group<A>): void {
    // The later requests are interrupted first, so that the end of the first one lets none of them go on.
    g.next = -1;
    for (const cur of g.cur.toReversed()) {
      if (cur.end !== undefined) continue;
      if (cur.run !== null) cur.run.flush();
      else if (cur.work?.flush() === true) this.conn.sys.threadint(cur.thread);
    }
  }
}

/** The key of a tag and a fid in #stops. */
const stopkey = (tag: number, fid: number): number => fid * 65536 + tag;

const clunks = (f: Tmsg): boolean => f.type === fcall.Tclunk || f.type === fcall.Tremove;

/** The request with bytes of its own: the frame they were in is about to be overwritten. */
function kept(f: Tmsg): Tmsg {
  if (f.type === fcall.Twrite) return { ...f, data: f.data.slice() };
  if (f.type === fcall.Twstat) return { ...f, stat: f.stat.slice() };
  return f;
}

/** The reply to a request that threw. */
function failure(tag: number, e: unknown): Rmsg {
  if (e instanceof PlanError) return rerror(tag, e.message);
  throw e;
}

/** Runs a task, and drops its failure, for which no caller waits. */
export function* quietly(task: Task<unknown>): Task<void> {
  try {
    yield* task;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}
