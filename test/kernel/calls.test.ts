// System calls in progress: when they begin, in which order those on one file run, and how they end.
// exec, rfork and notes are in proc.test.ts.

import test from "ava";
import fc from "fast-check";
import { MREPL, ORDWR, OREAD, RFMEM, RFNAMEG, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { systab } from "../../syscalls/table.ts";
import { boot } from "../../userland/boot/boot.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { NOTHING, cat, failure, mountram, run, within } from "../kit/kit.ts";

const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

/** A read of n bytes, as text. */
async function get(sys: Sys, fd: number, n: number): Promise<string> {
  const buf = new Uint8Array(n);
  return new TextDecoder().decode(buf.subarray(0, await sys.read(fd, buf)));
}

/** One turn of the host's loop, or a few. */
async function turns(n = 3): Promise<void> {
  for (let i = 0; i < n; i++) await new Promise(setImmediate);
}

const FILES = { a: { f: "in a" }, b: { f: "in b" }, six: "abcdef" };

test(
  "a call looks at nothing before the scheduler takes it, so it sees what the call before it did",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        const bound = sys.bind("/a", "/b", MREPL);
        const inode = sys.stat("/b/f");
        const text = cat(sys, "/b/f");
        t.is(k.sched.resumed > 0 && (await text), "in a");
        await bound;
        t.is((await inode).qid.path, (await sys.stat("/a/f")).qid.path);
        const apart = sys.rfork(RFNAMEG);
        const here = sys.unmount(null, "/b");
        await Promise.all([apart, here]);
        t.is(await cat(sys, "/b/f"), "in b");
        const dot = sys.chdir("/a");
        t.is(await cat(sys, "f"), "in a");
        await dot;
      });
    },
    { files: FILES },
  ),
);

test("whatever arguments a program gives, a call answers or fails with a Plan 9 error", async (t) => {
  const arg = fc.oneof(
    fc.constantFrom(undefined, null, -1, 0, 1, 2, 3, 0.5, NaN, Infinity, 2 ** 53, "", "/", ".."),
    fc.constantFrom("/tmp", "/tmp/x", "#c/cons", "#", "/dev", {}, [], [1], () => 1, true, 7n),
    fc.constantFrom(new Uint8Array(0), new Uint8Array(100), { length: 3 }, Symbol.iterator),
    fc.string(),
    fc.integer({ min: -5, max: 5000 }),
  );
  const names = Object.keys(systab).filter((n) => !/exit|exec|rfork|wait|rendez/.test(n));
  const call = fc.tuple(fc.constantFrom(...names), fc.array(arg, { maxLength: 5 }));
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
      const k = await boot({ clock: "virtual" });
      const p = k.spawn(async (sys: Sys) => {
        await sys.notify(() => sys.noted(0));
        await sys.alarm(50);
        const all: { [name: string]: (...args: unknown[]) => Promise<unknown> } = sys as never;
        for (const [name, args] of calls) {
          await all[name]?.(...args).catch((e: unknown) => {
            if (!(e instanceof PlanError)) throw e;
          });
        }
      });
      const status = await p.wait();
      if (p.crash !== undefined) throw p.crash;
      t.regex(status, /^$|^Suicide$|^alarm$|^sys: write on closed pipe/);
      await k.shutdown();
      t.deepEqual(k.audit(), NOTHING);
    }),
    { numRuns: 600 },
  );
});

test(
  "bytes that are none, and changes that throw or say nothing, are bad arguments and no panic",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        const throws = (): never => {
          throw new Error("looked at");
        };
        const buf = new Uint8Array(100);
        for (const b of [new Proxy(buf, {}), Object.create(Uint8Array.prototype) as Uint8Array]) {
          t.is(await failure(sys.wstatraw("/six", b)), "bad arg in system call");
          t.is(await failure(sys.write(1, b)), "bad arg in system call");
        }
        for (const d of [{ get: throws }, { ownKeys: throws, get: throws }])
          t.is(await failure(sys.wstat("/six", new Proxy({}, d))), "bad arg in system call");
        for (const qid of [null, {}, { path: 1, vers: 0, type: 0 }])
          t.is(await failure(sys.wstat("/six", { qid } as never)), "bad arg in system call");
        const { mode } = await sys.stat("/six");
        await sys.wstat("/six", { mode: undefined, length: undefined } as never);
        t.is((await sys.stat("/six")).mode, mode);
        t.is(await cat(sys, "/six"), "abcdef");
      });
    },
    { files: FILES },
  ),
);

