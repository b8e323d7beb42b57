// The name space `names`: how a name becomes a file. How it differs from the standard one, each difference a
// test, is in namesdiff.test.ts.

import test from "ava";
import type { ExecutionContext } from "ava";
import {
  DMDIR,
  MAFTER,
  MBEFORE,
  MCREATE,
  MREPL,
  OEXCL,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OSTREAM,
  OTRUNC,
  OWRITE,
} from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { waitfor } from "../../kernel/proc/rendez.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { Fake } from "../kit/fake.ts";
import {
  NOTHING,
  cat,
  entries,
  failure,
  mountram,
  put,
  requests,
  run,
  steps,
  within,
} from "../kit/kit.ts";

const FILES = {
  a: { x: "a's x", both: "a's", d: { deep: "a's deep" } },
  b: { y: "b's y", both: "b's", d: { other: "b's other" } },
  c: {},
  m: {},
};
const DIR = (DMDIR | 0o777) >>> 0;

/** A program in a kernel with FILES. */
const inside = (fn: (t: ExecutionContext, sys: Sys) => Promise<void>) =>
  within(async (t, k) => void (await run(k, async (sys: Sys) => fn(t, sys))), { files: FILES });

/** Makes a file or directory, and closes it. */
async function make(sys: Sys, name: string, mode = OWRITE, perm = 0o666): Promise<void> {
  await sys.close(await sys.create(name, mode, perm));
}

async function open(sys: Sys, name: string, mode: number): Promise<void> {
  await sys.close(await sys.open(name, mode));
}

/** The names in a directory. */
async function ls(sys: Sys, name: string): Promise<string[]> {
  return (await readdir(sys, name)).map((d) => d.name);
}

async function chdir(sys: Sys, name: string): Promise<string> {
  await sys.chdir(name);
  const fd = await sys.open(".", OREAD);
  const path = await sys.fd2path(fd);
  await sys.close(fd);
  return path;
}

test(
  "names are cleaned by their text; .. of the root is the root",
  inside(async (t, sys) => {
    const same = ["/a/x", "//a///x", "/a/./x", "/../../a/x", "/a/d/../x", "/m/../a/d/.././x"];
    for (const name of same) t.is(await cat(sys, name), "a's x", name);
    t.is(await chdir(sys, "/a/d/"), "/a/d");
    t.is(await cat(sys, "deep"), "a's deep");
    t.is(await cat(sys, "../x"), "a's x");
    t.is(await cat(sys, "../../../../b/y"), "b's y");
    t.is(await chdir(sys, ".."), "/a");
    t.is(await chdir(sys, "../../.."), "/");
    t.is(await chdir(sys, "#s/.."), "#s");
    t.is(await chdir(sys, "../../.."), "#s");
  }),
);

test(
  "a relative name starts from dot's file, unless something is mounted at dot or below it on the way",
  inside(async (t, sys) => {
    await sys.chdir("/a/d");
    await sys.bind("/b", "/a", MREPL);
    t.is(await cat(sys, "deep"), "a's deep", "what is mounted above dot is not seen");
    t.is(await cat(sys, "../y"), "b's y", "but .. goes by name");
    t.is(await failure(cat(sys, "/a/d/deep")), "'/a/d/deep' does not exist");
    await sys.unmount(null, "/a");
    await sys.chdir("/a");
    await sys.bind("/b", "/a/d", MREPL);
    t.is(await cat(sys, "d/y"), "b's y");
    await sys.bind("/b", "/a", MREPL);
    t.is(await cat(sys, "y"), "b's y", "what is mounted on dot is seen");
    t.is(await cat(sys, "./y"), "b's y");
    const fd = await sys.open(".", OREAD);
    t.is(await sys.fd2path(fd), "/a");
  }),
);

test(
  "of a union the first member that has the first element wins, also where a later one is missing",
  inside(async (t, sys) => {
    await sys.bind("/a", "/m", MREPL);
    await sys.bind("/b", "/m", MAFTER);
    t.is(await cat(sys, "/m/both"), "a's");
    t.is(await cat(sys, "/m/y"), "b's y");
    t.is(await failure(cat(sys, "/m/d/other")), "'/m/d/other' does not exist");
    t.is(await failure(cat(sys, "/m/no")), "'/m/no' file does not exist");
    t.is(await failure(cat(sys, "/m/no/more")), "'/m/no' file does not exist");
    t.is(await failure(cat(sys, "/m/x/y")), "'/m/x' not a directory");
    t.is(await failure(sys.stat("/m/d/other")), "'/m/d/other' does not exist");
    t.is((await sys.stat("/m")).qid.path, (await sys.stat("/a")).qid.path);
    t.is((await sys.stat("/m")).name, "m");
    await sys.remove("/m/both");
    t.is(await cat(sys, "/m/both"), "b's");
  }),
);

