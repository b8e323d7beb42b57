// Write streams through exportfs: a file that is exported again is written at the speed of the links, and
// what fails fails where it would have failed at the server.

import test from "ava";
import type { ExecutionContext } from "ava";
import type { Booted } from "../../kernel/boot.ts";
import { ORDWR, OSTREAM, OWRITE } from "../../kernel/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { type Net, simnet } from "../../userland/boot/net.ts";
import type { Linkspec } from "../../userland/boot/net.ts";
import { NOTHING, run } from "../kit.ts";
import { Patternfs, chain, failed, matches, mount, pattern, slurp, spout } from "../streams.ts";

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
    // The create and the fstat after it are waited for on each machine, then all of the bytes once.
    const [r1, r2, r3] = [20e6, 50e6, 10e6];
    t.is(net.now - began, r1 + (r2 + 2 * r3) + (r2 + r3) + (r2 + r3));
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
