// The messages of the test kit's failures, word for word: each assertion is broken on purpose here.

import test from "ava";
import { OREAD, RFPROC } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { print } from "../../userland/lib/io.ts";
import { Failure, expect, machine } from "../../userland/testing/index.ts";
import type { Run } from "../../userland/testing/index.ts";

async function reader(sys: Sys): Promise<void> {
  const fd = await sys.open("/n/far/usr/ken", OREAD);
  await sys.read(fd, new Uint8Array(100));
  void sys.stat("/tmp");
  await print(sys, "one\ntwo\nthree\nfour\n");
}

/** What a failure says, with the lines of this file as L. */
const plain = (e: Failure | undefined): string =>
  (e?.message ?? "").replace(/test\/userland\/testingmessages\.test\.ts:\d+/g, "L");

const SHOWN = `reader ended, after 100.00 ms:
  open("/n/far/usr/ken", OREAD) = 3    1 round trip, 50.00 ms    L
    → Twalk 0 → 1 usr/ken
    → Topen 1 OREAD
    ← Rwalk 2 qids
    ← Ropen
  read(3, [100]) = 5 "hello"    1 round trip, 50.00 ms    L
    → Tread 1 100 at 0
    ← Rread 5 "hello"
  stat("/tmp") = d-rwxrwxr-x glenda glenda 0 tmp    L
  write(1, "one\\ntwo\\nthree\\nfour\\n") = 19    L
  at the end:
    → Tclunk 1
    ← Rclunk
  not awaited: stat("/tmp")    L`;

const OPENED = `  open("/n/far/usr/ken", OREAD) = 3    1 round trip, 50.00 ms    L
    → Twalk 0 → 1 usr/ken
    → Topen 1 OREAD
    ← Rwalk 2 qids
    ← Ropen`;

const SAID: Readonly<Record<string, readonly [(r: Run) => unknown, string]>> = {
  atMost: [
    (r) => expect(r).atMost({ trips: 2, time: "100ms" }).atMost({ messages: 5 }),
    `reader: at most 5 messages expected, and it took 8 messages\n\n${SHOWN}`,
  ],
  "atMost, of a call": [
    (r) => expect(r.call("open")).atMost({ calls: 1, time: "49ms" }),
    `open("/n/far/usr/ken", OREAD): at most 49ms expected, and it took 50ms\n\n${OPENED}`,
  ],
  order: [
    (r) => expect(r).order("Topen", "Ropen", "Rwalk"),
    `reader: no message "Rwalk" after "Ropen"

    → Twalk 0 → 1 usr/ken
  ✔ → Topen 1 OREAD
    ← Rwalk 2 qids
  ✔ ← Ropen
  ? "Rwalk" is not among those that follow
    → Tread 1 100 at 0
    ← Rread 5 "hello"
    → Tclunk 1
    ← Rclunk`,
  ],
  "order, from the first": [
    (r) => expect(r.call("open")).order("Tstat"),
    `open("/n/far/usr/ken", OREAD): no message "Tstat"

  ? "Tstat" is none of these, which are all
    → Twalk 0 → 1 usr/ken
    → Topen 1 OREAD
    ← Rwalk 2 qids
    ← Ropen`,
  ],
  calls: [
    (r) => expect(r).calls("open", "close"),
    `reader: call 2 should be close, and is read\n\n${SHOWN}`,
  ],
  "calls, one too few": [
    (r) => expect(r).calls("open", "read", "stat", "write", "close"),
    `reader: call 5 should be close, and there are only 4 calls\n\n${SHOWN}`,
  ],
  says: [
    (r) => expect(r).says("one\ntoo\nthree\nfour\n"),
    `reader: the output differs

- expected
+ actual

  one
- too
+ two
  three
  four

${SHOWN}`,
  ],
  "says, in a word": [
    (r) => expect(r).says(/five/),
    `reader: output /five/ expected, and it was "one\\ntwo\\nthree\\nfour\\n"\n\n${SHOWN}`,
  ],
  closes: [
    (r) => expect(r).closes(),
    `reader: 1 descriptor left open: 3 /n/far/usr/ken, which open("/n/far/usr/ken", OREAD) opened (L)\n\n${SHOWN}`,
  ],
  awaits: [(r) => expect(r).awaits(), `reader: 1 call not awaited: stat("/tmp")    L\n\n${SHOWN}`],
  gives: [
    (r) => expect(r.call("stat")).gives({ name: "tmp", qid: { type: 0 } }),
    `stat("/tmp"): the value's .qid.type: 0 expected, and it is 128

  stat("/tmp") = d-rwxrwxr-x glenda glenda 0 tmp    L`,
  ],
  trips: [
    (r) => expect(r.call("open")).trips(2),
    `open("/n/far/usr/ken", OREAD): 2 round trips expected, 1 made\n\n${OPENED}`,
  ],
  sends: [
    (r) => expect(r.call("open")).sends("Twalk", "Tstat"),
    `open("/n/far/usr/ken", OREAD): request 2 should be "Tstat", and is "Topen 1 OREAD"\n\n${OPENED}`,
  ],
  never: [
    (r) => expect(r.call("open")).never("Ropen"),
    `open("/n/far/usr/ken", OREAD): "Ropen" should never come, and "Ropen" came\n\n${OPENED}`,
  ],
  fails: [
    (r) => expect(r.call("open")).fails("no"),
    `open("/n/far/usr/ken", OREAD): it should fail with "no", but it succeeded and gave 3\n\n${OPENED}`,
  ],
  hangs: [
    (r) => expect(r).hangs("read("),
    `reader: it should hang in read(, and it ended\n\n${SHOWN}`,
  ],
  status: [(r) => expect(r).status("x"), `reader: status "x" expected, and it was ""\n\n${SHOWN}`],
};

