// Deadlock of two pipes: two processes have a token each to take from both pipes, in different orders.
//
//     npx namec explore examples/races/pipes.ts

import { RFFDG, RFPROC, type Sys } from "namec";

type Pipe = readonly [take: number, give: number];
const TOKEN = new Uint8Array(1);

async function newtoken(sys: Sys): Promise<Pipe> {
  const pipe = await sys.pipe();
  await sys.write(pipe[1], TOKEN);
  return pipe;
}

async function both(sys: Sys, first: Pipe, second: Pipe): Promise<void> {
  for (const [take] of [first, second]) await sys.read(take, new Uint8Array(1));
  for (const [, give] of [second, first]) await sys.write(give, TOKEN);
}

/** Other work, so that the two are not in step from the beginning. */
async function work(sys: Sys): Promise<void> {
  for (let n = 0; n < 4; n++) await sys.nsec();
}

/** Fault: each may have taken one token, and read the other pipe for ever. */
export default async function pipes(sys: Sys): Promise<void> {
  const [a, b] = [await newtoken(sys), await newtoken(sys)];
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await work(s);
    await both(s, b, a);
  });
  await both(sys, a, b);
  await sys.wait();
}

/** The pipes are read in one order by all. */
export async function mended(sys: Sys): Promise<void> {
  const [a, b] = [await newtoken(sys), await newtoken(sys)];
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await work(s);
    await both(s, a, b);
  });
  await both(sys, a, b);
  await sys.wait();
}
