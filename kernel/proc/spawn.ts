// Processes that the host starts, and the end of the kernel. A process from outside is like a new login:
// it has a copy of the first name space and environment, and descriptors 0, 1 and 2 on its console.

import { cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { OREAD, OWRITE } from "../abi/const.ts";
import { Ebadsharp, Ekilled, Panic, error } from "../abi/errors.ts";
import type { Kernel } from "../kernel.ts";
import { Fgrp, Pgrp, Rgrp } from "./pgrp.ts";
import { Proc } from "./proc.ts";
import type { Groups } from "./proc.ts";
import { Rendez, istask } from "./rendez.ts";
import { tellgroups } from "./tell.ts";
import type { Answer, Task } from "./rendez.ts";
import { Image } from "./trap.ts";
import type { Program } from "./trap.ts";
import { Path } from "../chan.ts";
import { Buffertty } from "./tty.ts";
import type { Tty } from "./tty.ts";
import { utfdecode, utfencode } from "../abi/utf.ts";

/** How a process is started from outside. */
export type Spawnopts = {
  /** What it reads from its console. */
  readonly stdin?: string | Uint8Array;
  /**
   * Gets what the process writes on its console, as it writes it.
   *
   * @param text the output
   * @example
   * ```ts
   * { stdout: (text) => process.stdout.write(text) }
   * ```
   */
  readonly stdout?: (text: string) => void;
  /** A console of the caller's own; then `stdin`, `stdout` and Process.output mean nothing. */
  readonly tty?: Tty;
  /** Its name; else the program's, or argv[0]. */
  readonly name?: string;
  /** "vm": the program gets a memory of its own; "native": it runs in the host's engine. Else as booted. */
  readonly image?: "native" | "vm";
  /** Shares the name space, descriptors and environment of this process. */
  readonly like?: Process;
  /** It gets copies of these, as after rfork(RFNAMEG|RFFDG|RFENVG). */
  readonly copy?: boolean;
};

/** A process as the host sees it. */
export class Process {
  /** The number of the process. */
  readonly pid: number;
  /** The kernel's own view of the process. @internal */
  readonly proc: Proc;
  readonly #out: Buffertty | null;
  readonly #ended: Promise<string>;

  constructor(proc: Proc, out: Buffertty | null) {
    this.proc = proc;
    this.pid = proc.pid;
    this.#out = out;
    this.#ended = new Promise((resolve, reject) => {
      const off = proc.k.onpanic(reject);
      proc.onexit((status) => {
        off();
        resolve(status);
      });
    });
    this.#ended.catch(() => undefined);
  }

  /** Everything it has written to its console. */
  get output(): string {
    return this.#out?.text() ?? "";
  }

  /** What the program threw, when an exception was its end. */
  get crash(): unknown {
    return this.proc.crash;
  }

  /**
   * Waits for the end of the process.
   *
   * @returns its exit status, "" for success
   * @throws Error "panic: ...": the kernel panicked
   * @example
   * ```ts
   * const status = await p.wait();
   * ```
   */
  wait(): Promise<string> {
    return this.#ended;
  }

  /**
   * Posts a note to the process. postnote(2)
   *
   * @param text the note, less than ERRMAX bytes
   * @throws PlanError "note not posted": five notes wait already
   * @throws PlanError "read or write too large": the note is too long
   * @example
   * ```ts
   * p.note("interrupt");
   * ```
   */
  note(text: string): void {
    this.proc.image?.notes.post(text);
  }

  /**
   * Ends the process, whatever it does.
   *
   * @example
   * ```ts
   * p.kill();
   * ```
   */
  kill(): void {
    this.proc.kill(Ekilled);
  }
}

/** The value of an answer that must not have to wait. */
export function now<T>(a: Answer<T>): T {
  if (!istask(a)) return a;
  const step = a.next();
  if (step.done !== true) throw new Panic(`waits where nothing may: ${step.value.what}`);
  return step.value;
}

