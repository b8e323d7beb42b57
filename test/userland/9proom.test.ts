// The bytes that all connections of a 9P server hold together, while clients send what takes the most of them.

import test from "ava";
import type { ExecutionContext } from "ava";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import { OWRITE } from "../../kernel/abi/const.ts";
import type { Exit, Sys, Task } from "../../syscalls/sys.ts";
import { simnet } from "../../userland/boot/net.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import { Conn } from "../../userland/lib/9p/conn.ts";
import { Log } from "../../userland/lib/9p/log.ts";
import { Porter } from "../../userland/lib/9p/porter.ts";
import { Bytes, LEAST, Room, Shares } from "../../userland/lib/9p/shares.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { announce } from "../../userland/lib/dial.ts";
import { newram } from "../../userland/lib/ram.ts";
import { NOTHING, run } from "../kit/kit.ts";
import { attach, create, flush, open, read, said, stat, version, walk } from "../kit/msg.ts";
import { Rawclient } from "../kit/rawclient.ts";
import { Rig } from "../kit/rig.ts";
import { Slowsrv } from "../kit/slow.ts";
import { pack } from "../kit/frames.ts";

const MB = 1048576;
const ADDR = "tcp!far!564";
const LIMITS = { bytes: 8 * MB, connections: 128 };
/** Bytes that all clients together may have counted. */
const TOTAL = LIMITS.bytes - LIMITS.connections * LEAST;

const twrite = (tag: number, fid: number, n: number): Tmsg => ({
  type: F.Twrite,
  tag,
  fid,
  offset: 0,
  data: new Uint8Array(n),
});

/** Watches the bytes counted; `most` is the most there were. */
function watched(bytes: Bytes): { most: number } {
  const seen = { most: 0, used: bytes.used };
  Object.defineProperty(bytes, "used", {
    get: () => seen.used,
    set(n: number) {
      seen.used = n;
      seen.most = Math.max(seen.most, n);
    },
  });
  return seen;
}

type Far = { readonly shares: Shares; readonly seen: { readonly most: number } };

/** A ramfs with LIMITS on the machine far, and fn as a program of another. */
function served(fn: (t: ExecutionContext, sys: Sys, far: Far) => Promise<void>) {
  return async (t: ExecutionContext): Promise<void> => {
    const net = simnet();
    const [here, far] = [await net.boot("here"), await net.boot("far")];
    net.link("here", "far", { rtt: "1ms" });
    const what = await new Promise<Far>((resolve) => {
      far.spawn(
        function* main(sys: ThreadSys): Task<Exit> {
          const srv = newram(sys, { user: "glenda", perm: 0o777 }) as Anysrv;
          const porter = new Porter(sys, srv, LIMITS);
          const { shares } = porter;
          const at = yield* announce(sys, "tcp!*!564");
          resolve({ shares, seen: watched(shares.bytes) });
          return yield* porter.run(at);
        },
        ["serve"],
      );
    });
    await run(here, async (sys: Sys) => {
      await fn(t, sys, what);
      await sys.sleep(100);
    });
    await net.shutdown();
    for (const [name, audit] of Object.entries(net.audit())) t.deepEqual(audit, NOTHING, name);
    t.is(what.shares.bytes.used, 0);
    t.is(what.shares.bytes.holders, 0);
    t.is(what.shares.bytes.queue.length, 0);
  };
}

/** A client with the file `name` open for writing as fid 1. */
async function writer(sys: Sys, name: string): Promise<Rawclient> {
  const c = await Rawclient.dial(sys, ADDR);
  await c.rpc(version("9P2000.ix.stream", MB), attach(), walk(0, 1), create(1, name, OWRITE));
  return c;
}

/** Milliseconds of the clock. */
const now = async (sys: Sys): Promise<number> => Number((await sys.nsec()) / 1_000_000n);

test(
  "half-sent frames take no more than all the room and one frame, and a client beside them is served",
  served(async (t, sys, { seen }) => {
    const half = pack(twrite(1, 1, MB - 100)).subarray(0, 300_000);
    const good = await writer(sys, "good");
    const silent = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const c = await writer(sys, `f${i}`);
        void sys.write(c.fd, half).catch(() => 0);
        return c;
      }),
    );
    await sys.sleep(100);
    const began = await now(sys);
    t.deepEqual((await good.rpc(twrite(1, 1, 8192))).map(said), ["1 write:8192"]);
    t.true((await now(sys)) - began <= 10, "a frame within LEAST bytes waits for no other client");
    t.true(seen.most > TOTAL / 2, `${seen.most} bytes at most: the room was not filled`);
    t.deepEqual((await good.rpc(twrite(1, 1, 500_000))).map(said), ["1 write:500000"]);
    const took = (await now(sys)) - began;
    t.true(took <= 20_000, `${took} ms`);
    t.true(seen.most <= TOTAL + MB, `${seen.most} bytes of ${TOTAL}`);
    await Promise.all([good, ...silent].map((c) => c.close()));
  }),
);

