// Why the second member of a union won, and when it may not.
//
//     npx namec step --virtual --host far:rtt=50ms --host near:rtt=2ms examples/lessons/02-second-member.ts
//
// Question: far comes first in /tmp/u, and near answers 48 ms sooner. Why is hours near's all the same, and
//     motd not?
// Look at: The two stats: what the member before near says of each name, and when: `member 1 has no hours:
//     file does not exist`, `member 1 has motd`.
// Change: Let near come first. How long does each stat take then, and whose motd is it?

import { DMDIR, MAFTER, MREPL, OREAD, type Sys, print, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/n/far/motd", "be very, very nice\n");
  await writefile(sys, "/n/near/motd", "be nice\n");
  await writefile(sys, "/n/near/hours", "nine to five\n");
  await sys.close(await sys.create("/tmp/u", OREAD, DMDIR | 0o777));
  await sys.bind("/n/far", "/tmp/u", MREPL);
  await sys.bind("/n/near", "/tmp/u", MAFTER);
  await sys.sleep(100);

  for (const name of ["hours", "motd"])
    await print(sys, `${name} has ${(await sys.stat(`/tmp/u/${name}`)).length} bytes\n`);
}
