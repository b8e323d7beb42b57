// The simulated network: what takes how long, to the nanosecond, and what its faults do.

import test from "ava";
import type { ExecutionContext } from "ava";
import { ORDWR } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { type Linkspec, type Net, Netlink, type Netopts, simnet } from "../../userland/boot/net.ts";
import { accept, announce, dial, listen, netaddr } from "../../userland/lib/dial.ts";
import { NOTHING, cat, failure } from "../kit/kit.ts";

const MS = 1_000_000;
const S = 1000 * MS;

/** Two machines with a link, and the system calls of a program on each. */
type Pair = { readonly net: Net; readonly link: Netlink; readonly a: Sys; readonly b: Sys };

/** The system calls of a process that does nothing itself until `over`. */
async function login(net: Net, name: string, over: Promise<void>): Promise<Sys> {
  const k = net.machines.get(name) ?? (await net.boot(name));
  return new Promise((resolve) => {
    k.spawn(async (sys: Sys) => {
      resolve(sys);
      await over;
    });
  });
}

/** A test with two machines, which have nothing left in the end. */
function pair(
  spec: Linkspec & Netopts,
  fn: (t: ExecutionContext, p: Pair) => Promise<void>,
): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const net = simnet(spec);
    let end: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    const [a, b] = [await login(net, "a", over), await login(net, "b", over)];
    await fn(t, { net, a, b, link: net.link("a", "b", spec) });
    end();
    await net.shutdown();
    for (const audit of Object.values(net.audit())) t.deepEqual(audit, NOTHING);
  };
}

/** A connection from a to b: a descriptor on each side. */
async function connect({ a, b }: Pair, port = 1): Promise<readonly [fda: number, fdb: number]> {
  const at = await announce(b, `tcp!*!${port}`);
  const dialling = dial(a, `tcp!b!${port}`);
  const fdb = await accept(b, await listen(b, at.dir));
  const fda = await dialling;
  await b.close(at.cfd);
  return [fda, fdb];
}

/** How long it takes. */
async function time(net: Net, fn: () => Promise<unknown>): Promise<number> {
  const began = net.now;
  await fn();
  return net.now - began;
}

/** Reads n bytes, in whatever pieces they come, and when each came. */
async function receive(
  net: Net,
  sys: Sys,
  fd: number,
  n: number,
): Promise<{ bytes: Uint8Array; times: number[] }> {
  const bytes = new Uint8Array(n);
  const times: number[] = [];
  for (let have = 0; have < n;) {
    const got = await sys.read(fd, bytes.subarray(have));
    if (got === 0) throw new Error("end of file");
    have += got;
    times.push(net.now);
  }
  return { bytes, times };
}

const bytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 7) & 255);

test(
  "calling is one round trip, also when nobody takes the call",
  pair({ rtt: "50ms", bw: "1KB/s" }, async (t, p) => {
    const { net, a, b } = p;
    t.is(await time(net, () => connect(p)), 50 * MS);
    t.is(
      await time(net, async () => t.is(await failure(dial(a, "tcp!b!2")), "connection refused")),
      50 * MS,
    );
    t.is(await failure(dial(a, "tcp!c!2")), "dns: name does not exist");
    await net.boot("c");
    t.is(await failure(dial(a, "tcp!c!2")), "no route");
    const far = await announce(b, "tcp!b!564");
    t.is(await failure(announce(b, "tcp!a!565")), "not a local IP address");
    t.is(await failure(announce(b, "tcp!*!564")), "address in use");
    t.is(await cat(b, `${far.dir}/local`), "b!564\n");
  }),
);

test(
  "a machine reaches itself in no time, by any of its names",
  pair({ rtt: "50ms" }, async (t, { net, a }) => {
    const at = await announce(a, "tcp!*!7");
    const spent = await time(net, async () => {
      for (const host of ["a", "localhost", "127.0.0.1"]) {
        const fd = await dial(a, `tcp!${host}!7`);
        const call = await listen(a, at.dir);
        t.is(await netaddr(a, call.dir, "local"), "a!7");
        const fd2 = await accept(a, call);
        await a.write(fd, bytes(100));
        t.deepEqual((await receive(net, a, fd2, 100)).bytes, bytes(100));
        await a.close(fd);
        await a.close(fd2);
      }
    });
    t.is(spent, 0);
  }),
);

