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
/** Milliseconds for which a frame may wait for room before its connection is hung up on: half of that, at least. */
const PATIENCE = 4000;
/** How many times in its time an idle connection is looked at. */
const LOOKS = 4;

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
   * Looks at the connections for as long as one waits for room. Connections that had the same frame half-sent at
   * two looks are hung up on until half of the room is free, those that hold most first.
   */
  *#squeeze(): Task<void> {
    const { bytes } = this.shares;
    const half: Map<Conn<unknown>, number> = new Map();
    while (bytes.queue.length > 0) {
      yield* quietly(this.#sys.sleep(PATIENCE / 2));
      let { used } = bytes;
      const still = [...half.keys()].filter((c) => c.stuck && half.get(c) === c.requests);
      for (const conn of still.toSorted((a, b) => b.room.counted - a.room.counted)) {
        if (used <= bytes.total / 2) break;
        used -= conn.room.counted;
        this.#squeezed(conn);
      }
      half.clear();
      for (const conn of this.#conns.keys()) if (conn.stuck) half.set(conn, conn.requests);
    }
    this.#squeezing = false;
  }

  #squeezed(conn: Conn<unknown>): void {
    this.#log.add("room", "a client was hung up on: its frame waited for room");
    conn.hangup();
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

/** An address of the host itself. */
function isloopback(peer: string): boolean {
  return peer === "::1" || peer === "localhost" || peer.startsWith("127.");
}
