// Node as the machine under a kernel: its clock, its event loop, its chance.

import { randomFillSync } from "node:crypto";
import type { Host } from "../../kernel/clock.ts";

/** The host that boot uses unless it is given another. */
export const nodehost: Host = {
  now: () => performance.now() * 1e6,
  epoch: BigInt(Math.round(performance.timeOrigin * 1000)) * 1000n,
  alarm(ns, fn) {
    // A timer of Node holds 2^31-1 ms at most; one that comes early is set again by the scheduler.
    const t = setTimeout(fn, Math.min(Math.ceil(ns / 1e6), 0x7fffffff));
    return () => clearTimeout(t);
  },
  turn: (fn) => void setImmediate(fn),
  random: (buf) => void randomFillSync(buf),
};
