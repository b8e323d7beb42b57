// Requests with their replies: left here, reached the server, answered there, came here; and which requests are
// without an answer at a moment. All of it is made once; what is in flight at an event is then found from the last
// point before it where the list was kept.
//
// Messages are consecutive bytes of what goes one way over their connection. "wire" events say when which bytes
// left and arrived, so both times are exact. Over a pipe the server is a process of the recording: its reads and
// writes are the "pipe" events that take the bytes out and put them in. Where the transport tells nothing (the
// host's TCP), or what was sent has not arrived when the recording ends, only this machine's side is known.

import { Tflush } from "../../../kernel/abi/fcall.ts";
import { Progress } from "./history.ts";
import type { Index } from "./index.ts";
import { ismessage, push } from "./recording.ts";
import type { Recording, Revent, Rmessage } from "./recording.ts";

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
  /** Over a pipe: the event at which a process of the recording took the request, and put the reply in; -1: none. */
  readonly taken: number;
  readonly put: number;
};

/** The messages of a recording. */
export class Flights {
  readonly #r: Recording;
  readonly #index: Index;
  /** The requests without an answer. */
  readonly #open: Progress;
  /** By message when it left its sender, and when all of it was at the other end. */
  readonly #left = new Map<number, number>();
  readonly #arrived = new Map<number, number>();
  /** Over pipes: the events at which messages were put in and taken out, and what each event carries. */
  readonly #taken = new Map<number, number>();
  readonly #put = new Map<number, number>();
  readonly #carried = new Map<number, number[]>();

  constructor(r: Recording, index: Index) {
    this.#r = r;
    this.#index = index;
    const pieces = piecesof(r);
    for (const [i, e] of r.events.entries()) if (ismessage(e)) this.#message(i, e, pieces);
    this.#open = new Progress((open, event) => this.#follow(open, event));
    this.#open.read(r.events.length);
  }

  #message(i: number, e: Rmessage, pieces: ReadonlyMap<number, Ways>): void {
    const out = e.type === "send";
    (out ? this.#left : this.#arrived).set(i, e.at);
    const way = pieces.get(this.#index.connof(e))?.[out ? "out" : "in"];
    const list = way?.carrying(e.off, e.off + e.bytes) ?? [];
    for (const piece of list) this.#carries(i, piece, out);
    const [first, last] = [list[0], list.at(-1)];
    if (first === undefined || last === undefined || first.off > e.off) return;
    this.#left.set(i, first.left);
    if (last.off + last.bytes >= e.off + e.bytes) this.#arrived.set(i, last.at);
  }

  /** A piece of a pipe has some of a message: its server takes requests, and puts replies in. */
  #carries(message: number, { event, from }: Piece, out: boolean): void {
    const at = out ? event : from;
    if (at < 0) return;
    if (out) this.#taken.set(message, at);
    else if (!this.#put.has(message)) this.#put.set(message, at);
    if (this.#carried.get(at)?.at(-1) !== message) push(this.#carried, at, message);
  }

  /** When the message of an event left its sender; null where nothing says it. */
  left(event: number): number | null {
    return this.#left.get(event) ?? null;
  }

  /** When all of it was at the other end. */
  arrived(event: number): number | null {
    return this.#arrived.get(event) ?? null;
  }

  /** The messages that a "pipe" event carries, as their events: what a server reads and writes. */
  carried(event: number): readonly number[] {
    return this.#carried.get(event) ?? [];
  }

  /** The flight that an event, a message, belongs to; null where its request is not recorded. */
  of(event: number): Flight | null {
    const { events } = this.#r;
    const e = events[event];
    if (e?.type === "receive") return this.of(e.of);
    if (e?.type !== "send") return null;
    const reply = this.#reply(event);
    return {
      send: event,
      reply,
      conn: this.#index.connof(e),
      call: e.call,
      sent: e.at,
      reached: this.arrived(event),
      answered: this.left(reply),
      came: events[reply]?.at ?? null,
      taken: this.#taken.get(event) ?? -1,
      put: this.#put.get(reply) ?? -1,
    };
  }

  /** The requests that have no answer yet after an event, in the order they were sent. */
  at(event: number, looked: (n: number) => void): Flight[] {
    return this.#open
      .at(event, looked)
      .map((i) => this.of(i))
      .filter((f) => f !== null);
  }

  /** The last answer to a request. */
  #reply(request: number): number {
    return this.#index.answers(request).at(-1) ?? -1;
  }

  /** Takes one event into the set of the requests that have no answer yet. */
  #follow(open: Set<number>, i: number): void {
    const { events } = this.#r;
    const e = events[i];
    // What was asked over a connection that is gone, or with a tag that has been flushed, will not be answered.
    const lost = (conn: number, tag?: number): void => {
      for (const n of open) {
        const x = events[n];
        if (ismessage(x) && x.conn === conn && (tag ?? x.fcall.tag) === x.fcall.tag) open.delete(n);
      }
    };
    if (e?.type === "send") open.add(i);
    else if (e?.type === "receive" && this.#reply(e.of) === i) {
      open.delete(e.of);
      const of = this.#index.request(e);
      if (of?.fcall.type === Tflush) lost(of.conn, of.fcall.oldtag);
    } else if (e?.type === "conn" && e.what !== "open") lost(e.conn);
  }
}

