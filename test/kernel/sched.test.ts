// The scheduler: the invariants at the head of kernel/proc/sched.ts (those about time are in clock.test.ts),
// Rendez and QLock, and what becomes of failures. Coroutines are started as the kernel's own (kproc)
// where no program is needed.

import test from "ava";
import fc from "fast-check";
import type { Booted } from "../../kernel/boot.ts";
import { Eintr, PlanError, error } from "../../kernel/abi/errors.ts";
import { newsched } from "../../kernel/kernel.ts";
import { QLock, Rendez } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Coroutine } from "../../kernel/proc/sched.ts";
import type { Sys, TaskSys } from "../../syscalls/sys.ts";
import { boot, chance } from "../../userland/boot/boot.ts";
import { thishost } from "../../userland/boot/host.ts";
import { NOTHING, failure, run, within } from "../kit/kit.ts";

/** Settles when nothing is ready. */
const idle = (k: Booted): Promise<void> => new Promise((resolve) => k.sched.atidle(resolve));

test(
  "a coroutine runs alone until it sleeps, and starting one runs nothing",
  within(async (t, k) => {
    const log: string[] = [];
    const r = new Rendez("test");
    function* task(name: string): Task<void> {
      log.push(`${name}1`);
      k.kproc("child", child(name));
      log.push(`${name}2`);
      yield r;
      log.push(`${name}3`);
    }
    function* child(name: string): Task<void> {
      log.push(`${name}'s child`);
      r.wakeup();
    }
    k.kproc("a", task("a"));
    k.kproc("b", task("b"));
    t.deepEqual(log, []);
    await idle(k);
    t.is(log.join(" "), "a1 a2 b1 b2 a's child b's child a3 b3");
  }),
);

test(
  "sleepers wake in the order they came; waking nobody does nothing and is not remembered",
  within(async (t, k) => {
    const log: number[] = [];
    const r = new Rendez("test");
    function* task(n: number): Task<void> {
      yield r;
      log.push(n);
    }
    t.false(r.wakeup());
    for (const n of [1, 2, 3, 4]) k.kproc("sleeper", task(n));
    await idle(k);
    t.deepEqual([log, r.empty], [[], false]);
    t.true(r.wakeup());
    await idle(k);
    t.deepEqual(log, [1]);
    r.wakeupall();
    await idle(k);
    t.deepEqual([log, r.empty], [[1, 2, 3, 4], true]);
  }),
);

/** A sleeper that says what happens to it. */
function* sleeper(log: string[], r: Rendez, cleanup: Rendez): Task<void> {
  try {
    yield r;
    log.push("woken");
    yield r;
    log.push("woken again");
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    log.push(e.message);
  } finally {
    log.push("cleaning");
    yield cleanup;
    log.push("clean");
  }
  log.push("end");
}

/** The same, called by somebody who has more to do. */
function* caller(log: string[], r: Rendez, cleanup: Rendez): Task<void> {
  yield* sleeper(log, r, cleanup);
  log.push("the caller went on");
}

test(
  "an interrupt throws into the sleeper, which can go on",
  within(async (t, k) => {
    const log: string[] = [];
    const [r, cleanup] = [new Rendez("test"), new Rendez("cleanup")];
    const co = k.kproc("sleeper", sleeper(log, r, cleanup));
    t.false(k.sched.interrupt(co, new PlanError(Eintr)), "it has not begun");
    await idle(k);
    t.true(k.sched.interrupt(co, new PlanError(Eintr)));
    await idle(k);
    cleanup.wakeup();
    await idle(k);
    t.is(log.join(", "), "interrupted, cleaning, clean, end");
  }),
);

test(
  "a kill runs finally blocks, which may sleep and are not interrupted, and nothing else",
  within(async (t, k) => {
    const log: string[] = [];
    const [r, cleanup] = [new Rendez("test"), new Rendez("cleanup")];
    const co = k.kproc("sleeper", caller(log, r, cleanup));
    await idle(k);
    k.sched.kill(co);
    await idle(k);
    t.false(k.sched.interrupt(co, new PlanError(Eintr)));
    k.sched.kill(co);
    await idle(k);
    t.is(log.join(), "cleaning");
    cleanup.wakeup();
    await idle(k);
    t.is(log.join(), "cleaning,clean");
  }),
);

test(
  "a coroutine that was woken gets what it was woken for before an interrupt or a kill",
  within(async (t, k) => {
    const log: string[] = [];
    const [r, cleanup] = [new Rendez("test"), new Rendez("cleanup")];
    const co = k.kproc("sleeper", sleeper(log, r, cleanup));
    await idle(k);
    r.wakeup();
    t.false(k.sched.interrupt(co, new PlanError(Eintr)));
    k.sched.kill(co);
    await idle(k);
    t.is(log.join(), "woken,cleaning");
    t.true(r.empty, "its next sleep was the end of it");
    cleanup.wakeup();
    await idle(k);
  }),
);

