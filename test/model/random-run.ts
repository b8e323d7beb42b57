// A run of the property test: machines with file servers, links of chance, and processes that make their
// operations at once, each compared with what the model says. Processes keep to files of their own, so
// that results are exact whatever order they come in.

import { DMDIR, MCREATE, MREPL, OREAD, RFFDG, RFNAMEG, RFPROC } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { type Net, type Netlink, simnet } from "../../userland/boot/net.ts";
import { dial } from "../../userland/lib/dial.ts";
import { Enonexist, Eperm } from "../../kernel/abi/errors.ts";
import { run } from "../kit/kit.ts";
import { mkdir } from "../kit/world.ts";
import { Caller, entries } from "./random-calls.ts";
import type { Got } from "./random-calls.ts";
import { Fidcount } from "./random-fids.ts";
import { type Attack, hostile } from "./random-hostile.ts";
import { ModelNames } from "./random-names.ts";
import { Modelproc, digest } from "./random-operations.ts";
import type { Op, Result } from "./random-operations.ts";
import { type Server, quickhost, serve } from "./random-servers.ts";
import type { Ref, Space } from "./random-space.ts";
import { ModelStandard } from "./random-standard.ts";
import { File, entry, fileentry } from "./random-tree.ts";

/** What makes a run: all of it can be printed and tried again. */
export type Case = {
  readonly seed: number;
  readonly namespace: "names" | "standard";
  readonly version: string;
  readonly rtt: string;
  readonly jitter: string;
  readonly loss: string;
  /** All processes share one name space; else each has its own. */
  readonly shared: boolean;
  /** Milliseconds at which links stall, by turns. */
  readonly stalls: readonly number[];
  readonly procs: readonly (readonly Op[])[];
  /** One server is an exportfs over a slow tree with so many hostile clients; null: it is a ramfs as the others. */
  readonly hostile: number | null;
};

/** Nanoseconds that each operation of each process took. */
type Times = readonly (readonly number[])[];

export const SHARED: readonly string[] = ["a", "b", "c"];
const DIR = DMDIR + 0o777;
/** Of so many runs one counts the fids from the messages, too, and looks at all files as a program does. */
const CLOSELY = 8;

/** What an operation may take longer because of a hostile client: 100 ms. */
const PATIENCE = 100_000_000;
/** The server that hostile clients call, which the others use most, and the directory there that they work in. */
const PREY = "a";
export const HOSTILE = "hostile";

/** Does a run; throws where the kernel and the model disagree, or where something is left. */
export async function runcase(c: Case): Promise<Times> {
  const r = new Run(c);
  await r.boot();
  await r.run();
  await r.end();
  return r.times;
}

/**
 * Does a run with hostile clients, and one without where it can tell more: answers are the same, and take hardly
 * longer. Operations that took no longer than PATIENCE beside the hostile clients took no more of it longer.
 */
export async function runhostile(c: Case): Promise<void> {
  const beside = await runcase(c);
  if (beside.every((times) => times.every((ns) => ns <= PATIENCE))) return;
  const alone = await runcase({ ...c, hostile: 0 });
  for (const [p, times] of alone.entries())
    for (const [i, ns] of times.entries()) {
      const longer = (beside[p]?.[i] ?? Infinity) - ns;
      if (longer > PATIENCE)
        throw new Error(
          `process ${p}, operation ${i}: ${ns} ns alone, ${longer} more beside the hostile`,
        );
    }
}

class Run {
  readonly #case: Case;
  readonly #net: Net;
  readonly #links: Netlink[] = [];
  readonly #models: Map<string, File> = new Map();
  readonly #servers: Map<string, Server> = new Map();
  readonly #root: File = new File(null, "/", DIR, "local");
  readonly #qids: Map<File, bigint> = new Map();
  readonly #log: string[] = [];
  readonly times: number[][];
  #here: Booted | null = null;
  /** Where the hostile clients are. */
  #there: Booted | null = null;
  #fids: Fidcount | null = null;

  constructor(c: Case) {
    this.#case = c;
    this.times = c.procs.map(() => []);
    this.#net = simnet({ seed: c.seed, anyorder: true, host: quickhost });
  }

