// What a note does to a process: handlers and alarms.
//
//     npx namec step examples/lessons/17-notes.ts
//
// Question: Two notes come, an alarm and one from another process. Why does the parent go on where the
//     child ends?
// Look at: The last call of each handler: `noted(NCONT) returns` in process 2 and `noted(NDFLT) returns` in
//     process 3.
// Change: Let the child call notify(null) first. What does it say before it ends, and what is its status?

import { NCONT, NDFLT, PNPROC, RFPROC, type Sys, postnote, print } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await sys.notify(async (note, s) => {
    await print(s as Sys, `handler: ${note}\n`);
    await (s as Sys).noted(note === "alarm" ? NCONT : NDFLT);
  });
  await sys.alarm(10);
  try {
    await sys.sleep(1000);
  } catch (e) {
    await print(sys, `sleep: ${(e as Error).message}\n`);
  }
  const pid = await sys.rfork(RFPROC, (child: Sys) => child.sleep(1000));
  await sys.sleep(1);
  await postnote(sys, PNPROC, pid, "enough");
  const { msg } = await sys.wait();
  await print(sys, `the child ended: ${msg.replace(/^.*: /, "")}\n`);
}
