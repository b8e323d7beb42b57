// Random operations while links are cut and healed, and processes killed and sent notes. What succeeds
// depends on when. Three things must hold: calls fail with Plan 9's words, nothing is left behind, here or at the
// servers, and no file is touched but those that were named.

import { MCREATE, MREPL, NCONT, OWRITE, RFFDG, RFNAMEG, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { type Net, type Netlink, simnet } from "../../userland/boot/net.ts";
import { dial } from "../../userland/lib/dial.ts";
import { run } from "../kit/kit.ts";
import { mkdir } from "../kit/world.ts";
import { Caller } from "./random-calls.ts";
import { Fidcount } from "./random-fids.ts";
import type { Op } from "./random-operations.ts";
import { SHARED, mounted, pass, same, treeof, withdata } from "./random-run.ts";
import { type Server, quickhost, serve } from "./random-servers.ts";

/** What happens beside the operations: after so many milliseconds, to the n-th link or process. */
export type Fault = {
  readonly what: "cut" | "heal" | "stall" | "kill" | "note";
  readonly after: number;
  readonly n: number;
};

export type Faultcase = {
  readonly seed: number;
  readonly namespace: "names" | "standard";
  readonly version: string;
  readonly rtt: string;
  readonly faults: readonly Fault[];
  readonly procs: readonly (readonly Op[])[];
  /** Servers are exportfs over a slow tree. */
  readonly exported: boolean;
};

/** Cut, a link says the first three; then nobody answers a call, and a server that is gone cannot be walked. */
const WORDS =
  /interrupted|i\/o error|i\/o on hungup channel|clone failed|connection timed out|does not exist|not a directory|permission denied|file already exists|file exists|cannot exec directory|create without DMDIR|inconsistent mount|is a mount point|not mounted|not in union|mounted directory forbids creation|directory not empty|inappropriate use of fd|file is a directory|exclusive use file already open/;

const KEEP = "keep";
/** Below an exportfs calls fail whose names have this in them: those of the first process. */
const FAILING = "/p0";
const CONTENTS = new TextEncoder().encode("contents");
/** Of so many runs one counts the fids from the messages, too. */
const CLOSELY = 8;

/** Does a run; throws where something is not as it must be. */
export async function runfaults(c: Faultcase): Promise<void> {
  const net = simnet({ seed: c.seed, anyorder: true, host: quickhost });
  const here = await net.boot("here", { namespace: c.namespace });
  const links: Netlink[] = [];
  const servers = new Map<string, Server>();
  const dirs = [...c.procs.map((_, i) => `p${i}`), KEEP];
  const below = c.exported ? { seed: c.seed, hostile: FAILING } : null;
  for (const name of [...SHARED, ...mounted(c.procs)]) {
    const plant = (s: Server): void => (SHARED.includes(name) ? planted(s, dirs) : undefined);
    servers.set(name, await serve(net, name, { version: c.version, plant, below }));
    links.push(net.link("here", name, { rtt: c.rtt, jitter: "5ms" }));
  }
  const count = c.seed % CLOSELY === 0 ? new Fidcount(here.trace) : null;
  const faults = new Faults(c, { net, links, servers, count });
  await pass(net, 1);
  const before = net.audit();
  const descriptors = [...servers.values()].map((s) => s.ndescriptors);
  const { status } = await run(here, (sys: Sys) => faults.main(sys));
  same("exit status", status, "");
  for (const l of links) l.heal();
  await pass(net, 600_000);
  same("what is left", net.audit(), before);
  same(
    "descriptors of the servers",
    [...servers.values()].map((s) => s.ndescriptors),
    descriptors,
  );
  for (const [name, s] of servers) same(`fids at ${name}`, s.nfids, 0);
  await net.shutdown();
}

/** A directory for each process, and one that none names. */
function planted(s: Server, dirs: readonly string[]): void {
  for (const dir of dirs) {
    for (const d of ["", "/x", "/x/y", "/y"]) s.mkdir(dir + d);
    for (const f of ["z", "x/z", "y/x"]) s.put(`${dir}/${f}`, CONTENTS);
  }
}

/** What a run is on. */
type World = {
  readonly net: Net;
  readonly links: readonly Netlink[];
  readonly servers: ReadonlyMap<string, Server>;
  readonly count: Fidcount | null;
};

class Faults {
  readonly #case: Faultcase;
  readonly #net: Net;
  readonly #links: readonly Netlink[];
  readonly #servers: ReadonlyMap<string, Server>;
  readonly #count: Fidcount | null;
  readonly #wrong: string[] = [];
  readonly #cut = new Set<number>();
  readonly #pids: number[] = [];

  constructor(c: Faultcase, { net, links, servers, count }: World) {
    this.#case = c;
    this.#net = net;
    this.#links = links;
    this.#servers = servers;
    this.#count = count;
  }

  async main(sys: Sys): Promise<void> {
    for (const name of SHARED) {
      await mkdir(sys, `/n/${name}`);
      await this.#mount(sys, name);
    }
    const kept = this.#kept();
    for (const [i, ops] of this.#case.procs.entries()) {
      const main = (s: Sys): Promise<void> => this.#process(s, i, ops);
      this.#pids.push(await sys.rfork(RFPROC | RFFDG | RFNAMEG, main));
    }
    for (const f of this.#case.faults) {
      await sys.sleep(f.after);
      await this.#fault(sys, f);
    }
    for (const _ of this.#case.procs) await sys.wait();
    for (const l of this.#links) l.heal();
    await sys.sleep(600_000);
    if (this.#wrong.length > 0) throw new Error(this.#wrong.join("\n"));
    this.#checkfids();
    for (const name of SHARED.filter((_, i) => this.#cut.has(i))) {
      await this.#mount(sys, name);
      same("a server mounted again", await treeof(sys, `/n/${name}/${KEEP}/x`), [
        "/y 20000000777 0",
        "/z 666 8",
      ]);
    }
    same("what no process named", this.#kept(), kept);
  }

  /** Each mount whose link was never cut has one fid at its server; no other fid is left. */
  #checkfids(): void {
    const live = SHARED.filter((_, i) => !this.#cut.has(i));
    for (const [name, s] of this.#servers)
      same(`fids at ${name}`, s.nfids, live.includes(name) ? 1 : 0);
    if (this.#count !== null) same("fids by the messages", this.#count.count(), live.length);
    same("tags here", this.#net.audit()["here"]?.tags, []);
  }

  async #mount(sys: Sys, name: string): Promise<void> {
    await sys.mount(await dial(sys, `tcp!${name}!564`), -1, `/n/${name}`, MREPL | MCREATE, "");
  }

  #kept(): (string[] | undefined)[] {
    return SHARED.map((name) => this.#servers.get(name)?.tree(KEEP, withdata));
  }

  async #process(sys: Sys, who: number, ops: readonly Op[]): Promise<void> {
    await sys.notify(() => sys.noted(NCONT));
    const c = new Caller(sys, who);
    for (const op of ops) {
      if (!isown(op) || ("fd" in op && !opens(op) && (c.fds[op.fd] ?? null) === null)) continue;
      const { text } = await c.make(op);
      if (text.startsWith("error ") && !WORDS.test(text))
        this.#wrong.push(`process ${who}, ${JSON.stringify(op)}: ${text}`);
    }
  }

  async #fault(sys: Sys, f: Fault): Promise<void> {
    const at = f.n % this.#links.length;
    const pid = this.#pids[f.n % this.#pids.length] ?? 0;
    switch (f.what) {
      case "cut":
        this.#cut.add(at);
        this.#links[at]?.cut();
        break;
      case "heal":
        this.#links[at]?.heal();
        break;
      case "stall":
        this.#links[at]?.stall("100ms");
        break;
      case "kill":
        await tell(sys, `/proc/${pid}/ctl`, "kill");
        break;
      case "note":
        await tell(sys, `/proc/${pid}/note`, "a note");
        break;
      default:
    }
  }
}

const opens = (op: Op): boolean => op.op === "open" || op.op === "create" || op.op === "put";

/** An operation whose names are whole, and so the process's own wherever it is. */
function isown(op: Op): boolean {
  if (op.op === "fork" || op.op === "chdir") return false;
  const names: string[] = [];
  if ("name" in op && op.name !== null) names.push(op.name);
  if ("old" in op) names.push(op.old);
  return names.every((n) => n.startsWith("/n/") && !n.includes(".."));
}

/** Writes to a file of device p; the process may be gone. */
async function tell(sys: Sys, name: string, text: string): Promise<void> {
  try {
    const fd = await sys.open(name, OWRITE);
    try {
      await sys.write(fd, new TextEncoder().encode(text));
    } finally {
      await sys.close(fd);
    }
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}
