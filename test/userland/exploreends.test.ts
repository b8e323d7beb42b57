// What a schedule can come to, and what a search says that did not run all.
import test from "ava";
import { ORDWR, OREAD, OWRITE, RFFDG, RFPROC } from "../../userland/boot/index.ts";
import type { Sys, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { everyfault, expect, explore, machine, replay } from "../../userland/host/testing.ts";
import type { Machine } from "../../userland/host/testing.ts";

const ONE = new Uint8Array(1);

/** The process of a fault's text are numbered as they come. */
const plain = (text: string | undefined): string =>
  (text ?? "").replace(/process \d+/g, "process N");

test("a deadlock says who waits for what, and for whom", async (t) => {
  const r = await explore((m) =>
    m.run(async function main(sys: Sys) {
      const [near, far] = await sys.pipe();
      await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
        await s.close(near);
        await s.read(far, ONE);
      });
      await sys.close(far);
      await sys.read(near, ONE);
    }),
  );
  t.deepEqual(
    r.failures.map((f) => [f.kind, plain(f.what)]),
    [
      [
        "deadlock",
        "process N waits in read(3) of #|/data for process N to write to its other end\n" +
          "process N waits in read(4) of #|/data1 for process N to write to its other end",
      ],
    ],
  );
});

test("a run that is not awaited is told, by explore, by everyfault and at the end", async (t) => {
  const left = "the program late, whose run is not awaited";
  const scene = async (m: Machine): Promise<void> => {
    void m.run(async function late(sys: Sys) {
      await sys.sleep(5);
      await sys.open("/tmp/none", OREAD);
    });
  };
  const r = await explore(scene);
  t.deepEqual(
    r.failures.map((f) => [f.kind, f.what]),
    [["leak", `${left} is left`]],
  );
  await t.throwsAsync(everyfault(scene), {
    message: `everyfault: without a fault, this is left:\n  ${left}`,
  });
  const m = await machine();
  const run = m.run((sys: Sys) => sys.sleep(5));
  await t.throwsAsync(m.end(), {
    message: "at the end this is left:\n  the program main, whose run is not awaited",
  });
  await run.catch(() => undefined);
});

test("what is no scene, no number or no text is refused in words", async (t) => {
  const scene = (): number => 1;
  const refused = (opts: object): Promise<Error | undefined> =>
    t.throwsAsync(explore(scene, opts), { instanceOf: TypeError });
  t.is(
    (await refused({ preemptions: "two" }))?.message,
    'explore: preemptions is a number from 0 on, not "two"',
  );
  t.is(
    (await refused({ schedules: 0 }))?.message,
    "explore: schedules is a number from 1 on, not 0",
  );
  t.is((await refused({ budget: 30 }))?.message, 'explore: budget is a text such as "30s", not 30');
  t.is(
    (await refused({ maybe: "write:error=x" }))?.message,
    'explore: maybe is a list of faults, not "write:error=x"',
  );
  await t.throwsAsync(explore(undefined as never), {
    message: "explore: a scene is a function, not undefined",
  });
  await t.throwsAsync(replay(scene, 3 as never), {
    message: 'replay: a schedule is a text such as "3.1", not 3',
  });
  await t.throwsAsync(everyfault(null as never), {
    message: "everyfault: a scene is a function, not null",
  });
  const m = await machine();
  t.throws(() => m.inject(7 as never), {
    message: 'inject: a fault is a text such as "read:when=2:error=i/o error", not 7',
  });
  await m.end();
  const thrown = await explore(() => Promise.reject({ code: 7 }));
  t.deepEqual(
    thrown.failures.map((f) => [f.kind, f.what]),
    [["assertion", "{code 7}"]],
  );
});

test("a livelock is cut off: then not all was run", async (t) => {
  const spins = async (sys: Sys): Promise<void> => {
    for (;;) await sys.sleep(0);
  };
  const r = await explore((m) => m.run(spins), { steps: 50 });
  t.deepEqual([r.all, r.failures.map((f) => f.kind)], [false, ["livelock"]]);
  t.regex(
    r.failures[0]?.what ?? "",
    /^it goes on after 51 steps, the last of them process \d+ in sleep$/,
  );
});

