// Descriptors and what is done with them: open(2), read(2), dup(2), seek(2), stat(2), fversion(2).

import test from "ava";
import {
  DMDIR,
  MREPL,
  OCEXEC,
  OEXCL,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
  RFFDG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { postmount } from "../../userland/lib/9p.ts";
import { newram } from "../../userland/lib/ram.ts";
import { failure, inside, readonce, write } from "../kit/kit.ts";

const BADARG = "bad arg in system call";
const BADFD = "fd out of range or not open";
const BADUSE = "inappropriate use of fd";
const DIR = DMDIR + 0o777;

async function make(sys: Sys, name: string, text: string): Promise<void> {
  const fd = await sys.create(name, OWRITE, 0o666);
  await write(sys, fd, text);
  await sys.close(fd);
}

test(
  "a mode with bits that mean nothing is an error, and so is one with all that mean something",
  inside(async (t, sys) => {
    await make(sys, "/tmp/f", "x");
    for (const mode of [4, 8, 128, 256, 0x2000, OEXCL, 0x80000000, -1, 1.5])
      t.is(await failure(sys.open("/tmp/f", mode)), BADARG);
    const all = OEXEC | OTRUNC | OCEXEC | ORCLOSE;
    t.is(await failure(sys.open("/tmp/f", all)), BADARG);
    t.is(await failure(sys.create("/tmp/f", all | OEXCL, 0o666)), BADARG);
    t.is(await sys.open("/tmp/f", OWRITE | OTRUNC | OCEXEC | ORCLOSE), 3);
  }),
);

test(
  "pread moves the offset by what it read, pwrite leaves it",
  inside(async (t, sys) => {
    await make(sys, "/tmp/f", "hello world");
    const fd = await sys.open("/tmp/f", ORDWR);
    const buf = new Uint8Array(5);
    t.is(await sys.pread(fd, buf, 6), 5);
    t.is(await sys.seek(fd, 0, 1), 5);
    t.is(await sys.pread(fd, buf, -1), 5);
    t.is(await sys.seek(fd, 0, 1), 10);
    t.is(await sys.pwrite(fd, buf, 0), 5);
    t.is(await sys.seek(fd, 0, 1), 10);
    t.is(await failure(sys.pread(fd, buf, -2)), "negative i/o offset");
  }),
);

test(
  "the table of descriptors grows by 20 at a time, and a copy is as large as what is in it",
  inside(async (t, sys) => {
    t.is(await failure(sys.dup(1, 40)), BADFD);
    t.is(await sys.dup(1, 39), 39);
    t.is(await sys.dup(1, 59), 59);
    for (const fd of [39, 59]) await sys.close(fd);
    t.is(await sys.dup(1, 79), 79);
    await sys.close(79);
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
      t.is(await failure(child.dup(1, 40)), BADFD);
      t.is(await child.dup(1, 39), 39);
    });
    t.is((await sys.wait()).msg, "");
  }),
);

test(
  "what a connection runs over is neither read nor written",
  inside(async (t, sys) => {
    await postmount(sys, (its) => newram(its, { user: "glenda" }), { name: "ram" });
    const fd = await sys.open("/srv/ram", ORDWR);
    t.is(await failure(sys.fversion(fd, -1, "")), "bad iounit in version call");
    t.is(await failure(sys.fversion(fd, 0, "9P1999")), "bad 9P version specification");
    t.is(await failure(sys.fversion(fd, 0, "9P2000", 6)), BADARG);
    for (const n of [300, 65_536, 100_000])
      t.is(
        await failure(sys.fversion(fd, 0, "9P2000".padEnd(n, "."), n + 1)),
        "bad 9P version specification",
      );
    t.is(await sys.fversion(fd, 8192, "9P2000"), "9P2000");
    t.is(await failure(sys.fversion(fd, 0, "", 3)), "i/o count too small");
    t.is(await failure(readonce(sys, fd)), BADUSE);
    t.is(await failure(write(sys, fd, "x")), BADUSE);
    t.is(await failure(sys.seek(fd, 0, 1)), BADUSE);
    t.is(await failure(sys.sread(fd, new Uint8Array(1))), BADUSE);
    t.is(await failure(sys.fwstat(fd, { mode: 0 })), BADUSE);
    t.is((await sys.fstat(fd)).name, "data1");
    await sys.close(fd);
    await sys.remove("/srv/ram");
    await sys.wait();
  }),
);

test(
  "a mount that fails for its authentication leaves nothing behind",
  inside(async (t, sys) => {
    const [a, b] = await sys.pipe();
    t.is(await failure(sys.mount(a, 99, "/n", MREPL, "")), BADFD);
    await sys.close(b);
    await sys.close(a);
  }),
);

test(
  "a mount point keeps its name, also by its descriptor",
  inside(async (t, sys) => {
    await sys.close(await sys.create("/tmp/d", OREAD, DIR));
    await sys.bind("/tmp/d", "/n", MREPL);
    const fd = await sys.open("/n", OREAD);
    t.is(await failure(sys.fwstat(fd, { name: "x" })), "'/n' is a mount point");
    await sys.fwstat(fd, { mode: DMDIR + 0o700 });
    t.is((await sys.stat("/tmp/d")).mode, DMDIR + 0o700);
  }),
);

test(
  "create opens what is there, whatever it is; only a directory is made of dot, and none is there",
  inside(async (t, sys) => {
    await make(sys, "/tmp/f", "x");
    const mode = (name: string, perm: number): Promise<string> =>
      failure(sys.create(name, OREAD, perm));
    t.is(await mode("/tmp/f", DIR), "no error");
    t.is(await mode("/tmp/f/", DIR), "no error");
    t.is(await mode("/tmp/f/", 0o666), "'/tmp/f/' create without DMDIR");
    t.is(await mode(".", 0o666), "create without DMDIR");
    t.is(await mode(".", DIR), "file already exists");
    t.is(await mode("/tmp/f/x", 0o666), "'/tmp/f/x' not a directory");
    t.is(await mode("/tmp/f/x/", DIR), "'/tmp/f' not a directory");
    t.is(await mode("#c/pid/x", 0o666), "'#c/pid/x' permission denied");
  }),
);

test(
  "fstat names a device's directory by the end of its path",
  inside(async (t, sys) => {
    const name = async (dir: string): Promise<string> =>
      (await sys.fstat(await sys.open(dir, OREAD))).name;
    t.is(await name("#c"), "#c");
    t.is(await name("/dev/../env"), "env");
    t.is(await name("#/"), "");
    t.is(await name("#/bin"), "bin");
    t.is(await name("#|"), ".");
    t.is((await sys.stat("#|")).name, "#|");
  }),
);
