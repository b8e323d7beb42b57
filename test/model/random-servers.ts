// The file servers of a simulated run: on each machine a ramfs, or an exportfs of a ramfs that is mounted there,
// with a slow layer between the two. A test plants the files and looks at them through the callbacks of the
// ramfs, without 9P. It counts the fids that connections hold, and the server's descriptors.

import { DMDIR, ORDWR } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import type { Host } from "../../kernel/proc/clock.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { thishost } from "../../userland/boot/host.ts";
import type { Net } from "../../userland/boot/net.ts";
import { type Anysrv, Fid, postmount } from "../../userland/lib/9p.ts";
import type { Plainsrv } from "../../userland/lib/9p/promises.ts";
import { Conn } from "../../userland/lib/9p/conn.ts";
import { Log } from "../../userland/lib/9p/log.ts";
import { Shares } from "../../userland/lib/9p/shares.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { accept, announce, listen } from "../../userland/lib/dial.ts";
import { newexport } from "../../userland/lib/export.ts";
import { newram } from "../../userland/lib/ram.ts";

import { type Slowness, slowsys } from "./random-slow.ts";

const USER = "glenda";
/** Where an exportfs has the tree that it serves. */
const MTPT = "/tmp";

const resolved = Promise.resolve();

/**
 * A host whose turn is over when the promises of all programs have come to rest. A simulated run has no
 * sockets and no timers of the host, so it needs no turn of the event loop itself.
 */
export const quickhost: Host = {
  ...thishost,
  turn: (fn) => void resolved.then(() => process.nextTick(fn)),
};

/** Serves a tree that already has what `plant` puts there; the machine's other programs must run first. */
export async function serve(net: Net, name: string, opts: Serving): Promise<Server> {
  const k = await net.boot(name);
  const server = new Server(opts);
  server.process = k.spawn(server.main.bind(server), ["server"]);
  return server;
}

/** The best version that a server speaks, and what it does before it answers calls. */
export type Serving = {
  readonly version: string;
  readonly plant: (s: Server) => void;
  /** It is an exportfs, and this lies below it. */
  readonly below: Slowness | null;
};

/** A ramfs, its connections, and the way to its files that takes no time. */
export class Server {
  process: Process | null = null;
  readonly #opts: Serving;
  readonly #conns: Conn<unknown>[] = [];
  readonly #faults: unknown[] = [];
  #srv: Plainsrv<unknown> = { attach: none, qid: none, stat: none };
  /** The directories that mkdir made. */
  readonly #made: Map<string, unknown> = new Map();

  constructor(opts: Serving) {
    this.#opts = opts;
  }

  *main(sys: ThreadSys): Task<Exit> {
    const { version, plant, below } = this.#opts;
    this.#srv = newram(sys, { user: USER, perm: 0o777, version }) as Plainsrv<unknown>;
    plant(this);
    let served = this.#srv;
    if (below !== null) {
      const make = (): Anysrv => this.#srv;
      yield* postmount(sys, make, { mtpt: MTPT });
      served = newexport(slowsys(sys, below), { root: MTPT, version }) as Plainsrv<unknown>;
    }
    const shares = new Shares(served as Anysrv, new Faultlog(sys, this.#faults));
    const at = yield* announce(sys, "tcp!*!564");
    for (;;) {
      const fd = yield* accept(sys, yield* listen(sys, at.dir));
      const conn = new Conn(sys, { in: fd, out: fd }, served, shares);
      this.#conns.push(conn);
      conn.start(() => undefined);
    }
  }

  /** Fids that clients hold. */
  get nfids(): number {
    return this.#conns.reduce((n, c) => n + c.nfids, 0);
  }

  /** Throws when a fault of the server has ended a connection, or all of them with its process. */
  mustlive(): void {
    const [fault] = this.#faults;
    if (fault !== undefined)
      throw fault instanceof Error ? fault : new Error("a connection ended", { cause: fault });
    const p = this.process;
    if (p?.proc.dead !== true) return;
    throw new Error("the server has ended", { cause: p.crash });
  }

  /** Descriptors that the server has open. */
  get ndescriptors(): number {
    return this.process?.proc.fgrp.fd.filter((c) => c !== null).length ?? 0;
  }

  /** Makes a directory: "p0/x". */
  mkdir(name: string): void {
    this.#made.set(name, this.#create(name, DMDIR + 0o777, null));
  }

  /** Makes a file. */
  put(name: string, data: Uint8Array): void {
    this.#create(name, 0o666, data);
  }

  /** All files below a directory, as lines; `line` gives that of an entry and its contents. */
  tree(top: string, line: (path: string, d: Dir, data: Uint8Array) => string): string[] {
    return this.#tree(this.#find(top.split("/")), "", line);
  }

  #tree(
    dir: unknown,
    path: string,
    line: (path: string, d: Dir, data: Uint8Array) => string,
  ): string[] {
    const lines: string[] = [];
    const dirs: Dir[] = [];
    for (const e of this.#srv.entries?.(this.#fid(dir)) ?? []) {
      const d = "entry" in e ? e.entry() : e;
      if (d !== null) dirs.push(d);
    }
    for (const d of dirs.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = this.#walk1(dir, d.name);
      const isdir = (d.mode & DMDIR) !== 0;
      lines.push(line(path, d, isdir ? NODATA : this.#read(file, d.length)));
      if (!isdir) continue;
      // A directory that may not be searched is opened up for as long as this looks.
      const shut = (d.mode & 0o111) === 0;
      if (shut) this.#srv.wstat?.(this.#fid(file), { mode: d.mode | 0o111 });
      lines.push(...this.#tree(file, `${path}/${d.name}`, line));
      if (shut) this.#srv.wstat?.(this.#fid(file), { mode: d.mode });
    }
    return lines;
  }

  #fid(file: unknown): Fid<unknown> {
    return new Fid<unknown>(0, USER, file);
  }

  #find(elems: readonly string[]): unknown {
    let at: unknown = this.#srv.attach(USER, "");
    for (const e of elems) if (e !== "") at = this.#walk1(at, e);
    return at;
  }

  #walk1(dir: unknown, name: string): unknown {
    const file = this.#srv.walk1?.(dir, name, this.#fid(dir)) ?? null;
    if (file === null) throw new Error(`the server has no ${name}`);
    return file;
  }

  #read(file: unknown, count: number): Uint8Array {
    if (count === 0) return NODATA;
    const data = this.#srv.read?.(this.#fid(file), count, 0);
    return data instanceof Uint8Array ? data : none();
  }

  #create(name: string, perm: number, data: Uint8Array | null): unknown {
    const cut = name.lastIndexOf("/");
    const dir = cut < 0 ? this.#srv.attach(USER, "") : this.#made.get(name.slice(0, cut));
    const made = this.#srv.create?.(this.#fid(dir), name.slice(cut + 1), perm, ORDWR);
    const fid = this.#fid(made);
    fid.omode = ORDWR;
    if (data !== null) this.#srv.write?.(fid, data, 0);
    this.#srv.clunk?.(fid);
    return made;
  }
}

/** Keeps the faults that ended a connection. */
class Faultlog extends Log {
  readonly #faults: unknown[];

  constructor(sys: ThreadSys, faults: unknown[]) {
    super(sys);
    this.#faults = faults;
  }

  override fault(e: unknown): void {
    this.#faults.push(e);
  }
}

const NODATA = new Uint8Array(0);

function none(): never {
  throw new Error("the server has not started");
}
