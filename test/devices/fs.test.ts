// A directory of the host as files: what programs see of it and what they do to it.

import * as fs from "node:fs";
import { join } from "node:path";
import test from "ava";
import { newFs } from "../../devices/fs/fs-node.ts";
import {
  DMAPPEND,
  DMDIR,
  DMEXCL,
  OEXCL,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
} from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { hosted, put } from "./hosted.ts";
import { cat, dirs, failure, ls, readtext, write } from "./inside.ts";

test.serial(
  "files and directories are made, read, listed, renamed and removed",
  hosted(async (t, sys, dir) => {
    fs.chmodSync(dir, 0o775);
    await put(sys, "/n/a", "hello");
    t.is(fs.readFileSync(join(dir, "a"), "utf8"), "hello");
    t.is(fs.statSync(join(dir, "a")).mode & 0o777, 0o664);
    await sys.close(await sys.create("/n/d", OREAD, DMDIR + 0o777));
    t.is(fs.statSync(join(dir, "d")).mode & 0o777, 0o775);
    await put(sys, "/n/d/b", "there");
    t.is(await cat(sys, "/n/d/b"), "there");
    t.deepEqual(await ls(sys, "/n"), ["a", "d"]);
    await sys.wstat("/n/d/b", { name: "c" });
    t.deepEqual(await ls(sys, "/n/d"), ["c"]);
    t.is(await failure(sys.remove("/n/d")), "directory not empty");
    await sys.remove("/n/d/c");
    await sys.remove("/n/d");
    await sys.remove("/n/a");
    t.deepEqual(fs.readdirSync(dir), []);
  }),
);

test.serial(
  "stat tells what the host knows, in Plan 9's terms",
  hosted(async (t, sys, dir) => {
    fs.writeFileSync(join(dir, "f"), "12345", { mode: 0o640 });
    fs.utimesSync(join(dir, "f"), 1_000_000_000, 1_234_567_890);
    const d = await sys.stat("/n/f");
    t.like(d, { name: "f", length: 5, mode: 0o640, atime: 1_000_000_000, mtime: 1_234_567_890 });
    t.like(d, { uid: "glenda", type: "U".charCodeAt(0), qid: { type: 0 } });
    t.is(
      d.qid.path & 0xffff_ffffn,
      fs.statSync(join(dir, "f"), { bigint: true }).ino & 0xffff_ffffn,
    );
    t.like(await sys.stat("/n"), { length: 0, qid: { type: 0x80 } });
    const fd = await sys.open("/n/f", ORDWR);
    await write(sys, fd, "123456");
    t.is((await sys.fstat(fd)).length, 6);
    t.not((await sys.fstat(fd)).qid.vers, d.qid.vers);
    t.is((await sys.fstat(fd)).qid.path, d.qid.path);
    await sys.close(fd);
  }),
);

test.serial(
  "the errors are Plan 9's",
  hosted(async (t, sys, dir) => {
    fs.mkdirSync(join(dir, "d"));
    fs.writeFileSync(join(dir, "f"), "");
    t.is(await failure(sys.open("/n/x", OREAD)), "'/n/x' file does not exist");
    t.is(await failure(sys.open("/n/d/x/y", OREAD)), "'/n/d/x' does not exist");
    t.is(await failure(sys.open("/n/f/x", OREAD)), "'/n/f' not a directory");
    t.is(await failure(sys.open("/n/d", OWRITE)), "'/n/d' permission denied");
    t.is(await failure(sys.open("/n/d", OREAD | OTRUNC)), "'/n/d' permission denied");
    t.is(await failure(sys.open("/n/d", OREAD | ORCLOSE)), "'/n/d' permission denied");
    t.is(await failure(sys.open("/n/f", OEXEC)), "'/n/f' permission denied");
    t.is(await failure(sys.create("/n/f", OWRITE | OEXCL, 0o666)), "'/n/f' file already exists");
    t.is(await failure(sys.create("/n/l", OWRITE, DMEXCL + 0o666)), "'/n/l' permission denied");
    t.is(await failure(sys.create("/n/l", OWRITE, DMAPPEND + 0o666)), "'/n/l' permission denied");
    t.regex(await failure(sys.create(`/n/${"x".repeat(256)}`, OWRITE, 0o666)), /name too long$/);
    t.is(await failure(sys.remove("/n")), "is a mount point");
    t.is(await failure(sys.remove("#U")), "permission denied");
    t.regex(await failure(sys.stat("#Unone")), /bad attach specifier/);
    t.deepEqual(fs.readdirSync(dir), ["d", "f"]);
  }),
);

