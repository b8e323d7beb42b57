// The porter takes the calls of a server: each becomes a connection with a thread of its own, or is refused.
//
// A connection that ends by a fault ends alone. When descriptors or conversations have run out, the call that
// needs one is refused, and the next is waited for. What was refused, and each fault, is told on descriptor 2,
// in at most one line a second of each kind.

import {
  Eintr,
  Elistenhungup,
  Enonexist,
  Enotannounced,
  PlanError,
} from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { type Call, accept, listen, netaddr, netproves, netuser, reject } from "../dial.ts";
import { errtext } from "../proc.ts";
import { Conn } from "./conn.ts";
import { Log } from "./log.ts";
import { quietly } from "./session.ts";
import { type Limits, Shares } from "./shares.ts";
import type { Anysrv } from "./promises.ts";

/** After these no call will come any more. */
const ENDS: readonly string[] = [Elistenhungup, Enonexist, Enotannounced];
/** Milliseconds until the porter tries again after a call that it could not take. */
const RETRY = 10;
/** While frames wait for room, the connections are looked at each time so many milliseconds have passed. */
const LOOK = 150;
/**
 * Looks in which a frame that has room may bring next to nothing while no frame that waits gets room, and in which it
 * may wait or come slowly.
 */
const SILENT = 2;
const PATIENCE = 26;
/** Bytes between two looks that are next to nothing. */
const LITTLE = 4096;
/** How many times in its time an idle connection is looked at. */
const LOOKS = 4;

/** A connection at a look: how far it was, for how many looks with the same frame, and in how many it was silent. */
type Stuck = {
  readonly requests: number;
  readonly came: number;
  readonly looks: number;
  readonly silent: number;
};

export class Porter {
  readonly #sys: ThreadSys;
  readonly #srv: Anysrv;
  readonly shares: Shares;
  readonly #log: Log;
  /** Connections, each with the requests that it had made when it was last looked at, and for how many looks. */
  readonly #conns: Map<Conn<unknown>, { seen: number; looks: number }> = new Map();
  /** Connections of each peer, and calls on their way to be one. */
  readonly #peers: Map<string, number> = new Map();
  #n = 0;
  /** Callers have proved who they are. */
  #proves = false;
  #watching = false;
  #squeezing = false;

