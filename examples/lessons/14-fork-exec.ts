// What exec keeps of a process: fork and exec.
//
//     npx namec step examples/lessons/14-fork-exec.ts
//
// Question: echo knows nothing of /tmp/log, and yet its words are there. What of the child did exec keep?
// Look at: The child before and after `process 3 becomes /bin/echo`: what its descriptor 1 is.
// Change: Create the log with OWRITE | OCEXEC. What does echo say? Then leave out the child's dup as well:
//     where do its words go?

import { OWRITE, RFFDG, RFPROC, type Sys, print, readtext } from "namec";

export default async function main(sys: Sys): Promise<void> {
  const log = await sys.create("/tmp/log", OWRITE, 0o664);
  await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
    await child.dup(log, 1);
    await child.exec("/bin/echo", ["echo", "hello"]);
    await print(child, "this is never said\n");
  });
  await sys.wait();
  await print(sys, `the log has: ${await readtext(sys, "/tmp/log")}`);
}
