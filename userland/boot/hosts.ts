// The machine that runs a program, and the simulated machines around it (simhost.ts), booted and linked.

import type { Booted } from "../../kernel/boot.ts";
import type { Bootopts } from "./boot.ts";
import type { Mount } from "./mounts.ts";
import { servefossil, serveramfs, simnet } from "./net.ts";
import { HERE, distinct } from "./simhost.ts";
import type { Simhost } from "./simhost.ts";

/** The machine that a program runs on, what is to be mounted there, and how everything ends. */
export type Here = {
  readonly kernel: Booted;
  readonly mounts: readonly Mount[];
  readonly shutdown: () => Promise<void>;
};

/** The machines around one: what each is, the seed of their links, and the best version of those that name none. */
type Around = {
  readonly hosts: readonly Simhost[];
  readonly seed: number;
  readonly best?: string | undefined;
};

/** Boots a machine as `opts` say, and the others around it. `best` is what those speak that do not say. */
export async function boothosts(opts: Bootopts, net: Around): Promise<Here> {
  const { hosts, seed, best } = net;
  distinct(hosts);
  const sim = simnet({ seed, clock: opts.clock ?? "virtual" });
  const kernel = await sim.boot(HERE, opts);
  for (const { name, link, version = best, fs = "ramfs" } of hosts) {
    const serve = fs === "fossil" ? servefossil : serveramfs;
    await serve(await sim.boot(name), "tcp!*!9fs", version === undefined ? {} : { version });
    sim.link(HERE, name, link);
  }
  const mounts = hosts.map(({ name }) => ({ addr: `tcp!${name}!9fs`, dir: `/n/${name}` }));
  return { kernel, mounts, shutdown: () => sim.shutdown() };
}
