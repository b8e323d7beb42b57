// Files in memory: what ramfs does, and what a tree given at boot becomes.

import test from "ava";
import fc from "fast-check";
import { newMem } from "../../devices/mem.ts";
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
import { dirs, failure, inside, ls, mkdir, readonce, write } from "../kit/kit.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";

const DIR = DMDIR + 0o777;

/** Makes a file with these contents. */
test(
  "a new file has its directory's permissions at most",
  inside(async (t, sys) => {
    await writefile(sys, "/tmp/f", "", 0o666);
    t.is((await sys.stat("/tmp/f")).mode, 0o664);
    await mkdir(sys, "/tmp/d");
    t.is((await sys.stat("/tmp/d")).mode, DMDIR + 0o775);
    await sys.wstat("/tmp/d", { mode: DMDIR + 0o750 });
    await writefile(sys, "/tmp/d/f", "", 0o666);
    t.is((await sys.stat("/tmp/d/f")).mode, 0o640);
    await writefile(sys, "/tmp/p", "written though its mode is 0", 0);
    t.is(await failure(sys.open("/tmp/p", OREAD)), "'/tmp/p' permission denied");
    await sys.wstat("/tmp/d", { mode: DMDIR + 0o555 });
    const why = "'/tmp/d/new' permission denied";
    t.is(await failure(sys.create("/tmp/d/new", OWRITE, 0o666)), why);
    t.is(await failure(sys.remove("/tmp/d/f")), "permission denied");
    await sys.chdir("/tmp/d");
    await sys.wstat("/tmp/d", { mode: DMDIR + 0o444 });
    t.is(await failure(sys.open("f", OREAD)), "'f' permission denied");
  }),
);

test(
  "ORCLOSE asks for the directory's permission beside the file's",
  inside(async (t, sys) => {
    await mkdir(sys, "/tmp/d");
    await writefile(sys, "/tmp/d/f", "x");
    await sys.wstat("/tmp/d", { mode: DMDIR + 0o555 });
    t.is(await readtext(sys, "/tmp/d/f"), "x");
    t.is(await failure(sys.open("/tmp/d/f", OREAD | ORCLOSE)), "'/tmp/d/f' permission denied");
  }),
);

test(
  "a directory opens to be read only",
  inside(async (t, sys) => {
    await mkdir(sys, "/tmp/d");
    const why = "'/tmp/d' permission denied";
    for (const mode of [OWRITE, ORDWR, OREAD | OTRUNC, OREAD | ORCLOSE])
      t.is(await failure(sys.open("/tmp/d", mode)), why);
    t.is(await failure(sys.open("/tmp/d", OEXEC)), "'/tmp/d' cannot exec directory");
    t.is(await failure(sys.create("/tmp/d", OWRITE, 0o666)), why);
  }),
);

test(
  "a file is written anywhere, and holes are zeros",
  inside(async (t, sys) => {
    const fd = await sys.create("/tmp/f", ORDWR, 0o666);
    await write(sys, fd, "abcdef");
    await sys.fwstat(fd, { length: 3 });
    await sys.pwrite(fd, new Uint8Array([0x7a]), 5);
    const buf = new Uint8Array(10);
    t.is(await sys.pread(fd, buf, 0), 6);
    t.deepEqual([...buf.subarray(0, 6)], [97, 98, 99, 0, 0, 0x7a]);
    await sys.fwstat(fd, { length: 8 });
    t.is((await sys.fstat(fd)).length, 8);
    t.is(await sys.pread(fd, buf, 8), 0);
  }),
);

test(
  "truncating through one descriptor is seen by another",
  inside(async (t, sys) => {
    await writefile(sys, "/tmp/f", "hello");
    const a = await sys.open("/tmp/f", OREAD);
    const b = await sys.open("/tmp/f", OWRITE | OTRUNC);
    t.is(await readonce(sys, a), "");
    await write(sys, b, "abc");
    t.is(await readonce(sys, a), "abc");
  }),
);

