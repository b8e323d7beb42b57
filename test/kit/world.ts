// Machines at a known distance: a kernel with servers mounted, all RTT away, and what calls cost there in
// round trips and messages. For tests that assert such numbers, and for the table of bench:rtt.

import type { ExecutionContext } from "ava";
import type { Booted } from "../../kernel/boot.ts";
import { DMDIR, MAFTER, MCREATE, MREPL, OREAD } from "../../kernel/abi/const.ts";
import { isT } from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import type { Audit } from "../../kernel/kernel.ts";
import type { Exit, Sys, Task } from "../../syscalls/sys.ts";
import type { Inject } from "../../userland/boot/inject.ts";
import { type Net, Netlink, simnet } from "../../userland/boot/net.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import { Conn } from "../../userland/lib/9p/conn.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { accept, announce, dial, listen } from "../../userland/lib/dial.ts";
import { speaking } from "../../userland/lib/9p/srv.ts";
import { newram } from "../../userland/lib/ram.ts";
import { NOTHING, run } from "./kit.ts";

/** How far every server is. */
export const RTT = 50_000_000;

/** What a call cost: round trips waited for, and messages sent, those that nobody waits for included. */
export type Cost = { readonly trips: number; readonly messages: number };

/** A request, when it was sent and to which server. */
export type Sent = { readonly at: number; readonly conn: number; readonly fcall: Fcall };

export type Worldopts = {
  readonly namespace?: "names" | "standard";
  /** The best version that the servers speak. */
  readonly version?: string;
  /** Mount points of other servers on the way to the server that is measured. */
  readonly mounts?: number;
  /** Servers in the union on /n/u. */
  readonly members?: number;
  /** Makes the servers; each has a ramfs unless given. */
  readonly make?: (sys: ThreadSys) => Task<Anysrv>;
  /** Makes another server of each server's files. */
  readonly wrap?: (srv: Anysrv, sys: ThreadSys) => Anysrv;
  /** Faults between here and the servers. */
  readonly inject?: Inject;
  /** Bytes a second of every link, "600KB/s". */
  readonly bw?: string;
};

/** A machine "here", and servers mounted in the name space of every program that runs there. */
export class World {
  readonly net: Net;
  readonly here: Booted;
  /** The name that the server "far" is mounted on. */
  readonly top: string;
  readonly members: number;
  readonly #mounts: readonly (readonly [server: string, dir: string])[];
  readonly links: Map<string, Netlink> = new Map();
  readonly #conns: Conn<unknown>[] = [];
  /** The requests of what was measured last. */
  sent: Sent[] = [];

