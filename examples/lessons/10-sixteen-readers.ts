// A copy with sixteen readers: calls of one process at the same time.
//
//     npx namec step --virtual --host far:rtt=50ms examples/lessons/10-sixteen-readers.ts
//
// Question: Sixteen preads are made before the first has its answer. How long do they take together?
// Look at: The messages that are on their way at the same time, from `Tread 1 8192 at 0` to `Tread 1 8192
//     at 122880`.
// Change: Run it with --host far:rtt=50ms,bw=1MB/s. When does the first Rread come, when the last, and why?

import { OREAD, OWRITE, type Sys, print, writefile } from "namec";

const READERS = 16;
const PIECE = 8192;

export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/n/far/big", "x".repeat(READERS * PIECE));
  await sys.sleep(100);

  const from = await sys.open("/n/far/big", OREAD);
  const to = await sys.create("/tmp/copy", OWRITE, 0o666);
  const copy = async (i: number): Promise<void> => {
    const buf = new Uint8Array(PIECE);
    const n = await sys.pread(from, buf, i * PIECE);
    await sys.pwrite(to, buf.subarray(0, n), i * PIECE);
  };
  await Promise.all(Array.from({ length: READERS }, (_, i) => copy(i)));
  await print(sys, `${(await sys.stat("/tmp/copy")).length} bytes\n`);
}
