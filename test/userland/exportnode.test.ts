// exportfs: a fid is a file. What is renamed stays what it is for all who have it, and a file that has taken
// the name of another is never meant.

import test from "ava";
import type { ExecutionContext } from "ava";
import { MCREATE, MREPL, ORCLOSE, ORDWR, OREAD, OTRUNC, OWRITE } from "../../kernel/abi/const.ts";
import { dirwstat, convM2D, wstatdir } from "../../kernel/abi/dir.ts";
import type { Dir, Wstat } from "../../kernel/abi/dir.ts";
import * as fc from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { type Anysrv, postmount } from "../../userland/lib/9p.ts";
import { newexport } from "../../userland/lib/export.ts";
import { Qids } from "../../userland/lib/export/qids.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { newram } from "../../userland/lib/ram.ts";
import { failure, mkdir, mountram, run, within } from "../kit/kit.ts";
import { connected, exported } from "../kit/clients.ts";
import type { Rawclient } from "../kit/rawclient.ts";
import { attach, clunk, create, flush, open, read, remove, stat, walk } from "../kit/msg.ts";
import { packdir } from "../kit/frames.ts";

const Rstat = `1 ${fc.Rstat}`;
const Rwstat = `1 ${fc.Rwstat}`;
const Rremove = `1 ${fc.Rremove}`;
const Ropen = `1 ${fc.Ropen}`;
const Rclunk = `1 ${fc.Rclunk}`;
const GONE = "1 error:file does not exist";

function wstat(fid: number, w: Wstat): Tmsg {
  return { type: fc.Twstat, tag: 1, fid, stat: packdir(w) };
}

async function nameof(c: Rawclient, fid: number): Promise<string> {
  const [r] = await c.rpc(stat(fid));
  if (r?.type !== fc.Rstat) return r?.type === fc.Rerror ? r.ename : "?";
  return dirwstat(convM2D(r.stat, 0, r.stat.length)?.dir ?? wstatdir({})).name ?? "";
}

test(
  "a file opened ORCLOSE goes at its close, and what has its name by then stays",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await postmount(sys, (s) => newexport(s, { root: "/tmp" }), { mtpt: "/n" });
      await writefile(sys, "/n/a", "mine");
      const a = await sys.open("/n/a", ORDWR | ORCLOSE);
      await sys.remove("/n/a");
      await writefile(sys, "/n/a", "precious");
      await sys.close(a);
      t.is(await readtext(sys, "/n/a"), "precious");
      await writefile(sys, "/n/b", "mine");
      const b = await sys.open("/n/b", ORDWR | ORCLOSE);
      await sys.wstat("/n/b", { name: "b.old" });
      await writefile(sys, "/n/b", "precious");
      await sys.close(b);
      t.is(await readtext(sys, "/n/b"), "precious");
      t.is(await failure(sys.stat("/n/b.old")), "'/n/b.old' file does not exist");
      await writefile(sys, "/n/c", "mine");
      const c = await sys.open("/n/c", ORDWR | ORCLOSE);
      await sys.remove("/n/c");
      await mkdir(sys, "/n/c");
      await sys.close(c);
      t.is((await sys.stat("/n/c")).name, "c");
    });
  }),
);

for (const [what, make] of [
  ["ramfs", (s: TaskSys) => newram(s, { user: "glenda", perm: 0o777 })],
  ["exportfs", (s) => newexport(s, { root: "/tmp" })],
] as const satisfies readonly (readonly [string, (s: never) => Anysrv])[])
  test(
    `${what}: a directory that is renamed takes along dot, and the files that are open below it`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/tmp");
        await postmount(sys, make as (s: TaskSys) => Anysrv, {
          mtpt: "/n",
          flags: MREPL | MCREATE,
        });
        await mkdir(sys, "/n/sub");
        await mkdir(sys, "/n/sub/deep");
        await writefile(sys, "/n/sub/deep/f", "data");
        const fd = await sys.open("/n/sub/deep/f", OREAD);
        await sys.chdir("/n/sub/deep");
        await sys.wstat("/n/sub", { name: "bus" });
        t.is(await readtext(sys, "f"), "data");
        await writefile(sys, "g", "new");
        t.is(await readtext(sys, "/n/bus/deep/g"), "new");
        await sys.wstat("/n/bus/deep/f", { name: "h" });
        t.is((await sys.fstat(fd)).name, "h");
        // Another directory of the old name is another directory.
        await mkdir(sys, "/n/sub");
        await mkdir(sys, "/n/sub/deep");
        t.is(await readtext(sys, "g"), "new");
        await sys.close(fd);
        await sys.chdir("/");
      });
    }),
  );

