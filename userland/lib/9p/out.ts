// Replies on their way to the client. They gather in a buffer until a thread flushes it, in one write; replies that do
// not fit begin another buffer. One thread writes at a time, beside the pump (stream.ts): a thread that flushes meanwhile
// leaves its replies to the one that writes. Writes go out in the order made, since the descriptor is no file with an
// offset. A thread that must make no more replies before the client has taken those that there are waits in drain.
//
// Replies are counted against the connection (shares.ts) until the write of them has returned. By then they have left the
// process, but for what the transport holds, which is less than a frame of a stream.

import { ERRMAX } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import { put32 } from "../../../kernel/abi/bits.ts";
import { Rerror, Rread, Rstat, Rstream, type Rmsg, convS2M } from "../../../kernel/abi/fcall.ts";
import { utfcut } from "../../../kernel/abi/utf.ts";
import type { Task, TaskSys } from "../../../syscalls/sys.ts";
import { Ereply, Eunknownfid } from "./errors.ts";
import type { Room } from "./shares.ts";

/** More than any reply has beside its data: Rwalk with 16 qids, Rerror, Rversion. */
const HEAD = 1024;

/**
 * Buffers of replies come in two sizes and are used again, by any connection: one that sends nothing has none. A reply
 * that is longer lies in several, since the host does not get the memory of long buffers back that were allocated among
 * others. Requests are read into buffers of INBUF bytes while they bring much (conn.ts).
 */
const SMALL = 16384;
const BIG = 2 * 65536 + 2 * HEAD;
export const INBUF = 262144;
const NSPARE = 16;
/** Those that wait to be used again, by their size. */
const spares: ReadonlyMap<number, Uint8Array[]> = new Map([
  [SMALL, []],
  [BIG, []],
  [INBUF, []],
]);

/** size[4] Rread tag[2] count[4]: what is before the data. */
const READHEAD = 11;

/** Replies are written when this many bytes have gathered, even if more requests are there. */
export const OUTMARK = 65536;

const NONE: Uint8Array = new Uint8Array(0);
/** Replies are counted in steps of at least this many bytes. */
const STEP = 8192;

/** The reply that says what went wrong. */
export function rerror(tag: number, ename: string): Rmsg {
  return { type: Rerror, tag, ename: utfcut(ename, ERRMAX - 1) };
}

/** The reply to a request on a fid that the client does not have: a hostile client sends many, and a throw is dear. */
export const unknownfid = (tag: number): Rmsg => rerror(tag, Eunknownfid);

/** A read's reply that no buffer has room for. */
type Long = { readonly tag: number; readonly data: Uint8Array };

/** Who waits in drain, and for how few bytes. */
type Waiter = { readonly mark: number };

/** The connection whose replies they are. */
export interface Owner {
  readonly room: Room;
  /** The client turned out to be gone. */
  hangup(): void;
  /** So many bytes of replies are not held any more. */
  replied(bytes: number): void;
}

export class Out {
  /** Bytes that wait for a flush. */
  n = 0;
  /** The client is gone: what is put goes nowhere. */
  hungup = false;
  readonly #sys: TaskSys;
  readonly #fd: number;
  readonly #room: Room;
  readonly #owner: Owner;
  /** Buffers that are full, the first to be written first, and the one that replies are put into. */
  readonly #full: Uint8Array[] = [];
  #buf: Uint8Array = NONE;
  /** Bytes in it. */
  #fill = 0;
  /** Bytes that a thread is writing, beside those that the pump writes. */
  #flushing = 0;
  /** How many of n are counted. */
  #counted = 0;
  readonly #waiters: Waiter[] = [];

  constructor(sys: TaskSys, fd: number, owner: Owner) {
    this.#sys = sys;
    this.#fd = fd;
    this.#room = owner.room;
    this.#owner = owner;
  }

  /** Bytes that have not left; those that the pump writes are one frame, and hold up no request. */
  get unsent(): number {
    return this.n + this.#flushing;
  }

