// Streams at the speed of the link: what whole files cost on simulated links, to the nanosecond where
// there is no bandwidth and within 1% where there is; and what a stream costs those beside it.

import test from "ava";
import type { ExecutionContext } from "ava";
import type { Booted } from "../../kernel/boot.ts";
import { DMDIR, ORDWR, OREAD, OSTREAM, OWRITE } from "../../kernel/abi/const.ts";
import { Tclunk, Tread, Tstream, Twrite } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import type { Bootopts } from "../../userland/boot/boot.ts";
import { type Net, simnet } from "../../userland/boot/net.ts";
import type { Linkspec } from "../../userland/boot/net.ts";
import { parserate, parsetime } from "../../userland/boot/units.ts";
import { NOTHING, put, run } from "../kit/kit.ts";
import { Patternfs, chain, failed, mount, pattern, slurp, spout } from "../kit/streams.ts";
import { RTT, World } from "../kit/world.ts";

const MiB = 1024 * 1024;
const RUN = 16 * MiB;
/** What the client's writes may have outstanding. */
const WINDOW = 8 * MiB - 128 * 1024;
/** The data of a frame, and its frame. */
const FRAME = 65536;
const FRAMEWIRE = FRAME + 11;

/** What a test gets: a program's system calls, with the last machine's files on /n/far. */
type Case = {
  readonly t: ExecutionContext;
  readonly sys: Sys;
  readonly net: Net;
  readonly fs: Patternfs;
  readonly machines: readonly [Booted, ...Booted[]];
};

/** A test over links in a row, after which nothing is left at either end. */
function over(
  links: readonly Linkspec[],
  fn: (c: Case) => Promise<void>,
  opts: Bootopts = {},
): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const net = simnet();
    const fs = new Patternfs();
    const machines = await chain(net, fs, links, opts);
    const { status } = await run(machines[0], async (sys: Sys) => {
      await mount(sys, "m1");
      await sys.sleep(10_000);
      await fn({ t, sys, net, fs, machines });
    });
    t.is(status, "");
    await run(machines[0], (sys: Sys) => sys.sleep(100_000));
    t.deepEqual(machines[0].audit(), NOTHING);
    for (const m of machines) t.is(m.credit, 0);
    await net.shutdown();
  };
}

/** The virtual time that fn takes. */
async function time(net: Net, fn: () => Promise<unknown>): Promise<number> {
  const began = net.now;
  await fn();
  return net.now - began;
}

const RTTS = ["1ms", "10ms", "50ms", "167ms", "500ms"];
const RATES = ["100KB/s", "600KB/s", "10MB/s", "100MB/s", "1GB/s"];

/** rtt and rate in seconds and bytes a second. */
const link = (rtt: string, bw: string): { rtt: number; rate: number } => ({
  rtt: parsetime(rtt) / 1e9,
  rate: parserate(bw),
});

for (const bw of RATES) {
  const near = RTTS.filter((rtt) => link(rtt, bw).rtt * link(rtt, bw).rate <= RUN);
  test(`at ${bw} a file is read in a round trip and the time of its bytes, up to ${near.at(-1)}`, async (t) => {
    for (const rtt of near)
      await over([{ rtt, bw }], async ({ sys, net, fs }) => {
        const length = 2 * MiB + 12345;
        fs.add("f", length);
        const took = await time(net, async () => t.is(await slurp(sys, "/n/far/f"), length));
        const want = link(rtt, bw).rtt * 1e9 + (length / link(rtt, bw).rate) * 1e9;
        t.true(Math.abs(took / want - 1) < 0.01, `${rtt} ${bw}: ${took} ns, not ${want}`);
      })(t);
  });

  const wnear = RTTS.filter((rtt) => link(rtt, bw).rtt * link(rtt, bw).rate <= WINDOW - FRAME);
  test(`at ${bw} a file is written in a round trip and the time of its bytes, up to ${wnear.at(-1)}`, async (t) => {
    for (const rtt of wnear)
      await over([{ rtt, bw }], async ({ sys, net, fs }) => {
        const length = 2 * MiB + 12345;
        const took = await time(net, () => spout(sys, "/n/far/f", length));
        const f = fs.files.get("f");
        t.deepEqual([f?.length, f?.wrong], [length, false]);
        const want = link(rtt, bw).rtt * 1e9 + (length / link(rtt, bw).rate) * 1e9;
        t.true(Math.abs(took / want - 1) < 0.01, `${rtt} ${bw}: ${took} ns, not ${want}`);
      })(t);
  });
}

