// Whose name space a bind changes: private and shared.
//
//     npx namec step --host far:rtt=50ms examples/lessons/19-private-names.ts
//
// Question: Two children bind far on /tmp/lib, each in the same way. After which of them has the parent
//     far's files there?
// Look at: The bind of each child, `the name space of process 4 changes` and `the name space of process 5
//     changes`: which processes see the change.
// Change: Let the parent call rfork(RFNAMEG) before all else. Does that change what the children's binds
//     do, and whom does it concern?

import { DMDIR, MREPL, OREAD, RFFDG, RFNAMEG, RFPROC, type Sys, print, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/n/far/news", "rain\n");
  await sys.close(await sys.create("/tmp/lib", OREAD, DMDIR | 0o777));
  const bound = async (flags: number): Promise<string> => {
    await sys.rfork(RFPROC | RFFDG | flags, async (child: Sys) => {
      await child.bind("/n/far", "/tmp/lib", MREPL);
      await child.stat("/tmp/lib/news");
    });
    await sys.wait();
    const found = sys.stat("/tmp/lib/news").then(
      (d) => `${d.name} is there`,
      (e: Error) => e.message,
    );
    return await found;
  };
  await print(sys, `a copy of the name space: ${await bound(RFNAMEG)}\n`);
  await print(sys, `the same name space: ${await bound(0)}\n`);
}