test("a panic, a crash, a bad status and a leak are told apart", async (t) => {
  const kinds = async (scene: (m: Machine) => unknown): Promise<unknown> =>
    (await explore(scene)).failures.map((f) => f.kind);
  const panics = async (m: Machine): Promise<void> => {
    m.kernel.panic(new Error("broken"));
    await m.run(async (sys: Sys) => sys.sleep(1));
  };
  t.deepEqual(await kinds(panics), ["panic"]);
  const crash = (m: Machine) => m.run(() => Promise.reject(new Error("bad")));
  t.deepEqual(await kinds(crash), ["crash"]);
  t.deepEqual(await kinds((m) => m.run(() => "bad")), ["status"]);
  const leaks = (m: Machine) =>
    m.run(
      async (sys: Sys) => void (await sys.rfork(RFPROC, (s: Sys) => s.rendezvous(1, 2) as never)),
    );
  t.deepEqual(await kinds(leaks), ["leak"]);
});

test("a leak stands with the lines of the program that made the process and opened its files", async (t) => {
  const r = await explore((m) =>
    m.run(async function main(sys: Sys) {
      await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
        await s.open("/tmp", OREAD);
        await s.rendezvous("ready", 1);
        await s.rendezvous("never", 1);
      });
      await sys.rendezvous("ready", 1);
    }),
  );
  t.deepEqual([r.all, r.failures.length], [true, 1]);
  t.regex(
    plain(r.failures[0]?.what).replace(/[^\s(]*exploreends\.test\.[jt]s:\d+/g, "L"),
    /^here: process N main is left, and \d more\nhere: process N main \(made at L, waits in rendezvous at "never" for a process, .*\), and its \d descriptors, of them 3 \/tmp, which open\("\/tmp", OREAD\) opened \(L\)$/,
  );
});

test("a scene that does not repeat is told, and so is a schedule that is another scene's", async (t) => {
  let n = 0;
  const scene = async (m: Machine): Promise<void> => {
    const calls = n++ % 2;
    const main = async (sys: Sys): Promise<void> => {
      const fd = await sys.open("/tmp/a", OWRITE);
      await sys.write(fd, ONE);
      await sys.close(fd);
    };
    await Promise.all(calls === 0 ? [m.run(main), m.run(main)] : [m.run(main)]);
  };
  const opts = { files: { tmp: { a: "" } } };
  const r = await explore(scene, opts);
  t.deepEqual([r.all, r.failures.map((f) => f.kind)], [false, ["unsteady"]]);
  const other = await replay((m) => m.run(() => undefined), "0.0");
  t.regex(other.misled ?? "", /the scene ended before its last 2 switches/);
});

test("generator programs are explored call by call, as async ones are", async (t) => {
  const program = (name: string) =>
    function* main(sys: ThreadSys): Task<void> {
      const own = yield* sys.create(`/tmp/${name}`, ORDWR, 0o666);
      const all = yield* sys.open("/tmp/all", OWRITE);
      for (let i = 0; i < 4; i++) yield* sys.write(own, ONE);
      for (let i = 0; i < 2; i++) yield* sys.write(all, ONE);
      yield* sys.close(all);
      yield* sys.close(own);
    };
  const r = await explore((m) => Promise.all([m.run(program("a")), m.run(program("b"))]), {
    files: { tmp: { all: "" } },
  });
  t.deepEqual([r.schedules, r.all], [6, true]);
});

test("a scene that looks at its calls has them; one that lists a directory sees each order of its files", async (t) => {
  const make = (name: string) => async (sys: Sys) => {
    await sys.close(await sys.create(`/tmp/${name}`, OREAD, 0o666));
  };
  const r = await explore(async (m) => {
    const runs = await Promise.all([m.run(make("a")), m.run(make("b"))]);
    for (const run of runs) expect(run.call("create")).succeeds();
    const names: string[] = [];
    await m.run(async (sys: Sys) => {
      for (const d of await readdir(sys, "/tmp")) names.push(d.name);
    });
    return names;
  });
  t.deepEqual(
    r.outcomes.map((o) => o.what),
    ['["a", "b"]', '["b", "a"]'],
  );
});

