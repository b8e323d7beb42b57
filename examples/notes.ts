// Notes interrupt a process: an alarm, another process, Ctrl-C. A handler says whether to go on.
//
//     npx namec run examples/notes.ts

import { NCONT, NDFLT, PNPROC, RFPROC, type Sys, postnote, print } from "namec";

export default async function main(sys: Sys): Promise<string | void> {
  await sys.notify(async (note, s) => {
    const sys = s as Sys;
    await print(sys, `note: ${note}\n`);
    await sys.noted(note === "interrupt" ? NDFLT : NCONT);
  });

  // The alarm finds the program asleep: the call fails with "interrupted", the program goes on.
  await sys.alarm(20);
  try {
    await sys.sleep(10_000);
  } catch (e) {
    await print(sys, `sleep: ${(e as Error).message}\n`);
  }

  // A child without a handler dies of its note; wait tells its parent.
  const pid = await sys.rfork(RFPROC, async (child: Sys) => {
    await child.notify(null);
    await child.sleep(10_000);
  });
  await sys.sleep(1);
  await postnote(sys, PNPROC, pid, "enough");
  const { msg } = await sys.wait();
  await print(sys, `the child left: ${msg.replace(/\d+/, "PID")}\n`);
}
