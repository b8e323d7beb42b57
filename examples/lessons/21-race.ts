// A race, and a lock: two processes that read, add and write.
//
//     npx namec step examples/lessons/21-race.ts
//
// Question: Two processes add 1 to the same count. Why is it 1 the first time and 2 the second?
// Look at: What each process read before it wrote: the first two `read(5, [8192]) = 1 "0"`, and then
//     `process 6 waits for bytes of a pipe`.
// Change: Write two tokens into the pipe, "tt". What is the count with the lock then, and what does that
//     say of the pipe?

import { RFFDG, RFPROC, type Sys, fprint, print, readtext, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  const [take, give] = await sys.pipe();
  await fprint(sys, give, "t");
  for (const locked of [false, true]) {
    await writefile(sys, "/tmp/count", "0");
    const adder = async (child: Sys): Promise<void> => {
      if (locked) await child.read(take, new Uint8Array(1));
      const count = Number(await readtext(child, "/tmp/count"));
      await child.sleep(1);
      await writefile(child, "/tmp/count", String(count + 1));
      if (locked) await fprint(child, give, "t");
    };
    for (let i = 0; i < 2; i++) await sys.rfork(RFPROC | RFFDG, adder);
    for (let i = 0; i < 2; i++) await sys.wait();
    await print(
      sys,
      `${locked ? "with" : "without"} a lock: ${await readtext(sys, "/tmp/count")}\n`,
    );
  }
}
