// One program of a test: prepared, started, recorded with its children, and waited for. What is said of it is in
// run.ts.

import { Buffertty } from "../../kernel/boot.ts";
import type { Booted } from "../../kernel/boot.ts";
import { RFENVG, RFFDG, RFNAMEG, RFNOTEG } from "../../kernel/abi/const.ts";
import { Ekilled, PlanError, textsites } from "../../kernel/abi/errors.ts";
import { utfencode } from "../../kernel/abi/utf.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import type { Call as Tracecall, Event, EventBody } from "../../kernel/trace.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { thishost } from "../boot/host.ts";
import type { Unread } from "../boot/witness.ts";
import { both } from "../lib/both.ts";
import type { Both, ThreadSys } from "../lib/both.ts";
import { writefile } from "../lib/io.ts";
import { Hearing, Recorder } from "../view/record/recorder.ts";
import type { About } from "../view/record/recording.ts";
import { callfmt } from "../view/words/callfmt.ts";
import { crashtext, unreadtext } from "../view/words/crash.ts";
import type { Lines } from "../view/words/crash.ts";
import { unaskedfmt, watched } from "./awaited.ts";
import type { Unasked } from "./awaited.ts";
import type { Course } from "../explore/course.ts";
import { ended } from "./ended.ts";
import type { Ended } from "./ended.ts";
import { LIMITS, limitsof, overrun } from "./limits.ts";
import type { Limitopts, Limits } from "./limits.ts";
import type { Owner, Owners } from "./owners.ts";
import { waiting } from "./left.ts";
import { findplace, teststack, tracesites } from "./place.ts";
import { Run } from "./run.ts";
import { watchspin } from "./spin.ts";

/** What prepares a program's name space. */
export type Prepare = ((sys: Sys) => Promise<unknown>) | ((sys: ThreadSys) => Task<unknown>);

/** How a program is run. */
export type Runopts = Limitopts & {
  /** Its arguments, behind its name. */
  readonly args?: readonly string[];
  /** What it reads from its console. */
  readonly stdin?: string | Uint8Array;
  /** Environment variables; the words of a list are the elements of an array. */
  readonly env?: Readonly<Record<string, string | readonly string[]>>;
  /** Its current directory. */
  readonly dot?: string;
  /** Who runs it: glenda. */
  readonly user?: string;
  /** "vm": it gets a memory of its own; its function is then taken by the text. */
  readonly image?: "native" | "vm";
  /** Prepares its name space, by bind, mount and the like, before it begins. Nothing of that is recorded. */
  readonly ns?: Prepare;
};

/** The names of the options. */
export const RUNOPTS: readonly string[] = [
  "args",
  "stdin",
  "env",
  "dot",
  "user",
  "image",
  "ns",
  ...LIMITS,
];

/** Where programs run. */
export type Place = {
  readonly kernel: Booted;
  /** What has the name space that programs get a copy of. */
  readonly holder: Process;
  readonly owners: Owners;
  readonly heard: readonly Event[];
  readonly limits: Limits;
  readonly spin: number;
  /** What programs are, unless a run says. */
  readonly image: "native" | "vm";
  /** Lets what is on its way arrive. */
  readonly settle: () => Promise<void>;
  /** What callbacks of servers have thrown so far. */
  readonly faults: () => readonly string[];
  /** What chooses the schedule; null: the kernel does. */
  readonly course: Course | null;
};

/** What a program waits in that has returned. */
const CLOSES = "close of its files at its end";

/** The options of a run, and what its recording says of it. */
type How = { readonly opts: Runopts; readonly about: (program: string) => About };

/** Runs programs, one each. */
export class Runner implements Owner {
  readonly #at: Place;
  readonly #main: Program;
  readonly #name: string;
  readonly #opts: Runopts;
  /** null where no one looks at the calls: in a search for schedules. */
  readonly #rec: Recorder | null;
  readonly #limits: Limits;
  readonly #unasked = new Set<Unasked>();
  /** Calls of the program itself, and of its children, that are in progress. */
  readonly #open = new Map<number, Tracecall>();
  readonly #unfinished: string[] = [];
  readonly #left: string[] = [];
  readonly #crashes: Crashed[] = [];
  readonly #unread = new Map<Promise<unknown>, Unread>();
  #pid = 0;
  #ncall = 0;
  #began = 0;
  #returned = -1;

