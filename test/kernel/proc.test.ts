// Processes: exec, rfork, wait, and notes: fork(2), notify(2).

import test from "ava";
import {
  MREPL,
  NCONT,
  NDFLT,
  OCEXEC,
  OREAD,
  OWRITE,
  RFCENVG,
  RFCFDG,
  RFCNAMEG,
  RFENVG,
  RFFDG,
  RFMEM,
  RFNAMEG,
  RFNOMNT,
  RFNOTEG,
  RFNOWAIT,
  RFPROC,
  RFREND,
} from "../../kernel/abi/const.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { cat, failure, mountram, put, run, within } from "../kit/kit.ts";

const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

/** A read of n bytes, as text. */
async function get(sys: Sys, fd: number, n: number): Promise<string> {
  const buf = new Uint8Array(n);
  return new TextDecoder().decode(buf.subarray(0, await sys.read(fd, buf)));
}

const FILES = { a: { f: "in a" }, b: { f: "in b" }, six: "abcdef" };

test(
  "exec puts another program in place: descriptors stay but for OCEXEC's, calls in progress end",
  within(
    async (t, k) => {
      const settled: string[] = [];
      const { status, output } = await run(k, async (sys: Sys) => {
        void sys.sleep(10).finally(() => settled.push("sleep"));
        t.is(await sys.open("/six", OREAD), 3);
        t.is(await sys.open("/six", OREAD | OCEXEC), 4);
        await get(sys, 3, 2);
        t.is(await failure(sys.exec("/six", [])), "'/six' permission denied");
        await sys.wstat("/six", { mode: 0o777 });
        t.is(await failure(sys.exec("/six", [])), "exec header invalid");
        t.is(await failure(sys.exec("/nowhere", [])), "'/nowhere' file does not exist");
        await sys.exec("/bin/next", ["next", "x"]).finally(() => settled.push("exec"));
      });
      t.is(output, "next x: cd, fd out of range or not open");
      t.is(status, "replaced");
      t.deepEqual(settled, []);
    },
    {
      files: {
        ...FILES,
        bin: {
          next: async (sys: Sys, argv: readonly string[]) => {
            await sys.sleep(50);
            const [rest, closed] = [await get(sys, 3, 2), await failure(get(sys, 4, 2))];
            await sys.write(1, bytes(`${argv.join(" ")}: ${rest}, ${closed}`));
            return "replaced";
          },
        },
      },
    },
  ),
);

/** Copies a small executable. */
async function cp(sys: Sys, from: string, to: string): Promise<void> {
  await put(sys, to, await cat(sys, from));
  await sys.wstat(to, { mode: 0o777 });
}

const PATIENT = {
  bin: {
    patient: async (sys: Sys) => {
      for (let i = 0; i < 3; i++) await sys.sleep(10);
      return "patient";
    },
  },
};

test(
  "a program that is replaced has no say any more: neither its return nor its cleanup ends the new one",
  within(
    async (t, k) => {
      const returned = k.spawn(async (sys: Sys) => {
        void sys.exec("/bin/patient", []);
        return "the old one's";
      });
      t.is(await returned.wait(), "patient");
      const cleans = k.spawn(function* (sys: TaskSys): Task<void> {
        try {
          yield* sys.exec("/bin/patient", []);
        } finally {
          yield* sys.close(0);
        }
      } as never);
      t.is(await cleans.wait(), "patient");
      const slow = k.spawn(async (sys: Sys) => {
        await mountram(sys, "/tmp", { delay: 5 });
        await cp(sys, "/bin/patient", "/tmp/patient");
        void sys.exec("/tmp/patient", []);
        return "the old one's";
      });
      t.is(await slow.wait(), "patient");
      const throws = k.spawn(async (sys: Sys) => {
        void sys.exec("/bin/patient", []);
        await sys.sleep(0).then(() => Promise.reject(new Error("too late")));
      });
      t.is(await throws.wait(), "patient");
    },
    { files: PATIENT },
  ),
);

/** Runs a child to its end and gives its status. */
async function child(
  sys: Sys,
  flags: number,
  fn: (s: Sys) => Promise<string | void>,
): Promise<string> {
  await sys.rfork(RFPROC | flags, fn);
  return (await sys.wait()).msg.replace(/^main \d+: /, "");
}

