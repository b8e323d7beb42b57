// Semaphores: semacquire(2).

import test from "ava";
import { NCONT, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { failure, run, within } from "../kit/kit.ts";

const BADARG = "bad arg in system call";

test(
  "those who sleep get what is released in the order they came, whoever else asks then",
  within(async (t, k) => {
    const sem = new Int32Array(1);
    const log: string[] = [];
    await run(k, async (sys: Sys) => {
      for (const name of ["a", "b", "c", "d"]) {
        await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
          await s.semacquire(sem, true);
          log.push(`${name} ${k.clock.now() / 1e6}`);
        });
        await sys.sleep(1);
      }
      t.is(await sys.semrelease(sem, 1), 1);
      t.is(await sys.semacquire(sem, false), 0, "it is the first sleeper's");
      await sys.sleep(1);
      t.is(await sys.semrelease(sem, 0), 0);
      t.is(await sys.semrelease(sem, 5), 5);
      for (let i = 0; i < 4; i++) await sys.wait();
      t.is(sem[0], 2);
      t.is(await sys.semacquire(sem, true), 1);
      t.is(await sys.semacquire(sem, false), 1);
      t.is(await sys.semacquire(sem, false), 0);
    });
    t.deepEqual(log, ["a 4", "b 5", "c 5", "d 5"]);
    t.is(k.sems.size, 0);
  }),
);

test(
  "the word is what counts: views of it are one semaphore, its neighbour in memory is another",
  within(async (t, k) => {
    const memory = new SharedArrayBuffer(8);
    const [one, two] = [new Int32Array(memory, 0), new Int32Array(memory, 4)];
    await run(k, async (sys: Sys) => {
      const sleeps = sys.semacquire(new Int32Array(memory, 0, 1), true);
      t.is(await sys.semrelease(two, 1), 1);
      await sys.sleep(1);
      t.is(k.sems.size, 1);
      t.is(await sys.semrelease(one, 1), 1);
      t.is(await sleeps, 1);
      t.deepEqual([...one], [0, 1]);
    });
    t.is(k.sems.size, 0);
  }),
);

test(
  "tsemacquire gives up when its time is over, to the nanosecond",
  within(async (t, k) => {
    const sem = new Int32Array(1);
    await run(k, async (sys: Sys) => {
      t.is(await sys.tsemacquire(sem, 0), 0);
      t.is(k.clock.now(), 0);
      t.is(await sys.tsemacquire(sem, 250), 0);
      t.is(k.clock.now(), 250_000_000);
      const sleeps = sys.tsemacquire(sem, 250);
      await sys.sleep(249);
      await sys.semrelease(sem, 1);
      t.is(await sleeps, 1);
      t.is(await sys.tsemacquire(sem, 1.5), 0);
      t.is(k.clock.now(), 500_500_000);
    });
    t.is(k.sems.size, 0);
  }),
);

test(
  "who is interrupted, killed or out of time leaves the queue, and what is released then goes to the next",
  within(async (t, k) => {
    const sem = new Int32Array(1);
    const log: string[] = [];
    await run(k, async (sys: Sys) => {
      const sleeper = (name: string, ms: number): Promise<number> =>
        sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
          await s.notify((_note, its) => (its as Sys).noted(NCONT));
          const got = s.tsemacquire(sem, ms);
          log.push(`${name} ${await got.catch((e: Error) => e.message)}`);
        });
      const noted = await sleeper("noted", 1e6);
      const killed = await sleeper("killed", 1e6);
      await sleeper("late", 10);
      await sleeper("last", 1e6);
      await sys.sleep(9);
      await sys.sleep(1);
      // All of this before any of them runs again.
      k.procs.get(noted)?.image?.notes.post("wake up");
      k.procs.get(killed)?.kill("struck");
      t.is(await sys.semrelease(sem, 1), 1);
      for (let i = 0; i < 4; i++) await sys.wait();
    });
    t.deepEqual(log.sort(), ["last 1", "late 0", "noted interrupted"]);
    t.deepEqual([sem[0], k.sems.size], [0, 0]);
  }),
);

test(
  "what is no semaphore, a value or a count below 0, and a sum that no word holds are bad arguments",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const no = [new Int32Array(0), new Uint8Array(4), Object.create(Int32Array.prototype), null];
      for (const sem of [...no, Int32Array.of(-1)]) {
        t.is(await failure(sys.semacquire(sem as Int32Array, false)), BADARG);
        t.is(await failure(sys.tsemacquire(sem as Int32Array, 1)), BADARG);
        t.is(await failure(sys.semrelease(sem as Int32Array, 1)), BADARG);
      }
      const sem = Int32Array.of(1);
      for (const n of [-1, 0.5, NaN, 2 ** 31 - 1])
        t.is(await failure(sys.semrelease(sem, n)), BADARG);
      for (const ms of [-1, NaN, Infinity]) t.is(await failure(sys.tsemacquire(sem, ms)), BADARG);
      t.is(sem[0], 1);
    });
  }),
);

test(
  "threads of a generator program take turns by a semaphore",
  within(async (t, k) => {
    const log: string[] = [];
    await run(k, function* (sys: ThreadSys) {
      const [lock, done] = [Int32Array.of(1), new Int32Array(1)];
      for (const name of ["a", "b", "c"])
        sys.threadcreate(
          (function* () {
            yield* sys.semacquire(lock, true);
            log.push(`${name}+`);
            yield* sys.sleep(5);
            log.push(`${name}-`);
            yield* sys.semrelease(lock, 1);
            yield* sys.semrelease(done, 1);
          })(),
        );
      for (let i = 0; i < 3; i++) yield* sys.semacquire(done, true);
    });
    t.is(log.join(" "), "a+ a- b+ b- c+ c-");
    t.is(k.clock.now(), 15_000_000);
  }),
);
