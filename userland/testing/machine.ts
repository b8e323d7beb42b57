/// <reference lib="esnext.disposable" preserve="true" />
// The machine of a test: a kernel under virtual time, servers at a distance, programs that run on it and
// what they did, faults, and the check at the end that nothing is left of it all.
//
// What is mounted stays mounted for all its programs: a process of the kit's holds the name space, and each
// program gets a copy of it. So a fid that a program leaves behind is seen at both ends.

import { Buffertty } from "../../kernel/boot.ts";
import type { Booted } from "../../kernel/boot.ts";
import { MCREATE, MREPL, RFENVG, RFFDG, RFNAMEG, RFNOTEG } from "../../kernel/abi/const.ts";
import { Ekilled, PlanError } from "../../kernel/abi/errors.ts";
import { Tattach } from "../../kernel/abi/fcall.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Event } from "../../kernel/trace.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import { Faults } from "../../devices/fault/faults.ts";
import type { Anyfault } from "../../devices/fault/faults.ts";
import type { Main, Sys, Task, TaskMain } from "../../syscalls/sys.ts";
import type { Bootopts } from "../boot/boot.ts";
import { faultfmt, parsefault, unfired } from "../boot/inject.ts";
import { mkpath } from "../boot/mounts.ts";
import { simnet } from "../boot/net.ts";
import type { Net } from "../boot/net.ts";
import { bindir } from "../bin/index.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dial } from "../lib/dial.ts";
import { Hearing } from "../view/record/hearing.ts";
import { Recorder } from "../view/record/recorder.ts";
import { ended } from "./ended.ts";
import { Failure } from "./failure.ts";
import { gather } from "./files.ts";
import type { Files } from "./files.ts";
import { alive, besides } from "./left.ts";
import { Run } from "./run.ts";
import { Server } from "./server.ts";
import { SPIN, watchspin } from "./spin.ts";
import type { Serveropts } from "./server.ts";

/** How to make a machine. */
export type Machineopts = Pick<Bootopts, "files" | "namespace" | "user" | "run"> & {
  /** Where jitter and loss come from, and with `anyorder` which of the ready is next. */
  readonly seed?: number;
  /** Lets any coroutine that is ready be next, to find what depends on the order. */
  readonly anyorder?: boolean;
  /**
   * How long a program may keep everything else from running, in ms of the host's time (default 10,000): one
   * that spins is named on stderr, and its process killed. Infinity: nothing is watched.
   */
  readonly spin?: number;
  /** How many system calls a program may make (default 100,000): one that goes on is ended, and run() throws. */
  readonly calls?: number;
};

/** Calls of a program, unless the machine's options say otherwise. */
const CALLS = 100_000;

const HERE = "here";
/** What a program waits in that has returned. */
const CLOSES = "close of its files at its end";
const Generatorfunction: unknown = Object.getPrototypeOf(function* () {}).constructor;

/** Boots a machine with a clock of its own, on which no time passes but what things cost. */
export async function machine(opts: Machineopts = {}): Promise<Machine> {
  const { seed, anyorder, files, spin = SPIN, calls = CALLS, ...rest } = opts;
  const net = simnet({
    ...(seed !== undefined && { seed }),
    ...(anyorder !== undefined && { anyorder }),
  });
  const faults = new Faults();
  const k = await net.boot(HERE, { ...rest, files: { bin: bindir, ...files }, inject: faults });
  return Machine.start(net, k, { faults, seed: seed ?? 0, spin, calls });
}

/** What a machine is made with. */
type Made = {
  readonly faults: Faults;
  readonly seed: number;
  readonly spin: number;
  readonly calls: number;
};

/** A machine under test. */
export class Machine {
  /** The network that it is on. */
  readonly net: Net;
  /** The kernel that programs run in. */
  readonly kernel: Booted;
  /** The servers, by their names. */
  readonly servers: Map<string, Server> = new Map();
  readonly #faults: Faults;
  readonly #seed: number;
  readonly #spin: number;
  readonly #calls: number;
  readonly #holder: Process;
  /** What happened before a run and its Recorder must know: connections and attaches. */
  readonly #heard: Event[] = [];
  readonly #hosts: string[] = [];
  readonly #runs: Run[] = [];
  /** A program failed or hung, which was told. */
  #failed = false;
  /** What may be alive at the end. */
  #before: readonly string[] = [];
  #ended = false;