/** Starts a program in a process of its own. */
export function spawn(
  k: Kernel,
  main: Program,
  argv: readonly string[],
  opts: Spawnopts = {},
): Process {
  const first = k.proc0;
  if (first === null || k.ended || k.sched.stopped) throw new Error("the kernel is not running");
  const out = opts.tty === undefined ? newtty(opts) : null;
  const like = opts.like?.proc ?? null;
  const proc = new Proc(
    k,
    opts.name ?? argv[0] ?? (main.name || "main"),
    opts.copy === true ? copies(like ?? first) : groups(like ?? first, like !== null),
    (like ?? first).dot.incref(),
  );
  proc.tty = opts.tty ?? out ?? k.config.tty;
  if (like === null)
    for (const [fd, mode] of [OREAD, OWRITE, OWRITE].entries())
      proc.fgrp.newfd(opencons(proc, mode, fd === 2 ? ERRSPEC : ""));
  if (k.trace.on)
    tellgroups(proc, "start", { fgrp: null, egrp: like === null ? first.egrp : null });
  const own = (opts.image ?? k.config.image) === "vm";
  new Image(proc).start(own ? k.config.own(main) : main, argv);
  return new Process(proc, out);
}

function newtty(opts: Spawnopts): Buffertty {
  const { stdin, stdout } = opts;
  const input = typeof stdin === "string" ? utfencode(stdin) : stdin;
  return new Buffertty(
    input,
    stdout === undefined ? null : (b) => stdout(utfdecode(b, 0, b.length)),
  );
}

function groups(p: Proc, share: boolean): Groups {
  if (!share)
    return {
      pgrp: new Pgrp(p.k.nextpgrpid(), p.pgrp.ns.fork()),
      fgrp: new Fgrp(p.k.trace, p.fgrp.maxfd),
      egrp: p.egrp.dup(),
      rgrp: new Rgrp(),
    };
  for (const g of [p.pgrp, p.fgrp, p.egrp, p.rgrp]) g.ref++;
  return { pgrp: p.pgrp, fgrp: p.fgrp, egrp: p.egrp, rgrp: p.rgrp };
}

/** Copies of the groups that rfork can copy; the tags of rendezvous are shared. */
function copies(p: Proc): Groups {
  p.rgrp.ref++;
  return {
    pgrp: new Pgrp(p.k.nextpgrpid(), p.pgrp.ns.fork()),
    fgrp: p.fgrp.dup(),
    egrp: p.egrp.dup(),
    rgrp: p.rgrp,
  };
}

/** What #c is attached with for descriptor 2 (Tty.writeerr). */
const ERRSPEC = "2";

/** /dev/cons, whatever the name space has there. */
function opencons(up: Proc, mode: number, spec: string): Chan {
  const dev = up.k.devtab.get("c");
  if (dev === undefined) return error(Ebadsharp);
  const root = now(dev.attach(up, spec));
  const { clone } = now(dev.walk(up, root, ["cons"]));
  now(cclose(root));
  if (clone === null) return error(Ebadsharp);
  const c = now(dev.open(up, clone, mode));
  c.path = new Path("/", ["dev", "cons"]);
  return c;
}

/** Ends every process, then what the kernel itself holds, then, if no other kernel runs on it, the scheduler. */
export function shutdown(k: Kernel): Promise<void> {
  const first = k.proc0;
  if (first === null || k.ended || k.sched.stopped) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const off = k.onpanic(reject);
    const over = (): void => {
      off();
      resolve();
    };
    k.kproc("shutdown", down(k, first, over));
  });
}

function* down(k: Kernel, first: Proc, resolve: () => void): Task<void> {
  for (;;) {
    const alive = [...k.procs.values()].filter((p) => p !== first);
    if (alive.length === 0) break;
    for (const p of alive) p.kill(Ekilled);
    yield* gone(alive);
  }
  yield* closed(k, first);
  yield* idle(k);
  for (const dev of k.devtab) dev.shutdown();
  k.ended = true;
  k.sched.leave(k);
  resolve();
}

/** Closes what the kernel itself holds. What still waits for a server here waits no more. */
function* closed(k: Kernel, first: Proc): Task<void> {
  const task = first.close();
  const step = task.next();
  if (step.done !== true) k.closing(task, step.value);
  for (const co of k.closers) k.sched.kill(co);
  while (k.closers.size > 0) yield k.closed;
}

/** Sleeps until nothing else can run: what was closed has sent its last messages. */
function* idle(k: Kernel): Task<void> {
  const r = new Rendez("shutdown");
  k.sched.atidle(() => r.wakeup());
  yield r;
}

/** Sleeps until these processes are buried. */
function* gone(list: readonly Proc[]): Task<void> {
  for (const p of list) yield* p.buried();
}
