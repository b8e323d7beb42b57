// exportfs, through the kernel: a name space mounted again from the outside; and write streams through it: a
// file that is exported again is written at the speed of the links, and what fails fails where it would have
// failed at the server.

import test from "ava";
import type { ExecutionContext } from "ava";
import type { Booted } from "../../kernel/boot.ts";
import {
  MCREATE,
  MREPL,
  OEXCL,
  ORCLOSE,
  ORDWR,
  OREAD,
  OSTREAM,
  OWRITE,
  RFFDG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Rmsg } from "../../kernel/abi/fcall.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import { bin } from "../../userland/bin/index.ts";
import { type Anysrv, postmount } from "../../userland/lib/9p.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { type Exportopts, newexport } from "../../userland/lib/export.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { type Net, simnet } from "../../userland/boot/net.ts";
import type { Linkspec } from "../../userland/boot/net.ts";
import { NOTHING, failure, mountram, run, within } from "../kit/kit.ts";
import { Patternfs, chain, failed, matches, mount, pattern, slurp, spout } from "../kit/streams.ts";
import { connected } from "../kit/clients.ts";
import { open, read, said as words, stream, walk, write } from "../kit/msg.ts";
import type { Rawclient } from "../kit/rawclient.ts";
import { type Chance, chance } from "../kit/rig.ts";

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

const MiB = 1024 * 1024;
/** The data of one Twrite. */
const PIECE = 65536;

type Case = {
  readonly t: ExecutionContext;
  readonly sys: Sys;
  readonly net: Net;
  readonly fs: Patternfs;
  readonly machines: readonly Booted[];
};

/** A test with fs behind so many links, after which no machine has anything left. */
function over(links: readonly Linkspec[], fn: (c: Case) => Promise<void>) {
  return async (t: ExecutionContext): Promise<void> => {
    const net = simnet();
    const fs = new Patternfs();
    const machines = await chain(net, fs, links);
    const idle = machines.slice(1).map((m) => m.audit().fids.length);
    const { status } = await run(machines[0], async (sys: Sys) => {
      await mount(sys, "m1");
      await sys.sleep(10_000);
      await fn({ t, sys, net, fs, machines });
      await sys.sleep(10_000);
      for (const m of machines) t.deepEqual(m.audit().tags, [], "no tag is left");
    });
    t.is(status, "");
    await run(machines[0], (sys: Sys) => sys.sleep(100_000));
    t.deepEqual(machines[0].audit(), NOTHING);
    t.true(machines.slice(1).every((m, i) => m.audit().fids.length <= (idle[i] ?? 0) + 3));
    await net.shutdown();
  };
}

const TWICE: readonly Linkspec[] = [{ rtt: "20ms" }, { rtt: "50ms" }, { rtt: "10ms" }];

test(
  "a file written through two exportfs is not one round trip for each piece",
  over(TWICE, async ({ t, sys, net, fs }) => {
    const began = net.now;
    await spout(sys, "/n/far/f", 4 * MiB);
    t.is(fs.files.get("f")?.length, 4 * MiB);
    t.false(fs.files.get("f")?.wrong);
    // The create and the fstat after it are waited for on each machine, then all of the bytes once. The last create
    // is exclusive, so that it truncates no file that another program put there: a round trip more.
    const [r1, r2, r3] = [20e6, 50e6, 10e6];
    t.is(net.now - began, r1 + (r2 + 3 * r3) + (r2 + r3) + (r2 + r3));
  }),
);

test(
  "a file read by a stream through two exportfs is not one round trip for each piece",
  over(TWICE, async ({ t, sys, net, fs }) => {
    fs.add("f", 4 * MiB);
    const began = net.now;
    t.is(await slurp(sys, "/n/far/f", true), 4 * MiB);
    // 80 ms are a round trip to the file, and each machine on the way opens it before it asks for the stream.
    const took = (net.now - began) / 80e6;
    t.true(took < 8, `${took} round trips`);
  }),
);

test(
  "a file written through two exportfs goes at the speed of the slowest link",
  over(
    [
      { rtt: "20ms", bw: "10MB/s" },
      { rtt: "50ms", bw: "5MB/s" },
      { rtt: "10ms", bw: "20MB/s" },
    ],
    async ({ t, sys, net, fs }) => {
      const length = 50_000_000;
      const began = net.now;
      await spout(sys, "/n/far/f", length);
      t.deepEqual([fs.files.get("f")?.length, fs.files.get("f")?.wrong], [length, false]);
      const took = (net.now - began) / 1e9;
      const want = 0.02 + 0.07 + 0.06 + 0.06 + length / 5e6;
      t.true(took > length / 5e6 && Math.abs(took / want - 1) < 0.01, `${took} s, not ${want}`);
    },
  ),
);