  private constructor(net: Net, here: Booted, w: Required<Pick<Worldopts, "mounts" | "members">>) {
    this.net = net;
    this.here = here;
    this.members = w.members;
    const others = Array.from({ length: w.mounts }, (_, i) => i);
    this.top = w.mounts === 0 ? "/n/far" : `/n/way${"/m".repeat(w.mounts)}`;
    this.#mounts = [
      ...others.map((i) => [`o${i}`, `/n/way${"/m".repeat(i)}`] as const),
      ["far", this.top],
    ];
    here.trace.listen((e) => {
      const { at, type } = e;
      if (type === "send" && isT(e.fcall)) this.sent.push({ at, conn: e.conn, fcall: e.fcall });
    });
  }

  static async make(opts: Worldopts = {}): Promise<World> {
    const { namespace = "names", mounts = 0, members = 0, bw, inject } = opts;
    const net = simnet();
    const here = await net.boot("here", { namespace, ...(inject !== undefined && { inject }) });
    const w = new World(net, here, { mounts, members });
    const servers = w.#mounts.map(([name]) => name);
    for (let i = 0; i < members; i++) servers.push(`u${i}`);
    for (const name of servers) {
      const far = await net.boot(name);
      far.spawn(function* ramfs(sys: ThreadSys): Task<Exit> {
        return yield* w.#serve(sys, opts);
      });
      w.links.set(name, net.link("here", name, { rtt: "50ms", ...(bw !== undefined && { bw }) }));
    }
    await w.settle();
    return w;
  }

  /** A server on another machine, whose connections are known. */
  *#serve(sys: ThreadSys, opts: Worldopts): Task<Exit> {
    const { version = "9P2000.ix", wrap = (srv) => srv, make = ramfs } = opts;
    const srv = wrap(speaking(yield* make(sys), version), sys);
    const at = yield* announce(sys, "tcp!*!564");
    for (;;) {
      const fd = yield* accept(sys, yield* listen(sys, at.dir));
      const conn = new Conn(sys, { in: fd, out: fd }, srv);
      this.#conns.push(conn);
      sys.threadcreate(conn.run());
    }
  }

  /** Fids that the servers have. */
  get fids(): number {
    return this.#conns.reduce((n, c) => n + c.nfids, 0);
  }

  /** Runs a program on the machine "here", with everything mounted; then nothing may be left of it. */
  async run(t: ExecutionContext | null, fn: (sys: Sys) => Promise<void>): Promise<void> {
    const before = this.net.audit();
    const { status } = await run(this.here, async (sys: Sys) => {
      await this.#mount(sys);
      await fn(sys);
    });
    await this.settle();
    t?.is(status, "");
    t?.deepEqual(this.here.audit(), NOTHING);
    t?.deepEqual(this.net.audit(), before, "here or at a server, something is left");
    t?.is(this.fids, 0, "fids at the servers");
  }

  async #mount(sys: Sys): Promise<void> {
    for (const [server, dir] of this.#mounts) {
      await mkdir(sys, dir);
      await sys.mount(await dial(sys, `tcp!${server}!564`), -1, dir, MREPL | MCREATE, "");
    }
    await mkdir(sys, "/n/u");
    for (let i = 0; i < this.members; i++) {
      const dir = `/n/u${i}`;
      await mkdir(sys, dir);
      await sys.mount(await dial(sys, `tcp!u${i}!564`), -1, dir, MREPL | MCREATE, "");
      await sys.bind(dir, "/n/u", (i === 0 ? MREPL : MAFTER) | MCREATE);
    }
  }

  /** Calls `fn`, which may fail, and checks that afterwards no fid, tag or Chan is there that was not before. */
  async even(t: ExecutionContext, sys: Sys, fn: () => Promise<unknown>): Promise<void> {
    await sys.sleep(10_000);
    const [before, fids] = [this.here.audit(), this.fids];
    t.is(before.fids.length, fids, "fids here and there");
    await fn();
    await sys.sleep(10_000);
    t.deepEqual(this.here.audit(), before);
    t.is(this.fids, fids, "fids at the servers");
  }

  /** Lets everything that is on its way arrive. */
  async settle(): Promise<void> {
    await run(this.here, (sys: Sys) => sys.sleep(10_000));
  }

  /** What fn costs. What is sent without waiting, within a second, counts among the messages. */
  async cost(sys: Sys, fn: () => Promise<unknown>): Promise<Cost> {
    const began = this.net.now;
    this.sent = [];
    await fn();
    const trips = (this.net.now - began) / RTT;
    await sys.sleep(1000);
    return { trips, messages: this.sent.length };
  }

  async end(): Promise<Record<string, Audit>> {
    await this.net.shutdown();
    return this.net.audit();
  }
}

/** Makes sure that a directory is there. */
export async function mkdir(sys: Sys, name: string): Promise<void> {
  try {
    await sys.stat(name);
  } catch {
    await sys.close(await sys.create(name, OREAD, DMDIR | 0o777));
  }
}

/** Directories below top, one in another: the name of the one at this depth. */
export async function deep(sys: Sys, top: string, depth: number): Promise<string> {
  let name = top;
  for (let i = 1; i <= depth; i++) {
    name += `/d${i}`;
    await mkdir(sys, name);
  }
  return name;
}

function* ramfs(sys: ThreadSys): Task<Anysrv> {
  return newram(sys, { user: "glenda", perm: 0o777 });
}
