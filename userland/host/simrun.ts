// The simulated machines of the command line: --host far:rtt=50ms is a machine with a ramfs, mounted on
// /n/far, and a link to it. The time of a run is virtual with --virtual, so that it shows exactly what
// calls cost; without it, the links take their time for real.

import type { Booted } from "../../kernel/boot.ts";
import type { Bootopts } from "../boot/boot.ts";
import { Usage } from "./command.ts";
import type { Given, Option } from "./command.ts";
import { machine, machineopts } from "./machine.ts";
import type { Mount } from "./mounts.ts";
import { serveramfs, simnet } from "../boot/net.ts";
import type { Linkspec } from "../boot/net.ts";
import { Unitserror, parsechance, parserate, parsetime } from "../boot/units.ts";

/** The options of a command that runs programs: what they run on. */
export const machineoptions: readonly Option[] = [
  {
    name: "mount",
    values: ["ADDR", "DIR"],
    text: "mount the 9P server at ADDR on DIR, which is made if need be; may be repeated",
  },
  { name: "user", values: ["NAME"], text: "who runs the program (default glenda)" },
  {
    name: "host",
    values: ["NAME:rtt=T[,bw=RATE][,jitter=T][,loss=P][,version=V]"],
    text: "a simulated machine with a ramfs, mounted on /n/NAME, so far away; may be repeated",
  },
  {
    name: "version",
    values: ["V"],
    text: "the best version of 9P that these machines speak, where --host does not say",
  },
  { name: "virtual", values: [], text: "time is virtual: it passes only by what things cost" },
  { name: "seed", values: ["N"], text: "where jitter and loss come from (default 0)" },
  {
    name: "namespace",
    values: ["names|standard"],
    text: "which name space the kernel has (default names)",
  },
];

/** A simulated machine that was asked for. */
export type Simhost = { readonly name: string; readonly link: Linkspec; readonly version?: string };

/** The network name of the machine that runs the program. */
export const HERE = "gnot";
const VERSIONS = ["9P2000", "9P2000.ix", "9P2000.ix.stream"];

const CHECK: Readonly<Record<string, (value: string) => unknown>> = {
  rtt: parsetime,
  bw: parserate,
  jitter: parsetime,
  loss: parsechance,
  version: checkversion,
};

/** NAME:rtt=T[,bw=RATE]... taken apart. */
export function hostof(text: string): Simhost {
  const [, name = "", rest = ""] = /^([^:]*):?(.*)$/s.exec(text) ?? [];
  if (!/^[A-Za-z][\w.-]*$/.test(name) || name === HERE || name === "localhost")
    throw new Usage(`--host ${text}: '${name}' is no name for a machine`, "--host far:rtt=50ms");
  const given: Record<string, string> = {};
  for (const part of rest.split(",").filter(Boolean)) {
    const [key = "", value = ""] = part.split(/=(.*)/s);
    const check = CHECK[key];
    if (check === undefined)
      throw new Usage(
        `--host ${text}: unknown ${key}`,
        `there are ${Object.keys(CHECK).join(", ")}`,
      );
    checked(`--host ${text}`, () => check(value));
    given[key] = value;
  }
  const { rtt, version, ...link } = given;
  if (rtt === undefined)
    throw new Usage(`--host ${text}: how far is it?`, `--host ${name}:rtt=50ms`);
  return { name, link: { rtt, ...link }, ...(version !== undefined && { version }) };
}

function checkversion(version: string): void {
  if (!VERSIONS.includes(version))
    throw new Unitserror(`bad version '${version}': there are ${VERSIONS.join(", ")}`);
}

function checked<T>(what: string, fn: () => T): T {
  try {
    return fn();
  } catch (e) {
    throw e instanceof Unitserror ? new Usage(`${what}: ${e.message}`) : e;
  }
}

/** What --virtual and --namespace say of a kernel. */
export function bootof(given: Given, dflt: Bootopts = {}): Bootopts {
  const namespace = given.get("namespace") ?? dflt.namespace ?? "names";
  if (namespace !== "names" && namespace !== "standard")
    throw new Usage(`--namespace ${namespace}: there are names and standard`);
  return { namespace, clock: given.has("virtual") ? "virtual" : (dflt.clock ?? "real") };
}

/** What --seed says. */
export function seedof(given: Given): number {
  const text = given.get("seed") ?? "0";
  if (!/^\d{1,10}$/.test(text)) throw new Usage(`--seed ${text}: a number, such as 1`);
  return Number(text);
}

/** The machine that a command's program runs on, what is to be mounted there, and how everything ends. */
export type Here = {
  readonly kernel: Booted;
  readonly mounts: readonly Mount[];
  readonly shutdown: () => Promise<void>;
};

/** Boots what the options ask for: a machine, or several. */
export async function bootgiven(given: Given, opts: Bootopts): Promise<Here> {
  const hosts = given.all("host").map(([text = ""]) => hostof(text));
  const seed = seedof(given);
  const best = given.get("version");
  if (best !== undefined) checked(`--version ${best}`, () => checkversion(best));
  const all = { ...opts, ...bootof(given, opts) };
  if (hosts.length > 0) return await bootsim(all, { hosts, seed, best });
  const kernel = await machine(all);
  return { kernel, mounts: [], shutdown: () => kernel.shutdown() };
}

type Sim = {
  readonly hosts: readonly Simhost[];
  readonly seed: number;
  readonly best: string | undefined;
};

async function bootsim(opts: Bootopts, { hosts, seed, best }: Sim): Promise<Here> {
  const names = hosts.map((h) => h.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Usage(`--host ${twice} is given twice`);
  const net = simnet({ seed, clock: opts.clock ?? "virtual" });
  const kernel = await net.boot(HERE, machineopts(opts));
  for (const { name, link, version = best } of hosts) {
    await serveramfs(await net.boot(name), "tcp!*!9fs", version === undefined ? {} : { version });
    net.link(HERE, name, link);
  }
  const mounts = names.map((name) => ({ addr: `tcp!${name}!9fs`, dir: `/n/${name}` }));
  return { kernel, mounts, shutdown: () => net.shutdown() };
}