for (const [rtt, bw] of [
  ["16ms", "1GB/s"],
  ["160ms", "100MB/s"],
] as const)
  test(
    `a run that fills the link of ${rtt} and ${bw} keeps it full`,
    over([{ rtt, bw }], async ({ t, sys, net, fs }) => {
      const length = 8 * RUN;
      fs.add("f", length);
      const took = await time(net, () => slurp(sys, "/n/far/f"));
      const want = (link(rtt, bw).rtt + length / link(rtt, bw).rate) * 1e9;
      t.true(Math.abs(took / want - 1) < 0.01, `${took} ns, not ${want}`);
    }),
  );

for (const [rtt, bw] of [
  ["50ms", "1GB/s"],
  ["500ms", "100MB/s"],
  ["500ms", "1GB/s"],
] as const) {
  const { rtt: r, rate } = link(rtt, bw);
  test(
    `the link of ${rtt} and ${bw} holds more than 16 MiB, and is full all the same`,
    over([{ rtt, bw }], async ({ t, sys, net, fs }) => {
      const length = 8 * RUN - 1;
      fs.add("f", length);
      const took = await time(net, async () => t.is(await slurp(sys, "/n/far/f"), length));
      const want = (r + length / rate) * 1e9;
      t.true(took >= want && took / want < 1.01, `${took} ns, not ${want}`);
    }),
  );

  test(
    `what is written over ${rtt} and ${bw} is at least a window in each round trip`,
    over([{ rtt, bw }], async ({ t, sys, net }) => {
      const length = 8 * RUN;
      const took = await time(net, () => spout(sys, "/n/far/f", length));
      t.true(took < (r + (length * r) / WINDOW) * 1.01e9, `${took}`);
    }),
  );
}

test(
  "beyond 256 MiB of credit new runs are 64 KiB, and what waits stays within the credit",
  over([{ rtt: "1ms" }], async ({ t, sys, fs, machines: [k] }) => {
    fs.add("f", 64 * MiB);
    const fds: number[] = [];
    const opened = async (n: number): Promise<number> => {
      for (let i = 0; i < n; i++) fds.push(await sys.open("/n/far/f", OREAD | OSTREAM));
      await sys.sleep(1000);
      t.is(k.credit, fs.nread, "all that was asked for has come, and no more");
      return k.credit;
    };
    t.is(await opened(8), 256 * MiB);
    t.is(await opened(1), 256 * MiB + RUN);
    t.is(await opened(3), 256 * MiB + RUN + 6 * FRAME);
    // What is read is asked for again, a small run at a time, until enough of the others is gone.
    const buf = new Uint8Array(FRAME);
    const [first = -1, last = -1] = [fds.shift(), fds.pop()];
    t.is(await sys.sread(last, buf), FRAME);
    await sys.sleep(1000);
    t.deepEqual([k.credit, fs.nread], [256 * MiB + RUN + 6 * FRAME, 256 * MiB + RUN + 7 * FRAME]);
    await sys.close(first);
    t.is(await sys.sread(last, buf), FRAME);
    await sys.sleep(1000);
    t.is(k.credit, 224 * MiB + 2 * RUN + 5 * FRAME);
    for (const fd of [last, ...fds]) await sys.close(fd);
    t.is(k.credit, 0);
  }),
);

