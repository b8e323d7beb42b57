// What a run cost, added up: calls, errors, round trips, messages, bytes and time; whole, by kind of call,
// by connection and by process. A reader of a Recording, or of its events as they come; its memory grows
// with what is in progress and with the number of kinds, connections and processes, not with the run.
//
// Calls of an asynchronous program overlap, and so do processes. The time of a kind, of a process and of
// the whole is the sum over its calls, each from call to return, and may be more than what the run took
// (`elapsed`). The time of a connection is that in which a request on it waited for its answer, counted once
// however many waited.

import { Rflush, Rstream, Tflush } from "../../../kernel/abi/fcall.ts";
import { addmessage, ismessage, isover, newcost } from "./recording.ts";
import type { Cost, Recording, Revent, Rmessage } from "./recording.ts";

/** What is added up. Times are nanoseconds. */
export type Totals = {
  calls: number;
  /** Calls that failed. That exits and exec never return is no failure. */
  errors: number;
  /**
   * Times that a call waited for servers: of a window of requests once. A connection counts its own, so a
   * call that asks two servers at once is one round trip of the call and one of each connection.
   */
  trips: number;
  /** Messages, those that came when their call had long returned among them. */
  sent: number;
  received: number;
  bytessent: number;
  bytesreceived: number;
  time: number;
};

/** Totals of nothing. */
export function newtotals(): Totals {
  const messages = { sent: 0, received: 0, bytessent: 0, bytesreceived: 0 };
  return { calls: 0, errors: 0, trips: 0, ...messages, time: 0 };
}

/** Messages both ways, and their bytes. */
export function traffic(t: Totals): { readonly messages: number; readonly bytes: number } {
  return { messages: t.sent + t.received, bytes: t.bytessent + t.bytesreceived };
}

/** The ledger of a recording, or of its first `events` events; calls in progress count as far as they came. */
export function ledger(r: Recording, events: number = r.events.length): Ledger {
  const l = new Ledger();
  for (let i = 0; i < events; i++) {
    const e = r.events[i];
    if (e !== undefined) l.take(e, r);
  }
  l.finish();
  return l;
}

/** A call that has not returned. */
type Open = {
  readonly began: number;
  readonly totals: readonly Totals[];
  readonly cost: Cost;
  readonly conns: Map<number, Cost>;
  /** What it has exchanged on a connection of which no version was agreed on yet. */
  unversioned: Totals | null;
};

/** Requests on a connection that wait for an answer: their tags, by event; since when any does; whose time. */
type Waiting = {
  readonly tags: Map<number, number>;
  readonly since: number;
  readonly totals: Totals;
};

/** Adds up events as they come. */
export class Ledger {
  readonly whole: Totals = newtotals();
  /** By the name of the call. */
  readonly kinds: Map<string, Totals> = new Map();
  /** By the connection's number; 0 is what was said on those that came to no agreement on a version. */
  readonly conns: Map<number, Totals> = new Map();
  /** By pid. Messages that no call is the cause of are the kernel's own processes'. */
  readonly procs: Map<number, Totals> = new Map();
  /** What no call is the cause of, messages only: in `whole` and in no kind. */
  readonly uncalled: Totals = newtotals();
  #first = -1;
  #last = 0;
  #nevent = 0;
  readonly #open = new Map<number, Open>();
  /** By connection, and by -1-call where there is none yet. */
  readonly #waiting = new Map<number, Waiting>();
  /** By the event of a Tflush that waits, the tag that it flushes. */
  readonly #flushes = new Map<number, number>();

  /** Nanoseconds from the first event to the last. */
  get elapsed(): number {
    return this.#first < 0 ? 0 : this.#last - this.#first;
  }

  /** Takes the next event of a recording in. */
  take(e: Revent, r: Recording): void {
    if (this.#first < 0) this.#first = e.at;
    this.#last = Math.max(this.#last, e.at);
    if (e.type === "call") this.#begin(e, r);
    else if (e.type === "return") this.#end(e, r);
    else if (ismessage(e)) this.#message(e, r);
    else if (e.type === "conn") this.#conn(e);
    this.#nevent++;
  }

  /** All has come: calls and requests in progress count until the last event. */
  finish(): void {
    for (const [id, call] of this.#open) this.#spent(id, call, this.#last);
    this.#open.clear();
    for (const key of this.#waiting.keys()) this.#answered(key, this.#last, () => true);
  }

  #begin(e: Revent & { type: "call" }, r: Recording): void {
    const call = r.calls[e.call];
    if (call === undefined) return;
    const totals = this.#totals(call.name, e.pid);
    for (const t of totals) t.calls++;
    const cost = newcost();
    this.#open.set(e.call, { began: e.at, totals, cost, conns: new Map(), unversioned: null });
  }

  #end(e: Revent & { type: "return" }, r: Recording): void {
    const call = r.calls[e.call];
    const open = this.#open.get(e.call);
    if (call === undefined || open === undefined) return;
    this.#open.delete(e.call);
    if (call.error !== null && !isover(call)) for (const t of open.totals) t.errors++;
    this.#spent(e.call, open, e.at);
  }

  #spent(id: number, open: Open, at: number): void {
    this.#answered(-1 - id, at, () => true);
    for (const t of open.totals) t.time += at - open.began;
    if (open.unversioned !== null) add(totalsof(this.conns, 0), open.unversioned);
  }

