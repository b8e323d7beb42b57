// Sockets of the host as connections and listeners of a Stack: what tcp (ip-node.ts), unix (unix-node.ts) and
// tls (tls-node.ts) share. How a socket is made is theirs.
//
// What is written in one burst of the scheduler is sent as one when nothing else can run, a big write at
// once; a write returns when less than a frame's worth is left that the host has not taken. Both directions
// are bounded. A connection that was closed is sent out for LINGER at most; shutdown gives it LASTGASP.

import type { Server, Socket } from "node:net";
import { Ehungup, Elistenhungup, error } from "../../kernel/abi/errors.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { QLock, Rendez } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Sched } from "../../kernel/proc/sched.ts";
import { hosterror, hostsync, hostwait } from "../fs/host-node.ts";
import { giveback, lent, takebuf } from "../mnt/frames.ts";
import { Rqueue } from "./stack.ts";
import type { Addr, Conn, Connstate, Listener, Received } from "./stack.ts";

/** Bytes that the host has not taken past which a writer sleeps: a frame of a stream. */
const OUTMAX = 64 * 1024;
/** The same for all connections of a stack together, each of which may have LEASTOUT. */
const ALLOUT = 32 * 1024 * 1024;
const LEASTOUT = 8 * 1024;
/** Bytes that a connection gives the host before the host's other events have their turn. */
const TURN = 256 * 1024;
/** Small writes are gathered in slabs; one of more than SMALL bytes is copied to pieces and sent at once. */
const SLAB = 32 * 1024;
const SMALL = 8 * 1024;
/** The slab that is being filled, by all connections, and how far it is: one that is idle has none. */
const NOSLAB: Uint8Array = new Uint8Array(0);
let slab: Uint8Array = NOSLAB;
let slabto = 0;
/** Pieces are used again: memory that is warm is copied to ten times as fast as what was just allocated. */
const PIECE = 68 * 1024;
const NPIECES = 32;
const pieces: Uint8Array[] = [];
/** A read of fewer bytes is copied; one of the host's reads has room for at least LEASTROOM while much comes. */
const SMALLREAD = 16 * 1024;
const LEASTROOM = 64 * 1024;
/** Calls that wait to be accepted; one more is hung up on. */
const BACKLOG = 128;
/** Milliseconds for what was written before a close, and before a shutdown. */
const LINGER = 10_000;
const LASTGASP = 1000;

/** Both ends of a connection, as the files local and remote show them. */
export type Ends = {
  readonly local: Addr;
  readonly remote: Addr;
  /** Whom the other end has proved to be. */
  readonly user?: string;
  /** It can be reset, as TCP can; else hanging up closes it. */
  readonly resets?: boolean;
};

/** The sockets of a stack: those that it has are ended by shutdown. */
export class Sockets {
  readonly #sched: Sched;
  readonly #servers: Set<Server> = new Set();
  readonly #socks: Set<Socket> = new Set();
  readonly #behind: Behind = { conns: 0 };
  readonly #received: Received = { bytes: 0 };

  constructor(sched: Sched) {
    this.#sched = sched;
  }

