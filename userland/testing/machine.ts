/// <reference lib="esnext.disposable" preserve="true" />
// The machine of a test. It is a kernel under virtual time, with servers at a distance. It runs programs and records what
// they do, puts faults in, and looks at the end that nothing is left.
//
// What is mounted stays mounted for all its programs: a process of the kit's holds the name space, and each
// program gets a copy of it. So a fid that a program leaves behind is seen at both ends.

import type { Booted } from "../../kernel/boot.ts";
import { MCREATE, MREPL } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { Tattach } from "../../kernel/abi/fcall.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Event } from "../../kernel/trace.ts";
import { Faults } from "../../devices/fault/faults.ts";
import type { Anyfault } from "../../devices/fault/faults.ts";
import type { Main, Sys, Task, TaskMain } from "../../syscalls/sys.ts";
import type { Bootopts } from "../boot/boot.ts";
import { thishost } from "../boot/host.ts";
import { faultfmt, parsefault, unfired } from "../boot/inject.ts";
import { mkpath } from "../boot/mounts.ts";
import { simnet } from "../boot/net.ts";
import type { Net } from "../boot/net.ts";
import { Unitserror } from "../boot/units.ts";
import { bindir } from "../boot/bin.ts";
import type { Unread } from "../boot/witness.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dial } from "../lib/dial.ts";
import type { About } from "../view/record/recording.ts";
import { valuefmt } from "../view/words/callfmt.ts";
import type { Course } from "../explore/course.ts";
import { ended } from "./ended.ts";
import { Failure } from "./failure.ts";
import { gather } from "./files.ts";
import type { Files } from "./files.ts";
import { alive, besides, leftwhere } from "./left.ts";
import { LIMITS, limitsof, overrun } from "./limits.ts";
import type { Limitopts, Limits } from "./limits.ts";
import { checkfunction, checkoptions } from "./options.ts";
import { asked, fortest } from "./place.ts";
import { Owners } from "./owners.ts";
import type { Run } from "./run.ts";
import { RUNOPTS, Runner } from "./runner.ts";
import type { Place, Runopts } from "./runner.ts";
import { Server } from "./server.ts";
import { SPIN } from "./spin.ts";
import type { Serveropts } from "./server.ts";
import { young } from "../../kernel/abi/young.ts";

/** How to make a machine. */
export type Machineopts = Pick<Bootopts, "files" | "namespace" | "user" | "run" | "limits"> &
  Limitopts & {
    /** Where jitter and loss come from, and with `anyorder` which of the ready is next. */
    readonly seed?: number;
    /** Lets any coroutine that is ready be next, to find what depends on the order. */
    readonly anyorder?: boolean;
    /**
     * How long a program may keep everything else from running, in ms of the host's time (default 10,000): one
     * that spins is named on stderr, and its process killed. Infinity: nothing is watched.
     */
    readonly spin?: number;
    /** "vm": programs get a memory of their own, unless a run says otherwise; their functions are taken by the text. */
    readonly image?: "native" | "vm";
  };

const OPTS: readonly (keyof Machineopts)[] = [
  "files",
  "namespace",
  "user",
  "run",
  "seed",
  "anyorder",
  "spin",
  "limits",
  "image",
  ...LIMITS,
];

const HERE = "here";
/** Seconds that replies have to arrive in, while other programs run and when none does. */
const BESIDE = 4;
const ALONE = 1e5;

/**
 * Boots a machine with a clock of its own, on which no time passes but what things cost.
 *
 * @param opts its files, name space, user, seed; limits of each program that runs on it
 * @returns the machine
 * @throws TypeError an option that there is not
 * @example
 * ```ts
 * const m = await machine({ files: { lib: { motd: "be nice" } }, calls: 1000 });
 * ```
 */
export function machine(opts: Machineopts = {}): Promise<Machine> {
  return asked(() => newmachine(opts, null));
}

/** A machine whose schedule is a course's; null: the kernel's own. @internal */
export async function newmachine(opts: Machineopts, course: Course | null): Promise<Machine> {
  checkoptions("machine", opts, OPTS);
  const { seed, anyorder, files, spin = SPIN, image = "native", ...others } = opts;
  const { calls: _c, time: _t, host: _h, ...rest } = others;
  const net = simnet({
    ...(seed !== undefined && { seed }),
    ...(anyorder !== undefined && { anyorder }),
    ...(course !== null && { explorer: course, host: course.host }),
  });
  const faults = new Faults();
  const k = await net.boot(HERE, { ...rest, files: { bin: bindir, ...files }, inject: faults });
  const limits = limitsof(opts);
  return Machine.start(net, k, { faults, seed: seed ?? 0, spin, image, limits, course });
}