/** Calls on the descriptors of two files, made all at once, and what each must give when run in order. */
type Op = {
  readonly fd: number;
  readonly what: "read" | "write" | "seek" | "dup";
  readonly n: number;
};

const ops = fc.array(
  fc.record({
    fd: fc.nat({ max: 3 }),
    what: fc.constantFrom("read", "write", "seek", "dup"),
    n: fc.nat({ max: 9 }),
  }) as fc.Arbitrary<Op>,
  { maxLength: 30 },
);

/** A file and its offset, as slowly as can be. */
class Model {
  text = "abcdefghijklmnopqrstuvwxyz";
  offset = 0;

  apply({ what, n }: Op): string {
    const { text, offset } = this;
    switch (what) {
      case "read":
        this.offset = Math.min(text.length, offset + n);
        return text.slice(offset, offset + n);
      case "write":
        this.text = text.slice(0, offset) + "-".repeat(n) + text.slice(offset + n);
        this.offset += n;
        return String(n);
      case "seek":
        this.offset = n;
        return String(n);
      case "dup":
        return "";
    }
  }
}

async function doop(sys: Sys, fd: number, { what, n }: Op): Promise<string> {
  if (what === "read") return get(sys, fd, n);
  if (what === "write") return String(await sys.write(fd, bytes("-".repeat(n))));
  if (what === "seek") return String(await sys.seek(fd, n, 0));
  await sys.close(await sys.dup(fd));
  return "";
}

test("calls that use the offset of one file run in the order made, under every seed", async (t) => {
  await fc.assert(
    fc.asyncProperty(ops, fc.nat(), async (list, seed) => {
      const { text } = new Model();
      const k = await boot({ clock: "virtual", seed, files: { f: text, g: text } });
      await run(k, async (sys: Sys) => {
        const f = await sys.open("/f", ORDWR);
        const g = await sys.open("/g", ORDWR);
        // Two descriptors for each Chan.
        const fds = [f, g, await sys.dup(f), await sys.dup(g)];
        const models = [new Model(), new Model()];
        const want = list.map((op) => models[op.fd % 2]?.apply(op));
        t.deepEqual(await Promise.all(list.map((op) => doop(sys, fds[op.fd] ?? -1, op))), want);
        t.is(await cat(sys, "/f"), models[0]?.text ?? "");
      });
      await k.shutdown();
      t.deepEqual(k.audit(), NOTHING);
    }),
    { numRuns: 200 },
  );
});

test(
  "a call that gives its own offset does not wait for those that use the file's",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        const fd = await sys.open("/six", OREAD);
        const one = get(sys, fd, 2);
        const buf = new Uint8Array(2);
        const at4 = sys.pread(fd, buf, 4);
        t.is(await at4, 2);
        t.deepEqual([await one, new TextDecoder().decode(buf)], ["ab", "ef"]);
      });
    },
    { files: FILES },
  ),
);

test(
  "a pipe's write does not wait for its pending read; its reads, and its writes, run in the order made",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const [a, b] = await sys.pipe();
      const reads = [get(sys, a, 10), get(sys, a, 10), get(sys, a, 10)];
      await sys.write(a, bytes("to b"));
      t.is(await get(sys, b, 10), "to b");
      const writes = ["one", "two", "three"].map((s) => sys.write(b, bytes(s)));
      t.deepEqual(await Promise.all(reads), ["one", "two", "three"]);
      t.deepEqual(await Promise.all(writes), [3, 3, 5]);
    });
  }),
);

test(
  "a descriptor closed under a call in progress stays open for that call",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const [a, b] = await sys.pipe();
      const read = get(sys, a, 10);
      await sys.close(a);
      await sys.write(b, bytes("late"));
      t.is(await read, "late");
      t.is(await failure(sys.write(a, bytes("x"))), "fd out of range or not open");
    });
  }),
);

test(
  "main returning ends what its process waits for, as exits, a throw and a kill do",
  within(async (t, k) => {
    type Way = "return" | "exits" | "throw" | "kill";
    const nap = async (sys: Sys, how: Way): Promise<string> => {
      const [r] = await sys.pipe();
      void sys.sleep(5000).then(() => sys.write(1, bytes("slept")));
      void sys.read(r, new Uint8Array(1));
      void sys.semacquire(new Int32Array(1), true);
      void sys.rendezvous("nobody", 0);
      if (how === "exits") await sys.exits("left");
      if (how === "throw") throw new Error("thrown");
      if (how === "kill") await sys.rendezvous("nothing", 0);
      return "returned";
    };
    const start = k.clock.now();
    const ways = (["return", "exits", "throw"] as const).map((how) =>
      k.spawn((sys: Sys) => nap(sys, how), [how]),
    );
    t.deepEqual(await Promise.all(ways.map((p) => p.wait())), ["returned", "left", "thrown"]);
    t.is(k.clock.now(), start);
    const killed = k.spawn((sys: Sys) => nap(sys, "kill"), ["kill"]);
    killed.kill();
    t.is(await killed.wait(), "Killed");
    t.is(k.clock.now(), start);
    t.deepEqual(
      [...ways, killed].map((p) => p.output),
      ["", "", "", ""],
    );
  }),
);