test(
  "bytes arrive rtt/2 after the last of them is on the wire, each direction with its own rate",
  pair({ rtt: "51ns", bw: "1MB/s", bwback: "3KB/s" }, async (t, p) => {
    const { net, a, b } = p;
    const [fda, fdb] = await connect(p);
    const began = net.now;
    const reading = receive(net, b, fdb, 1000);
    t.is(await time(net, () => a.write(fda, bytes(1000))), 1000 * 1000);
    t.deepEqual((await reading).times, [began + 1_000_000 + 25]);
    const back = net.now;
    const answer = receive(net, a, fda, 10);
    await b.write(fdb, bytes(10));
    // 10 bytes at 3000 bytes a second are 3,333,333.3 ns, cut to whole ones; the way back is 26 ns.
    t.deepEqual((await answer).times, [back + 3_333_333 + 26]);
  }),
);

test(
  "a burst takes the time of all its bytes, to the nanosecond, however it is cut",
  pair({ rtt: "0", bw: "600KB/s" }, async (t, p) => {
    const { net, a, b } = p;
    const [fda, fdb] = await connect(p);
    const began = net.now;
    const reading = receive(net, b, fdb, 1_000_003);
    for (const n of [1, 2, 200_000, 800_000]) await a.write(fda, bytes(n));
    const { times } = await reading;
    t.is((times.at(-1) ?? 0) - began, Math.floor((1_000_003 * 1e9) / 600_000));
    await b.close(fdb);
  }),
);

test(
  "connections on one link share it",
  pair({ rtt: "10ms", bw: "1MB/s" }, async (t, p) => {
    const { net, a, b } = p;
    const [one, two] = [await connect(p, 1), await connect(p, 2)];
    const began = net.now;
    const big = receive(net, b, one[1], 1_000_000);
    const small = receive(net, b, two[1], 65_536);
    const writing = [a.write(one[0], bytes(1_000_000)), a.write(two[0], bytes(65_536))];
    // The small one waits for one piece of the other: 64 KiB.
    t.is(((await small).times.at(-1) ?? 0) - began, 131_072_000 + 5 * MS);
    t.is(((await big).times.at(-1) ?? 0) - began, 1_065_536_000 + 5 * MS);
    await Promise.all(writing);
  }),
);

test(
  "a writer sleeps until what it wrote is on the wire, and one that is interrupted has written it",
  pair({ rtt: "10ms", bw: "1KB/s" }, async (t, p) => {
    const { net, a, b } = p;
    const [fda, fdb] = await connect(p);
    await a.notify(async (_note, sys) => (sys as Sys).noted(0));
    await a.alarm(100);
    t.is(
      await time(net, async () => t.is(await failure(a.write(fda, bytes(1000))), "interrupted")),
      100 * MS,
    );
    t.deepEqual((await receive(net, b, fdb, 1000)).bytes, bytes(1000));
    t.is(await cat(a, "/net/tcp/0/status"), "Established qin 0 qout 0\n");
  }),
);

test(
  "a receiver that does not read stops its sender, until it does",
  pair({ rtt: "10ms" }, async (t, p) => {
    const { net, a, b } = p;
    const [fda, fdb] = await connect(p);
    await a.write(fda, bytes(1_000_000));
    await a.sleep(1000);
    await a.write(fda, bytes(100_000));
    await a.sleep(1000);
    const began = net.now;
    let done = 0;
    const writing = a.write(fda, bytes(5)).then(() => (done = net.now));
    await b.sleep(60_000);
    t.is(done, 0);
    await receive(net, b, fdb, 1_000_000);
    await writing;
    t.is(done, began + 60_000 * MS);
    t.is((await receive(net, b, fdb, 100_005)).bytes.length, 100_005);
  }),
);

