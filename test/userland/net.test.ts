// Several kernels on one clock, the little internet made of them, and how a person writes times and rates.

import test from "ava";
import { OWRITE } from "../../kernel/abi/const.ts";
import type { Event } from "../../kernel/trace.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { type Given, parse } from "../../userland/host/command.ts";
import { serve9p, serveramfs, simnet } from "../../userland/boot/net.ts";
import { run as runcommand } from "../../userland/host/run.ts";
import { hostof } from "../../userland/boot/simhost.ts";
import { bootgiven } from "../../userland/host/simrun.ts";
import { parsechance, parserate, parsetime, showtime } from "../../userland/boot/units.ts";
import { dial } from "../../userland/lib/dial.ts";
import { newram } from "../../userland/lib/ram.ts";
import { NOTHING, cat, failure, run } from "../kit/kit.ts";

test("machines share one clock, and each traces its own processes", async (t) => {
  const net = simnet();
  const [a, b] = [await net.boot("a"), await net.boot("b")];
  const events: Record<string, Event[]> = { a: [], b: [] };
  for (const [name, k] of net.machines) k.trace.listen((e) => events[name]?.push(e));
  const sleeper = async (sys: Sys, [, ms]: readonly string[]): Promise<string> => {
    await sys.sleep(Number(ms));
    return `${(await sys.nsec()) - BigInt(a.boottime) * 1_000_000_000n}`;
  };
  const [p, q] = [a.spawn(sleeper, ["p", "30"]), b.spawn(sleeper, ["q", "20"])];
  t.is(await p.wait(), "30000000");
  t.is(await q.wait(), "20000000");
  const calls = (name: string): string[] =>
    (events[name] ?? [])
      .filter((e) => e.type === "return")
      .map((e) => `${e.call?.name} ${e.pid} ${e.at}`);
  t.deepEqual(calls("a"), [`sleep ${p.pid} 30000000`, `nsec ${p.pid} 30000000`]);
  t.deepEqual(calls("b"), [`sleep ${q.pid} 20000000`, `nsec ${q.pid} 20000000`]);
  await net.shutdown();
});

test("one machine can be shut down, and the others run on", async (t) => {
  const net = simnet();
  const [a, b] = [await net.boot("a"), await net.boot("b")];
  net.link("a", "b", { rtt: "10ms" });
  await serveramfs(b, "tcp!*!564");
  const p = a.spawn(async (sys: Sys) => {
    await sys.mount(await dial(sys, "tcp!b!564"), -1, "/n", 0, "");
    await sys.sleep(1000);
    return await failure(sys.stat("/n/x"));
  });
  const q = a.spawn((sys: Sys) => sys.sleep(500));
  await q.wait();
  await b.shutdown();
  t.deepEqual(b.audit(), NOTHING);
  t.throws(() => b.spawn(() => undefined), { message: /not running/ });
  t.is(await p.wait(), "'/n/x' i/o on hungup channel");
  await net.shutdown();
  t.deepEqual(a.audit(), NOTHING);
});

