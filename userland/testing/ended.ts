// Waiting for the end of a program, which may never come: a request was lost, or two processes wait for each
// other. Under virtual time that shows: nothing is ready, no timer is set, and the program sleeps in a call,
// or has ended but for what its files wait for. One that goes on and on has limits.

import type { Booted } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import { thishost } from "../boot/host.ts";

/** Turns of the host in which nothing moved, until it is believed that nothing will. */
const STILL = 100;
/** Such turns until a program that sleeps in no call, but in a promise of its own, is just waited for. */
const PATIENCE = 1000;

/** How the waiting may end before the program does. */
export type Patience = {
  /** Why the program has gone on for too long; null while it has not. */
  readonly over: () => string | null;
  /** Nanoseconds of the host after which that is asked, though nothing moves. */
  readonly host: number;
};

/** How it ended: by itself, in no time to come, or by a limit, which is said in words. */
export type Ended = "ended" | "hangs" | { readonly limit: string };

/** Waits for a process. Rejects when its kernel panics. */
export async function ended(k: Booted, p: Process, { over, host }: Patience): Promise<Ended> {
  const state = { over: false };
  const end = p.wait().finally(() => (state.over = true));
  end.catch(() => undefined);
  let [resumed, still] = [-1, 0];
  while (!state.over && still < PATIENCE) {
    await Promise.race([end, idle(k)]);
    await new Promise<void>((resolve) => thishost.turn(resolve));
    const moved = k.sched.resumed !== resumed || k.clock.timers.size > 0;
    resumed = k.sched.resumed;
    const limit = state.over ? null : over();
    if (limit !== null) return { limit };
    still = moved ? 0 : still + 1;
    if (!state.over && still >= STILL && sleeps(p)) return "hangs";
  }
  return await waited(end, { over, host });
}

/** The end of a program that waits for a promise of its own, which its host may still settle. */
async function waited(end: Promise<unknown>, { over, host }: Patience): Promise<Ended> {
  let cancel = (): void => undefined;
  const limit = new Promise<string | null>((resolve) => {
    if (host !== Infinity) cancel = thishost.alarm(host, () => resolve(over()));
  });
  const first = await Promise.race([end.then(() => null), limit]).finally(() => cancel());
  return first === null ? "ended" : { limit: first };
}

function idle(k: Booted): Promise<void> {
  return new Promise((resolve) => k.sched.atidle(resolve));
}

function sleeps(p: Process): boolean {
  if (p.proc.dead) return true;
  for (const co of p.proc.coroutines()) if (co.on !== null) return true;
  return false;
}