/** How long each of 20 pairs of pieces takes over a link with jitter. */
async function jittered(t: ExecutionContext, seed: number, other: boolean): Promise<number[]> {
  const all: number[] = [];
  const exchange = pair({ rtt: "50ms", jitter: "20ms", seed }, async (_t, p) => {
    const { net, a, b } = p;
    if (other) {
      await net.boot("c");
      net.link("a", "c", { rtt: "1ms", jitter: "1ms" });
      await failure(dial(a, "tcp!c!1"));
    }
    const [fda, fdb] = await connect(p);
    for (let i = 0; i < 20; i++) {
      const began = net.now;
      await a.write(fda, Uint8Array.of(i, 1));
      await a.write(fda, Uint8Array.of(i, 2));
      t.deepEqual([...(await receive(net, b, fdb, 4)).bytes], [i, 1, i, 2]);
      all.push(net.now - began);
    }
  });
  await exchange(t);
  return all;
}

test("jitter delays each piece by chance and changes no order; the seed decides", async (t) => {
  const times = await jittered(t, 1, false);
  for (const ns of times) t.true(ns >= 25 * MS && ns <= 45 * MS, String(ns));
  t.true(new Set(times).size > 15);
  t.deepEqual(await jittered(t, 1, false), times);
  t.notDeepEqual(await jittered(t, 2, false), times);
  t.deepEqual(await jittered(t, 1, true), times, "another link changes nothing here");
});

test(
  "loss is felt as delay: what was lost comes later, and so does what is behind it",
  pair({ rtt: "50ms", loss: "20%", seed: 7 }, async (t, p) => {
    const { net, a, b } = p;
    const [fda, fdb] = await connect(p);
    const delays = new Set<number>();
    for (let i = 0; i < 100; i++) {
      const began = net.now;
      await a.write(fda, bytes(10));
      const { times } = await receive(net, b, fdb, 10);
      delays.add(((times[0] ?? 0) - began) / MS);
    }
    t.deepEqual([...delays].toSorted((x, y) => x - y).slice(0, 3), [25, 225, 625]);
    const began = net.now;
    for (let i = 0; i < 50; i++) await a.write(fda, Uint8Array.of(i));
    t.is(net.now, began);
    const { bytes: got } = await receive(net, b, fdb, 50);
    t.deepEqual(
      [...got],
      Array.from({ length: 50 }, (_, i) => i),
    );
    t.true(net.now > began + 200 * MS);
  }),
);

test(
  "a cut hangs up what goes over the link, and calls go through when it has healed",
  pair({ rtt: "50ms" }, async (t, p) => {
    const { net, link, a, b } = p;
    const [fda, fdb] = await connect(p);
    await a.write(fda, bytes(3));
    await a.sleep(1000);
    await a.write(fda, bytes(4));
    const waiting = failure(a.read(fda, new Uint8Array(1)));
    await a.sleep(0);
    link.cut();
    t.is(await waiting, "i/o on hungup channel");
    t.is(await failure(a.write(fda, bytes(1))), "i/o on hungup channel");
    t.is(await b.read(fdb, new Uint8Array(10)), 3);
    t.is(await failure(b.read(fdb, new Uint8Array(10))), "i/o on hungup channel");
    t.is(await cat(b, "/net/tcp/1/status"), "Closed qin 0 qout 0\n");
    const at = await announce(b, "tcp!*!2");
    t.is(
      await time(net, async () => t.is(await failure(dial(a, "tcp!b!2")), "connection timed out")),
      15 * S,
    );
    const dialling = time(net, () => dial(a, "tcp!b!2"));
    await a.sleep(2000);
    link.heal();
    // It calls after 0, 1 and 3 s.
    t.is(await dialling, 3 * S + 50 * MS);
    t.regex((await listen(b, at.dir)).dir, /tcp/);
  }),
);