test(
  "mv a b; cat b: what one client renames is the same file for the others",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await writefile(sys, "/tmp/a", "the file");
      const { srv, clients } = await exported(sys, 2, { root: "/tmp" });
      const [one, two] = clients as [Rawclient, Rawclient];
      await one.ask(walk(0, 1, "a"), walk(0, 2, "a"), open(2));
      await two.ask(walk(0, 1, "a"), walk(0, 2, "a"), open(2));
      t.deepEqual(await one.ask(wstat(1, { name: "b" })), [Rwstat]);
      for (const c of clients) {
        t.deepEqual([await nameof(c, 1), await nameof(c, 2)], ["b", "b"]);
        t.deepEqual(await c.ask(read(2)), ["1 read:the file"]);
      }
      // By an open fid, too, and back by the fid of another client.
      t.deepEqual(await two.ask(wstat(2, { name: "c" })), [Rwstat]);
      t.is(await nameof(one, 1), "c");
      await writefile(sys, "/tmp/a", "another");
      t.deepEqual(await one.ask(open(1, OWRITE | OTRUNC)), [Ropen]);
      t.is(await readtext(sys, "/tmp/c"), "");
      t.is(await readtext(sys, "/tmp/a"), "another");
      t.deepEqual(await two.ask(remove(1)), [Rremove]);
      t.is(await readtext(sys, "/tmp/a"), "another");
      t.deepEqual(await one.ask(walk(0, 9, "c")), [GONE]);
      for (const c of clients) await c.close();
      await sys.wait();
      t.is(srv.nodes.count, 1, "only the root is left");
    });
  }),
);

for (const below of ["device R", "a far ramfs"])
  test(
    `on ${below}, a file that another program put in the place of one is not touched by the fid of that one`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        if (below !== "device R") await mountram(sys, "/tmp");
        const { clients } = await exported(sys, 1, { root: "/tmp" });
        const [c] = clients as [Rawclient];
        for (const f of [
          stat(1),
          open(1),
          open(1, OWRITE | OTRUNC),
          open(1, OREAD | ORCLOSE),
          wstat(1, { length: 0 }),
          wstat(1, { name: "b" }),
          remove(1),
        ]) {
          await writefile(sys, "/tmp/a", "mine");
          t.deepEqual(await c.ask(walk(0, 1, "a")), ["1 walk:1"]);
          await sys.remove("/tmp/a");
          await writefile(sys, "/tmp/a", "precious");
          t.deepEqual(await c.ask(f), [GONE]);
          t.is(await readtext(sys, "/tmp/a"), "precious");
          // A remove ends its fid.
          if (f.type !== fc.Tremove) await c.ask(clunk(1));
        }
        // Nor is something found in another directory, or made there.
        await sys.remove("/tmp/a");
        await mkdir(sys, "/tmp/d");
        await c.ask(walk(0, 1, "d"));
        await sys.wstat("/tmp/d", { name: "e" });
        await mkdir(sys, "/tmp/d");
        await writefile(sys, "/tmp/d/f", "precious");
        t.deepEqual(await c.ask(walk(1, 2, "f"), create(1, "g", OWRITE)), [GONE, GONE]);
        t.deepEqual(await c.ask(walk(0, 3, "d/f")), ["1 walk:2"]);
        t.deepEqual(await c.ask(create(1, "f", OWRITE | OTRUNC)), [GONE]);
        t.is(await readtext(sys, "/tmp/d/f"), "precious");
        if (below === "device R") {
          t.is(await failure(sys.stat("/tmp/d/g")), "'/tmp/d/g' does not exist");
        }
        await c.close();
      });
    }),
  );

