// What becomes of a stream: one defined outcome for each way that it can be used or go wrong (the head of
// kernel/stream.ts), and the same program over every rung of the ladder.

import test from "ava";
import type { ExecutionContext } from "ava";
import fc from "fast-check";
import type { Booted } from "../../kernel/boot.ts";
import {
  MCREATE,
  MREPL,
  ORDWR,
  OREAD,
  OSTREAM,
  OWRITE,
  RFFDG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { type Net, type Netlink, serve9p, simnet } from "../../userland/boot/net.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import { NOTHING, mountram, put, run, within } from "../kit/kit.ts";
import { Patternfs, failed, matches, mount, pattern, spout } from "../kit/streams.ts";
import { mkdir } from "../kit/world.ts";
import { pack } from "../kit/frames.ts";
import { Fake, type Said } from "../kit/fake.ts";

const FAR = "/n/far";
const LONG = 3_000_000;

type Case = {
  readonly t: ExecutionContext;
  readonly sys: Sys;
  readonly net: Net;
  readonly link: Netlink;
  readonly fs: Patternfs;
  readonly here: Booted;
};

const RUNGS = ["9P2000.ix.stream", "9P2000.ix", "9P2000"] as const;
type Rung = (typeof RUNGS)[number];

/** A test with a file of LONG bytes, 50 ms and 1 MB/s away, after which nothing is left. */
function far(
  fn: (c: Case, version: Rung) => Promise<void>,
  version: Rung = "9P2000.ix.stream",
): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const net = simnet();
    const here = await net.boot("here", { run: 1024 * 1024 });
    const there = await net.boot("m1");
    const link = net.link("here", "m1", { rtt: "50ms", bw: "1MB/s" });
    const fs = new Patternfs(version);
    fs.add("f", LONG);
    await serve9p(there, "tcp!*!564", () => fs as Anysrv);
    const { status } = await run(here, async (sys: Sys) => {
      await mount(sys, "m1");
      await fn({ t, sys, net, link, fs, here }, version);
    });
    t.is(status, "");
    await run(here, (sys: Sys) => sys.sleep(100_000));
    t.deepEqual(here.audit(), NOTHING);
    t.is(here.credit, 0);
    await net.shutdown();
  };
}

/** A test over each rung of the ladder. */
function ladder(title: string, fn: (c: Case, version: Rung) => Promise<void>): void {
  for (const version of RUNGS) test(`${title}: ${version}`, far(fn, version));
}

/** So many reads of a file fail that begin at this offset or behind it. */
function badfrom(fs: Patternfs, from: number, times = Infinity): void {
  const read = fs.read.bind(fs);
  let errors = times;
  fs.read = (fid, count, offset) => {
    if (offset >= from && errors-- > 0) throw new PlanError("i/o error");
    return read(fid, count, offset);
  };
}

/** Reads by sread until buf is full or the end has come. */
async function fill(sys: Sys, fd: number, n: number): Promise<Uint8Array> {
  const buf = new Uint8Array(n);
  let at = 0;
  while (at < n) {
    const got = await sys.sread(fd, buf.subarray(at));
    if (got === 0) break;
    at += got;
  }
  return buf.subarray(0, at);
}

ladder(
  "a stream ended early costs no more than what was under way",
  async ({ t, sys, net, fs }) => {
    const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
    t.true(matches(0, await fill(sys, fd, 100_000)));
    const began = net.now;
    await sys.close(fd);
    t.is(net.now, began, "close waits for nobody");
    await sys.sleep(10_000);
    const { nread } = fs;
    await sys.sleep(10_000);
    t.is(fs.nread, nread);
    await sys.stat(`${FAR}/f`);
  },
);

