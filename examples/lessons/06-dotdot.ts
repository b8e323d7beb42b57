// Dot dot in a name: what x/.. is, a matter of names or of files.
//
//     npx namec step --virtual --host far:rtt=50ms examples/lessons/06-dotdot.ts
//     npx namec step --virtual --namespace standard --host far:rtt=50ms examples/lessons/06-dotdot.ts
//
// Question: There is no directory nowhere. Why does the first stat work?
// Look at: What the name is before any server is asked: `/n/far/nowhere/../readme is cleaned to
//     /n/far/readme`.
// Change: Run it with --namespace standard. What is asked of far, and what does the stat give?

import { DMDIR, MREPL, OREAD, type Sys, print, readtext, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await sys.close(await sys.create("/n/far/lib", OREAD, DMDIR | 0o777));
  await writefile(sys, "/n/far/readme", "far's\n");
  await writefile(sys, "/tmp/readme", "tmp's\n");
  await sys.close(await sys.create("/tmp/lib", OREAD, DMDIR | 0o777));
  await sys.bind("/n/far/lib", "/tmp/lib", MREPL);
  await sys.sleep(100);

  try {
    await print(sys, `${(await sys.stat("/n/far/nowhere/../readme")).name} is there\n`);
  } catch (e) {
    await print(sys, `${(e as Error).message}\n`);
  }
  await sys.chdir("/tmp/lib");
  await print(sys, await readtext(sys, "../readme"));
}