test(
  "errors do not say where the exported tree is",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mkdir(sys, "/tmp/secret");
      await writefile(sys, "/tmp/secret/f", "");
      const { clients } = await exported(sys, 1, { root: "/tmp/secret" });
      const [c] = clients as [Rawclient];
      const long = "x".repeat(8193);
      const said_ = await c.ask(
        walk(0, 1, "a\x01b"),
        walk(0, 1, "f"),
        walk(0, 2),
        create(2, "a\x7f", OWRITE),
        create(2, long, OWRITE),
        wstat(1, { name: "a\x01" }),
        wstat(1, { name: long }),
        wstat(1, { name: "a/b" }),
        walk(1, 3, "g"),
        walk(0, 3, "f/g"),
        open(1, 3 | 0x40),
      );
      t.deepEqual(said_, [
        "1 error:bad character in file name",
        "1 walk:1",
        "1 walk:0",
        "1 error:bad character in file name",
        "1 error:name too long: an element has at most 8192 bytes",
        "1 error:bad character in file name",
        "1 error:name too long: an element has at most 8192 bytes",
        "1 error:bad character in file name",
        "1 error:not a directory",
        "1 walk:1",
        "1 error:permission denied",
      ]);
      await c.close();
    });
  }),
);

test(
  "a file that was removed is gone for all its fids, whatever is made in its name",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      const { srv, clients } = await exported(sys, 2, { root: "/tmp" });
      const [one, two] = clients as [Rawclient, Rawclient];
      await writefile(sys, "/tmp/a", "mine");
      await two.ask(walk(0, 1, "a"));
      t.deepEqual(await one.ask(walk(0, 1, "a"), remove(1)), ["1 walk:1", Rremove]);
      t.deepEqual(await one.ask(walk(0, 1), create(1, "a", OWRITE)), [
        "1 walk:0",
        `1 ${fc.Rcreate}`,
      ]);
      t.deepEqual(await two.ask(stat(1), open(1), remove(1)), [GONE, GONE, GONE]);
      t.deepEqual(await two.ask(walk(0, 1, "a"), stat(1)), ["1 walk:1", Rstat]);
      for (const c of clients) await c.close();
      await sys.wait();
      t.is(srv.nodes.count, 1);
    });
  }),
);

test(
  "a file that was removed is gone for its fids, also where its server gives another its qid at once",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const below = (s: TaskSys): Anysrv => {
        const ram = newram(s, { user: "glenda", perm: 0o777 });
        return { ...ram, remove: () => undefined } as Anysrv;
      };
      await postmount(sys, below, { mtpt: "/tmp", flags: MREPL | MCREATE });
      await writefile(sys, "/tmp/f", "data");
      const { clients } = await exported(sys, 1, { root: "/tmp" });
      const [c] = clients as [Rawclient];
      await c.ask(walk(0, 1, "f"), walk(0, 2, "f"));
      t.deepEqual(await c.ask(remove(1), stat(2)), [Rremove, GONE]);
      t.is((await sys.stat("/tmp/f")).length, 4);
      await c.close();
      await sys.wait();
    });
  }),
);

test(
  "nodes go with their last fid, in any order, walked, cloned, created or renamed",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      for (const d of ["/tmp/d", "/tmp/d/e", "/tmp/d/e/f"]) await mkdir(sys, d);
      const { srv, clients } = await exported(sys, 1, { root: "/tmp" });
      const [c] = clients as [Rawclient];
      t.is(srv.nodes.count, 1);
      await c.ask(walk(0, 1, "d/e/f"), walk(1, 2), walk(0, 3, "d"));
      t.is(srv.nodes.count, 4);
      t.deepEqual(await c.ask(walk(1, 4, "../../e/f/none"), walk(1, 4, "none")), [
        "1 walk:4",
        GONE,
      ]);
      t.is(srv.nodes.count, 4, "what a walk only passes is not kept");
      await c.ask(walk(2, 2, "..")); // a walk in place
      await c.ask(wstat(3, { name: "g" }), clunk(1));
      t.deepEqual([await nameof(c, 2), srv.nodes.count], ["e", 3]);
      await c.ask(create(2, "new", OWRITE));
      t.is(srv.nodes.count, 4);
      t.deepEqual(await c.ask(clunk(3), clunk(2)), [Rclunk, Rclunk]);
      t.is(srv.nodes.count, 1);
      t.deepEqual(await c.ask(walk(0, 1, "g/e/new")), ["1 walk:3"]);
      await c.close();
      await sys.wait();
      t.is(srv.nodes.count, 1);
    });
  }),
);

