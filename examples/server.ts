// A file server of one's own: three files whose contents are made when they are read, and one that takes
// what is written to it. It is mounted here; `post` would put it in /srv, `listensrv` on the network.
//
//     npx namec run examples/server.ts

import { type Sys, file, postmount, print, readtext, tree, writefile } from "namec";

export default async function main(sys: Sys): Promise<void> {
  let name = "world";
  let visits = 0;
  const srv = tree({
    hello: () => `hello, ${name}\n`,
    name: file({ read: () => `${name}\n`, write: (text) => void (name = text.trim()) }),
    stat: { visits: () => `${++visits}\n` },
  });
  await postmount(sys, () => srv, { mtpt: "/tmp" });

  await print(sys, await readtext(sys, "/tmp/hello"));
  await writefile(sys, "/tmp/name", "glenda");
  await print(sys, await readtext(sys, "/tmp/hello"));
  await readtext(sys, "/tmp/stat/visits");
  await print(sys, `visits: ${await readtext(sys, "/tmp/stat/visits")}`);
}
