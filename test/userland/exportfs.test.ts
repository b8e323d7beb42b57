// exportfs, through the kernel: a name space mounted again from the outside.

import test from "ava";
import {
  MCREATE,
  MREPL,
  OEXCL,
  ORCLOSE,
  ORDWR,
  OREAD,
  OWRITE,
  RFFDG,
  RFPROC,
} from "../../kernel/const.ts";
import { PlanError } from "../../kernel/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { bin } from "../../userland/bin/index.ts";
import { postmount } from "../../userland/lib/9p.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { type Exportopts, newexport } from "../../userland/lib/export.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { failure, mountram, run, within } from "../kit.ts";
import { type Chance, chance } from "./rig.ts";

/** Mounts what this process sees below root on /n. */
async function again(sys: Sys, root: string, opts: Exportopts = {}): Promise<void> {
  await postmount(sys, (s) => newexport(s, { root, ...opts }), { mtpt: "/n" });
}

test(
  "a name space is served as it is, with what is mounted in it",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await again(sys, "/");
      await writefile(sys, "/n/tmp/f", "hello");
      t.is(await readtext(sys, "/tmp/f"), "hello");
      t.is(await readtext(sys, "/n/env/../tmp/f"), "hello");
      t.deepEqual(
        (await readdir(sys, "/n/tmp")).map((d) => d.name),
        ["f"],
      );
      await sys.wstat("/n/tmp/f", { name: "g" });
      t.is((await sys.stat("/tmp/g")).length, 5);
      await sys.remove("/n/tmp/g");
      t.is(await failure(sys.stat("/tmp/g")), "'/tmp/g' file does not exist");
    });
  }),
);

test(
  "nothing above the root is reached",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await writefile(sys, "/tmp/top", "secret");
      await sys.close(await sys.create("/tmp/d", OREAD, 0x80000000 + 0o777));
      await again(sys, "/tmp/d");
      t.deepEqual(await readdir(sys, "/n"), []);
      await sys.chdir("/n");
      t.is(await failure(sys.open("../top", OREAD)), "'../top' file does not exist");
    });
  }),
);

test(
  "files of two servers with equal qids are told apart",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await mountram(sys, "/lib");
      for (const name of ["/tmp/a", "/lib/a"]) await writefile(sys, name, name);
      t.is((await sys.stat("/tmp/a")).qid.path, (await sys.stat("/lib/a")).qid.path);
      await again(sys, "/");
      const a = await sys.stat("/n/tmp/a");
      const b = await sys.stat("/n/lib/a");
      t.not(a.qid.path, b.qid.path);
      const listed = await readdir(sys, "/n/lib");
      t.is(listed[0]?.qid.path, b.qid.path);
      const fd = await sys.open("/n/lib/a", OREAD);
      t.is((await sys.fstat(fd)).qid.path, b.qid.path);
    });
  }),
);

test(
  "errors come without the server's own name of the file",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await again(sys, "/tmp");
      t.is(await failure(sys.open("/n/nope", OREAD)), "'/n/nope' file does not exist");
      await writefile(sys, "/n/f", "x");
      t.is(await failure(sys.open("/n/f/x", OREAD)), "'/n/f' not a directory");
      t.is(await failure(sys.create("/n/f", OWRITE | OEXCL, 0o666)), "'/n/f' file already exists");
      await sys.wstat("/n/f", { mode: 0 });
      t.is(await failure(sys.open("/n/f", OREAD)), "'/n/f' permission denied");
    });
  }),
);

test(
  "a read-only export can be changed by nobody",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await writefile(sys, "/tmp/f", "x");
      await again(sys, "/tmp", { readonly: true });
      t.is(await readtext(sys, "/n/f"), "x");
      t.is(await failure(sys.open("/n/f", OWRITE)), "'/n/f' permission denied");
      t.is(await failure(sys.open("/n/f", OREAD | ORCLOSE)), "'/n/f' permission denied");
      t.is(await failure(sys.create("/n/g", OWRITE, 0o666)), "'/n/g' permission denied");
      t.is(await failure(sys.remove("/n/f")), "permission denied");
      t.is(await failure(sys.wstat("/n/f", { mode: 0 })), "permission denied");
    });
  }),
);