  constructor(sys: ThreadSys, srv: Anysrv, limits: Partial<Limits>) {
    this.#sys = sys;
    this.#srv = srv;
    this.#log = new Log(sys);
    this.shares = new Shares(srv, this.#log, limits);
    this.shares.full = () => this.#full();
  }

  /** Takes calls until there are none to take. */
  *run(at: Call): Task<never> {
    const sys = this.#sys;
    this.#proves = yield* netproves(sys, at.dir);
    for (;;) {
      try {
        const call = yield* listen(sys, at.dir);
        sys.threadcreate(this.#call(call));
      } catch (e) {
        if (!(e instanceof PlanError) || ENDS.includes(e.message)) throw e;
        if (e.message !== Eintr) this.#log.add("call", `a call was refused: ${e.message}`);
        yield* quietly(sys.sleep(RETRY));
      }
    }
  }

  /** The thread of a call: to its end, whatever that is. */
  *#call(call: Call): Task<void> {
    const sys = this.#sys;
    let peer: string;
    let user: string;
    try {
      peer = (yield* netaddr(sys, call.dir, "remote")).replace(/!.*/, "");
      user = this.#proves ? yield* netuser(sys, call.dir) : "";
    } catch (e) {
      yield* this.#refuse("call", call, errtext(e));
      return;
    }
    const n = this.#count(peer, 1);
    const { connections, perpeer } = this.shares.limits;
    if (this.#n > connections)
      yield* this.#refuse("all", call, `${connections} connections are served, the limit`);
    else if (n > perpeer && !isloopback(peer))
      yield* this.#refuse("peer", call, `${peer} has ${perpeer} connections, the limit`);
    else if (yield* this.#serve(call, peer, user)) return;
    this.#count(peer, -1);
  }

  /** Makes a call a connection, which is served in its own thread; false if it cannot be. */
  *#serve(call: Call, peer: string, user: string): Task<boolean> {
    const sys = this.#sys;
    try {
      const fd = yield* accept(sys, call);
      const conn = new Conn(sys, { in: fd, out: fd, user }, this.#srv, this.shares);
      this.#conns.set(conn, { seen: 0, looks: 0 });
      conn.start(() => {
        this.#conns.delete(conn);
        this.#count(peer, -1);
      });
      this.#watch();
      return true;
    } catch (e) {
      if (e instanceof PlanError) this.#log.add("call", `a call was refused: ${e.message}`);
      else this.#log.fault(e);
      return false;
    }
  }

  *#refuse(kind: string, call: Call, why: string): Task<void> {
    this.#log.add(kind, `a call was refused: ${why}`);
    yield* quietly(reject(this.#sys, call));
  }

  /** Connections of a peer, n more than before; they are counted together, too. */
  #count(peer: string, n: number): number {
    this.#n += n;
    const now = (this.#peers.get(peer) ?? 0) + n;
    if (now > 0) this.#peers.set(peer, now);
    else this.#peers.delete(peer);
    return now;
  }

  /** The server is out of room: a thread looks at the connections until there is some. */
  #full(): void {
    if (this.#squeezing) return;
    this.#squeezing = true;
    this.#sys.threadcreate(this.#squeeze());
  }

  /**
   * Looks at the connections for as long as one waits for room. The looks tell which frames do not go on, and #hangup
   * ends their connections, since a frame that does not go on keeps its room from the others.
   */
  *#squeeze(): Task<void> {
    const { bytes } = this.shares;
    let last: Map<Conn<unknown>, Stuck> = new Map();
    for (let served = -1; bytes.queue.length > 0;) {
      // Where room moves, a connection may be silent because others fill the line.
      const moves = bytes.served !== served;
      served = bytes.served;
      const now: typeof last = new Map();
      for (const conn of this.#conns.keys()) {
        if (conn.stuck) now.set(conn, stuck(conn, last.get(conn), moves));
        else conn.release();
      }
      this.#hangup(now);
      last = now;
      yield* quietly(this.#sys.sleep(LOOK));
      // What has come meanwhile is read before it is looked for.
      yield* quietly(this.#sys.sleep(0));
    }
    this.#squeezing = false;
  }

  /**
   * Hangs up on connections whose frame is too long on its way until half of the room is free: first on those that were
   * silent for longest, and of those on the ones that hold most.
   */
  #hangup(all: ReadonlyMap<Conn<unknown>, Stuck>): void {
    const { bytes } = this.shares;
    let { used } = bytes;
    const order = [...all].sort(
      ([a, s], [b, z]) => z.silent - s.silent || b.room.counted - a.room.counted,
    );
    for (const [conn, { silent, looks }] of order) {
      if (used <= bytes.total / 2) return;
      if (silent < SILENT && looks < PATIENCE) continue;
      used -= conn.room.counted;
      this.#log.add("room", "a client was hung up on: its frame waited for room");
      conn.hangup();
    }
  }

  /** Where connections may be idle for a time only, a thread looks at them while there are any. */
  #watch(): void {
    const { idle } = this.shares.limits;
    if (idle <= 0 || this.#watching) return;
    this.#watching = true;
    this.#sys.threadcreate(this.#look(idle / LOOKS));
  }

  *#look(ms: number): Task<void> {
    while (this.#conns.size > 0) {
      yield* quietly(this.#sys.sleep(ms));
      for (const [conn, state] of this.#conns) {
        const { requests } = conn;
        state.looks = requests === state.seen && !conn.busy ? state.looks + 1 : 0;
        state.seen = requests;
        if (state.looks >= LOOKS) conn.hangup();
      }
    }
    this.#watching = false;
  }
}

/** A connection whose frame is on its way, by the last look before. */
function stuck(
  { requests, came, listens }: Conn<unknown>,
  last: Stuck | undefined,
  moves: boolean,
): Stuck {
  if (last?.requests !== requests) return { requests, came, looks: 0, silent: 0 };
  const silent = listens && came - last.came < LITTLE ? last.silent + (moves ? 0 : 1) : 0;
  return { requests, came, looks: last.looks + 1, silent };
}

/** An address of the host itself. */
function isloopback(peer: string): boolean {
  return peer === "::1" || peer === "localhost" || peer.startsWith("127.");
}