  async boot(): Promise<void> {
    const { namespace, version, rtt, jitter, loss, procs, hostile, seed } = this.#case;
    this.#here = await this.#net.boot("here", { namespace });
    if (this.#closely) this.#fids = new Fidcount(this.#here.trace);
    if (hostile !== null) this.#there = await this.#net.boot("there");
    for (const name of [...SHARED, ...mounted(procs)]) {
      const below = this.#isprey(name) ? { seed, hostile: `/${HOSTILE}` } : null;
      const plant = SHARED.includes(name) ? planter(procs.length, below !== null) : noplant;
      this.#servers.set(name, await serve(this.#net, name, { version, plant, below }));
      if (below !== null) this.#net.link("there", name, { rtt: "3ms" });
      this.#links.push(this.#net.link("here", name, { rtt, jitter, loss }));
    }
    for (const name of [...SHARED, ...procs.map((_, i) => `m${i}`)])
      this.#models.set(
        name,
        this.#isprey(name) ? new File(null, "/", DIR, "exportfs") : new File(null, ".", DIR),
      );
    await pass(this.#net, 1);
  }

  /** Whether a server is the exportfs that hostile clients call. */
  #isprey(name: string): boolean {
    return this.#case.hostile !== null && name === PREY;
  }

  get #closely(): boolean {
    return this.#case.seed % CLOSELY === 0;
  }

  async run(): Promise<void> {
    const here = this.#here;
    if (here === null) return;
    const before = this.#net.audit();
    const descriptors = this.#descriptors();
    const attacks = this.#attacks();
    const { status } = await run(here, (sys: Sys) => this.#main(sys));
    for (const s of this.#servers.values()) s.mustlive();
    if (status !== "") throw new Error(status);
    await Promise.all(attacks.map((p) => p.wait()));
    await pass(this.#net, 60_000);
    same("what is left", this.#net.audit(), before);
    same("descriptors of the servers", this.#descriptors(), descriptors);
  }

  #descriptors(): number[] {
    return [...this.#servers.values()].map((s) => s.ndescriptors);
  }

  /** Starts the hostile clients. */
  #attacks(): Process[] {
    const { hostile: each, version, seed } = this.#case;
    const there = this.#there;
    const list: Process[] = [];
    if (there === null || each === null) return list;
    for (let n = 0; n < each; n++) {
      const attack: Attack = {
        addr: `tcp!${PREY}!564`,
        version,
        dir: HOSTILE,
        seed: (seed ^ Math.imul(n + 1, 0x9e3779b1)) | 0,
        wrong: (text) => this.#log.push(`server ${PREY}: ${text}`),
      };
      list.push(there.spawn(hostile.bind(null, attack), ["hostile"]));
    }
    return list;
  }

  async end(): Promise<void> {
    await this.#net.shutdown();
    for (const [name, audit] of Object.entries(this.#net.audit()))
      same(name, audit, { procs: [], chans: [], fids: [], tags: [] });
  }

  /** Mounts the servers, starts the processes, waits for them, and looks at everything that there is. */
  async #main(sys: Sys): Promise<void> {
    const space = await this.#mountall(sys);
    const { procs, shared } = this.#case;
    const inside = async (leader: Sys): Promise<void> => {
      const one = space.fork();
      for (const [i, ops] of procs.entries()) {
        const m = this.#proc(i, shared ? one : space.fork());
        const main = async (s: Sys): Promise<void> => {
          await this.#process(m, new Caller(s, i), ops, this.times[i]);
          m.exit();
        };
        await leader.rfork(RFPROC | RFFDG | (shared ? 0 : RFNAMEG), guard(this.#log, main));
      }
      for (const _ of procs) await leader.wait();
    };
    await sys.rfork(RFPROC | RFFDG | RFNAMEG, guard(this.#log, inside));
    for (const [i, ms] of this.#case.stalls.entries()) {
      await sys.sleep(ms);
      this.#links[i % this.#links.length]?.stall("300ms");
    }
    await sys.wait();
    if (this.#log.length > 0) throw new Error(this.#log.join("\n"));
    await sys.sleep(60_000);
    for (const name of SHARED) {
      const model = this.#models.get(name) ?? this.#root;
      const files = this.#servers.get(name)?.tree("", withdata).filter(isours);
      same(
        `files of ${name}`,
        files,
        dump(model, (f) => `${fileentry(f)} ${digest(f.data)}`),
      );
      if (!this.#closely) continue;
      const seen = await treeof(sys, `/n/${name}`);
      same(`files seen of ${name}`, seen, dump(model, fileentry));
    }
    if (this.#closely) await sys.sleep(60_000);
    this.#checkfids();
  }

  #proc(who: number, space: Space): Modelproc {
    const own = this.#models.get(`m${who}`) ?? this.#root;
    const ref = { file: this.#root, att: 0 };
    return new Modelproc({ who, space, own, dot: { elems: [], ref, covered: new Map() } });
  }

  async #mountall(sys: Sys): Promise<Space> {
    const n = new File(this.#root, "n", DIR);
    this.#root.files.set("n", n);
    const root: Ref = { file: this.#root, att: 0 };
    const dot = { elems: [], ref: root, covered: new Map() };
    const space =
      this.#case.namespace === "names"
        ? new ModelNames(root, this.#case.version !== "9P2000")
        : new ModelStandard(root);
    for (const [i, name] of SHARED.entries()) {
      n.files.set(name, new File(n, name, DIR));
      await mkdir(sys, `/n/${name}`);
      await sys.mount(await dial(sys, `tcp!${name}!564`), -1, `/n/${name}`, MREPL | MCREATE, "");
      const file = this.#models.get(name) ?? this.#root;
      space.mount(dot, { file, att: i + 1 }, `/n/${name}`, MREPL | MCREATE);
      if (this.#isprey(name)) file.create(HOSTILE, DIR).opens = 0;
      for (const p of this.#case.procs.keys()) plant(file, `p${p}`);
    }
    return space;
  }

  async #process(m: Modelproc, c: Caller, ops: readonly Op[], times?: number[]): Promise<void> {
    for (const [i, op] of ops.entries()) {
      const want = m.take(op);
      if (want === null) continue;
      const began = this.#net.now;
      const got = op.op === "fork" ? await this.#fork(m, c, op) : await c.make(op);
      times?.push(this.#net.now - began);
      const wrong = this.#compare(want, got);
      if (wrong === null) continue;
      this.#log.push(`process ${m.who}, operation ${i}, ${JSON.stringify(op)}\n${wrong}`);
      break;
    }
  }

  async #fork(m: Modelproc, c: Caller, op: Extract<Op, { op: "fork" }>): Promise<Got> {
    const child = m.fork(op.nameg);
    const main = (s: Sys): Promise<void> =>
      this.#process(child, new Caller(s, m.who, c.fds), op.ops);
    const flags = RFPROC | RFFDG | (op.nameg ? RFNAMEG : 0);
    await c.sys.rfork(flags, guard(this.#log, main));
    await c.sys.wait();
    child.exit();
    return { text: "ok", qids: [] };
  }

  /**
   * Why they are not the same; null when they are. Each file has one qid, and no two have the same. An exportfs
   * walks by whole names, so it may not learn that a directory may not be searched, but only that a walk ended.
   */
  #compare(want: Result, got: Got): string | null {
    const failed = (text: string): boolean => text.startsWith("error ");
    if (want.loose === true && !failed(got.text)) return null;
    if (this.#case.hostile !== null && got.text === want.text.replace(Eperm, Enonexist))
      return null;
    if (want.text !== got.text && want.or !== got.text)
      return `is     ${got.text}\nshould ${want.text}`;
    for (const [i, file] of want.files.entries()) {
      const qid = got.qids[i];
      if (qid === undefined) continue;
      const known = this.#qids.get(file);
      if (known === undefined) this.#qids.set(file, qid);
      else if (known !== qid) return `another file: qid ${qid}, not ${known}`;
    }
    return null;
  }

  /** Everything but the mounts is gone: one fid for each server, here and there. */
  #checkfids(): void {
    for (const s of this.#servers.values()) s.mustlive();
    const fids = [...this.#servers.values()].map((s) => s.nfids);
    same(
      "fids at the servers",
      fids,
      [...this.#servers.keys()].map((s) => Number(SHARED.includes(s))),
    );
    if (this.#fids !== null) same("fids by the messages", this.#fids.count(), SHARED.length);
    same("fids here", this.#here?.audit().fids.length, SHARED.length);
    same("tags here", this.#here?.audit().tags, []);
  }
}

/** Lets so many milliseconds of virtual time pass, without a process that lives meanwhile. */
export function pass({ sched }: Net, ms: number): Promise<void> {
  return new Promise((resolve) =>
    sched.timer(ms * 1e6, () => {
      sched.touch();
      resolve();
    }),
  );
}

/** A program whose crash is told. */
function guard(log: string[], main: (sys: Sys) => Promise<void>): (sys: Sys) => Promise<void> {
  return async (sys) => {
    try {
      await main(sys);
    } catch (e) {
      log.push(e instanceof Error ? (e.stack ?? e.message) : String(e));
    }
  };
}

/** Whether both are the same, part by part: less work than their texts. */
function equal(got: unknown, want: unknown): boolean {
  if (got === want) return true;
  if (Array.isArray(got) && Array.isArray(want))
    return got.length === want.length && got.every((x: unknown, i) => equal(x, want[i]));
  if (typeof got !== "object" || typeof want !== "object" || got === null || want === null)
    return false;
  const keys = Object.keys(got);
  return (
    keys.length === Object.keys(want).length &&
    keys.every((key) => equal(Reflect.get(got, key), Reflect.get(want, key)))
  );
}

/** Throws unless both are the same. */
export function same(what: string, got: unknown, want: unknown): void {
  if (equal(got, want)) return;
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what}:\nis     ${a}\nshould ${b}`);
}

const CONTENTS = new TextEncoder().encode("contents");
const PLANTED: readonly string[] = ["x", "x/y", "y"];
const FILES: readonly string[] = ["z", "x/z"];
/** Both, with the directory that each is in: "" is the process's own. */
const INPLACE: readonly { readonly path: string; readonly dir: string; readonly name: string }[] = [
  ...PLANTED,
  ...FILES,
].map((path) => ({
  path,
  dir: path.slice(0, Math.max(0, path.lastIndexOf("/"))),
  name: path.slice(path.lastIndexOf("/") + 1),
}));

/** What every process finds in its directory: in the model, and at a server. */
function plant(root: File, name: string): void {
  const made = root.create(name, DIR);
  made.opens = 0;
  const dirs = new Map([["", made]]);
  for (const { path, dir, name: last } of INPLACE) {
    const isdir = PLANTED.includes(path);
    const f = (dirs.get(dir) ?? made).create(last, isdir ? DIR : 0o666);
    if (isdir) dirs.set(path, f);
    else f.write(CONTENTS, 0);
    f.opens = 0;
  }
}

/** A line of a tree that is not below the hostile clients' directory. */
const isours = (line: string): boolean => !line.startsWith(`/${HOSTILE}/`);

function planter(procs: number, attacked: boolean): (s: Server) => void {
  return (s) => {
    if (attacked) plantprey(s);
    for (let p = 0; p < procs; p++) {
      s.mkdir(`p${p}`);
      for (const dir of PLANTED) s.mkdir(`p${p}/${dir}`);
      for (const f of FILES) s.put(`p${p}/${f}`, CONTENTS);
    }
  };
}

/** What hostile clients work on. */
function plantprey(s: Server): void {
  for (const dir of [HOSTILE, `${HOSTILE}/d`]) s.mkdir(dir);
  for (const f of ["f", "g", "d/f", "d/g"]) s.put(`${HOSTILE}/${f}`, CONTENTS);
}

function noplant(): void {}

/** The servers that a process mounts for itself: those of the processes that have such an operation. */
export function mounted(procs: readonly (readonly Op[])[]): string[] {
  const ismount = (op: Op): boolean =>
    op.op === "mount" || (op.op === "fork" && op.ops.some(ismount));
  return procs.flatMap((ops, i) => (ops.some(ismount) ? [`m${i}`] : []));
}

/** A line for a server's file, with its contents. */
export const withdata = (path: string, d: Dir, data: Uint8Array): string =>
  `${path}/${entry(d, d.name)} ${digest(data)}`;

/** All files below one, as lines. */
function dump(f: File, line: (f: File) => string, path = ""): string[] {
  const lines: string[] = [];
  for (const x of [...f.files.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    lines.push(`${path}/${line(x)}`, ...dump(x, line, `${path}/${x.name}`));
  }
  return lines;
}

/** The files below a directory, as a program sees them, but for those of hostile clients. */
export async function treeof(sys: Sys, top: string, path = ""): Promise<string[]> {
  const fd = await sys.open(top + path, OREAD);
  const dirs = await entries(sys, fd);
  await sys.close(fd);
  const lines: string[] = [];
  for (const d of dirs.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    lines.push(`${path}/${entry(d, d.name)}`);
    if ((d.mode & DMDIR) === 0 || d.name === HOSTILE) continue;
    const name = `${path}/${d.name}`;
    // A directory that may not be searched is opened up, now that its entry is known.
    if ((d.mode & 0o111) === 0) await sys.wstat(top + name, { mode: (d.mode | 0o111) >>> 0 });
    lines.push(...(await treeof(sys, top, name)));
  }
  return lines;
}
