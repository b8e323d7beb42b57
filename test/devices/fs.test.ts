// A directory of the host as files: what programs see of it and what they do to it.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { Calls } from "../../devices/fs/calls-node.ts";
import { newFs } from "../../devices/fs/fs-node.ts";
import { seconds } from "../../devices/fs/hostfile-node.ts";
import { Owners, account } from "../../devices/fs/owners-node.ts";
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
  QTAPPEND,
  QTEXCL,
} from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { hosted } from "../kit/hosted.ts";
import { dirs, failure, ls, readonce, write } from "../kit/kit.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";

test.serial(
  "files and directories are made, read, listed, renamed and removed",
  hosted(async (t, sys, dir) => {
    fs.chmodSync(dir, 0o775);
    await writefile(sys, "/n/a", "hello");
    t.is(fs.readFileSync(join(dir, "a"), "utf8"), "hello");
    t.is(fs.statSync(join(dir, "a")).mode & 0o777, 0o664);
    await sys.close(await sys.create("/n/d", OREAD, DMDIR + 0o777));
    t.is(fs.statSync(join(dir, "d")).mode & 0o777, 0o775);
    await writefile(sys, "/n/d/b", "there");
    t.is(await readtext(sys, "/n/d/b"), "there");
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
    const odd = DMDIR + DMAPPEND + 0o777;
    t.is(await failure(sys.create("/n/l", OREAD, odd)), "'/n/l' permission denied");
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
    await writefile(sys, "/n/f", "old");
    const fd = await sys.open("/n/f", OREAD);
    fs.renameSync(join(dir, "f"), join(dir, "g"));
    fs.writeFileSync(join(dir, "f"), "new");
    t.is(await readonce(sys, fd), "old");
    t.is(await failure(sys.fwstat(fd, { mode: 0o600 })), "file does not exist");
    t.is(await readtext(sys, "/n/f"), "new");
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
    t.is(await readtext(sys, "f"), "below");
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
    await writefile(sys, "/n/f", "123456");
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
    await writefile(sys, "/n/f", "123");
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
    t.is(await readtext(sys, `/n/${name}`), "odd");
    await sys.wstat(`/n/${name}`, { name: `${name}\udcfe` });
    await sys.remove(`/n/${name}\udcfe`);
    await writefile(sys, "/n/größe", "3");
    t.deepEqual(fs.readdirSync(dir), ["größe"]);
  }),
);

test.serial(
  "a tree that is read only is not changed",
  hosted(
    async (t, sys, dir) => {
      fs.writeFileSync(join(dir, "f"), "x", { mode: 0o666 });
      t.is(await readtext(sys, "/n/f"), "x");
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
    await writefile(sys, "/n/f", "x".repeat(100_000));
    const before = await sys.nsec();
    await readtext(sys, "/n/f");
    await ls(sys, "/n");
    t.is(await sys.nsec(), before);
  }),
);

test.serial(
  "so many files are open at once and no more",
  hosted(
    async (t, sys) => {
      await writefile(sys, "/n/f", "");
      const fds: number[] = [];
      for (let i = 0; i < 20; i++) fds.push(await sys.open("/n/f", OREAD));
      t.is(await failure(sys.open("/n/f", OREAD)), "'/n/f' no free file descriptors");
      t.is(await failure(sys.create("/n/g", OWRITE, 0o666)), "'/n/g' no free file descriptors");
      for (const fd of fds) await sys.close(fd);
      t.is(await readtext(sys, "/n/f"), "");
    },
    (root) => ({ root }),
    { files: 20 },
  ),
);

test.serial(
  "an append-only file is written at its end, wherever the writer is, and is not truncated",
  hosted(async (t, sys, dir) => {
    const fd = await sys.create("/n/log", OWRITE, DMAPPEND + 0o644);
    await write(sys, fd, "one ");
    t.is(await sys.pwrite(fd, new TextEncoder().encode("two "), 0), 4);
    t.like(await sys.fstat(fd), { mode: (DMAPPEND + 0o644) >>> 0, qid: { type: QTAPPEND } });
    await sys.close(fd);
    // It is known by what it is, not by its name.
    await sys.wstat("/n/log", { name: "journal" });
    t.like(await sys.stat("/n/journal"), { mode: DMAPPEND + 0o644, length: 8 });
    const again = await sys.open("/n/journal", OWRITE | OTRUNC);
    await sys.pwrite(again, new TextEncoder().encode("three"), 0);
    await sys.close(again);
    t.is(fs.readFileSync(join(dir, "journal"), "utf8"), "one two three");
    await sys.wstat("/n/journal", { mode: 0o644 });
    await writefile(sys, "/n/journal", "plain");
    t.is(await readtext(sys, "/n/journal"), "plain");
    await sys.wstat("/n/journal", { mode: DMAPPEND + 0o600 });
    t.like(await sys.stat("/n/journal"), { mode: DMAPPEND + 0o600, qid: { type: QTAPPEND } });
    t.is((await dirsof(sys, "/n"))[0]?.mode, DMAPPEND + 0o600);
    await sys.remove("/n/journal");
    await writefile(sys, "/n/journal", "new");
    t.is((await sys.stat("/n/journal")).qid.type, 0);
  }),
);

