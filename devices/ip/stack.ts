// What device ip stands on: a Stack makes connections, and there are several (the host's TCP in
// ip-node.ts, a simulated network). A Stack knows addresses, ports and bytes; conversations, their files
// and their numbers are ip.ts's.
//
// Rqueue, the bytes that a connection has received and no process has read, is what all of them share.

import { Ehungup, error } from "../../kernel/abi/errors.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { Rendez } from "../../kernel/proc/rendez.ts";
import type { Answer, Task } from "../../kernel/proc/rendez.ts";
import { giveback } from "../mnt/frames.ts";

/** One end of a connection; port 0 stands for none, or any. With port -1 host is the name of a file, and is all. */
export type Addr = { readonly host: string; readonly port: number };

/** The port of an address that is the name of a file. */
export const NOPORT = -1;

/** How far a connection has come, in the words of ip(3)'s status file. */
export type Connstate = "Established" | "Finwait1" | "Close_wait" | "Last_ack" | "Closed";

/** A piece of what goes one way: its bytes, how many went before it, and when it left. */
export type Piece = {
  readonly bytes: number;
  readonly off: number;
  readonly left: number;
  /** By how many nanoseconds it comes later because packets are lost and sent again; not there for none. */
  readonly lost?: number;
};

/** A connection. What it sends and receives is bounded: writing sleeps, and so does the sender's. */
export interface Conn {
  readonly local: Addr;
  readonly remote: Addr;
  /** Whom the other end has proved to be; null, or not there, where the network asks for no proof. */
  readonly user?: string | null;
  readonly state: Connstate;
  /** Bytes received and not yet read, and written and not yet sent. */
  readonly qin: number;
  readonly qout: number;
  /** Told of each piece that has arrived, here ("in") or there, by a stack that knows. */
  arrived?: (way: "in" | "out", piece: Piece) => void;
  /** Bytes written and read so far, by a stack that calls `arrived`. */
  moved?(): { readonly out: number; readonly in: number };
  /** As Dev.read: what has come, at least one byte; 0 at the end; "i/o on hungup channel" after a reset. */
  read(up: Proc, buf: Uint8Array): Task<number>;
  /** As Dev.bread. */
  bread(up: Proc, n: number): Task<Uint8Array>;
  /** Writes all of bytes, which are the caller's again when it returns; calls are served one by one. */
  write(up: Proc, bytes: Uint8Array): Task<number>;
  /** Has the other end asked every ms whether it is alive; 0 for the stack's own idea of often. */
  keepalive(ms: number): void;
  /** Sends what was written and then the end; reading goes on. */
  shut(): void;
  /** Ends both directions now, by a reset; what was written may be lost. */
  hangup(): void;
  /** No process uses it any more: what was written is still sent, what was received is dropped. */
  close(): void;
}

/** A port where calls are taken. */
export interface Listener {
  readonly local: Addr;
  /** The next call; "listen hungup" once it is closed. */
  accept(up: Proc): Task<Conn>;
  close(): void;
}

/** A way to make connections. Host names mean what the stack says they mean. */
export interface Stack {
  /** Its bytes come from outside the kernel's time: what waits for them holds the clock. */
  readonly outside: boolean;
  /** Its addresses are names of files of the host, "/tmp/ns/factotum". */
  readonly files?: boolean;
  /** Callers prove who they are: Conn.user. */
  readonly proves?: boolean;
  /** Calls `remote`, from port `lport` when that is not 0. */
  dial(up: Proc, remote: Addr, lport: number): Task<Conn>;
  /** Takes calls at `local`; host "*" is every address that the stack gives away, port 0 any free one. */
  announce(up: Proc, local: Addr): Answer<Listener>;
  /** The kernel ends: what was written is sent if that can be done soon, and nothing is left behind. */
  shutdown(): void;
}

/** Received bytes past this make the sender wait. */
const HIWATER = 1024 * 1024;
/** The same for all queues of a stack together. Beyond, each takes one chunk, and the next when that was read. */
const ALLHIWATER = 16 * HIWATER;
/** What a chunk counts at least, so that a queue of tiny ones is bounded too. */
const MINCHARGE = 256;

const charge = (n: number): number => (n < MINCHARGE ? MINCHARGE : n);

/** Bytes in all queues that share it. */
export type Received = { bytes: number };

/** How an Rqueue deals with its source. */
export type Rsource = {
  /** It is full: nothing more, until go. */
  stop(): void;
  /** It is half empty again. */
  go(): void;
  /** Bytes come from outside the kernel's time: a process that waits for them holds the clock. */
  readonly outside: boolean;
  /**
   * A chunk, or a part of one, was copied, and the queue does not look at it again. No caller of bread has another
   * part of the chunk.
   */
  spent?(chunk: Uint8Array): void;
  /** What the queues of all connections hold; alone unless given. */
  readonly all?: Received;
};

