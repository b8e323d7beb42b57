// A descriptor used again: two processes share their descriptors; one closes a file, another opens one and gets
// the same number, and the first writes to it.
//
//     npx namec explore examples/races/fdreuse.ts

import { OWRITE, RFFDG, RFPROC, type Sys, readtext } from "namec";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function scene(sys: Sys, flags: number): Promise<string> {
  const debug = await sys.create("/tmp/debug", OWRITE, 0o666);
  await sys.rfork(RFPROC | flags, async (s: Sys) => {
    await s.close(debug);
    await s.write(await s.create("/tmp/accounts", OWRITE, 0o666), bytes("100"));
  });
  await sys.write(debug, bytes("it works\n")).catch(() => 0);
  await sys.wait();
  const text = await readtext(sys, "/tmp/accounts");
  return text === "100" ? "" : `the accounts are ${JSON.stringify(text)}`;
}

/** Fault: the parent still writes to a number that is another file by now. */
export default (sys: Sys): Promise<string> => scene(sys, 0);

/** Each process has descriptors of its own. */
export const mended = (sys: Sys): Promise<string> => scene(sys, RFFDG);
