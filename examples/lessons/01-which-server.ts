// Which server holds this file: two machines, one directory made of both.
//
//     npx namec step --virtual --host far:rtt=50ms --host near:rtt=2ms examples/lessons/01-which-server.ts
//
// Question: /tmp/all is near and far together. Which of the two holds plan, and is the other asked as well?
// Look at: The open of /tmp/all/plan: its two requests `Twalk 0 → 2 plan`, and what comes back on each: `←
//     Rerror file does not exist` and `← Rwalk 1 qid`.
// Change: Bind far first and near behind it. Which answer decides now, and which one is not waited for?

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
