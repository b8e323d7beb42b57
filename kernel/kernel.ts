// Kernel: the one object that everything else hangs on. It holds the clock, the scheduler, the device
// switch, the processes and the trace, and knows how to panic. boot.ts makes one.

import { CBOOT, Chans } from "./chan.ts";
import type { Chan } from "./chan.ts";
import { checkuname } from "./abi/elems.ts";
import type { PlanError } from "./abi/errors.ts";
import { Clock } from "./proc/clock.ts";
import type { Host } from "./proc/clock.ts";
import { Devtab } from "./dev.ts";
import type { Dev } from "./dev.ts";
import type { Proc } from "./proc/proc.ts";
import { Rendez } from "./proc/rendez.ts";
import type { Task } from "./proc/rendez.ts";
import { Sched } from "./proc/sched.ts";
import { Sems } from "./proc/sem.ts";
import type { Chance, Coroutine, Done, Explorer, Machine } from "./proc/sched.ts";
import { stateof } from "./proc/tell.ts";
import { Trace } from "./trace.ts";
import type { Tty } from "./proc/tty.ts";
import type { Faces, Image, Program } from "./proc/trap.ts";

/** What a program that has a memory of its own may use; 0 is no limit. */
export type Limits = {
  /** Bytes of memory. */
  readonly memory: number;
  /** Bytes of stack. */
  readonly stack: number;
  /** Passes of loops and calls of functions between two system calls. */
  readonly work: number;
  /** Processes of the kernel, beyond which such a program makes no more: each has a memory of its own. */
  readonly procs: number;
};

/** What boot decides once and for all. */
export type Config = {
  readonly host: Host;
  readonly virtual: boolean;
  readonly chance: Chance | null;
  /** The scheduler of other kernels, which this one is to share with them, and so their clock. */
  readonly sched?: Sched;
  readonly user: string;
  readonly sysname: string;
  /** The console of processes that were given none of their own. */
  readonly tty: Tty;
  readonly namespace: "names" | "standard";
  /** Bytes of each run of a read stream; null: the mount driver finds what fills the link. */
  readonly run: number | null;
  /** Bytes that the read streams may have asked for and not read; beyond, runs are small. */
  readonly credit: number;
  /** Descriptors of a process: 5,000, as in Plan 9. */
  readonly maxfd?: number | undefined;
  /** The limits of programs that have a memory of their own. */
  readonly limits: Limits;
  /** Makes such a program of a function of the host's. */
  readonly own: (main: Program) => Program;
  /** What programs that the host starts are, unless it says: functions of its engine, or with their own memory. */
  readonly image: "native" | "vm";
  /** What stands between each connection to a server and its transport. */
  readonly filter?: (k: Kernel, c: Chan) => Filter;
  /** Makes the system calls of an image. */
  readonly faces: (image: Image) => Faces;
};

/** What a host wants to hear of the mistakes of programs: where there is a witness, failures keep their stacks. */
export interface Witness {
  /** Makes the promises of calls that sleep, where the plain ones do not do. */
  readonly promise: PromiseConstructor;
  /** A call failed, as the promise is about to say. Nothing has marked the promise as handled. */
  failed(p: Promise<unknown>, e: PlanError, call: string): void;
  /** A vm program does not handle this promise, which failed() was called with. A native program's host finds that. */
  unheard(p: Promise<unknown>, proc: Proc): void;
  /** The vm program has begun to handle a promise that unheard() was called with. */
  read(p: Promise<unknown>): void;
  /** A program threw, or returned what is no status, and that was the end of its process. */
  crashed(p: Proc, e: unknown): void;
}

/** What the mount driver reads and writes a connection through: its device, or what stands before that. */
export type Transport = Pick<Dev, "read" | "write" | "bread" | "hangup" | "outside">;

/** What stands before a transport and spoils what passes: faults that a test injects. */
export interface Filter extends Transport {
  /** A version was agreed: the connection has a number. */
  agreed(conn: number, version: string): void;
  /** The connection is over. */
  end(): void;
}