test(
  "a coroutine killed before it began never runs",
  within(async (t, k) => {
    const log: string[] = [];
    const co = k.kproc("sleeper", sleeper(log, new Rendez("test"), new Rendez("cleanup")));
    k.sched.kill(co);
    await idle(k);
    t.deepEqual(log, []);
    t.deepEqual([...(k.proc0?.coroutines() ?? [])], []);
  }),
);

test(
  "a QLock is granted in the order asked; who is interrupted or killed in the queue never holds it",
  within(async (t, k) => {
    const log: string[] = [];
    const q = new QLock("test");
    const gate = new Rendez("gate");
    function* task(name: string): Task<void> {
      try {
        yield* q.lock();
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
        log.push(`${name} gave up`);
        return;
      }
      try {
        log.push(name);
        yield gate;
      } finally {
        q.unlock();
      }
    }
    const [a, b, c, d] = ["a", "b", "c", "d"].map((n) => k.kproc(n, task(n)));
    k.kproc("e", task("e"));
    await idle(k);
    t.false(q.canlock());
    if (b !== undefined) k.sched.interrupt(b, new PlanError(Eintr));
    if (c !== undefined) k.sched.kill(c);
    await idle(k);
    t.is(log.join(), "a,b gave up");
    if (a !== undefined) k.sched.kill(a);
    await idle(k);
    t.is(log.join(), "a,b gave up,d", "the holder's finally block passed it on");
    gate.wakeup();
    if (d !== undefined) k.sched.kill(d); // it was handed the lock, then killed
    await idle(k);
    t.is(log.join(), "a,b gave up,d,e");
    gate.wakeup();
    await idle(k);
    t.false(q.held);
    t.true(q.canlock());
  }),
);

test("whatever wakes, interrupts and kills come, each coroutine is in one place and ends once", async (t) => {
  const op = fc.record({ what: fc.integer({ min: 0, max: 4 }), who: fc.nat({ max: 7 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 60 }), fc.nat(), async (ops, seed) => {
      const k = await boot({ clock: "virtual", seed });
      const places = [new Rendez("0"), new Rendez("1"), new Rendez("2")];
      const ends: number[] = [];
      const cos: Coroutine[] = [];
      function* task(n: number): Task<void> {
        try {
          for (let i = 0; i < 4; i++) yield* nap(n, i);
        } finally {
          yield* nap(n, 0);
          ends[n] = (ends[n] ?? 0) + 1;
        }
      }
      function* nap(n: number, i: number): Task<void> {
        try {
          yield places[(n + i) % 3] ?? error("no place");
        } catch (e) {
          if (!(e instanceof PlanError)) throw e;
        }
        t.is(k.sched.current, cos[n] ?? null);
      }
      for (let n = 0; n < 8; n++) cos.push(k.kproc(String(n), task(n)));
      for (const { what, who } of ops) {
        const co = cos[who];
        if (what === 0) places[who % 3]?.wakeup();
        else if (what === 1) places[who % 3]?.wakeupall();
        else if (what === 2 && co !== undefined) k.sched.interrupt(co, new PlanError(Eintr));
        else if (what === 3 && co !== undefined) k.sched.kill(co);
        else await idle(k);
      }
      for (let i = 0; i < 6; i++) {
        await idle(k);
        for (const r of places) r.wakeupall();
      }
      await idle(k);
      // One that was killed before it began runs nothing.
      t.true(ends.every((n) => n === 1));
      t.deepEqual([...(k.proc0?.coroutines() ?? [])], []);
      t.true(places.every((r) => r.empty));
      await k.shutdown();
    }),
    { numRuns: 300 },
  );
});

/** Calls of two programs, in the order in which they begin. */
async function begins(seed?: number): Promise<string[]> {
  const k = await boot({ clock: "virtual", ...(seed !== undefined && { seed }) });
  const log: string[] = [];
  k.trace.listen((e) => {
    if (e.type === "call" && e.call?.name === "dup") log.push(e.call.args.join(""));
  });
  const main =
    (name: string) =>
    async (sys: Sys): Promise<void> => {
      for (let round = 0; round < 3; round++)
        await Promise.all(
          [0, 1, 2, 3, 4].map((n) => failure(sys.dup(`${name}${round}${n}` as never))),
        );
    };
  const procs = ["a", "b"].map((name) => k.spawn(main(name)));
  for (const p of procs) await p.wait();
  await k.shutdown();
  return log;
}

test("ready coroutines run first in, first out", async (t) => {
  const log = await begins();
  t.is(log.slice(0, 10).join(" "), "a00 a01 a02 a03 a04 b00 b01 b02 b03 b04");
  t.deepEqual(log, await begins());
});

