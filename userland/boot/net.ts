// A little internet: machines with kernels of their own on one virtual clock, and links between them.
//
//	const net = simnet({ seed: 1 });
//	const here = await net.boot("here");
//	const far = await net.boot("far");
//	const link = net.link("here", "far", { rtt: "50ms", bw: "600KB/s", jitter: "2ms", loss: "1%" });
//	await serveramfs(far, "tcp!*!564");
//	here.spawn(main);             // which dials tcp!far!564
//	link.cut(); link.heal(); link.stall("1s");
//	await net.shutdown();
//
// What is sent when, and what things cost, is in devices/ip/ip-sim.ts.

import { MREPL } from "../../kernel/abi/const.ts";
import { newsched } from "../../kernel/boot.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Host } from "../../kernel/proc/clock.ts";
import type { Audit } from "../../kernel/kernel.ts";
import type { Chance, Explorer, Machine, Sched } from "../../kernel/proc/sched.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import { newIp } from "../../devices/ip/ip.ts";
import { Simnet } from "../../devices/ip/ip-sim.ts";
import type { Link, Linkopts } from "../../devices/ip/simlink.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { type Anysrv, type Limits, acceptsrv } from "../lib/9p.ts";
import type { ThreadSys } from "../lib/both.ts";
import { speaking } from "../lib/9p/srv.ts";
import { announce } from "../lib/dial.ts";
import { plainhash } from "../lib/fossil/hash.ts";
import { newfossil, postconsole } from "../lib/fossil/serve.ts";
import { getuser } from "../lib/proc.ts";
import { newram } from "../lib/ram.ts";
import { boot, chance } from "./boot.ts";
import type { Bootopts } from "./boot.ts";
import { thishost } from "./host.ts";
import { parsechance, parserate, parsetime } from "./units.ts";

/** How to make a network. */
export type Netopts = {
  /** Where jitter and loss come from: 0 unless given. */
  readonly seed?: number;
  /** Lets any coroutine that is ready be next, as the seed says, to find what depends on the order. */
  readonly anyorder?: boolean;
  /** "virtual", time that jumps to the next thing to happen; or "real". */
  readonly clock?: "virtual" | "real";
  /** The machine underneath: Node or a page. */
  readonly host?: Host;
  /** Chooses wherever there is a choice, and is told of each machine. */
  readonly explorer?: Netexplorer;
};

/** What explores the schedules of a network. */
export interface Netexplorer extends Explorer {
  /** A machine was booted. */
  kernel(k: Booted): void;
}

/** What a link is like: times as 50ms, rates as 600KB/s, loss as 1%. */
export type Linkspec = {
  /** The round-trip time: "50ms". */
  readonly rtt: string;
  /** For each direction; without it there is no limit. */
  readonly bw?: string;
  /** From the second machine to the first, where that differs. */
  readonly bwback?: string;
  /** At most so much later, by chance. */
  readonly jitter?: string;
  /** How many packets are lost: "1%". */
  readonly loss?: string;
};

/** A link, as its owner commands it. */
export class Netlink {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  /**
   * Hangs up all connections over the link. Calls go unanswered until heal().
   *
   * @example
   * ```ts
   * link.cut();
   * ```
   */
  cut(): void {
    this.#link.cut();
  }

  /**
   * Ends a cut: new calls go through.
   *
   * @example
   * ```ts
   * link.heal();
   * ```
   */
  heal(): void {
    this.#link.heal();
  }

  /**
   * Holds up all that moves on the link; nothing is lost.
   *
   * @param time for how long: "1s"
   * @throws Unitserror the time cannot be read
   * @example
   * ```ts
   * link.stall("1s");
   * ```
   */
  stall(time: string): void {
    this.#link.stall(parsetime(time));
  }
}

/**
 * Makes a simulated network with nothing in it.
 *
 * @param opts its clock, its seed, and whether the order of coroutines varies
 * @returns the network; boot puts machines on it, link joins two
 * @example
 * ```ts
 * const net = simnet({ seed: 1 });
 * const far = await net.boot("far");
 * const here = await net.boot("here");
 * net.link("here", "far", { rtt: "50ms" });
 * ```
 */
