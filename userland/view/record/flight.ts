// Requests with their replies: left here, reached the server, answered there, came here. The two times in
// the middle are transit.ts's, where the transport tells them; and which requests are without an answer at
// a moment.
//
// All of it is made once; what is in flight at an event is then found from the last point before it where
// the list was kept.

import type { Recording, Revent } from "./recording.ts";
import { Transits } from "./transit.ts";

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
  readonly #transits: Transits;
  /** The requests without an answer before event 0, 256, 512... */
  readonly #kept: readonly Int32Array[];

  constructor(r: Recording) {
    this.#r = r;
    this.#reply = replies(r);
    this.#transits = new Transits(r);
    this.#kept = keep(r, this.#reply);
  }

  /** The flight that an event, a message, belongs to; null where its request is not recorded. */
  of(event: number): Flight | null {
    const { events } = this.#r;
    const e = events[event];
    if (e?.type === "receive") return this.of(e.of);
    if (e?.type !== "send") return null;
    const reply = this.#reply[event] ?? -1;
    const [reached, answered] = [this.#transits.arrived(event), this.#transits.left(reply)];
    const { call, at: sent } = e;
    const conn = this.#transits.conn(event);
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

/** The last reply to each request; -1 where none is recorded. */
function replies(r: Recording): Int32Array {
  const reply = new Int32Array(r.events.length).fill(-1);
  for (const [i, e] of r.events.entries()) if (e.type === "receive" && e.of >= 0) reply[e.of] = i;
  return reply;
}
