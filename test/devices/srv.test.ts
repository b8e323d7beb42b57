// The registry of servers, the environment, the root and capabilities: srv(3), env(3), root(3), cap(3).

import test from "ava";
import { newRoot } from "../../devices/root.ts";
import {
  DMDIR,
  OCEXEC,
  OEXCL,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
  RFCENVG,
  RFENVG,
  RFFDG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import { now } from "../../kernel/proc/spawn.ts";
import { Path } from "../../kernel/chan.ts";
import type { Srv } from "../../devices/srv.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { failure, inside, ls, readonce, write } from "../kit/kit.ts";
import { readtext } from "../../userland/lib/io.ts";

const DIR = DMDIR + 0o777;

/** Posts a descriptor under a name. */
async function post(sys: Sys, name: string, fd: number, mode = OWRITE): Promise<number> {
  const s = await sys.create(`#s/${name}`, mode, 0o600);
  await write(sys, s, fd.toString());
  return s;
}

test(
  "opening a posted descriptor gives the same channel",
  inside(async (t, sys) => {
    const [a, b] = await sys.pipe();
    await post(sys, "x", a);
    await sys.close(a);
    const x = await sys.open("#s/x", ORDWR);
    t.is(await sys.fd2path(x), "#|/data");
    await write(sys, x, "hello");
    t.is(await readonce(sys, b), "hello");
    await sys.close(x);
    await write(sys, b, "still there");
    await sys.remove("/srv/x");
    t.is(await readonce(sys, b), "");
    t.deepEqual(await ls(sys, "/srv"), []);
  }),
);

test(
  "a service is created to be written, and once",
  inside(async (t, sys) => {
    const no = "'#s/x' permission denied";
    t.is(await failure(sys.create("#s/x", OREAD, 0o600)), no);
    t.is(await failure(sys.create("#s/x", ORDWR, 0o600)), no);
    t.is(await failure(sys.create("#s/x", OREAD, DIR)), no);
    const s = await sys.create("#s/x", OWRITE, 0o600);
    t.is(await failure(sys.open("#s/x", ORDWR)), "'#s/x' device shut down");
    t.is(await failure(write(sys, s, "99")), "fd out of range or not open");
    await write(sys, s, "junk"); // which counts as 0
    t.is(await failure(write(sys, s, "1")), "inappropriate use of fd");
    t.is(await failure(sys.create("#s/x", OWRITE, 0o600)), "'#s/x' srv file already exists");
    t.is(await failure(sys.create("#s/x", OWRITE | OEXCL, 0o600)), "'#s/x' file already exists");
    t.is(await failure(sys.open("#s/x", ORDWR)), no);
    t.is(await sys.fd2path(await sys.open("#s/x", OREAD)), "/dev/cons");
    t.is(await failure(sys.open("#s/y", OREAD)), "'#s/y' file does not exist");
    await sys.remove("#s/x");
  }),
);

test(
  "a renamed service keeps its place, and what goes when it is closed cannot be posted",
  inside(async (t, sys) => {
    const fd = await sys.open("/dev/null", OREAD);
    for (const name of ["a", "b", "c"]) await sys.close(await post(sys, name, fd));
    await sys.wstat("/srv/b", { name: "z" });
    t.deepEqual(await ls(sys, "/srv"), ["c", "z", "a"]);
    const exec = await sys.open("/dev/null", OREAD | OCEXEC);
    const no = "posted fd has remove-on-close or close-on-exec";
    t.is(await failure(post(sys, "x", exec)), no);
    t.is(await failure(post(sys, "y", exec, ORDWR)), "'#s/y' permission denied");
    const s = await sys.open("/srv/a", OREAD);
    t.is(await sys.fd2path(s), "/dev/null");
    for (const name of ["a", "c", "x", "z"]) await sys.remove(`/srv/${name}`);
  }),
);

test(
  "a service can be renamed, and goes on close when that is wanted",
  inside(async (t, sys) => {
    const [a] = await sys.pipe();
    await sys.close(await post(sys, "one", a));
    const two = await post(sys, "two", a, OWRITE | ORCLOSE);
    t.deepEqual(await ls(sys, "#s"), ["two", "one"]);
    t.is(await failure(sys.wstat("#s/one", { name: "two" })), "file already exists");
    await sys.wstat("#s/one", { name: "uno", mode: 0o666 });
    t.is((await sys.stat("#s/uno")).mode, 0o666);
    for (const name of [".", ".."])
      t.is(await failure(sys.wstat("#s/uno", { name })), "permission denied", "no walk finds it");
    await sys.close(two);
    t.deepEqual(await ls(sys, "#s"), ["uno"]);
    await sys.remove("#s/uno");
    t.is(await failure(sys.remove("#s")), "permission denied");
    t.is(await failure(sys.wstat("#s", { mode: 0o777 })), "permission denied");
    t.is((await sys.stat("#s")).name, "#s");
  }),
);

test("what boot posts is found by name, and a channel by what it is posted as", async (t) => {
  const k = await boot({ clock: "virtual" });
  const { proc0 } = k;
  if (proc0 === null) throw new Error("no process 0");
  const srv = k.devtab.get("s") as Srv;
  const c = now(newRoot(k).attach(proc0, ""));
  c.path = new Path("/", ["root"]);
  c.mode = ORDWR;
  srv.post("boot", c);
  t.is(srv.srvname(c), "#s/boot");
  t.throws(() => srv.post("boot", c), { message: "srv file already exists" });
  const proc = k.spawn(async (sys: Sys) => {
    t.is(await sys.fd2path(await sys.open("#s/../boot", OREAD)), "/root");
    await sys.remove("#s/boot");
  });
  t.is(await proc.wait(), "");
  t.is(srv.srvname(c), null);
  await k.shutdown();
});

test(
  "variables are files",
  inside(async (t, sys) => {
    const fd = await sys.create("/env/x", OWRITE, 0o600);
    await write(sys, fd, "hello");
    t.is(await readtext(sys, "#e/x"), "hello");
    const d = await sys.stat("#e/x");
    t.deepEqual([d.mode, d.length, d.qid.vers, d.uid], [0o666, 5, 1, "glenda"]);
    await sys.pwrite(fd, new Uint8Array([0x7a]), 7);
    t.is(await readtext(sys, "/env/x"), "hello\0\0z");
    t.is(await failure(sys.pwrite(fd, new Uint8Array(1), 16300)), "read or write too large");
    await sys.close(await sys.open("/env/x", OWRITE | OTRUNC));
    t.is((await sys.fstat(fd)).length, 0);
    t.is(await failure(sys.wstat("/env/x", { mode: 0o777 })), "permission denied");
    t.is(await failure(sys.create("#e/x", OWRITE | OEXCL, 0o600)), "'#e/x' file already exists");
    await sys.close(await sys.create("#e/dir", OREAD, DIR));
    t.is((await sys.stat("#e/dir")).mode, 0o666);
    const long = await failure(sys.create(`#e/${"a".repeat(128)}`, OWRITE, 0o666));
    t.true(long.endsWith("name too long"));
    t.deepEqual(await ls(sys, "/env"), ["x", "dir"]);
    await sys.remove("/env/x");
    t.is(await failure(write(sys, fd, "x")), "file does not exist");
    t.is(await failure(sys.remove("#e")), "permission denied");
    await sys.close(await sys.create("/env/once", OWRITE | ORCLOSE, 0o666));
    t.deepEqual(await ls(sys, "#e"), ["dir"]);
  }),
);

test(
  "the last variable takes the place of one that is removed",
  inside(async (t, sys) => {
    for (const name of ["a", "b", "c", "d"])
      await sys.close(await sys.create(`/env/${name}`, OWRITE, 0o666));
    await sys.remove("/env/b");
    t.deepEqual(await ls(sys, "/env"), ["a", "d", "c"]);
    await sys.remove("/env/c");
    t.deepEqual(await ls(sys, "/env"), ["a", "d"]);
    t.is(await failure(sys.create("/env/a/x", OWRITE, 0o666)), "'/env/a/x' permission denied");
  }),
);

test(
  "a process's environment is its own after rfork, also through open files",
  inside(async (t, sys) => {
    const fd = await sys.create("/env/gone", ORDWR, 0o666);
    const x = await sys.create("/env/x", ORDWR, 0o666);
    await sys.remove("/env/gone");
    await write(sys, x, "mine");
    const child = (flags: number, fn: (s: Sys) => Promise<void>): Promise<unknown> =>
      sys.rfork(RFPROC | RFFDG | flags, fn).then(() => sys.wait());
    await child(RFENVG, async (s) => {
      await s.pwrite(x, new Uint8Array([0x21]), 0);
      t.is(await readtext(s, "/env/x"), "!ine");
    });
    t.is(await readtext(sys, "/env/x"), "mine");
    await child(RFCENVG, async (s) => {
      t.deepEqual(await ls(s, "/env"), []);
      t.is(await failure(s.fstat(x)), "file does not exist");
    });
    await child(0, (s) => s.remove("/env/x"));
    t.deepEqual(await ls(sys, "/env"), []);
    await sys.close(fd);
  }),
);

test(
  "the configuration is an environment that all share",
  inside(async (t, sys) => {
    const fd = await sys.create("#ec/console", OWRITE, 0o666);
    await write(sys, fd, "0");
    t.deepEqual(await ls(sys, "#e"), []);
    t.is(await readtext(sys, "#ec/console"), "0");
    t.is(await sys.fd2path(fd), "#ec/console");
    t.is(await failure(sys.open("#e5", OREAD)), "bad arg in system call");
    await sys.remove("#ec/console");
  }),
);

test(
  "the root is directories and nothing else",
  inside(async (t, sys) => {
    t.is((await ls(sys, "#/")).join(" "), "boot bin dev env fd mnt net net.alt proc root srv");
    t.deepEqual(await ls(sys, "#//bin"), []);
    const d = await sys.stat("#//dev/../bin");
    t.deepEqual([d.name, d.mode, d.type], ["bin", DMDIR + 0o555, 0x2f]);
    t.is(await failure(sys.create("#//x", OWRITE, 0o666)), "'#//x' permission denied");
    t.is(await failure(sys.open("#//bin", OWRITE)), "'#//bin' permission denied");
  }),
);

test(
  "capabilities may be given, but none is valid",
  inside(async (t, sys) => {
    t.deepEqual(await ls(sys, "#¤"), ["capuse", "caphash"]);
    const hash = await sys.open("#¤/caphash", OWRITE);
    t.is(await failure(write(sys, hash, "short")), "i/o count too small");
    t.is(await write(sys, hash, "x".repeat(20)), 20);
    const use = await sys.open("#¤/capuse", OWRITE);
    t.is(await failure(write(sys, use, "glenda@rob@key")), "invalid capability");
  }),
);
