// Hostile connections over TCP, in a thread of their own so that making their frames costs the measuring
// thread nothing: each sends what frames.ts gives, and when it ends the next begins, until they are stopped.

import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { chance } from "../../userland/boot/boot.ts";
import type { Chance } from "../../kernel/proc/sched.ts";
import { Frames } from "./frames.ts";
import { call, rest } from "./server.ts";

type Work = {
  readonly port: number;
  readonly n: number;
  readonly seed: number;
  readonly newnames: readonly string[] | undefined;
};

/** Connections that are under way in another thread. */
export class Hostiles {
  readonly #worker: Worker;
  readonly #over: Promise<number>;
  /** The first of them has a connection. */
  readonly begun: Promise<void>;

  /** n connections at a time to the server at port; `newnames` are those that a wstat gives a file. */
  constructor(port: number, n: number, seed: number, newnames?: readonly string[]) {
    const work: Work = { port, n, seed, newnames };
    this.#worker = new Worker(new URL(import.meta.url), { workerData: work });
    this.begun = new Promise((resolve) => {
      this.#worker.once("message", () => resolve());
    });
    this.#over = new Promise((resolve, reject) => {
      this.#worker.on("error", reject).on("message", (frames: number | "begun") => {
        if (frames !== "begun") resolve(frames);
      });
    });
  }

  /** Ends them all; gives the number of frames that they sent. */
  async stop(): Promise<number> {
    this.#worker.postMessage("stop");
    const frames = await this.#over;
    await this.#worker.terminate();
    return frames;
  }
}

const state = { stopped: false, begun: false, frames: 0 };

async function run({ port, newnames }: Work, pick: Chance): Promise<void> {
  while (!state.stopped) {
    const socket = await call(port);
    if (socket === null) throw new Error("a call was refused");
    if (!state.begun) parentPort?.postMessage("begun");
    state.begun = true;
    const frames = new Frames(pick, newnames);
    let open = true;
    socket.on("close", () => (open = false));
    if (pick(8) === 0) socket.pause();
    else socket.resume();
    socket.write(frames.hello());
    for (let n = pick(40); n > 0 && open && !state.stopped; n--) {
      const batch = 1 + pick(100);
      state.frames += batch;
      socket.write(frames.next(batch));
      await rest(1 + pick(10));
    }
    socket.destroy();
  }
}

if (!isMainThread && parentPort !== null) {
  const work = workerData as Work;
  const parent = parentPort;
  const pick = chance(work.seed);
  const all = Promise.all(Array.from({ length: work.n }, () => run(work, pick)));
  parent.on("message", () => {
    state.stopped = true;
    void all.then(() => parent.postMessage(state.frames));
  });
}
