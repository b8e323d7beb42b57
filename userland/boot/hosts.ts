// The simulated machines around the one that runs a program. "far:rtt=50ms,bw=600KB/s" is a machine with a
// ramfs (or, with fs=fossil, a fossil), mounted on /n/far, and a link to it; the command line and the page have them so. What is wrong with
// such a text is a Unitserror.

import { nullproto } from "../../kernel/abi/nullproto.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Bootopts } from "./boot.ts";
import { VERSIONS } from "../lib/9p/conn.ts";
import type { Mount } from "./mounts.ts";
import { servefossil, serveramfs, simnet } from "./net.ts";
import type { Linkspec } from "./net.ts";
import { Unitserror, parsechance, parserate, parsetime } from "./units.ts";

/** A simulated machine that was asked for. */
export type Simhost = {
  readonly name: string;
  readonly link: Linkspec;
  readonly version?: string;
  /** What it serves: "ramfs" unless given, or "fossil". */
  readonly fs?: string;
};

/** The network name of the machine that runs the program. */
export const HERE = "gnot";

const CHECK: Readonly<Record<string, (value: string) => unknown>> = nullproto({
  rtt: parsetime,
  bw: parserate,
  jitter: parsetime,
  loss: parsechance,
  version: checkversion,
  fs: checkfs,
});

/** What a machine may serve. Plain text: the page reads such texts, and has no server in its script. */
const FS: readonly string[] = ["ramfs", "fossil"];

function checkfs(fs: string): void {
  if (!FS.includes(fs)) throw new Unitserror(`unknown fs '${fs}'`, `there are ${FS.join(" and ")}`);
}

/** NAME:rtt=T[,bw=RATE]... taken apart. */
export function hostof(text: string): Simhost {
  const [, name = "", rest = ""] = /^([^:]*):?(.*)$/s.exec(text) ?? [];
  if (name === HERE) throw new Unitserror(`${HERE} is the machine that runs the program`);
  if (!/^[A-Za-z][\w.-]{0,62}$/.test(name) || name === "localhost")
    throw new Unitserror(`'${name}' is no name for a machine`, "write it as far:rtt=50ms");
  const given = new Map<string, string>();
  for (const part of rest.split(",").filter(Boolean)) {
    const [key = "", value = ""] = part.split(/=(.*)/s);
    const check = CHECK[key];
    if (check === undefined)
      throw new Unitserror(`unknown ${key}`, `there are ${Object.keys(CHECK).join(", ")}`);
    check(value);
    if (given.has(key)) throw new Unitserror(`${name} is given ${key} twice`);
    given.set(key, value);
  }
  const { rtt, version, fs, ...link } = Object.fromEntries(given) as Partial<
    Record<string, string>
  >;
  if (rtt === undefined) throw new Unitserror("how far is it?", `write it as ${name}:rtt=50ms`);
  return {
    name,
    link: { rtt, ...link },
    ...(version !== undefined && { version }),
    ...(fs !== undefined && { fs }),
  };
}

/** The machine as text again: hosttext(hostof(t)) says what t says. */
export function hosttext({ name, link, version, fs }: Simhost): string {
  const parts = Object.entries({ ...link, version, fs }).filter(([, v]) => v !== undefined);
  return `${name}:${parts.map(([key, v]) => `${key}=${v ?? ""}`).join(",")}`;
}

/** Throws unless it is a version of 9P. */
export function checkversion(version: string): void {
  if (!VERSIONS.includes(version))
    throw new Unitserror(`bad version '${version}': there are ${VERSIONS.join(", ")}`);
}

/** Throws when two machines have one name. */
export function distinct(hosts: readonly Simhost[]): void {
  const names = hosts.map((h) => h.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Unitserror(`${twice} is given twice`);
}

/** The machine that a program runs on, what is to be mounted there, and how everything ends. */
export type Here = {
  readonly kernel: Booted;
  readonly mounts: readonly Mount[];
  readonly shutdown: () => Promise<void>;
};

/** Boots a machine as `opts` say, and the others around it. `best` is what those speak that do not say. */
export async function boothosts(
  opts: Bootopts,
  net: {
    readonly hosts: readonly Simhost[];
    readonly seed: number;
    readonly best?: string | undefined;
  },
): Promise<Here> {
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