for (const [rtt, bw] of [
  ["200ms", "1GB/s"],
  ["500ms", "1GB/s"],
] as const)
  test(
    `200 MB are on the way at once over ${rtt} and ${bw}`,
    over([{ rtt, bw }], async ({ t, sys, net, fs }) => {
      fs.add("f", 200e6);
      const took = await time(net, async () => t.is(await slurp(sys, "/n/far/f"), 200e6));
      const want = (link(rtt, bw).rtt + 0.2) * 1e9;
      t.true(took >= want && took / want < 1.01, `${took} ns, not ${want}`);
    }),
  );

test(
  "a file of many runs keeps a link full that holds a quarter of the credit",
  over(
    [{ rtt: "60ms", bw: "100MB/s" }],
    async ({ t, sys, net, fs }) => {
      fs.add("f", 100e6);
      const took = await time(net, async () => t.is(await slurp(sys, "/n/far/f"), 100e6));
      t.true(took >= 1060e6 && took < 1060e6 * 1.01, `${took}`);
    },
    { credit: 24 * MiB },
  ),
);

test(
  "a first run leaves a quarter of what is free, runs are 16 MiB at least while the allowance is not held, then 64 KiB",
  over([{ rtt: "200ms", bw: "1MB/s" }], async ({ t, sys, fs, machines: [k] }) => {
    fs.add("f", 1e9);
    const fds: number[] = [];
    const held: number[] = [];
    for (let i = 0; i < 6; i++) {
      const before = k.credit;
      fds.push(await sys.open("/n/far/f", OREAD | OSTREAM));
      held.push(k.credit - before);
    }
    const small = 2 * FRAME;
    t.deepEqual(held, [192 * MiB, 48 * MiB, 2 * RUN, small, small, small]);
    for (const fd of fds) await sys.close(fd);
    t.is(k.credit, 0);
  }),
);

test(
  "of an allowance of 1 MiB the first run takes three quarters, and the next a half of all",
  over(
    [{ rtt: "200ms", bw: "1MB/s" }],
    async ({ t, sys, fs, machines: [k] }) => {
      fs.add("f", 1e9);
      const counts: number[] = [];
      k.trace.listen((e) => {
        if (e.type === "send" && e.fcall.type === Tstream) counts.push(e.fcall.count);
      });
      const fd = await sys.open("/n/far/f", OREAD | OSTREAM);
      // The second is asked for when no more than its length is asked for and not read.
      for (let n = 0; n < MiB / 4;) n += await sys.sread(fd, new Uint8Array(FRAME));
      t.deepEqual(counts, [(MiB * 3) / 4, MiB / 2]);
      await sys.close(fd);
    },
    { credit: MiB },
  ),
);

test(
  "runs grow while the reader keeps up, and for no other",
  over([{ rtt: "1ms", bw: "10GB/s" }], async ({ t, sys, fs, machines: [k] }) => {
    fs.add("f", 400e6);
    let most = 0;
    const buf = new Uint8Array(MiB);
    const readall = async (pause: number): Promise<void> => {
      most = 0;
      const fd = await sys.open("/n/far/f", OREAD | OSTREAM);
      for (let n = 0; n < 200e6;) {
        const got = await sys.sread(fd, buf);
        n += got;
        most = Math.max(most, k.credit);
        if (pause > 0) await sys.sleep(pause);
      }
      await sys.close(fd);
    };
    await readall(1);
    t.true(most <= 2 * RUN, `${most}`);
    await readall(0);
    t.true(most > 6 * RUN && most <= 256 * MiB, `${most}`);
  }),
);

test(
  "a reader that stops on a long link costs no more than the allowance, and other requests nothing",
  over([{ rtt: "200ms", bw: "1GB/s" }], async ({ t, sys, net, fs, machines: [k] }) => {
    fs.add("f", 1e9);
    const alone = await time(net, () => stats(sys));
    const fd = await sys.open("/n/far/f", OREAD | OSTREAM);
    const buf = new Uint8Array(FRAME);
    for (let n = 0; n < 100e6;) n += await sys.sread(fd, buf);
    await sys.sleep(10_000);
    t.true(k.credit > 100e6 && k.credit <= 256 * MiB, `${k.credit}`);
    t.true(fs.nread <= 100e6 + 256 * MiB + 2 * FRAME, `${fs.nread} bytes were read`);
    t.is(await time(net, () => stats(sys)), alone);
    await sys.close(fd);
    t.is(k.credit, 0);
  }),
);

