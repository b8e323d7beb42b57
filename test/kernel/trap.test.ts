// The way in: calls that run to their first sleep in their caller's step, and what those must not change.

import test from "ava";
import { NCONT, ORDWR, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Booted } from "../../kernel/boot.ts";
import { Rendez } from "../../kernel/proc/rendez.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { cat, failure, run, within } from "../kit/kit.ts";

/** The real clock: there the scheduler rests between the calls of a program. */
const REAL = { clock: "real", files: { f: "first" } } as const;

/** Runs fn in a program, after a call: then no coroutine is left that a call would have to wait for. */
const rested =
  (fn: (sys: Sys) => Promise<unknown>) =>
  async (sys: Sys): Promise<void> => {
    await sys.nsec();
    await fn(sys);
  };

test(
  "a call that has nothing to wait for has looked at its arguments when it returns",
  within(async (t, k) => {
    await run(
      k,
      rested(async (sys) => {
        const fd = await sys.open("/f", OWRITE);
        const bytes = utfencode("early");
        const written = sys.write(fd, bytes);
        bytes.set(utfencode("late!"));
        t.is(await written, 5);
        t.is(await cat(sys, "/f"), "early");
      }),
    );
  }, REAL),
);

/** Leaves a task of the kernel for the end of the call that runs now. */
function soon({ sched, proc0, kdone }: Booted, label: string, task: Task<void>): void {
  if (proc0 !== null) sched.soon({ proc: proc0, label, task, done: kdone });
}

/**
 * Runs fn when the device closes a descriptor, in a call at once. Tells what has run when the call returns, and
 * what has run after a while.
 */
async function leaving(k: Booted, log: string[], fn: () => void): Promise<readonly string[]> {
  const pipe = k.devtab.get("|");
  if (pipe === undefined) throw new Error("no pipes");
  const close = pipe.close.bind(pipe);
  let early = "";
  await run(
    k,
    rested(async (sys) => {
      const [fd] = await sys.pipe();
      pipe.close = (c) => {
        pipe.close = close;
        fn();
        return close(c);
      };
      const closed = sys.close(fd).catch(() => log.push("failed"));
      early = log.splice(0).join(" ");
      await closed;
      await new Promise<void>((resolve) => k.sched.atidle(resolve));
    }),
  );
  return [early, log.join(" ")];
}

test(
  "a task that a call leaves for its end runs in the caller's step, and becomes a coroutine where it sleeps",
  within(async (t, k) => {
    const log: string[] = [];
    const r = new Rendez("test");
    function* task(): Task<void> {
      log.push(k.sched.current === null ? "begun" : "queued");
      yield r;
      log.push(k.sched.current?.label ?? "");
    }
    const left = (): void => {
      soon(k, "task", task());
      log.push("left");
    };
    t.deepEqual(await leaving(k, log, left), ["left begun", ""]);
    t.true(r.wakeup());
    await new Promise<void>((resolve) => k.sched.atidle(resolve));
    t.is(log.pop(), "task");
  }, REAL),
);

test(
  "a task that a call leaves for its end keeps its place among what becomes ready",
  within(async (t, k) => {
    let log: string[] = [];
    function* task(name: string): Task<void> {
      log.push(name);
    }
    const all = (): void => {
      soon(k, "a", task("a"));
      k.kproc("b", task("b"));
      soon(k, "c", task("c"));
    };
    t.deepEqual(await leaving(k, log, all), ["", "a b c"]);
    const two = (): void => {
      soon(k, "a", task("a"));
      soon(k, "b", task("b"));
    };
    t.deepEqual(await leaving(k, (log = []), two), ["", "a b"]);
  }, REAL),
);

test(
  "a task that a call leaves for its end runs also where the call fails",
  within(async (t, k) => {
    const log: string[] = [];
    function* task(): Task<void> {
      log.push("task");
    }
    const fails = (): void => {
      soon(k, "task", task());
      throw new PlanError("no close");
    };
    t.deepEqual(await leaving(k, log, fails), ["", "task failed"]);
  }, REAL),
);

test("a task that a call leaves for its end, and that throws, panics the kernel", async (t) => {
  const k = await boot(REAL);
  function* task(): Task<void> {
    throw new Error("a fault of ours");
  }
  const over = leaving(k, [], () => soon(k, "task", task()));
  await t.throwsAsync(over, { message: /^panic: Error: a fault of ours/ });
});

test(
  "while the trace listens a call waits for the scheduler, and then looks at its arguments",
  within(async (t, k) => {
    k.trace.listen(() => undefined);
    await run(
      k,
      rested(async (sys) => {
        const fd = await sys.open("/f", OWRITE);
        const bytes = utfencode("early");
        const written = sys.write(fd, bytes);
        bytes.set(utfencode("late!"));
        await written;
        t.is(await cat(sys, "/f"), "late!");
      }),
    );
  }, REAL),
);