/** Consecutive bytes that arrived together: when they left and arrived; of a pipe the events of that, else -1. */
type Piece = {
  readonly off: number;
  readonly bytes: number;
  readonly left: number;
  readonly at: number;
  readonly from: number;
  readonly event: number;
};

/** What went one way over a connection, in order. */
class Pieces {
  readonly #list: Piece[] = [];
  #next = 0;
  /** Of a pipe, what was put in and not all taken out. */
  readonly #puts: { readonly event: number; readonly at: number; readonly end: number }[] = [];
  #put = 0;

  add(piece: Piece): void {
    this.#list.push(piece);
  }

  /** An event of a pipe that this is a way of. */
  pipe(event: number, { what, at, off, bytes }: Revent & { readonly type: "pipe" }): void {
    if (what === "put") this.#puts.push({ event, at, end: off + bytes });
    if (what !== "take" || bytes === 0) return;
    while ((this.#puts[this.#put]?.end ?? Infinity) <= off) this.#put++;
    const put = this.#puts[this.#put];
    this.add({ off, bytes, left: put?.at ?? at, at, from: put?.event ?? -1, event });
  }

  /** The pieces with these bytes in them, in order. Bytes are asked for in order. */
  carrying(from: number, to: number): Piece[] {
    const list: Piece[] = [];
    for (let i = this.#next; i < this.#list.length; i++) {
      const piece = this.#list[i];
      if (piece === undefined || piece.off >= to) break;
      if (piece.off + piece.bytes <= from) this.#next = i + 1;
      else list.push(piece);
    }
    return list;
  }
}

type Ways = { readonly out: Pieces; readonly in: Pieces };

/** What went over each connection whose transport tells of it. */
function piecesof(r: Recording): Map<number, Ways> {
  const bywire = new Map<number, Ways>();
  const bypipe = new Map<string, Pieces>();
  const byconn = new Map<number, Ways>();
  for (const { conn, wire, pipe } of r.conns) {
    if (wire === null && pipe === null) continue;
    const way = (end: number): Pieces => {
      const key = `${pipe?.pipe} ${end}`;
      const known = pipe === null ? undefined : bypipe.get(key);
      if (known !== undefined) return known;
      const pieces = new Pieces();
      if (pipe !== null) bypipe.set(key, pieces);
      return pieces;
    };
    // What the mount driver writes at one end is what the other end reads.
    const end = pipe?.end ?? 0;
    const ways = { out: way(1 - end), in: way(end) };
    if (wire !== null) bywire.set(wire, ways);
    byconn.set(conn, ways);
  }
  for (const [i, e] of r.events.entries())
    if (e.type === "wire") bywire.get(e.wire)?.[e.way].add({ ...e, from: -1, event: -1 });
    else if (e.type === "pipe") bypipe.get(`${e.pipe} ${e.end}`)?.pipe(i, e);
  return byconn;
}