  private constructor(net: Net, kernel: Booted, m: Made) {
    this.net = net;
    this.kernel = kernel;
    this.#faults = m.faults;
    this.#seed = m.seed;
    this.#spin = m.spin;
    this.#calls = m.calls;
    kernel.trace.listen((e) => {
      if (e.type === "conn" || (e.type === "send" && e.fcall.type === Tattach)) this.#heard.push(e);
    });
    const nothing = {};
    this.#holder = kernel.spawn((sys: Sys) => sys.rendezvous(nothing, null), ["test"]);
  }

  /** A machine of a kernel that was booted, before anything was done with it. */
  static async start(net: Net, kernel: Booted, how: Made): Promise<Machine> {
    const m = new Machine(net, kernel, how);
    m.#before = await m.#alive();
    return m;
  }

  /** Nanoseconds since it was made. */
  get now(): number {
    return this.net.now;
  }

  /** A machine that serves files, so far away, mounted on /n/NAME. */
  async server(name: string, opts: Serveropts = {}): Promise<Server> {
    const s = await Server.start(this.net, HERE, name, opts);
    this.servers.set(name, s);
    this.#hosts.push(`${name}:rtt=${opts.rtt ?? "1ms"}`);
    const on = opts.on === undefined ? `/n/${name}` : opts.on;
    if (on !== null) await this.mount(s, on);
    return s;
  }