test.serial(
  "what was removed or replaced at the host is not there",
  hosted(async (t, sys, dir) => {
    const d = join(dir, "d");
    fs.mkdirSync(d);
    const { birthtimeMs } = fs.statSync(d);
    await sys.chdir("/n/d");
    fs.rmdirSync(d);
    t.is(await failure(sys.open("f", OREAD)), "'f' file does not exist");
    // The host may give it the inode of the old one, and its clock may not have moved meanwhile.
    fs.mkdirSync(d);
    while (fs.statSync(d).birthtimeMs === birthtimeMs) {
      fs.rmdirSync(d);
      fs.mkdirSync(d);
    }
    t.is(await failure(sys.create("f", OWRITE, 0o666)), "'f' file does not exist");
    t.deepEqual(fs.readdirSync(d), []);
    await sys.chdir("/");
  }),
);

test.serial(
  "an open file stays what it is, whatever becomes of its name",
  hosted(async (t, sys, dir) => {
    await put(sys, "/n/f", "old");
    const fd = await sys.open("/n/f", OREAD);
    fs.renameSync(join(dir, "f"), join(dir, "g"));
    fs.writeFileSync(join(dir, "f"), "new");
    t.is(await readtext(sys, fd), "old");
    t.is(await failure(sys.fwstat(fd, { mode: 0o600 })), "file does not exist");
    t.is(await cat(sys, "/n/f"), "new");
    await sys.close(fd);
  }),
);

test.serial(
  "a rename takes along those who are below it, and covers nothing",
  hosted(async (t, sys, dir) => {
    fs.mkdirSync(join(dir, "d/e"), { recursive: true });
    fs.writeFileSync(join(dir, "d/e/f"), "below");
    fs.writeFileSync(join(dir, "other"), "other");
    await sys.chdir("/n/d/e");
    await sys.wstat("/n/d", { name: "moved" });
    t.is(await cat(sys, "f"), "below");
    t.is(await failure(sys.wstat("/n/moved", { name: "other" })), "file already exists");
    t.regex(await failure(sys.wstat("/n/moved", { name: "a/b" })), /bad character/);
    t.is(await failure(sys.wstat("/n/moved", { name: ".." })), "permission denied");
    t.deepEqual(fs.readdirSync(dir), ["moved", "other"]);
    await sys.chdir("/");
  }),
);

test.serial(
  "wstat does all it is asked, or nothing",
  hosted(async (t, sys, dir) => {
    await put(sys, "/n/f", "123456");
    await sys.wstat("/n/f", { mode: 0o600, length: 3, mtime: 1_111_111_111, name: "g" });
    t.like(await sys.stat("/n/g"), { mode: 0o600, length: 3, mtime: 1_111_111_111 });
    const before = await sys.stat("/n/g");
    t.is(await failure(sys.wstat("/n/g", { name: "h", uid: "nobody" })), "permission denied");
    t.is(await failure(sys.wstat("/n/g", { mode: DMDIR + 0o700, length: 0 })), "permission denied");
    t.deepEqual(await sys.stat("/n/g"), before);
    await sys.wstat("/n/g", { ...before, length: 0 });
    await sys.wstat("/n/g", {});
    t.is(fs.readFileSync(join(dir, "g"), "utf8"), "");
  }),
);

test.serial(
  "ORCLOSE removes the file at its close, and OTRUNC empties it at once",
  hosted(async (t, sys, dir) => {
    const fd = await sys.create("/n/tmp", ORDWR | ORCLOSE, 0o600);
    await write(sys, fd, "x");
    t.true(fs.existsSync(join(dir, "tmp")));
    await sys.close(fd);
    t.false(fs.existsSync(join(dir, "tmp")));
    await put(sys, "/n/f", "123");
    await sys.close(await sys.open("/n/f", OWRITE | OTRUNC));
    t.is(fs.statSync(join(dir, "f")).size, 0);
  }),
);

test.serial(
  "a directory is read in whole entries, sorted, in buffers of any size",
  hosted(async (t, sys, dir) => {
    const names = Array.from({ length: 100 }, (_, i) => `file${String(i).padStart(3, "0")}`);
    for (const name of names.toReversed()) fs.writeFileSync(join(dir, name), name);
    t.deepEqual(await ls(sys, "/n"), names);
    const fd = await sys.open("/n", OREAD);
    t.is(await failure(dirs(sys, fd, 20)), "i/o count too small");
    const got: string[] = [];
    for (let l = await dirs(sys, fd, 150); l.length > 0; l = await dirs(sys, fd, 150)) {
      got.push(...l.map((d) => d.name));
      if (got.length === 10) fs.rmSync(join(dir, "file050"));
    }
    t.deepEqual(
      got,
      names.filter((n) => n !== "file050"),
    );
    await sys.seek(fd, 0, 0);
    t.is((await dirs(sys, fd, 150))[0]?.name, "file000");
    await sys.close(fd);
  }),
);

