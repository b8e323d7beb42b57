// The simulated machines of the command line: --host far:rtt=50ms is a machine with a ramfs, mounted on
// /n/far, and a link to it. The time of a run is virtual with --virtual, so that it shows exactly what
// calls cost; without it, the links take their time for real.

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bootopts } from "../boot/boot.ts";
import { patience } from "./patience.ts";
import { Usage } from "./command.ts";
import type { Given, Option } from "./command.ts";
import { tlsoption } from "./door.ts";
import { Injecting, injectoption } from "./inject.ts";
import { machine, machineopts } from "./machine.ts";
import { boothosts } from "../boot/hosts.ts";
import { checkversion, distinct, hostof } from "../boot/simhost.ts";
import type { Here } from "../boot/hosts.ts";
import { Unitserror } from "../boot/units.ts";

/** The options of a command that runs programs: what they run on. */
export const machineoptions: readonly Option[] = [
  {
    name: "mount",
    values: ["ADDR", "DIR"],
    text: "mount the 9P server at ADDR on DIR, which is made if need be; may be repeated",
  },
  tlsoption,
  {
    name: "user",
    values: ["NAME"],
    text: "who runs the program (default glenda; with --tls, the user of the certificate)",
  },
  {
    name: "host",
    values: ["NAME:rtt=T[,bw=RATE][,jitter=T][,loss=P][,version=V][,fs=F]"],
    text: "a simulated machine so far away, mounted on /n/NAME, with a ramfs or, by fs=fossil, a fossil; may be repeated",
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
  injectoption,
];

/** Runs a check of boot/; a Unitserror of it becomes a Usage that names the option. */
function checked<T>(what: string, fn: () => T): T {
  try {
    return fn();
  } catch (e) {
    throw e instanceof Unitserror ? new Usage(`${what}: ${e.message}`, e.hint) : e;
  }
}

/** The boot options that --virtual and --namespace stand for. */
function bootof(given: Given, dflt: Bootopts = {}): Bootopts {
  const namespace = given.get("namespace") ?? dflt.namespace ?? "names";
  if (namespace !== "names" && namespace !== "standard")
    throw new Usage(`--namespace ${namespace}: there are names and standard`);
  return { namespace, clock: given.has("virtual") ? "virtual" : (dflt.clock ?? "real") };
}

/** Who runs the program: --user, or the user that the certificate of --tls names; null if neither says so. */
export function userof(given: Given): string | null {
  const user = given.get("user");
  const dir = given.get("tls");
  if (user !== undefined || dir === undefined) return user ?? null;
  const file = join(dir, "cert.pem");
  try {
    // A certificate's subject has lines such as "CN=glenda", which name its user.
    const { subject } = new X509Certificate(readFileSync(file));
    return /^CN=(.+)$/m.exec(subject)?.[1] ?? null;
  } catch (e) {
    if (e instanceof Error && "code" in e && e.code === "ENOENT") return null;
    throw new Usage(`--tls ${dir}: ${file} holds no certificate`);
  }
}

/** The number of --seed, 0 unless given. */
export function seedof(given: Given): number {
  const text = given.get("seed") ?? "0";
  if (!/^\d{1,10}$/.test(text)) throw new Usage(`--seed ${text}: a number, such as 1`);
  return Number(text);
}

/** Boots what the options ask for: a machine, or several. */
export async function bootgiven(
  given: Given,
  opts: Bootopts,
): Promise<Here & { readonly faults: Injecting }> {
  const faults = new Injecting(given);
  const inject = given.has("inject") ? { inject: faults.faults } : {};
  const hosts = given
    .all("host")
    .map(([text = ""]) => checked(`--host ${text}`, () => hostof(text)));
  const seed = seedof(given);
  const best = given.get("version");
  if (best !== undefined) checked(`--version ${best}`, () => checkversion(best));
  const user = userof(given);
  const all = { ...opts, ...bootof(given, opts), ...inject, ...(user !== null && { user }) };
  const dir = given.get("tls");
  if (hosts.length > 0) {
    if (dir !== undefined)
      throw new Usage("--tls means nothing with --host", "simulated machines have no TLS");
    checked("--host", () => distinct(hosts));
    return { faults, ...patient(await boothosts(machineopts(all), { hosts, seed, best })) };
  }
  const kernel = await machine(all, dir === undefined ? {} : { dir });
  return { faults, ...patient({ kernel, mounts: [], shutdown: () => kernel.shutdown() }) };
}

/** Tells the terminal when a server is silent for long; ends this at the shutdown. */
function patient(here: Here): Here {
  const end = patience(here.kernel);
  const shutdown = (): Promise<void> => {
    end();
    return here.shutdown();
  };
  return { ...here, shutdown };
}