  /** Counts a socket among those that shutdown ends. */
  keep(sock: Socket): void {
    this.#socks.add(sock);
    sock.once("close", () => this.#socks.delete(sock));
  }

  /** A socket that is connected as a connection, which begins to read when it is started. */
  conn(sock: Socket, ends: Ends): Nodeconn {
    return new Nodeconn(this.#sched, sock, { ends, behind: this.#behind, all: this.#received });
  }

  /** The same for a call that was accepted. */
  accepted(sock: Socket, ends: Ends): Nodeconn {
    this.keep(sock);
    const conn = this.conn(sock, ends);
    sock.on("data", (chunk: Uint8Array) => conn.came(chunk));
    return conn;
  }

  /** Sleeps until `sock` has made its connection, which `event` says; `made` gives it. `why` words a failure. */
  *dialled(
    up: Proc,
    sock: Socket,
    event: string,
    made: () => Nodeconn,
    why: (e: unknown) => string = hosterror,
  ): Task<Conn> {
    const r = new Rendez("network dial");
    const call: { conn: Nodeconn | null; failure: string | null } = { conn: null, failure: null };
    const over = (failure: string): void => {
      call.failure ??= failure;
      r.wakeupall();
    };
    this.keep(sock);
    sock.once(event, () => {
      call.conn = made();
      r.wakeupall();
    });
    sock.on("error", (e) => over(why(e)));
    sock.once("close", () => over(Ehungup));
    let taken = false;
    try {
      yield* hostwait(up, r, () => call.conn === null && call.failure === null);
      if (call.conn === null) return error(call.failure ?? Ehungup);
      taken = true;
      return call.conn;
    } finally {
      if (!taken) sock.destroy();
    }
  }

  /** Sleeps until the server listens, which start has it do; gives its listener. */
  *listening(
    up: Proc,
    server: Server,
    start: () => void,
    make: (server: Server) => Nodelistener,
  ): Task<Nodelistener> {
    const r = new Rendez("network announce");
    const call: { done: boolean; failure: string | null } = { done: false, failure: null };
    const over = (failure: string | null): void => {
      call.done = true;
      call.failure = failure;
      r.wakeupall();
    };
    // From now on only an accept can fail: the process that listens gets that error.
    server.on("error", (e) => over(hosterror(e)));
    server.on("close", () => this.#servers.delete(server));
    server.once("listening", () => over(null));
    let listener: Nodelistener | null = null;
    try {
      hostsync(start);
      this.#servers.add(server);
      yield* hostwait(up, r, () => !call.done);
      if (call.failure !== null) error(call.failure);
      listener = make(server);
      return listener;
    } finally {
      if (listener === null) server.close(() => this.#servers.delete(server));
    }
  }

  shutdown(): void {
    for (const server of this.#servers) server.close();
    for (const sock of this.#socks) {
      sock.destroySoon();
      setTimeout(() => sock.destroy(), LASTGASP).unref();
    }
  }
}

/** A listening socket and the calls that have not been accepted, which are not read from. */
export class Nodelistener implements Listener {
  readonly local: Addr;
  readonly #server: Server;
  readonly #calls: Nodeconn[] = [];
  readonly #r = new Rendez("network listen");
  #closed = false;

  constructor(server: Server, local: Addr) {
    this.local = local;
    this.#server = server;
  }

  /** A call came; one for which there is no room is hung up on. */
  came(sock: Socket, call: (sock: Socket) => Nodeconn): void {
    if (this.#closed || this.#calls.length >= BACKLOG) {
      sock.destroy();
      return;
    }
    this.#calls.push(call(sock));
    this.#r.wakeupall();
  }

  *accept(up: Proc): Task<Conn> {
    for (;;) {
      if (this.#closed) error(Elistenhungup);
      const conn = this.#calls.shift();
      if (conn !== undefined) return conn.start();
      yield* hostwait(up, this.#r, () => this.#calls.length === 0 && !this.#closed);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const conn of this.#calls.splice(0)) conn.hangup();
    this.#r.wakeupall();
  }
}

/** The connections of a stack with bytes that the host has not taken. */
type Behind = { conns: number };

/** The ends of a connection, and what it shares with the others of its stack. */
type Shared = { readonly ends: Ends; readonly behind: Behind; readonly all: Received };

/** A socket that is connected. */
export class Nodeconn implements Conn {
  readonly local: Addr;
  readonly remote: Addr;
  readonly user: string | null;
  readonly #resets: boolean;
  readonly #sched: Sched;
  readonly #sock: Socket;
  readonly #in: Rqueue;
  /** Written and not yet given to the host: whole pieces, then slab[#from, #to). */
  #out: Uint8Array[] = [];
  #nout = 0;
  /** Given to the host and not yet sent. */
  readonly #sending: Uint8Array[] = [];
  #slab: Uint8Array = NOSLAB;
  #from = 0;
  #to = 0;
  /** Given to the host since its other events had their turn. */
  #given = 0;
  /** A flush is due when the scheduler is idle. */
  #due = false;
  #shut = false;
  #broken = false;
  readonly #wlock = new QLock("network write");
  readonly #room = new Rendez("network write");

  readonly #behind: Behind;
  /** It is counted there. */
  #isbehind = false;

  constructor(sched: Sched, sock: Socket, { ends, behind, all }: Shared) {
    this.#behind = behind;
    this.#sched = sched;
    this.#sock = sock;
    this.local = ends.local;
    this.remote = ends.remote;
    this.user = ends.user ?? null;
    this.#resets = ends.resets === true;
    const [stop, go] = [() => void sock.pause(), () => void sock.resume()];
    this.#in = new Rqueue({ stop, go, outside: true, spent: letgo, all });
    sock.on("end", () => this.#in.eof());
    sock.on("error", () => this.#break());
    sock.on("close", () => this.#break());
  }

  /** Takes over what has come; it goes on reading, until it is stopped. */
  came(chunk: Uint8Array): true {
    this.#in.put(chunk);
    return true;
  }

  /** Begins to read: a call has been accepted. */
  start(): this {
    this.#sock.resume();
    return this;
  }

  get state(): Connstate {
    if (this.#broken) return "Closed";
    if (this.#in.ended) return this.#shut ? "Last_ack" : "Close_wait";
    return this.#shut ? "Finwait1" : "Established";
  }

  get qin(): number {
    return this.#in.length;
  }

  get qout(): number {
    return this.#nout + this.#sock.writableLength;
  }

  read(up: Proc, buf: Uint8Array): Task<number> {
    return this.#in.read(up, buf);
  }

  bread(up: Proc, n: number): Task<Uint8Array> {
    return this.#in.bread(up, n);
  }

  *write(up: Proc, bytes: Uint8Array): Task<number> {
    const q = this.#wlock;
    if (!q.canlock()) yield* q.lock();
    try {
      let n = 0;
      do {
        if (this.#broken || this.#shut) error(Ehungup);
        this.#put(bytes.length <= PIECE ? bytes : bytes.subarray(n, n + PIECE));
        n += PIECE;
        if (!this.#full()) continue;
        yield* hostwait(up, this.#room, () => !this.#broken && this.#full());
        if (this.#broken) error(Ehungup);
      } while (n < bytes.length);
    } finally {
      q.unlock();
    }
    return bytes.length;
  }

  keepalive(ms: number): void {
    this.#sock.setKeepAlive(true, ms);
  }

  shut(): void {
    if (this.#shut) return;
    this.#flush();
    this.#shut = true;
    this.#sock.end();
  }

  hangup(): void {
    this.#break();
    this.#in.drop();
    if (this.#resets) this.#sock.resetAndDestroy();
    else this.#sock.destroy();
  }

  close(): void {
    this.#flush();
    this.#in.drop();
    this.#shut = true;
    const sock = this.#sock;
    if (sock.destroyed) return;
    // It goes on reading, and dropping: a socket closed with bytes unread is reset.
    sock.resume();
    sock.destroySoon();
    const t = setTimeout(() => sock.destroy(), LINGER).unref();
    sock.once("close", () => clearTimeout(t));
  }

  /** Counts this connection while the host has not taken all it was given. */
  #count(): void {
    const is = !this.#broken && this.#sock.writableLength > 0;
    if (is === this.#isbehind) return;
    this.#isbehind = is;
    this.#behind.conns += is ? 1 : -1;
  }

  /** Nothing can be sent any more. */
  #break(): void {
    this.#broken = true;
    this.#count();
    this.#in.reset();
    this.#room.wakeupall();
  }

  /** A writer has to wait: for the other end, or for the host's other events. */
  #full(): boolean {
    const { conns } = this.#behind;
    const most = conns * OUTMAX <= ALLOUT ? OUTMAX : Math.max(LEASTOUT, ALLOUT / conns);
    return this.#given >= TURN || this.qout >= most;
  }

  /** Copies bytes, at most PIECE, to where the next flush finds them. */
  #put(bytes: Uint8Array): void {
    const n = bytes.length;
    this.#nout += n;
    if (n > SMALL) {
      this.#cut();
      this.#out.push(piece(bytes));
      this.#flush();
      return;
    }
    if (this.#slab !== slab || this.#to !== slabto || slabto + n > slab.length) this.#newslab(n);
    slab.set(bytes, slabto);
    slabto += n;
    this.#to = slabto;
    if (this.#nout >= OUTMAX) this.#flush();
    else if (!this.#due) {
      this.#due = true;
      this.#sched.atidle(this.#atidle);
    }
  }

  /** What is gathered goes on behind what another connection has put into the slab, or in a new one. */
  #newslab(n: number): void {
    this.#cut();
    if (slabto + n > slab.length) {
      slab = Buffer.allocUnsafeSlow(SLAB);
      slabto = 0;
    }
    this.#slab = slab;
    this.#from = this.#to = slabto;
  }

  /** Makes what is gathered in the slab a piece. */
  #cut(): void {
    if (this.#to > this.#from) this.#out.push(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }

  readonly #atidle = (): void => {
    this.#due = false;
    this.#flush();
  };

  /** Gives the host what was written: one system call of its, if it takes all. */
  #flush(): void {
    this.#cut();
    this.#slab = NOSLAB;
    const out = this.#out;
    if (out.length === 0) return;
    this.#out = [];
    if (this.#given < TURN && (this.#given += this.#nout) >= TURN) setImmediate(this.#turned);
    this.#nout = 0;
    const sock = this.#sock;
    if (this.#broken || this.#shut || sock.destroyed) return;
    if (out.length > 1) sock.cork();
    for (const p of out) {
      this.#sending.push(p);
      sock.write(p, this.#sent);
    }
    if (out.length > 1) sock.uncork();
    this.#count();
  }

  /** The host is done with the first piece that it was given; when that failed it may still have it. */
  readonly #sent = (e?: Error | null): void => {
    const p = this.#sending.shift();
    if (p !== undefined && (e ?? null) === null) free(p);
    this.#count();
    if (!this.#room.empty && !this.#full()) this.#room.wakeupall();
  };

  /** The host's other events have had their turn. */
  readonly #turned = (): void => {
    this.#given = 0;
    if (!this.#room.empty && !this.#full()) this.#room.wakeupall();
  };
}

/** Where the host puts what comes: a small buffer that is copied from, or while much comes a lent one. */
export class Into {
  readonly #small: Uint8Array = new Uint8Array(SMALLREAD);
  /** What is free of the lent one. */
  #big: Uint8Array | null = null;

  room(): Uint8Array {
    return this.#big ?? this.#small;
  }

  /** The n bytes that came, for the reader. */
  take(n: number): Uint8Array {
    const big = this.#big;
    if (n < SMALLREAD || big === null) {
      const chunk = Buffer.allocUnsafe(n);
      chunk.set(this.room().subarray(0, n));
      this.end();
      if (n === SMALLREAD) this.#big = takebuf();
      return chunk;
    }
    this.#big = big.subarray(n);
    if (this.#big.length < LEASTROOM) {
      giveback(this.#big);
      this.#big = takebuf();
    }
    return big.subarray(0, n);
  }

  /** The lent buffer is not needed. */
  end(): void {
    if (this.#big !== null) giveback(this.#big);
    this.#big = null;
  }
}

/** A port that was closed: memory that is sent to it is freed at once. */
let nowhere: InstanceType<typeof MessagePort> | null = null;

/**
 * Frees the memory of a chunk that the host made for a read, and of which the end was copied. The garbage collector
 * looks at the whole heap for each 30 MB of such chunks, which costs a server a third of its processor time.
 */
function letgo(chunk: Uint8Array): void {
  const { buffer, byteOffset, length } = chunk;
  const ended = byteOffset + length === buffer.byteLength;
  if (!ended || length === 0 || buffer.byteLength < SMALLREAD || lent(chunk)) return;
  if (nowhere === null) {
    nowhere = new MessageChannel().port1;
    nowhere.close();
  }
  nowhere.postMessage(null, [buffer as ArrayBuffer]);
}

/** A copy of at most PIECE bytes. */
function piece(bytes: Uint8Array): Uint8Array {
  const room = pieces.pop() ?? new Uint8Array(PIECE);
  room.set(bytes);
  return room.subarray(0, bytes.length);
}

/** Keeps a piece for another write; a slab is none. */
function free(p: Uint8Array): void {
  if (p.buffer.byteLength === PIECE && pieces.length < NPIECES)
    pieces.push(new Uint8Array(p.buffer as ArrayBuffer));
}
