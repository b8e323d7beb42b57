// Lost wakeup: a process looks whether it has to wait, and says that it waits; between the two it is woken.
//
//     npx namec explore examples/races/lostwakeup.ts

import { OWRITE, RFFDG, RFMEM, RFPROC, type Sys } from "namec";

/** Other work, so that the two are not in step from the beginning. */
async function work(sys: Sys): Promise<void> {
  for (let n = 0; n < 4; n++) await sys.nsec();
}

/** Fault: the waker comes between the look at `ready` and `waits`, and finds no process to wake. */
export default async function lostwakeup(sys: Sys): Promise<void> {
  const log = await sys.open("/dev/null", OWRITE);
  let [ready, waits] = [false, false];
  await sys.rfork(RFPROC | RFFDG | RFMEM, async (s: Sys) => {
    await work(s);
    ready = true;
    if (waits) await s.rendezvous("wakeup", null);
  });
  if (!ready) {
    await sys.write(log, new TextEncoder().encode("nothing yet\n"));
    waits = true;
    await sys.rendezvous("wakeup", null);
  }
  await sys.wait();
}

/** Both meet always: who comes first waits for the other. */
export async function mended(sys: Sys): Promise<void> {
  const log = await sys.open("/dev/null", OWRITE);
  await sys.rfork(RFPROC | RFFDG | RFMEM, async (s: Sys) => {
    await work(s);
    await s.rendezvous("wakeup", null);
  });
  await sys.write(log, new TextEncoder().encode("nothing yet\n"));
  await sys.rendezvous("wakeup", null);
  await sys.wait();
}
