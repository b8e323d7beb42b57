// Runs of the test kit: each has its own processes, its options, its limits, and tells what it left undone.

import test from "ava";
import { OREAD, ORDWR, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { getenv, getuser, getwd } from "../../userland/lib/proc.ts";
import { print, readtext, writefile } from "../../userland/lib/io.ts";
import {
  Failure,
  everyfault,
  expect,
  explore,
  machine,
  replay,
} from "../../userland/testing/index.ts";
import type { Machineopts } from "../../userland/testing/index.ts";

const LINES = new URL("../../../test/userland/testingrun.test.ts", import.meta.url).pathname;

test("several programs run at once, and each Run has its own calls and messages", async (t) => {
  const m = await machine();
  await m.server("far", { rtt: "50ms", files: { a: "aa", b: "bb" } });
  const reader = (name: string) => async (sys: Sys) => {
    await sys.sleep(10);
    await print(sys, await readtext(sys, `/n/far/${name}`));
    // The kernel clunks this one when the process has ended.
    await sys.open(`/n/far/${name}`, OREAD);
  };
  const parent = async (sys: Sys): Promise<void> => {
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => void (await child.stat("/n/far/a")));
    await sys.wait();
  };
  const runs = await Promise.all([m.run(reader("a")), m.run(reader("b")), m.run(parent)]);
  for (const [i, name] of ["a", "b"].entries()) {
    const r = runs[i];
    if (r === undefined) return t.fail();
    expect(r)
      .says(name + name)
      .calls("sleep", "open", "read", "read", "close", "write", "open");
    expect(r).never(new RegExp(`Twalk .* ${name === "a" ? "b" : "a"}$`));
    t.is(r.messages.filter((x) => x.text.startsWith("Tclunk")).length, 2, name);
    t.is(r.messages.length, 16);
  }
  const [, , third] = runs;
  if (third !== undefined) expect(third).calls("rfork", "stat", "wait").messages(6);
  await m.end();
});

test("a run that hangs beside others is told with what it waits in, and they are as they are alone", async (t) => {
  const m = await machine();
  await m.server("far", { rtt: "50ms", files: { a: "aa" } });
  m.inject("Tread:when=1:drop");
  const reads = async (sys: Sys): Promise<void> => void (await readtext(sys, "/n/far/a"));
  const later = async (sys: Sys): Promise<void> => {
    await sys.sleep(1000);
    await reads(sys);
  };
  const thrown = new Error("mine");
  const [hung, good, bad] = await Promise.all([
    m.try(reads),
    m.try(later),
    m.try(() => Promise.reject(thrown)),
  ]);
  expect(hung).hangs("read(3");
  t.is(hung.limit, null);
  expect(good).status("").time("1150ms");
  t.is(bad.crash, thrown);
  await m.end();
});

test("a run has arguments, input, environment, directory, user and a name space of its own", async (t) => {
  const m = await machine({ files: { usr: { motd: "hello" }, mnt: {} } });
  const said: unknown[] = [];
  const main = async (sys: Sys, argv: string[]): Promise<void> => {
    const buf = new Uint8Array(9);
    const n = await sys.read(0, buf);
    said.push(argv.join(" "), new TextDecoder().decode(buf.subarray(0, n)));
    said.push(await getenv(sys, "x"), await getenv(sys, "list"), await getwd(sys));
    said.push(await getuser(sys), await readtext(sys, "motd"));
    await sys.bind("/tmp", "/mnt", 0);
  };
  const opts = { args: ["a", "b"], stdin: "in\n", env: { x: "1", list: ["p", "q"] }, user: "ken" };
  const bound = async (sys: Sys): Promise<unknown> => await sys.bind("/usr", "/mnt", 0);
  const r = await m.run(main, { ...opts, dot: "/mnt", ns: bound });
  t.deepEqual(said, ["main a b", "in\n", "1", "p q", "/mnt", "ken", "hello"]);
  expect(r).order().never(/bind/);
  t.false(r.calls.some((c) => c.name === "chdir" || c.what.startsWith('bind("/usr"')));
  // The next one has none of that.
  await m.run(async (sys: Sys) => {
    said.push(await getenv(sys, "x"), await getuser(sys));
    await t.throwsAsync(readtext(sys, "/mnt/motd"));
  });
  t.deepEqual(said.slice(-2), [null, "glenda"]);
  const bind = function* (sys: TaskSys): Task<void> {
    yield* sys.bind("/usr", "/mnt", 0);
  };
  await m.run((sys: Sys) => sys.stat("motd").then(() => undefined), { ns: bind, dot: "/mnt" });
  await t.throwsAsync(m.run(main, { dot: "/no" }), {
    message: "cannot prepare main: '/no' file does not exist",
  });
  await m.end();
});