test(
  "a version counts the changes, and a file's path stays its own",
  inside(async (t, sys) => {
    await writefile(sys, "/tmp/f", "1");
    const before = (await sys.stat("/tmp/f")).qid;
    await writefile(sys, "/tmp/f", "2");
    const after = (await sys.stat("/tmp/f")).qid;
    t.is(after.path, before.path);
    t.true(after.vers > before.vers);
    await sys.wstat("/tmp/f", { name: "g" });
    t.deepEqual((await sys.stat("/tmp/g")).qid, after);
    await sys.remove("/tmp/g");
    await writefile(sys, "/tmp/f", "3");
    t.not((await sys.stat("/tmp/f")).qid.path, before.path);
  }),
);

test(
  "append-only files grow at the end, exclusive ones open once",
  inside(async (t, sys) => {
    const a = await sys.create("/tmp/a", OWRITE, DMAPPEND + 0o666);
    await write(sys, a, "abc");
    t.is(await sys.seek(a, 0, 0), 0);
    await write(sys, a, "def");
    t.is(await readtext(sys, "/tmp/a"), "abcdef");
    const x = await sys.create("/tmp/x", OWRITE, DMEXCL + 0o666);
    const why = "'/tmp/x' exclusive use file already open";
    t.is(await failure(sys.open("/tmp/x", OREAD)), why);
    await sys.close(x);
    await sys.open("/tmp/x", OREAD);
    t.is(await failure(sys.open("/tmp/x", OREAD)), why);
  }),
);

test(
  "a file to be removed on close goes with the last descriptor, a directory only when empty",
  inside(async (t, sys) => {
    const a = await sys.create("/tmp/f", ORDWR | ORCLOSE, 0o666);
    const b = await sys.dup(a);
    await sys.close(a);
    t.is((await sys.stat("/tmp/f")).length, 0);
    await sys.close(b);
    t.is(await failure(sys.stat("/tmp/f")), "'/tmp/f' does not exist");
    const d = await sys.create("/tmp/d", OREAD | ORCLOSE, DIR);
    await writefile(sys, "/tmp/d/f", "");
    await sys.close(d);
    t.deepEqual(await ls(sys, "/tmp/d"), ["f"]);
  }),
);

test(
  "what was removed while open answers that it does not exist",
  inside(async (t, sys) => {
    await writefile(sys, "/tmp/f", "abcdef");
    const fd = await sys.open("/tmp/f", ORDWR);
    await sys.remove("/tmp/f");
    const why = "file does not exist";
    t.is(await failure(readonce(sys, fd)), why);
    t.is(await failure(write(sys, fd, "x")), why);
    t.is(await failure(sys.fstat(fd)), why);
    await writefile(sys, "/tmp/f", "another");
    t.is(await failure(readonce(sys, fd)), why);
    await mkdir(sys, "/tmp/d");
    await writefile(sys, "/tmp/d/f", "");
    t.is(await failure(sys.remove("/tmp/d")), "directory not empty");
  }),
);

test(
  "wstat changes all that it is asked, or nothing",
  inside(async (t, sys) => {
    await writefile(sys, "/tmp/f", "hello");
    await writefile(sys, "/tmp/g", "");
    t.is(await failure(sys.wstat("/tmp/f", { name: "g", length: 1 })), "file exists");
    t.is(
      await failure(sys.wstat("/tmp/f", { mode: DMDIR + 0o777, length: 1 })),
      "permission denied",
    );
    t.is(await failure(sys.wstat("/tmp/f", { uid: "sys", length: 1 })), "permission denied");
    t.is((await sys.stat("/tmp/f")).length, 5);
    await sys.wstat("/tmp/f", { name: "h", mode: 0o600, mtime: 1000, gid: "sys" });
    const d = await sys.stat("/tmp/h");
    t.deepEqual([d.name, d.mode, d.mtime, d.gid, d.length], ["h", 0o600, 1000, "sys", 5]);
    t.deepEqual(await ls(sys, "/tmp"), ["h", "g"]);
  }),
);