/** A test with a ramfs one round trip away, over which bytes take no time. */
function world(fn: (t: ExecutionContext, w: World, sys: Sys) => Promise<void>) {
  return async (t: ExecutionContext): Promise<void> => {
    const w = await World.make({ version: "9P2000.ix.stream" });
    await w.run(t, (sys) => fn(t, w, sys));
    for (const [name, audit] of Object.entries(await w.end())) t.deepEqual(audit, NOTHING, name);
  };
}

test(
  "a whole file, opened, read and closed, is exactly one round trip; so is one created, written and closed",
  world(async (t, w, sys) => {
    for (const length of [0, 1, 65536, 1_000_000, 8_000_000]) {
      const name = `${w.top}/f${length}`;
      t.is((await w.cost(sys, () => spout(sys, name, length))).trips, 1, `write ${length}`);
      t.is((await sys.stat(name)).length, length);
      const whole = async (): Promise<unknown> => t.is(await slurp(sys, name, true), length);
      t.is((await w.cost(sys, whole)).trips, 1, `read ${length}`);
    }
  }),
);

test(
  "a file that is not there is one round trip, and its error that of a plain open",
  world(async (t, w, sys) => {
    const missing = `${w.top}/no/such`;
    let message = "";
    const open = async (): Promise<unknown> =>
      (message = (await failed(sys.open(missing, OREAD | OSTREAM))).message);
    t.is((await w.cost(sys, open)).trips, 1);
    t.is(message, (await failed(sys.open(missing, OREAD))).message);
  }),
);

test(
  "of a directory bytes are asked for only where its name leaves open what it is",
  world(async (t, w, sys) => {
    await sys.close(await sys.create(`${w.top}/dir`, OREAD, DMDIR | 0o777));
    const types = async (name: string): Promise<number[]> => {
      const look = async (): Promise<void> => {
        const fd = await sys.open(name, OREAD | OSTREAM);
        t.is((await sys.sread(fd, new Uint8Array(1000))) > 0, name === w.top);
        await sys.close(fd);
      };
      t.is((await w.cost(sys, look)).trips, 2);
      return w.sent.map((s) => s.fcall.type);
    };
    t.false((await types(w.top)).includes(Tstream));
    t.true((await types(`${w.top}/dir`)).includes(Tstream));
    await put(sys, `${w.top}/dir/f`, "x");
    const fd = await sys.open(`${w.top}/dir`, OREAD | OSTREAM);
    t.is(w.here.credit, 0, "what came of it is given back");
    await sys.close(fd);
  }),
);

test(
  "a create that fails is told at close, with its step and the name, in one round trip",
  world(async (t, w, sys) => {
    await put(sys, `${w.top}/plain`, "x");
    await sys.close(await sys.create(`${w.top}/locked`, OREAD, DMDIR | 0o555));
    for (const [name, step] of [
      [`${w.top}/no/f`, "walk"],
      [`${w.top}/plain/f`, "create"],
      [`${w.top}/locked/f`, "create"],
    ] as const) {
      const began = w.net.now;
      const fd = await sys.create(name, OWRITE | OSTREAM, 0o666);
      await sys.swrite(fd, new Uint8Array(100));
      t.is(w.net.now, began, "nobody waits for it");
      const e = await failed(sys.close(fd));
      t.is(w.net.now - began, RTT);
      t.is(e.step, step);
      t.is(e.message, (await failed(sys.create(name, OWRITE, 0o666))).message);
    }
  }),
);

test(
  "a create that fails is told at the next write, when that is known by then, and not again at close",
  world(async (t, w, sys) => {
    const fd = await sys.create(`${w.top}/no/f`, OWRITE | OSTREAM, 0o666);
    await sys.sleep(1000);
    t.is((await failed(sys.swrite(fd, new Uint8Array(1)))).step, "walk");
    t.is((await failed(sys.write(fd, new Uint8Array(1)))).step, "walk");
    await sys.close(fd);
  }),
);

