// Booting: a Kernel with its devices, process 0 and the first name space. Which devices there are, what
// the host is and how the system calls look is handed in, so that this runs anywhere (the host's side:
// userland/boot/boot.ts).

import { CBOOT, ROOTPATH } from "./chan.ts";
import { devattach } from "./dev.ts";
import type { Dev } from "./dev.ts";
import { Panic } from "./abi/errors.ts";
import { Kernel } from "./kernel.ts";
import type { Config } from "./kernel.ts";
import { Names } from "./names/names.ts";
import type { Namespace } from "./names/namespace.ts";
import { Egrp, Fgrp, Pgrp, Rgrp } from "./proc/pgrp.ts";
import { Proc } from "./proc/proc.ts";
import type { Groups } from "./proc/proc.ts";
import { now, shutdown, spawn } from "./proc/spawn.ts";
import type { Process, Spawnopts } from "./proc/spawn.ts";
import { MountTable } from "./names/standard-table.ts";
import { Standard } from "./names/standard.ts";
import { Image } from "./proc/trap.ts";
import type { Program } from "./proc/trap.ts";

export { newsched } from "./kernel.ts";

/**
 * Makes a device of a kernel.
 *
 * @param k the kernel that is booted
 * @returns the device; boot puts it into the device switch
 * @example
 * ```ts
 * await boot({ devices: [hostnet()] });
 * ```
 */
export type Newdev = (k: Kernel) => Dev;

/** A bind of the first name space: new on old with flags. */
export type Firstbind = readonly [name: string, old: string, flags: number];

/** A kernel that is up. */
export class Booted extends Kernel {
  /**
   * Starts a program in a process of its own.
   *
   * @param main an async function, which gets Sys, or a generator function, which gets TaskSys
   * @param argv the program's name, then its arguments
   * @param opts its name space, descriptors, environment, user
   * @returns the process
   * @example
   * ```ts
   * const p = kernel.spawn(main, ["show", "/tmp/a"]);
   * const status = await p.wait();
   * ```
   */
  spawn(main: Program, argv: readonly string[] = [], opts: Spawnopts = {}): Process {
    return spawn(this, main, argv, opts);
  }

  /**
   * Ends every process, and gives up all that the kernel holds of its host.
   *
   * @returns when all is over
   * @example
   * ```ts
   * await kernel.shutdown();
   * ```
   */
  shutdown(): Promise<void> {
    return shutdown(this);
  }
}

/** A kernel with these devices; device / must be among them. Nothing runs yet. */
export function newkernel(
  config: Config,
  devices: readonly Newdev[],
  binds: readonly Firstbind[],
): Booted {
  const k = new Booted(config);
  for (const make of devices) k.devtab.add(make(k));
  const rootdev = k.devtab.get("/");
  if (rootdev === undefined) throw new Panic("no device /");
  // The root needs no process: attach is for those who come by name.
  const root = devattach(rootdev, "");
  const ns: Namespace =
    config.namespace === "standard"
      ? new Standard(root, new MountTable(() => k.nextmountid()))
      : new Names(root);
  const groups: Groups = {
    pgrp: new Pgrp(k.nextpgrpid(), ns),
    fgrp: new Fgrp(k.trace, config.maxfd),
    egrp: new Egrp(),
    rgrp: new Rgrp(),
  };
  const dot = devattach(rootdev, "");
  dot.path = ROOTPATH;
  k.proc0 = new Proc(k, "kernel", groups, dot);
  k.shapes = new Image(k.proc0).shapes();
  for (const [name, old, flags] of binds) now(ns.bind(k.proc0, name, old, flags));
  for (const c of k.chans) c.flag |= CBOOT;
  return k;
}

// The rest of the kernel's public entry: what a host's side is built with.
export { Rendez } from "./proc/rendez.ts";
export { Buffertty } from "./proc/tty.ts";