  /** Mounts a server, for all programs from now on, in place of what is mounted there. */
  async mount(server: Server, on: string = `/n/${server.name}`): Promise<void> {
    await this.#do(`mount ${server.name} on ${on}`, function* (sys): Task<void> {
      yield* unmounted(sys, on);
      yield* mkpath(sys, on);
      const fd = yield* dial(sys, `tcp!${server.name}!9fs`);
      yield* sys.mount(fd, -1, on, MREPL | MCREATE, "");
    });
    this.#before = await this.#alive();
  }

  /**
   * Adds faults of 9P messages and of the programs' system calls. Each counts from now on. Throws Unitserror for
   * one that cannot be read.
   *
   *	m.inject("Tread:when=2:error=i/o error", "write:path=/tmp/*:when=2:error=file system full")
   */
  inject(...faults: readonly (string | Anyfault)[]): void {
    for (const f of faults) this.#faults.add(typeof f === "string" ? parsefault(f) : f);
  }

  /** What there is below a name, as programs see it. */
  async files(name = "/tmp"): Promise<Files> {
    let got: Files | string | Uint8Array = {};
    await this.#do(`read ${name}`, function* (sys): Task<void> {
      got = yield* gather(sys, name);
    });
    if (typeof got === "string" || (got as object) instanceof Uint8Array)
      throw new Error(`${name} is a file`);
    return got;
  }

  /** Runs a program to its end, which must be a good one: what it throws is thrown. */
  run(main: Main, ...argv: readonly string[]): Promise<Run>;
  run(main: TaskMain, ...argv: readonly string[]): Promise<Run>;
  async run(main: Main | TaskMain, ...argv: readonly string[]): Promise<Run> {
    const r = await this.#try(main, argv);
    if (r.status === "" && r.crash === undefined && !r.hung) return r;
    this.#failed = true;
    if (r.crash !== undefined && !(r.crash instanceof PlanError)) throw r.crash;
    const endless = `it has made ${this.#calls} calls, and goes on`;
    const how =
      r.waits?.length === 0
        ? endless
        : r.hung
          ? "it waits for ever"
          : `it ended with "${r.status}"`;
    throw new Failure(`${r.what}: ${how}\n\n${r.show()}`, {
      actual: r.hung ? "hangs" : r.status,
      expected: "",
      operator: "run",
    });
  }

  /** Runs a program to its end, whatever that is. One that waits for ever is killed. */
  try(main: Main, ...argv: readonly string[]): Promise<Run>;
  try(main: TaskMain, ...argv: readonly string[]): Promise<Run>;
  try(main: Main | TaskMain, ...argv: readonly string[]): Promise<Run> {
    return this.#try(main, argv);
  }

  async #try(main: Main | TaskMain, argv: readonly string[]): Promise<Run> {
    const name = main.name === "" ? "main" : main.name;
    const rec = new Recorder({ about: this.#about([name, ...argv].join(" ")) });
    for (const e of this.#heard) rec.take(e);
    const off = rec.listen(this.kernel.trace);
    const tty = new Buffertty();
    const time = { began: this.now, ended: -1 };
    const unwatch = watchspin(name, this.#spin);
    const p = this.kernel.spawn(
      copied(main, {
        begin: () => {
          time.began = this.now;
          rec.begin([this.#holder.pid]);
        },
        end: () => (time.ended = this.now),
      }),
      [name, ...argv],
      { like: this.#holder, tty: new Hearing(tty, (to, text) => rec.said(to, text)) },
    );
    const many = (): boolean => rec.recording.calls.length > this.#calls;
    const hung = !(await ended(this.kernel, p, many).finally(unwatch));
    if (hung || time.ended < 0) time.ended = this.now;
    const waits = p.proc.dead
      ? [CLOSES]
      : many()
        ? []
        : rec.recording.calls.filter((c) => c.ended === null).map((c) => c.text);
    if (hung) this.#kill(p.pid);
    const status = await p.wait();
    await this.#settle();
    off();
    const how = { status, output: tty.text(), crash: p.crash, waits: hung ? waits : null, ...time };
    const run = new Run(rec.recording, how);
    this.#runs.push(run);
    return run;
  }

  /** Ends a process that hangs, and those it has started. */
  #kill(pid: number): void {
    for (const proc of this.kernel.procs.values()) if (proc.pid >= pid) proc.kill(Ekilled);
  }

  #about(program: string): ConstructorParameters<typeof Recorder>[0]["about"] {
    const { namespace } = this.kernel.config;
    const [seed, hosts] = [this.#seed, [...this.#hosts]];
    const inject = this.#faults.list.map((i) => faultfmt(i.fault));
    return { program, namespace, clock: "virtual", seed, machine: HERE, hosts, inject };
  }

  /** Runs something of the kit's, in the name space that programs get. */
  async #do(what: string, task: (sys: ThreadSys) => Task<void>): Promise<void> {
    const p = this.kernel.spawn(task, [what], { like: this.#holder });
    if (!(await ended(this.kernel, p))) {
      this.#kill(p.pid);
      throw new Error(`cannot ${what}: it waits for ever`);
    }
    const status = await p.wait();
    if (status !== "") throw new Error(`cannot ${what}: ${status}`);
  }

  /** Lets what is on its way arrive: replies that nobody waits for. */
  async #settle(): Promise<void> {
    for (let s = 1; s < 1e5 && this.kernel.audit().tags.length > 0; s *= 2) await this.#pass(s);
  }

  /** Lets so many seconds pass. */
  #pass(seconds: number): Promise<void> {
    return new Promise((resolve) => this.kernel.sched.timer(seconds * 1e9, resolve));
  }

  async #alive(): Promise<string[]> {
    await this.#settle();
    await this.#pass(1);
    return alive(this.net.audit(), this.servers.values());
  }

  /** Ends everything. Throws when something is left that was not there before, or a fault never happened. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const idle = unfired(this.#faults);
    const lost = this.#faults.list.some((i) => i.fault.effect.what === "drop" && i.done > 0);
    this.#faults.clear();
    const now = await this.#alive();
    // What was dropped stays outstanding, and so does a close that waits for it: no fault of the program's.
    const left = lost ? [] : besides(now, this.#before);
    this.#holder.kill();
    await this.#holder.wait();
    await this.#pass(60);
    const closing = lost && this.kernel.closers.size > 0;
    const here = closing ? [] : alive({ [HERE]: this.kernel.audit() }, []);
    await this.net.shutdown();
    if (this.#failed || this.#runs.some((r) => r.failed)) return;
    const wrong = left.length > 0 ? left : here;
    if (wrong.length > 0)
      throw new Failure(`at the end this is left:\n  ${wrong.join("\n  ")}`, {
        actual: wrong,
        expected: [],
        operator: "end",
      });
    if (idle.length > 0)
      throw new Failure(idle.join("\n"), { actual: idle, expected: [], operator: "end" });
  }

  /** end(), for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

/** Takes away what is mounted there, which may be dead. */
function* unmounted(sys: ThreadSys, on: string): Task<void> {
  try {
    yield* sys.unmount(null, on);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

/** A program in a copy of the name space, descriptors and environment that it is started with. */
function copied(main: Program, tell: { begin(): void; end(): void }): Program {
  const flags = RFNAMEG | RFFDG | RFENVG | RFNOTEG;
  if (main.constructor === Generatorfunction) {
    const task = main as unknown as (sys: ThreadSys, argv: string[]) => Task<unknown>;
    return function* (sys: ThreadSys, argv: string[]): Task<unknown> {
      yield* sys.rfork(flags);
      tell.begin();
      try {
        return yield* task(sys, argv);
      } finally {
        tell.end();
      }
    };
  }
  const program = main as unknown as (sys: Sys, argv: string[]) => unknown;
  return async (sys: Sys, argv: string[]) => {
    await sys.rfork(flags);
    tell.begin();
    try {
      return await program(sys, argv);
    } finally {
      tell.end();
    }
  };
}
