// A connection of the simulated network, one end of it: pieces that wait for the wire, what has come, and
// how both ends learn of its end. When things happen is the link's affair (simlink.ts).

import { Econnrefused, Ehungup, error } from "../../kernel/abi/errors.ts";
import { copyof } from "../../kernel/abi/slab.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { QLock, Rendez } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Cuttable, Flow, Link, Way } from "./simlink.ts";
import { Rqueue } from "./stack.ts";
import type { Addr, Conn, Connstate, Piece } from "./stack.ts";

/** Connections on one link take turns by pieces of at most this many bytes. */
const PIECE = 65536;

/** A machine, as its connections know it. */
export interface Owner {
  readonly name: string;
  /** A call has come: its other end, or null when no process takes it. */
  called(from: Simconn, link: Link): Simconn | null;
  keep(conn: Simconn): void;
  forget(conn: Simconn): void;
}

/** An end of a connection: its address, that of the other end, and the machine that has this one. */
type Endpoint = { readonly local: Addr; readonly remote: Addr; readonly owner: Owner };

/** One end of a connection. */
export class Simconn implements Conn, Cuttable {
  readonly local: Addr;
  readonly remote: Addr;
  arrived?: (way: "in" | "out", piece: Piece) => void;
  readonly #owner: Owner;
  readonly #link: Link;
  readonly #way: Way;
  readonly #flow: Flow = { last: 0 };
  /** The other end, once the call has come there. */
  #peer: Simconn | null = null;
  readonly #in: Rqueue;
  /** Pieces that are not on the wire yet, and how many bytes they and the one on its way there have. */
  #out: Uint8Array[] = [];
  #unsent = 0;
  /** Bytes written, and bytes received, so far. */
  #written = 0;
  #received = 0;
  /** A piece is on its way to the wire. */
  #sending = false;
  /** The other end takes no more. */
  #full = false;
  #shut = false;
  #endsent = false;
  #closed = false;
  #broken = false;
  /** What became of the call. */
  #answer: "accepted" | "refused" | null = null;
  readonly #wlock = new QLock("network write");
  readonly #room = new Rendez("network write");
  readonly #called = new Rendez("network dial");