ladder(
  "requests of a stream that are under way have one tag, over 9P2000 a tag each",
  async ({ t, sys, here }, version) => {
    const types: readonly number[] = [F.Tread, F.Tstream, F.Twrite];
    let tags: number[] = [];
    let answered = false;
    here.trace.listen((e) => {
      if (e.type === "receive" && types.includes(e.fcall.type - 1)) answered = true;
      if (e.type === "send" && types.includes(e.fcall.type) && !answered) tags.push(e.fcall.tag);
    });
    const check = (): void => {
      t.true(tags.length > 1 || version === "9P2000.ix.stream");
      t.is(new Set(tags).size, version === "9P2000" ? tags.length : 1);
      tags = [];
      answered = false;
    };
    const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
    await fill(sys, fd, 1000);
    check();
    await sys.close(fd);
    // What still comes of the reads.
    await sys.sleep(10_000);
    answered = false;
    await spout(sys, `${FAR}/w`, 500_000);
    check();
  },
);

ladder("a seek away ends the stream, and reads go on from there", async ({ t, sys }) => {
  const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
  await fill(sys, fd, 100_000);
  t.is(await sys.seek(fd, 0, 1), 100_000, "where it is anyway");
  t.true(matches(100_000, await fill(sys, fd, 1000)));
  await sys.seek(fd, 2_000_001, 0);
  const buf = new Uint8Array(1000);
  t.true(matches(2_000_001, buf.subarray(0, await sys.read(fd, buf))));
  t.true(matches(2_001_001, await fill(sys, fd, 1000)));
  await sys.seek(fd, -10, 2);
  t.is((await fill(sys, fd, 1000)).length, 10);
  await sys.close(fd);
});

ladder("a read of no bytes gives none, one of a byte gives the next byte", async ({ t, sys }) => {
  const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
  for (let i = 0; i < 3; i++) {
    t.is(await sys.sread(fd, new Uint8Array(0)), 0);
    const byte = new Uint8Array(1);
    t.is(await sys.sread(fd, byte), 1);
    t.true(matches(i, byte));
  }
  await sys.close(fd);
});

ladder("read takes from the stream, pread ends it, stream begins anew", async ({ t, sys }) => {
  const fd = await sys.open(`${FAR}/f`, OREAD);
  const buf = new Uint8Array(1000);
  await sys.stream(fd, 500_000);
  t.true(matches(500_000, await fill(sys, fd, 5000)));
  t.is(await sys.read(fd, buf), 1000);
  t.true(matches(505_000, buf));
  t.is(await sys.pread(fd, buf, 7), 1000);
  t.true(matches(7, buf));
  t.true(matches(507_000, await fill(sys, fd, 5000)), "pread moves the offset on");
  await sys.stream(fd, 3);
  t.true(matches(3, await fill(sys, fd, 5000)));
  await sys.stream(fd, LONG + 10);
  t.is((await fill(sys, fd, 5000)).length, 0);
  await sys.close(fd);
});

ladder(
  "a read that sleeps in a stream when a pread or a write ends it is made again, at the file",
  async ({ t, sys, fs }) => {
    const buf = new Uint8Array(1000);
    for (const end of [
      (fd: number) => sys.pread(fd, buf, 7),
      (fd: number) => sys.pwrite(fd, pattern(7, 1000), 7),
      (fd: number) => sys.stream(fd, 0),
    ]) {
      fs.add("g", LONG);
      const fd = await sys.open(`${FAR}/g`, ORDWR | OSTREAM);
      t.true(matches(0, await fill(sys, fd, 1000)));
      // The stream has given what has come of it: the next read sleeps.
      const ahead = new Uint8Array(LONG);
      const first = await sys.sread(fd, ahead);
      const reader = sys.sread(fd, ahead);
      await end(fd);
      const n = await reader;
      t.true(n > 0 && matches(1000 + first, ahead.subarray(0, n)), `${n}`);
      await sys.close(fd);
    }
  },
);

ladder(
  "descriptors that were dupped share the stream, also after one is closed",
  async ({ t, sys }) => {
    const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
    const two = await sys.dup(fd);
    t.true(matches(0, await fill(sys, fd, 1000)));
    t.true(matches(1000, await fill(sys, two, 1000)));
    await sys.close(fd);
    t.true(matches(2000, await fill(sys, two, 1_000_000)));
    await sys.close(two);
  },
);

