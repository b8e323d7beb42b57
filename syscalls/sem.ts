// Semaphores: semacquire(2). What is Plan 9's address of a long is here the first word of an Int32Array.

import { Ebadarg, error } from "../kernel/abi/errors.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Task } from "../kernel/proc/rendez.ts";
import { MAXMS, NSPERMS, checknum } from "./arg.ts";

function checksem(sem: Int32Array): void {
  if (!ArrayBuffer.isView(sem) || !(sem instanceof Int32Array)) error(Ebadarg);
}

export function* semacquire(up: Proc, sem: Int32Array, block: boolean): Task<number> {
  checksem(sem);
  const { sems } = up.k;
  return sems.take(sem) || (block && (yield* sems.acquire(sem, Infinity))) ? 1 : 0;
}

export function* tsemacquire(up: Proc, sem: Int32Array, ms: number): Task<number> {
  checksem(sem);
  if (typeof ms !== "number" || !(ms >= 0 && ms <= MAXMS)) error(Ebadarg);
  const { sems } = up.k;
  return sems.take(sem) || (ms > 0 && (yield* sems.acquire(sem, ms * NSPERMS))) ? 1 : 0;
}

export function semrelease(up: Proc, sem: Int32Array, count: number): number {
  checksem(sem);
  checknum(count);
  return up.k.sems.release(sem, count);
}
