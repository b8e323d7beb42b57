// The tour that `npm start` gives: one name space made of a file server in memory, behind a pipe, and a
// directory that another process serves over TCP. By hand, it wants the address of that server:
//
//     npx namec serve exportfs --root DIR
//     npx namec run --trace examples/first.ts 'tcp!127.0.0.1!5640'

import {
  DMDIR,
  MAFTER,
  MCREATE,
  MREPL,
  OREAD,
  OWRITE,
  PlanError,
  type Sys,
  dial,
  newram,
  postmount,
  print,
  readdir,
} from "namec";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

export default async function main(sys: Sys, argv: string[]): Promise<string | void> {
  const say = (line: string) => print(sys, `${line}\n`);
  const addr = argv[1] ?? "tcp!127.0.0.1!5640";

  await say("Three directories to mount on. They are this kernel's own: no messages.");
  for (const name of ["/n/ram", "/n/host", "/n/both"])
    await sys.close(await sys.create(name, OREAD, DMDIR | 0o777));

  await say("A ramfs: a process that speaks 9P at the other end of a pipe.");
  await postmount(sys, (child) => newram(child, { user: "glenda", perm: 0o777 }), {
    mtpt: "/n/ram",
  });

  await say("A directory of the host, served by another process over TCP.");
  const fd = await dial(sys, addr);
  await sys.mount(fd, -1, "/n/host", MREPL | MCREATE, "");

  await say("One directory made of both: the ramfs first, and what is created goes there.");
  await sys.bind("/n/ram", "/n/both", MREPL | MCREATE);
  await sys.bind("/n/host", "/n/both", MAFTER);

  await say("Read a file by its name in the union. Both servers are asked at once.");
  const buf = new Uint8Array(8192);
  const readme = await sys.open("/n/both/readme", OREAD);
  const n = await sys.read(readme, buf);
  await sys.close(readme);
  await say(`It says: ${text(buf.subarray(0, n)).trim()}`);

  await say("Create a file in it. Walk and create travel together.");
  const note = await sys.create("/n/both/note", OWRITE, 0o644);
  await sys.write(note, bytes("names are all you need\n"));
  await sys.close(note);

  await say("Stat it: three requests, one round trip.");
  const dir = await sys.stat("/n/both/note");
  await say(`${dir.name}: ${dir.length} bytes, of ${dir.uid}.`);

  await say("Five names deep on the host is still one round trip.");
  await sys.stat("/n/host/usr/glenda/lib/profile/plan");

  await say("List the union: what is in the one, then what is in the other.");
  const names = (await readdir(sys, "/n/both")).map((d) => d.name);
  await say(names.join("  "));

  await say("Rename, and remove.");
  await sys.wstat("/n/both/note", { name: "thought" });
  await sys.remove("/n/both/thought");

  await say("And what is not there says which name was missing.");
  try {
    await sys.open("/n/host/usr/nobody/lib", OREAD);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    await say(`The error string: ${e.message}`);
  }
}