test("each assertion that does not hold says so word for word", async (t) => {
  const m = await machine();
  await m.server("far", { rtt: "50ms", files: { usr: { ken: "hello" } } });
  const r = await m.run(reader);
  for (const [name, [assertion, said]] of Object.entries(SAID)) {
    const e = t.throws(() => assertion(r), { instanceOf: Failure }, name);
    t.is(plain(e), said, name);
    t.is(e?.operator, name.replace(/,.*/, ""));
  }
  await m.end();
});

test("a run of many calls is cut to the neighbourhood of what failed", async (t) => {
  const m = await machine();
  const r = await m.run(async (sys: Sys) => {
    for (let i = 0; i < 100; i++) await sys.seek(0, i, 0).catch(() => 0);
    await sys.stat("/tmp");
  });
  const names = Array.from({ length: 100 }, (_, i) => (i === 50 ? "read" : "seek"));
  const said = plain(t.throws(() => expect(r).calls(...names, "stat"), { instanceOf: Failure }));
  t.regex(said, /^main: call 51 should be read, and is seek\n\nmain ended:\n {2}35 calls before\n/);
  t.regex(said, /\n {2}seek\(0, 49, 0\) = 49 .*\n\? seek\(0, 50, 0\) = 50 .*\n {2}seek/);
  t.regex(said, /\n {2}and 36 calls more$/);
  await m.end();
});

test("a run of several processes says whose each call is, and leaves out what it did not cost", async (t) => {
  const m = await machine();
  const r = await m.run(async (sys: Sys) => {
    await sys.rfork(RFPROC, (s: Sys) => s.sleep(5));
    await sys.wait();
  });
  t.is(
    plain(t.throws(() => expect(r).status("x"), { instanceOf: Failure })),
    `main: status "x" expected, and it was ""

main ended, after 5.00 ms:
  process 3  rfork(RFPROC, program) = 4    L
  process 4  sleep(5)    5.00 ms    L
  process 3  wait() = {pid 4, time [0, 0, 5], msg ""}    5.00 ms    L`,
  );
  await m.end();
});

