// What the connections of a server share, and what each may have of it: connections, fids, open fids, bytes.
//
//	what            one connection                      all together       beyond
//	connections     1,024 from one peer                 8,192              the call is refused
//	fids            65,536, or its share if less        1,048,576          Rerror
//	open fids       its share                           the Srv's maxopen  Rerror
//	bytes           its window, or its share if less    256 MiB            reads wait, or give less
//
// A share of fids is a quarter of them all, divided by the connections that have any: so thirty connections
// that take all they can get still leave something. Bytes come back by themselves. A share of them for input is the
// whole divided by the connections that hold any; for replies it is a quarter of that. A connection that holds none
// may always have LEAST.
//
// The bytes are those of input that is not taken, of requests that take time, and of replies from their making
// until they have left the process. A window is small at first and doubles when as many bytes have left: a client
// that never reads holds FIRSTWINDOW. Of the bytes, LEAST are set aside for each connection that there may be, half
// of them all at most, and a Bytes counts what a connection holds beyond.
//
// A connection asks before its buffer grows, so input never takes more bytes than there are. Of the bytes, three quarters
// are for buffers that grow as bytes come. Beyond, a connection asks for the rest of its frame at once: it never waits
// in the middle. The last eighth is for connections that have sent as much before. A connection for which there are
// no bytes waits, and the one that holds least goes on first. That one may have one frame more than all, when no other
// has one: so frames that fill the room with their halves come whole one after another. Connections whose frames stay
// half-sent while others wait are hung up on (porter.ts).

import { MAXELEM, MAXUNAME } from "../../../kernel/abi/const.ts";
import { Enofd, error } from "../../../kernel/abi/errors.ts";
import { Enofids } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Anysrv } from "./promises.ts";

/** The limits of a server; see the head of the file. */
export type Limits = {
  /** Connections at a time. */
  readonly connections: number;
  /** Connections at a time from one peer, which is a host other than this one. */
  readonly perpeer: number;
  /** Milliseconds without a request after which a connection is hung up on; 0 for never. */
  readonly idle: number;
  /** Fids of all connections together. */
  readonly fids: number;
  /** Bytes of requests and replies of all connections together. */
  readonly bytes: number;
  /** Bytes of a uname, aname, uid, gid or muid. */
  readonly name: number;
  /** Bytes of an element of a path. */
  readonly elem: number;
};

/** The limits of a server that was given none. */
export const LIMITS: Limits = {
  connections: 8192,
  perpeer: 1024,
  idle: 0,
  fids: 1 << 20,
  bytes: 256 * 1048576,
  name: MAXUNAME,
  elem: MAXELEM,
};

/** Fids that a client may have, whatever its share. */
export const MAXFIDS = 65536;
/** What a connection may have of anything counted, while there is any. */
const MINSHARE = 4;
/** Bytes that a connection may hold at first, and at most. */
const FIRSTWINDOW = 1048576;
const MAXWINDOW = 16 * 1048576;
/** Bytes that a connection which holds none is never denied. */
export const LEAST = 16384;
/** How much of the bytes replies may have, so that there are some for input. */
const REPLIES = 3 / 4;
/** A connection's share of the bytes is as if there were so many times the connections that hold any. */
const SPARED = 4;

/** Something of which there is so much. */
export class Pool {
  readonly total: number;
  used = 0;
  /** Connections that have some. */
  holders = 0;

  constructor(total: number) {
    this.total = total;
  }
}

/** What one connection has of a pool. */
export class Share {
  held = 0;
  readonly #pool: Pool;
  readonly #most: number;

  constructor(pool: Pool, most: number = Infinity) {
    this.#pool = pool;
    this.#most = most;
  }