test.serial(
  "a file for exclusive use is open once",
  hosted(async (t, sys) => {
    const taken = "'/n/lock' exclusive use file already open";
    const fd = await sys.create("/n/lock", ORDWR, DMEXCL + 0o666);
    t.is(await failure(sys.open("/n/lock", OREAD)), taken);
    t.is(await failure(sys.create("/n/lock", OWRITE, 0o666)), taken);
    await sys.close(fd);
    const again = await sys.open("/n/lock", OREAD);
    t.is((await sys.fstat(again)).qid.type, QTEXCL);
    t.is(await failure(sys.open("/n/lock", OREAD)), taken);
    await sys.wstat("/n/lock", { mode: 0o666 });
    await sys.close(await sys.open("/n/lock", OREAD));
    await sys.close(again);
  }),
);

test.serial(
  "a wstat that leaves everything alone leaves the host's file alone, and one out of range is refused",
  hosted(async (t, sys, dir) => {
    await writefile(sys, "/n/f", "precious");
    fs.utimesSync(join(dir, "f"), 1_000_000_000, 1_234_567_890);
    const before = fs.statSync(join(dir, "f"));
    const alone = { name: "", uid: "", gid: "", muid: "", length: -1, mode: 0xffffffff };
    await sys.wstat("/n/f", { ...alone, mtime: 0xffffffff, atime: 0xffffffff });
    await sys.wstat("/n/f", { mtime: -1 });
    for (const d of [{ length: -5 }, { mtime: -2 }, { length: 2 ** 54 }, { mtime: 2 ** 33 }])
      t.not(await failure(sys.wstat("/n/f", d)), "no error", JSON.stringify(d));
    const now = fs.statSync(join(dir, "f"));
    t.deepEqual([now.mtimeMs, now.size, now.mode], [before.mtimeMs, before.size, before.mode]);
    t.is(await readtext(sys, "/n/f"), "precious");
  }),
);

test.serial(
  "a directory that changes while it is read gives the names it had, in order, without being listed again",
  hosted(
    async (t, sys, dir) => {
      const names = Array.from({ length: 3000 }, (_, i) => `f${String((i * 7919) % 3000)}`);
      for (const name of names) fs.writeFileSync(join(dir, name), "");
      const fd = await sys.open("/n", OREAD);
      const got: string[] = [];
      for (let l = await dirs(sys, fd, 65536); l.length > 0; l = await dirs(sys, fd, 65536)) {
        t.true(l.length <= 256, "one read asks the host so often and no more");
        got.push(...l.map((d) => d.name));
        fs.writeFileSync(join(dir, `new${got.length}`), "");
        fs.rmSync(join(dir, "f2999"), { force: true });
      }
      t.deepEqual(got, names.filter((n) => n !== "f2999").toSorted());
      // The names that are held are bounded, and given back.
      const more = await sys.open("/n", OREAD);
      t.is(await failure(dirs(sys, more, 65536)), "no room to list directories");
      await sys.close(fd);
      t.is((await dirs(sys, more, 65536)).length, 256);
      await sys.close(more);
    },
    (root) => ({ root }),
    { names: 4000 },
  ),
);

test("ORCLOSE asks for the host's permission to remove from the directory", (t) => {
  // Root may do everything, so this needs a process of its own, which stops being root.
  const program = fileURLToPath(new URL("../kit/unprivileged.js", import.meta.url));
  const said = JSON.parse(
    execFileSync(process.execPath, [program], { encoding: "utf8" }),
  ) as unknown;
  t.deepEqual(said, {
    read: "no error",
    orclose: "'/n/d/f' permission denied",
    create: "'/n/d/g' permission denied",
    remove: "permission denied",
    owner: "permission denied",
    left: ["f"],
    allowed: "no error",
    gone: [],
  });
});

test.serial(
  "a root that was removed is not there, whatever is made in its place",
  hosted(async (t, sys, dir) => {
    await writefile(sys, "/n/f", "old");
    fs.rmSync(dir, { recursive: true });
    fs.mkdirSync(dir);
    fs.writeFileSync(join(dir, "f"), "new");
    for (const call of [
      sys.stat("/n"),
      sys.stat("/n/f"),
      sys.open("/n", OREAD),
      readtext(sys, "/n/f"),
    ])
      t.regex(await failure(call), /file does not exist$/);
  }),
);