/** What is wrong at the end: faults that never happened, what is left, what callbacks threw. */
type Finished = {
  readonly idle: readonly string[];
  readonly left: readonly string[];
  /** The same without the calls that made it: alike in all schedules. */
  readonly bare: readonly string[];
  readonly thrown: readonly string[];
};

/** What a machine is made with. */
type Made = {
  readonly faults: Faults;
  readonly seed: number;
  readonly spin: number;
  readonly image: "native" | "vm";
  readonly limits: Limits;
  readonly course: Course | null;
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
  /** Those that need not happen. */
  readonly #maybe = new Set<Anyfault>();
  readonly #seed: number;
  readonly #spin: number;
  readonly #image: "native" | "vm";
  readonly #limits: Limits;
  readonly #course: Course | null;
  readonly #owners = new Owners();
  readonly #holder: Process;
  /** What happened before a run and its Recorder must know: connections and attaches. */
  readonly #heard: Event[] = [];
  readonly #hosts: string[] = [];
  readonly #runs: Run[] = [];
  /** The programs that run. */
  readonly #under: string[] = [];
  /** A program failed or hung, which was told. */
  #failed = false;
  /** What may be alive at the end. */
  #before: readonly string[] = [];
  #ended = false;
  #atfirst: ((faults: Faults) => void) | null = null;
  /** The scene of an everyfault is played on it. */
  #probed = false;

  private constructor(net: Net, kernel: Booted, m: Made) {
    this.net = net;
    this.kernel = kernel;
    this.#faults = m.faults;
    this.#seed = m.seed;
    this.#spin = m.spin;
    this.#image = m.image;
    this.#limits = m.limits;
    this.#course = m.course;
    m.course?.spare(kernel, (p) => this.#owners.iskit(p.pid));
    this.#faults.spared = young((pid: number) => !this.#owners.isrun(pid));
    kernel.trace.listen((e, body) => {
      if (e.type === "conn" || (e.type === "send" && e.fcall.type === Tattach)) this.#heard.push(e);
      this.#owners.take(e, body);
    });
    // Which calls are not awaited, the programs' own calls tell (awaited.ts), and those of a vm program its memory.
    const unread = new WeakMap<Promise<unknown>, Unread>();
    kernel.witness = {
      promise: Promise,
      failed: (p, error, call) => {
        p.then(undefined, () => undefined);
        unread.set(p, { call, error });
      },
      unheard: (p, proc) => {
        const it = unread.get(p);
        if (it !== undefined) this.#owners.unread(proc.pid, p, it);
      },
      read: (p) => this.#owners.read(p),
      crashed: (p, thrown) => this.#owners.crashed(p.pid, thrown),
    };
    const nothing = {};
    const hold = (sys: Sys): Promise<unknown> => sys.rendezvous(nothing, null);
    this.#holder = this.#owners.starting(null, () => kernel.spawn(hold, ["test"]));
  }

  /** Makes the Machine of a kernel that was booted, before anything was done with it. @internal */
  static async start(net: Net, kernel: Booted, how: Made): Promise<Machine> {
    const m = new Machine(net, kernel, how);
    m.#before = await m.#alive();
    return m;
  }

  /**
   * Nanoseconds since the machine was made.
   */
  get now(): number {
    return this.net.now;
  }

  /**
   * Makes a machine that serves files, and mounts it on /n/NAME for all programs from now on.
   *
   * @param name its name: "far"
   * @param opts how far away it is, its files, its version of 9P, or a server of your own
   * @returns the server
   * @throws TypeError an option that there is not
   * @throws Unitserror a time, rate or chance cannot be read
   * @example
   * ```ts
   * const far = await m.server("far", { rtt: "50ms", files: { a: "text" } });
   * ```
   */
  server(name: string, opts: Serveropts = {}): Promise<Server> {
    return asked(() => this.#server(name, opts));
  }

  async #server(name: string, opts: Serveropts): Promise<Server> {
    const s = await Server.start(this.net, HERE, name, opts);
    this.servers.set(name, s);
    this.#hosts.push(`${name}:rtt=${opts.rtt ?? "1ms"}`);
    const on = opts.on === undefined ? `/n/${name}` : opts.on;
    if (on !== null) await this.#mount(s, on);
    else this.#before = await this.#alive();
    return s;
  }

  /**
   * Mounts a server for all programs from now on, in place of what is mounted there.
   *
   * @param server the server
   * @param on the directory, which is made if need be: /n/NAME unless given
   * @returns when it is mounted
   * @throws Error "cannot mount ...": the server cannot be reached
   * @example
   * ```ts
   * far.heal();
   * await m.mount(far);
   * ```
   */
  mount(server: Server, on: string = `/n/${server.name}`): Promise<void> {
    return asked(() => this.#mount(server, on));
  }

  async #mount(server: Server, on: string): Promise<void> {
    await this.#do(`mount ${server.name} on ${on}`, function* (sys): Task<void> {
      yield* unmounted(sys, on);
      yield* mkpath(sys, on);
      const fd = yield* dial(sys, `tcp!${server.name}!9fs`);
      yield* sys.mount(fd, -1, on, MREPL | MCREATE, "");
    });
    this.#before = await this.#alive();
  }

  /**
   * Adds faults of 9P messages and of the programs' system calls. Each counts from now on.
   *
   * @param faults texts as --inject takes them, or what parsefault gave
   * @throws Unitserror a fault cannot be read
   * @throws TypeError it is no fault
   * @example
   * ```ts
   * m.inject("Tread:when=2:error=i/o error", "write:path=/tmp/*:when=2:error=file system full");
   * ```
   */
  inject(...faults: readonly (string | Anyfault)[]): void {
    for (const f of faults)
      if (typeof f !== "string" && (typeof f !== "object" || f === null || !("effect" in f)))
        throw fortest(
          new TypeError(
            `inject: a fault is a text such as "read:when=2:error=i/o error", not ${valuefmt(f)}`,
          ),
        );
    try {
      for (const f of faults) this.#faults.add(typeof f === "string" ? parsefault(f) : f);
    } catch (e) {
      throw e instanceof Unitserror ? fortest(e) : e;
    }
  }

  /** Adds faults that may happen, or not, as the schedule's choice says. @internal */
  maybe(...faults: readonly string[]): void {
    const course = this.#course;
    if (course === null || faults.length === 0) return;
    for (const text of faults) {
      const fault = parsefault(text);
      this.#maybe.add(fault);
      this.#faults.add(fault);
    }
    this.#faults.happens = young(
      (f: Anyfault) => !this.#maybe.has(f) || course.happens(faultfmt(f)),
    );
  }

  /**
   * Reads what there is below a name, as programs see it.
   *
   * @param name a directory: /tmp unless given
   * @returns the files by their names: texts, bytes, objects of files
   * @throws Error "NAME is a file"
   * @throws Error "cannot read NAME: ..."
   * @example
   * ```ts
   * assert.deepEqual(await m.files("/tmp"), { a: "text" });
   * ```
   */
  async files(name = "/tmp"): Promise<Files> {
    let got: Files | string | Uint8Array = {};
    await this.#do(`read ${name}`, function* (sys): Task<void> {
      got = yield* gather(sys, name);
    });
    if (typeof got === "string" || (got as object) instanceof Uint8Array)
      throw new Error(`${name} is a file`);
    return got;
  }

  /**
   * Runs a program to its end, which must be a good one. Several may run at once; each Run has the calls of its
   * own program and of that one's children.
   *
   * @param main the program
   * @param opts its arguments, standard input, environment, directory, user, limits
   * @returns what it did
   * @throws Failure the program fails, hangs or goes beyond a limit; what it throws besides is thrown
   * @throws TypeError an option that there is not
   * @example
   * ```ts
   * await m.run(main, { args: ["a"], stdin: "x\n", env: { n: "1" }, dot: "/n/far", user: "ken" });
   * ```
   */
  run(main: Main | TaskMain, opts: Runopts): Promise<Run>;
  /**
   * Runs a program to its end, which must be a good one.
   *
   * @param main the program
   * @param argv its arguments, without its name
   * @returns what it did
   * @throws Failure the program fails, hangs or goes beyond a limit; what it throws besides is thrown
   * @example
   * ```ts
   * const r = await m.run(main, "a", "b");
   * ```
   */
  run(main: Main, ...argv: readonly string[]): Promise<Run>;
  /**
   * Runs a program to its end, which must be a good one.
   *
   * @param main the program
   * @param argv its arguments, without its name
   * @returns what it did
   * @throws Failure the program fails, hangs or goes beyond a limit; what it throws besides is thrown
   * @example
   * ```ts
   * const r = await m.run(main, "a", "b");
   * ```
   */
  run(main: TaskMain, ...argv: readonly string[]): Promise<Run>;
  run(main: Main | TaskMain, ...given: readonly (string | Runopts)[]): Promise<Run> {
    return this.#told(this.#ran(main, given, new Error("run")));
  }

  /** The kit ends the machine itself, and then tells of a run that was not awaited: that it fails, too, is no news. */
  #told<T>(run: Promise<T>): Promise<T> {
    if (this.#course !== null || this.#probed) run.catch(() => undefined);
    return run;
  }

  async #ran(
    main: Main | TaskMain,
    given: readonly (string | Runopts)[],
    here: Error,
  ): Promise<Run> {
    const r = await this.#tried(main, given, here);
    const good = r.status === "" && r.crash === undefined && !r.hung;
    if (good && r.unnoticed.length === 0) return r;
    this.#failed = true;
    if (r.crash !== undefined && !(r.crash instanceof PlanError))
      throw r.crash instanceof Error ? fortest(r.crash, here) : r.crash;
    const end = good ? "it did not notice a failure" : `it ended with "${r.status}"`;
    const how = r.limit ?? (r.hung ? "it waits for ever" : end);
    const told = [`${r.what}: ${how}`, ...(good ? r.unnoticed : r.crashes)].join("\n\n");
    const calls = this.#course?.plain === true ? "" : `\n\n${r.show(r.calls.length - 1)}`;
    throw new Failure(`${told}${calls}`, {
      actual: r.hung ? "hangs" : r.status,
      expected: "",
      operator: "run",
      ...(here.stack !== undefined && { stack: here.stack }),
    });
  }

  /**
   * Runs a program to its end, whatever that is. One that waits for ever, or goes beyond a limit, is killed.
   *
   * @param main the program
   * @param opts its arguments, standard input, environment, directory, user, limits
   * @returns what it did
   * @throws TypeError an option that there is not
   * @example
   * ```ts
   * const r = await m.try(main, { dot: "/n/far" });
   * ```
   */
  try(main: Main | TaskMain, opts: Runopts): Promise<Run>;
  /**
   * Runs a program to its end, whatever that is.
   *
   * @param main the program
   * @param argv its arguments, without its name
   * @returns what it did
   * @example
   * ```ts
   * expect(await m.try(main, "a")).status("file does not exist");
   * ```
   */
  try(main: Main, ...argv: readonly string[]): Promise<Run>;
  /**
   * Runs a program to its end, whatever that is.
   *
   * @param main the program
   * @param argv its arguments, without its name
   * @returns what it did
   * @example
   * ```ts
   * expect(await m.try(main, "a")).status("file does not exist");
   * ```
   */
  try(main: TaskMain, ...argv: readonly string[]): Promise<Run>;
  try(main: Main | TaskMain, ...given: readonly (string | Runopts)[]): Promise<Run> {
    return this.#told(this.#tried(main, given, new Error("try")));
  }

  /** A run; an option of it that cannot be read is told at the test's line, which is `here`. */
  async #tried(
    main: Main | TaskMain,
    given: readonly (string | Runopts)[],
    here: Error,
  ): Promise<Run> {
    checkfunction("run: a program", main);
    try {
      return await this.#try(main, given);
    } catch (e) {
      throw e instanceof Unitserror ? fortest(e, here) : e;
    }
  }

  async #try(main: Main | TaskMain, given: readonly (string | Runopts)[]): Promise<Run> {
    const opts = runopts(given);
    const atfirst = this.#atfirst;
    this.#atfirst = null;
    atfirst?.(this.#faults);
    const at: Place = {
      kernel: this.kernel,
      holder: this.#holder,
      owners: this.#owners,
      heard: this.#heard,
      limits: this.#limits,
      spin: this.#spin,
      image: this.#image,
      settle: () => this.#settle(),
      faults: () => this.#callbackfaults(),
      course: this.#course,
    };
    const how = { opts, about: (program: string) => this.#about(program) };
    this.#course?.begin();
    const name = main.name === "" ? "main" : main.name;
    this.#under.push(name);
    try {
      const run = await new Runner(at, main, how).run();
      this.#runs.push(run);
      this.#course?.ran(run);
      return run;
    } finally {
      this.#under.splice(this.#under.indexOf(name), 1);
      this.#course?.end();
    }
  }

  /** What callbacks of the servers have thrown. */
  #callbackfaults(): readonly string[] {
    return [...this.servers.values()].flatMap((s) => s.faults);
  }

  #about(program: string): About {
    const { namespace } = this.kernel.config;
    const [seed, hosts] = [this.#seed, [...this.#hosts]];
    const inject = this.#faults.list.map((i) => faultfmt(i.fault));
    return { program, namespace, clock: "virtual", seed, machine: HERE, hosts, inject };
  }

  /** Runs something of the kit's, in the name space that programs get. */
  async #do(what: string, task: (sys: ThreadSys) => Task<void>): Promise<void> {
    const spawn = (): Process => this.kernel.spawn(task, [what], { like: this.#holder });
    const p = this.#owners.starting(null, spawn);
    const host = thishost.now();
    const over = (): string | null =>
      overrun(this.#limits, { calls: 0, time: 0, host: thishost.now() - host });
    const patience = { over, host: this.#limits.host };
    const how = await (this.#course?.ended(p) ?? ended(this.kernel, p, patience));
    if (how !== "ended") {
      p.kill();
      throw new Error(`cannot ${what}: ${how === "hangs" ? "it waits for ever" : how.limit}`);
    }
    const status = await p.wait();
    if (status !== "") throw new Error(`cannot ${what}: ${status}`);
  }

  /** Lets what is on its way arrive: replies that no call waits for. Other runs may wait for what never comes. */
  async #settle(): Promise<void> {
    const most = this.#owners.running > 1 ? BESIDE : ALONE;
    for (let s = 1; s < most && this.kernel.audit().tags.length > 0; s *= 2) await this.#pass(s);
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

  /**
   * Ends the machine and its servers. A test ends with it.
   *
   * @returns when all is over
   * @throws Failure "at the end this is left: ...": a process, Chan, fid or tag that was not there before
   * @throws Failure "callbacks of servers threw: ..."
   * @throws Failure a fault that was injected never happened
   * @example
   * ```ts
   * await m.end();
   * ```
   */
  async end(): Promise<void> {
    const here = new Error("end");
    const running = this.#under.length > 0;
    const { idle, left, bare, thrown } = await this.finish();
    // The test has not heard yet of a run that is under way.
    if (!running && (this.#failed || this.#runs.some((r) => r.failed))) return;
    if (thrown.length > 0)
      throw ends(`callbacks of servers threw:\n  ${thrown.join("\n  ")}`, thrown, here);
    // What a schedule comes to is told by what is alike in all of them.
    const actual = this.#course === null ? left : bare;
    if (left.length > 0)
      throw ends(`at the end this is left:\n  ${left.join("\n  ")}`, actual, here);
    if (idle.length > 0) throw ends(idle.join("\n"), idle, here);
  }

  /** Ends everything, and gives what is wrong then. @internal */
  async finish(): Promise<Finished> {
    const none: Finished = { idle: [], left: [], bare: [], thrown: [] };
    if (this.#ended) return none;
    this.#ended = true;
    // Nothing runs any more on a kernel that broke, and who ran a program was told.
    if (this.kernel.panicked !== null) return none;
    const unended = this.#under.map((name) => `the program ${name}, whose run is not awaited`);
    const list = this.#faults.list.filter((i) => !this.#maybe.has(i.fault));
    const idle = unfired({ list });
    const lost = this.#faults.list.some((i) => i.fault.effect.what === "drop" && i.done > 0);
    this.#faults.clear();
    const now = await this.#alive();
    // What was dropped stays outstanding, and so does a close that waits for it: no fault of the program's.
    const lines = lost ? [] : besides(now, this.#before);
    const [kernel, owners, runs] = [this.kernel, this.#owners, this.#runs];
    // In a search for schedules runs have no calls.
    const plain = this.#course?.plain === true;
    const left = plain ? lines : leftwhere(lines, { name: HERE, kernel, owners, runs });
    this.#course?.ending();
    this.#holder.kill();
    await this.#holder.wait();
    await this.#pass(60);
    const closing = lost && this.kernel.closers.size > 0;
    const here = closing ? [] : alive({ [HERE]: this.kernel.audit() }, []);
    await this.net.shutdown();
    const [all, bare] =
      unended.length > 0 ? [unended, unended] : lines.length > 0 ? [left, lines] : [here, here];
    return { idle, left: all, bare, thrown: this.#callbackfaults() };
  }

  /** The programs that were run. @internal */
  get runs(): readonly Run[] {
    return this.#runs;
  }

  /** Calls fn before the first program begins. @internal */
  atfirst(fn: (faults: Faults) => void): void {
    this.#probed = true;
    this.#atfirst = fn;
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

/** What is wrong at the end. */
function ends(said: string, actual: readonly string[], { stack }: Error): Failure {
  return new Failure(said, {
    actual,
    expected: [],
    operator: "end",
    ...(stack !== undefined && { stack }),
  });
}

/** The options of a run, however they were given. */
function runopts(given: readonly (string | Runopts)[]): Runopts {
  const [first] = given;
  if (typeof first === "object" && given.length === 1) {
    checkoptions("run", first, RUNOPTS);
    return first;
  }
  const args = given.filter((a) => typeof a === "string");
  if (args.length === given.length) return { args };
  throw new TypeError("run: a program is given words, or one object of options");
}
