// Unions: a directory made of several, for this process and its children alone.
//
//     npx namec run examples/union.ts

import {
  DMDIR,
  MAFTER,
  MBEFORE,
  MCREATE,
  OREAD,
  RFNAMEG,
  RFPROC,
  type Sys,
  print,
  readdir,
  readtext,
  writefile,
} from "namec";

const names = async (sys: Sys, dir: string) =>
  (await readdir(sys, dir)).map((d) => d.name).join(" ");

export default async function main(sys: Sys): Promise<void> {
  for (const dir of ["/tmp/system", "/tmp/mine"])
    await sys.close(await sys.create(dir, OREAD, DMDIR | 0o775));
  await writefile(sys, "/tmp/system/motd", "be nice\n");
  await writefile(sys, "/tmp/system/hours", "nine to five\n");
  await writefile(sys, "/tmp/mine/hours", "any\n");

  // A child has a name space of its own: what it binds, its parent does not see.
  await sys.rfork(RFPROC | RFNAMEG, async (child: Sys) => {
    await child.bind("/tmp/mine", "/tmp/system", MBEFORE | MCREATE);
    await print(child, `the child sees:   ${await names(child, "/tmp/system")}\n`);
    await print(child, `its hours are:    ${await readtext(child, "/tmp/system/hours")}`);
    // A new file goes to the first directory that was bound with MCREATE.
    await writefile(child, "/tmp/system/plan", "sleep\n");
  });
  await sys.wait();
  await print(sys, `the parent sees:  ${await names(sys, "/tmp/system")}\n`);
  await print(sys, `its hours are:    ${await readtext(sys, "/tmp/system/hours")}`);
  await print(sys, `the plan went to: ${await names(sys, "/tmp/mine")}\n`);

  // MAFTER is the other way round; and unmount undoes either.
  await sys.bind("/tmp/mine", "/tmp/system", MAFTER);
  await print(sys, `with mine after:  ${await names(sys, "/tmp/system")}\n`);
  await sys.unmount("/tmp/mine", "/tmp/system");
  await print(sys, `without:          ${await names(sys, "/tmp/system")}\n`);
}
