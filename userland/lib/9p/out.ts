// Replies on their way to the client. They gather in a buffer until a thread flushes it, in one write. One
// thread writes at a time, and the pump: another that flushes meanwhile leaves its replies to that one. Writes
// go out in the order made, since the descriptor is no file with an offset. A thread that must not make more
// before the client has taken what there is waits in drain.
//
// Replies are counted against the connection (shares.ts) until the write of them has returned, which is when
// they have left the process but for what the transport holds, less than a frame of a stream.

import { ERRMAX } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import { Rerror, Rread, Rstat, Rstream, type Rmsg, convS2M } from "../../../kernel/abi/fcall.ts";
import { utfcut } from "../../../kernel/abi/utf.ts";
import type { Task, TaskSys } from "../../../syscalls/sys.ts";
import { Ereply } from "./errors.ts";
import type { Room } from "./shares.ts";

/** More than any reply has beside its data: Rwalk with 16 qids, Rerror, Rversion. */
const HEAD = 1024;

/** Buffers come in two sizes and are used again, by any connection: one that sends nothing has none. */
const SMALL = 16384;
const BIG = 2 * 65536 + 2 * HEAD;
const NSPARE = 16;
const smalls: Uint8Array[] = [];
const bigs: Uint8Array[] = [];

/** Replies are written when this many bytes have gathered, even if more requests are there. */
export const OUTMARK = 65536;

const NONE: Uint8Array = new Uint8Array(0);
/** Replies are counted in steps of at least this many bytes. */
const STEP = 8192;

/** The reply that says what went wrong. */
export function rerror(tag: number, ename: string): Rmsg {
  return { type: Rerror, tag, ename: utfcut(ename, ERRMAX - 1) };
}

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
  #buf: Uint8Array = NONE;
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
    if (this.#buf.length - this.n < data + HEAD) this.#grow(data + HEAD);
    const end = convS2M(r, this.#buf, this.n);
    if (end >= 0 && end - this.n <= msize) this.n = end;
    else this.n = convS2M(rerror(r.tag, Ereply), this.#buf, this.n);
    if (this.n - this.#counted >= STEP) this.#count();
  }

  #count(): void {
    this.#room.reply(this.n - this.#counted);
    this.#counted = this.n;
  }

  #grow(room: number): void {
    const bigger = newbuf(this.n + room);
    if (this.n > 0) bigger.set(this.#buf.subarray(0, this.n));
    giveback(this.#buf);
    this.#buf = bigger;
  }

  /** Writes what has gathered, or leaves it to the thread that writes now. */
  *flush(): Task<void> {
    if (this.#flushing > 0) return;
    while (this.n > 0) {
      this.#flushing = this.n;
      yield* this.#writeall();
      this.#flushing = 0;
      if (this.#waiters.length > 0) yield* this.#wake();
    }
  }

  /** The pump's flush, beside which another thread may write: replies behind the pump's frame. Waits for both. */
  *pump(): Task<void> {
    do {
      if (this.n > 0) yield* this.#writeall();
      if (this.#waiters.length > 0) yield* this.#wake();
      yield* this.drain(1);
    } while (this.n > 0);
  }

  /** Writes the buffer as it is; what is put meanwhile goes to another. */
  *#writeall(): Task<void> {
    const { n } = this;
    const buf = this.#buf;
    const counted = this.#counted;
    this.n = this.#counted = 0;
    this.#buf = NONE;
    if (!this.hungup) yield* this.#write(buf.subarray(0, n));
    giveback(buf);
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
      const at = this.#waiters.indexOf(me);
      if (at >= 0) this.#waiters.splice(at, 1);
      if (met === undefined && this.hungup) return;
    }
  }

  *#wake(): Task<void> {
    const now = this.hungup ? 0 : this.unsent;
    for (const w of this.#waiters.filter(({ mark }) => now < mark)) {
      const at = this.#waiters.indexOf(w);
      if (at < 0) continue;
      this.#waiters.splice(at, 1);
      yield* this.#sys.rendezvous(w, true);
    }
  }
}

/** A buffer of at least so many bytes; behind a long reply there is room for short ones. */
function newbuf(size: number): Uint8Array {
  if (size <= SMALL) return smalls.pop() ?? new Uint8Array(SMALL);
  return size <= BIG ? (bigs.pop() ?? new Uint8Array(BIG)) : new Uint8Array(size + SMALL);
}

function giveback(buf: Uint8Array): void {
  const list = buf.length === SMALL ? smalls : buf.length === BIG ? bigs : null;
  if (list !== null && list.length < NSPARE) list.push(buf);
}