test("a panic of one stops all", async (t) => {
  const net = simnet();
  const [a, b] = [await net.boot("a"), await net.boot("b")];
  const p = b.spawn((sys: Sys) => sys.sleep(1000));
  a.panic(new Error("a test's"));
  await t.throwsAsync(p.wait(), { message: /^panic: .*a test's/ });
  t.is(b.panicked, a.panicked);
  t.throws(() => a.spawn(() => undefined), { message: /not running/ });
});

test("a network says what cannot be", async (t) => {
  const net = simnet();
  const a = await net.boot("a");
  await net.boot("b");
  await t.throwsAsync(net.boot("a"), { message: "there is a machine a already" });
  t.throws(() => net.link("a", "c", { rtt: "1ms" }), { message: "there is no machine c" });
  t.throws(() => net.link("a", "b", { rtt: "fast" }), {
    message: /^bad time 'fast': a number and/,
  });
  net.link("a", "b", { rtt: "1ms" });
  t.throws(() => net.link("b", "a", { rtt: "1ms" }), { message: /a link from b to a already/ });
  await t.throwsAsync(
    serve9p(a, "tcp!b!564", (sys) => newram(sys, { user: "glenda" })),
    {
      message: "cannot serve at tcp!b!564: not a local IP address",
    },
  );
  await net.shutdown();
});

test("times, rates and probabilities are read with their units", (t) => {
  const times = ["50ms", "1.5s", "3us", "3µs", "7ns", "2 m", "1h", "0"].map(parsetime);
  t.deepEqual(times, [50e6, 1.5e9, 3000, 3000, 7, 120e9, 3600e9, 0]);
  t.deepEqual(["600KB/s", "1GB/s", "2.5MB/s", "9B/s"].map(parserate), [600_000, 1e9, 2_500_000, 9]);
  t.deepEqual(["1%", "0.5", "0", "100%"].map(parsechance), [0.01, 0.5, 0, 1]);
  for (const bad of ["50", "ms", "-1ms", "1 day", "", "1e3ms", "99999999999h"])
    t.throws(() => parsetime(bad), { message: /^bad time / }, bad);
  for (const bad of ["600", "600KB", "600kb/s", "0B/s", "600K", "9999GB/s"])
    t.throws(() => parserate(bad), { message: /^bad rate / }, bad);
  for (const bad of ["2", "101%", "-1%", "x"])
    t.throws(() => parsechance(bad), { message: /^bad probability / }, bad);
  t.deepEqual([0, 5, 1500, 50e6, 1.5e9].map(showtime), ["0", "5ns", "1.5us", "50ms", "1.5s"]);
});

test("--host is a name and what the link is like", (t) => {
  t.deepEqual(hostof("far:rtt=50ms"), { name: "far", link: { rtt: "50ms" } });
  t.deepEqual(hostof("f-1.x:bw=1MB/s,rtt=5ms,jitter=1ms,loss=1%,version=9P2000"), {
    name: "f-1.x",
    link: { rtt: "5ms", bw: "1MB/s", jitter: "1ms", loss: "1%" },
    version: "9P2000",
  });
  const complaints: readonly (readonly [string, RegExp])[] = [
    ["far", /how far is it/],
    ["far:rtt", /bad time ''/],
    ["far:rtt=50", /bad time '50'/],
    ["far:rtt=5ms,speed=1", /unknown speed/],
    ["far:rtt=1ms,rtt=2ms", /far is given rtt twice/],
    ["far:rtt=5ms,version=9P1999", /bad version '9P1999'/],
    [":rtt=5ms", /'' is no name for a machine/],
    ["gnot:rtt=5ms", /gnot is the machine that runs/],
  ];
  for (const [text, message] of complaints) t.throws(() => hostof(text), { message }, text);
});

/** What a program that is run with these options sees of the time. */
async function costs(options: readonly string[]): Promise<string> {
  const given: Given = parse(runcommand, [...options, "prog"]);
  const here = await bootgiven(given, {});
  const { output } = await run(here.kernel, async (sys: Sys) => {
    for (const { addr, dir } of here.mounts) {
      await sys.close(await sys.create(dir, 0, 0x80000000 + 0o777));
      await sys.mount(await dial(sys, addr), -1, dir, 4, "");
    }
    const before = await sys.nsec();
    const fd = await sys.create("/n/far/x", OWRITE, 0o666);
    await sys.write(fd, new Uint8Array(6000));
    await sys.close(fd);
    await sys.write(
      1,
      Buffer.from(`${(await sys.nsec()) - before} ${await cat(sys, "/dev/sysname")}`),
    );
  });
  await here.shutdown();
  return output;
}

test("a run on simulated machines costs exactly what the link says, each time", async (t) => {
  const far = ["--virtual", "--host", "far:rtt=50ms", "--host", "near:rtt=1ms"];
  t.is(await costs(far), "100000000 gnot");
  const slow = ["--virtual", "--host", "far:rtt=50ms,bw=600KB/s,version=9P2000"];
  t.regex(await costs(slow), /^[12]\d{8} /);
  const lossy = ["--virtual", "--host", "far:rtt=50ms,jitter=9ms,loss=9%"];
  const once = await costs([...lossy, "--seed", "3"]);
  t.is(await costs([...lossy, "--seed", "3"]), once);
  t.not(await costs([...lossy, "--seed", "4"]), once);
  const says = (options: readonly string[]): Promise<unknown> =>
    t.throwsAsync(bootgiven(parse(runcommand, [...options, "prog"]), {}));
  t.regex(String(await says(["--seed", "x"])), /--seed x/);
  t.regex(String(await says(["--namespace", "x"])), /there are names and standard/);
  t.regex(String(await says([...far, "--host", "far:rtt=1ms"])), /far is given twice/);
});