test(
  "create makes, truncates or refuses",
  inside(async (t, sys) => {
    await writefile(sys, "/tmp/f", "hello", 0o600);
    const fd = await sys.create("/tmp/f", OREAD, DIR);
    t.is((await sys.fstat(fd)).length, 0);
    t.is(
      await failure(sys.create("/tmp/f", OWRITE | OEXCL, 0o666)),
      "'/tmp/f' file already exists",
    );
    t.is(await failure(sys.create("/tmp/f/x", OWRITE, 0o666)), "'/tmp/f/x' not a directory");
  }),
);

const names = fc.uniqueArray(
  fc.string({ unit: fc.constantFrom("a", "b", "é"), minLength: 1, maxLength: 40 }),
  { maxLength: 40 },
);
type Plan = {
  readonly names: readonly string[];
  readonly doomed: readonly number[];
  readonly n: number;
};
const plans: fc.Arbitrary<Plan> = fc.record({
  names,
  doomed: fc.array(fc.nat({ max: 39 }), { maxLength: 40 }),
  n: fc.integer({ min: 200, max: 1000 }),
});

test("a directory that loses files while it is read still gives each of the others once, in order", async (t) => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const k = await boot({
        clock: "virtual",
        files: { tmp: Object.fromEntries(plan.names.map((n) => [`_${n}`, ""])) },
      });
      const all = plan.names.map((n) => `_${n}`);
      const gone = new Set<string>();
      const seen: string[] = [];
      const proc = k.spawn(async (sys: Sys) => {
        const fd = await sys.open("/tmp", OREAD);
        const doomed = plan.doomed.values();
        for (let l = await dirs(sys, fd, plan.n); l.length > 0; l = await dirs(sys, fd, plan.n)) {
          seen.push(...l.map((d) => d.name));
          for (let i = doomed.next(); i.done !== true && i.value % 4 !== 0; i = doomed.next()) {
            const name = all[i.value];
            if (name === undefined || gone.has(name)) continue;
            gone.add(name);
            await sys.remove(`/tmp/${name}`);
          }
        }
      });
      t.is(await proc.wait(), "");
      t.is(new Set(seen).size, seen.length);
      t.deepEqual(
        seen.filter((n) => !gone.has(n)),
        all.filter((n) => !gone.has(n)),
      );
      t.deepEqual(
        seen,
        all.filter((n) => seen.includes(n)),
      );
      await k.shutdown();
    }),
    { numRuns: 60 },
  );
});

test("boot's files are text, bytes, trees and programs", async (t) => {
  const files = {
    tmp: { a: "hello", bytes: new Uint8Array([1, 2]), d: { e: "deep" } },
    bin: {
      hi: async (sys: Sys, argv: readonly string[]) =>
        void (await write(sys, 1, `hi ${argv.join(" ")}`)),
    },
  };
  const k = await boot({ clock: "virtual", files });
  const proc = k.spawn(async (sys: Sys) => {
    t.is(await readtext(sys, "/tmp/d/e"), "deep");
    t.is((await sys.stat("/tmp/bytes")).length, 2);
    t.is((await sys.stat("/bin/hi")).mode, 0o775);
    t.is(await failure(sys.exec("/tmp/a", ["a"])), "'/tmp/a' permission denied");
    await sys.exec("/bin/hi", ["hi", "there"]);
  });
  t.is(await proc.wait(), "");
  t.is(proc.output, "hi hi there");
  await k.shutdown();
});

test("names that cannot be files are refused, and so is a file where a directory is", async (t) => {
  const k = await boot({ clock: "virtual" });
  const mem = newMem(k);
  t.throws(() => mem.fill({ "a/b": "" }), { message: /bad character in file name/ });
  t.throws(() => mem.fill({ "..": "" }), { message: /file name syntax/ });
  mem.fill({ d: { f: "" } });
  t.throws(() => mem.fill({ d: "text" }), { message: /'d' file is a directory/ });
  t.throws(() => mem.fill({ d: { f: {} } }), { message: /'f' not a directory/ });
  await k.shutdown();
});