for (const limit of [0, 5 * PIECE, 5 * PIECE + 1, 20 * PIECE - 1])
  test(
    `a disk that is full at ${limit} is told with that offset, and nothing behind it is written`,
    over(TWICE, async ({ t, sys, fs }) => {
      const f = fs.add("f", 0, { limit });
      let refused = 0;
      const write = fs.write.bind(fs);
      fs.write = (fid, data, offset) => {
        if (offset + data.length > limit) refused++;
        return write(fid, data, offset);
      };
      const fd = await sys.open("/n/far/f", OWRITE | OSTREAM);
      await sys.swrite(fd, pattern(0, MiB));
      await sys.swrite(fd, pattern(MiB, MiB));
      const e = await failed(sys.close(fd));
      t.deepEqual([e.offset, e.step], [limit, "write"]);
      t.regex(e.message, limit % PIECE === 0 ? /file system full at/ : /i\/o error at/);
      t.deepEqual([f.length, f.wrong, refused], [limit, false, 1]);
    }),
  );

test(
  "what a flush of a write stream cuts off is cut off on the way, and the descriptor goes on",
  over([{ rtt: "20ms" }, { rtt: "50ms", bw: "1MB/s" }], async ({ t, sys, net, fs }) => {
    fs.add("f", 0);
    const fd = await sys.open("/n/far/f", ORDWR);
    await sys.stream(fd, 0);
    await sys.swrite(fd, pattern(0, 4 * MiB));
    await sys.notify(async (_note, s) => (s as Sys).noted(0));
    await sys.alarm(1000);
    const began = net.now;
    // The note interrupts the wait for all of it.
    t.is((await failed(sys.seek(fd, 0, 0))).message, "interrupted");
    t.is(net.now - began, 1e9);
    await sys.sleep(10_000);
    const cut = fs.files.get("f")?.length ?? -1;
    t.true(cut > 0 && cut < 2 * MiB, `${cut}`);
    await sys.stream(fd, cut);
    for (let n = cut; n < 3 * MiB; n += 100_000)
      await sys.swrite(fd, pattern(n, Math.min(100_000, 3 * MiB - n)));
    await sys.close(fd);
    t.deepEqual([fs.files.get("f")?.length, fs.files.get("f")?.wrong], [3 * MiB, false]);
    t.is(await slurp(sys, "/n/far/f", true), 3 * MiB);
  }),
);

test(
  "writes of one descriptor in any order, side by side, each write their own bytes",
  over(TWICE, async ({ t, sys, fs, net }) => {
    const f = fs.add("f", 0);
    const fd = await sys.open("/n/far/f", ORDWR);
    const places = Array.from({ length: 40 }, (_, i) => ((i * 7) % 40) * 10_000);
    const inorder = Array.from({ length: 40 }, (_, i) => 400_000 + i * 10_000);
    for (const list of [places, inorder]) {
      const began = net.now;
      const each = list.map((at) => sys.pwrite(fd, pattern(at, 10_000), at));
      t.true((await Promise.all(each)).every((n) => n === 10_000));
      // At most the first of them is waited for before the others.
      t.true(net.now - began <= 20e6 + 2 * 60e6, `${net.now - began}`);
    }
    t.deepEqual([f.length, f.wrong], [800_000, false]);
    const buf = new Uint8Array(800_000);
    t.is(await sys.pread(fd, buf, 0), 800_000);
    t.true(matches(0, buf));
    await sys.close(fd);
  }),
);

test(
  "a read beside the beginning of a write stream reads where it says",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await mountram(sys, "/tmp");
      await writefile(sys, "/tmp/f", "a line of a file, and another. ".repeat(300));
      const { clients } = await connected(sys, 1, (s) => {
        const slow = {
          ...s,
          *stream(fd: number, offset: number): Task<void> {
            yield* s.stream(fd, offset);
            yield* s.sleep(100);
          },
        };
        return newexport(slow, { root: "/tmp" }) as Anysrv;
      });
      const [c] = clients as [Rawclient];
      await c.ask(walk(0, 1, "f"), open(1, ORDWR));
      const [want] = await c.ask(read(1, 7, 1000));
      t.deepEqual(await c.ask(stream(1, 5, 0, 1000)), ["5 stream:1000"]);
      await c.send(write(1, "xx", 6, 5000));
      await sys.sleep(50);
      t.deepEqual(await c.ask(read(1, 7, 1000)), [want]);
      t.is(words((await c.next()) as Rmsg), "6 write:2");
      await c.close();
      await sys.wait();
    });
  }),
);
