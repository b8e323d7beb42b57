// Watches a program of `namec run`. Ctrl-C becomes the note "interrupt", and a second Ctrl-C ends the program. It ends, too,
// if nothing can run any more, if its output is not read, or if it threw where no system call sees it. Its end becomes
// the status of this process.
//
// A program that spins lets the main thread hear no signals: then only its watchdog hears them (watchdog.ts).
// A program of this package lets others have their turn, so its watchdog begins late and costs short runs nothing.

import type { Booted } from "../../kernel/boot.ts";
import { Ekilled, PlanError } from "../../kernel/abi/errors.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import { waits } from "../boot/waits.ts";
import { Mistakes } from "../boot/witness.ts";
import { UNAWAITED } from "../view/words/crash.ts";
import { visible } from "../view/words/text.ts";
import { crashtext, unreadtext } from "./crash.ts";
import { reason } from "./outfile.ts";
import { Streamtty } from "./tty.ts";
import { Watchdog } from "./watchdog.ts";

/** What a shell reports of a process that Ctrl-C, SIGTERM or a closed pipe ended. */
export const INTERRUPTED = 130;
const TERMINATED = 143;
export const PIPECLOSED = 141;
const FAILED = 1;

/** How long a program may take to end after the second Ctrl-C (ms): less than its watchdog waits. */
const PATIENCE = 300;

/** How a process is watched. */
export type Watching = {
  /** Armed before the program began; null for a program of this package. */
  readonly dog?: Watchdog | null;
  /** The program's file, where it is one of the host's. */
  readonly file?: string;
  /** A program that does not end at the second Ctrl-C is left alone, and this process goes on. */
  readonly keeps?: boolean;
  /** SIGTERM ends the program as Ctrl-C does, not this process at once: for a program of this package. */
  readonly sigterm?: boolean;
  /** The host's status when Ctrl-C ends it (default 130). */
  readonly interrupted?: number;
  /** What is to be done before the first Ctrl-C or SIGTERM takes effect: a server makes safe what it has. */
  readonly before?: () => Promise<void>;
};

/** When the watchdog of a program of this package begins (ms). */
const LATE = 100;

/** Waits for the end of a process; says why it ended, if it failed, and gives the host's status. */
export function watch(kernel: Booted, p: Process, how: Watching = {}): Promise<number> {
  return new Watch(kernel, p, how).over();
}

class Watch {
  readonly #kernel: Booted;
  readonly #process: Process;
  readonly #how: Watching;
  #dog: Watchdog | null;
  readonly #interrupted: number;
  readonly #mistakes: Mistakes | null;
  #interrupts = 0;
  #impatience: NodeJS.Timeout | null = null;
  #status: number | null = null;
  /** Waits for the program no longer. */
  #leave = (): void => undefined;

  constructor(kernel: Booted, p: Process, how: Watching) {
    this.#mistakes = kernel.witness instanceof Mistakes ? kernel.witness : null;
    this.#how = how;
    this.#dog = how.dog ?? null;
    this.#interrupted = how.interrupted ?? INTERRUPTED;
    this.#kernel = kernel;
    this.#process = p;
  }