test(
  "a member of a union whose first element is a file wins as well, and a stat below it says so",
  inside(async (t, sys) => {
    for (const version of ["9P2000.ix", "9P2000"]) {
      await mountram(sys, "/c", { version });
      await put(sys, "/c/f", "");
      await sys.bind("/c", "/m", MREPL);
      await sys.bind("/a", "/m", MAFTER);
      const why = "'/m/f' not a directory";
      t.is(await failure(sys.stat("/m/f/x")), why, version);
      t.is(await failure(sys.open("/m/f/x", OREAD)), why, version);
    }
  }),
);

test(
  "remote members of a union are asked at once and only walked; the one that won is then acted on",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        for (const dir of ["/a", "/b", "/c"]) {
          await mountram(sys, dir);
          await sys.bind(dir, "/m", MAFTER);
        }
        await sys.unmount("#R/m", "/m");
        await put(sys, "/b/f", "b's");
        await put(sys, "/c/f", "c's");
        const sent = requests(k);
        const cost = async (call: Promise<unknown>): Promise<string> => {
          sent.length = 0;
          await call;
          await sys.sleep(1);
          return sent.join(" ");
        };
        t.is(
          await cost(open(sys, "/m/f", OREAD)),
          "Twalk(f) Twalk(f) Twalk(f) Tclunk Topen(0) Tclunk",
        );
        t.is(await cost(failure(open(sys, "/m/no", OREAD))), "Twalk(no) Twalk(no) Twalk(no)");
        t.is(await cost(sys.remove("/m/f")), "Twalk(f) Twalk(f) Twalk(f) Tclunk Tremove");
        t.is(await cat(sys, "/c/f"), "c's");
        const stats = (await cost(sys.stat("/m/f"))).split(" ");
        t.is(stats.filter((s) => s === "Tstat").length, 3, "what changes nothing is asked of all");
      });
    },
    { files: FILES },
  ),
);

test(
  "the trace tells which members are asked before the first answer, those of servers, also when there is only one; then the member that has the file",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/c");
        await sys.bind("/b", "/m", MREPL);
        await sys.bind("/c", "/m", MAFTER);
        const log = steps(k);
        await sys.stat("/m/y");
        t.deepEqual(log, [
          "clean name=/m/y path=/m/y",
          "prefix prefix=/m rest=y members=2 point=/m",
          "ask asked=1 rest=y what=stat of=union",
          "walk chan=/b rest=y got=1 conn=0",
          "found point=/m index=0 elem=y",
        ]);
        await sys.bind("/a", "/b", MAFTER);
        log.length = 0;
        await sys.stat("/b/y");
        t.deepEqual(
          log.filter((s) => s.startsWith("ask")),
          [],
        );
      });
    },
    { files: FILES },
  ),
);

test(
  "a bind with MCREATE of a union, or of a mount in which nothing is created, is inconsistent",
  inside(async (t, sys) => {
    await sys.bind("/a", "/m", MREPL);
    t.is(await failure(sys.bind("/m", "/c", MREPL | MCREATE)), "inconsistent mount");
    await sys.bind("/a", "/m", MREPL | MCREATE);
    await sys.bind("/m", "/c", MREPL | MCREATE);
    await sys.bind("/b", "/m", MAFTER | MCREATE);
    t.is(await failure(sys.bind("/m", "/c", MREPL | MCREATE)), "inconsistent mount");
    await sys.bind("/m", "/c", MREPL);
  }),
);

test(
  "a union goes on without a server that is gone, and lists what the others have",
  inside(async (t, sys) => {
    const pid = await mountram(sys, "/m");
    await sys.bind("/a", "/m", MAFTER);
    t.is(await cat(sys, "/m/x"), "a's x");
    await put(sys, `/proc/${pid}/ctl`, "kill");
    await sys.wait();
    t.is(await cat(sys, "/m/x"), "a's x");
    t.is((await sys.stat("/m/x")).name, "x");
    t.is(await failure(cat(sys, "/m/no")), "'/m/no' file does not exist");
    t.is(await failure(sys.chdir("/m")), "clone failed", "itself it is its first member");
    await sys.bind("/a", "/m", MBEFORE);
    t.deepEqual(await ls(sys, "/m"), ["x", "both", "d", "x", "both", "d"]);
  }),
);

