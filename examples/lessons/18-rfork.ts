// What a child shares with its parent: the flags of rfork.
//
//     npx namec step examples/lessons/18-rfork.ts
//
// Question: Three children close descriptor 3 and set n in the environment. After which of them is the
//     parent's own descriptor closed, or its own n another?
// Look at: What each child shares at its start: `has its own descriptors and environment`, `has its own
//     descriptors.`, and the third.
// Change: Use RFPROC | RFCFDG for the third child. What does its close say, and which descriptors has it?

import { OREAD, RFENVG, RFFDG, RFPROC, type Sys, getenv, print, putenv } from "namec";

const WAYS: readonly (readonly [string, number])[] = [
  ["both copied", RFPROC | RFFDG | RFENVG],
  ["environment shared", RFPROC | RFFDG],
  ["both shared", RFPROC],
];

export default async function main(sys: Sys): Promise<void> {
  for (const [what, flags] of WAYS) {
    await putenv(sys, "n", "mine");
    const fd = await sys.open("/", OREAD);
    await sys.rfork(flags, async (child: Sys) => {
      await putenv(child, "n", "the child's");
      await child.close(fd);
    });
    await sys.wait();
    const open = await sys.close(fd).then(
      () => "open",
      (e: Error) => e.message,
    );
    await print(sys, `${what}: ${open}; n is ${await getenv(sys, "n")}\n`);
  }
}
