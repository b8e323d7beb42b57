// Queue: blocks of bytes on their way from writers to readers, as Plan 9's qio. What one write puts in,
// up to 64K, comes out by itself: a read gets no more than one block, and leaves the rest of it when it
// has less room. A pipe is two of these.
//
// Writers that fill the queue have their data in it and then wait until readers made room: so a write
// that is interrupted is not torn. Readers, and writers, are served in the order they came.

import { Ehungup, error } from "../kernel/abi/errors.ts";
import { copyof } from "../kernel/abi/slab.ts";
import { QLock, Rendez } from "../kernel/proc/rendez.ts";
import type { Task } from "../kernel/proc/rendez.ts";
import type { EventBody, Pipeend, Trace } from "../kernel/trace.ts";

/** The most bytes in one block. */
export const MAXATOMIC = 65536;

/** What a block counts at least against the limit, so that a queue of empty ones is bounded too. */
const MINCHARGE = 64;

const EMPTY = new Uint8Array(0);

/** Slots of a queue's ring to begin with. */
const RING = 8;
const newring = (n: number): Uint8Array[] => Array.from({ length: n }, () => EMPTY);

const charge = (n: number): number => (n < MINCHARGE ? MINCHARGE : n);

/** The trace that gets the queue's events, and the end of a pipe that reads the queue. */
export type Heard = { readonly trace: Trace } & Pipeend;

export class Queue {
  readonly limit: number;
  /** Bytes that were put in so far. */
  got = 0;
  readonly #heard: Heard | null;
  /** Bytes that wait to be read. */
  len = 0;
  /** Bytes counted against the limit. */
  #held = 0;
  /** A ring: #count blocks from #first on; its size is a power of two. */
  #blocks: Uint8Array[] = newring(RING);
  #first = 0;
  #count = 0;
  #closed = false;
  readonly #readers = new Rendez("queue read");
  readonly #writers = new Rendez("queue write");
  readonly #rlock = new QLock("queue read");
  readonly #wlock = new QLock("queue write");

  constructor(limit: number, heard: Heard | null = null) {
    this.limit = limit;
    this.#heard = heard;
  }

  /** The blocks that wait, as the "put" events that the trace got for them. */
  contents(): EventBody[] {
    const heard = this.#heard;
    if (heard === null) return [];
    const { pipe, end } = heard;
    const list: EventBody[] = [];
    let off = this.got - this.len;
    for (let i = 0; i < this.#count; i++) {
      const data = this.#blocks[(this.#first + i) & (this.#blocks.length - 1)] ?? EMPTY;
      list.push({ type: "pipe", pipe, end, what: "put", bytes: data.length, off, data });
      off += data.length;
    }
    return list;
  }

  #tell(what: "put" | "take" | "hangup" | "drop", off: number, data: Uint8Array): void {
    if (this.#heard === null) return;
    const { trace, pipe, end } = this.#heard;
    trace.emit({ type: "pipe", pipe, end, what, bytes: data.length, off, data });
  }

  /** Closed or hung up: writes fail, reads give what is left and then nothing. */
  get closed(): boolean {
    return this.#closed;
  }

  get #empty(): boolean {
    return this.#count === 0;
  }

  /** At most n bytes of the first block, which are the caller's; none when the queue is closed and drained. */
  *bread(n: number): Task<Uint8Array> {
    if (!this.#empty && !this.#rlock.held) return this.#take(n);
    yield* this.#rlock.lock();
    try {
      while (this.#empty) {
        if (this.#closed) return EMPTY;
        yield this.#readers;
      }
      return this.#take(n);
    } finally {
      this.#rlock.unlock();
    }
  }

  /** Queues a copy of bytes, in blocks; waits when that filled the queue. "i/o on hungup channel" */
  *write(bytes: Uint8Array): Task<void> {
    const n = bytes.length;
    if (n <= MAXATOMIC && this.#held + charge(n) < this.limit && !this.#wlock.held) {
      this.#put(copyof(bytes, 0, n));
      return;
    }
    yield* this.#wlock.lock();
    try {
      let o = 0;
      do {
        // Only writers that are interrupted and write again get here with a queue this full.
        while (this.#held >= 2 * this.limit && !this.#closed) yield this.#writers;
        const next = Math.min(n, o + MAXATOMIC);
        this.#put(copyof(bytes, o, next));
        o = next;
        while (this.#held >= this.limit && !this.#closed) yield this.#writers;
      } while (o < n);
    } finally {
      this.#wlock.unlock();
    }
  }

  /** The writing side is gone: readers get what is left, then end of file. */
  hangup(): void {
    this.#closed = true;
    if (this.#heard?.trace.on === true) this.#tell("hangup", this.got, EMPTY);
    this.#readers.wakeupall();
    this.#writers.wakeupall();
  }

  /** The reading side is gone: hangs up and drops what is left. */
  close(): void {
    if (this.#heard?.trace.on === true) this.#tell("drop", this.got, EMPTY);
    this.#blocks = newring(RING);
    this.#first = 0;
    this.#count = 0;
    this.len = 0;
    this.#held = 0;
    this.hangup();
  }

  /** Makes a closed queue as good as new. */
  reopen(): void {
    this.#closed = false;
  }

  #put(block: Uint8Array): void {
    if (this.#closed) error(Ehungup);
    if (this.#count === this.#blocks.length) this.#grow();
    this.#blocks[(this.#first + this.#count++) & (this.#blocks.length - 1)] = block;
    if (this.#heard?.trace.on === true) this.#tell("put", this.got, block);
    this.got += block.length;
    this.len += block.length;
    this.#held += charge(block.length);
    this.#readers.wakeup();
  }

  #take(n: number): Uint8Array {
    const block = this.#blocks[this.#first];
    if (block === undefined) return EMPTY;
    const got = block.length <= n ? block : block.subarray(0, n);
    if (this.#heard?.trace.on === true) this.#tell("take", this.got - this.len, got);
    this.len -= got.length;
    if (got === block) {
      this.#held -= charge(block.length);
      this.#shift();
    } else {
      const rest = block.subarray(n);
      this.#held -= charge(block.length) - charge(rest.length);
      this.#blocks[this.#first] = rest;
    }
    if (this.#held < this.limit / 2 && !this.#writers.empty) this.#writers.wakeupall();
    return got;
  }

  #shift(): void {
    this.#blocks[this.#first] = EMPTY;
    this.#first = (this.#first + 1) & (this.#blocks.length - 1);
    this.#count--;
  }

  #grow(): void {
    const old = this.#blocks;
    this.#blocks = newring(old.length * 2);
    for (let i = 0; i < this.#count; i++)
      this.#blocks[i] = old[(this.#first + i) & (old.length - 1)] ?? EMPTY;
    this.#first = 0;
  }
}