test(
  "the first read of a union, at whatever offset, gives what its first member has",
  inside(async (t, sys) => {
    await sys.bind("/b", "/a", MAFTER);
    for (const at of [0, 100]) {
      const fd = await sys.open("/a", OREAD);
      const buf = new Uint8Array(8192);
      const list = entries(buf, await sys.pread(fd, buf, at));
      t.deepEqual(
        list.map((d) => d.name),
        ["x", "both", "d"],
      );
      await sys.close(fd);
    }
  }),
);

test(
  "create opens and truncates what a member has; else the first member with MCREATE gets the file",
  inside(async (t, sys) => {
    await sys.bind("/a", "/m", MREPL);
    await sys.bind("/b", "/m", MAFTER | MCREATE);
    await sys.bind("/c", "/m", MAFTER | MCREATE);
    await put(sys, "/m/x", "new");
    t.is(await cat(sys, "/a/x"), "new", "a member that has it needs no MCREATE");
    await put(sys, "/m/fresh", "hello");
    t.is(await cat(sys, "/b/fresh"), "hello");
    t.is(await failure(sys.create("/m/y", OWRITE | OEXCL, 0o666)), "'/m/y' file already exists");
    t.is(await cat(sys, "/b/y"), "b's y");
    await make(sys, "/m/dir", OREAD, DIR);
    t.is((await sys.stat("/b/dir")).mode >>> 31, 1);
    await put(sys, "/m/dir/f", "below a member");
    t.is(await cat(sys, "/b/dir/f"), "below a member");
  }),
);

test(
  "a mount without MCREATE forbids creation of its direct children, but not what is there or below",
  inside(async (t, sys) => {
    await sys.bind("/a", "/m", MREPL);
    const forbidden = "mounted directory forbids creation";
    t.is(await failure(make(sys, "/m/new")), `'/m/new' ${forbidden}`);
    t.is(await failure(make(sys, "/m/new", OWRITE | OEXCL)), `'/m/new' ${forbidden}`);
    t.is(await failure(make(sys, "/m/new", OREAD, DIR)), `'/m/new' ${forbidden}`);
    await mountram(sys, "/c", { flags: MREPL });
    t.is(await failure(make(sys, "/c/new", OWRITE | OSTREAM)), `'/c/new' ${forbidden}`);
    t.is(await failure(make(sys, "/m/x", OWRITE | OEXCL)), "'/m/x' file already exists");
    await put(sys, "/m/x", "short");
    t.is(await cat(sys, "/a/x"), "short");
    await put(sys, "/m/d/new", "below");
    t.is(await cat(sys, "/a/d/new"), "below");
    await sys.bind("/b", "/m", MBEFORE);
    t.is(await failure(make(sys, "/m/new")), `'/m/new' ${forbidden}`, "a union without MCREATE");
  }),
);

/** What each way of using a name as a directory fails with when it is a file, and that nothing happened. */
async function mustdir(t: ExecutionContext, sys: Sys, dir: string): Promise<void> {
  await put(sys, `${dir}/f`, "contents");
  await sys.chdir(dir);
  for (const name of [`${dir}/f/`, `${dir}/f/.`, `${dir}/f//./`, "f/", "./f/."]) {
    const want = `'${name}' not a directory`;
    const calls = [
      sys.stat(name),
      sys.chdir(name),
      sys.remove(name),
      sys.wstat(name, { name: "g" }),
      sys.bind(name, "/c", MREPL),
      ...[OREAD, OWRITE, ORDWR | OTRUNC, OREAD | ORCLOSE, OEXEC].map((m) => sys.open(name, m)),
    ];
    for (const [i, e] of (await Promise.all(calls.map((c) => failure(c)))).entries())
      t.is(e, want, `call ${i}`);
    t.is(await failure(make(sys, name)), `'${name}' create without DMDIR`);
  }
  t.is(await failure(cat(sys, `${dir}/f/g`)), `'${dir}/f' not a directory`);
  t.is(await failure(make(sys, `${dir}/f/g`)), `'${dir}/f/g' not a directory`);
  t.is(await cat(sys, `${dir}/f`), "contents");
  await make(sys, `${dir}/new/`, OREAD, DIR);
  await open(sys, `${dir}/new/`, OREAD);
  await sys.chdir(`${dir}/new/.`);
  await sys.remove(`${dir}/new/`);
  t.is(await failure(sys.open(dir, OEXEC)), `'${dir}' cannot exec directory`);
}