ladder(
  "a call that is interrupted fails, and the stream goes on without a gap",
  async ({ t, sys, link }) => {
    const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
    await sys.notify(async (_note, s) => (s as Sys).noted(0));
    let n = 0;
    let interrupts = 0;
    link.stall("500ms");
    const buf = new Uint8Array(500_000);
    while (n < LONG) {
      await sys.alarm(90);
      try {
        const got = await sys.sread(fd, buf);
        t.true(matches(n, buf.subarray(0, got)));
        n += got;
      } catch (e) {
        t.is((e as PlanError).message, "interrupted");
        interrupts++;
      }
      await sys.alarm(0);
    }
    t.is(n, LONG);
    t.true(interrupts > 0);
    await sys.close(fd);
  },
);

for (const version of ["9P2000.ix", "9P2000.ix.stream"] as const)
  for (const how of ["a note", "kill"])
    test(
      `a pwrite of a stream is done though another's was flushed just before, by ${how}: ${version}`,
      far(async ({ t, sys, fs }) => {
        await sys.notify(async (_note, s) => (s as Sys).noted(0));
        const fd = await sys.create(`${FAR}/w`, ORDWR, 0o666);
        await sys.stream(fd, 0);
        const pid = await sys.rfork(RFPROC, async (child: Sys) => {
          await failed(child.pwrite(fd, pattern(0, 1000), 0));
        });
        await sys.sleep(10);
        await put(sys, `/proc/${pid}/${how === "kill" ? "ctl" : "note"}`, how);
        // The Rflush comes after a round trip.
        await sys.sleep(10);
        t.is(await sys.pwrite(fd, pattern(1000, 1000), 1000), 1000);
        await sys.wait();
        await sys.close(fd);
        t.is(fs.files.get("w")?.length, 2000);
      }, version),
    );

ladder("a pwrite of a stream that was flushed, and done, ends no other", async ({ t, sys, fs }) => {
  await sys.notify(async (_note, s) => (s as Sys).noted(0));
  const fd = await sys.create(`${FAR}/w`, ORDWR, 0o666);
  await sys.stream(fd, 0);
  await sys.alarm(10);
  t.is(await sys.pwrite(fd, pattern(0, 1000), 0), 1000);
  t.is(await sys.pwrite(fd, pattern(1000, 1000), 1000), 1000);
  await sys.seek(fd, 2000, 0);
  t.is(await sys.swrite(fd, pattern(2000, 1000)), 1000);
  await sys.close(fd);
  t.deepEqual([fs.files.get("w")?.length, fs.files.get("w")?.wrong], [3000, false]);
});

test(
  "fstat and fwstat of a file whose open is on its way wait for it, and fail as it does",
  far(async ({ t, sys, fs }) => {
    const opens = await sys.open(`${FAR}/f`, OWRITE | OSTREAM);
    t.is((await sys.fstat(opens)).length, LONG);
    await sys.close(opens);
    for (const call of [
      (fd: number) => sys.fstat(fd),
      (fd: number) => sys.fwstat(fd, { length: 0 }),
    ]) {
      const fd = await sys.open(`${FAR}/no`, OWRITE | OSTREAM);
      t.is((await failed(call(fd))).message, `'${FAR}/no' file does not exist`);
      await failed(sys.close(fd));
    }
    t.false(fs.files.has("no"));
  }),
);

test(
  "of a write that was interrupted halfway nothing is left where another is made in its place",
  far(async ({ t, sys, link, fs }) => {
    const bytes = new Uint8Array(9_000_000);
    const firsts = new Map<number, number>();
    const write = fs.write.bind(fs);
    fs.write = (fid, data, offset) => {
      firsts.set(offset, data[0] ?? 0);
      return write(fid, data, offset);
    };
    const fd = await sys.create(`${FAR}/w`, OWRITE | OSTREAM, 0o666);
    await sys.notify(async (_note, s) => (s as Sys).noted(0));
    link.stall("500ms");
    await sys.alarm(90);
    t.is((await failed(sys.swrite(fd, bytes.fill(1)))).message, "interrupted");
    t.is(await sys.swrite(fd, bytes.fill(2)), bytes.length);
    await sys.close(fd);
    t.is(fs.files.get("w")?.length, bytes.length);
    t.deepEqual(new Set(firsts.values()), new Set([2]));
  }),
);

