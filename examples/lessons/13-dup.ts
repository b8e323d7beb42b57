// Where the output goes: dup onto descriptor 1.
//
//     npx namec step examples/lessons/13-dup.ts
//
// Question: print writes to descriptor 1, all three times. Why does the second text not come to the
//     console, and how does the third come there again?
// Look at: The two calls `dup(4, 1) = 1` and `dup(3, 1) = 1`: with which descriptor 1 is the same open file
//     after each.
// Change: Leave out the first dup, and write dup(3, 1) for the last one. Where does the last text go, and
//     why can nothing bring the console back?

import { OWRITE, type Sys, print, readtext } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await print(sys, "to the console\n");
  const kept = await sys.dup(1);
  const log = await sys.create("/tmp/log", OWRITE, 0o664);
  await sys.dup(log, 1);
  await print(sys, "to the log\n");
  await sys.dup(kept, 1);
  await print(sys, `the log has: ${await readtext(sys, "/tmp/log")}`);
}
