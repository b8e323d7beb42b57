import test from "ava";
import {
  DMDIR,
  MCACHE,
  MCREATE,
  MREPL,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
} from "../../kernel/abi/const.ts";
import type { PlanError } from "../../kernel/abi/errors.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { postmount } from "../../userland/lib/9p.ts";
import type { Srv } from "../../userland/lib/9p.ts";
import { failure, mkdir, mountram, put, requests, run, within } from "../kit/kit.ts";

const CACHED = MREPL | MCREATE | MCACHE;

/** Reads a whole file, as much as one call gives. */
async function slurp(sys: Parameters<typeof put>[0], name: string): Promise<Uint8Array> {
  const fd = await sys.open(name, OREAD);
  const buf = new Uint8Array(8192);
  const n = await sys.read(fd, buf);
  await sys.close(fd);
  return buf.subarray(0, n);
}

/** Mounts a ramfs on /n with a cache that remembers its directory /n/d, which has the file f. */
async function remembered(sys: Sys): Promise<void> {
  await mountram(sys, "/n", { flags: CACHED });
  await mkdir(sys, "/n/d");
  await put(sys, "/n/d/f", "x");
  await sys.stat("/n/d/f");
}

test(
  "a mount with MCACHE reads a file's data once, and again when another has changed it",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      await put(sys, "/n/f", "one");
      const sent = requests(k);
      t.is((await slurp(sys, "/n/f")).length, 3);
      t.is((await slurp(sys, "/n/f")).length, 3);
      t.is(sent.filter((m) => m.startsWith("Tread")).length, 1);
      await put(sys, "/n/f", "three");
      t.is((await slurp(sys, "/n/f")).length, 5);
      t.is(sent.filter((m) => m.startsWith("Tread")).length, 2);
    });
  }),
);

test(
  "Plan 9's name space has MCACHE, too",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/n", { flags: CACHED });
        await put(sys, "/n/f", "one");
        const sent = requests(k);
        for (let i = 0; i < 2; i++) t.is((await slurp(sys, "/n/f")).length, 3);
        t.is(sent.filter((m) => m.startsWith("Tread")).length, 1);
      });
    },
    { namespace: "standard" },
  ),
);

test(
  "a mount without MCACHE remembers nothing",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n");
      await put(sys, "/n/f", "one");
      const sent = requests(k);
      await slurp(sys, "/n/f");
      await slurp(sys, "/n/f");
      t.is(sent.filter((m) => m.startsWith("Tread")).length, 2);
    });
  }),
);

test(
  "data that was written through a descriptor is read back through another that was open before",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      await put(sys, "/n/f", "aaaa");
      const r = await sys.open("/n/f", OREAD);
      const buf = new Uint8Array(10);
      await sys.pread(r, buf, 0);
      const w = await sys.open("/n/f", OWRITE);
      await sys.write(w, new TextEncoder().encode("bb"));
      await sys.pread(r, buf, 0);
      t.is(new TextDecoder().decode(buf.subarray(0, 4)), "bbaa");
      await sys.close(w);
      await sys.close(await sys.open("/n/f", OWRITE | OTRUNC));
      t.is(await sys.pread(r, buf, 0), 0);
      await sys.close(r);
    });
  }),
);

test(
  "pages are cut at any offset, and the last of a file is short",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      const data = new Uint8Array(40_000).map((_, i) => i % 251);
      const w = await sys.create("/n/f", OWRITE, 0o666);
      await sys.write(w, data);
      await sys.close(w);
      const fd = await sys.open("/n/f", OREAD);
      const buf = new Uint8Array(20_000);
      for (const [at, n] of [
        [0, 20_000],
        [16_383, 20_000],
        [16_384, 20_000],
        [39_999, 1],
        [40_000, 0],
        [70_000, 0],
      ] as const) {
        t.is(await sys.pread(fd, buf, at), n);
        t.deepEqual(buf.subarray(0, n), data.subarray(at, at + n));
      }
      await sys.close(fd);
    });
  }),
);

test(
  "a walk starts at a directory walked to before, until something was removed or renamed",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      for (const d of ["/n/a", "/n/a/b"])
        await sys.close(await sys.create(d, OREAD, (DMDIR | 0o777) >>> 0));
      await put(sys, "/n/a/b/f", "x");
      const sent = requests(k);
      await sys.stat("/n/a/b/f");
      await sys.stat("/n/a/b/f");
      const walks = sent.filter((m) => m.startsWith("Twalk"));
      t.deepEqual(walks, ["Twalk(a/b)", "Twalk(f)", "Twalk(f)"]);
      await sys.wstat("/n/a/b", { name: "c" });
      await t.throwsAsync(sys.stat("/n/a/b/f"), { message: "'/n/a/b' does not exist" });
      t.is((await sys.stat("/n/a/c/f")).length, 1);
    });
  }),
);