for (const [length, what] of [
  [LONG, "of a file that a window holds"],
  [20 * LONG, "of a file that is longer than a window"],
] as const)
  ladder(
    `when the connection is lost, what had come is read first, ${what}`,
    async ({ t, sys, link, fs }) => {
      fs.add("g", length);
      const fd = await sys.open(`${FAR}/g`, OREAD | OSTREAM);
      await sys.sleep(1000);
      link.cut();
      let n = 0;
      const buf = new Uint8Array(4096);
      const e = await failed(
        (async () => {
          for (;;) n += await sys.sread(fd, buf);
        })(),
      );
      t.is(e.message, "i/o on hungup channel");
      t.true(n > 500_000 && n < 1_000_000, `${n}`);
      await sys.close(fd);
    },
  );

ladder(
  "writing over a connection that is lost fails at the next write or at close",
  async ({ t, sys, link }) => {
    const fd = await sys.create(`${FAR}/new`, OWRITE | OSTREAM, 0o666);
    for (let i = 0; i < 10; i++) await sys.swrite(fd, pattern(i * 10_000, 10_000));
    link.cut();
    t.regex((await failed(sys.close(fd))).message, /i\/o on hungup channel$/);
  },
);

ladder(
  "a file that grows or shrinks meanwhile ends where the server finds its end",
  async ({ t, sys, fs }) => {
    const f = fs.add("g", 1_000_000);
    const grown = await sys.open(`${FAR}/g`, OREAD | OSTREAM);
    await fill(sys, grown, 1000);
    f.length = 1_500_000;
    t.is((await fill(sys, grown, LONG)).length, 1_499_000);
    await sys.close(grown);
    const shrunk = await sys.open(`${FAR}/g`, OREAD | OSTREAM);
    await fill(sys, shrunk, 1000);
    await sys.sleep(100);
    f.length = 500_000;
    const rest = await fill(sys, shrunk, LONG);
    t.true(rest.length >= 499_000 && rest.length < 1_499_000, `${rest.length}`);
    t.true(matches(1000, rest));
    t.is((await fill(sys, shrunk, 1)).length, 0);
    await sys.close(shrunk);
  },
);

ladder(
  "a full disk in the middle of a write is told with the exact offset",
  async ({ t, sys, fs }, version) => {
    for (const limit of [1_000_000, 10 * 65536]) {
      fs.add("full", 0, { limit });
      const e = await failed(spout(sys, `${FAR}/full`, LONG));
      t.is(e.offset, limit);
      t.is(e.step, "write");
      const text = new RegExp(`^(i/o error|file system full) at offset ${limit}`);
      t.regex(e.message, text);
      t.is(/later bytes may be written/.test(e.message), version !== "9P2000.ix.stream");
      if (version === "9P2000.ix.stream") t.is(fs.files.get("full")?.length, limit);
      await sys.sleep(1000);
    }
  },
);

ladder(
  "what was written is on the server when close returns, or when it is read",
  async ({ t, sys, fs }) => {
    await spout(sys, `${FAR}/w`, 1_234_567, 9999);
    t.deepEqual([fs.files.get("w")?.length, fs.files.get("w")?.wrong], [1_234_567, false]);
    const fd = await sys.create(`${FAR}/rw`, ORDWR, 0o666);
    await sys.swrite(fd, pattern(0, 300_000));
    await sys.stream(fd, 0);
    t.true(matches(0, await fill(sys, fd, 300_000)));
    await sys.swrite(fd, pattern(300_000, 1000));
    t.is(await sys.seek(fd, 0, 2), 301_000);
    await sys.close(fd);
  },
);

test(
  "an error in the middle of a run comes where it is, after what was read before it",
  far(async ({ t, sys, fs, here }) => {
    badfrom(fs, 655_360);
    const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
    t.true(matches(0, await fill(sys, fd, 655_360)));
    t.is((await failed(sys.sread(fd, new Uint8Array(1)))).message, "i/o error");
    t.is(here.credit, 0, "nothing more will come");
    t.is((await failed(sys.sread(fd, new Uint8Array(1)))).message, "i/o error");
    await sys.stream(fd, 0);
    t.true(matches(0, await fill(sys, fd, 1000)));
    await sys.close(fd);
  }),
);