for (const [where, far] of [
  ["far", true],
  ["near", false],
] as const)
  test(
    `when the exported directory is removed and made again, ${where}, the server says so, once in its log`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        if (far) await mountram(sys, "/tmp");
        await mkdir(sys, "/tmp/x");
        await writefile(sys, "/tmp/x/f", "old");
        const log: string[] = [];
        const { clients } = await exported(sys, 1, {
          root: "/tmp/x",
          *log(line) {
            log.push(line);
          },
        });
        const [c] = clients as [Rawclient];
        await c.ask(walk(0, 1, "f"), walk(0, 2, "f"), open(2));
        await sys.remove("/tmp/x/f");
        await sys.remove("/tmp/x");
        const why = "1 error:exported directory was removed";
        t.deepEqual(await c.ask(attach(8), stat(0)), [why, why]);
        await mkdir(sys, "/tmp/x");
        await writefile(sys, "/tmp/x/f", "new");
        t.deepEqual(await c.ask(stat(0), stat(1), open(1), walk(0, 3, "f")), [why, why, why, why]);
        t.deepEqual(await c.ask(create(0, "g", OWRITE), attach(7)), [why, why]);
        t.deepEqual(log, [
          "exportfs: /tmp/x was removed or replaced: start exportfs again to serve it",
        ]);
        await c.close();
      });
    }),
  );

test(
  "a client that opens all it can leaves files to open for the others, and gets them back when it closes",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await writefile(sys, "/tmp/f", "data");
      const { srv, clients } = await exported(sys, 2, { root: "/tmp", maxopen: 100 });
      const [greedy, other] = clients as [Rawclient, Rawclient];
      const full = "1 error:no free file descriptors";
      let n = 0;
      let last = Ropen;
      for (; last === Ropen; n++)
        [, last = ""] = await greedy.ask(walk(0, n + 1, "f"), open(n + 1));
      t.deepEqual([last, n - 1], [full, 25], "a quarter is one client's");
      t.deepEqual(await other.ask(walk(0, 1, "f"), open(1), read(1)), [
        "1 walk:1",
        Ropen,
        "1 read:data",
      ]);
      for (let fid = 1; fid <= n; fid++) await greedy.ask(clunk(fid));
      t.deepEqual(await greedy.ask(walk(0, 1, "f"), open(1)), ["1 walk:1", Ropen]);
      for (const c of clients) await c.close();
      await sys.wait();
      t.is(srv.nodes.count, 1);
    });
  }),
);

test(
  "the root of an export is neither renamed nor removed",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await mkdir(sys, "/tmp/x");
      const { clients } = await exported(sys, 1, { root: "/tmp/x" });
      const [c] = clients as [Rawclient];
      const denied = "1 error:permission denied";
      await c.ask(walk(0, 1));
      t.deepEqual(await c.ask(wstat(0, { name: "y" }), remove(1)), [denied, denied]);
      t.deepEqual(await c.ask(create(0, "f", OWRITE)), [`1 ${fc.Rcreate}`]);
      t.is((await sys.stat("/tmp/x/f")).length, 0);
      await c.close();
    });
  }),
);

test("qid.paths that leave no room for a device's number are told apart, and stay", (t) => {
  const qids = new Qids();
  const longs = [2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 1n];
  const paths = (): bigint[] =>
    [1, 2].flatMap((dev) =>
      longs.map((path) => qids.unique({ type: 0x4d, dev, qid: { path, vers: 0, type: 0 } }).path),
    );
  const first = paths();
  t.is(new Set(first).size, 6);
  t.deepEqual(paths(), first);
});

