// A simulated network of machines with names, a Stack (stack.ts) for each of them. Connections are in
// simconn.ts, and times are the link's (simlink.ts): exact under a virtual clock, the same for one seed.
//
// What things cost, on a link of round-trip time rtt:
//
//	dial         rtt; "connection refused" too. Over a link that is cut a call is sent again after 1, 2,
//	             4 and 8 s and then fails with "connection timed out"
//	write        returns when its last byte is on the wire: that is the send buffer, one write for each
//	             direction. No headers are counted
//	close, shut  nothing; the other end reads end of file rtt/2 after the last byte was sent
//	hangup       nothing; the other end is reset rtt/2 later
//
// A receiver that has a full queue stops its sender. Machines talk over the link between them, never
// through a third; a machine reaches itself, also as localhost, in no time.

import {
  Eaddrinuse,
  Elistenhungup,
  Enohost,
  Enoroute,
  Enotlocal,
  Etimedout,
  error,
} from "../../kernel/abi/errors.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { Rendez } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Chance, Sched } from "../../kernel/proc/sched.ts";
import { Simconn } from "./simconn.ts";
import type { Owner } from "./simconn.ts";
import { Link } from "./simlink.ts";
import type { Linkopts } from "./simlink.ts";
import type { Addr, Conn, Listener, Stack } from "./stack.ts";

/** Calls that wait to be accepted; one more is refused. */
const BACKLOG = 128;
/** Waits before a call that was lost is sent again; after the last it has failed. */
const RETRY: readonly number[] = [1e9, 2e9, 4e9, 8e9];
/** Ports that are given to those who ask for none. */
const FIRSTPORT = 5000;
const NPORT = 60000;

const LOCAL: readonly string[] = ["127.0.0.1", "::1", "localhost"];

/** The network: machines by name, links between them. */
export class Simnet {
  readonly #sched: Sched;
  readonly #machines = new Map<string, Simstack>();
  readonly #links = new Map<string, Link>();

  constructor(sched: Sched) {
    this.#sched = sched;
  }

  /** Adds a machine: the Stack for its kernel's device ip. */
  machine(name: string): Stack {
    if (this.#machines.has(name)) throw new Error(`there is a machine ${name} already`);
    const m = new Simstack(this, name);
    this.#machines.set(name, m);
    const nochance = (): number => 0;
    this.#links.set(key(name, name), new Link(this.#sched, nochance, [name, name], { rtt: 0 }));
    return m;
  }

  /** Lays a link between two machines; `chance` decides on jitter and loss. */
  link(a: string, b: string, opts: Linkopts, chance: Chance): Link {
    for (const name of [a, b])
      if (!this.#machines.has(name)) throw new Error(`there is no machine ${name}`);
    if (this.#links.has(key(a, b))) throw new Error(`there is a link from ${a} to ${b} already`);
    const l = new Link(this.#sched, chance, [a, b], opts);
    this.#links.set(key(a, b), l);
    return l;
  }

  find(name: string): Simstack | undefined {
    return this.#machines.get(name);
  }

  between(a: string, b: string): Link | undefined {
    return this.#links.get(key(a, b));
  }
}

const key = (a: string, b: string): string => (a < b ? `${a}!${b}` : `${b}!${a}`);

class Simstack implements Stack, Owner {
  readonly outside = false;
  readonly name: string;
  readonly #net: Simnet;
  readonly #listeners = new Map<number, Simlistener>();
  readonly #conns = new Set<Simconn>();
  #port = 0;

  constructor(net: Simnet, name: string) {
    this.#net = net;
    this.name = name;
  }

  *dial(up: Proc, remote: Addr, lport: number): Task<Conn> {
    const host = LOCAL.includes(remote.host) ? this.name : remote.host;
    const peer = this.#net.find(host) ?? error(Enohost);
    const link = this.#net.between(this.name, host) ?? error(Enoroute);
    const local = { host: this.name, port: lport === 0 ? this.#freeport() : lport };
    for (const wait of RETRY) {
      const conn = new Simconn(link, { local, remote: { host, port: remote.port }, owner: this });
      if (yield* conn.call(peer)) return conn;
      yield* up.k.sched.sleep(wait, new Rendez("network dial"));
    }
    return error(Etimedout);
  }

  announce(_up: Proc, local: Addr): Listener {
    const { host } = local;
    if (host !== "*" && host !== this.name && !LOCAL.includes(host)) error(Enotlocal);
    const port = local.port === 0 ? this.#freeport() : local.port;
    if (this.#listeners.has(port)) error(Eaddrinuse);
    const l = new Simlistener({ host, port }, () => this.#listeners.delete(port));
    this.#listeners.set(port, l);
    return l;
  }

  shutdown(): void {
    for (const l of this.#listeners.values()) l.close();
    for (const c of this.#conns) c.close();
  }

  /** Owner: a call has come. */
  called(from: Simconn, link: Link): Simconn | null {
    const l = this.#listeners.get(from.remote.port);
    if (l === undefined || l.full) return null;
    const conn = new Simconn(link, { local: from.remote, remote: from.local, owner: this });
    l.put(conn);
    return conn;
  }

  keep(conn: Simconn): void {
    this.#conns.add(conn);
  }

  forget(conn: Simconn): void {
    this.#conns.delete(conn);
  }

  #freeport(): number {
    do this.#port = (this.#port + 1) % NPORT;
    while (this.#listeners.has(FIRSTPORT + this.#port));
    return FIRSTPORT + this.#port;
  }
}

class Simlistener implements Listener {
  readonly local: Addr;
  readonly #calls: Simconn[] = [];
  readonly #r = new Rendez("network listen");
  readonly #gone: () => void;
  #closed = false;

  constructor(local: Addr, gone: () => void) {
    this.local = local;
    this.#gone = gone;
  }

  get full(): boolean {
    return this.#calls.length >= BACKLOG;
  }

  put(conn: Simconn): void {
    this.#calls.push(conn);
    this.#r.wakeup();
  }

  *accept(_up: Proc): Task<Conn> {
    for (;;) {
      if (this.#closed) error(Elistenhungup);
      const conn = this.#calls.shift();
      if (conn !== undefined) return conn;
      yield this.#r;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#gone();
    for (const conn of this.#calls.splice(0)) conn.hangup();
    this.#r.wakeupall();
  }
}