test("owners have the names that the host knows, and numbers else", (t) => {
  const dir = fs.mkdtempSync(join(tmpdir(), "namec-"));
  try {
    const passwd = join(dir, "passwd");
    const group = join(dir, "group");
    fs.writeFileSync(
      passwd,
      "root:x:0:0::/:\nglenda:x:1000:100::/:\nbunny:x:1000:5::/\n+bad\na:x:y:z\n",
    );
    fs.writeFileSync(group, "wheel:x:0:\nusers:x:100:glenda\n");
    const o = new Owners(passwd, group);
    t.deepEqual([o.user(0), o.user(1000), o.user(7)], ["root", "glenda", "7"]);
    t.deepEqual([o.group(0), o.group(100), o.group(1000)], ["wheel", "users", "1000"]);
    t.deepEqual(account("glenda", passwd), { name: "glenda", uid: 1000, gid: 100 });
    t.deepEqual([account("a", passwd), account("none", passwd)], [null, null]);
    t.is(account("root", join(dir, "nothing")), null);
    t.is(new Owners(join(dir, "nothing"), join(dir, "nothing")).user(0), "0");
    // A table that is too long is cut at a whole line.
    fs.writeFileSync(passwd, `${"x".repeat(99)}:x:5:5\n`.repeat(12_000));
    t.is(new Owners(passwd, group).user(5), "x".repeat(99));
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
});

/** A clock that goes on by `step` whenever it is read: what a host does that takes so many milliseconds. */
class Stepclock {
  ms = 1;
  step = 0;
  readonly now = (): number => (this.ms += this.step);
}

const slowly = new Stepclock();

test.serial(
  "on a slow host every call still means what it means on a quick one, and the tree is quick again after a while",
  hosted(
    async (t, sys, dir) => {
      fs.writeFileSync(join(dir, "f"), "hello");
      slowly.step = 2;
      await sys.stat("/n/f");
      await sys.close(await sys.create("/n/d", OREAD, DMDIR + 0o777));
      await writefile(sys, "/n/d/a", "one");
      await writefile(sys, "/n/d/b", "two");
      fs.symlinkSync("../../outside/secret", join(dir, "d/out"));
      fs.symlinkSync("a", join(dir, "d/in"));
      t.is(await readtext(sys, "/n/d/in"), "one");
      t.is(await failure(sys.open("/n/d/out", OREAD)), "'/n/d/out' permission denied");
      t.deepEqual(await ls(sys, "/n/d"), ["a", "b", "in", "out"]);
      await sys.chdir("/n/d");
      await sys.wstat("/n/d", { name: "e" });
      await sys.wstat("a", { name: "c", mode: 0o600, length: 2, mtime: 1_000_000_000 });
      t.like(await sys.stat("c"), { mode: 0o600, length: 2, mtime: 1_000_000_000 });
      t.is(await failure(sys.wstat("c", { name: "b" })), "file already exists");
      t.is(await failure(sys.stat("/n/d/c")), "'/n/d' file does not exist");
      t.is(await failure(sys.remove("/n/e")), "directory not empty");
      const tmp = await sys.open("b", OREAD | ORCLOSE);
      await sys.close(tmp);
      for (const name of ["c", "in", "out"]) await sys.remove(name);
      await sys.chdir("/");
      await sys.remove("/n/e");
      t.deepEqual(fs.readdirSync(dir), ["f"]);
      slowly.step = 0;
      slowly.ms += 1000;
      t.is(await readtext(sys, "/n/f"), "hello");
    },
    (root) => ({ root }),
    { now: slowly.now },
  ),
);

test("a call that took long sends the next ones to the host's threads, and those bring the same", async (t) => {
  const clock = new Stepclock();
  const k = await boot();
  const calls = new Calls(k.sched, clock.now);
  const how: string[] = [];
  const call = (): Task<string> =>
    calls.call(
      () => (how.push("now"), "x"),
      (done) => {
        how.push("later");
        done(null, "x");
      },
    );
  const get = (): unknown => call().next().value;
  t.deepEqual([get(), get(), how, calls.slow], ["x", "x", ["now", "now"], false]);
  clock.step = 2;
  t.is(get(), "x");
  clock.step = 0;
  t.true(calls.slow, "what took 2 ms was slow");
  t.is(get(), "x");
  clock.ms += 99;
  t.is(get(), "x");
  clock.ms += 2;
  t.is(get(), "x");
  t.deepEqual(how, ["now", "now", "now", "later", "later", "now"]);
  // A failure is a failure either way.
  const fails = (): Task<string> =>
    calls.call(
      () => fs.readFileSync("/nonexistent", "utf8"),
      (done) => done(Object.assign(new Error("no"), { code: "ENOENT" })),
    );
  t.throws(() => fails().next(), { message: "file does not exist" });
  clock.step = 2;
  get();
  t.throws(() => fails().next(), { message: "file does not exist" });
  await k.shutdown();
});

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
    await writefile(sys, "/n/f", "x".repeat(1_000_000));
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

async function dirsof(sys: Sys, name: string): Promise<Dir[]> {
  const fd = await sys.open(name, OREAD);
  try {
    return await dirs(sys, fd);
  } finally {
    await sys.close(fd);
  }
}

test("a host's time that Plan 9 has no number for is the first or the last that it has", (t) => {
  t.is(seconds(-1n), 0);
  t.is(seconds(1_999n), 1);
  t.is(seconds(4_294_967_295_999n), 4_294_967_295);
  t.is(seconds(4_294_967_296_000n), 4_294_967_295);
});
