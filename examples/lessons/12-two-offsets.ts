// Two descriptors of one file: one offset, or two.
//
//     npx namec step examples/lessons/12-two-offsets.ts
//
// Question: Three reads of two letters each: by the descriptor that open gave, by the one that dup gave,
//     and by the one that a second open gave. Which letters does each of them bring?
// Look at: The dup, whose descriptors `share one offset`, and the read by it, `read(4, [2])`: where the
//     next one begins.
// Change: Write sys.pread(fd, buf, 0) for sys.read(fd, buf). What does each of them bring now?

import { OREAD, type Sys, print, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/tmp/abc", "abcdefgh");
  const first = await sys.open("/tmp/abc", OREAD);
  const same = await sys.dup(first);
  const other = await sys.open("/tmp/abc", OREAD);

  const buf = new Uint8Array(2);
  for (const fd of [first, same, other]) {
    const n = await sys.read(fd, buf);
    await print(sys, `${fd} brings ${new TextDecoder().decode(buf.subarray(0, n))}\n`);
  }
}
