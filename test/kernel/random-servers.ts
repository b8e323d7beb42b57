// The file servers of a simulated run: a ramfs on each machine. A test plants their files and looks at them
// through the callbacks of the Srv, without 9P, and counts the fids that their connections hold.

import { DMDIR, ORDWR } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import type { Host } from "../../kernel/proc/clock.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { thishost } from "../../userland/boot/host.ts";
import type { Net } from "../../userland/boot/net.ts";
import { Fid, type Srv } from "../../userland/lib/9p.ts";
import { Conn } from "../../userland/lib/9p/conn.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { accept, announce, listen } from "../../userland/lib/dial.ts";
import { newram } from "../../userland/lib/ram.ts";

const USER = "glenda";

/**
 * A host whose turn is over when the promises of all programs have come to rest. A simulated run has no
 * sockets and no timers of the host, so it needs no turn of the event loop itself.
 */
export const quickhost: Host = {
  ...thishost,
  turn: (fn) => queueMicrotask(() => process.nextTick(fn)),
};

/** Serves a tree that already has what `plant` puts there; the machine's other programs must run first. */
export async function serve(net: Net, name: string, opts: Serving): Promise<Server> {
  const k = await net.boot(name);
  const server = new Server(opts.version);
  k.spawn(
    function* ramfs(sys: ThreadSys): Task<Exit> {
      return yield* server.main(sys, opts.plant);
    },
    ["ramfs"],
  );
  return server;
}

/** The best version that a server speaks, and what it does before it answers calls. */
export type Serving = { readonly version: string; readonly plant: (s: Server) => void };

/** A ramfs, its connections, and the way to its files that takes no time. */
export class Server {
  readonly #version: string;
  readonly #conns: Conn<unknown>[] = [];
  #srv: Srv<unknown> = { attach: none, qid: none, stat: none };

  constructor(version: string) {
    this.#version = version;
  }

  *main(sys: ThreadSys, plant: (s: Server) => void): Task<Exit> {
    this.#srv = {
      ...newram(sys, { user: USER, perm: 0o777 }),
      version: this.#version,
    } as Srv<unknown>;
    plant(this);
    const at = yield* announce(sys, "tcp!*!564");
    for (;;) {
      const fd = yield* accept(sys, yield* listen(sys, at.dir));
      const conn = new Conn(sys, { in: fd, out: fd }, this.#srv);
      this.#conns.push(conn);
      sys.threadcreate(conn.run());
    }
  }

  /** Fids that clients hold. */
  get nfids(): number {
    return this.#conns.reduce((n, c) => n + c.nfids, 0);
  }

  /** Makes a directory: "p0/x". */
  mkdir(name: string): void {
    this.#create(name, DMDIR + 0o777, null);
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

  #create(name: string, perm: number, data: Uint8Array | null): void {
    const elems = name.split("/");
    const last = elems.pop() ?? "";
    const made = this.#srv.create?.(this.#fid(this.#find(elems)), last, perm, ORDWR);
    const fid = this.#fid(made);
    fid.omode = ORDWR;
    if (data !== null) this.#srv.write?.(fid, data, 0);
    this.#srv.clunk?.(fid);
  }
}

const NODATA = new Uint8Array(0);

function none(): never {
  throw new Error("the server has not started");
}