  /** Adds a reply of at most msize bytes; one that is longer becomes an Rerror. */
  put(r: Rmsg, msize: number): void {
    const data =
      r.type === Rread || r.type === Rstream ? r.data.length : r.type === Rstat ? r.stat.length : 0;
    if (r.type === Rread && data > BIG - HEAD && READHEAD + data <= msize) this.#putlong(r);
    else this.#putshort(r, Math.min(data, BIG - HEAD), msize);
    if (this.n - this.#counted >= STEP) this.#count();
  }

  /** A reply with so many bytes of data, which has room in one buffer. */
  #putshort(r: Rmsg, data: number, msize: number): void {
    if (this.#buf.length - this.#fill < data + HEAD) this.#grow(data + HEAD);
    const from = this.#fill;
    const end = convS2M(r, this.#buf, from);
    if (end >= 0 && end - from <= msize) this.#fill = end;
    else this.#fill = convS2M(rerror(r.tag, Ereply), this.#buf, from);
    this.n += this.#fill - from;
  }

  /** A reply that has not: its data fills one buffer after another. */
  #putlong({ tag, data }: Long): void {
    if (this.#buf.length - this.#fill < HEAD) this.#grow(BIG);
    const from = this.#fill;
    put32(this.#buf, convS2M({ type: Rread, tag, data: NONE }, this.#buf, from) - 4, data.length);
    put32(this.#buf, from, READHEAD + data.length);
    this.#fill = from + READHEAD;
    for (let n = 0; n < data.length;) {
      if (this.#fill === this.#buf.length) this.#grow(BIG);
      const more = Math.min(data.length - n, this.#buf.length - this.#fill);
      this.#buf.set(data.subarray(n, n + more), this.#fill);
      this.#fill += more;
      n += more;
    }
    this.n += READHEAD + data.length;
  }

  #count(): void {
    this.#room.reply(this.n - this.#counted);
    this.#counted = this.n;
  }

  /** A buffer with room for so much more, at most BIG: a bigger one, or another where no buffer has so much. */
  #grow(room: number): void {
    let old = this.#buf.length === 0 ? NONE : this.#buf.subarray(0, this.#fill);
    if (this.#fill + room > BIG) {
      this.#full.push(old);
      old = NONE;
      this.#fill = 0;
    }
    this.#buf = newbuf(this.#fill + room > SMALL ? BIG : SMALL);
    this.#buf.set(old);
    giveback(old);
  }

  /** The replies that are to be written next: a buffer of them. */
  #take(): Uint8Array {
    const first = this.#full.shift();
    if (first !== undefined) return first;
    const bytes = this.#buf.subarray(0, this.#fill);
    this.#buf = NONE;
    this.#fill = 0;
    return bytes;
  }

  /** Writes what has gathered, or leaves it to the thread that writes now. */
  *flush(): Task<void> {
    if (this.#flushing > 0) return;
    while (this.n > 0) {
      yield* this.#writenext(true);
      this.#flushing = 0;
      if (this.#waiters.length > 0) yield* this.#wake();
    }
  }

  /** The pump's flush, beside which another thread may write: replies behind the pump's frame. Waits for both. */
  *pump(): Task<void> {
    do {
      if (this.n > 0) yield* this.#writenext(false);
      if (this.#waiters.length > 0) yield* this.#wake();
      yield* this.drain(1);
    } while (this.n > 0);
  }

  /** Writes a buffer as it is; what is put meanwhile goes to another. */
  *#writenext(flushing: boolean): Task<void> {
    const bytes = this.#take();
    const n = bytes.length;
    const counted = Math.min(this.#counted, n);
    this.n -= n;
    this.#counted -= counted;
    if (flushing) this.#flushing = n;
    if (!this.hungup) yield* this.#write(bytes);
    giveback(bytes);
    if (counted > 0) this.#owner.replied(counted);
    this.#room.gone(n);
  }

  *#write(bytes: Uint8Array): Task<void> {
    try {
      if ((yield* this.#sys.write(this.#fd, bytes)) === bytes.length) return;
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
    this.hungup = true;
    this.#owner.hangup();
  }

  /** Flushes, and waits until fewer than `mark` bytes have not left, or the client is gone. */
  *drain(mark: number): Task<void> {
    yield* this.flush();
    while (this.unsent >= mark && this.#flushing > 0) {
      const me: Waiter = { mark };
      this.#waiters.push(me);
      const met = yield* this.#sys.rendezvous(me, true);
      this.#leave(me);
      if (met === undefined && this.hungup) return;
    }
  }

  *#wake(): Task<void> {
    const now = this.unsent;
    for (const w of this.#waiters.filter(({ mark }) => now < mark))
      if (this.#leave(w)) yield* this.#sys.rendezvous(w, true);
  }

  /** A waiter waits no more; false: it had left already. */
  #leave(w: Waiter): boolean {
    const at = this.#waiters.indexOf(w);
    if (at >= 0) this.#waiters.splice(at, 1);
    return at >= 0;
  }
}

/** A buffer of so many bytes, with whatever is in it. */
export function newbuf(size: number): Uint8Array {
  return spares.get(size)?.pop() ?? new Uint8Array(size);
}

/** Keeps the buffer that bytes are in to be used again, by any connection, if it is of one of the sizes. */
export function giveback({ buffer }: Uint8Array): void {
  const list = spares.get(buffer.byteLength);
  if (list !== undefined && list.length < NSPARE) list.push(new Uint8Array(buffer));
}