test(
  "a name that ends in / must be a directory, and a file of that name is not touched",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mustdir(t, sys, "/a");
        for (const version of ["9P2000", "9P2000.ix", "9P2000.ix.stream"]) {
          await mountram(sys, "/m", { version });
          await mustdir(t, sys, "/m");
          await sys.unmount(null, "/m");
        }
      });
    },
    { files: FILES },
  ),
);

test(
  "where a name that must be a directory would be changed, the walk is made first; else the answer decides",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/m");
        await put(sys, "/m/f", "");
        const sent = requests(k);
        const cost = async (call: Promise<unknown>): Promise<string> => {
          sent.length = 0;
          await failure(call);
          await sys.sleep(1);
          return sent.join(" ");
        };
        t.is(await cost(sys.open("/m/f/", OREAD)), "Twalk(f) Topen(0) Tclunk");
        t.is(await cost(sys.stat("/m/f/")), "Twalk(f) Tstat Tclunk");
        for (const call of [
          () => sys.open("/m/f/", OWRITE | OTRUNC),
          () => sys.open("/m/f/", OREAD | ORCLOSE),
          () => sys.remove("/m/f/"),
          () => sys.wstat("/m/f/", { mode: 0 }),
          () => sys.chdir("/m/f"),
        ])
          t.is(await cost(call()), "Twalk(f) Tclunk");
      });
    },
    { files: FILES },
  ),
);

test(
  "a mount point can be neither removed nor renamed, and nobody is asked",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/m");
        await make(sys, "/m/d", OREAD, DIR);
        await sys.bind("/a", "/m/d", MREPL);
        await sys.chdir("/m/d");
        const sent = requests(k);
        for (const name of ["/m", "/m/d", "/", ".", "/m/d/", "/a/../m"])
          t.is(await failure(sys.remove(name)), "is a mount point", name);
        t.is(await failure(sys.wstat("/m", { name: "n" })), "'/m' is a mount point");
        t.is(await failure(sys.wstat(".", { name: "n" })), "'/m/d' is a mount point");
        t.deepEqual(sent, []);
        await sys.wstat("/m/d", { mode: (DMDIR | 0o700) >>> 0 });
        t.is((await sys.stat("/a")).mode & 0o777, 0o700, "other changes go to what is mounted");
      });
    },
    { files: FILES },
  ),
);

test(
  "an error names the element that failed, as the name was given, and the call and element are fields",
  inside(async (t, sys) => {
    await sys.chdir("/a");
    const cases: readonly [string, string][] = [
      ["/nowhere/x", "'/nowhere' file does not exist"],
      ["/a/no/more", "'/a/no' does not exist"],
      ["//a//no//more", "'//a//no' does not exist"],
      ["d/./no/x", "'d/./no' does not exist"],
      ["no", "'no' file does not exist"],
      ["./no", "'./no' file does not exist"],
      ["../b/no/x", "'../b/no' does not exist"],
      ["d/../no/x", "'d/../no' file does not exist"],
      ["x/y/z", "'x' not a directory"],
      ["it's", "'it''s' file does not exist"],
      ["#s/no", "'#s/no' file does not exist"],
      ["#c/cons/x", "'#c/cons' not a directory"],
      ["#e/no/x", "'#e/no' file does not exist"],
      ["#zz", "unknown device in # filename"],
      ["#", "mount/attach disallowed"],
      ["#M", "mount/attach disallowed"],
      [`#R${"x".repeat(126)}`, "file name syntax"],
      ["", "empty file name"],
      ["/a/\tx", "bad character in file name: '/a/\tx'"],
      ["/a/\x7f", "bad character in file name: /a/\x7f"],
      [`/a/d/${"n".repeat(80)}`, `'...${"n".repeat(32)}' does not exist`],
      [`/a/${"e".repeat(30)}/${"f".repeat(30)}`, `'/a/${"e".repeat(30)}' does not exist`],
    ];
    for (const [name, want] of cases) {
      t.is(await failure(sys.open(name, OREAD)), want);
      t.is(await failure(sys.stat(name)), want);
    }
    await open(sys, `#R${"x".repeat(125)}`, OREAD);
    const e = await t.throwsAsync(sys.open("/a/no/more", OREAD), { instanceOf: PlanError });
    t.like(e, { call: "open", file: "/a/no/more", element: "no" });
    const f = await t.throwsAsync(sys.create("#c/foo", OWRITE, 0o666), { instanceOf: PlanError });
    t.like(f, { message: "'#c/foo' permission denied", call: "create", element: "foo" });
    t.is(await failure(sys.bind("/no1", "/no2", MREPL)), "'/no1' file does not exist");
    t.is(await failure(sys.bind("/a", "/no2/x", MREPL)), "'/no2' file does not exist");
    t.is(await failure(sys.bind("#s", "", MREPL)), "empty file name");
    t.is(await failure(sys.remove("d")), "directory not empty", "the device's own, after the walk");
  }),
);