test(
  "rfork shares descriptors, or copies them with RFFDG, or leaves them with RFCFDG; a Chan's offset is one",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        const fd = await sys.open("/six", OREAD);
        await child(sys, RFFDG, async (s) => {
          await get(s, fd, 2);
          await s.close(fd);
        });
        t.is(await get(sys, fd, 2), "cd", "the offset is the Chan's");
        t.is(
          await child(sys, RFCFDG, async (s) => await failure(s.close(0))),
          "fd out of range or not open",
        );
        await child(sys, 0, async (s) => s.close(fd));
        t.is(await failure(get(sys, fd, 1)), "fd out of range or not open");
        await sys.rfork(RFCFDG);
        t.is(await sys.open("/six", OREAD), 0);
      });
    },
    { files: FILES },
  ),
);

test(
  "rfork shares the name space, or copies it with RFNAMEG, or leaves it with RFCNAMEG; dot is each process's own",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        await child(sys, RFNAMEG, async (s) => {
          await s.bind("/a", "/b", MREPL);
          await s.chdir("/b");
        });
        t.is(await cat(sys, "b/f"), "in b");
        await child(sys, 0, async (s) => void (await s.bind("/a", "/b", MREPL)));
        t.is(await cat(sys, "b/f"), "in a");
        await sys.chdir("/b");
        const seen = await child(sys, RFCNAMEG, async (s) =>
          [await failure(s.stat("/b/f")), await cat(s, "f"), await cat(s, "#R/six")].join(),
        );
        t.is(seen, "'/b' file does not exist,in a,abcdef");
        t.is(await failure(sys.rfork(RFNAMEG | RFCNAMEG)), "bad arg in system call");
        t.is(await failure(sys.rfork(-1)), "bad arg in system call");
      });
    },
    { files: FILES },
  ),
);

test(
  "rfork shares, copies or leaves the environment and the place to rendezvous",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await put(sys, "/env/v", "old");
      await child(sys, RFENVG, async (s) => put(s, "/env/v", "copy"));
      t.is(await cat(sys, "/env/v"), "old");
      await child(sys, 0, async (s) => put(s, "/env/v", "new"));
      t.is(await cat(sys, "/env/v"), "new");
      t.is(
        await child(sys, RFCENVG, async (s) => failure(s.stat("/env/v"))),
        "'/env/v' file does not exist",
      );
      const apart = child(sys, RFREND, async (s) => {
        await s.alarm(10);
        await s.notify(async () => s.noted(0));
        return String(await s.rendezvous("tag", 1));
      });
      const mine = sys.rendezvous("tag", "mine");
      t.is(await apart, "undefined", "nobody was there");
      t.is(await child(sys, 0, async (s) => String(await s.rendezvous("tag", "theirs"))), "mine");
      t.is(await mine, "theirs");
    });
  }),
);

test(
  "RFNOMNT leaves only the devices | d e c p, for the children too; without RFPROC some flags make no sense",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      await sys.rfork(RFNOMNT | RFNAMEG);
      t.is(await failure(sys.open("#s", OREAD)), "mount/attach disallowed");
      t.is(await failure(sys.open("#R", OREAD)), "mount/attach disallowed");
      for (const dc of "|decp") t.is(await failure(sys.stat(`#${dc}`)), "no error", dc);
      t.is(
        await child(sys, RFNAMEG, async (s) => failure(s.open("#/", OREAD))),
        "mount/attach disallowed",
      );
      for (const flag of [RFMEM, RFNOWAIT])
        t.is(await failure(sys.rfork(flag)), "bad arg in system call");
      await sys.rfork(RFPROC | RFNOWAIT, async () => "");
      t.is(await failure(sys.wait()), "no living children");
    });
  }),
);

test(
  "wait gives each child that ended once, in the order they ended; await says it as text",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const kid = (ms: number, status: string): Promise<number> =>
        sys.rfork(RFPROC, async (s: Sys) => {
          await s.sleep(ms);
          return status;
        });
      const [a, b, c] = [await kid(30, "it's late"), await kid(10, ""), await kid(20, "x")];
      const waits = [sys.wait(), sys.wait()];
      t.deepEqual(await Promise.all(waits), [
        { pid: b, time: [0, 0, 10], msg: "" },
        { pid: c, time: [0, 0, 20], msg: `main ${c}: x` },
      ]);
      t.is(await sys.await(), `${a} 0 0 30 'main ${a}: it''s late'`);
      t.is(await failure(sys.wait()), "no living children");
      await kid(10, "");
      const mine = sys.wait();
      void sys.write(99, bytes("x"));
      t.is((await mine).msg, "");
      t.is(await sys.errstr(), "fd out of range or not open");
      t.is(await sys.errstr("set", 3), "");
      t.is(await sys.errstr(), "se");
      t.is(await failure(sys.open("/six", OWRITE)), "'/six' file does not exist");
    });
  }),
);