/** 100 stats, one after another. */
async function stats(sys: Sys): Promise<void> {
  for (let i = 0; i < 100; i++) await sys.stat("/n/far/f");
}

for (const hops of [1, 2, 3]) {
  const run = MiB;
  const links = [
    { rtt: "50ms", bw: "1MB/s" },
    { rtt: "10ms", bw: "2MB/s" },
    { rtt: "30ms", bw: "4MB/s" },
  ].slice(0, hops);
  /** What the frame that is on each link costs who comes behind it. */
  const frame = links.reduce((n, l) => n + (FRAMEWIRE / parserate(l.bw)) * 1e9, 0);
  const machines = ["", "", ", re-exported", ", re-exported twice"][hops];
  test(
    `a stream that nobody reads costs 100 stats beside it nothing${machines}`,
    over(
      links,
      async ({ t, sys, net, fs, machines: ms }) => {
        fs.add("f", 1e9);
        const alone = await time(net, () => stats(sys));
        const fd = await sys.open("/n/far/f", OREAD | OSTREAM);
        const beside = await time(net, () => stats(sys));
        t.true(beside <= alone + 100 * frame, "while it flows: a frame's time each");
        t.true(beside > alone);
        await sys.sleep(100_000);
        t.is(await time(net, () => stats(sys)), alone, "out of credit");
        // Two runs on each machine, and what a server has in hand: a frame read, and one half sent.
        for (const m of ms) t.is(m.credit, 2 * run);
        t.true(fs.nread <= hops * (2 * run + 2 * FRAME), `${fs.nread} bytes were read`);
        await sys.close(fd);
        await sys.sleep(100_000);
        t.is(await time(net, () => stats(sys)), alone, "closed");
      },
      { run },
    ),
  );
}

test(
  "a file re-exported twice comes at the speed of the slowest link, whole, with bounded memory in between",
  over(
    [
      { rtt: "20ms", bw: "10MB/s" },
      { rtt: "50ms", bw: "5MB/s" },
      { rtt: "10ms", bw: "20MB/s" },
    ],
    async ({ t, sys, net, fs, machines }) => {
      const length = 200_000_000;
      fs.add("f", length);
      let most = 0;
      const fd = await sys.open("/n/far/f", OREAD | OSTREAM);
      const buf = new Uint8Array(FRAME);
      let n = 0;
      const took = await time(net, async () => {
        for (;;) {
          const got = await sys.sread(fd, buf);
          if (got === 0) break;
          n += got;
          most = Math.max(most, fs.nread - n);
        }
      });
      await sys.close(fd);
      t.is(n, length);
      t.true(Math.abs(took / (length / 5e6) / 1e9 - 1) < 0.01, `${took}`);
      t.true(most <= 3 * (2 * RUN + 2 * FRAME), `${most} bytes were on the way`);
      t.is(machines.length, 3);
    },
  ),
);

test(
  "two streams of one file share the link, and both are whole",
  over([{ rtt: "50ms", bw: "1MB/s" }], async ({ t, sys, net, fs }) => {
    const length = 3_000_000;
    fs.add("f", length);
    const both = async (): Promise<unknown> =>
      Promise.all([slurp(sys, "/n/far/f", true), slurp(sys, "/n/far/f", true)]);
    const took = await time(net, both);
    t.true(Math.abs(took / (50e6 + 2 * length * 1e3) - 1) < 0.01, `${took}`);
  }),
);

test(
  "what still comes of a stream that was closed, to the end of the file, costs no credit",
  over([{ rtt: "400ms", bw: "1MB/s" }], async ({ t, sys, fs, machines: [k] }) => {
    fs.add("f", 300_000);
    const fd = await sys.open("/n/far/f", OREAD | OSTREAM);
    await sys.sread(fd, new Uint8Array(10));
    await sys.close(fd);
    t.is(k.credit, 0);
    await sys.sleep(10_000);
    t.is(fs.nread, 300_000, "it was all sent before the Tflush came");
    t.is(k.credit, 0);
  }),
);