test.serial(
  "names that are not UTF-8 go there and back",
  hosted(async (t, sys, dir) => {
    const odd = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x61, 0xff, 0xc3, 0x62])]);
    fs.writeFileSync(odd, "odd");
    const [name = ""] = await ls(sys, "/n");
    t.is(name, "a\udcff\udcc3b");
    t.is(await cat(sys, `/n/${name}`), "odd");
    await sys.wstat(`/n/${name}`, { name: `${name}\udcfe` });
    await sys.remove(`/n/${name}\udcfe`);
    await put(sys, "/n/größe", "3");
    t.deepEqual(fs.readdirSync(dir), ["größe"]);
  }),
);

test.serial(
  "a tree that is read only is not changed",
  hosted(
    async (t, sys, dir) => {
      fs.writeFileSync(join(dir, "f"), "x", { mode: 0o666 });
      t.is(await cat(sys, "/n/f"), "x");
      t.is((await sys.stat("/n/f")).mode & 0o222, 0);
      t.is(await failure(sys.open("/n/f", OWRITE)), "'/n/f' permission denied");
      t.is(await failure(sys.open("/n/f", OREAD | OTRUNC)), "'/n/f' permission denied");
      t.is(await failure(sys.open("/n/f", OREAD | ORCLOSE)), "'/n/f' permission denied");
      t.is(await failure(sys.create("/n/g", OWRITE, 0o666)), "'/n/g' permission denied");
      t.is(await failure(sys.create("/n/f", OWRITE, 0o666)), "'/n/f' permission denied");
      t.is(await failure(sys.remove("/n/f")), "permission denied");
      t.is(await failure(sys.wstat("/n/f", { name: "g" })), "permission denied");
      t.deepEqual(fs.readdirSync(dir), ["f"]);
    },
    (root) => ({ root, readonly: true }),
  ),
);

test.serial(
  "large files are read and written at any offset, many at once",
  hosted(async (t, sys) => {
    const bytes = new Uint8Array(3_000_000).map((_, i) => i % 251);
    const fd = await sys.create("/n/big", ORDWR, 0o600);
    const piece = 250_000;
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        sys.pwrite(fd, bytes.subarray(i * piece, (i + 1) * piece), i * piece),
      ),
    );
    const got = new Uint8Array(bytes.length + 10);
    t.is(await sys.pread(fd, got, 0), bytes.length);
    t.true(Buffer.from(got.subarray(0, bytes.length)).equals(bytes));
    t.is(await sys.pread(fd, got, bytes.length), 0);
    await sys.close(fd);
  }),
);

test.serial(
  "the host's time holds the clock: a read is over before a later alarm",
  hosted(async (t, sys) => {
    await put(sys, "/n/f", "x".repeat(100_000));
    const before = await sys.nsec();
    await cat(sys, "/n/f");
    await ls(sys, "/n");
    t.is(await sys.nsec(), before);
  }),
);

test.serial(
  "so many files are open at once and no more",
  hosted(async (t, sys) => {
    await put(sys, "/n/f", "");
    const fds: number[] = [];
    let why = "";
    while (why === "" && fds.length < 1000) {
      const fd = await sys.open("/n/f", OREAD).catch((e: Error) => ((why = e.message), -1));
      if (fd >= 0) fds.push(fd);
    }
    t.is(why, "'/n/f' no free file descriptors");
    t.is(fds.length, 512);
    for (const fd of fds) await sys.close(fd);
    t.is(await cat(sys, "/n/f"), "");
  }),
);

test("a root that is no directory is refused by name", async (t) => {
  const k = await boot();
  const why = { message: "'/nonexistent' file does not exist" };
  t.throws(() => newFs(k, { root: "/nonexistent" }), why);
  t.throws(() => newFs(k, { root: "/dev/null" }), { message: "'/dev/null' not a directory" });
  await k.shutdown();
});

test.serial(
  "a note and a kill wait for the host, and leave nothing open",
  hosted(async (t, sys) => {
    await put(sys, "/n/f", "x".repeat(1_000_000));
    for (let i = 0; i < 20; i++) {
      const pid = await sys.rfork(1 << 4, async (child: Sys) => {
        const fd = await child.open("/n/f", OREAD);
        const buf = new Uint8Array(1_000_000);
        await Promise.all([child.pread(fd, buf, 0), child.pread(fd, buf, 0)]);
      });
      const fd = await sys.open(`/proc/${pid}/ctl`, OWRITE).catch(() => -1);
      if (fd >= 0) await write(sys, fd, "kill").catch(() => 0);
      if (fd >= 0) await sys.close(fd);
      await sys.wait();
    }
    t.pass();
  }),
);