test(
  "a file opened ORCLOSE goes when it is closed",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await again(sys, "/tmp");
      const fd = await sys.create("/n/f", ORDWR | ORCLOSE, 0o666);
      t.is((await sys.stat("/tmp/f")).length, 0);
      await sys.close(fd);
      t.is(await failure(sys.stat("/tmp/f")), "'/tmp/f' file does not exist");
    });
  }),
);

test(
  "a read that waits keeps nobody waiting, and can be interrupted",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const [a, b] = await sys.pipe();
      await sys.bind("#|", "/tmp", MREPL | MCREATE);
      await sys.close(a);
      await sys.close(b);
      const w = await sys.open("/tmp/data1", ORDWR);
      await again(sys, "/");
      const r = await sys.open("/n/tmp/data", OREAD);
      const buf = new Uint8Array(10);
      const waits = sys.read(r, buf);
      t.is((await sys.stat("/n/bin")).name, "bin");
      await sys.write(w, new TextEncoder().encode("one"));
      t.is(await waits, 3);
      await sys.notify((_note, s) => (s as Sys).noted(0));
      await sys.alarm(50);
      t.is(await failure(sys.read(r, buf)), "interrupted");
      await sys.write(w, new TextEncoder().encode("three"));
      t.is(await sys.read(r, buf), 5, "what came after the flush is not lost");
    });
  }),
);

test(
  "exportfs serves an export of an export",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/tmp");
        await again(sys, "/");
        await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
          await s.exec("/bin/exportfs", ["exportfs", "-r", "/n/tmp", "-S", "twice"]);
        });
        await sys.sleep(100);
        const fd = await sys.open("/srv/twice", ORDWR);
        await sys.mount(fd, -1, "/lib", MREPL | MCREATE, "");
        await writefile(sys, "/lib/f", "far away");
        t.is(await readtext(sys, "/tmp/f"), "far away");
        t.is(await failure(sys.open("/lib/nope", OREAD)), "'/lib/nope' file does not exist");
        await sys.remove("/srv/twice");
      });
    },
    { files: { bin } },
  ),
);

/** What an operation gave, or its error without names. */
async function said(p: Promise<unknown>): Promise<string> {
  try {
    const r = await p;
    return typeof r === "object" && r !== null && "length" in r && "mode" in r
      ? `${String(r.length)} ${String(r.mode)}`
      : "ok";
  } catch (e) {
    if (e instanceof PlanError) return e.message.replace(/^'[^']*' /, "");
    throw e;
  }
}

async function operate(sys: Sys, top: string, pick: Chance): Promise<string> {
  const name = ["a", "b", "c", "d", "d/a", "d/e", "d/e/f"][pick(7)] ?? "";
  const path = `${top}/${name}`;
  const closed = async (fd: Promise<number>, text = ""): Promise<void> => {
    const n = await fd;
    try {
      if (text !== "") await sys.write(n, new TextEncoder().encode(text));
    } finally {
      await sys.close(n);
    }
  };
  switch (pick(8)) {
    case 0:
      return said(closed(sys.create(path, OREAD, 0x80000000 + 0o755)));
    case 1:
      return said(
        closed(sys.create(path, OWRITE, [0o666, 0o444][pick(2)] ?? 0), "text".repeat(pick(4))),
      );
    case 2:
      return said(closed(sys.create(path, OWRITE | OEXCL, 0o666)));
    case 3:
      return said(sys.remove(path));
    case 4:
      return said(sys.wstat(path, { name: ["a", "b", "e"][pick(3)] ?? "" }));
    case 5:
      return said(closed(sys.open(path, [OREAD, OWRITE, ORDWR, OREAD | ORCLOSE][pick(4)] ?? 0)));
    case 6:
      return said(sys.wstat(path, { mode: [0o666, 0o400, 0o777][pick(3)] ?? 0 }));
    default:
      return said(sys.stat(path));
  }
}

test(
  "a ramfs answers alike, mounted or exported once more",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await mountram(sys, "/usr");
      await again(sys, "/usr");
      for (let seed = 1; seed <= 1500; seed++) {
        const direct = await operate(sys, "/tmp", chance(seed));
        const through = await operate(sys, "/n", chance(seed));
        if (direct !== through) t.fail(`seed ${seed}: ${direct}; exported: ${through}`);
      }
      t.pass();
    });
  }),
);