test(
  "calls on one file run in the order made, whether they sleep or not",
  within(async (t, k) => {
    await run(
      k,
      rested(async (sys) => {
        const [a, b] = await sys.pipe();
        const buf = new Uint8Array(8);
        const read = sys.read(a, buf); // sleeps
        const more = sys.read(a, new Uint8Array(8)); // waits behind it
        await sys.write(b, utfencode("one"));
        t.is(utfdecode(buf, 0, await read), "one");
        await sys.write(b, utfencode("three"));
        t.is(await more, 5);
        // What is ready goes before a call that is made now.
        const woken = sys.read(a, buf);
        const all = [sys.write(b, utfencode("x")), sys.close(b), sys.close(a)];
        t.is(await woken, 1);
        await Promise.all(all);
      }),
    );
  }, REAL),
);

test(
  "a failure at once is told as any other: by the call's name, in the error string, to those who wait",
  within(async (t, k) => {
    await run(
      k,
      rested(async (sys) => {
        void sys.close(42); // its failure is an unread -1
        const e = await t.throwsAsync(sys.open("/none/x", OREAD));
        t.like(e, { name: "PlanError", call: "open", file: "/none/x", element: "none" });
        t.is(await sys.errstr(), "'/none' file does not exist");
      }),
    );
  }, REAL),
);

test(
  "a call that is the end of its own program settles no more",
  within(async (t, k) => {
    let after = false;
    const p = k.spawn(
      rested(async (sys) => {
        const fd = await sys.open(`#p/${p.pid}/ctl`, OWRITE);
        await sys.write(fd, utfencode("kill"));
        after = true;
      }),
      ["suicide"],
    );
    t.not(await p.wait(), "");
    await new Promise(setImmediate);
    t.false(after);
  }, REAL),
);

test(
  "a call that posts a note to its own program returns when the handler is done",
  within(async (t, k) => {
    const log: string[] = [];
    await run(
      k,
      rested(async (sys) => {
        await sys.notify(async (note, its) => {
          await (its as Sys).sleep(1);
          log.push(note);
          await (its as Sys).noted(NCONT);
        });
        const pid = Number(await cat(sys, "#c/pid"));
        const note = await sys.open(`#p/${pid}/note`, OWRITE);
        await sys.write(note, utfencode("hello"));
        log.push("returned");
      }),
    );
    t.deepEqual(log, ["hello", "returned"]);
  }, REAL),
);

test(
  "an argument that makes a call while it is looked at does no harm: both calls are made",
  within(async (t, k) => {
    await run(
      k,
      rested(async (sys) => {
        let inner: Promise<unknown> = Promise.resolve();
        const changes = {
          get mode(): number {
            inner = sys.wstat("/f", { mtime: 7 });
            return 0o600;
          },
        };
        await sys.wstat("/f", changes);
        await inner;
        const d = await sys.stat("/f");
        t.is(d.mode & 0o777, 0o600);
        t.is(d.mtime, 7);
      }),
    );
  }, REAL),
);

test("a bug of ours in an operation that does not wait panics the kernel, and the call settles no more", async (t) => {
  const k = await boot(REAL);
  const dev = k.devtab.get("c");
  if (dev === undefined) throw new Error("no console");
  dev.stat = (): never => {
    throw new TypeError("x is not a function");
  };
  let settled = false;
  const p = k.spawn(
    rested(async (sys) => {
      await failure(sys.stat("#c/cons")).finally(() => (settled = true));
    }),
    ["culprit"],
  );
  await t.throwsAsync(p.wait(), { message: /^panic: TypeError: x is not a function/ });
  await new Promise(setImmediate);
  t.false(settled);
});

test(
  "a program whose calls never sleep still leaves turns to the host, and its alarm comes",
  within(async (t, k) => {
    let turns = 0;
    const count = (): void => void (turns++, (timer = setImmediate(count)));
    let timer = setImmediate(count);
    await run(k, async (sys: Sys) => {
      const fd = await sys.open("/f", ORDWR);
      for (let i = 0; i < 5000; i++) await sys.seek(fd, i, 0);
    });
    clearImmediate(timer);
    t.true(turns >= 4, `${turns} turns`);
  }, REAL),
);

test(
  "a generator program's call is made when its task is taken, and not when nobody takes it",
  within(async (t, k) => {
    await run(k, function* (sys: TaskSys): Task<void> {
      const name = "/made";
      const never = sys.create(name, OREAD, 0o666);
      t.is(typeof never[Symbol.iterator], "function");
      const open = sys.open(name, OREAD);
      try {
        yield* open;
        t.fail("it was created");
      } catch (e) {
        t.like(e, { message: "'/made' file does not exist", call: "open", file: name });
      }
      const fd = yield* sys.create(name, OREAD, 0o666);
      const close = sys.close(fd);
      t.like(yield* sys.fstat(fd), { name: "made" });
      yield* close;
      // A task that is over gives nothing more, and makes no second call.
      t.deepEqual(close.next(), { done: true, value: undefined });
      t.throws(() => close.throw(new Error("late")), { message: "late" });
    });
  }, REAL),
);