test(
  "a remembered directory that is gone at the server costs a second walk and no error",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await remembered(sys);
      // Through dot the mount's root fid is not what is walked from, so the cache is not told.
      await sys.chdir("/n/d");
      await sys.remove("f");
      await t.throwsAsync(sys.stat("/n/d/f"), { message: "'/n/d/f' does not exist" });
      await put(sys, "/n/d/f", "xy");
      t.is((await sys.stat("/n/d/f")).length, 2);
      await sys.chdir("/");
    });
  }),
);

test(
  "a name that is missing in a remembered directory is looked up twice once, and then once",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await remembered(sys);
      const sent = requests(k);
      for (let i = 0; i < 2; i++) {
        await failure(sys.stat("/n/d/no"));
        sent.push("fails");
      }
      const seen = sent.filter((m) => m === "fails" || m.startsWith("Twalk"));
      t.deepEqual(seen, [
        "Twalk(no)",
        "Twalk(d)",
        "Twalk(no)",
        "fails",
        "Twalk(d)",
        "Twalk(no)",
        "fails",
      ]);
    });
  }),
);

for (const how of ["wstat", "fwstat"] as const)
  test(
    `a file cut or lengthened by ${how} is not read as it was`,
    within(async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/n", { flags: CACHED });
        await put(sys, "/n/f", "abcdef");
        const fd = await sys.open("/n/f", ORDWR);
        const buf = new Uint8Array(100);
        const whole = async (): Promise<string> => utfdecode(buf, 0, await sys.pread(fd, buf, 0));
        const setlength = (length: number): Promise<void> =>
          how === "fwstat" ? sys.fwstat(fd, { length }) : sys.wstat("/n/f", { length });
        t.is(await whole(), "abcdef");
        await setlength(2);
        t.is(await whole(), "ab");
        await setlength(4);
        t.is(await whole(), "ab\0\0");
        await sys.close(fd);
      });
    }),
  );

for (const how of ["a name that ends in /", "a descriptor"] as const)
  test(
    `renamed by ${how}, a directory is not found under its old name`,
    within(async (t, k) => {
      await run(k, async (sys: Parameters<typeof put>[0]) => {
        await remembered(sys);
        if (how === "a descriptor") {
          const fd = await sys.open("/n/d", OREAD);
          await sys.fwstat(fd, { name: "e" });
          await sys.close(fd);
        } else await sys.wstat("/n/d/", { name: "e" });
        await t.throwsAsync(sys.stat("/n/d/f"), { message: "'/n/d' file does not exist" });
      });
    }),
  );

test(
  "what was remembered from one dot is not found from another that has its fid",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      const dirs = ["a", "bb", "ccc"];
      for (const d of dirs) {
        for (const name of [`/n/${d}`, `/n/${d}/x`])
          await sys.close(await sys.create(name, OREAD, (DMDIR | 0o777) >>> 0));
        await put(sys, `/n/${d}/x/f`, d);
      }
      for (const d of [...dirs, ...dirs]) {
        await sys.chdir(`/n/${d}`);
        await sys.sleep(1);
        t.is((await sys.stat("x/f")).length, d.length);
      }
      // A dot that outlives the mount remembers nothing that would outlive dot.
      await sys.unmount(null, "/n");
      await sys.stat("x/f");
      await sys.chdir("/");
    });
  }),
);

test(
  "data cut short by a descriptor's wstat is not read from what is remembered",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      await mountram(sys, "/n", { flags: CACHED });
      await put(sys, "/n/f", "abcd");
      const fd = await sys.open("/n/f", OREAD);
      const buf = new Uint8Array(8);
      t.is(await sys.pread(fd, buf, 0), 4);
      await sys.wstat("/n/f", { length: 1 });
      t.is(await sys.pread(fd, buf, 0), 1);
      await sys.close(fd);
    });
  }),
);

test(
  "a server that answers short is asked on; only an empty answer is the end",
  within(async (t, k) => {
    await run(k, async (sys: Parameters<typeof put>[0]) => {
      const file = { path: 0n, vers: 1, type: 0 };
      const data = new Uint8Array(100).map((_, i) => i);
      const srv: Srv<typeof file> = {
        attach: () => file,
        qid: (f) => f,
        stat: () => ({ ...NODIR, qid: file }),
        open: () => undefined,
        read: (_fid, count, offset) => data.subarray(offset, offset + Math.min(count, 40)),
      };
      await put(sys, "/tmp/f", "");
      await postmount(sys, () => srv, { mtpt: "/tmp/f", flags: MREPL | MCACHE });
      for (let i = 0; i < 2; i++) {
        const fd = await sys.open("/tmp/f", OREAD);
        const buf = new Uint8Array(100);
        let n = 0;
        for (let got = -1; got !== 0; n += got) got = await sys.read(fd, buf.subarray(n));
        t.is(n, 100);
        t.deepEqual(buf, data);
        await sys.close(fd);
      }
    });
  }),
);

const NODIR = {
  type: 0,
  dev: 0,
  mode: 0o666,
  atime: 0,
  mtime: 0,
  length: 100,
  name: "f",
  uid: "u",
  gid: "u",
  muid: "u",
};

/** A page of the cache. */
const PAGE = 16_384;