test(
  "a fid tells the version that its file has now",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await writefile(sys, "/tmp/f", "one");
      const { clients } = await exported(sys, 1, { root: "/tmp" });
      const [c] = clients as [Rawclient];
      await c.ask(walk(0, 1, "f"));
      const vers = async (): Promise<number> => {
        const [r] = await c.rpc(stat(1));
        return r?.type === fc.Rstat ? (convM2D(r.stat, 0, r.stat.length)?.dir.qid.vers ?? -1) : -1;
      };
      const before = await vers();
      await writefile(sys, "/tmp/f", "two");
      const after = (await sys.stat("/tmp/f")).qid.vers;
      t.true(after > before);
      t.is(await vers(), after);
      await c.close();
      await sys.wait();
    });
  }),
);

/** A ramfs on /tmp whose wstat sleeps for a second: before it is done, or behind that. */
async function slowrenames(sys: Sys, when: "before" | "behind"): Promise<void> {
  const make = (s: TaskSys): Anysrv => {
    const ram = newram(s, { user: "glenda", perm: 0o777 });
    const wstats: typeof ram.wstat = function* (fid, w) {
      if (when === "before") yield* s.sleep(1000);
      ram.wstat?.(fid, w);
      if (when === "behind") yield* s.sleep(1000);
    };
    return { ...ram, wstat: wstats } as Anysrv;
  };
  await postmount(sys, make, { mtpt: "/tmp", flags: MREPL | MCREATE });
}

test(
  "what finds no file under its old name waits for the rename that is under way",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await slowrenames(sys, "behind");
      await mkdir(sys, "/tmp/a");
      await writefile(sys, "/tmp/a/f", "the file");
      const { clients } = await exported(sys, 2, { root: "/tmp" });
      const [one, two] = clients as [Rawclient, Rawclient];
      for (const c of clients) await c.ask(walk(0, 1, "a"));
      // The second time, too: the first leaves nothing behind.
      for (const name of ["b", "c"]) {
        const renamed = one.ask(wstat(1, { name }));
        await sys.sleep(10);
        t.is(await nameof(two, 1), name);
        t.deepEqual(await renamed, [Rwstat]);
      }
      const renamed = one.ask(wstat(1, { name: "d" }));
      await sys.sleep(10);
      t.deepEqual(await two.ask(walk(1, 2, "f")), ["1 walk:1"]);
      t.deepEqual(await renamed, [Rwstat]);
      for (const c of clients) await c.close();
      await sys.wait();
    });
  }),
);

/** A client of an export of these files whose rename of fid 1, from a to b, was flushed while the host was at it. */
async function flushedrename(
  t: ExecutionContext,
  sys: Sys,
  when: "before" | "behind",
  files: Readonly<Record<string, string>>,
): Promise<Rawclient> {
  await slowrenames(sys, when);
  for (const [name, text] of Object.entries(files)) await writefile(sys, `/tmp/${name}`, text);
  const { clients } = await exported(sys, 1, { root: "/tmp" });
  const [c] = clients as [Rawclient];
  await c.ask(walk(0, 1, "a"));
  await c.send(wstat(1, { name: "b" }));
  await sys.sleep(10);
  t.deepEqual(await c.ask(flush(1, 2)), [`2 ${fc.Rflush}`]);
  return c;
}

test(
  "a rename that was flushed and not done leaves the fid its file, though another has that name",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const c = await flushedrename(t, sys, "before", { a: "the file", b: "another" });
      t.is(await nameof(c, 1), "a");
      t.is(await readtext(sys, "/tmp/b"), "another");
      await c.close();
      await sys.wait();
    });
  }),
);

test(
  "a rename that was flushed and done all the same gives the fid its new name",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const c = await flushedrename(t, sys, "behind", { a: "the file" });
      t.is(await nameof(c, 1), "b");
      await c.close();
      await sys.wait();
    });
  }),
);

test(
  "a flush of a walk below a slow directory is answered at once",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const { clients } = await connected(sys, 1, (s) => {
        function* stat(path: string): Task<Dir> {
          yield* s.sleep(1000);
          return yield* s.stat(path);
        }
        return newexport({ ...s, stat }, { root: "/env" }) as Anysrv;
      });
      const [c] = clients as [Rawclient];
      await c.send(walk(0, 1, "f"));
      await sys.sleep(10);
      const began = await sys.nsec();
      t.deepEqual(await c.ask(flush(1, 2)), [`2 ${fc.Rflush}`]);
      t.is(await sys.nsec(), began);
      await c.close();
      await sys.wait();
    });
  }),
);
