// What ends a test whose program spins: for(;;){} or for(;;) await null lets no timer run, so neither the kit
// nor a test runner hears anything. A thread of its own misses the beats of this one, names the program and
// kills the process. In a thread of a test runner it only names the program: that runner can end its thread.
//
// The kit imports nothing of a host's: where there are no threads to be had, nothing watches. Nor does anything
// where a debugger may hold the program.

/** How long a program may keep everything else from running (ms of the host's time), unless a machine says. */
export const SPIN = 10_000;

/** Beats in that time. */
const BEATS = 4;
const NAMEMAX = 200;

// The cells that both threads share: it beats, programs that run, the limit.
const CELLS = 3;

/** What of node:worker_threads and node:timers the kit uses, got without an import. */
type Threads = {
  readonly isMainThread: boolean;
  readonly Worker: new (text: string, opts: object) => { unref(): void };
};
type Timers = {
  setInterval(fn: () => void, ms: number): { unref(): object };
  clearInterval(timer: object): void;
};

/** What the thread is given. */
type Given = {
  readonly cells: Int32Array;
  readonly name: Uint8Array;
  readonly say: (text: string) => void;
  readonly end: () => void;
};

/** Runs in the thread: made of its text, it can refer to nothing else here. */
function thread(given: Given): void {
  const { cells, name, say, end } = given;
  for (;;) {
    Atomics.wait(cells, 1, 0);
    const was = Atomics.load(cells, 0);
    const limit = Atomics.load(cells, 2);
    if (Atomics.wait(cells, 0, was, limit) !== "timed-out" || Atomics.load(cells, 1) === 0)
      continue;
    const text = String.fromCharCode(...name.slice(0, name.indexOf(0)));
    say(`namec/testing: "${text}" has let nothing else run for ${limit / 1000} s: it spins\n`);
    return end();
  }
}

const TEXT = `(${thread.toString()})((() => {
  const fs = require("node:fs");
  const { workerData } = require("node:worker_threads");
  const end = () => void (workerData.kill && process.kill(process.pid, "SIGKILL"));
  return { ...workerData, say: (text) => fs.writeSync(2, text), end };
})());`;

/** The thread that watches, one for all machines of this thread, and the memory shared with it. */
class Watcher {
  readonly #cells = new Int32Array(new SharedArrayBuffer(4 * CELLS));
  readonly #name = new Uint8Array(new SharedArrayBuffer(NAMEMAX + 1));
  readonly #timers: Timers;
  #timer: object | null = null;

  constructor({ Worker, isMainThread }: Threads, timers: Timers) {
    this.#timers = timers;
    const workerData = { cells: this.#cells, name: this.#name, kill: isMainThread };
    new Worker(TEXT, { eval: true, env: {}, execArgv: [], workerData }).unref();
  }

  begin(program: string, limit: number): void {
    this.#name.fill(0);
    for (let i = 0; i < Math.min(NAMEMAX, program.length); i++)
      this.#name[i] = program.charCodeAt(i) & 0x7f;
    Atomics.store(this.#cells, 2, limit);
    this.#beat();
    if (Atomics.add(this.#cells, 1, 1) === 0)
      this.#timer = this.#timers.setInterval(() => this.#beat(), limit / BEATS).unref();
    Atomics.notify(this.#cells, 1);
  }

  end(): void {
    if (Atomics.sub(this.#cells, 1, 1) === 1 && this.#timer !== null)
      this.#timers.clearInterval(this.#timer);
    this.#beat();
  }

  #beat(): void {
    Atomics.add(this.#cells, 0, 1);
    Atomics.notify(this.#cells, 0);
  }
}

let watcher: Watcher | null = null;

/** Watches while a program runs; the result ends that. */
export function watchspin(program: string, limit: number): () => void {
  watcher ??= newwatcher();
  if (watcher === null || limit === Number.POSITIVE_INFINITY) return () => undefined;
  const here = watcher;
  here.begin(program, limit);
  return () => here.end();
}

function newwatcher(): Watcher | null {
  const host: unknown = Reflect.get(globalThis, "process");
  if (typeof host !== "object" || host === null) return null;
  const builtin: unknown = Reflect.get(host, "getBuiltinModule");
  if (typeof builtin !== "function") return null;
  const get = (name: string): unknown => Reflect.apply(builtin, host, [name]);
  const inspector = get("node:inspector") as { url(): string | undefined } | undefined;
  const threads = get("node:worker_threads") as Threads | undefined;
  if (threads === undefined || inspector?.url() !== undefined) return null;
  return new Watcher(threads, get("node:timers") as Timers);
}
