// What is left of a process that has ended: wait.
//
//     npx namec step examples/lessons/15-wait.ts
//
// Question: quick ends 10 ms before its parent asks. Where is its status until then?
// Look at: The end of quick, `process 3 ends: quick`: what it says of the parent. Then the three calls of
//     wait.
// Change: Add RFNOWAIT to the flags of rfork. What do the three waits say, and what is not kept any more?

import { RFPROC, type Sys, print } from "namec";

export default async function main(sys: Sys): Promise<void> {
  const start = (ms: number, status: string): Promise<number> =>
    sys.rfork(RFPROC, async (child: Sys) => {
      await child.sleep(ms);
      return status;
    });
  await start(10, "quick");
  await start(30, "slow");
  await sys.sleep(20);
  for (let i = 0; i < 3; i++)
    try {
      const { msg } = await sys.wait();
      await print(sys, `${msg.replace(/^.*: /, "")}\n`);
    } catch (e) {
      await print(sys, `${(e as Error).message}\n`);
    }
}