test("an option that there is not is refused, and the right one named", async (t) => {
  const refused = async (fn: () => Promise<unknown>, message: string | RegExp): Promise<void> =>
    void (await t.throwsAsync(fn, { instanceOf: TypeError, message }));
  await refused(
    () => machine({ sed: 1 } as Machineopts),
    "machine: unknown option sed; did you mean seed?",
  );
  const m = await machine();
  const main = (): void => undefined;
  const odd: object = { rt: "1ms" };
  await refused(() => m.server("far", odd), "server: unknown option rt; did you mean rtt?");
  const other: object = { arguments: [] };
  await refused(
    () => m.run(main as never, other),
    /^run: unknown option arguments; there are args, stdin, env, /,
  );
  await refused(
    () => m.run(main as never, "a", {} as never),
    "run: a program is given words, or one object of options",
  );
  await m.end();
});

const LOOPS: Readonly<Record<string, readonly [object, (sys: Sys) => Promise<unknown>, RegExp]>> = {
  calls: [{ calls: 500 }, (sys) => sys.stat("/tmp"), /it has made 500 calls, and goes on/],
  time: [{ time: "10s" }, (sys) => sys.sleep(1000), /it goes on after 10s of its virtual clock/],
  host: [{ host: 0 }, (sys) => sys.stat("/tmp"), /it goes on after 0 of real time/],
};

for (const [name, [limits, step, said]] of Object.entries(LOOPS))
  test(`a livelock ends by its limit of ${name}, with the last calls shown`, async (t) => {
    const m = await machine();
    const loop = async (sys: Sys): Promise<void> => {
      await sys.chdir("/tmp");
      for (;;) await step(sys);
    };
    const e = await t.throwsAsync(m.run(loop, limits), { instanceOf: Failure, message: said });
    // Only the loop that sleeps takes time.
    const after =
      name === "time"
        ? /^loop: it .*\n\nloop goes on for ever, after /
        : /^loop: it .*\n\nloop goes on for ever:\n/;
    t.regex(e?.message ?? "", after);
    if (name === "calls") t.regex(e?.message ?? "", /:\n {2}47\d calls before\n/);
    t.is(e?.actual, "hangs");
    const r = await m.try(loop, limits);
    t.deepEqual([r.hung, r.waits], [true, []]);
    t.regex(r.limit ?? "", said);
    await m.end();
  });

test("a server that ticks for ever does not keep a client waiting for ever", async (t) => {
  const m = await machine({ time: "1h" });
  await m.server("far", {
    on: null,
    serve(sys) {
      sys.threadcreate(ticking(sys));
      return { attach: () => 0, qid: () => ({ path: 0n, vers: 0, type: 0x80 }), stat: never };
    },
  });
  const never_ = await m.try(async (sys: Sys) =>
    sys.rendezvous("never", null).then(() => undefined),
  );
  t.is(never_.limit, "it goes on after 3600s of its virtual clock (the limit of time)");
  await m.end();
});

function* ticking(sys: TaskSys): Task<void> {
  for (;;) yield* sys.sleep(60_000);
}

function never(): never {
  throw new Error("not asked for");
}

test("a program that waits for a promise of its own ends by the limit of the host", async (t) => {
  const m = await machine({ host: "50ms" });
  const r = await m.try(() => new Promise<void>(() => undefined));
  t.is(r.limit, "it goes on after 50ms of real time (the limit of host)");
  await m.end();
});

test("calls that are not awaited, and those in progress at the end, are told with their lines", async (t) => {
  const m = await machine();
  const r = await m.run(async (sys: Sys) => {
    void sys.stat("/tmp");
    const late = sys.sleep(10);
    late.catch(() => undefined);
    await print(sys, "x");
  });
  t.deepEqual(
    r.unawaited.map((text) => text.replace(/:\d+$/, "")),
    ['stat("/tmp")    test/userland/testingrun.test.ts'],
  );
  t.deepEqual(
    r.unfinished.map((text) => text.split(" ")[0]),
    ["sleep(10)"],
  );
  t.throws(() => expect(r).awaits(), {
    instanceOf: Failure,
    message:
      /^main: 1 call not awaited: stat\("\/tmp"\) .*testingrun.test.ts:\d+\n\n[^]*\n {2}in progress at the end: sleep\(10\)/,
  });
  const forgot = await m.run(function* main(sys: TaskSys): Task<void> {
    sys.stat("/tmp");
    yield* sys.stat("/usr");
  });
  expect(forgot).calls("stat");
  t.is(forgot.unawaited.length, 1);
  expect(
    await m.run(async (sys: Sys) => void (await Promise.all([sys.stat("/"), sys.sleep(1)]))),
  ).awaits();
  await m.end();
});