export function simnet(opts: Netopts = {}): Net {
  return new Net(opts);
}

/** Machines with kernels of their own, on one clock. */
export class Net implements Machine {
  /** The scheduler that they share. @internal */
  readonly sched: Sched;
  /** The machines by their names. */
  readonly machines: Map<string, Booted> = new Map();
  readonly #seed: number;
  readonly #net: Simnet;
  readonly #explorer: Netexplorer | null;

  constructor(opts: Netopts) {
    this.#seed = opts.seed ?? 0;
    const order = opts.anyorder === true ? chance(this.#seed) : null;
    const virtual = opts.clock !== "real";
    const { explorer } = opts;
    this.#explorer = explorer ?? null;
    this.sched = newsched({
      host: opts.host ?? thishost,
      virtual,
      chance: order,
      ...(explorer !== undefined && { explorer }),
    });
    this.sched.join(this);
    this.#net = new Simnet(this.sched);
  }

  /** Nanoseconds since the network was made. */
  get now(): number {
    return this.sched.clock.now();
  }

  /**
   * Boots a machine. The others reach it by its name; its network is at /net.
   *
   * @param name its name: "far"
   * @param opts as boot's
   * @returns its kernel
   * @throws Unitserror a fault of opts.inject cannot be read
   * @example
   * ```ts
   * const far = await net.boot("far", { namespace: "standard" });
   * ```
   */
  async boot(name: string, opts: Bootopts = {}): Promise<Booted> {
    const stack = this.#net.machine(name);
    const k = await boot({
      sysname: name,
      ...opts,
      sched: this.sched,
      devices: [(kernel) => newIp(kernel, stack), ...(opts.devices ?? [])],
      binds: [["#I", "/net", MREPL], ...(opts.binds ?? [])],
    });
    this.machines.set(name, k);
    this.#explorer?.kernel(k);
    return k;
  }

  /**
   * Lays a link between two machines that were booted.
   *
   * @param a the name of the first machine
   * @param b the name of the second
   * @param spec its round-trip time, rate, jitter and loss
   * @returns the link, to be cut, healed and stalled
   * @throws Unitserror spec cannot be read
   * @example
   * ```ts
   * const link = net.link("here", "far", { rtt: "50ms", bw: "600KB/s" });
   * ```
   */
  link(a: string, b: string, spec: Linkspec): Netlink {
    const { rtt, bw, bwback, jitter, loss } = spec;
    const chance_ = linkchance(this.#seed, `${a}!${b}`);
    const opts: { -readonly [K in keyof Linkopts]: Linkopts[K] } = { rtt: parsetime(rtt) };
    if (bw !== undefined) opts.bw = parserate(bw);
    if (bwback !== undefined) opts.bwback = parserate(bwback);
    if (jitter !== undefined) opts.jitter = parsetime(jitter);
    if (loss !== undefined) opts.loss = parsechance(loss);
    return new Netlink(this.#net.link(a, b, opts, chance_));
  }

  /**
   * Tells what is alive on each machine.
   *
   * @returns processes, Chans, fids and tags, by the names of the machines
   * @example
   * ```ts
   * net.audit()["far"]?.fids;
   * ```
   */
  audit(): Record<string, Audit> {
    return Object.fromEntries([...this.machines].map(([name, k]) => [name, k.audit()]));
  }

  /**
   * Shuts all machines down, in the order in which they were booted.
   *
   * @returns when the last one is down
   * @example
   * ```ts
   * await net.shutdown();
   * ```
   */
  async shutdown(): Promise<void> {
    for (const k of this.machines.values()) await k.shutdown();
    this.sched.leave(this);
  }

  /**
   * Hears, as a Machine, that a kernel panicked; the waits for its processes fail with that. @internal
   */
  halt(): void {}
}

/** Every link has chances of its own, so that one more link changes nothing for the others. */
function linkchance(seed: number, name: string): Chance {
  let h = seed | 0;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return chance(h);
}

/**
 * Starts a server of what `make` makes, within the limits; it takes calls at addr, "tcp!*!564", when this
 * resolves. Rejects when the address cannot be announced.
 */
export async function serve9p(
  k: Booted,
  addr: string,
  make: (sys: ThreadSys) => Anysrv | Task<Anysrv>,
  limits: Partial<Limits> = {},
): Promise<Process> {
  const ready: { is: boolean; tell: () => void } = { is: false, tell: () => undefined };
  const announced = new Promise<void>((resolve) => (ready.tell = resolve));
  const p = k.spawn(
    function* serve(sys: ThreadSys): Task<Exit> {
      const srv = make(sys);
      const at = yield* announce(sys, addr);
      ready.is = true;
      ready.tell();
      return yield* acceptsrv(sys, at, "next" in srv ? yield* srv : srv, limits);
    },
    ["serve"],
  );
  const status = await Promise.race([announced, p.wait()]);
  if (!ready.is) throw new Error(`cannot serve at ${addr}: ${String(status)}`);
  return p;
}

/** How serveramfs serves. */
export type Ramfsopts = {
  /** The best version of 9P that it speaks: 9P2000.ix.stream unless given. */
  readonly version?: string;
  /** The permissions of its root: 0o777 unless given. */
  readonly perm?: number;
};

/**
 * Starts a process that serves a tree of files in memory. ramfs(4)
 *
 * @param k the kernel that it runs in
 * @param addr where it takes calls: "tcp!*!564"
 * @param opts `version` is the best that it speaks, 9P2000.ix.stream unless given; `perm` what its root has, 0o777
 *   unless given
 * @returns the process, when it takes calls
 * @throws Error "cannot serve at ADDR: ...": the address cannot be announced
 * @example
 * ```ts
 * await serveramfs(far, "tcp!*!564", { version: "9P2000" });
 * ```
 */
export function serveramfs(k: Booted, addr: string, opts: Ramfsopts = {}): Promise<Process> {
  return serve9p(k, addr, function* (sys): Task<Anysrv> {
    const { perm = 0o777, version } = opts;
    const srv = newram(sys, { user: yield* getuser(sys), perm });
    return version === undefined ? srv : speaking(srv, version);
  });
}

/** The disk of a simulated machine's fossil, in its own memory. */
const DISK = "#R/fossil.disk";

/**
 * Starts a process that serves a fossil, whose disk is in the machine's memory. fossil(4)
 *
 * @param k the kernel that it runs in
 * @param addr where it takes calls: "tcp!*!564"
 * @param opts `version` is the best that it speaks, 9P2000.ix.stream unless given
 * @returns the process, when it takes calls
 * @throws Error "cannot serve at ADDR: ...": the address cannot be announced
 * @example
 * ```ts
 * await servefossil(far, "tcp!*!564");
 * ```
 */
export function servefossil(
  k: Booted,
  addr: string,
  opts: Pick<Simfossilopts, "version"> = {},
): Promise<Process> {
  return serve9p(k, addr, fossil(opts));
}

/** How a simulated machine's fossil serves. */
export type Simfossilopts = {
  /** The best version of 9P that it speaks: 9P2000.ix.stream unless given. */
  readonly version?: string;
  /** A rename takes the place of a file that has the name. */
  readonly replace?: boolean;
};

/**
 * Gives a function that makes a fossil on a disk in memory. The user of the process that serves owns its root.
 * fossil(4)
 *
 * @param opts `version` is the best that it speaks; with `replace` a rename takes the place of a file that has the
 *   name
 * @returns the function, as the test kit's server takes it
 * @example
 * ```ts
 * await m.server("far", { serve: fossil() });
 * ```
 */
export function fossil(opts: Simfossilopts = {}): (sys: ThreadSys) => Task<Anysrv> {
  return function* make(sys): Task<Anysrv> {
    const f = yield* newfossil(sys, DISK, { hash: plainhash, user: yield* getuser(sys), ...opts });
    yield* postconsole(sys, f, "fscons");
    return f.srv as Anysrv;
  };
}
