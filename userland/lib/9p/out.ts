// Replies on their way to the client. They gather in a buffer until somebody flushes it, in one write.
// Whoever flushes takes the buffer as it is; writes of several threads go out in the order made, since
// the descriptor is no file with an offset. So nobody needs a lock, and a client that does not read
// makes the threads that answer it wait.

import { ERRMAX } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import { Rerror, Rread, Rstat, Rstream, type Rmsg, convS2M } from "../../../kernel/abi/fcall.ts";
import { utfcut } from "../../../kernel/abi/utf.ts";
import type { Task, TaskSys } from "../../../syscalls/sys.ts";
import { Ereply } from "./errors.ts";

/** More than any reply has beside its data: Rwalk with 16 qids, Rerror, Rversion. */
const HEAD = 1024;

const START = 16384;

/** A buffer that a big batch made bigger than this is not kept. */
const KEEP = 262144;

/** The reply that says what went wrong. */
export function rerror(tag: number, ename: string): Rmsg {
  return { type: Rerror, tag, ename: utfcut(ename, ERRMAX - 1) };
}

export class Out {
  /** Bytes that wait for a flush. */
  n = 0;
  /** The client is gone: what is put goes nowhere. */
  hungup = false;
  readonly #sys: TaskSys;
  readonly #fd: number;
  #buf: Uint8Array = new Uint8Array(START);
  #spare: Uint8Array | null = null;

  constructor(sys: TaskSys, fd: number) {
    this.#sys = sys;
    this.#fd = fd;
  }

  /** Adds a reply of at most msize bytes; one that is longer becomes an Rerror. */
  put(r: Rmsg, msize: number): void {
    const data =
      r.type === Rread || r.type === Rstream ? r.data.length : r.type === Rstat ? r.stat.length : 0;
    if (this.#buf.length - this.n < data + HEAD) this.#grow(data + HEAD);
    const end = convS2M(r, this.#buf, this.n);
    if (end >= 0 && end - this.n <= msize) this.n = end;
    else this.n = convS2M(rerror(r.tag, Ereply), this.#buf, this.n);
  }

  #grow(room: number): void {
    const bigger = new Uint8Array(Math.max(2 * this.#buf.length, this.n + room));
    bigger.set(this.#buf.subarray(0, this.n));
    this.#buf = bigger;
  }

  /** Writes what has gathered. */
  *flush(): Task<void> {
    while (this.n > 0) {
      const { n } = this;
      const buf = this.#buf;
      this.n = 0;
      if (this.hungup) return;
      this.#buf = this.#spare ?? new Uint8Array(START);
      this.#spare = null;
      try {
        if ((yield* this.#sys.write(this.#fd, buf.subarray(0, n))) !== n) this.hungup = true;
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
        this.hungup = true;
      }
      if (buf.length <= KEEP) this.#spare = buf;
    }
  }
}