test("a seed permutes what is ready, but the calls of one program begin in the order made", async (t) => {
  const orders = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    const log = await begins(seed);
    for (const name of ["a", "b"]) {
      const mine = log.filter((s) => s.startsWith(name));
      t.deepEqual(mine, mine.toSorted(), `seed ${seed}`);
    }
    t.deepEqual(log, await begins(seed), "a seed repeats exactly");
    orders.add(log.join());
  }
  t.true(orders.size > 30, `${orders.size} orders`);
});

test(
  "a program's status is what it returns, or the message of what it throws",
  within(async (t, k) => {
    const status = (main: (sys: never) => unknown): Promise<string> => k.spawn(main).wait();
    t.is(await status(async () => undefined), "");
    t.is(await status(async () => "no luck"), "no luck");
    t.is(await status(() => "at once"), "at once");
    t.is(
      await status(function* () {
        return "generated";
      }),
      "generated",
    );
    t.is(await status(async () => Promise.reject(new RangeError("too far"))), "too far");
    t.is(await status(async () => Promise.reject(new TypeError())), "TypeError");
    t.is(
      await status(() => {
        throw new Error("before it began");
      }),
      "before it began",
    );
    t.is(
      await status(function* (sys: TaskSys): Task<void> {
        yield* sys.open("/nowhere", 0);
      } as never),
      "'/nowhere' file does not exist",
    );
    t.is(await status(async (sys: Sys) => void (await sys.exits("gone"))), "gone");
    t.is(await status(async () => "é".repeat(100)), "é".repeat(63), "at most 127 bytes");
  }),
);

test(
  "calls that fail and that nobody awaits are no unhandled rejections",
  within(async (t, k) => {
    const unhandled: unknown[] = [];
    const note = (e: unknown): void => void unhandled.push(e);
    process.on("unhandledRejection", note);
    await run(k, async (sys: Sys) => {
      void sys.open("/nowhere", 0);
      void sys.close(99);
      void sys.stat(undefined as never);
      await sys.sleep(1);
      void sys.remove("/nowhere");
    });
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    process.off("unhandledRejection", note);
    t.deepEqual(unhandled, []);
  }),
);

test("an exception in kernel code that is no PlanError panics: wait() rejects with stack and dump", async (t) => {
  const k = await boot({ clock: "virtual" });
  const sleeping = k.spawn(async (sys: Sys) => sys.sleep(1e6), ["sleepy"]);
  const generator = k.spawn(
    function* (sys: TaskSys): Task<void> {
      yield* sys.sleep(1e6);
    } as never,
    ["gen"],
  );
  const dev = k.devtab.get("c");
  if (dev === undefined) throw new Error("no console");
  dev.stat = function* brokenstat(): Task<never> {
    throw new TypeError("x is not a function");
  };
  const culprit = k.spawn(async (sys: Sys) => void (await sys.stat("#c/cons")), ["culprit"]);
  for (const p of [sleeping, generator, culprit]) {
    const e = await t.throwsAsync(p.wait());
    t.regex(e.message, /^panic: TypeError: x is not a function\n.*brokenstat/s);
    t.regex(e.message, /\d+ sleepy glenda\n\tsleep: sleep\n/);
    t.true(e.cause instanceof TypeError);
  }
  t.throws(() => k.spawn(async () => ""), { message: "the kernel is not running" });
  await k.shutdown();
});

test("a failed assertion inside a generator program's call panics, though the program would catch it", async (t) => {
  const k = await boot({ clock: "virtual" });
  const p = k.spawn(function* (sys: TaskSys): Task<string> {
    try {
      const fd = yield* sys.dup(1, 5);
      const c = k.procs.get(p.pid)?.fgrp.tochan(fd);
      if (c !== undefined) c.ref = 0;
      yield* sys.close(fd);
    } catch {
      return "caught";
    }
    return "went on";
  } as never);
  await t.throwsAsync(p.wait(), {
    message: /^panic: Panic: assert failed: cclose of a closed Chan/,
  });
});

test("kernels that share a scheduler share its clock, end apart, and break together", async (t) => {
  const sched = newsched({ host: thishost, virtual: true, chance: chance(1) });
  const [a, b] = [await boot({ sched }), await boot({ sched })];
  await run(a, async (sys: Sys) => sys.sleep(5));
  t.is(b.clock.now(), 5e6);
  await a.shutdown();
  t.deepEqual(a.audit(), NOTHING);
  await run(b, async (sys: Sys) => sys.sleep(5));
  const c = await boot({ sched });
  const p = c.spawn(async (sys: Sys) => sys.sleep(1e6));
  b.panic(new Error("b is broken"));
  await t.throwsAsync(p.wait(), { message: /^panic: Error: b is broken/ });
  t.true(sched.stopped);
});
