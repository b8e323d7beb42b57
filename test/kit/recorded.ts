// Runs to look at: a program on a machine with a ramfs 50 ms away, recorded.

import type { Booted } from "../../kernel/boot.ts";
import { MCREATE, MREPL } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { serveramfs, simnet } from "../../userland/boot/net.ts";
import { dial } from "../../userland/lib/dial.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import type { Recordopts } from "../../userland/view/record/recorder.ts";
import type { About, Recording } from "../../userland/view/record/recording.ts";

export const ABOUT: About = {
  program: "test",
  namespace: "names",
  clock: "virtual",
  seed: 0,
  machine: "here",
  hosts: ["far:rtt=50ms"],
};

/**
 * Records a program on a kernel; what it throws, the test throws. It is recorded from its first event on, or, where it
 * takes `begin`, from where it calls that.
 */
export async function record(
  k: Booted,
  main: (sys: Sys, begin: () => void) => Promise<unknown>,
  opts: Recordopts = { about: ABOUT },
): Promise<Recording> {
  const rec = new Recorder(opts);
  if (main.length < 2) rec.begin();
  const off = rec.listen(k.trace);
  const p = k.spawn(async (sys: Sys) => void (await main(sys, () => rec.begin())), ["main"]);
  await p.wait();
  off();
  if (p.crash !== undefined) throw p.crash;
  return rec.recording;
}

/** How the run is made: as a Recorder is; and what is done before it is recorded. */
type Runopts = Omit<Recordopts, "about"> & {
  readonly namespace?: "names" | "standard";
  /** The best version that the far machine speaks. */
  readonly version?: string;
  readonly prepare?: (sys: Sys) => Promise<void>;
};

/** Runs a program with the ramfs on /n/far, and records it from behind the mount on. */
export async function recorded(
  main: (sys: Sys) => Promise<void>,
  { version, prepare, namespace = "names", ...opts }: Runopts = {},
): Promise<Recording> {
  const net = simnet();
  const k = await net.boot("here", { namespace, files: { n: { far: {} }, tmp: {} } });
  const far = await net.boot("far");
  await serveramfs(far, "tcp!*!9fs", version === undefined ? {} : { version });
  net.link("here", "far", { rtt: "50ms" });
  const r = await record(
    k,
    async (sys, begin) => {
      await remount(sys, "/n/far");
      await prepare?.(sys);
      begin();
      await main(sys);
    },
    { about: { ...ABOUT, namespace }, ...opts },
  );
  await net.shutdown();
  return r;
}

/** Mounts the far ramfs, over a connection of its own. */
export async function remount(sys: Sys, dir: string): Promise<void> {
  await sys.mount(await dial(sys, "tcp!far!9fs"), -1, dir, MREPL | MCREATE, "");
}
