// When a pipe comes to its end: who holds it open.
//
//     npx namec step examples/lessons/16-end-of-file.ts
//
// Question: The writer writes one word and ends. Why does the second read not tell of the end?
// Look at: The second read, `process 2 waits for bytes of a pipe`, and the processes that hold the other
//     end of the pipe.
// Change: Close theirs before the first read. What does each read give then, and how long does the program
//     take?

import { NCONT, RFFDG, RFPROC, type Sys, fprint, print } from "namec";

export default async function main(sys: Sys): Promise<void> {
  const [mine, theirs] = await sys.pipe();
  await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
    await fprint(child, theirs, "word");
  });
  await sys.wait();
  await sys.notify((_note, s) => (s as Sys).noted(NCONT));
  await sys.alarm(100);
  const buf = new Uint8Array(8);
  for (let i = 0; i < 3; i++)
    try {
      await print(sys, `${await sys.read(mine, buf)} bytes\n`);
    } catch (e) {
      await print(sys, `${(e as Error).message}\n`);
      await sys.close(theirs);
    }
}