/** What clients beside a well-behaved one send of a frame of 1 MB, how many they are, and how they begin. */
type Halves = { readonly n: number; readonly sent: number; readonly every: number };

for (const { n, sent, every } of [
  { n: 100, sent: 300_000, every: 0 },
  { n: 40, sent: 900_000, every: 0 },
  { n: 100, sent: 300_000, every: 20 },
] satisfies readonly Halves[])
  test(
    `a write beside ${n} clients that send ${sent} bytes of a frame, one each ${every} ms, waits half a second at most`,
    served(async (t, sys, { seen }) => {
      const half = pack(twrite(1, 1, MB - 100)).subarray(0, sent);
      const good = await writer(sys, "good");
      const silent: Rawclient[] = [];
      const begin = async (i: number): Promise<void> => {
        await sys.sleep(i * every);
        const c = await writer(sys, `f${i}`);
        silent.push(c);
        void sys.write(c.fd, half).catch(() => 0);
      };
      const begun = Array.from({ length: n }, (_, i) => begin(i));
      const waited: number[] = [];
      for (let i = 0; i < 20; i++) {
        const began = await now(sys);
        t.deepEqual((await good.rpc(twrite(1, 1, 200_000))).map(said), ["1 write:200000"]);
        waited.push((await now(sys)) - began);
        await sys.sleep(50);
      }
      await Promise.all(begun);
      t.true(Math.max(...waited) <= 500, waited.join(" "));
      t.true(seen.most > TOTAL / 2, `${seen.most} bytes at most: the room was not filled`);
      t.true(seen.most <= TOTAL + MB, `${seen.most} bytes of ${TOTAL}`);
      await Promise.all([good, ...silent].map((c) => c.close()));
    }),
  );

test(
  "clients that wrote much and are quiet keep no room from others, and are not hung up on",
  served(async (t, sys, { shares }) => {
    const quiet = await Promise.all(Array.from({ length: 40 }, (_, i) => writer(sys, `f${i}`)));
    for (const c of quiet) t.is((await c.rpc(twrite(1, 1, 500_000))).length, 1);
    t.true(shares.bytes.used > TOTAL / 2, `${shares.bytes.used} bytes: they had no long buffers`);
    const slow = [await writer(sys, "slow"), await writer(sys, "slower")];
    const good = await writer(sys, "good");
    const frame = pack(twrite(1, 1, MB - 100));
    for (const c of slow) await sys.write(c.fd, frame.subarray(0, 900_000));
    const began = await now(sys);
    t.deepEqual((await good.rpc(twrite(1, 1, MB - 100))).map(said), [`1 write:${MB - 100}`]);
    t.true((await now(sys)) - began <= 50);
    t.true(shares.bytes.used < TOTAL / 2, `${shares.bytes.used} bytes: they still have them`);
    for (const c of slow) {
      await sys.write(c.fd, frame.subarray(900_000));
      t.not(await c.next(), null);
    }
    for (const c of quiet) t.is((await c.rpc(stat(1))).length, 1);
    await Promise.all([...slow, good, ...quiet].map((c) => c.close()));
  }),
);

test(
  "clients that pause in the middle of a frame are not hung up on while others come to their turn",
  served(async (t, sys) => {
    const [short, long] = [pack(twrite(1, 1, 200_000)), pack(twrite(1, 1, MB - 100))];
    const slow = await Promise.all(Array.from({ length: 17 }, (_, i) => writer(sys, `s${i}`)));
    const busy = await Promise.all(Array.from({ length: 8 }, (_, i) => writer(sys, `b${i}`)));
    for (const c of slow) await sys.write(c.fd, short.subarray(0, 150_000));
    const write = async (c: Rawclient, frame: Uint8Array): Promise<void> => {
      await sys.write(c.fd, frame.subarray(0, 900_000));
      await sys.sleep(100);
      await sys.write(c.fd, frame.subarray(900_000));
      t.not(await c.next(), null);
    };
    await Promise.all(
      busy.map(async (c) => {
        for (let i = 0; i < 8; i++) await write(c, long);
      }),
    );
    for (const c of slow) {
      await sys.write(c.fd, short.subarray(150_000)).catch(() => 0);
      t.not(await c.next(), null);
    }
    await Promise.all([...slow, ...busy].map((c) => c.close()));
  }),
);