  constructor(at: Place, main: Program, how: How) {
    const { opts, about } = how;
    this.#at = at;
    this.#main = main;
    this.#name = main.name === "" ? "main" : main.name;
    this.#opts = opts;
    this.#limits = limitsof(opts, at.limits);
    const args = opts.args ?? [];
    this.#rec =
      at.course?.plain === true
        ? null
        : new Recorder({ about: about([this.#name, ...args].join(" ")), place: findplace });
    for (const e of at.heard) this.#rec?.take(e);
  }

  /** Owner: what happened in this run. */
  take(e: Event, body: EventBody): void {
    const { call } = e;
    if (e.type === "call" && call !== null) {
      this.#ncall++;
      this.#open.set(call.id, call);
      if (call.name === "exits" || call.name === "_exits") this.#exits(call.pid);
    } else if (e.type === "return" && call !== null) this.#open.delete(call.id);
    this.#rec?.take(e, body);
  }

  /** Runs the program to its end, whatever that is. One that goes on for ever is killed. */
  async run(): Promise<Run> {
    const { kernel, owners } = this.#at;
    const already = this.#at.faults().length;
    const ready = prepared(this.#opts) ? await this.#prepare() : null;
    const { course } = this.#at;
    const nostacks = this.#rec === null ? () => undefined : kernel.trace.keepstacks();
    const tty = new Buffertty(inputof(this.#opts.stdin));
    const unwatch = watchspin(this.#name, this.#at.spin);
    this.#began = kernel.clock.now();
    this.#rec?.begin();
    owners.add(this);
    const p = owners.starting(this, () => this.#spawn(ready, tty));
    ready?.kill();
    const host = thishost.now();
    const over = (): string | null =>
      overrun(this.#limits, {
        calls: this.#ncall,
        time: kernel.clock.now() - this.#began,
        host: thishost.now() - host,
      });
    const patience = { over, host: this.#limits.host };
    const end = course?.ended(p) ?? ended(kernel, p, patience);
    const how = await end.finally(unwatch);
    if (how !== "ended" || this.#returned < 0) this.#returned = kernel.clock.now();
    const waits = this.#waits(p, how);
    const stuck = how === "hangs" ? waiting(kernel, owners, this.#rec?.recording.calls ?? []) : [];
    if (how !== "ended") this.#kill();
    const status = await p.wait();
    await this.#at.settle();
    owners.delete(this);
    nostacks();
    return new Run(this.#rec?.recording ?? null, {
      program: [this.#name, ...(this.#opts.args ?? [])].join(" "),
      missing: () => course?.miss(),
      status,
      output: tty.text(),
      crash: p.crash,
      waits,
      stuck,
      limit: typeof how === "string" ? null : how.limit,
      began: this.#began,
      ended: this.#returned,
      unawaited: [...this.#unasked].map((u) => `${unaskedfmt(u)}${placeof(u)}`),
      unfinished: this.#unfinished,
      left: this.#left,
      faults: this.#at.faults().slice(already),
      crashes: this.#crashes.map((c) => this.#crashtext(c)),
      unnoticed: this.#unnoticed(),
    });
  }

  /** Owner: what ended a process of this run. */
  crashed(pid: number, thrown: unknown): void {
    this.#crashes.push({ pid, thrown });
  }

  /** Owner: failed calls of vm programs, which have no reader. */
  unread(p: Promise<unknown>, it: Unread): void {
    this.#unread.set(p, it);
  }

  read(p: Promise<unknown>): void {
    this.#unread.delete(p);
  }

  #crashtext({ pid, thrown }: Crashed): string {
    const name = pid === this.#pid ? this.#name : `${this.#name}, process ${pid}`;
    return crashtext(name, thrown, LINES);
  }

  /** Mistakes of which the status need not tell. */
  #unnoticed(): string[] {
    const children = this.#crashes.filter(
      ({ pid, thrown }) =>
        pid !== this.#pid && thrown instanceof PlanError && thrown.why !== undefined,
    );
    return [
      ...children.map((c) => this.#crashtext(c)),
      ...[...this.#unasked].flatMap((u) =>
        u.error === null
          ? []
          : [unreadtext(this.#name, { call: unaskedfmt(u), error: u.error }, LINES)],
      ),
      ...[...this.#unread.values()].map((u) => unreadtext(this.#name, u, LINES)),
    ];
  }

  /** Calls that the program waits in for ever; null when it has ended. */
  #waits(p: Process, how: Ended): readonly string[] | null {
    if (how === "ended") return null;
    if (how !== "hangs") return [];
    if (p.proc.dead) return [CLOSES];
    const calls = this.#rec?.recording.calls ?? [];
    return calls.filter((c) => c.ended === null).map((c) => c.text);
  }

  /** A process with the name space, environment and directory that the program is to have. */
  async #prepare(): Promise<Process> {
    const { kernel, owners, holder } = this.#at;
    let tell = (): void => undefined;
    const ready = new Promise<null>((resolve) => (tell = () => resolve(null)));
    const main = preparing(this.#opts, tell);
    const p = owners.starting(null, () => kernel.spawn(main, [this.#name], { like: holder }));
    const status = await Promise.race([ready, p.wait()]);
    if (status === null) return p;
    throw new Error(`cannot prepare ${this.#name}: ${status}`, { cause: p.crash });
  }

  /** The program's process, with what one that was prepared for it has, or a copy of what the holder has. */
  #spawn(like: Process | null, tty: Buffertty): Process {
    const { kernel } = this.#at;
    const { args = [], user } = this.#opts;
    const rec = this.#rec;
    const { image = this.#at.image } = this.#opts;
    const tell = { unasked: this.#unasked, stacks: rec !== null, begin: () => this.#begin() };
    // The calls of a vm program are its kernel's to see: its function is not wrapped.
    const main = image === "vm" ? this.#main : watched(this.#main, tell);
    const p = kernel.spawn(main, [this.#name, ...args], {
      image,
      ...(like === null ? { like: this.#at.holder, copy: true } : { like }),
      tty: rec === null ? tty : new Hearing(tty, (to, text) => rec.said(to, text)),
    });
    this.#pid = p.pid;
    if (user !== undefined) p.proc.user = user;
    return p;
  }

  /** A program of the run begins; what it gives is called when its main function is over. */
  #begin(): (() => void) | undefined {
    const proc = this.#at.kernel.sched.current?.proc;
    if (proc === undefined) return undefined;
    const before = new Set(proc.fgrp.fd.keys());
    for (const [fd, c] of proc.fgrp.fd.entries()) if (c === null) before.delete(fd);
    return () => this.#end(proc, before);
  }

  /** What is open and in progress when a program returns. */
  #end(proc: Proc, before: ReadonlySet<number>): void {
    if (proc.pid === this.#pid) {
      this.#returned = proc.k.clock.now();
      for (const call of this.#open.values())
        if (call.pid === proc.pid && !ENDS.includes(call.name))
          this.#unfinished.push(`${callfmt(call)}${stackplace(call.stack)}`);
    }
    // A table that others still have is not given up yet.
    if (proc.dead || (proc.pid !== this.#pid && proc.fgrp.ref > 1)) return;
    for (const [fd, c] of proc.fgrp.fd.entries())
      if (c !== null && !before.has(fd)) this.#left.push(`${fd} ${c.path.toString()}`);
  }

  /** exits(2): what was open at the beginning is not known here, but for the console. */
  #exits(pid: number): void {
    const proc = this.#at.kernel.procs.get(pid);
    if (proc !== undefined) this.#end(proc, CONSOLE);
  }

  /** Ends the processes of the run. */
  #kill(): void {
    for (const pid of this.#at.owners.procs(this)) this.#at.kernel.procs.get(pid)?.kill(Ekilled);
  }
}

/** An exception that ended a process. */
type Crashed = { readonly pid: number; readonly thrown: unknown };

/** The lines of a test on a stack, innermost first: a stack that follows source maps has them as they were written. */
const LINES: Lines = {
  frames: (stack) =>
    teststack(stack)
      .split("\n")
      .flatMap((line) => {
        const [site] = textsites(line);
        if (site === undefined) return /:\d+:\d+\)?$/.test(line) ? [line.trim()] : [];
        const at = findplace([site]);
        return at === null ? [] : [`at ${at.source.name}:${at.line}`];
      }),
  source: null,
};

const ENDS: readonly string[] = ["exits", "_exits"];
const CONSOLE: ReadonlySet<number> = new Set([0, 1, 2]);

const Generatorfunction: unknown = Object.getPrototypeOf(function* () {}).constructor;

/** Whether there is something to prepare for a program. */
function prepared(opts: Runopts): boolean {
  return opts.env !== undefined || opts.dot !== undefined || opts.ns !== undefined;
}

/** What prepares a program: it stays until it is killed, and keeps what the program is to have. */
function preparing(opts: Runopts, ready: () => void): Program {
  const { ns } = opts;
  if (ns === undefined || ns.constructor === Generatorfunction)
    return function* prepare(sys: ThreadSys): Task<void> {
      yield* before(sys, opts);
      if (ns !== undefined) yield* ns(sys as ThreadSys & Sys) as Task<unknown>;
      yield* after(sys, opts, ready);
    };
  return async function prepare(sys: Sys): Promise<void> {
    await before(sys, opts);
    await ns(sys as ThreadSys & Sys);
    await after(sys, opts, ready);
  };
}

const before: Both<[opts: Runopts], void> = both(function* (sys, { env = {} }) {
  yield* sys.rfork(RFNAMEG | RFFDG | RFENVG | RFNOTEG);
  for (const [name, value] of Object.entries(env))
    yield* writefile(sys, `/env/${name}`, typeof value === "string" ? value : list(value));
});

const after: Both<[opts: Runopts, ready: () => void], void> = both(function* (sys, { dot }, ready) {
  if (dot !== undefined) yield* sys.chdir(dot);
  ready();
  yield* sys.rendezvous(ready, null);
});

/** A list as the environment has it: each word with a NUL behind it. rc(1) */
const list = (words: readonly string[]): string => words.map((w) => `${w}\0`).join("");

function inputof(stdin: string | Uint8Array | undefined): Uint8Array | undefined {
  return typeof stdin === "string" ? utfencode(stdin) : stdin;
}

function stackplace(stack: Tracecall["stack"]): string {
  const found = stack === undefined ? null : findplace(stack);
  return found === null ? "" : `    ${found.source.name}:${found.line}`;
}

const placeof = (u: Unasked): string => stackplace(tracesites(u.at?.stack));
