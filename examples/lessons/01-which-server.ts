// Which server holds this file: two machines, one directory made of both.
//
//     npx namec step --virtual --host far:rtt=50ms --host near:rtt=2ms examples/lessons/01-which-server.ts
//
// Question: /tmp/all is near and far together. Which of them holds plan? Which call told you, and was the
//     other one asked?
// Look at: the open of /tmp/all/plan: its two Twalks, and what comes back on each.

import { DMDIR, MAFTER, MREPL, OREAD, type Sys, print, readtext, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await writefile(sys, "/n/near/news", "rain\n");
  await writefile(sys, "/n/far/plan", "stay in\n");
  await sys.close(await sys.create("/tmp/all", OREAD, DMDIR | 0o777));
  await sys.bind("/n/near", "/tmp/all", MREPL);
  await sys.bind("/n/far", "/tmp/all", MAFTER);
  await sys.sleep(100);

  await print(sys, await readtext(sys, "/tmp/all/news"));
  await print(sys, await readtext(sys, "/tmp/all/plan"));
}
