// Waiting for the end of a program, which may never come: a request was lost, or two processes wait for each
// other. Under virtual time that shows: nothing is ready, no timer is set, and the program sleeps in a call,
// or has ended but for what its files wait for.

import type { Booted } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import { thishost } from "../boot/host.ts";

/** Turns of the host in which nothing moved, until it is believed that nothing will. */
const STILL = 100;
/** Such turns until a program that sleeps in no call, but in a promise of its own, is just waited for. */
const PATIENCE = 1000;

/** Waits for a process; false when it can never end, or has done too much. Rejects when its kernel panics. */
export async function ended(
  k: Booted,
  p: Process,
  many: () => boolean = () => false,
): Promise<boolean> {
  const state = { over: false };
  const over = p.wait().finally(() => (state.over = true));
  over.catch(() => undefined);
  let [resumed, still] = [-1, 0];
  while (!state.over && still < PATIENCE) {
    await Promise.race([over, idle(k)]);
    await new Promise<void>((resolve) => thishost.turn(resolve));
    const moved = k.sched.resumed !== resumed || k.clock.timers.size > 0;
    resumed = k.sched.resumed;
    if (!state.over && many()) return false;
    still = moved ? 0 : still + 1;
    if (!state.over && still >= STILL && sleeps(p)) return false;
  }
  await over;
  return true;
}

function idle(k: Booted): Promise<void> {
  return new Promise((resolve) => k.sched.atidle(resolve));
}

function sleeps(p: Process): boolean {
  if (p.proc.dead) return true;
  for (const co of p.proc.coroutines()) if (co.on !== null) return true;
  return false;
}