test(
  "behind a run that failed the next one comes whole, and the connection goes on",
  far(async ({ t, sys, fs }) => {
    badfrom(fs, 655_360, 1);
    const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
    t.true(matches(0, await fill(sys, fd, 655_360)));
    // Of the second run, which was asked for before the first failed, come 1 MiB.
    await sys.sleep(10_000);
    t.is((await failed(sys.sread(fd, new Uint8Array(1)))).message, "i/o error");
    t.is(fs.nread, 655_360 + 1024 * 1024);
    await sys.close(fd);
    t.is((await sys.stat(`${FAR}/f`)).length, LONG);
  }),
);

for (const version of ["9P2000.ix", "9P2000"] as const)
  test(
    `after an error in the middle the next read is of the same bytes: ${version}`,
    far(async ({ t, sys, fs }) => {
      badfrom(fs, 655_360, 1);
      const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
      t.true(matches(0, await fill(sys, fd, 655_360)));
      t.is((await failed(sys.sread(fd, new Uint8Array(1)))).message, "i/o error");
      const rest = await fill(sys, fd, LONG);
      t.is(rest.length, LONG - 655_360);
      t.true(matches(655_360, rest));
      await sys.close(fd);
    }, version),
  );

ladder("after an answer that is short the next read is of the bytes behind it", async (c) => {
  const { t, sys, fs } = c;
  const read = fs.read.bind(fs);
  fs.read = (fid, count, offset) => read(fid, offset < 655_360 ? count : 10_000, offset);
  const fd = await sys.open(`${FAR}/f`, OREAD | OSTREAM);
  let n = 0;
  for (const buf = new Uint8Array(65_536); n < 1_000_000;) {
    const got = await sys.sread(fd, buf);
    t.true(got > 0 && matches(n, buf.subarray(0, got)), `at ${n}`);
    n += got;
  }
  await sys.close(fd);
});

/** Mounts a server that answers as the test says, after the usual beginning, on /n/fake. */
async function fake(sys: Sys, answer: (f: Tmsg) => readonly Said[]): Promise<void> {
  const [mine, theirs] = await sys.pipe();
  // A process of its own: a write after the kernel has hung up ends it.
  await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
    await child.close(theirs);
    await Object.assign(new Fake(child, mine), { lie: (f: Tmsg) => usual(f) ?? answer(f) }).over;
  });
  await sys.close(mine);
  await mkdir(sys, "/n/fake");
  await sys.mount(theirs, -1, "/n/fake", MREPL | MCREATE, "");
}

const QID = { path: 1n, vers: 1, type: 0 };

/** What any server answers. */
function usual(f: Tmsg): readonly Rmsg[] | null {
  const { tag } = f;
  switch (f.type) {
    case F.Tversion:
      return [{ type: F.Rversion, tag, msize: 65560, version: f.version }];
    case F.Tattach:
      return [{ type: F.Rattach, tag, qid: { ...QID, path: 0n, type: 0x80 } }];
    case F.Twalk:
      return [{ type: F.Rwalk, tag, wqid: f.wname.map(() => QID) }];
    case F.Topen:
      return [{ type: F.Ropen, tag, qid: QID, iounit: 0 }];
    case F.Tclunk:
      return [{ type: F.Rclunk, tag }];
    default:
      return null;
  }
}

/** So many Rstreams of so many bytes. */
const rstreams = (tag: number, n: number, size: number): Rmsg[] =>
  Array.from({ length: n }, () => ({ type: F.Rstream, tag, data: new Uint8Array(size) }));

