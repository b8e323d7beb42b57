// Why one stat takes one round trip and another two: the same file, of a server that takes requests in
// groups and of one that speaks plain 9P2000.
//
//     npx namec step --virtual --host new:rtt=50ms,version=9P2000.ix --host old:rtt=50ms,version=9P2000 examples/lessons/03-round-trips.ts
//
// Question: The same stat of two servers: why does it take one round trip at new and two at old?
// Look at: What each stat says when it returns: `Twalk, Tstat and Tclunk went to new!564 together` and
//     `2 round trips in 100.00 ms to old!564: Twalk, then Tstat`.
// Change: Run it with --namespace standard. How many round trips has each stat, and what does the third one
//     wait for?

import { DMDIR, OREAD, type Sys, print, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  for (const host of ["/n/new", "/n/old"]) {
    for (const dir of ["/a", "/a/b"])
      await sys.close(await sys.create(host + dir, OREAD, DMDIR | 0o777));
    await writefile(sys, `${host}/a/b/c`, "deep\n");
  }
  await sys.sleep(100);

  await print(sys, `${(await sys.stat("/n/new/a/b/c")).name}\n`);
  await print(sys, `${(await sys.stat("/n/old/a/b/c")).name}\n`);
}