test("memory is bounded, and what is removed can be had again", async (t) => {
  const k = await boot({
    clock: "virtual",
    binds: [["#r", "/tmp", 4]],
    devices: [(kernel) => Object.assign(newMem(kernel, 100_000), { dc: "r" })],
  });
  const proc = k.spawn(async (sys: Sys) => {
    const full = "file system full";
    const fd = await sys.create("/tmp/f", OWRITE, 0o666);
    t.is(await sys.write(fd, new Uint8Array(50_000)), 50_000);
    t.is(await sys.write(fd, new Uint8Array(40_000)), 40_000); // twice would be too much
    t.is(await failure(sys.write(fd, new Uint8Array(20_000))), full);
    t.is((await sys.fstat(fd)).length, 90_000);
    t.is(await failure(sys.pwrite(fd, new Uint8Array(1), 2 ** 40)), "read or write too large");
    t.is(await failure(sys.fwstat(fd, { length: 2 ** 30 })), full);
    let made = 0;
    while ((await failure(sys.create(`/tmp/f${made}`, OWRITE, 0o666))) === "no error") made++;
    t.true(made > 5 && made < 30);
    for (let i = 0; i < made; i++) await sys.remove(`/tmp/f${i}`);
    await sys.remove("/tmp/f");
    t.is(
      await sys.write(await sys.create("/tmp/g", OWRITE, 0o666), new Uint8Array(99_000)),
      99_000,
    );
  });
  t.is(await proc.wait(), "", String(proc.crash));
  await k.shutdown();
});

test(
  "a length set by wstat is a change: version, time and author say so",
  inside(async (t, sys) => {
    await writefile(sys, "/tmp/f", "abcdef");
    await sys.wstat("/tmp/f", { mtime: 5 });
    const before = await sys.stat("/tmp/f");
    await sys.wstat("/tmp/f", { length: 6 });
    t.deepEqual(await sys.stat("/tmp/f"), before, "the same length is none");
    await sys.wstat("/tmp/f", { length: 2 });
    const after = await sys.stat("/tmp/f");
    t.is(after.qid.vers, before.qid.vers + 1);
    t.not(after.mtime, 5);
    await sys.wstat("/tmp/f", { length: 9, mtime: 7 });
    const later = await sys.stat("/tmp/f");
    t.deepEqual(
      [later.qid.vers, later.mtime],
      [after.qid.vers + 1, 7],
      "a time that is given counts",
    );
    t.is(await readtext(sys, "/tmp/f"), "ab\0\0\0\0\0\0\0");
  }),
);

test("memory is given back when a file is cut, truncated or removed", async (t) => {
  const k = await boot({
    clock: "virtual",
    binds: [["#r", "/tmp", 4]],
    devices: [(kernel) => Object.assign(newMem(kernel, 100_000), { dc: "r" })],
  });
  const p = k.spawn(async (sys: Sys) => {
    const fill = async (name: string): Promise<void> => {
      const fd = await sys.create(name, OWRITE, 0o666);
      await sys.write(fd, new Uint8Array(60_000));
      await sys.close(fd);
    };
    for (let i = 0; i < 5; i++) {
      await fill(`/tmp/cut${i}`);
      await sys.wstat(`/tmp/cut${i}`, { length: 1 });
      await fill(`/tmp/truncated${i}`);
      await sys.close(await sys.open(`/tmp/truncated${i}`, OWRITE | OTRUNC));
      await fill(`/tmp/removed${i}`);
      await sys.remove(`/tmp/removed${i}`);
    }
    await fill("/tmp/last");
    t.is(await failure(fill("/tmp/more")), "file system full");
  });
  const status = await p.wait();
  if (p.crash !== undefined) throw p.crash;
  t.is(status, "");
  await k.shutdown();
});