/** What is alive, for audit(): empty lists and zeros after a clean end. */
export type Audit = {
  /** Processes that are alive. */
  readonly procs: readonly string[];
  /** Files that are open. */
  readonly chans: readonly string[];
  /** Fids and tags that connections hold beyond those of live Chans. */
  readonly fids: readonly string[];
  /** Requests without an answer. */
  readonly tags: readonly string[];
};

/** A connection to a server, as audit() asks it. */
export interface Conn {
  readonly id: number;
  /** Who is at its other end, "far!564"; else the name of the Chan under it. */
  readonly server: string;
  fids(): readonly string[];
  tags(): readonly string[];
}

/** A scheduler, with a clock of its own. */
export function newsched(
  c: Pick<Config, "host" | "virtual" | "chance"> & { readonly explorer?: Explorer },
): Sched {
  return new Sched(c.host, new Clock(c.host, c.virtual), c.chance, c.explorer ?? null);
}

export class Kernel implements Machine {
  /** How it was booted. @internal */
  readonly config: Config;
  /** Who owns its processes unless they say. */
  readonly user: string;
  /** Its time, real or virtual. */
  readonly clock: Clock;
  /** Its coroutines. @internal */
  readonly sched: Sched;
  /** Its devices. @internal */
  readonly devtab: Devtab = new Devtab();
  /** The files that are open. @internal */
  readonly chans: Chans = new Chans();
  /** Its processes, by their numbers. @internal */
  readonly procs: Map<number, Proc> = new Map();
  /** What it says it does: listen to it. */
  readonly trace: Trace;
  /** Programs that executables name (exec.ts). */
  readonly programs: Map<string, Program> = new Map();
  /** Bytes that the read streams of this kernel have asked for and not read. */
  credit = 0;
  /** Its 9P connections. @internal */
  readonly conns: Set<Conn> = new Set();
  /** Who sleeps in semacquire. */
  readonly sems: Sems;
  /** Seconds since 1970 when the kernel was booted. */
  readonly boottime: number;
  /** What broke the kernel, once it is broken. */
  panicked: Error | null = null;
  /** What runs closing(): it ends with the kernel, if not before. */
  readonly closers: Set<Coroutine> = new Set();
  /** Woken when one of them is over. */
  readonly closed: Rendez = new Rendez("closes");
  /** Process 0: what the kernel itself does. Set by boot before anything runs. */
  proc0: Proc | null = null;
  /** Kept, and not used: see Image.shapes. */
  shapes: readonly unknown[] = [];
  /** Hears of the mistakes of programs; null where no host shows them. */
  witness: Witness | null = null;
  /** Shut down, as far as this kernel goes. */
  ended = false;
  #pid = 0;
  #pgrpid = 0;
  #mountid = 0;
  #conn = 0;
  #devno = 0;
  readonly #onpanic = new Set<(e: Error) => void>();

  constructor(config: Config) {
    checkuname("user", config.user);
    this.config = config;
    this.user = config.user;
    this.sched = config.sched ?? newsched(config);
    this.sched.join(this);
    this.clock = this.sched.clock;
    this.sems = new Sems(this.sched);
    this.boottime = this.clock.seconds();
    this.trace = new Trace(
      () => {
        // No call of this machine causes what another machine or the network does.
        const co = this.sched.current?.proc.k === this ? this.sched.current : null;
        return { at: this.clock.now(), pid: co?.proc.pid ?? 0, call: co?.call ?? null };
      },
      () => stateof(this),
    );
  }

  /** A number for a process. @internal */
  nextpid(): number {
    return ++this.#pid;
  }

  /**
   * Numbers the name spaces, apart from the processes: process 1 is the kernel's. @internal
   */
  nextpgrpid(): number {
    return ++this.#pgrpid;
  }

  /**
   * Numbers the connections to servers. @internal
   */
  nextconn(): number {
    return ++this.#conn;
  }

  /**
   * Gives a number to each attach of device M, so that the trees of several servers are told apart. @internal
   */
  nextdevno(): number {
    return ++this.#devno;
  }

  /**
   * Numbers the mounts: ids are positive and never used twice. @internal
   */
  nextmountid(): number {
    return ++this.#mountid;
  }

