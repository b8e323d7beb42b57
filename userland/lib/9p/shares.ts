// What the connections of a server share, and what each may have of it: connections, fids, open fids, bytes.
//
//	what            one connection                      all together       beyond
//	connections     1,024 from one peer                 8,192              the call is refused
//	fids            65,536, or its share if less        1,048,576          Rerror
//	open fids       its share                           the Srv's maxopen  Rerror
//	bytes           its window, or its share if less    256 MiB            reads wait, or give less
//
// A share of fids is a quarter of them all, divided by the connections that have any: so thirty connections
// that take all they can get still leave something. Bytes come back by themselves, and a share of them is the
// whole divided by the connections that hold any. A connection that holds none may always have LEAST.
//
// The bytes are those of requests that take time, and of replies from their making until they have left the
// process. A window is small at first and doubles when as many bytes have left: a client that never reads
// holds FIRSTWINDOW. A frame that has not come whole holds its bytes, too. While all is used, a connection with
// more than its share takes no more of its frame, and is hung up on when that goes on (porter.ts).

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

/** The bytes that a connection holds: of its input, of requests that take time, and of replies. */
export class Room extends Share {
  readonly #bytes: Pool;
  /** Those of replies. */
  #replies = 0;
  #window = FIRSTWINDOW;
  /** Bytes that have left, and those since the window was last made bigger. */
  sent = 0;
  #left = 0;

  constructor(bytes: Pool) {
    super(bytes);
    this.#bytes = bytes;
  }

  /** How many of n bytes a read may have now; 0: it waits until others have left. */
  grant(n: number): number {
    const replies = this.#replies;
    const { total, used, holders } = this.#bytes;
    const limit = Math.min(this.#window, total / Math.max(1, holders));
    if (replies + n <= limit && used + n <= total) return n;
    if (replies > 0) return 0;
    return Math.min(n, Math.max(LEAST, Math.floor(Math.min(limit, total - used))));
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

  /** n bytes more than are there would be used. */
  tight(n: number): boolean {
    return this.#bytes.used + n > this.#bytes.total;
  }

  /** All is used, and this connection has more than its share. */
  get over(): boolean {
    const { total, used, holders } = this.#bytes;
    return used > total && this.held > Math.max(LEAST, total / Math.max(1, holders));
  }
}

/** What the connections of one server share. */
export class Shares {
  readonly limits: Limits;
  readonly fids: Pool;
  readonly opens: Pool;
  readonly bytes: Pool;
  readonly log: Log;
  /** Connections that take frames now: they have their turns one after another. */
  busy = 0;
  /** Called when a connection needs bytes for a frame and more than all are used. */
  full: () => void = () => undefined;

  constructor(srv: Anysrv, log: Log, limits: Partial<Limits> = {}) {
    this.limits = { ...LIMITS, ...limits };
    this.fids = new Pool(this.limits.fids);
    this.opens = new Pool(srv.maxopen ?? Infinity);
    this.bytes = new Pool(this.limits.bytes);
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
