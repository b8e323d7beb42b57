// What /proc/n/ns says of binds and mounts: bind(2), ns(1).

import test from "ava";
import {
  MAFTER,
  MBEFORE,
  MCACHE,
  MCREATE,
  MREPL,
  ORDWR,
  RFCNAMEG,
  RFFDG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { postmount } from "../../userland/lib/9p.ts";
import { newram } from "../../userland/lib/ram.ts";
import { failure, inside, ls, mkdir } from "../kit/kit.ts";
import { readtext } from "../../userland/lib/io.ts";

/** The lines about names below /tmp. */
async function ns(sys: Sys): Promise<string[]> {
  const pid = Number(await readtext(sys, "#c/pid"));
  const lines = (await readtext(sys, `/proc/${pid}/ns`)).split("\n");
  return lines.filter((l) => / \/tmp\/\w+(\/\w+)?( \w*)?$/.test(l));
}

test(
  "the covered directory is listed first, then what was bound, with its flags and cleaned names",
  inside(async (t, sys) => {
    await mkdir(sys, "/tmp/a", "/tmp/b", "/tmp/m");
    await sys.chdir("/tmp");
    await sys.bind("./a/", "b/../m", MAFTER | MCREATE);
    await sys.bind("b", "m", MBEFORE);
    t.deepEqual(await ns(sys), [
      "bind  /tmp/m /tmp/m",
      "bind -ac /tmp/a /tmp/m",
      "bind -b /tmp/b /tmp/m",
    ]);
    await sys.bind("a", "m", MREPL | MCACHE);
    t.deepEqual(await ns(sys), ["bind -C /tmp/a /tmp/m"]);
  }),
);

test(
  "a mount shows the channel, the name it is posted under if there is one, and the attach name",
  inside(async (t, sys) => {
    await mkdir(sys, "/tmp/m", "/tmp/n");
    await postmount(sys, (its) => newram(its, { user: "glenda" }), { name: "ram", mtpt: "/tmp/n" });
    await sys.mount(await sys.open("/srv/ram", ORDWR), -1, "/tmp/m", MREPL, "spec");
    t.deepEqual(await ns(sys), ["mount -c #s/ram /tmp/n ", "mount  #s/ram /tmp/m spec"]);
    await sys.remove("/srv/ram");
    t.deepEqual(await ns(sys), ["mount -c #|/data1 /tmp/n ", "mount  #|/data1 /tmp/m spec"]);
    for (const name of ["/tmp/m", "/tmp/n"]) await sys.unmount(null, name);
    await sys.wait();
  }),
);

test(
  "of a union that is bound the first member is shown as bound, and the others with their attach names",
  inside(async (t, sys) => {
    await mkdir(sys, "/tmp/m", "/tmp/u");
    for (const [name, flag] of [
      ["one", MREPL],
      ["two", MAFTER],
    ] as const) {
      await postmount(sys, (its) => newram(its, { user: "glenda" }), { name });
      await sys.mount(await sys.open(`/srv/${name}`, ORDWR), -1, "/tmp/m", flag, `its ${name}`);
    }
    await sys.bind("/tmp/m", "/tmp/u", MREPL);
    const pid = (await readtext(sys, "#c/pid")).trim();
    const lines = (await readtext(sys, `/proc/${pid}/ns`)).split("\n");
    t.deepEqual(
      lines.filter((l) => l.includes("/tmp/u")),
      ["mount  #s/one /tmp/u ", "mount -a #s/two /tmp/u its two"],
    );
    for (const name of ["/tmp/u", "/tmp/m"]) await sys.unmount(null, name);
    for (const name of ["one", "two"]) await sys.remove(`/srv/${name}`);
    for (let i = 0; i < 2; i++) await sys.wait();
  }),
);

test(
  "a union that is bound shows where each member came from, and cannot be bound with MCREATE",
  inside(async (t, sys) => {
    await mkdir(sys, "/tmp/a", "/tmp/b", "/tmp/m", "/tmp/u");
    await sys.bind("/tmp/a", "/tmp/m", MBEFORE);
    await sys.bind("/tmp/m", "/tmp/u", MREPL);
    t.deepEqual((await ns(sys)).slice(2), ["bind  /tmp/a /tmp/u", "bind -a /tmp/m /tmp/u"]);
    const create = (name: string): Promise<string> =>
      failure(sys.bind(name, "/tmp/b", MREPL | MCREATE));
    t.is(await create("/tmp/m"), "inconsistent mount");
    await sys.bind("/tmp/a", "/tmp/m", MREPL);
    t.is(await create("/tmp/m"), "inconsistent mount");
    await sys.bind("/tmp/a", "/tmp/m", MREPL | MCREATE);
    t.is(await create("/tmp/m"), "no error");
  }),
);

test(
  "a clean name space lists nothing but the current directory",
  inside(async (t, sys) => {
    await sys.rfork(RFPROC | RFFDG | RFCNAMEG, async (child: Sys) => {
      const pid = Number(await readtext(child, "#c/pid"));
      t.is(await readtext(child, `#p/${pid}/ns`), "cd /\n");
      await child.bind("#c", "/dev", MREPL);
      t.is(await readtext(child, `#p/${pid}/ns`), "bind  #c /dev\ncd /\n");
      await child.bind("#p", "/", MAFTER);
      t.is(await readtext(child, `/${pid}/ns`), "bind  / /\nbind  #c /dev\nbind -a #p /\ncd /\n");
    });
    t.is((await sys.wait()).msg, "");
  }),
);

test(
  "what a bind carried along is listed when it is no longer what it was where it came from",
  inside(async (t, sys) => {
    await mkdir(sys, "/tmp/a", "/tmp/b", "/tmp/c", "/tmp/a/d", "/tmp/b/x");
    await sys.bind("/tmp/b", "/tmp/a/d", MREPL);
    await sys.bind("/tmp/a", "/tmp/c", MREPL);
    const binds = ["bind  /tmp/b /tmp/a/d", "bind  /tmp/a /tmp/c"];
    t.deepEqual(await ns(sys), binds);
    t.deepEqual(await ls(sys, "/tmp/c/d"), ["x"]);
    await sys.bind("/tmp/c", "/tmp/a/d", MAFTER);
    const [first = "", second = ""] = binds;
    t.deepEqual(await ns(sys), [first, second, "bind  /tmp/b /tmp/c/d", "bind -a /tmp/a /tmp/a/d"]);
    await sys.unmount(null, "/tmp/a/d");
    t.deepEqual(await ns(sys), [second, "bind  /tmp/b /tmp/c/d"]);
    t.deepEqual(await ls(sys, "/tmp/c/d"), ["x"]);
  }),
);
