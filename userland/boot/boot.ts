// The configuration of a kernel: the devices that it has wherever it runs, its first name space, and the
// options of boot. What Plan 9's kernel configuration files (pc, pcf) are to its boot(8).

import { MAFTER, MCREATE, MREPL } from "../../kernel/abi/const.ts";
import { Buffertty, newkernel } from "../../kernel/boot.ts";
import type { Booted, Firstbind, Newdev } from "../../kernel/boot.ts";
import type { Host } from "../../kernel/proc/clock.ts";
import type { Chance, Sched } from "../../kernel/proc/sched.ts";
import type { Tty } from "../../kernel/proc/tty.ts";
import { newCap } from "../../devices/cap.ts";
import { newCons } from "../../devices/cons.ts";
import { newDup } from "../../devices/dup.ts";
import { newEnv } from "../../devices/env.ts";
import { newMem } from "../../devices/mem.ts";
import type { Tree } from "../../devices/mem.ts";
import { newMnt } from "../../devices/mnt/mnt.ts";
import { newPipe } from "../../devices/pipe.ts";
import { newProc } from "../../devices/proc.ts";
import { newRoot } from "../../devices/root.ts";
import { newSrv } from "../../devices/srv.ts";
import { faces } from "../../syscalls/table.ts";
import type { Limits } from "../../kernel/kernel.ts";
import { ownprogram } from "../vm/function.ts";
import { thishost } from "./host.ts";
import { faulty } from "./inject.ts";
import type { Inject } from "./inject.ts";
import { Unitserror } from "./units.ts";

/** How to boot. Everything has a default. */
export type Bootopts = {
  /** A tree of names to start with: strings and bytes are files, functions programs, objects directories. */
  readonly files?: Tree;
  /** "real", or "virtual": time that jumps to the next timer when nothing can run. */
  readonly clock?: "real" | "virtual";
  /** Which name space: "names", this kernel's own, or "standard", the published one. */
  readonly namespace?: "names" | "standard";
  /** Bytes of each run of a read stream, of which two are in flight; without it, as many as fill the link. */
  readonly run?: number;
  /** Bytes that all read streams together may have asked for and not read: 256 MiB; beyond, runs are 64 KiB. */
  readonly credit?: number;
  /** Descriptors that a process may have: 5,000, as in Plan 9. */
  readonly maxfd?: number;
  /**
   * What programs that spawn is given are, unless it says: "native", functions of the host's engine, or "vm", each
   * with a memory of its own (docs/programs.md). A function is then taken by its text.
   */
  readonly image?: "native" | "vm";
  /**
   * What a program with a memory of its own may use, 0 being no limit: `memory` in bytes (64 MiB), `stack` in bytes
   * (512 KiB), `work` in passes of loops and calls of functions between two system calls (100 million: some seconds).
   */
  readonly limits?: Partial<Limits>;
  /** Who owns the processes: glenda. */
  readonly user?: string;
  /** What the machine is called, /dev/sysname: gnot. */
  readonly sysname?: string;
  /** Lets any ready coroutine be next, as this seed says; without it, first in, first out. */
  readonly seed?: number;
  /** The console of processes that are given none. */
  readonly tty?: Tty;
  /** More devices: what bridges to a host (ip, fs). */
  readonly devices?: readonly Newdev[];
  /** The first name space, in place of the usual binds: #R, the tree of `files`, may be anywhere in it. */
  readonly ns?: readonly Firstbind[];
  /** More binds for the first name space, after those. */
  readonly binds?: readonly Firstbind[];
  /** The machine underneath, its clock and its chance: Node's or the page's. */
  readonly host?: Host;
  /** The scheduler and clock of other kernels, to share with them; then `clock`, `seed` and `host` are theirs. */
  readonly sched?: Sched;
  /** Faults of 9P messages and of system calls: "Tread:when=3:error=i/o error", "open:delay=1s" (inject.ts). */
  readonly inject?: Inject;
};

/** Directories that the tree always has: what programs expect, and where the devices go. */
const SKELETON: Tree = {
  bin: {},
  dev: {},
  env: {},
  fd: {},
  lib: {},
  n: {},
  net: {},
  proc: {},
  srv: {},
  tmp: {},
  usr: {},
};

/** The first name space: the memory tree with the devices in their places. */
const BINDS: readonly Firstbind[] = [
  ["#R", "/", MREPL | MCREATE],
  ["#c", "/dev", MAFTER],
  ["#d", "/fd", MREPL],
  ["#e", "/env", MREPL | MCREATE],
  ["#p", "/proc", MREPL],
  ["#s", "/srv", MREPL | MCREATE],
];

/**
 * Boots a kernel. It runs what is spawned in it until its shutdown().
 *
 * @param opts what it has: files, devices, clock, name space, user, limits
 * @returns the kernel
 * @throws Unitserror a fault of opts.inject cannot be read; the message names the part
 * @example
 * ```ts
 * const kernel = await boot({ clock: "virtual", files: { bin } });
 * await kernel.spawn(bin.ls, ["ls", "/"]).wait();
 * await kernel.shutdown();
 * ```
 */
export function boot(opts: Bootopts = {}): Promise<Booted> {
  // Nothing here waits; the promise lets a kernel whose boot must (a root on a server) look the same.
  return new Promise((resolve) => resolve(bootsync(opts)));
}

/** boot, at once. */
function bootsync(opts: Bootopts = {}): Booted {
  const tree: Newdev = (k) => {
    const mem = newMem(k);
    mem.fill(SKELETON);
    mem.fill(opts.files ?? {});
    return mem;
  };
  const faults = faulty(opts.inject);
  const k = newkernel(
    {
      host: opts.host ?? thishost,
      virtual: opts.clock === "virtual",
      chance: opts.seed === undefined ? null : chance(opts.seed),
      ...(opts.sched !== undefined && { sched: opts.sched }),
      ...faults.config,
      user: opts.user ?? "glenda",
      sysname: opts.sysname ?? "gnot",
      tty: opts.tty ?? new Buffertty(),
      namespace: opts.namespace ?? "names",
      maxfd: opts.maxfd,
      run: opts.run ?? null,
      credit: opts.credit ?? 256 * 1024 * 1024,
      faces,
      image: opts.image ?? "native",
      limits: limitsof(opts.limits ?? {}),
      own: ownprogram,
    },
    [
      newRoot,
      newCap,
      newCons,
      newDup,
      newEnv,
      newMnt,
      newPipe,
      newProc,
      newSrv,
      tree,
      ...(opts.devices ?? []),
    ],
    [...(opts.ns ?? BINDS), ...(opts.binds ?? [])],
  );
  faults.attach(k);
  return k;
}

/** The limits of programs with a memory of their own. */
function limitsof(given: Partial<Limits>): Limits {
  const limits = {
    memory: 64 * 2 ** 20,
    stack: 512 * 1024,
    work: 100_000_000,
    procs: 256,
    ...given,
  };
  for (const [name, n] of Object.entries(limits))
    if (!Number.isSafeInteger(n) || n < 0)
      throw new Unitserror(`limits: ${name} is ${n}`, "a whole number, 0 for no limit");
  return limits;
}

/** A repeatable source of chance: mulberry32. */
export function chance(seed: number): Chance {
  let a = seed | 0;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000) * n);
  };
}