test("descriptors that are left open are told with the call that opened them", async (t) => {
  const m = await machine({ files: { tmp: { a: "" } } });
  const leaves = async (sys: Sys): Promise<void> => {
    await sys.open("/tmp/a", OREAD);
    const [p] = await sys.pipe();
    await sys.close(p);
  };
  const r = await m.run(leaves);
  t.deepEqual(
    r.left.map((text) => text.split(" ")[0]),
    ["3", "5"],
  );
  t.throws(() => expect(r).closes(), {
    message:
      /^leaves: 2 descriptors left open: 3 \/tmp\/a, which open\("\/tmp\/a", OREAD\) opened \(test.*run\.test\.ts:\d+\); 5 #\|\/data1?, which pipe\(\) opened/,
  });
  // One that ends by exits, and a child with descriptors of its own.
  const ends = async (sys: Sys): Promise<void> => {
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => void (await child.open("/tmp/a", ORDWR)));
    await sys.wait();
    await sys.open("/tmp", OREAD);
    await sys.exits();
  };
  t.deepEqual((await m.run(ends)).left, ["3 /tmp/a", "3 /tmp"]);
  expect(await m.run((sys: Sys) => writefile(sys, "/tmp/b", "x"))).closes();
  await m.end();
});

test("a failure's stack begins at the test's line, also of what was awaited", async (t) => {
  const m = await machine();
  const r = await m.run((sys: Sys) => sys.sleep(1));
  const first = (e: Error | undefined): string => e?.stack?.split("\n    at ")[1] ?? "";
  t.regex(first(t.throws(() => expect(r).trips(1))), /testingrun\.test\./);
  const failed = await t.throwsAsync(m.run(() => "no"));
  t.regex(first(failed), /testingrun\.test\./);
  const left = await machine();
  left.inject("Tread:drop");
  t.regex(first(await t.throwsAsync(left.end())), /testingrun\.test\./);
  await m.end();
});

test("what is refused, and what a program throws, has a stack of the test's lines alone", async (t) => {
  const m = await machine();
  const s = await m.server("dead", { on: null });
  s.cut();
  const none = async (): Promise<void> => undefined;
  const typo = async (sys: Sys): Promise<void> => {
    await sys.stat("/tmp");
    await sys.chdir((undefined as unknown as string[]).join("/"));
  };
  const asks: Readonly<Record<string, () => unknown>> = {
    machine: () => machine({ time: "soon" }),
    run: () => m.run(none, { time: "soon" }),
    try: () => m.try(none, { time: "soon" }),
    server: () => m.server("far", { rtt: "soon" }),
    mount: () => m.mount(s),
    inject: () => m.inject("read:drop"),
    explore: () => explore(none, { budget: "soon" }),
    replay: () => replay(none, "x"),
    everyfault: () => everyfault(none),
    kind: () => everyfault(none, { kinds: ["wriet" as "kill"] }),
    program: () => m.run(typo),
  };
  for (const [name, ask] of Object.entries(asks)) {
    const e = await t.throwsAsync(async () => await ask(), { any: true }, name);
    const frames = e instanceof Error ? (e.stack ?? "").split("\n    at ").slice(1) : [];
    t.true(frames.length > 0, name);
    for (const at of frames) t.false(/userland\/(testing|boot|explore)\/|node:/.test(at), at);
    t.regex(frames[0] ?? "", /testingrun\.test|ava/, name);
  }
  await m.end();
});

test("a call shows the program's file and line", async (t) => {
  const m = await machine();
  const r = await m.run(async (sys: Sys) => {
    await readtext(sys, "/dev/user");
  });
  const [file, line = "0"] = r.call("open").place.split(":");
  t.is(file, "test/userland/testingrun.test.ts");
  const { readFileSync } = await import("node:fs");
  t.regex(
    readFileSync(LINES, "utf8").split("\n")[Number(line) - 1] ?? "",
    /readtext\(sys, "\/dev\/user"\)/,
  );
  t.true(r.show().includes(`    test/userland/testingrun.test.ts:${line}\n`));
  await m.end();
});

test("faults of calls meet programs, and not what the kit itself does", async (t) => {
  const m = await machine({ files: { tmp: { a: "x" } } });
  m.inject("call:error=no");
  t.deepEqual(await m.files(), { a: "x" });
  await m.server("far", { files: { b: "y" } });
  expect(await m.try((sys: Sys) => sys.stat("/tmp/a").then(() => undefined), { dot: "/n/far" }))
    .status("no")
    .calls("stat");
  await m.end();
});