/** Lies, and how many bytes are believed before it is seen. */
const LIES: Record<string, { lie: Parameters<typeof fake>[1]; believed: number }> = {
  "sends more than it was asked": {
    lie: (f) => (f.type === F.Tstream ? rstreams(f.tag, 18, 60_000) : []),
    believed: 17 * 60_000,
  },
  "goes on after the end": {
    lie: (f) =>
      f.type === F.Tstream && f.offset === 0
        ? [...rstreams(f.tag, 1, 100), ...rstreams(f.tag, 3, 0)]
        : [],
    believed: 100,
  },
  "gives an Rstream another count than its frame has bytes": {
    lie: (f) => {
      if (f.type !== F.Tstream) return [];
      const frame = pack({ type: F.Rstream, tag: f.tag, data: new Uint8Array(100) });
      // count[4] stands behind size[4] type[1] tag[2].
      frame[7] = 99;
      return [...rstreams(f.tag, 1, 100), frame];
    },
    believed: 100,
  },
  "answers a Tstream with something else": {
    lie: (f) =>
      f.type === F.Tstream ? [{ type: F.Rread, tag: f.tag, data: new Uint8Array(10) }] : [],
    believed: 0,
  },
};

for (const [name, { lie, believed }] of Object.entries(LIES))
  test(
    `a server that ${name} is hung up on`,
    within(
      async (t, k) => {
        const { status } = await run(k, async (sys: Sys) => {
          await fake(sys, lie);
          const fd = await sys.open("/n/fake/f", OREAD | OSTREAM);
          await sys.sleep(1000);
          const n = (await fill(sys, fd, believed)).length;
          t.is(n, believed);
          await sys.close(fd);
          t.regex((await failed(sys.open("/n/fake/f", OREAD))).message, /i\/o on hungup channel$/);
        });
        t.is(status, "");
      },
      { run: 1024 * 1024 },
    ),
  );

test(
  "a stream that comes in small parts, cut in any way, is read whole and in order",
  within(
    async (t, k) => {
      const { status } = await run(k, async (sys: Sys) => {
        const SIZES = [1, 511, 512, 513, 3, 7000];
        const length = 150_000;
        await fake(sys, (f) => {
          if (f.type !== F.Tstream) return [];
          const end = Math.min(length, f.offset + f.count);
          const list: Rmsg[] = [];
          for (let at = f.offset, n = 0; at < end; n++) {
            const data = pattern(at, Math.min(SIZES[n % SIZES.length] ?? 1, end - at));
            list.push({ type: F.Rstream, tag: f.tag, data });
            at += data.length;
          }
          return end < length ? list : [...list, ...rstreams(f.tag, 1, 0)];
        });
        const fd = await sys.open("/n/fake/f", OREAD | OSTREAM);
        for (const size of [10_000, 7, 600]) {
          await sys.seek(fd, 0, 0);
          await sys.stream(fd, 0);
          const buf = new Uint8Array(size);
          let at = 0;
          for (let n = -1; n !== 0; at += n) {
            n = await sys.sread(fd, buf);
            t.true(matches(at, buf.subarray(0, n)), `${size}: ${at}`);
            if (size === 7) await sys.sleep(1);
            if (size === 7 && at > 20_000) break;
          }
          t.true(size === 7 || at === length, `${size}: ${at}`);
        }
        await sys.close(fd);
      });
      t.is(status, "");
    },
    { run: 20_000 },
  ),
);

test(
  "a server that goes on after the Rflush is hung up on",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await fake(sys, (f) => {
        if (f.type === F.Tstream) return rstreams(f.tag, 1, 1000);
        if (f.type !== F.Tflush) return [];
        return [{ type: F.Rflush, tag: f.tag }, ...rstreams(f.oldtag, 1, 1000)];
      });
      const fd = await sys.open("/n/fake/f", OREAD | OSTREAM);
      await fill(sys, fd, 10);
      await sys.close(fd);
      await sys.sleep(1000);
      t.regex((await failed(sys.open("/n/fake/f", OREAD))).message, /i\/o on hungup channel$/);
    });
  }),
);

test(
  "a server that says it wrote more than it was given is hung up on",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await fake(sys, (f) =>
        f.type === F.Twrite ? [{ type: F.Rwrite, tag: f.tag, count: f.data.length + 1 }] : [],
      );
      const fd = await sys.open("/n/fake/f", OWRITE);
      await sys.swrite(fd, new Uint8Array(10));
      t.regex((await failed(sys.close(fd))).message, /i\/o on hungup channel$/);
    });
  }),
);

/** A step of a random program on a file of its own, by one descriptor open for reading and writing. */
type Step = readonly [what: string, n: number];

