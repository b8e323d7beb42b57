// The wrong partner: three processes meet at one tag, where two were meant to.
//
//     npx namec explore examples/races/rendezvous.ts

import { RFFDG, RFNOWAIT, RFPROC, type Sys } from "namec";

/** Other work, so that the two are not in step from the beginning. */
async function work(sys: Sys): Promise<void> {
  for (let n = 0; n < 6; n++) await sys.nsec();
}

/** Two clients ask at a tag each, and a server answers the first, then the second. */
async function scene(sys: Sys, tagof: (client: string) => string): Promise<string> {
  await sys.rfork(RFPROC | RFFDG | RFNOWAIT, async (s: Sys) => {
    for (const client of ["one", "two"]) await s.rendezvous(tagof(client), `for ${client}`);
  });
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await work(s);
    const got = await s.rendezvous(tagof("two"), "two");
    return got === "for two" ? "" : `two got what was ${String(got)}`;
  });
  const got = await sys.rendezvous(tagof("one"), "one");
  const { msg } = await sys.wait();
  return got === "for one" && msg === "" ? "" : `one got what was ${String(got)}`;
}

/** Fault: at a tag for all, who comes first is served first; two clients may even serve each other. */
export default (sys: Sys): Promise<string> => scene(sys, () => "server");

/** Each client has a tag of its own. */
export const mended = (sys: Sys): Promise<string> => scene(sys, (client) => client);
