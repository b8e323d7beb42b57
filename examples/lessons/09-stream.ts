// A stream and reads: the same 64 KiB, twice.
//
//     npx namec step --virtual --host far:rtt=50ms examples/lessons/09-stream.ts
//
// Question: The same 64 KiB are read twice. How many requests does each way send, and how often does the
//     program wait?
// Look at: The read that comes first, `→ Tread 1 8192 at 0`, and what a stream sends in its place, `→
//     Tstream 1 at 0`.
// Change: Read 1024 bytes at a time. What do the reads cost now, and what does the stream cost?

import { OREAD, OSTREAM, type Sys, print, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/n/far/big", "x".repeat(65536));
  await sys.sleep(100);
  const buf = new Uint8Array(8192);

  let n = 0;
  const fd = await sys.open("/n/far/big", OREAD);
  for (let got = 1; got > 0; n += got) got = await sys.read(fd, buf);
  await sys.close(fd);
  await print(sys, `${n} bytes by reads\n`);
  await sys.sleep(100);

  n = 0;
  const stream = await sys.open("/n/far/big", OREAD | OSTREAM);
  for (let got = 1; got > 0; n += got) got = await sys.sread(stream, buf);
  await sys.close(stream);
  await print(sys, `${n} bytes by a stream\n`);
}