test(
  "a call on its way when the link is cut is made again",
  pair({ rtt: "50ms" }, async (t, p) => {
    const { net, link, a, b } = p;
    const at = await announce(b, "tcp!*!2");
    const dialling = time(net, () => dial(a, "tcp!b!2"));
    await a.sleep(30);
    link.cut();
    link.heal();
    t.is(await dialling, 30 * MS + 1 * S + 50 * MS);
    const first = await accept(b, await listen(b, at.dir));
    t.is(await failure(b.read(first, new Uint8Array(1))), "i/o on hungup channel");
  }),
);

test(
  "a stall delays all that is on the way or comes meanwhile, and loses nothing",
  pair({ rtt: "50ms", bw: "1KB/s" }, async (t, p) => {
    const { net, link, a, b } = p;
    const [fda, fdb] = await connect(p);
    const began = net.now;
    const writing = time(net, () => a.write(fda, bytes(100)));
    const reading = receive(net, b, fdb, 200);
    await a.sleep(40);
    link.stall("1s");
    link.stall("500ms");
    t.is(await writing, 1600 * MS);
    const back = b.write(fdb, bytes(1));
    await a.write(fda, bytes(100));
    t.deepEqual((await reading).times, [began + 1625 * MS, began + 1725 * MS]);
    t.deepEqual((await reading).bytes, Uint8Array.from([...bytes(100), ...bytes(100)]));
    await back;
    // Without a rate there is no wire to wait for, and still nothing leaves before the stall is over.
    await a.sleep(1000);
    link.stall("1s");
    t.is(
      await time(net, () => Promise.all([a.write(fda, bytes(1)), receive(net, b, fdb, 1)])),
      1026 * MS,
    );
  }),
);

test(
  "an end comes behind the bytes; a hangup resets",
  pair({ rtt: "50ms", bw: "1KB/s" }, async (t, p) => {
    const { net, a, b } = p;
    const [fda, fdb] = await connect(p);
    await a.write(fda, bytes(100));
    t.is(await time(net, () => a.close(fda)), 0);
    const began = net.now;
    t.is((await receive(net, b, fdb, 100)).bytes.length, 100);
    t.is(await b.read(fdb, new Uint8Array(1)), 0);
    t.is(net.now, began + 25 * MS);
    // Who writes to one that has gone is told so, one round trip later.
    await b.write(fdb, bytes(1));
    await b.sleep(1000);
    t.is(await failure(b.write(fdb, bytes(1))), "i/o on hungup channel");
    t.is(await b.read(fdb, new Uint8Array(1)), 0);
    const [fd, fd2] = await connect(p, 2);
    const ctl = await a.open("/net/tcp/0/ctl", ORDWR);
    await a.write(fd, bytes(5));
    await a.write(ctl, new TextEncoder().encode("hangup"));
    t.is(await b.read(fd2, new Uint8Array(9)), 5);
    t.is(await failure(b.read(fd2, new Uint8Array(9))), "i/o on hungup channel");
  }),
);

test(
  "a caller that gives up leaves nothing, and calls that nobody takes are refused in the end",
  pair({ rtt: "50ms" }, async (t, p) => {
    const { a, b } = p;
    const at = await announce(b, "tcp!*!2");
    await a.notify(async (_note, sys) => (sys as Sys).noted(0));
    await a.alarm(30);
    t.is(await failure(dial(a, "tcp!b!2")), "interrupted");
    await a.sleep(1000);
    const fd = await accept(b, await listen(b, at.dir));
    t.is(await failure(b.read(fd, new Uint8Array(1))), "i/o on hungup channel");
    const fds = await Promise.all(Array.from({ length: 128 }, () => dial(a, "tcp!b!2")));
    t.is(await failure(dial(a, "tcp!b!2")), "connection refused");
    await b.close(at.cfd);
    await a.sleep(1000);
    for (const f of fds) t.is(await failure(a.read(f, new Uint8Array(1))), "i/o on hungup channel");
  }),
);
