// Deadlock of two locks: two processes take both, in different orders.
//
//     npx namec explore examples/races/locks.ts

import { RFFDG, RFMEM, RFPROC, type Sys } from "namec";

async function both(sys: Sys, first: Int32Array, second: Int32Array): Promise<void> {
  await sys.semacquire(first, true);
  await sys.semacquire(second, true);
  await sys.semrelease(second, 1);
  await sys.semrelease(first, 1);
}

/** Other work, so that the two are not in step from the beginning. */
async function work(sys: Sys): Promise<void> {
  for (let n = 0; n < 3; n++) await sys.nsec();
}

/** Fault: each may have one of them, and wait for the other. */
export default async function locks(sys: Sys): Promise<void> {
  const [a, b] = [new Int32Array([1]), new Int32Array([1])];
  await sys.rfork(RFPROC | RFFDG | RFMEM, async (s: Sys) => {
    await work(s);
    await both(s, b, a);
  });
  await both(sys, a, b);
  await sys.wait();
}

/** The locks have an order, and all take them in it. */
export async function mended(sys: Sys): Promise<void> {
  const [a, b] = [new Int32Array([1]), new Int32Array([1])];
  await sys.rfork(RFPROC | RFFDG | RFMEM, async (s: Sys) => {
    await work(s);
    await both(s, a, b);
  });
  await both(sys, a, b);
  await sys.wait();
}
