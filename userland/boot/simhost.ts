// Simulated machines as texts. "far:rtt=50ms,bw=600KB/s" is a machine with a ramfs (or, with fs=fossil, a fossil),
// mounted on /n/far, and a link to it. The command line and the page read the same texts; boothosts (hosts.ts)
// makes the machines. What is wrong with such a text is a Unitserror.

import { nullproto } from "../../kernel/abi/nullproto.ts";
import { VERSIONS } from "../lib/9p/conn.ts";
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
