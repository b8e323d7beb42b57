// Watchdog: the thread that hears Ctrl-C while a program runs. The main thread runs the program, and one that
// spins lets it hear nothing; so SIGINT goes to a thread of its own, which tells the main thread, and which
// ends this process when the main thread does not.
//
// Node gives signals to the main thread only, with one exception: a script that node:vm runs with breakOnSigint
// is broken off by SIGINT, in whatever thread it runs. The watchdog's thread sleeps in such a script. A second
// such script around it keeps SIGINT from its default meaning while the first one is begun anew.
//
// What a recorded program has done is worth keeping when the program spins. For that the thread ends what the main
// thread runs, as a debugger does (V8's terminateExecution), and the process lives on.
//
// SIGTERM needs no thread: where nothing handles it, the system ends the process at once, and Node gives the
// terminal its modes back. Both endings are a signal's, which shells report as 130 and 143.

import { Worker } from "node:worker_threads";
import { breakon } from "./vmhost.ts";

/** What the thread is to do, in the first cell of the memory that both threads share; the second counts SIGINTs. */
const ASLEEP = 0;
const ARMED = 1;
const OVER = 2;

/** What the thread gets to work with: it is made of its text, so it can refer to nothing else here. */
type Given = {
  readonly vm: typeof import("node:vm");
  readonly post: (heard: number) => void;
  readonly cell: Int32Array;
  /** Reaches the main thread as a debugger does. */
  readonly inspector: typeof import("node:inspector");
  /** How long the main thread is given after the second interrupt (ms). */
  readonly patience: number;
  /** How often what the main thread runs is ended before the process is. */
  readonly tries: number;
};

/** How long a program has from the second Ctrl-C until its process is killed (ms). */
const PATIENCE = 800;

/** A program that is ended may have timers that spin again. */
const TRIES = 5;

/** The thread: posts 0 when it hears SIGINT, and then, each time, how often it has heard it. */
function thread({ vm, inspector, post, cell, patience, tries }: Given): void {
  const [armed, over] = [1, 2];
  let heard = 0;
  let deadline = Number.POSITIVE_INFINITY;
  let ready = false;
  const count = (): void => {
    Atomics.store(cell, 1, ++heard);
    post(heard);
    if (heard === 2) deadline = Date.now() + patience;
  };
  const sleep = (): string => {
    if (!ready) post(0);
    ready = true;
    return Atomics.wait(cell, 0, armed, deadline - Date.now());
  };
  const [inner, outer] = [new vm.Script("sleep()"), new vm.Script("watch()")];
  const hear = { breakOnSigint: true };
  // True: the time is up.
  const watch = (): boolean => {
    for (;;) {
      try {
        const how: unknown = inner.runInThisContext(hear);
        if (Atomics.load(cell, 0) === over) return false;
        if (how === "timed-out") return true;
      } catch {
        count();
      }
    }
  };
  Object.assign(globalThis, { sleep, watch });
  Atomics.wait(cell, 0, 0);
  let late = false;
  let left = tries;
  while (!late && Atomics.load(cell, 0) === armed)
    try {
      late = outer.runInThisContext(hear) === true;
      if (!late || left-- <= 0) continue;
      const session = new inspector.Session();
      session.connectToMainThread();
      session.post("Runtime.terminateExecution");
      deadline = Date.now() + patience;
      late = false;
    } catch {
      count();
    }
  if (!late) return;
  // SIGINT has its default meaning again; a program that handles it all the same is killed.
  process.kill(process.pid, "SIGINT");
  if (Atomics.wait(cell, 0, armed, 400) === "timed-out") process.kill(process.pid, "SIGKILL");
}

const TEXT = `(${thread.toString()})((() => {
  const { parentPort, workerData } = require("node:worker_threads");
  return { ...workerData, vm: require("node:vm"), inspector: require("node:inspector"), post: (n) => parentPort.postMessage(n) };
})());`;

/** Hears Ctrl-C for a program; made early, since its thread takes some milliseconds to begin. */
export class Watchdog {
  readonly #cell = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;
  readonly #armed: Promise<void>;
  #heard = 0;
  #tell: (() => void) | null = null;

  /**
   * A watchdog, or null where this process may have no threads: then Ctrl-C is the main thread's to hear. With
   * `keeps` the second Ctrl-C ends a program that spins, and this process goes on.
   */
  static begin(keeps = false): Watchdog | null {
    try {
      return new Watchdog(keeps ? TRIES : 0);
    } catch {
      return null;
    }
  }

  private constructor(tries: number) {
    this.#worker = new Worker(TEXT, {
      eval: true,
      env: {},
      execArgv: [],
      workerData: { cell: this.#cell, patience: PATIENCE, tries },
    });
    this.#armed = new Promise((resolve) => {
      // Without its thread Ctrl-C keeps its default meaning.
      this.#worker.on("error", () => resolve());
      this.#worker.on("exit", () => resolve());
      this.#worker.on("message", (heard: number) => {
        if (heard === 0) resolve();
        else this.#count();
      });
    });
    this.#worker.unref();
  }

  /** From the moment when this resolves Ctrl-C is counted, and ends this process only a while after the second. */
  async arm(): Promise<void> {
    this.#set(ARMED);
    // A vm program that computes is broken off, though the main thread has not heard of it.
    breakon(() => this.interrupted);
    // Else Node would end, since it waits for this thread alone.
    this.#worker.ref();
    await this.#armed;
    this.#worker.unref();
  }

  /** Ctrl-C was pressed, and the main thread has not heard of it yet. */
  get interrupted(): boolean {
    return Atomics.load(this.#cell, 1) > this.#heard;
  }

  /** Calls fn at each Ctrl-C, those included that came since arm(). */
  hear(fn: () => void): void {
    for (let i = 0; i < this.#heard; i++) fn();
    this.#tell = fn;
  }

  /** Ctrl-C has its default meaning again. */
  end(): void {
    this.#tell = null;
    breakon(() => false);
    this.#set(OVER);
  }

  #count(): void {
    this.#heard++;
    this.#tell?.();
  }

  #set(what: typeof ASLEEP | typeof ARMED | typeof OVER): void {
    Atomics.store(this.#cell, 0, what);
    Atomics.notify(this.#cell, 0);
  }
}