for (const [pauses, pause] of [
  ["50 ms", () => 50],
  ["up to 1 s", (i: number) => 25 * i],
] as const)
  test(
    `frames that fill the room with their halves, and pause for ${pauses}, come whole one after another`,
    served(async (t, sys, { seen }) => {
      const all = await Promise.all(Array.from({ length: 40 }, (_, i) => writer(sys, `f${i}`)));
      const replies = await Promise.all(
        all.map(async (c, i) => {
          const frame = pack(twrite(1, 1, MB - 100));
          const begun = sys.write(c.fd, frame.subarray(0, 300_000));
          await sys.sleep(pause(i));
          await begun;
          await sys.write(c.fd, frame.subarray(300_000)).catch(() => 0);
          const reply = await c.next();
          return reply === null ? "hung up" : said(reply);
        }),
      );
      t.deepEqual(replies, Array(40).fill(`1 write:${MB - 100}`));
      t.true(seen.most > (3 / 4) * TOTAL, `${seen.most} bytes of ${TOTAL}: no client had to wait`);
      t.true(seen.most <= TOTAL + MB, `${seen.most} bytes of ${TOTAL}`);
      await Promise.all(all.map((c) => c.close()));
    }),
  );

/** A connection whose fid 1 has a file open to write, when `hog` has all the room of the server. */
function full(file: string): { rig: Rig; shares: Shares; hog: Room; conn: Conn<unknown> } {
  const rig = new Rig();
  const srv = new Slowsrv(rig) as unknown as Anysrv;
  const shares = new Shares(srv, new Log(rig.sys), LIMITS);
  const conn = new Conn(rig.sys, { in: 0, out: 1 }, srv, shares);
  rig.sys.threadcreate(conn.run());
  rig.rpc(version("9P2000.ix.stream", MB), attach(), walk(0, 1, file), open(1, OWRITE));
  const hog = new Room(shares.bytes);
  hog.add(TOTAL + LEAST);
  return { rig, shares, hog, conn };
}

test("a Tflush behind big writes is heeded while the server has no room", (t) => {
  const { rig, shares, hog } = full("slow");
  rig.rpc(walk(0, 2, "f"));
  rig.send(pack(twrite(1, 1, 200_000), flush(1, 10), twrite(2, 1, 5000), stat(2, 3)));
  rig.run();
  t.deepEqual(rig.replies().map(said), [`10 ${F.Rflush}`, `3 ${F.Rstat}`]);
  t.true(shares.bytes.used <= TOTAL + 5100, `${shares.bytes.used - TOTAL} bytes too many`);
  hog.add(-hog.held);
  rig.send(null);
  rig.run();
  t.is(shares.bytes.used, 0);
  t.is(rig.threads, 0);
});

test("small requests that take time wait when there is no room, and a Tflush before them does not", (t) => {
  const { rig, shares, hog } = full("slow");
  const most = shares.bytes.used + LEAST;
  for (let tag = 1; tag <= 40; tag++) rig.send(pack(twrite(tag, 1, 2000)));
  rig.run();
  t.true(rig.input.length > 20, `${rig.input.length} requests are still to be read`);
  t.true(shares.bytes.used <= most, `${shares.bytes.used - most} bytes too many`);
  hog.add(-hog.held);
  rig.run();
  t.is(rig.input.length, 0);
  rig.send(null);
  rig.run();
  t.is(shares.bytes.used, 0);
  t.is(rig.threads, 0);
});

test("a client that overdrew and reads no replies does not keep others from it", (t) => {
  const { rig, shares, hog } = full("f");
  const frame = pack(twrite(1, 1, 200_000));
  rig.send(frame.subarray(0, 100_000));
  rig.run();
  t.not(shares.bytes.overdrawn, null);
  rig.stuck = true;
  rig.send(frame.subarray(100_000));
  for (let i = 0; i < 300; i++) rig.send(pack(stat(1, 2)));
  rig.run();
  t.true(rig.input.length > 0, "the reader waits for the client");
  t.is(shares.bytes.overdrawn, null);
  hog.add(-hog.held);
  rig.unstick();
  rig.send(null);
  rig.run();
  t.is(rig.threads, 0);
});

test("room that comes in two parts wakes a client that waits for it once", (t) => {
  const { rig, shares, hog } = full("slow");
  rig.send(pack(...Array.from({ length: 20 }, (_v, i) => twrite(i, 1, 2000))));
  rig.run();
  hog.add(-MB);
  hog.add(-MB);
  rig.run();
  t.is(rig.input.length, 0);
  hog.add(-hog.held);
  rig.send(null);
  rig.run();
  t.is(shares.bytes.used, 0);
  t.is(rig.threads, 0);
});

