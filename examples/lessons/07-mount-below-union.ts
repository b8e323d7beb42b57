// A mount below a union, and a member that comes before it later.
//
//     npx namec step --virtual --host far:rtt=50ms --host near:rtt=2ms examples/lessons/07-mount-below-union.ts
//     npx namec step --virtual --namespace standard --host far:rtt=50ms --host near:rtt=2ms examples/lessons/07-mount-below-union.ts
//
// Question: Something is mounted on /tmp/u/d, and then near, which has a d of its own, goes before the rest
//     of /tmp/u. What is /tmp/u/d now?
// Look at: The stat after the last bind: `/tmp/u/d is mounted: x from there`.
// Change: Run it with --namespace standard. Which d does the last stat find, and to what is a mount
//     fastened there?

import { DMDIR, MBEFORE, MREPL, OREAD, type Sys, print, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  const mkdir = async (name: string): Promise<void> =>
    sys.close(await sys.create(name, OREAD, DMDIR | 0o777));
  for (const dir of ["/n/far/d", "/n/near/d", "/tmp/u", "/tmp/m"]) await mkdir(dir);
  await writefile(sys, "/tmp/m/x", "mounted\n");
  await sys.bind("/n/far", "/tmp/u", MREPL);
  await sys.bind("/tmp/m", "/tmp/u/d", MREPL);
  await sys.sleep(100);

  await print(sys, `${(await sys.stat("/tmp/u/d/x")).length} bytes\n`);
  await sys.bind("/n/near", "/tmp/u", MBEFORE);
  try {
    await print(sys, `${(await sys.stat("/tmp/u/d/x")).length} bytes\n`);
  } catch (e) {
    await print(sys, `${(e as Error).message}\n`);
  }
}