test(
  "calls that main did not wait for begin all the same, and those that change files are completed",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await mountram(sys, "/d", { delay: 50 });
        const data = new Uint8Array(300_000).fill(7);
        const sem = new Int32Array(1);
        const left = (s: Sys): Promise<void> => {
          void s.create("/d/late", OREAD, 0o666);
          void s.semrelease(sem, 1);
          return Promise.resolve();
        };
        await sys.rfork(RFPROC | RFMEM, left);
        await sys.rfork(RFPROC, async (s: Sys) => {
          const fd = await s.create("/d/f", ORDWR, 0o666);
          void s.write(fd, data).then(() => s.write(fd, data));
        });
        t.deepEqual([(await sys.wait()).msg, (await sys.wait()).msg], ["", ""]);
        t.is(sem[0], 1);
        // The second write was not made before main had returned, so it did not begin.
        t.is((await sys.stat("/d/f")).length, data.length);
        t.is((await sys.stat("/d/late")).length, 0);
      });
    },
    { files: { d: {} } },
  ),
);

test(
  "after main has returned a note ends its process, and its handler hears no more",
  within(async (t, k) => {
    const heard: string[] = [];
    const full = async (sys: Sys, handled: boolean): Promise<void> => {
      if (handled) await sys.notify((note) => void heard.push(note));
      const [, w] = await sys.pipe();
      void sys.write(w, new Uint8Array(1e6));
    };
    const [deaf, killed] = [true, false].map((h) => k.spawn((sys: Sys) => full(sys, h)));
    await turns();
    deaf?.note("interrupt");
    killed?.note("interrupt");
    t.is(await killed?.wait(), "interrupt");
    deaf?.kill();
    t.is(await deaf?.wait(), "Killed");
    t.deepEqual(heard, []);
  }),
);

test(
  "the threads of a generator program outlive its main, and the last one ends the process",
  within(async (t, k) => {
    const p = k.spawn(function* (sys: ThreadSys): Task<void> {
      sys.threadcreate(
        (function* (): Task<void> {
          yield* sys.sleep(1000);
          yield* sys.write(1, bytes("thread"));
        })(),
      );
    });
    t.is(await p.wait(), "");
    t.is(p.output, "thread");
    t.is(k.clock.now(), 1000e6);
  }),
);

test(
  "a process that ends leaves nobody behind who waits for a panic",
  within(async (t, k) => {
    const before = k.npanic;
    const p = k.spawn((sys: Sys) => sys.sleep(1));
    t.is(k.npanic, before + 1);
    await p.wait();
    t.is(k.npanic, before);
  }),
);

test(
  "promises of a dead process never settle, and its calls begin no more",
  within(async (t, k) => {
    const settled: string[] = [];
    let kept: Sys | null = null;
    const p = k.spawn(async (sys: Sys) => {
      kept = sys;
      void sys.sleep(10).finally(() => settled.push("sleep"));
      await sys.exits("done").finally(() => settled.push("exits"));
    });
    t.is(await p.wait(), "done");
    const sys = kept as Sys | null;
    void sys?.nsec().finally(() => settled.push("nsec"));
    void sys?.create("/late", OREAD, 0o666).finally(() => settled.push("create"));
    await run(k, async (s: Sys) => {
      await s.sleep(100);
      t.is(await failure(s.stat("/late")), "'/late' file does not exist");
    });
    await turns();
    t.deepEqual(settled, []);
  }),
);

test(
  "a generator program that is killed gets return(): its finally blocks run and no call of theirs begins",
  within(async (t, k) => {
    const log: string[] = [];
    const p = k.spawn(function* (sys: TaskSys): Task<void> {
      try {
        yield* sys.rendezvous("nobody", 0);
        log.push("met");
      } catch {
        log.push("caught");
      } finally {
        log.push("finally");
        try {
          yield* sys.open("/", OREAD);
        } catch (e) {
          log.push(e instanceof PlanError ? e.message : "?");
        }
      }
    } as never);
    await turns();
    p.kill();
    t.is(await p.wait(), "Killed");
    t.deepEqual(log, ["finally", "process exited"]);
  }),
);
