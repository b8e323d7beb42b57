// The machine under a kernel, whichever it is: its clock, its event loop, its chance. Node and pages both
// have what is used here; setImmediate is Node's, and a message port is a page's way to the same.

import type { Host } from "../../kernel/proc/clock.ts";

declare const performance: { now(): number; readonly timeOrigin: number };
declare const crypto: { getRandomValues(buf: Uint8Array): void };
declare function setTimeout(fn: () => void, ms: number): object;
declare function clearTimeout(t: object): void;
declare const setImmediate: ((fn: () => void) => object) | undefined;
declare class MessageChannel {
  readonly port1: { onmessage: () => void };
  readonly port2: { postMessage(data: null): void };
}

/** What getRandomValues gives at most at a time. */
const SOME = 65536;

/** Calls fn in a turn of its own, behind what the host has ready. */
function turner(): (fn: () => void) => void {
  if (typeof setImmediate === "function") {
    const immediate = setImmediate;
    return (fn) => void immediate(fn);
  }
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (fn) => {
    waiting.push(fn);
    port2.postMessage(null);
  };
}

// The global is a getter in Node, which costs more than what it gets.
const watch = performance;

/** The host that boot uses unless it is given another. */
export const thishost: Host = {
  now: () => watch.now() * 1e6,
  epoch: BigInt(Math.round(performance.timeOrigin * 1000)) * 1000n,
  alarm(ns, fn) {
    // A timer holds 2^31-1 ms at most; one that comes early is set again by the scheduler.
    const t = setTimeout(fn, Math.min(Math.ceil(ns / 1e6), 0x7fffffff));
    return () => clearTimeout(t);
  },
  turn: turner(),
  random(buf) {
    for (let off = 0; off < buf.length; off += SOME)
      crypto.getRandomValues(buf.subarray(off, off + SOME));
  },
};