/** Received bytes in the chunks they came in, with an end that is either an end of file or a reset. */
export class Rqueue {
  /** Bytes in it. */
  length = 0;
  /** Bytes counted against HIWATER. */
  #held = 0;
  #chunks: Uint8Array[] = [];
  #first = 0;
  #end: "eof" | "reset" | null = null;
  #stopped = false;
  /** A part of the first chunk was given to a caller of bread, who may still look at the chunk's memory. */
  #given = false;
  readonly #source: Rsource;
  readonly #all: Received;
  readonly #r = new Rendez("network read");

  constructor(source: Rsource) {
    this.#source = source;
    this.#all = source.all ?? { bytes: 0 };
  }

  #hold(n: number): void {
    this.#held += n;
    this.#all.bytes += n;
  }

  /** No more will come. */
  get ended(): boolean {
    return this.#end !== null;
  }

  /** Takes over a chunk that has come. */
  put(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#end !== null) {
      giveback(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.length += chunk.length;
    this.#hold(charge(chunk.length));
    if (!this.#stopped && (this.#held >= HIWATER || this.#all.bytes >= ALLHIWATER)) {
      this.#stopped = true;
      this.#source.stop();
    }
    this.#r.wakeupall();
  }

  /** The sender has ended. */
  eof(): void {
    this.#end ??= "eof";
    this.#r.wakeupall();
  }

  /** The connection broke: what had come can still be read. */
  reset(): void {
    if (this.#end === "eof") return;
    this.#end = "reset";
    this.#r.wakeupall();
  }

  /** Forgets what was received and ends: no process will read it. */
  drop(): void {
    for (const chunk of this.#chunks) giveback(chunk);
    this.#chunks = [];
    this.#hold(-this.#held);
    this.#first = this.length = 0;
    this.eof();
  }

  /** Fills buf as far as bytes have come; sleeps for the first. 0 at the end. */
  *read(up: Proc, buf: Uint8Array): Task<number> {
    if (buf.length === 0) return 0;
    if (this.length === 0) yield* this.#wait(up);
    let n = 0;
    while (n < buf.length && this.length > 0) {
      const given = this.#given;
      const b = this.#take(buf.length - n);
      buf.set(b, n);
      giveback(b);
      n += b.length;
      if (!given) this.#source.spent?.(b);
    }
    return n;
  }

  /** At most n bytes, of one chunk: the result is the caller's, who may give it back (devices/mnt/frames.ts). Empty at the end. */
  *bread(up: Proc, n: number): Task<Uint8Array> {
    if (this.length === 0) yield* this.#wait(up);
    if (this.length === 0) return NONE;
    const chunk = this.#chunks[this.#first];
    const b = this.#take(n);
    if (b !== chunk) this.#given = true;
    return b;
  }

  /**
   * Sleeps until there are bytes or the end. The kernel's own reading (the mount driver's, which always
   * waits) holds no clock: its RPCs do.
   */
  *#wait(up: Proc): Task<void> {
    const { k } = up;
    const hold = this.#source.outside && up !== k.proc0;
    if (hold) k.sched.hold();
    try {
      while (this.length === 0 && this.#end === null) yield this.#r;
    } finally {
      if (hold) k.sched.release();
    }
    if (this.length === 0 && this.#end === "reset") error(Ehungup);
  }

  #take(n: number): Uint8Array {
    const chunk = this.#chunks[this.#first] ?? NONE;
    const whole = chunk.length <= n;
    const b = whole ? chunk : chunk.subarray(0, n);
    this.#hold(-charge(chunk.length));
    if (whole) this.#shift();
    else {
      this.#chunks[this.#first] = chunk.subarray(n);
      this.#hold(charge(chunk.length - n));
    }
    this.length -= b.length;
    const most = this.#all.bytes < ALLHIWATER ? HIWATER / 2 : 0;
    if (this.#stopped && this.#held <= most) {
      this.#stopped = false;
      this.#source.go();
    }
    return b;
  }

  /** Drops the first chunk; those before #first are gone, and now and then so is their room. */
  #shift(): void {
    this.#given = false;
    this.#chunks[this.#first++] = NONE;
    if (this.#first === this.#chunks.length) {
      this.#chunks.length = this.#first = 0;
    } else if (this.#first >= 1024) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
  }
}

const NONE: Uint8Array = new Uint8Array(0);