test(
  "an error shows 84 characters of name and text, else less of the name: from a slash on, or 32 characters",
  inside(async (t, sys) => {
    const missing = "file does not exist";
    const fits = `/${"x".repeat(64)}`;
    t.is(await failure(sys.stat(fits)), `'${fits}' ${missing}`);
    t.is(await failure(sys.stat(`${fits}x`)), `'...${"x".repeat(32)}' ${missing}`);
    await sys.chdir("/a/d");
    t.is(await failure(sys.stat(`no/..${fits}`)), `'...${fits}' ${missing}`);
  }),
);

test(
  "a bind gives the number of its mount, which is higher than those before",
  inside(async (t, sys) => {
    const numbers: number[] = [];
    for (const flags of [MREPL, MBEFORE, MAFTER]) numbers.push(await sys.bind("/a", "/m", flags));
    t.true(
      numbers.every((n, i) => n > (numbers[i - 1] ?? 0)),
      `${numbers.join(" ")}`,
    );
  }),
);

test(
  "an error that does not show the name knows it all the same",
  inside(async (t, sys) => {
    const e = await t.throwsAsync(sys.remove("/a/d"), { instanceOf: PlanError });
    t.like(e, { message: "directory not empty", call: "remove", file: "/a/d" });
  }),
);

test(
  "a name below a dot inside a device is walked as it is given, and its error shows it up to what is missing",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await sys.chdir("#p/1");
      const log = steps(k);
      t.is(await failure(sys.stat("../no/such/file")), "'../no' does not exist");
      t.deepEqual(log, [
        "dot path=#p/1 rest=../no/such/file",
        "walk chan=#p/1 rest=../no/such/file got=1 conn=0",
        "fail error='../no' does not exist walked=1 elem=no",
      ]);
    });
  }),
);

test(
  "the trace says in which member of a union a file is made",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await sys.bind("/a", "/m", MREPL);
        await sys.bind("/b", "/m", MAFTER | MCREATE);
        await sys.bind("/b", "/c", MREPL | MCREATE);
        await make(sys, "/far", OREAD, DIR);
        await mountram(sys, "/far");
        const log = steps(k);
        const names = ["/m/one", "/c/two", "/a/d/three", "/far/four"];
        for (const name of names) await make(sys, name);
        t.deepEqual(
          log.filter((s) => s.startsWith("create")),
          [
            "create dir=/m elem=one index=1",
            "create dir=/c elem=two index=-1",
            "create dir=/a/d elem=three index=-1",
            "create dir=/far elem=four index=-1",
          ],
        );
      });
    },
    { files: FILES },
  ),
);

test(
  "a member of a union that has the file and cannot stat it fails the call: the next is not asked",
  inside(async (t, sys) => {
    const lie = (m: F.Tmsg): readonly F.Fcall[] | null =>
      m.type === F.Tstat ? [{ type: F.Rerror, tag: m.tag, ename: "i/o error" }] : null;
    await Fake.mount(sys, "/m", { version: "9P2000", lie });
    await sys.bind("/b", "/m", MAFTER);
    t.is(await failure(sys.stat("/m/y")), "i/o error");
  }),
);