/** What one call, or the first of a stream, may have outstanding, in pieces of 65,536 bytes. */
const OUTSTANDING: readonly [what: string, version: string, type: number, pieces: number][] = [
  ["sread", "9P2000.ix", Tread, 126],
  ["sread", "9P2000", Tread, 126],
  ["swrite", "9P2000.ix.stream", Twrite, 126],
  ["swrite", "9P2000.ix", Twrite, 126],
  ["pwrite", "9P2000.ix", Twrite, 127],
  ["pwrite", "9P2000", Twrite, 1],
  ["pread", "9P2000.ix", Tread, 160],
  ["pread", "9P2000", Tread, 1],
];
for (const [what, version, type, pieces] of OUTSTANDING)
  test(`${what} over ${version} has ${pieces} pieces outstanding at most, sent at once`, async (t) => {
    const net = simnet();
    const fs = new Patternfs(version);
    fs.add("f", 160 * FRAME);
    const [k] = await chain(net, fs, [{ rtt: "1s" }]);
    let most = 0;
    let now = 0;
    k.trace.listen((e) => {
      if (e.type === "send" && e.fcall.type === type) most = Math.max(most, ++now);
      if (e.type === "receive" && e.fcall.type === type + 1) now--;
    });
    const { status } = await run(k, async (sys: Sys) => {
      await mount(sys, "m1");
      const fd = await sys.open("/n/far/f", ORDWR);
      const buf = new Uint8Array(10 * MiB);
      for (let i = 0; i < 10; i++) buf.set(pattern(i * MiB, MiB), i * MiB);
      const began = net.now;
      if (what === "pwrite") t.is(await sys.pwrite(fd, buf, 0), buf.length);
      else if (what === "pread") t.is(await sys.pread(fd, buf, 0), buf.length);
      else if (what === "swrite") t.is(await sys.swrite(fd, buf), buf.length);
      else {
        await sys.stream(fd, 0);
        for (let n = 0; n < 160 * FRAME;) n += await sys.sread(fd, buf);
      }
      await sys.close(fd);
      t.true(pieces === 1 || net.now - began <= 4e9, `${net.now - began}`);
    });
    t.is(status, "");
    t.is(most, pieces);
    t.false(fs.files.get("f")?.wrong);
    await net.shutdown();
  });

test("a call of more pieces than a connection may have outstanding leaves room for others", async (t) => {
  const net = simnet();
  const fs = new Patternfs("9P2000.ix");
  const length = 1200 * FRAME;
  fs.add("f", length);
  const [k] = await chain(net, fs, [{ rtt: "100ms" }]);
  const { status } = await run(k, async (sys: Sys) => {
    await mount(sys, "m1");
    const fd = await sys.open("/n/far/f", OREAD);
    const buf = new Uint8Array(length);
    const began = net.now;
    const all = sys.pread(fd, buf, 0);
    t.is(await time(net, () => sys.stat("/n/far/f")), 100e6);
    t.is(await all, length);
    t.is(net.now - began, 200e6);
    await sys.close(fd);
  });
  t.is(status, "");
  await net.shutdown();
});

test(
  "the fid of a file that was written as a stream is given back once, and so is the credit of one read to its end",
  world(async (t, w, sys) => {
    await w.cost(sys, () => spout(sys, `${w.top}/f`, 100_000));
    await sys.sleep(1000);
    t.is(w.sent.filter((m) => m.fcall.type === Tclunk).length, 1);
    const fd = await sys.open(`${w.top}/f`, OREAD | OSTREAM);
    t.is(w.here.credit, 100_000, "what has come and is not read");
    const buf = new Uint8Array(100_001);
    for (let n = -1; n !== 0;) n = await sys.sread(fd, buf);
    t.is(w.here.credit, 0);
    await sys.close(fd);
  }),
);