test("with few schedules it says what was covered, and preemptions bound a search", async (t) => {
  const main = async (sys: Sys): Promise<void> => {
    const fd = await sys.open("/tmp/a", ORDWR);
    for (let i = 0; i < 4; i++) await sys.write(fd, ONE);
    await sys.close(fd);
  };
  const scene = (m: Machine) => Promise.all([m.run(main), m.run(main)]);
  const opts = { files: { tmp: { a: "" } } };
  const some = await explore(scene, { ...opts, schedules: 24 });
  t.false(some.all);
  t.regex(some.show(), /every schedule: 12 schedules, not all\n/);
  t.regex(some.show(), /every schedule with at most 0 preemptions: 2 schedules, all of these/);
  t.regex(some.show(), /random priorities from seed 0/);
  const one = await explore(scene, { ...opts, preemptions: 1 });
  // Each of the two goes first, and the other one may come before each of its four writes.
  t.deepEqual(
    one.covered.map((c) => [c.what, c.schedules, c.all]),
    [["every schedule with at most 1 preemption", 10, true]],
  );
});

test("a step that shows in a later schedule alone is preempted before, too: the search begins anew", async (t) => {
  // The child writes /tmp/x only if it is before the parent's create; so in the first schedule the read touches nothing shared.
  const scene = (m: Machine) =>
    m.run(async function main(sys: Sys) {
      await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
        const there = await s.stat("/tmp/flag").catch(() => null);
        if (there === null) await s.write(await s.open("/tmp/x", OWRITE), ONE);
      });
      await sys.create("/tmp/flag", OWRITE, 0o666);
      await sys.pread(await sys.open("/tmp/x", OREAD), ONE, 0);
      await sys.wait();
    });
  const r = await explore(scene, { files: { tmp: { x: "" } }, preemptions: 1 });
  // None, and one before the parent's create, its open of /tmp/x and its read.
  t.deepEqual(
    r.covered.map((c) => [c.schedules, c.all]),
    [[4, true]],
  );
});

test("messages of several machines come in any order, those of one in theirs", async (t) => {
  const r = await explore(
    async (m) => {
      await m.server("one", { rtt: "0ms", files: { f: "1" } });
      await m.server("two", { rtt: "0ms", files: { f: "2" } });
      const seen: string[] = [];
      const look = (name: string) => async (sys: Sys) => {
        await sys.stat(`/n/${name}/f`);
        seen.push(name);
      };
      await Promise.all([m.run(look("one")), m.run(look("two"))]);
      return seen;
    },
    { schedules: 60, preemptions: 0 },
  );
  t.deepEqual(r.outcomes.map((o) => o.what).toSorted(), ['["one", "two"]', '["two", "one"]']);
  t.deepEqual(r.failures, []);
});

test("programs with a memory of their own are explored: an rfork that returns twice is a race", async (t) => {
  const twice = async function main(sys: Sys): Promise<string | void> {
    const buf = new Uint8Array(1);
    const fd = await sys.create("/tmp/n", 2, 0o666);
    await sys.write(fd, buf);
    const pid = await (sys.rfork as unknown as (flags: number) => Promise<number>)(16 | 4);
    await sys.pread(fd, buf, 0);
    buf[0] = (buf[0] ?? 0) + 1;
    await sys.pwrite(fd, buf, 0);
    if (pid === 0) return;
    await sys.wait();
    await sys.pread(fd, buf, 0);
    if (buf[0] !== 2) return `n is ${buf[0]}`;
  };
  const r = await explore((m) => m.run(twice, { image: "vm" }));
  t.deepEqual([r.all, r.outcomes.length], [true, 2]);
  const [f] = r.failures;
  t.is(f?.what, 'main: it ended with "n is 1"');
  const again = await replay((m) => m.run(twice, { image: "vm" }), f?.schedule ?? "");
  t.is(again.what, 'main: it ended with "n is 1"');
});