/** The bytes of a file that tell their place. */
const places = (n: number): Uint8Array =>
  Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

test(
  "pages in the middle of a file are asked for and remembered as they are, and so is its end",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/n", { flags: CACHED });
      const all = places(4 * PAGE);
      const w = await sys.create("/n/f", OWRITE, 0o666);
      await sys.write(w, all);
      await sys.close(w);
      const fd = await sys.open("/n/f", OREAD);
      const sent = requests(k);
      const reads = (): string[] => sent.filter((m) => m.startsWith("Tread"));
      for (const _ of [1, 2]) {
        const buf = new Uint8Array(2 * PAGE);
        t.is(await sys.pread(fd, buf, PAGE), 2 * PAGE);
        t.deepEqual(buf, all.slice(PAGE, 3 * PAGE));
      }
      t.deepEqual(reads(), [`Tread(${2 * PAGE}@${PAGE})`]);
      for (const _ of [1, 2]) t.is(await sys.pread(fd, new Uint8Array(9), 4 * PAGE), 0);
      t.deepEqual(reads().slice(1), [`Tread(${PAGE}@${4 * PAGE})`]);
    });
  }),
);

test(
  "where the last page of a file ends is asked for once",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/n", { flags: CACHED });
      await put(sys, "/n/f", "0123456789");
      const fd = await sys.open("/n/f", OREAD);
      const sent = requests(k);
      t.is(await sys.pread(fd, new Uint8Array(10), 0), 10);
      for (const _ of [1, 2]) t.is(await sys.pread(fd, new Uint8Array(10), 10), 0);
      t.deepEqual(sent, [`Tread(${PAGE}@0)`, "Tread(10@10)"]);
    });
  }),
);

test(
  "what is read while it is written is whole, and is not remembered",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/n", { flags: CACHED, delay: 10 });
      await put(sys, "/n/f", "aaaa");
      const fd = await sys.open("/n/f", ORDWR);
      const buf = new Uint8Array(10);
      const text = (n: number): string => utfdecode(buf, 0, n);
      const [n] = await Promise.all([
        sys.pread(fd, buf, 0),
        sys.pwrite(fd, new TextEncoder().encode("b"), 3),
      ]);
      t.regex(text(n), /^aaa[ab]$/);
      t.is(text(await sys.pread(fd, buf, 0)), "aaab");
    });
  }),
);

test(
  "an operation fails from a remembered directory as it does from the root, word for word",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const told = async (mtpt: string): Promise<string[]> => {
        const list: string[] = [];
        const tell = async (what: Promise<unknown>): Promise<void> => {
          const { message, at, step, offset } = (await what.then(
            () => ({}),
            (e) => e,
          )) as PlanError;
          list.push([message?.replace(mtpt, ""), at, step, offset].join(" "));
        };
        for (let i = 0; i < 2; i++) {
          await tell(sys.open(`${mtpt}/d/locked`, OREAD));
          await tell(sys.open(`${mtpt}/d/locked/`, OREAD));
          await tell(sys.open(`${mtpt}/d/closed`, OEXEC));
          await tell(sys.open(`${mtpt}/d/sub`, OWRITE));
          await tell(sys.open(`${mtpt}/d/f`, ORDWR | OTRUNC));
          await tell(sys.open(`${mtpt}/d/none`, OREAD));
          await tell(sys.stat(`${mtpt}/d/none`));
          await tell(sys.stat(`${mtpt}/d/f/x`));
          await tell(sys.open(`${mtpt}/d/f/x`, OREAD));
        }
        return list;
      };
      const all: string[][] = [];
      for (const [mtpt, flags] of [
        ["/n", MREPL | MCREATE],
        ["/lib", CACHED],
      ] as const) {
        await mountram(sys, mtpt, { flags });
        await sys.close(await sys.create(`${mtpt}/d`, OREAD, (DMDIR | 0o777) >>> 0));
        await sys.close(await sys.create(`${mtpt}/d/sub`, OREAD, (DMDIR | 0o777) >>> 0));
        await sys.close(await sys.create(`${mtpt}/d/closed`, OREAD, DMDIR >>> 0));
        await sys.close(await sys.create(`${mtpt}/d/locked`, OWRITE, 0));
        await sys.close(await sys.create(`${mtpt}/d/f`, OWRITE, 0o444));
        all.push(await told(mtpt));
      }
      t.deepEqual(all[1], all[0]);
      t.true(all[0]?.every((text) => text.length > 5) === true, all[0]?.join("\n"));
    });
  }),
);

test(
  "an open starts at a remembered directory, but for one that changes the file",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await remembered(sys);
      const sent = requests(k);
      const walk = async (omode: number): Promise<string | undefined> => {
        sent.length = 0;
        await sys.close(await sys.open("/n/d/f", omode));
        return sent.find((m) => m.startsWith("Twalk"));
      };
      t.is(await walk(OREAD), "Twalk(f)");
      t.is(await walk(OWRITE | OTRUNC), "Twalk(d/f)");
      t.is(await walk(OREAD | ORCLOSE), "Twalk(d/f)");
    });
  }),
);