  #message(e: Rmessage, r: Recording): void {
    const name = r.calls[e.call]?.name;
    const open = this.#open.get(e.call);
    const all =
      name === undefined
        ? [this.whole, this.uncalled, totalsof(this.procs, e.pid)]
        : this.#totals(name, e.pid);
    const conn = this.#ofconn(e, open);
    for (const t of [...all, conn]) count(t, e);
    if (open !== undefined) {
      const trips = trip(open.cost, e);
      for (const t of all) t.trips += trips;
      let cost = open.conns.get(e.conn);
      if (cost === undefined) open.conns.set(e.conn, (cost = newcost()));
      conn.trips += trip(cost, e);
    }
    if (e.type === "send") this.#asked(e, conn);
    else if (e.of >= 0 && !(e.fcall.type === Rstream && e.bytes > RSTREAM)) this.#reply(e);
  }

  /** The connection's totals. A version is agreed on before there is one, by the call that then opens it. */
  #ofconn(e: Rmessage, open: Open | undefined): Totals {
    if (e.conn !== 0 || open === undefined) return totalsof(this.conns, e.conn);
    return (open.unversioned ??= newtotals());
  }

  #conn(e: Revent & { type: "conn" }): void {
    const open = this.#open.get(e.call);
    if (e.what === "open" && open !== undefined && open.unversioned !== null) {
      add(totalsof(this.conns, e.conn), open.unversioned);
      open.unversioned = null;
    }
    if (e.what !== "open") this.#answered(e.conn, e.at, () => true);
  }

  #asked(e: Rmessage & { type: "send" }, totals: Totals): void {
    const key = waitkey(e);
    let w = this.#waiting.get(key);
    if (w === undefined) this.#waiting.set(key, (w = { tags: new Map(), since: e.at, totals }));
    w.tags.set(this.#nevent, e.fcall.tag);
    if (e.fcall.type === Tflush) this.#flushes.set(this.#nevent, e.fcall.oldtag);
  }

  #reply(e: Rmessage & { type: "receive" }): void {
    const flushed = e.fcall.type === Rflush ? this.#flushes.get(e.of) : undefined;
    this.#flushes.delete(e.of);
    this.#answered(waitkey(e), e.at, (event, tag) => event === e.of || tag === flushed);
  }

  /** These requests wait no longer. */
  #answered(key: number, at: number, which: (event: number, tag: number) => boolean): void {
    const w = this.#waiting.get(key);
    if (w === undefined) return;
    for (const [event, tag] of w.tags) if (which(event, tag)) w.tags.delete(event);
    if (w.tags.size > 0) return;
    this.#waiting.delete(key);
    w.totals.time += at - w.since;
  }

  /** All that a call of this name by this process counts for. */
  #totals(name: string, pid: number): Totals[] {
    return [this.whole, totalsof(this.kinds, name), totalsof(this.procs, pid)];
  }
}

/** Bytes of an Rstream without data, which ends a run. */
const RSTREAM = 11;

function waitkey(e: Rmessage): number {
  return e.conn === 0 ? -1 - e.call : e.conn;
}

function totalsof<K>(map: Map<K, Totals>, key: K): Totals {
  let t = map.get(key);
  if (t === undefined) map.set(key, (t = newtotals()));
  return t;
}

function add(to: Totals, t: Totals): void {
  for (const key of Object.keys(t) as (keyof Totals)[]) to[key] += t[key];
}

function count(t: Totals, e: Rmessage): void {
  if (e.type === "send") {
    t.sent++;
    t.bytessent += e.bytes;
  } else {
    t.received++;
    t.bytesreceived += e.bytes;
  }
}

/** 1 when this message ends a round trip, else 0. */
function trip(cost: Cost, e: Rmessage): number {
  const before = cost.trips;
  addmessage(cost, e.type === "send", e.bytes);
  return cost.trips - before;
}