test("a run that waits for ever says who could end that", async (t) => {
  const m = await machine();
  const waits = async (sys: Sys): Promise<void> => {
    const [fd] = await sys.pipe();
    await sys.read(fd, new Uint8Array(1));
  };
  const e = await t.throwsAsync(m.run(waits), { instanceOf: Failure });
  t.is(
    plain(e),
    `waits: it waits for ever

waits waits for ever in read(3, [1]):
  pipe() = [3, 4]    L
  read(3, [1]) waits still    L
  process 3 waits in read(3) of #|/data for itself to write to its other end: only its own descriptor is open there`,
  );
  await m.end();
});

test("a process that is left is told with where it was made, what it waits for, and its descriptors", async (t) => {
  const m = await machine();
  await m.run(async (sys: Sys) => {
    await sys.rfork(RFPROC, async (s: Sys) => void (await s.rendezvous("never", 1)));
  });
  t.is(
    plain(await t.throwsAsync(m.end(), { instanceOf: Failure })),
    `at the end this is left:
  here: process 4 main (made at L, waits in rendezvous at "never" for a process, and there is none that could, to come there), and its 3 descriptors`,
  );
});

test("a time that cannot be read is told at the test's line", async (t) => {
  const m = await machine();
  const r = await m.run((sys: Sys) => sys.sleep(1));
  const bad = t.throws(() => expect(r).time("5 parsecs"), {
    message: /^bad time '5 parsecs': a number and ns/,
  });
  t.regex(bad?.stack ?? "", /\n {4}at [^\n]*testingmessages/);
  t.notRegex(bad?.stack ?? "", /units/);
  t.throws(() => expect(r).atMost({ time: true as never }), {
    message: 'time: a time is a text such as "50ms", or nanoseconds, not true',
  });
  await t.throwsAsync(
    m.run((sys: Sys) => sys.sleep(1), { host: null as never }),
    {
      message: 'the limit host: a time is a text such as "50ms", or nanoseconds, not null',
    },
  );
  await m.end();
});

test("what is no run is refused, and a promise says that an await is missing", async (t) => {
  const m = await machine();
  const main = (sys: Sys): Promise<void> => sys.sleep(1);
  const promise: unknown = m.run(main);
  t.throws(() => expect(promise as Run), {
    instanceOf: TypeError,
    message:
      "expect() got a promise, and what it promises is not there yet: write expect(await m.run(...))",
  });
  await (promise as Promise<Run>);
  t.throws(() => expect(3 as unknown as Run), {
    message: "expect() is about what m.run() gave, or a call of it, not about 3",
  });
  t.throws(() => expect(undefined as unknown as Run), { instanceOf: TypeError });
  await m.end();
});

test("values that are deep, or hold themselves, are compared like any", async (t) => {
  const deep = (n: number, end: unknown): unknown => {
    let v = end;
    for (let i = 0; i < n; i++) v = { v };
    return v;
  };
  const m = await machine();
  const round: Record<string, unknown> = { a: 1 };
  round["self"] = round;
  const meets = (value: unknown) => async (sys: Sys) => {
    await sys.rfork(RFPROC, async (s: Sys) => void (await s.rendezvous("x", value)));
    await sys.rendezvous("x", null);
    await sys.wait();
  };
  const far = (await m.run(meets(deep(30_000, 1)))).calls.findLast((c) => c.name === "rendezvous");
  if (far === undefined) return t.fail();
  expect(far).gives(far.value);
  const e = t.throws(() => expect(far).gives(deep(30_000, 2)), { instanceOf: Failure });
  t.regex(plain(e), /^rendezvous\("x", null\): the value's (\.v)+: /);
  const self = (await m.run(meets(round))).calls.findLast((c) => c.name === "rendezvous");
  if (self === undefined) return t.fail();
  expect(self).gives({ a: 1 });
  t.throws(() => expect(self).gives({ a: 2 }), {
    message: /the value's \.a: 2 expected, and it is 1/,
  });
  await m.end();
});
