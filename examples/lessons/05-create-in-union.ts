// Where a create in a union goes.
//
//     npx namec step --virtual --host far:rtt=50ms --host near:rtt=2ms examples/lessons/05-create-in-union.ts
//
// Question: near comes first in /tmp/u, far second. On which of them is plan made, and by what in the name
//     space?
// Look at: The server that gets `→ Tcreate 1 plan OWRITE|OTRUNC`, and the union in the tree: of its members
//     only `far!564 MCREATE` has leave to create.
// Change: Bind near with MREPL | MCREATE. On which server is plan made, and how long does the create take?

import { DMDIR, MAFTER, MCREATE, MREPL, OREAD, type Sys, print, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/n/near/news", "rain\n");
  await sys.close(await sys.create("/tmp/u", OREAD, DMDIR | 0o777));
  await sys.bind("/n/near", "/tmp/u", MREPL);
  await sys.bind("/n/far", "/tmp/u", MAFTER | MCREATE);
  await sys.sleep(100);

  await writefile(sys, "/tmp/u/plan", "stay in\n");
  await writefile(sys, "/tmp/u/news", "sun\n");
  await sys.sleep(100);
  await print(sys, `${(await sys.stat("/n/far/plan")).length} bytes of plan\n`);
  await print(sys, `${(await sys.stat("/n/near/news")).length} bytes of news\n`);
}