test(
  "a note interrupts every sleeping call, is delivered once, and they settle after its handler",
  within(async (t, k) => {
    const log: string[] = [];
    await run(k, async (sys: Sys) => {
      await sys.notify(async (note, s) => {
        log.push(`note ${note}`);
        await (s as Sys).sleep(50);
        log.push("handled");
        await (s as Sys).noted(NCONT);
      });
      await sys.alarm(10);
      const [a] = await sys.pipe();
      const calls = [sys.sleep(1e6), get(sys, a, 1), sys.sleep(20), sys.rendezvous("nobody", 1)];
      const results = calls.map((c, i) =>
        c.then(
          (v) => log.push(`${i} ${String(v)}`),
          (e: Error) => log.push(`${i} ${e.message}`),
        ),
      );
      await Promise.all(results);
      t.is(k.clock.now(), 60e6);
    });
    const [note, handled, ...ends] = log;
    t.is(
      [note, handled, ...ends.toSorted()].join(", "),
      ["note alarm, handled, 0 interrupted, 1 interrupted, 2 interrupted, 3 undefined"].join(),
    );
  }),
);

test(
  "what a call brought while a handler ran is held back until that is done; calls made since are not",
  within(async (t, k) => {
    const log: string[] = [];
    const p = k.spawn(async (sys: Sys) => {
      await sys.notify(async (_note, s) => {
        await (s as Sys).sleep(5);
        log.push("handled");
        await (s as Sys).noted(NCONT);
      });
      const before = [sys.dup(0).then(() => log.push("dup")), failure(sys.close(99))];
      p.note("hello");
      const since = sys.nsec().then(() => log.push("nsec"));
      await Promise.all([...before.map((c) => c.then(String)), since]);
    });
    t.is(await p.wait(), "");
    t.is(log.join(), "nsec,handled,dup");
  }),
);

test(
  "notes that come while a handler runs wait their turn, five at most, and are delivered in order",
  within(async (t, k) => {
    const seen: string[] = [];
    const p = k.spawn(async (sys: Sys) => {
      await sys.notify(async (note) => {
        seen.push(note);
        await sys.sleep(10);
        await sys.noted(NCONT);
      });
      t.is(await failure(sys.rendezvous("nobody", 0)), "no error");
      return "went on";
    });
    await run(k, async (sys: Sys) => sys.sleep(1));
    for (const n of [1, 2, 3, 4, 5]) p.note(`n${n}`);
    t.throws(() => p.note("n6"), { message: "note not posted" });
    t.throws(() => p.note("x".repeat(127)), { message: "read or write too large" });
    t.is(await p.wait(), "went on");
    t.is(seen.join(" "), "n1 n2 n3 n4 n5");
    t.is(k.clock.now(), 51e6);
  }),
);

test(
  "a note that nobody handles is the status: no handler, NDFLT, a handler that only returns",
  within(async (t, k) => {
    const dies = async (handler: ((note: string, sys: unknown) => unknown) | null) => {
      const p = k.spawn(async (sys: Sys) => {
        await sys.notify(handler);
        await sys.rendezvous("nobody", 0);
      });
      await run(k, async (sys: Sys) => sys.sleep(1));
      p.note("bang");
      return p.wait();
    };
    t.is(await dies(null), "bang");
    t.is(await dies(async (_note, s) => (s as Sys).noted(NDFLT)), "bang");
    t.is(await dies(() => undefined), "bang");
    t.is(await dies(async () => Promise.reject(new Error("in the handler"))), "in the handler");
    t.is(
      await dies(() => {
        throw new Error("at once");
      }),
      "at once",
    );
    t.is(await dies(async (_note, s) => (s as Sys).exits("my way")), "my way");
    const outside = k.spawn(async (sys: Sys) => sys.noted(NCONT));
    t.is(await outside.wait(), "Suicide");
    const sysnote = k.spawn(async (sys: Sys) => {
      const [a, b] = await sys.pipe();
      await sys.close(b);
      await sys.write(a, bytes("x"));
    });
    t.is(await sysnote.wait(), "sys: write on closed pipe pc=0x00000000");
  }),
);

