// A stream and reads: the same 64 KiB, twice.
//
//     npx namec step --virtual --host far:rtt=50ms examples/lessons/09-stream.ts
//
// Question: How many requests does each way send, and how often does the program wait? What does the server
//     know after a Tstream that a Tread does not tell it?
// Look at: the reads one after the other, each with its round trip; then the open with OSTREAM.

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