  constructor(link: Link, c: Endpoint) {
    this.#link = link;
    this.#owner = c.owner;
    this.#way = link.from(c.owner.name);
    this.local = c.local;
    this.remote = c.remote;
    const [stop, go] = [() => this.#peer?.hold(true), () => this.#peer?.hold(false)];
    this.#in = new Rqueue({ stop, go, outside: false });
    link.conns.add(this);
    c.owner.keep(this);
  }

  /** Calls the other machine; false when the call was lost. */
  *call(machine: Owner): Task<boolean> {
    if (this.#link.up) this.#way.send(0, this.#flow, () => this.#ring(machine));
    else this.cut();
    try {
      while (this.#answer === null && !this.#broken) yield this.#called;
    } finally {
      if (this.#answer !== "accepted") this.hangup();
    }
    if (this.#answer === "refused") error(Econnrefused);
    return this.#answer === "accepted";
  }

  /** The call has come to the other machine, and its answer goes back. */
  #ring(machine: Owner): void {
    const other = this.#broken ? null : machine.called(this, this.#link);
    if (other !== null) {
      other.#peer = this;
      this.#peer = other;
    }
    this.#link.from(machine.name).send(0, other === null ? { last: 0 } : other.#flow, () => {
      this.#answer = other === null ? "refused" : "accepted";
      this.#called.wakeupall();
    });
  }

  get state(): Connstate {
    if (this.#broken) return "Closed";
    if (this.#in.ended) return this.#shut ? "Last_ack" : "Close_wait";
    return this.#shut ? "Finwait1" : "Established";
  }

  get qin(): number {
    return this.#in.length;
  }

  get qout(): number {
    return this.#unsent;
  }

  moved(): { readonly out: number; readonly in: number } {
    return { out: this.#written, in: this.#received - this.#in.length };
  }

  read(up: Proc, buf: Uint8Array): Task<number> {
    return this.#in.read(up, buf);
  }

  bread(up: Proc, n: number): Task<Uint8Array> {
    return this.#in.bread(up, n);
  }

  /** Takes all of bytes before it waits for the wire: who is interrupted then has written them. */
  *write(_up: Proc, bytes: Uint8Array): Task<number> {
    const q = this.#wlock;
    if (!q.canlock()) yield* q.lock();
    try {
      if (this.#broken || this.#shut) error(Ehungup);
      const mine = copyof(bytes);
      if (mine.length > 0 && mine.length <= PIECE) this.#out.push(mine);
      else
        for (let off = 0; off < mine.length; off += PIECE)
          this.#out.push(mine.subarray(off, off + PIECE));
      this.#unsent += mine.length;
      this.#written += mine.length;
      this.#send();
      while (this.#unsent > 0 && !this.#broken) yield this.#room;
      if (this.#broken) error(Ehungup);
    } finally {
      q.unlock();
    }
    return bytes.length;
  }

  /** The network says when it is cut, so no timer looks. */
  keepalive(): void {}

  shut(): void {
    this.#shut = true;
    this.#send();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#in.drop();
    // The sender, which was stopped while the bytes were not read, goes on; what it sends is dropped.
    this.#peer?.hold(false);
    this.shut();
  }

  hangup(): void {
    if (this.#broken) return;
    this.#closed = true;
    this.cut();
    this.#in.drop();
    this.#way.send(0, this.#flow, () => this.#peer?.cut());
  }

  /** The connection is broken, as far as this end knows: by a reset, or since the link was cut. */
  cut(): void {
    this.#broken = true;
    this.#in.reset();
    this.#out = [];
    this.#unsent = 0;
    this.#room.wakeupall();
    this.#called.wakeupall();
    this.#leave();
  }

  #leave(): void {
    this.#link.conns.delete(this);
    this.#owner.forget(this);
  }

  /** Puts on the wire what can be put there now; behind the last piece the end, if there is to be one. */
  #send(): void {
    while (!this.#sending && !this.#full && !this.#broken) {
      const piece = this.#out.shift();
      if (piece === undefined) break;
      const { length } = piece;
      const put = { bytes: length, off: this.#written - this.#unsent, left: this.#way.now };
      const sent = this.#way.send(length, this.#flow, (lost) => {
        const at = lost === 0 ? put : { ...put, lost };
        this.arrived?.("out", at);
        this.#peer?.receive(piece, at);
      });
      this.#sending = true;
      if (this.#way.isnow(sent)) this.#sent(length);
      else this.#way.at(sent, () => this.#sentlater(length));
    }
    if (this.#shut && this.#unsent === 0 && !this.#broken) this.#end();
  }

  #sent(n: number): void {
    this.#sending = false;
    this.#unsent -= n;
    if (this.#unsent === 0) this.#room.wakeupall();
  }

  #sentlater(n: number): void {
    if (this.#broken) return;
    this.#sent(n);
    this.#send();
  }

  /** No more will come: tells the other end, behind all that was sent. */
  #end(): void {
    if (this.#endsent) return;
    this.#endsent = true;
    this.#way.send(0, this.#flow, () => {
      this.#peer?.ended();
      if (this.#closed) this.#leave();
    });
  }

  /** The other end takes no more for now, or takes more again. */
  hold(full: boolean): void {
    this.#full = full;
    this.#send();
  }

  /** Takes a piece. If no process can read it any more, the sender's end is reset. */
  receive(piece: Uint8Array, at: Piece): void {
    this.#received += piece.length;
    this.arrived?.("in", at);
    if (this.#closed) this.hangup();
    else this.#in.put(piece);
  }

  /** The other end has ended. */
  ended(): void {
    this.#in.eof();
  }
}
