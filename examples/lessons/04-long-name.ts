// What exactly failed in a long name.
//
//     npx namec step --virtual --host far:rtt=50ms examples/lessons/04-long-name.ts
//
// Question: One element of the first name is not there. Which is it, and how often was the server asked to
//     find that out?
// Look at: The first answer, `← Rwalk 2 qids`: how many qids it has for how many names; then `fails at
//     libs`.
// Change: Ask for usr/glenda/lib/profil in the first place. How many qids come, and what does the error
//     name?

import { DMDIR, OREAD, type Sys, print, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  for (const dir of ["usr", "usr/glenda", "usr/glenda/lib"])
    await sys.close(await sys.create(`/n/far/${dir}`, OREAD, DMDIR | 0o777));
  await writefile(sys, "/n/far/usr/glenda/lib/profile", "bind -a bin /bin\n");
  await sys.sleep(100);

  for (const name of ["usr/glenda/libs/profile", "usr/glenda/lib/profile/bin"])
    try {
      await sys.open(`/n/far/${name}`, OREAD);
    } catch (e) {
      await print(sys, `${(e as Error).message}\n`);
    }
}