test(
  "programs and handlers may be async or generators, in any pairing, and a child inherits the handler",
  within(async (t, k) => {
    const handled: string[] = [];
    const handlers = [
      async (note: string, s: unknown): Promise<void> => {
        handled.push(`async ${note}`);
        await (s as Sys).sleep(5);
        await (s as Sys).noted(NCONT);
      },
      function* (note: string, s: unknown): Task<void> {
        handled.push(`generator ${note}`);
        yield* (s as TaskSys).sleep(5);
        yield* (s as TaskSys).noted(NCONT);
      },
      (note: string, s: unknown): unknown => {
        handled.push(`plain ${note}`);
        return (s as Sys).noted(NCONT);
      },
    ];
    for (const handler of handlers) {
      const asynchronous = async (sys: Sys): Promise<string> => {
        await sys.notify(handler);
        await sys.alarm(10);
        return failure(sys.sleep(1000));
      };
      t.is(await k.spawn(asynchronous).wait(), "interrupted");
      const generator = function* (sys: TaskSys): Task<string> {
        yield* sys.notify(handler);
        yield* sys.alarm(10);
        try {
          yield* sys.sleep(1000);
        } catch (e) {
          return String(e);
        }
        return "slept";
      };
      t.is(await k.spawn(generator as never).wait(), "PlanError: interrupted");
      const parent = async (sys: Sys): Promise<string> => {
        await sys.notify(handler);
        return child(sys, 0, async (s) => {
          await s.alarm(10);
          return failure(s.sleep(1000));
        });
      };
      t.is(await k.spawn(parent, ["main"]).wait(), "interrupted");
    }
    const kinds = ["async", "generator", "plain"];
    t.deepEqual(
      handled,
      kinds.flatMap((kind) => Array.from({ length: 3 }, () => `${kind} alarm`)),
    );
  }),
);

test(
  "a note reaches its group: what rfork(RFNOTEG) left does not hear it; the sender does not either",
  within(async (t, k) => {
    await run(k, async (sys: Sys) => {
      const nap = (flags: number): Promise<number> =>
        sys.rfork(RFPROC | flags, async (s: Sys) => {
          await s.sleep(100);
          return "slept";
        });
      const [mine, apart] = [await nap(0), await nap(RFNOTEG)];
      const fd = await sys.open(`/proc/${mine}/notepg`, OWRITE);
      await sys.write(fd, bytes("hup"));
      t.is((await sys.wait()).msg, `main ${mine}: hup`);
      t.is((await sys.wait()).msg, `main ${apart}: slept`);
    });
  }),
);

test(
  "cleaning up after a kill may sleep, and neither a note nor a second kill disturbs it",
  within(async (t, k) => {
    const log: string[] = [];
    const dev = k.devtab.get("c");
    if (dev === undefined) throw new Error("no console");
    dev.stat = function* (): Task<never> {
      try {
        yield* k.sched.sleep(1e15);
        return yield* failing();
      } finally {
        log.push("cleaning");
        yield* k.sched.sleep(1e6);
        log.push("clean");
      }
    };
    const p = k.spawn(async (sys: Sys) => {
      await sys.notify(async () => log.push("handler"));
      await sys.stat("#c/cons");
    });
    k.sched.hold();
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    p.kill();
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    p.note("again");
    p.kill();
    k.sched.release();
    t.is(await p.wait(), "Killed");
    t.deepEqual(log, ["cleaning", "clean"]);
  }),
);

function* failing(): Task<never> {
  throw new Error("nobody comes here");
}

test(
  "exec forgets the handler, and the notes that waited",
  within(
    async (t, k) => {
      const p = k.spawn(async (sys: Sys) => {
        await sys.notify(async (_note, s) => {
          await (s as Sys).exec("/bin/patient", []);
        });
        await sys.rendezvous("nobody", 0);
      });
      await run(k, async (sys: Sys) => sys.sleep(1));
      p.note("one");
      p.note("two");
      t.is(await p.wait(), "patient");
      const q = k.spawn(async (sys: Sys) => {
        await sys.notify(async (_note, s) => (s as Sys).noted(NCONT));
        await sys.exec("/bin/patient", []);
      });
      await run(k, async (sys: Sys) => sys.sleep(1));
      q.note("hup");
      t.is(await q.wait(), "hup");
    },
    { files: PATIENT },
  ),
);
