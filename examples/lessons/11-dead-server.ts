// A dead server in the middle of a name.
//
//     npx namec step --virtual --host far:rtt=50ms examples/lessons/11-dead-server.ts
//     npx namec step --virtual --namespace standard --host far:rtt=50ms examples/lessons/11-dead-server.ts
//
// Question: far is bound on a directory of a server that then dies. Can the file on far still be reached by
//     the name that leads through the dead server?
// Look at: The end of the server, `the connection to process 4 (11-dead-server) hangs up`, and the stat
//     after it: `/tmp/on is mounted: x from there`.
// Change: Run it with --namespace standard. At which element does the first stat fail, and why there?

import {
  DMDIR,
  MREPL,
  OREAD,
  PNPROC,
  type Sys,
  newram,
  postmount,
  postnote,
  print,
  writefile,
} from "namec";

export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/n/far/x", "alive\n");
  const ram = { user: "glenda", perm: 0o777 };
  const server = await postmount(sys, (child) => newram(child, ram), { mtpt: "/tmp" });
  await sys.close(await sys.create("/tmp/on", OREAD, DMDIR | 0o777));
  await sys.bind("/n/far", "/tmp/on", MREPL);
  await postnote(sys, PNPROC, server, "kill");
  await sys.sleep(100);

  for (const name of ["/tmp/on/x", "/tmp/gone"])
    try {
      await print(sys, `${(await sys.stat(name)).name} is there\n`);
    } catch (e) {
      await print(sys, `${(e as Error).message}\n`);
    }
}