  /** Takes n; false, and takes none, where that is more than the share or than there is. */
  take(n = 1): boolean {
    const { total, used, holders } = this.#pool;
    const others = this.held === 0 ? holders : holders - 1;
    const share = Math.max(MINSHARE, Math.floor(total / (4 * (others + 1))));
    if (this.held + n > Math.min(share, this.#most) || used + n > total) return false;
    this.add(n);
    return true;
  }

  /** Takes n, or with a negative n gives so many back, whatever the share is. */
  add(n: number): void {
    if (n === 0) return;
    const had = this.held > 0;
    this.held += n;
    this.#pool.used += n;
    if (had !== this.held > 0) this.#pool.holders += had ? -1 : 1;
  }
}

/**
 * How much of the bytes may be in use when a connection is given some: for a buffer that grows as bytes come, the same as
 * for replies; for the rest of a frame, which comes whole then; and for that, where it has sent as many bytes before.
 */
const GROWS = REPLIES;
export const RESTS: number = 7 / 8;
export const PROVEN = 1;

/** A connection that waits until it may hold so many bytes more. */
export type Waiter = {
  readonly room: Room;
  readonly n: number;
  readonly most: number;
  readonly wake: () => void;
};

/** The bytes of all connections, beyond those that each has to itself. */
export class Bytes extends Pool {
  /** Bytes of each connection that are not counted here. */
  readonly least: number;
  /** Those that wait, in the order in which they began. */
  readonly queue: Waiter[] = [];
  /** How many have waited, and wait no more. */
  served = 0;
  /** The connection that may hold a frame beyond the total; null: none does. */
  overdrawn: Room | null = null;

  constructor(total: number, least = 0) {
    super(total);
    this.least = least;
  }

  /** Bytes, of which each of so many connections has some to itself. */
  static among(bytes: number, connections: number): Bytes {
    const least = Math.min(LEAST, Math.floor(bytes / (2 * connections)));
    return new Bytes(bytes - connections * least, least);
  }

  /** The waiter that goes on next, of those that may use so much: of those that hold least the first. */
  next(most: number): Waiter | null {
    let next: Waiter | null = null;
    for (const w of this.queue)
      if (w.most >= most && (next === null || w.room.counted < next.room.counted)) next = w;
    return next;
  }

  /** There is more room than before: a waiter goes on if it is enough. */
  freed(): void {
    for (const most of [PROVEN, RESTS]) {
      const w = this.next(most);
      if (w?.room.ask(w.n, w.most) === true) return w.wake();
    }
  }

  /** A waiter waits no more. */
  leave(w: Waiter): void {
    const at = this.queue.indexOf(w);
    if (at >= 0) this.queue.splice(at, 1);
    this.freed();
  }
}

/** The bytes that a connection holds: of its input, of requests that take time, and of replies. */
export class Room extends Share {
  readonly #bytes: Bytes;
  /** Those of replies. */
  #replies = 0;
  #window = FIRSTWINDOW;
  /** Bytes that have left, and those since the window was last made bigger. */
  sent = 0;
  #left = 0;

  constructor(bytes: Bytes) {
    super(bytes);
    this.#bytes = bytes;
  }

  /** Bytes of n held that count among those of all. */
  #beyond(n: number): number {
    return Math.max(0, n - this.#bytes.least);
  }

  /** Holds n bytes more, or with a negative n so many less. */
  override add(n: number): void {
    const bytes = this.#bytes;
    const [was, now] = [this.#beyond(this.held), this.#beyond(this.held + n)];
    this.held += n;
    bytes.used += now - was;
    if (was > 0 !== now > 0) bytes.holders += now > 0 ? 1 : -1;
    if (now < was) bytes.freed();
  }

  /** Bytes that it holds of those of all. */
  get counted(): number {
    return this.#beyond(this.held);
  }

  /** What all would use if this connection held n bytes more. */
  #with(n: number): number {
    return this.#bytes.used + this.#beyond(this.held + n) - this.counted;
  }

  /** How many of n bytes a read may have now; 0: it waits until others have left. */
  grant(n: number): number {
    const replies = this.#replies;
    const { total, used, holders, least } = this.#bytes;
    const most = REPLIES * total;
    const limit = Math.min(this.#window, least + total / (SPARED * Math.max(1, holders)));
    if (replies + n <= limit && this.#with(n) <= most) return n;
    if (replies > 0) return 0;
    return Math.min(n, Math.max(LEAST, Math.floor(Math.min(limit, most - used))));
  }

  /** Replies take n bytes, or with a negative n so many less. */
  reply(n: number): void {
    this.#replies += n;
    this.add(n);
  }

  /** n bytes of replies have left the process. */
  gone(n: number): void {
    this.sent += n;
    this.#left += n;
    if (this.#left < this.#window || this.#window >= MAXWINDOW) return;
    this.#left = 0;
    this.#window *= 2;
  }

  /** Whether, with n bytes more, replies would get none of the bytes that all share (REPLIES). */
  tight(n: number): boolean {
    return this.#with(n) > REPLIES * this.#bytes.total;
  }

  /**
   * Whether the connection may hold n bytes more of input. When all are used that it may have, the waiter that goes on
   * next may overdraw by them, if no other connection has.
   */
  ask(n: number, most: number = GROWS): boolean {
    const bytes = this.#bytes;
    const then = this.#with(n);
    if (then <= bytes.used || bytes.overdrawn === this) return true;
    const room = bytes.next(most)?.room ?? null;
    if (room !== null && room !== this && room.counted <= this.counted) return false;
    if (then <= most * bytes.total) return true;
    if (room !== this || bytes.overdrawn !== null || bytes.used > bytes.total) return false;
    bytes.overdrawn = this;
    return true;
  }

  /** The frame by which it may have overdrawn has been taken. */
  repay(): void {
    if (this.#bytes.overdrawn !== this) return;
    this.#bytes.overdrawn = null;
    this.#bytes.freed();
  }
}

/** What the connections of one server share. */
export class Shares {
  readonly limits: Limits;
  readonly fids: Pool;
  readonly opens: Pool;
  readonly bytes: Bytes;
  readonly log: Log;
  /** Connections that take frames now: they have their turns one after another. */
  busy = 0;
  /** Those of them that have more to do than a turn: the first goes on, the others sleep until they are the first. */
  readonly crowd: object[] = [];
  /** Called when a connection begins to wait for bytes. */
  full: () => void = () => undefined;

  constructor(srv: Anysrv, log: Log, limits: Partial<Limits> = {}) {
    this.limits = { ...LIMITS, ...limits };
    this.fids = new Pool(this.limits.fids);
    this.opens = new Pool(srv.maxopen ?? Infinity);
    this.bytes = Bytes.among(this.limits.bytes, this.limits.connections);
    this.log = log;
  }
}

/** Fids, or open ones, of a connection: one more, or an error. */
export function takefid(share: Share, n: number): void {
  if (!share.take(n)) error(Enofids);
}

export function takeopen(share: Share): void {
  if (!share.take()) error(Enofd);
}
