// When each message was on the wire: when its first byte left and its last arrived. Messages are
// consecutive bytes of what goes one way over their connection, and "wire" events say when which bytes
// left and arrived, so both times are exact. Where the transport tells nothing (a pipe, the host's TCP),
// or what was sent has not arrived when the recording ends, only this machine's side is known.

import { ismessage } from "./recording.ts";
import type { Recording, Revent } from "./recording.ts";

/** When the messages of a recording were on the wire; by event, null where nothing says it. */
export class Transits {
  readonly #left: Float64Array;
  readonly #arrived: Float64Array;
  readonly #conn: Int32Array;

  constructor(r: Recording) {
    const { events } = r;
    this.#left = new Float64Array(events.length).fill(Number.NaN);
    this.#arrived = new Float64Array(events.length).fill(Number.NaN);
    this.#conn = connsof(r);
    const pieces = piecesof(r);
    for (let i = 0; i < events.length; i++) {
      const e = events[i];
      if (!ismessage(e)) continue;
      const out = e.type === "send";
      if (out) this.#left[i] = e.at;
      else this.#arrived[i] = e.at;
      const way = pieces.get(this.#conn[i] ?? 0)?.[out ? "out" : "in"];
      const [first, last] = [way?.carrying(e.off), way?.carrying(e.off + e.bytes - 1)];
      if (first === undefined || last === undefined) continue;
      this.#left[i] = first.left;
      this.#arrived[i] = last.at;
    }
  }

  /** When the message of an event left its sender. */
  left(event: number): number | null {
    return known(this.#left[event]);
  }

  /** When all of it was at the other end. */
  arrived(event: number): number | null {
    return known(this.#arrived[event]);
  }

  /** The connection of a message, also of those by which the connection was made. */
  conn(event: number): number {
    return this.#conn[event] ?? 0;
  }
}

const known = (t: number | undefined): number | null =>
  t === undefined || Number.isNaN(t) ? null : t;

/** The connections of messages. Before a version is agreed on they have none: it is the one their call makes. */
function connsof(r: Recording): Int32Array {
  const conns = new Int32Array(r.events.length);
  const early = new Map<number, number[]>();
  for (let i = 0; i < r.events.length; i++) {
    const e = r.events[i];
    if (ismessage(e)) {
      conns[i] = e.conn;
      if (e.conn === 0) early.set(e.call, [...(early.get(e.call) ?? []), i]);
    }
    if (e?.type !== "conn" || e.what !== "open") continue;
    for (const m of early.get(e.call) ?? []) conns[m] = e.conn;
    early.delete(e.call);
  }
  return conns;
}

type Piece = Revent & { readonly type: "wire" };

/** What went one way over a connection, in order. */
class Pieces {
  readonly #list: Piece[] = [];
  #next = 0;

  add(piece: Piece): void {
    this.#list.push(piece);
  }

  /** The piece with this byte in it; undefined when it is not among them. Bytes are asked for in order. */
  carrying(byte: number): Piece | undefined {
    let piece = this.#list[this.#next];
    while (piece !== undefined && piece.off + piece.bytes <= byte) piece = this.#list[++this.#next];
    return piece !== undefined && piece.off <= byte ? piece : undefined;
  }
}

type Ways = { readonly out: Pieces; readonly in: Pieces };

/** What went over each connection whose transport tells of it. */
function piecesof(r: Recording): Map<number, Ways> {
  const bywire = new Map<number, Ways>();
  const byconn = new Map<number, Ways>();
  for (const { conn, wire } of r.conns) {
    if (wire === null) continue;
    const ways = { out: new Pieces(), in: new Pieces() };
    bywire.set(wire, ways);
    byconn.set(conn, ways);
  }
  for (const e of r.events) if (e.type === "wire") bywire.get(e.wire)?.[e.way].add(e);
  return byconn;
}