  async over(): Promise<number> {
    const hooks = [
      ...this.#signals(),
      on(process, "beforeExit", this.#deadlock),
      on(process, "uncaughtException", this.#threw),
      on(process, "unhandledRejection", this.#unread),
      on(process, "rejectionHandled", this.#read),
      on(process.stdout, "error", this.#unwritable),
      on(process.stderr, "error", this.#unwritable),
    ];
    try {
      const left = new Promise<null>((resolve) => (this.#leave = () => resolve(null)));
      const status = await Promise.race([this.#process.wait(), left]);
      if (status === null) return this.#interrupted;
      // Node tells of a promise without a reader a turn after it was rejected.
      if (this.#mistakes?.any === true) await new Promise((resolve) => setImmediate(resolve));
      return this.#status ?? this.#report(status);
    } finally {
      for (const off of hooks) off();
      if (this.#impatience !== null) clearTimeout(this.#impatience);
    }
  }

  #signals(): (() => void)[] {
    const hooks = this.#dog === null ? this.#late() : [];
    this.#dog?.hear(this.#interrupt);
    if (this.#how.sigterm === true)
      hooks.push(on(process, "SIGTERM", () => this.#first(() => this.#end(TERMINATED))));
    return [...hooks, () => this.#dog?.end()];
  }

  /** Hears Ctrl-C in the main thread until the watchdog, which begins in a while, takes it over. */
  #late(): (() => void)[] {
    const timer = setTimeout(() => {
      this.#dog = Watchdog.begin();
      void this.#dog?.arm();
      this.#dog?.hear(this.#interrupt);
    }, LATE).unref();
    return [on(process, "SIGINT", this.#interrupt), () => clearTimeout(timer)];
  }

  /** As the console does: the note goes to the whole group. The second Ctrl-C ends it, in one way or another. */
  readonly #interrupt = (): void => {
    const group = this.#process.proc.noteid;
    if (++this.#interrupts > 2) this.#exit();
    if (this.#interrupts === 2) {
      this.#impatience = setTimeout(() => this.#exit(), PATIENCE);
      return this.#end(this.#interrupted);
    }
    this.#first(() => {
      for (const proc of this.#kernel.procs.values())
        if (proc.noteid === group && !proc.dead) proc.image?.notes.post("interrupt");
    });
  };

  /** Does what must come before, then what was asked. What fails there has been said by the server. */
  #first(then: () => void): void {
    const { before } = this.#how;
    if (before === undefined) then();
    else void before().then(then, then);
  }

  /** Ends this process, or leaves the program, without a wait for what the program does at its end. */
  #exit(): void {
    this.#dog?.end();
    if (this.#how.keeps === true) return this.#leave();
    process.exit(this.#interrupted);
  }

  /** Ends the program whatever it does. */
  #end(status: number): void {
    this.#status ??= status;
    for (const proc of this.#kernel.procs.values())
      if (proc !== this.#kernel.proc0) proc.kill(Ekilled);
  }

  /** Node has nothing left to do and the program has not ended: it never will. */
  readonly #deadlock = (): void => {
    process.stderr.write(
      `namec: nothing can run any more. What each process waits for:\n${visible(waits(this.#kernel), "\n\t")}\n`,
    );
    this.#end(FAILED);
  };

  /** Output that goes nowhere is the end; of a pipe that was closed nothing is said, as by other commands. */
  readonly #unwritable = (e: unknown): void => {
    if (this.#status !== null) return;
    if (e instanceof Error && "code" in e && e.code === "EPIPE") return this.#end(PIPECLOSED);
    this.#end(FAILED);
    process.stderr.write(`namec: cannot write what the program writes: ${reason(e)}\n`);
  };

  /** A timer or a promise of the program's own failed; that is the end of it, too. */
  readonly #threw = (e: unknown): void => {
    this.#process.proc.image?.crash(e);
  };

  /** A promise was rejected that has no reader: a call's is told of at the end, any other is the program's end. */
  readonly #unread = (e: unknown, p: unknown): void => {
    if (p instanceof Promise && this.#mistakes?.unread(p) === true) return;
    if (e instanceof PlanError) e.why = [e.why, UNAWAITED].filter(Boolean).join(" ");
    this.#threw(e);
  };

  readonly #read = (p: unknown): void => {
    if (p instanceof Promise) this.#mistakes?.read(p);
  };

  /** What else the program should know: of children that threw, and of failures that it did not read. */
  #others(): void {
    if (this.#mistakes === null) return;
    const { crashes, unreads } = this.#mistakes;
    const name = this.#process.proc.text;
    const texts = [
      ...crashes
        .filter(({ pid }) => pid !== this.#process.pid)
        .map(({ pid, text, thrown }) => crashtext(`${text} ${pid}`, thrown)),
      ...unreads.map((u) => unreadtext(name, u, this.#how.file ?? null)),
    ];
    for (const text of texts) process.stderr.write(`${visible(text, "\n\t")}\n`);
  }

  #report(status: string): number {
    this.#others();
    if (status === "") return 0;
    const { crash, proc } = this.#process;
    const pressed = this.#interrupts > 0 || this.#dog?.interrupted === true;
    if (pressed && status === "interrupt") return this.#interrupted;
    if (crash === undefined && proc.tty instanceof Streamtty && proc.tty.said(status))
      return FAILED;
    const text = crash === undefined ? status : crashtext(proc.text, crash, this.#how.file ?? null);
    process.stderr.write(`${visible(text, "\n\t")}\n`);
    return FAILED;
  }
}

type Emitter = {
  on(event: string, fn: Heard): unknown;
  off(event: string, fn: Heard): unknown;
};
type Heard = (arg: unknown, more: unknown) => void;

function on(emitter: Emitter, event: string, fn: Heard): () => void {
  emitter.on(event, fn);
  return () => void emitter.off(event, fn);
}