const STEP = fc.tuple(
  fc.constantFrom("sread", "read", "pread", "swrite", "write", "pwrite", "stream", "seek", "stat"),
  fc.oneof(fc.nat(300), fc.nat(200_000)),
);

/** What a step gives: bytes as a sum, so that a failure can be read. */
async function step(sys: Sys, fd: number, [what, n]: Step): Promise<unknown> {
  const buf = new Uint8Array(n);
  const sum = (b: Uint8Array): string =>
    `${b.length} ${b.reduce((s, x) => (s * 31 + x) % 65537, 7)}`;
  switch (what) {
    case "sread":
      return sum(await fill(sys, fd, n));
    case "read":
      return sum(await readn(sys, fd, n));
    case "pread":
      return sum(buf.subarray(0, await sys.pread(fd, buf, n % 1000)));
    case "swrite":
      return await sys.swrite(fd, pattern(n, n));
    case "write":
      return await sys.write(fd, pattern(n + 1, n));
    case "pwrite":
      return await sys.pwrite(fd, pattern(n + 2, n), n % 1000);
    case "stream":
      return await sys.stream(fd, n);
    case "seek":
      return await sys.seek(fd, n, 0);
    default:
      return (await sys.fstat(fd)).length;
  }
}

async function readn(sys: Sys, fd: number, n: number): Promise<Uint8Array> {
  const buf = new Uint8Array(n);
  let at = 0;
  while (at < n) {
    const got = await sys.read(fd, buf.subarray(at));
    if (got === 0) break;
    at += got;
  }
  return buf.subarray(0, at);
}

test(
  "the same program gives the same over streams, groups, 9P2000 and in memory",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const dirs = ["/tmp"];
      for (const version of RUNGS) {
        const dir = `/n/${version}`;
        await mkdir(sys, dir);
        await mountram(sys, dir, { version });
        dirs.push(dir);
      }
      let round = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(STEP, { maxLength: 25 }),
          fc.boolean(),
          async (steps, ostream) => {
            const name = `f${round++}`;
            const logs: unknown[][] = [];
            for (const dir of dirs) {
              const log: unknown[] = [];
              const flag = ostream ? OSTREAM : 0;
              const wfd = await sys.create(`${dir}/${name}`, OWRITE | flag, 0o666);
              await sys.swrite(wfd, pattern(0, 1000));
              await sys.close(wfd);
              const fd = await sys.open(`${dir}/${name}`, ORDWR | flag);
              for (const s of steps) log.push(await step(sys, fd, s));
              await sys.close(fd);
              log.push((await sys.stat(`${dir}/${name}`)).length);
              await sys.remove(`${dir}/${name}`);
              logs.push(log);
            }
            for (const log of logs)
              t.deepEqual(log, logs[0] ?? [], JSON.stringify([steps, ostream]));
          },
        ),
        { numRuns: 60, seed: 4 },
      );
    });
  }),
);

/** What a process of a pair does: a call, or a sleep of so many milliseconds. */
const DEED = fc.tuple(
  fc.constantFrom("pwrite", "pwrite", "swrite", "pread", "sread", "stream", "stat", "sleep"),
  fc.nat(80),
);
type Deed = readonly [what: string, n: number];
const DEEDS = fc.array(DEED, { minLength: 1, maxLength: 6, size: "max" });
/** More bytes than a pair writes. */
const PAIRS = 2_000_000;

/** Two processes that share a descriptor of a new file, open to read and write. */
class Couple {
  /** 1 for each byte that the server has been given. */
  readonly written: Uint8Array = new Uint8Array(PAIRS);
  /** What the server has not, though a pwrite has given its length; and errors that no note explains. */
  readonly odd: string[] = [];
  readonly #fd: number;
  /** Where the next bytes go. */
  #next = 0;

  constructor(fs: Patternfs, fd: number) {
    this.#fd = fd;
    const write = Patternfs.prototype.write.bind(fs);
    fs.write = (fid, data, offset) => {
      this.written.fill(1, offset, offset + data.length);
      return write(fid, data, offset);
    };
  }

