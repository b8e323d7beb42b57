// A note between check and sleep: a handler says that it is time to stop, and the process has looked just before.
//
//     npx namec explore examples/races/notesleep.ts

import { NCONT, PNPROC, RFFDG, RFPROC, type Sys, getpid, postnote } from "namec";

/** Fault: a note that comes behind the look, and before the read sleeps, interrupts nothing. */
export default async function notesleep(sys: Sys): Promise<void> {
  const [work] = await sys.pipe();
  let stop = false;
  await sys.notify(async (_note, s) => {
    stop = true;
    await (s as Sys).noted(NCONT);
  });
  const me = await getpid(sys);
  await sys.rfork(RFPROC | RFFDG, (s: Sys) => postnote(s, PNPROC, me, "stop"));
  while (!stop) await sys.read(work, new Uint8Array(1)).catch(() => 0);
  await sys.wait();
}

/** The handler writes to what the process reads: the word waits there, whenever it comes. */
export async function mended(sys: Sys): Promise<void> {
  const [work, self] = await sys.pipe();
  let stop = false;
  await sys.notify(async (_note, s) => {
    stop = true;
    await (s as Sys).write(self, new Uint8Array(1));
    await (s as Sys).noted(NCONT);
  });
  const me = await getpid(sys);
  await sys.rfork(RFPROC | RFFDG, (s: Sys) => postnote(s, PNPROC, me, "stop"));
  while (!stop) await sys.read(work, new Uint8Array(1)).catch(() => 0);
  await again(sys);
}

/** wait, which a note may interrupt. */
async function again(sys: Sys): Promise<void> {
  await sys.wait().catch(() => sys.wait());
}
