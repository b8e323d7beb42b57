// A note interrupts a read: what becomes of the request.
//
//     npx namec step --virtual --host far:rtt=50ms examples/lessons/08-flush.ts
//
// Question: The alarm comes 10 ms after each read began. Why does the first read bring its data all the
//     same, and the second fail?
// Look at: The request `→ Tflush tag 1`, and what far answers before its `← Rflush`.
// Change: Set the alarms to 60 ms. Which of the two reads is still interrupted, and how many Tflush are
//     sent?

import {
  DMDIR,
  MREPL,
  NCONT,
  OREAD,
  type Sys,
  newexport,
  postmount,
  print,
  writefile,
} from "namec";

export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/n/far/data", "here it is\n");
  // A pipe without a writer, behind a server of this machine.
  for (const dir of ["/tmp/pipe", "/tmp/served"])
    await sys.close(await sys.create(dir, OREAD, DMDIR | 0o777));
  await sys.bind("#|", "/tmp/pipe", MREPL);
  await postmount(sys, (child) => newexport(child, { root: "/tmp/pipe" }), { mtpt: "/tmp/served" });
  const far = await sys.open("/n/far/data", OREAD);
  const pipe = await sys.open("/tmp/served/data", OREAD);
  await sys.notify((_note, s) => (s as Sys).noted(NCONT));
  await sys.sleep(100);

  for (const fd of [far, pipe]) {
    await sys.alarm(10);
    try {
      await print(sys, `${await sys.read(fd, new Uint8Array(100))} bytes\n`);
    } catch (e) {
      await print(sys, `${(e as Error).message}\n`);
    }
  }
}
