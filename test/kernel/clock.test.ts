// Time: turns of the host, the real clock and the virtual one, timers.

import test from "ava";
import fc from "fast-check";
import { Clock, Timers } from "../../kernel/proc/clock.ts";
import type { Host } from "../../kernel/proc/clock.ts";
import { Rendez } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { AGAIN, TURN } from "../../kernel/proc/sched.ts";
import type { Sys, TaskSys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { thishost } from "../../userland/boot/host.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { Flushable } from "../../userland/lib/9p/flushable.ts";
import { NOTHING, run, within } from "../kit/kit.ts";

/** A machine whose clock the test moves; it counts the turns it is given. */
class Fakehost implements Host {
  readonly epoch = 0n;
  turns = 0;
  time = 0;
  /** What now() adds each time it is asked. */
  step = 0;
  alarms: { readonly at: number; readonly fn: () => void }[] = [];

  now(): number {
    return (this.time += this.step);
  }

  alarm(ns: number, fn: () => void): () => void {
    const a = { at: this.time + ns, fn };
    this.alarms.push(a);
    return () => void (this.alarms = this.alarms.filter((x) => x !== a));
  }

  turn(fn: () => void): void {
    this.turns++;
    setImmediate(fn);
  }

  random(buf: Uint8Array): void {
    buf.fill(4);
  }

  /** Moves the clock to the first alarm. */
  ring(): void {
    const [first] = this.alarms.splice(0, 1);
    if (first === undefined) throw new Error("no alarm is set");
    this.time = Math.max(this.time, first.at);
    first.fn();
  }
}

test("after 1000 resumptions the host gets a whole turn, whether calls sleep or not", async (t) => {
  const host = new Fakehost();
  const k = await boot({ host });
  const busy = async (sys: Sys): Promise<void> => {
    for (let i = 0; i < 10_000; i++) await sys.nsec();
  };
  const before = k.sched.resumed;
  await run(k, busy);
  const resumed = k.sched.resumed - before;
  t.true(resumed >= 10_000);
  t.is(host.turns, Math.floor(resumed / 1000));
  const r = new Rendez("ping");
  function* pingpong(n: number): Task<void> {
    while (n-- > 0) {
      r.wakeup();
      yield r;
    }
    r.wakeup();
  }
  host.turns = 0;
  k.kproc("ping", pingpong(5000));
  k.kproc("pong", pingpong(5000));
  await run(k, async () => "");
  while ([...(k.proc0?.coroutines() ?? [])].length > 0) await new Promise(setImmediate);
  t.true(host.turns >= 10, `${host.turns} turns`);
  await k.shutdown();
});

test("a generator program whose calls never sleep leaves turns to the host, and can be ended from there", async (t) => {
  const host = new Fakehost();
  const k = await boot({ host });
  await run(k, function* (sys: TaskSys) {
    host.turns = 0;
    for (let i = 0; i < 10_000; i++) yield* sys.nsec();
    t.is(host.turns, 10);
  });
  let calls = 0;
  let cleaned = false;
  const p = k.spawn(function* (sys: TaskSys) {
    try {
      while (calls++ < 100_000) {
        // It takes every error for granted, the end of its process too.
        try {
          yield* sys.stat("/n/nothing");
        } catch {}
      }
    } finally {
      cleaned = true;
    }
  });
  await new Promise(setImmediate);
  p.kill();
  t.is(await p.wait(), "Killed");
  t.true(calls <= 3 * TURN, `${calls} calls`);
  t.true(cleaned);
  await k.shutdown();
  t.deepEqual(k.audit(), NOTHING);
});

test(
  "where a generator program lets others run, its threads' calls begin in the order made all the same",
  within(async (t, k) => {
    const made: number[] = [];
    const got: number[] = [];
    await run(k, function* (sys: ThreadSys) {
      const [a, b] = yield* sys.pipe();
      const writer = function* (n: number): Task<void> {
        for (let i = 0; i < 2 * TURN; i++) {
          made.push(n);
          yield* sys.write(a, Uint8Array.of(n));
        }
        if (n === 2) yield* sys.close(a);
      };
      sys.threadcreate(writer(1));
      sys.threadcreate(writer(2));
      const buf = new Uint8Array(1000);
      for (let n = 1; n > 0;) {
        n = yield* sys.read(b, buf);
        got.push(...buf.subarray(0, n));
      }
    });
    t.true(made.indexOf(2) < TURN, "they took turns");
    t.deepEqual(got, made);
  }),
);

test("whoever is to be interrupted where it next sleeps is not where it lets others run", (t) => {
  function* task(): Task<string> {
    work.flush();
    yield AGAIN;
    try {
      yield new Rendez("test");
    } catch (e) {
      return String(e);
    }
    return "not interrupted";
  }
  const work: Flushable<string> = new Flushable(task());
  t.is(work.task.next().value, AGAIN);
  t.deepEqual(work.task.next(), { done: true, value: "PlanError: interrupted" });
});

test("with a real clock timers fire also while a program never idles", async (t) => {
  const host = new Fakehost();
  host.step = 1000; // every look at the clock costs a microsecond
  const k = await boot({ host });
  const { output } = await run(k, async (sys: Sys) => {
    let rang = false;
    const nap = sys.sleep(5).then(() => (rang = true));
    let calls = 0;
    while (!rang && calls < 1e6) {
      await sys.nsec();
      calls++;
    }
    await nap;
    await sys.write(1, new TextEncoder().encode(String(rang)));
  });
  t.is(output, "true");
  t.deepEqual(host.alarms, []);
  await k.shutdown();
});

test("an idle kernel with a real clock sets one alarm, for its first timer", async (t) => {
  const host = new Fakehost();
  const k = await boot({ host });
  const woken: number[] = [];
  const nap = (ms: number) => async (sys: Sys) => {
    await sys.sleep(ms);
    woken.push(ms);
  };
  const procs = [20, 10, 30].map((ms) => k.spawn(nap(ms)));
  for (const at of [10, 20, 30]) {
    await new Promise(setImmediate);
    t.deepEqual(
      host.alarms.map((a) => a.at),
      [at * 1e6],
    );
    host.ring();
  }
  for (const p of procs) await p.wait();
  t.deepEqual(woken, [10, 20, 30]);
  await k.shutdown();
  t.deepEqual(host.alarms, []);
});

test(
  "virtual time moves only to the next timer, and only when nothing can run",
  within(async (t, k) => {
    const seen: [string, bigint][] = [];
    const main =
      (name: string, ms: number) =>
      async (sys: Sys): Promise<void> => {
        const start = await sys.nsec();
        for (let i = 0; i < 3; i++) {
          await sys.sleep(ms);
          seen.push([`${name}${i}`, ((await sys.nsec()) - start) / 1_000_000n]);
          for (let n = 0; n < 500; n++) await sys.nsec();
        }
      };
    const procs = [k.spawn(main("a", 1000)), k.spawn(main("b", 2500))];
    for (const p of procs) await p.wait();
    t.is(seen.flat().join(" "), "a0 1000 a1 2000 b0 2500 a2 3000 b1 5000 b2 7500");
    t.is(k.clock.now(), 7500e6);
  }),
);

test("virtual time waits for a whole turn that brings no new call, and for host operations", async (t) => {
  const host = new Fakehost();
  const k = await boot({ host, clock: "virtual" });
  const log: string[] = [];
  const nap = k.spawn(async (sys: Sys) => {
    await sys.sleep(1000);
    log.push("timer");
  });
  const p = k.spawn(async (sys: Sys) => {
    for (let i = 0; i < 5; i++) {
      await sys.nsec();
      // A hundred microtasks, and then another call: time must not pass meanwhile.
      for (let n = 0; n < 100; n++) await Promise.resolve();
      log.push(String(k.clock.now()));
    }
    k.sched.hold();
  });
  await p.wait();
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
  t.is(log.join(" "), "0 0 0 0 0", "the operation holds the clock");
  k.sched.release();
  await nap.wait();
  t.is(log.join(" "), "0 0 0 0 0 timer");
  await k.shutdown();
});

test("timers ring in the order of their times, then of their making; cancelled ones do not", (t) => {
  const op = fc.record({ at: fc.nat({ max: 20 }), cancel: fc.option(fc.nat()) });
  fc.assert(
    fc.property(fc.array(op, { maxLength: 50 }), (ops) => {
      const clock = new Clock(thishost, true);
      const rang: number[] = [];
      const timers = ops.map(({ at }, i) => clock.timers.add(at, () => rang.push(i)));
      const gone = new Set<number>();
      for (const { cancel } of ops) {
        if (cancel === null) continue;
        const i = cancel % ops.length;
        gone.add(i);
        const timer = timers[i];
        if (timer !== undefined) clock.timers.cancel(timer);
      }
      while (clock.jump()) clock.expire();
      const want = ops
        .map(({ at }, i) => ({ at, i }))
        .filter(({ i }) => !gone.has(i))
        .toSorted((a, b) => a.at - b.at || a.i - b.i);
      t.deepEqual(
        rang,
        want.map(({ i }) => i),
      );
    }),
  );
  t.is(new Timers().first, undefined);
});