test(
  "a mount that was taken away during a walk is given up when the walk has ended",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/m", { delay: 100 });
        await make(sys, "/m/d", OREAD, DIR);
        await sys.chdir("/m/d");
        const pid = await mountram(sys, "/c");
        const walk = failure(sys.stat("no"));
        await sys.unmount(null, "/c");
        t.is(await walk, "'no' file does not exist");
        t.is((await sys.wait()).pid, pid, "its server has ended");
        await sys.chdir("/");
      });
    },
    { files: FILES },
  ),
);

test(
  "kinds must match, and a file takes no union",
  inside(async (t, sys) => {
    const inconsistent = "inconsistent mount";
    t.is(await failure(sys.bind("/a", "/b/y", MREPL)), inconsistent);
    t.is(await failure(sys.bind("/b/y", "/a", MREPL)), inconsistent);
    t.is(await failure(sys.bind("/b/y", "/a/x", MAFTER)), inconsistent);
    await sys.bind("/b/y", "/a/x", MREPL);
    t.is(await cat(sys, "/a/x"), "b's y");
    t.is(await failure(sys.remove("/a/x")), "is a mount point");
    t.is(await failure(sys.bind("/a/x/", "/b/both", MREPL)), "'/a/x/' not a directory");
    t.is(await failure(sys.bind("/b/both", "/a/x/", MREPL)), "'/a/x/' not a directory");
    for (const flags of [3, 8, 0x20, 0x40, 0x100])
      t.is(await failure(sys.bind("/a", "/b", flags)), "bad arg in system call");
    t.is(await failure(sys.unmount(null, "/b")), "not mounted");
    t.is(await failure(sys.unmount(null, "/no")), "'/no' file does not exist");
    t.is(await failure(sys.unmount("/b", "/a/x")), "not in union");
    await sys.unmount("/b/y", "/a/x");
    t.is(await cat(sys, "/a/x"), "a's x");
  }),
);

/** What namec does, for each call, in plain text. */
const GOLDEN = `
stat /a/d/deep
	clean name=/a/d/deep path=/a/d/deep
	prefix prefix=/ rest=a/d/deep members=1 point=/
	walk chan=#R rest=a/d/deep got=3 conn=0
stat /far/p/../q
	clean name=/far/p/../q path=/far/q
	prefix prefix=/far rest=q members=1 point=/far
	deferred chan=/far rest=q
	fail error='/far/p/../q' file does not exist walked=2 elem=q
stat deep (in /a/d)
	clean name=deep path=/a/d/deep
	dot path=/a/d rest=deep
	walk chan=/a/d rest=deep got=1 conn=0
open /m/y (a union of /a and /b)
	clean name=/m/y path=/m/y
	prefix prefix=/m rest=y members=2 point=/m
	miss point=/m index=0 elem=y error=file does not exist
	found point=/m index=1 elem=y
chdir /far/dir
	clean name=/far/dir path=/far/dir
	prefix prefix=/far rest=dir members=1 point=/far
	deferred chan=/far rest=dir
	forced chan=/far rest=dir why=dot
remove /m
	clean name=/m path=/m
	prefix prefix=/m rest= members=2 point=/m
	mountpoint path=/m
	fail error=is a mount point walked=0 elem=
open #s/no
	device path=#s rest=no
	walk chan=#s rest=no got=0 conn=0
	fail error='#s/no' file does not exist walked=1 elem=no
stat /no/more
	clean name=/no/more path=/no/more
	prefix prefix=/ rest=no/more members=1 point=/
	walk chan=#R rest=no/more got=0 conn=0
	fail error='/no' file does not exist walked=1 elem=no
stat NOTHING (in #e)
	dot path=#e rest=NOTHING
	walk chan=#e rest=NOTHING got=0 conn=0
	fail error='NOTHING' file does not exist walked=1 elem=NOTHING
`;

