// Dining philosophers: three take the fork on their left, then the one on their right, and eat.
//
//     npx namec explore examples/races/philosophers.ts

import { RFFDG, RFNOWAIT, RFPROC, type Sys } from "namec";

type Fork = readonly [take: number, put: number];
const FORK = new Uint8Array(1);
const SEATS = 3;

async function dine(sys: Sys, first: Fork, second: Fork): Promise<void> {
  await sys.read(first[0], new Uint8Array(1));
  await sys.read(second[0], new Uint8Array(1));
  await sys.write(second[1], FORK);
  await sys.write(first[1], FORK);
}

/** The process that lays the table takes a seat at it, too, and begins at once. */
async function table(sys: Sys, order: (a: number, b: number) => number[]): Promise<void> {
  const forks: Fork[] = [];
  for (let n = 0; n < SEATS; n++) {
    const fork = await sys.pipe();
    await sys.write(fork[1], FORK);
    forks.push(fork);
  }
  for (let seat = SEATS - 1; seat >= 0; seat--) {
    const [first, second] = order(seat, (seat + 1) % SEATS).map((n) => forks[n]);
    if (first === undefined || second === undefined) continue;
    if (seat === 0) await dine(sys, first, second);
    else await sys.rfork(RFPROC | RFFDG | RFNOWAIT, (s: Sys) => dine(s, first, second));
  }
}

/** Fault: each may have the fork on the left, and wait for the one on the right. */
export default (sys: Sys): Promise<void> => table(sys, (left, right) => [left, right]);

/** The forks have an order. */
export const mended = (sys: Sys): Promise<void> =>
  table(sys, (left, right) => [Math.min(left, right), Math.max(left, right)]);
