// Dining philosophers: three take the fork on their left, then the one on their right, and eat.
//
//     npx namec explore examples/races/philosophers.ts

import { RFFDG, RFPROC, type Sys } from "namec";

type Fork = readonly [take: number, put: number];
const FORK = new Uint8Array(1);
const SEATS = 3;

async function dine(sys: Sys, first: Fork, second: Fork): Promise<void> {
  for (const [take] of [first, second]) await sys.read(take, new Uint8Array(1));
  for (const [, put] of [first, second]) await sys.write(put, FORK);
}

async function table(sys: Sys, order: (a: number, b: number) => number[]): Promise<void> {
  const forks: Fork[] = [];
  for (let n = 0; n < SEATS; n++) {
    const fork = await sys.pipe();
    await sys.write(fork[1], FORK);
    forks.push(fork);
  }
  for (let seat = 0; seat < SEATS; seat++) {
    const [first, second] = order(seat, (seat + 1) % SEATS).map((n) => forks[n]);
    if (first === undefined || second === undefined) continue;
    await sys.rfork(RFPROC | RFFDG, (s: Sys) => dine(s, first, second));
  }
  for (let n = 0; n < SEATS; n++) await sys.wait();
}

/** Fault: each may have the fork on the left, and wait for the one on the right. */
export default (sys: Sys): Promise<void> => table(sys, (left, right) => [left, right]);

/** The forks have an order. */
export const mended = (sys: Sys): Promise<void> =>
  table(sys, (left, right) => [Math.min(left, right), Math.max(left, right)]);