test("a trace tells each step of a resolution", async (t) => {
  const k = await boot({ clock: "virtual", files: { ...FILES, far: {} } });
  const lines: string[] = [];
  await run(k, async (sys: Sys) => {
    await mountram(sys, "/far");
    await make(sys, "/far/dir", OREAD, DIR);
    await sys.bind("/a", "/m", MREPL);
    await sys.bind("/b", "/m", MAFTER);
    const log = steps(k);
    const tell = async (title: string, call: () => Promise<unknown>): Promise<void> => {
      log.length = 0;
      await failure(call());
      lines.push(title, ...log.map((s) => `\t${s}`));
    };
    await tell("stat /a/d/deep", () => sys.stat("/a/d/deep"));
    await tell("stat /far/p/../q", () => sys.stat("/far/p/../q"));
    await sys.chdir("/a/d");
    await tell("stat deep (in /a/d)", () => sys.stat("deep"));
    await tell("open /m/y (a union of /a and /b)", () => sys.open("/m/y", OREAD));
    await tell("chdir /far/dir", () => sys.chdir("/far/dir"));
    await tell("remove /m", () => sys.remove("/m"));
    await tell("open #s/no", () => sys.open("#s/no", OREAD));
    await tell("stat /no/more", () => sys.stat("/no/more"));
    await sys.chdir("#e");
    await tell("stat NOTHING (in #e)", () => sys.stat("NOTHING"));
  });
  t.is(`\n${lines.join("\n")}\n`, GOLDEN);
  await k.shutdown();
  t.deepEqual(k.audit(), NOTHING);
});

/** Everything that takes a name, on a slow server's directory d and its files f and g. */
const OPERATIONS: readonly [string, (sys: Sys, dir: string) => Promise<unknown>][] = [
  ["stat", (sys, dir) => sys.stat(`${dir}f`)],
  ["open", (sys, dir) => open(sys, `${dir}f`, OREAD)],
  ["create", (sys, dir) => make(sys, `${dir}new`)],
  ["exclusive create", (sys, dir) => make(sys, `${dir}new`, OWRITE | OEXCL)],
  ["remove", (sys, dir) => sys.remove(`${dir}g`)],
  ["wstat", (sys, dir) => sys.wstat(`${dir}f`, { name: "h" })],
  ["chdir", (sys, dir) => sys.chdir(`${dir}e`)],
  ["bind", (sys, dir) => sys.bind(`${dir}e`, "/c", MREPL)],
  ["unmount", (sys, dir) => failure(sys.unmount(`${dir}f`, "/b"))],
];

test("what a name is resolved from stays open under it, whatever is unmounted meanwhile", async (t) => {
  for (const version of ["9P2000", "9P2000.ix"])
    for (const start of ["/far/", "", "/u/"])
      for (const [what, call] of OPERATIONS) {
        const k = await boot({ clock: "virtual", files: { ...FILES, far: {}, u: {} } });
        await run(k, async (sys: Sys) => {
          await mountram(sys, "/far", { version, delay: 10 });
          await make(sys, "/far/e", OREAD, DIR);
          for (const f of ["f", "g"]) await put(sys, `/far/${f}`, f);
          await sys.bind("/far", "/u", MAFTER | MCREATE);
          await sys.bind("/a", "/b", MREPL);
          if (start !== "/u/") await sys.unmount(null, "/u");
          await sys.chdir(start === "" ? "/far" : "/");
          const called = call(sys, start);
          // It has begun, and waits for the server.
          await sys.nsec();
          const others = [sys.unmount(null, "/far"), sys.chdir("/")];
          if (start === "/u/") others.push(sys.unmount(null, "/u"));
          await Promise.all(others);
          await t.notThrowsAsync(called, `${what} ${start} ${version}`);
          await sys.chdir("/");
          await failure(sys.unmount(null, "/c"));
        });
        await k.shutdown();
        t.deepEqual(k.audit(), NOTHING, `${what} ${start} ${version}`);
      }
});

test(
  "a member of a union that hangs up while it is asked has nothing: the union goes on without it",
  inside(async (t, sys) => {
    await Fake.mount(sys, "/c", {
      lie: (m) => (m.type === F.Twalk && m.wname.length > 0 ? [Uint8Array.of(1, 0, 0, 0)] : null),
    });
    await sys.bind("/c", "/m", MREPL);
    await sys.bind("/a", "/m", MAFTER);
    t.is(await cat(sys, "/m/x"), "a's x");
  }),
);

test(
  "a member of a union that is no directory any more has nothing: the union goes on without it",
  inside(async (t, sys) => {
    const lie = (m: F.Tmsg): readonly F.Fcall[] | null =>
      m.type === F.Twalk && m.wname.length > 0
        ? [{ type: F.Rerror, tag: m.tag, ename: "not a directory" }]
        : null;
    for (const version of ["9P2000.ix", "9P2000"]) {
      await Fake.mount(sys, "/c", { version, lie });
      await sys.bind("/c", "/m", MREPL);
      await sys.bind("/a", "/m", MAFTER);
      t.is(await cat(sys, "/m/x"), "a's x", version);
      t.is((await sys.stat("/m/x")).name, "x", version);
      t.is(await failure(sys.stat("/m/no/more")), "'/m/no' file does not exist", version);
    }
  }),
);