  /** The system calls as an image wants them. @internal */
  faces(image: Image): Faces {
    return this.config.faces(image);
  }

  /**
   * Starts a coroutine of the kernel's own. It must not throw. A task that was begun elsewhere is taken over in
   * its sleep: `on` is what it yielded. @internal
   */
  kproc(label: string, task: Task<unknown>, on?: Rendez): Coroutine {
    if (this.proc0 === null) throw new Error("kproc before boot");
    if (on !== undefined)
      return this.sched.adopt(this.proc0, { label, task, done: this.kdone, on });
    return this.sched.start(this.proc0, label, task, this.kdone);
  }

  /**
   * Takes over closes, begun and asleep on `on`, that a process may not live to see the end of. @internal
   */
  closing(task: Task<unknown>, on: Rendez): void {
    const over = (co: Coroutine): void => {
      this.closers.delete(co);
      this.closed.wakeupall();
    };
    const done: Done = { ...this.kdone, over };
    if (this.proc0 === null) throw new Error("closing before boot");
    this.closers.add(this.sched.adopt(this.proc0, { label: "close", task, done, on }));
  }

  /** What becomes of the kernel's own coroutines: they give nothing, and panic the kernel when they throw. @internal */
  readonly kdone: Done = {
    finish: () => undefined,
    over: () => undefined,
    fail: (_co, e) => this.panic(e),
  };

  /**
   * Has a function called when the kernel panics, or at once if it has.
   *
   * @param fn gets the error; its message has the dump
   * @returns a function that takes fn off again
   * @example
   * ```ts
   * kernel.onpanic((e) => console.error(e.message));
   * ```
   */
  onpanic(fn: (e: Error) => void): () => void {
    if (this.panicked === null) this.#onpanic.add(fn);
    else fn(this.panicked);
    return () => void this.#onpanic.delete(fn);
  }

  /** How many functions a panic would call. */
  get npanic(): number {
    return this.#onpanic.size;
  }

  /**
   * Ends the kernel, since an invariant is broken: nothing runs any more, and each host's wait for a process fails
   * with the dump. @internal
   */
  panic(cause: unknown): void {
    if (this.panicked !== null) return;
    const message = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.sched.halt(new Error(`panic: ${message}\n${this.dump()}`, { cause }));
  }

  /**
   * Hears, as a Machine, that this kernel or another on its scheduler broke. @internal
   */
  halt(e: Error): void {
    this.panicked = e;
    for (const fn of this.#onpanic) fn(e);
  }

  /**
   * Panics, and gives the error again, for the places that throw it on. @internal
   */
  broken(e: unknown): unknown {
    this.panic(e);
    return e;
  }

  /**
   * Shows every process and what its coroutines wait for, one line each.
   *
   * @returns lines of text, for a person
   * @example
   * ```ts
   * console.log(kernel.dump());
   * ```
   */
  dump(): string {
    const lines: string[] = [];
    for (const p of this.procs.values()) {
      lines.push(`${p.pid} ${p.text} ${p.user}${p.dead ? " dead" : ""}`);
      for (const co of p.coroutines()) lines.push(`\t${co.label}: ${co.on?.what ?? "ready"}`);
    }
    return lines.join("\n");
  }

  /**
   * Tells what is alive: the processes, Chans, fids and tags that were not given up.
   *
   * @returns four lists, empty after a clean end
   * @example
   * ```ts
   * assert.deepEqual(kernel.audit().chans, []);
   * ```
   */
  audit(): Audit {
    const procs: string[] = [];
    for (const p of this.procs.values()) if (p !== this.proc0) procs.push(`${p.pid} ${p.text}`);
    const chans: string[] = [];
    for (const c of this.chans)
      if ((c.flag & CBOOT) === 0) chans.push(`#${c.dev.dc} ${c.path.toString()} ref ${c.ref}`);
    const fids: string[] = [];
    const tags: string[] = [];
    for (const m of this.conns) {
      fids.push(...m.fids());
      tags.push(...m.tags());
    }
    return { procs, chans, fids, tags };
  }
}
