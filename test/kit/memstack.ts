// A Stack whose machines are all this one: what one end writes is at once with the other. Ports are
// announced once; nothing is ever lost.

import type { Proc } from "../../kernel/proc/proc.ts";
import { Rqueue } from "../../devices/ip/stack.ts";
import type { Addr, Conn, Connstate, Listener, Stack } from "../../devices/ip/stack.ts";
import {
  Eaddrinuse,
  Econnrefused,
  Ehungup,
  Elistenhungup,
  error,
} from "../../kernel/abi/errors.ts";
import { Rendez } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";

const ANY = 49152;

class Memconn implements Conn {
  readonly local: Addr;
  readonly remote: Addr;
  readonly in: Rqueue = new Rqueue({
    stop: () => (this.full = true),
    go: () => {
      this.full = false;
      this.other?.room.wakeupall();
    },
    outside: false,
  });
  other: Memconn | null = null;
  full = false;
  over = false;
  shutdown = false;
  readonly room: Rendez = new Rendez("memstack write");

  constructor(local: Addr, remote: Addr) {
    this.local = local;
    this.remote = remote;
  }

  get state(): Connstate {
    if (this.over) return "Closed";
    if (this.in.ended) return this.shutdown ? "Last_ack" : "Close_wait";
    return this.shutdown ? "Finwait1" : "Established";
  }

  get qin(): number {
    return this.in.length;
  }

  get qout(): number {
    return 0;
  }

  read(up: Proc, buf: Uint8Array): Task<number> {
    return this.in.read(up, buf);
  }

  bread(up: Proc, n: number): Task<Uint8Array> {
    return this.in.bread(up, n);
  }

  *write(_up: Proc, bytes: Uint8Array): Task<number> {
    while (this.other?.full === true && !this.over) yield this.room;
    if (this.over || this.shutdown || this.other === null) error(Ehungup);
    this.other.in.put(bytes.slice());
    return bytes.length;
  }

  keepalive(): void {}

  shut(): void {
    this.shutdown = true;
    this.other?.in.eof();
  }

  hangup(): void {
    this.other?.end();
    this.other?.in.reset();
    this.end();
    this.in.drop();
  }

  close(): void {
    this.shut();
    this.end();
    this.in.drop();
  }

  end(): void {
    this.over = true;
    this.room.wakeupall();
  }
}

class Memlistener implements Listener {
  readonly local: Addr;
  readonly calls: Memconn[] = [];
  readonly r: Rendez = new Rendez("memstack listen");
  readonly #onclose: () => void;
  #closed = false;

  constructor(local: Addr, onclose: () => void) {
    this.local = local;
    this.#onclose = onclose;
  }

  *accept(): Task<Conn> {
    for (;;) {
      if (this.#closed) error(Elistenhungup);
      const conn = this.calls.shift();
      if (conn !== undefined) return conn;
      yield this.r;
    }
  }

  close(): void {
    this.#closed = true;
    this.#onclose();
    for (const c of this.calls.splice(0)) c.hangup();
    this.r.wakeupall();
  }
}

/** Connections and listeners that are alive are in `live`. */
export class Memstack implements Stack {
  readonly outside = false;
  readonly listeners: Map<number, Memlistener> = new Map();
  readonly conns: Set<Memconn> = new Set();
  #port = ANY;

  *dial(_up: Proc, remote: Addr, lport: number): Task<Conn> {
    const l = this.listeners.get(remote.port);
    if (l === undefined) return error(Econnrefused);
    const local = { host: remote.host, port: lport === 0 ? this.#port++ : lport };
    const mine = new Memconn(local, remote);
    const theirs = new Memconn(remote, local);
    mine.other = theirs;
    theirs.other = mine;
    this.conns.add(mine).add(theirs);
    l.calls.push(theirs);
    l.r.wakeupall();
    return mine;
  }

  *announce(_up: Proc, local: Addr): Task<Listener> {
    const port = local.port === 0 ? this.#port++ : local.port;
    if (this.listeners.has(port)) error(Eaddrinuse);
    const host = local.host === "*" ? "10.0.0.1" : local.host;
    const l = new Memlistener({ host, port }, () => this.listeners.delete(port));
    this.listeners.set(port, l);
    return l;
  }

  /** What nobody has closed. */
  get live(): number {
    return this.listeners.size + [...this.conns].filter((c) => !c.over).length;
  }

  shutdown(): void {}
}