test(
  "a member of a union whose connection takes no message so long has nothing: the union goes on without it",
  inside(async (t, sys) => {
    const name = "f".repeat(255);
    await put(sys, `/a/${name}`, "a's");
    await Fake.mount(sys, "/c", { msize: 256 });
    await sys.bind("/c", "/m", MREPL);
    await sys.bind("/a", "/m", MAFTER);
    t.is((await sys.stat(`/m/${name}`)).name, name);
    t.is(await cat(sys, `/m/${name}`), "a's");
    await sys.bind("/c", "/m", MAFTER);
    await sys.unmount("/a", "/m");
    const long = /^'.*f' message too long for the connection$/;
    t.regex(await failure(sys.stat(`/m/${name}/x`)), long);
    t.regex(await failure(sys.open(`/m/${name}/x`, OREAD)), long);
    t.regex(await failure(sys.chdir(`/m/${name}/x`)), long);
  }),
);

test(
  "a create where none is allowed fails as the open of what is there does",
  inside(async (t, sys) => {
    await make(sys, "/a/locked", OREAD, 0o444);
    await sys.bind("/a", "/m", MREPL);
    t.is(await failure(sys.create("/m/locked", OWRITE, 0o666)), "'/m/locked' permission denied");
    const forbidden = "'/m/new' mounted directory forbids creation";
    t.is(await failure(sys.create("/m/new", OWRITE, 0o666)), forbidden);
  }),
);

test("an attach that takes time holds the table, and gives it up", async (t) => {
  const k = await boot({ clock: "virtual", files: FILES });
  const dev = k.devtab.get("e");
  if (dev === undefined) return t.fail("no device e");
  const attach = dev.attach.bind(dev);
  dev.attach = function* (up, spec) {
    yield* up.k.sched.sleep(1e6);
    return yield* waitfor(attach(up, spec));
  };
  await run(k, async (sys: Sys) => {
    await sys.bind("/a", "/m", MREPL);
    await open(sys, "#e", OREAD);
  });
  // The mount is the table's, and goes with it.
  t.deepEqual(k.audit(), NOTHING);
  await k.shutdown();
});

test(
  "a directory shows the file that is mounted in place of the one it covers",
  inside(async (t, sys) => {
    await sys.bind("/a", "/m", MREPL);
    const paths = (await readdir(sys, "/")).flatMap((d) => (d.name === "m" ? [d.qid.path] : []));
    t.deepEqual(paths, [(await sys.stat("/a")).qid.path]);
  }),
);

test(
  "a directory with one mount point among its entries shows what is mounted there",
  inside(async (t, sys) => {
    await sys.bind("/b", "/a/d", MREPL);
    const paths = (await readdir(sys, "/a")).flatMap((d) => (d.name === "d" ? [d.qid.path] : []));
    t.deepEqual(paths, [(await sys.stat("/b")).qid.path]);
  }),
);

for (const namespace of ["names", "standard"] as const)
  test(
    `the trace of a call that a directory's mode refuses has the mode, also of a union's member: ${namespace}`,
    within(
      async (t, k) => {
        const facts: unknown[] = [];
        k.trace.listen((e) => {
          if (e.type === "return" && e.fact !== null) facts.push(e.fact);
        });
        await run(k, async (sys: Sys) => {
          await make(sys, "/a/locked", OREAD, DIR);
          await make(sys, "/a/locked/in");
          await sys.bind("/b", "/m", MREPL);
          await sys.bind("/a/locked", "/m", MAFTER);
          await sys.wstat("/a/locked", { mode: (DMDIR | 0o666) >>> 0 });
          t.is(await failure(sys.stat("/a/locked/in")), "'/a/locked/in' does not exist");
          t.is(await failure(sys.stat("/m/in")), "'/m/in' permission denied");
          t.is(await failure(sys.open("/m/in", OREAD)), "'/m/in' permission denied");
        });
        t.is(facts.length, 3);
        for (const fact of facts) t.like(fact, { why: "mode", name: "locked", want: 1 });
      },
      { files: FILES, namespace },
    ),
  );
