// Loaded into a server's process before its program: at SIGUSR2 the process collects its garbage and says on
// descriptor 2 what it holds.

import { readdirSync } from "node:fs";

/** What a process holds, in bytes and numbers. */
export type Held = {
  readonly rss: number;
  readonly heap: number;
  readonly timers: number;
  readonly descriptors: number;
};

process.on("SIGUSR2", () => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const held: Held = {
    rss,
    heap: heapUsed + external,
    timers: process.getActiveResourcesInfo().filter((r) => r === "Timeout").length,
    descriptors: readdirSync("/proc/self/fd").length,
  };
  process.stderr.write(`probe ${JSON.stringify(held)}\n`);
});
