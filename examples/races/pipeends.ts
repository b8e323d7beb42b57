// A pipe's end left open: a reader waits for the end of file, and a process that has nothing to do with it still
// has the writing end.
//
//     npx namec explore examples/races/pipeends.ts

import { RFFDG, RFNOWAIT, RFPROC, type Sys } from "namec";

/** A process of another's making, which lives until it is told. */
const stranger = (done: number) => async (sys: Sys) => {
  await sys.read(done, new Uint8Array(1));
};

/** Other work, so that the two are not in step from the beginning. */
async function work(sys: Sys): Promise<void> {
  for (let n = 0; n < 3; n++) await sys.nsec();
}

/** Reads a pipe to its end; then the stranger may go. */
async function reads(sys: Sys, [r, w]: readonly [number, number], tell: number): Promise<void> {
  await sys.close(w);
  while ((await sys.read(r, new Uint8Array(8))) > 0);
  await sys.write(tell, new Uint8Array(1));
  await sys.wait();
}

/**
 * Fault: the helper has the same descriptors as the reader. When it begins the stranger before the reader closes
 * the writing end, the stranger has that end, too.
 */
export default async function pipeends(sys: Sys): Promise<void> {
  const [done, tell] = await sys.pipe();
  const ends = await sys.pipe();
  await sys.rfork(RFPROC, async (s: Sys) => {
    await work(s);
    await s.rfork(RFPROC | RFFDG | RFNOWAIT, stranger(done));
  });
  await reads(sys, ends, tell);
}

/** The helper has descriptors of its own, and closes what is not its business before it begins another. */
export async function mended(sys: Sys): Promise<void> {
  const [done, tell] = await sys.pipe();
  const ends = await sys.pipe();
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    for (const fd of ends) await s.close(fd);
    await work(s);
    await s.rfork(RFPROC | RFFDG | RFNOWAIT, stranger(done));
  });
  await reads(sys, ends, tell);
}
