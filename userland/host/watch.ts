// While a program runs: what Ctrl-C means to it, and how it is told that nothing can run any more, that
// nobody reads its output, or that it threw where no system call sees it. Then its end, as the status of
// this process.

import type { Booted } from "../../kernel/boot.ts";
import { Ekilled } from "../../kernel/abi/errors.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import { waits } from "../boot/waits.ts";
import { visible } from "../view/words/visible.ts";
import { crashtext } from "./crash.ts";

/** What a shell reports of a process that Ctrl-C, SIGTERM or a closed pipe ended. */
export const INTERRUPTED = 130;
const TERMINATED = 143;
export const PIPECLOSED = 141;
const FAILED = 1;

/**
 * Waits for the end of a process; says why it ended, if it failed, and gives the host's status:
 * `interrupted` when Ctrl-C ended it.
 */
export function watch(
  kernel: Booted,
  p: Process,
  interrupted: number = INTERRUPTED,
): Promise<number> {
  return new Watch(kernel, p, interrupted).over();
}

class Watch {
  readonly #kernel: Booted;
  readonly #process: Process;
  readonly #interrupted: number;
  #interrupts = 0;
  #status: number | null = null;

  constructor(kernel: Booted, p: Process, interrupted: number) {
    this.#interrupted = interrupted;
    this.#kernel = kernel;
    this.#process = p;
  }

  async over(): Promise<number> {
    const hooks = [
      on(process, "SIGINT", this.#interrupt),
      on(process, "SIGTERM", () => this.#end(TERMINATED)),
      on(process, "beforeExit", this.#deadlock),
      on(process, "uncaughtException", this.#threw),
      on(process, "unhandledRejection", this.#threw),
      on(process.stdout, "error", () => this.#end(PIPECLOSED)),
      on(process.stderr, "error", () => this.#end(PIPECLOSED)),
    ];
    try {
      const status = await this.#process.wait();
      return this.#status ?? this.#report(status);
    } finally {
      for (const off of hooks) off();
    }
  }

  /**
   * As the console does: the note goes to the whole group. Who asks again means it, and who asks a third
   * time does not wait for what the programs do at their end.
   */
  readonly #interrupt = (): void => {
    const group = this.#process.proc.noteid;
    if (++this.#interrupts > 2) process.exit(this.#interrupted);
    if (this.#interrupts === 2) return this.#end(this.#interrupted);
    for (const proc of this.#kernel.procs.values())
      if (proc.noteid === group && !proc.dead) proc.image?.notes.post("interrupt", false);
  };

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

  /** A timer or a promise of the program's own failed; that is the end of it, too. */
  readonly #threw = (e: unknown): void => {
    this.#process.proc.image?.crash(e);
  };

  #report(status: string): number {
    if (status === "") return 0;
    const { crash, proc } = this.#process;
    if (this.#interrupts > 0 && status === "interrupt") return this.#interrupted;
    const text = crash === undefined ? status : crashtext(proc.text, crash);
    process.stderr.write(`${visible(text, "\n\t")}\n`);
    return FAILED;
  }
}

type Emitter = {
  on(event: string, fn: (arg: unknown) => void): unknown;
  off(event: string, fn: (arg: unknown) => void): unknown;
};

function on(emitter: Emitter, event: string, fn: (arg: unknown) => void): () => void {
  emitter.on(event, fn);
  return () => void emitter.off(event, fn);
}