test("a client that is hung up on just as there is room for it leaves nothing behind", (t) => {
  for (const roomfirst of [true, false]) {
    const { rig, shares, hog, conn } = full("slow");
    rig.send(pack(...Array.from({ length: 20 }, (_v, i) => twrite(i, 1, 2000))));
    rig.run();
    t.is(shares.bytes.queue.length, 1);
    const free = (): void => hog.add(-hog.held);
    if (roomfirst) free();
    conn.hangup();
    if (!roomfirst) free();
    rig.run();
    t.is(shares.bytes.used, 0);
    t.is(rig.threads, 0);
  }
});

/** A frame, of which the client has sent the beginning, waits for room: one connection may overdraw, and another does. */
function waiting(): ReturnType<typeof full> & { other: Room; frame: Uint8Array } {
  const server = full("f");
  const { rig, shares } = server;
  const other = new Room(shares.bytes);
  shares.bytes.overdrawn = other;
  const frame = pack(twrite(1, 1, 200_000));
  rig.send(frame.subarray(0, LEAST));
  rig.run();
  return { ...server, other, frame };
}

test("a frame that waited for its room comes whole, also when its next bytes are few and others have left", (t) => {
  const { rig, shares, hog, other, frame } = waiting();
  t.is(shares.bytes.queue.length, 1);
  hog.add(-hog.held);
  other.repay();
  rig.run();
  for (const [from, to] of [
    [LEAST, LEAST + 1000],
    [LEAST + 1000, LEAST + 2000],
    [LEAST + 2000, frame.length],
  ] as const) {
    rig.send(frame.subarray(from, to));
    rig.run();
  }
  t.deepEqual(
    rig.replies().map((r) => r.type),
    [F.Rwrite],
  );
  rig.send(null);
  rig.run();
  t.is(rig.threads, 0);
});

test("a frame that waited for its room keeps it while the server stays short of room", (t) => {
  const { rig, shares, hog, frame } = waiting();
  t.is(shares.bytes.queue.length, 1);
  // Room for the frame, below the eighth for clients that have sent as much before.
  hog.add(-(TOTAL / 8 + frame.length + LEAST));
  rig.run();
  t.is(shares.bytes.queue.length, 0);
  const { used } = shares.bytes;
  rig.send(frame.subarray(LEAST, LEAST + 1000));
  rig.run();
  t.is(shares.bytes.used, used);
  rig.send(frame.subarray(LEAST + 1000));
  rig.run();
  t.deepEqual(
    rig.replies().map((r) => r.type),
    [F.Rwrite],
  );
  hog.add(-hog.held);
  rig.send(null);
  rig.run();
  t.is(rig.threads, 0);
});

/** A server of a file d/g of 200,000 bytes, to which a client has said hello. */
function greeted(): { rig: Rig; asked: () => number } {
  const rig = new Rig();
  const seen = { length: 0 };
  const plain = rig.sys.read.bind(rig.sys);
  rig.sys.read = (fd, buf) => {
    seen.length = buf.length;
    return plain(fd, buf);
  };
  const srv = new Slowsrv(rig) as unknown as Anysrv;
  new Conn(rig.sys, { in: 0, out: 1 }, srv).start(() => undefined);
  rig.rpc(version("9P2000.ix.stream", MB), attach());
  return { rig, asked: () => seen.length };
}

test("a connection on which little comes has one thread, and a short buffer until more comes", (t) => {
  const { rig, asked } = greeted();
  t.is(rig.threads, 1);
  t.is(asked(), 256);
  for (let i = 0; i < 3; i++) rig.rpc(stat(0));
  t.is(asked(), 256);
  t.is(rig.rpc(walk(0, 1, "x".repeat(300))).length, 1);
  t.is(asked(), 4096);
  t.is(rig.rpc(...Array.from({ length: 800 }, () => stat(0))).length, 800);
  t.is(asked(), 262_144);
  rig.send(null);
  rig.run();
  t.is(rig.threads, 0);
});

test("a reply that is longer than a buffer goes out in pieces, and is whole among others", (t) => {
  const { rig } = greeted();
  rig.rpc(walk(0, 1, "d/g"), open(1));
  const sent = rig.output.length;
  const long = read(1, 1, 0, 200_000);
  const replies = rig.rpc(stat(1, 2), long, long, stat(1, 3), read(1, 4, 5, 100), long);
  t.deepEqual(
    replies.map((r) => r.tag),
    [2, 1, 1, 3, 4, 1],
  );
  const byte = (i: number): number => i % 251;
  for (const r of replies)
    if (r.type === F.Rread) {
      const from = r.tag === 4 ? 5 : 0;
      t.is(r.data.length, r.tag === 4 ? 100 : 200_000);
      t.true(r.data.every((b, i) => b === byte(from + i)));
    }
  const pieces = rig.output.slice(sent);
  t.true(
    pieces.every((b) => b.length <= 133_120),
    `${pieces.map((b) => b.length).join(" ")}`,
  );
});