  /** Does so in one of the processes. */
  async live(child: Sys, deeds: readonly Deed[]): Promise<void> {
    for (const d of deeds)
      try {
        await this.#do(child, d);
      } catch (e) {
        const { message } = e as Error;
        if (!message.startsWith("interrupted")) this.odd.push(message);
      }
  }

  async #do(child: Sys, [what, n]: Deed): Promise<unknown> {
    const [fd, at] = [this.#fd, this.#next];
    switch (what) {
      case "pwrite":
      case "swrite": {
        const bytes = pattern(at, 1 + 20 * n * n);
        this.#next += bytes.length;
        if (what === "swrite") return await child.swrite(fd, bytes);
        const got = await child.pwrite(fd, bytes, at);
        if (this.written.subarray(at, at + got).includes(0)) this.odd.push(`${got} at ${at}`);
        return got;
      }
      case "pread": {
        const buf = new Uint8Array(100_000);
        const got = await child.pread(fd, buf, n);
        if (!matches(n, buf.subarray(0, got))) this.odd.push(`wrong bytes at ${n}`);
        return got;
      }
      case "sread":
        return await child.sread(fd, new Uint8Array(1 + n * n));
      case "stream":
        return await child.stream(fd, n % 2 === 0 ? at : n);
      case "stat":
        return await child.fstat(fd);
      default:
        return await child.sleep(n);
    }
  }
}

ladder(
  "whatever two processes do with one descriptor, and whenever notes come, what a pwrite said is on the server",
  async ({ t, sys, fs, here }) => {
    await sys.notify(async (_note, s) => (s as Sys).noted(0));
    let round = 0;
    /** One run: what the two do, and after how many milliseconds each gets a note. */
    const property = async (
      deeds: readonly (readonly Deed[])[],
      notes: readonly number[],
    ): Promise<void> => {
      const fd = await sys.create(`${FAR}/w${round++}`, ORDWR, 0o666);
      const couple = new Couple(fs, fd);
      const pids: number[] = [];
      for (const list of deeds)
        pids.push(await sys.rfork(RFPROC, (child: Sys) => couple.live(child, list)));
      for (const [i, ms] of notes.entries()) {
        await sys.sleep(ms);
        await put(sys, `/proc/${pids[i % 2]}/note`, "stop").catch(() => undefined);
      }
      while (pids.length > 0) pids.splice(pids.indexOf((await sys.wait()).pid), 1);
      await sys.close(fd).catch(() => undefined);
      await sys.sleep(1000);
      t.deepEqual([couple.odd, here.audit().tags], [[], []]);
    };
    const times = fc.array(fc.nat(60), { maxLength: 4, size: "max" });
    const all = fc.asyncProperty(fc.tuple(DEEDS, DEEDS), times, property);
    await fc.assert(all, { numRuns: 60, seed: 1, endOnFailure: true });
  },
);

ladder("a write that failed or came short stops none of those after it", async ({ t, sys, fs }) => {
  const f = fs.add("g", 0, { limit: 5000 });
  const fd = await sys.open(`${FAR}/g`, OWRITE);
  t.is(await sys.pwrite(fd, pattern(0, 1000), 0), 1000);
  t.is((await failed(sys.pwrite(fd, pattern(5000, 100), 5000))).message, "file system full");
  t.is(await sys.pwrite(fd, pattern(4000, 2000), 4000), 1000);
  t.is(await sys.pwrite(fd, pattern(1000, 3000), 1000), 3000);
  f.limit = Infinity;
  t.is(await sys.pwrite(fd, pattern(5000, 100), 5000), 100);
  await sys.close(fd);
  t.false(f.wrong);
});

ladder("of a file without offsets nothing is read behind its end", async ({ t, sys, fs }) => {
  fs.add("dev", 0, { vers: 0 });
  const lines = ["one", "", "two", "", "three", ""];
  fs.read = () => new TextEncoder().encode(lines.shift() ?? "");
  for (const line of ["one", "two", "three"]) {
    const fd = await sys.open(`${FAR}/dev`, OREAD | OSTREAM);
    t.is(new TextDecoder().decode(await fill(sys, fd, 100)), line);
    await sys.close(fd);
  }
});
