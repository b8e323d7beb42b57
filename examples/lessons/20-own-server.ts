// A server of one's own: who answers a read.
//
//     npx namec step examples/lessons/20-own-server.ts
//
// Question: Nothing is stored anywhere, and still hello has contents. Which process makes them, and when?
// Look at: The program's second `→ Tread`, and what arrives in process 3 then: `read(3) = 23: Tread`.
// Change: Add a file count to the tree, a function that gives the number of reads so far. What does a read
//     of it give, and what does the server not have to know?

import { OREAD, type Sys, postmount, print, tree } from "namec";

export default async function main(sys: Sys): Promise<void> {
  let reads = 0;
  const files = tree({ hello: () => `hello number ${++reads}\n` });
  await postmount(sys, () => files, { mtpt: "/tmp" });

  for (let i = 0; i < 2; i++) {
    const fd = await sys.open("/tmp/hello", OREAD);
    const buf = new Uint8Array(64);
    const n = await sys.read(fd, buf);
    await print(sys, new TextDecoder().decode(buf.subarray(0, n)));
    await sys.close(fd);
  }
}
