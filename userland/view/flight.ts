// Where messages were when: left here, reached the server, left there, came here. Messages of a connection
// are consecutive bytes, and "wire" events say when which bytes left and arrived. Transports that tell
// nothing (a pipe, the host's TCP) leave the two times in the middle unknown.
//
// All of it is made once; what is in flight at an event is then found from the last point before it where
// the list was kept.

import type { Recording, Revent } from "./recording.ts";

/** A request on its way, with its reply. Times are nanoseconds, null where nothing says them. */
export type Flight = {
  /** The event of the request, and of its last reply; -1 when none is recorded. */
  readonly send: number;
  readonly reply: number;
  readonly conn: number;
  readonly call: number;
  readonly sent: number;
  /** When all of the request was at the server. */
  readonly reached: number | null;
  /** When the last of the reply left the server. */
  readonly answered: number | null;
  /** When the reply was here; null when none is recorded. */
  readonly came: number | null;
};

/** How many events there are from one kept list to the next. */
const EVERY = 256;

/** The messages of a recording. */
export class Flights {
  readonly #r: Recording;
  readonly #reply: Int32Array;
  /** Of a request when it reached the server, of a reply when it left it; NaN where unknown. */
  readonly #there: Float64Array;
  /** The requests without an answer before event 0, 256, 512... */
  readonly #kept: readonly Int32Array[];

  constructor(r: Recording, reply: Int32Array, there: Float64Array) {
    this.#r = r;
    this.#reply = reply;
    this.#there = there;
    this.#kept = keep(r, reply);
  }

  /** The flight that an event, a message, belongs to; null where its request is not recorded. */
  of(event: number): Flight | null {
    const { events } = this.#r;
    const e = events[event];
    if (e?.type === "receive") return this.of(e.of);
    if (e?.type !== "send") return null;
    const reply = this.#reply[event] ?? -1;
    const [reached, answered] = [this.#time(event), this.#time(reply)];
    const { conn, call, at: sent } = e;
    const came = events[reply]?.at ?? null;
    return { send: event, reply, conn, call, sent, reached, answered, came };
  }

  /** The requests that have no answer yet after an event, in the order they were sent. */
  at(event: number, looked: (n: number) => void): Flight[] {
    const { events } = this.#r;
    const from = Math.floor((event + 1) / EVERY);
    const open = new Set(this.#kept[from]);
    for (let i = from * EVERY; i <= event; i++) follow(open, events, i, this.#reply);
    looked(event + 1 - from * EVERY + open.size);
    return [...open].map((i) => this.of(i)).filter((f) => f !== null);
  }

  #time(event: number): number | null {
    const t = this.#there[event] ?? Number.NaN;
    return Number.isNaN(t) ? null : t;
  }
}

/** Takes one event into the set of the requests that have no answer yet. */
function follow(open: Set<number>, events: readonly Revent[], i: number, reply: Int32Array): void {
  const e = events[i];
  if (e?.type === "send") open.add(i);
  else if (e?.type === "receive" && (reply[e.of] ?? -1) === i) open.delete(e.of);
  else if (e?.type === "conn" && e.what !== "open") hungup(open, events, e.conn);
}

/** Nothing that was asked over a connection that is gone will be answered. */
function hungup(open: Set<number>, events: readonly Revent[], conn: number): void {
  for (const i of open) {
    const e = events[i];
    if (e?.type === "send" && e.conn === conn) open.delete(i);
  }
}

function keep(r: Recording, reply: Int32Array): Int32Array[] {
  const open = new Set<number>();
  const kept: Int32Array[] = [];
  for (const i of r.events.keys()) {
    if (i % EVERY === 0) kept.push(Int32Array.from(open));
    follow(open, r.events, i, reply);
  }
  if (r.events.length % EVERY === 0) kept.push(Int32Array.from(open));
  return kept;
}

/** Finds out where the messages of a recording were when. */
export function flights(r: Recording): Flights {
  const reply = new Int32Array(r.events.length).fill(-1);
  const there = new Float64Array(r.events.length).fill(Number.NaN);
  const wires = new Map(r.conns.map((c) => [c.conn, c.wire]));
  const pieces = piecesof(r);
  for (const [i, e] of r.events.entries()) {
    if (e.type === "receive" && e.of >= 0) reply[e.of] = i;
    if (e.type !== "send" && e.type !== "receive") continue;
    const wire = wires.get(e.conn) ?? null;
    if (wire === null) continue;
    const p = pieces.get(`${wire} ${e.type === "send" ? "out" : "in"}`)?.with(e.off + e.bytes - 1);
    if (p !== undefined) there[i] = p;
  }
  return new Flights(r, reply, there);
}

/** The pieces that went one way over a connection. */
class Pieces {
  readonly #ends: number[] = [];
  readonly #times: number[] = [];
  readonly #begins: number[] = [];
  #next = 0;

  add(off: number, bytes: number, time: number): void {
    this.#begins.push(off);
    this.#ends.push(off + bytes);
    this.#times.push(time);
  }

  /** The time of the piece with this byte in it; asked for bytes in order. */
  with(byte: number): number | undefined {
    while ((this.#ends[this.#next] ?? Number.POSITIVE_INFINITY) <= byte) this.#next++;
    return (this.#begins[this.#next] ?? byte + 1) <= byte ? this.#times[this.#next] : undefined;
  }
}

/** The far end's times: when what we sent arrived there, when what came had left. */
function piecesof(r: Recording): Map<string, Pieces> {
  const map = new Map<string, Pieces>();
  for (const e of r.events) {
    if (e.type !== "wire") continue;
    const key = `${e.wire} ${e.way}`;
    let list = map.get(key);
    if (list === undefined) map.set(key, (list = new Pieces()));
    list.add(e.off, e.bytes, e.way === "out" ? e.at : e.left);
  }
  return map;
}
