// The test kit: what it says of a run is so, each assertion fails when it should and says why, and what is
// left at the end is found.

import test from "ava";
import type { ExecutionContext } from "ava";
import { MREPL, OREAD, OWRITE, RFPROC } from "../../kernel/abi/const.ts";
import type { Main, Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { tree } from "../../userland/lib/9p.ts";
import { dial } from "../../userland/lib/dial.ts";
import { newexport } from "../../userland/lib/export.ts";
import { resolve } from "../../userland/host/hooks.ts";
import { print, readtext, writefile } from "../../userland/lib/io.ts";
import { Failure, expect, machine } from "../../userland/testing/index.ts";
import type { Machine, Run, Server } from "../../userland/testing/index.ts";

const FILES = { usr: { ken: "hello, ken\n", empty: {}, raw: new Uint8Array([0, 255]) } };

type Case = { readonly t: ExecutionContext; readonly m: Machine; readonly far: Server };

/** A test on a machine with a server 50 ms away. */
function kit(title: string, fn: (c: Case) => Promise<void>): void {
  test(title, async (t) => {
    const m = await machine();
    const far = await m.server("far", { rtt: "50ms", files: FILES });
    await fn({ t, m, far });
    await t.notThrowsAsync(m.end());
  });
}

async function reader(sys: Sys): Promise<void> {
  const fd = await sys.open("/n/far/usr/ken", OREAD);
  const buf = new Uint8Array(100);
  await sys.read(fd, buf);
  await sys.close(fd);
  await print(sys, "done\n");
}

kit("a run tells what its calls cost, in which order and when", async ({ t, m }) => {
  const r = await m.run(reader);
  expect(r).trips(2).messages(8).time("100ms").status("").says("done\n").says(/^do/);
  expect(r).calls("open", "read", "close", "write");
  expect(r).sends("Twalk usr/ken", "Topen", "Tread at 0", "Tclunk");
  expect(r)
    .order("Topen", /^Ropen$/, 'Rread "hello,', "Rclunk")
    .never("Tstat", /^Rerror/);
  expect(r.call("open")).trips(1).time(50_000_000).sends("Twalk", "Topen OREAD").gives(3);
  expect(r.call("close")).trips(0).messages(2).succeeds();
  t.is(r.call("read").result, '11 "hello, ken\\n"');
  t.is(
    r.bytes,
    r.calls.reduce((n, c) => n + c.bytes, 0),
  );
  const again = await m.run(reader);
  t.deepEqual([again.time, again.messages.length], [r.time, r.messages.length]);
});

kit(
  "files are seeded from an object, and read back as one, here and there",
  async ({ t, m, far }) => {
    t.deepEqual(await far.files(), FILES);
    await m.run(async (sys: Sys) => {
      await writefile(sys, "/n/far/usr/empty/new", "x");
      await writefile(sys, "/tmp/here", "y");
      await sys.remove("/n/far/usr/raw");
    });
    t.deepEqual(await far.files("usr"), { ken: "hello, ken\n", empty: { new: "x" } });
    t.deepEqual(await m.files("/n/far/usr/empty"), { new: "x" });
    t.deepEqual(await m.files(), { here: "y" });
    t.is(await far.file("usr/ken"), "hello, ken\n");
  },
);

kit("a call's error is told by its words", async ({ m }) => {
  const r = await m.run(async (sys: Sys) => {
    await sys.stat("/n/far/no").catch(() => undefined);
    await sys.stat("/n/far/usr/ken");
  });
  expect(r.call("stat", 1)).fails("file does not exist").fails("'/n/far/no' file does not exist");
  expect(r.call('stat("/n/far/usr/ken"')).gives({ name: "ken", length: 11 });
});

kit("a generator program and arguments are as good", async ({ m }) => {
  const r = await m.run(
    function* main(sys: TaskSys, argv: string[]): Task<void> {
      yield* print(sys, `${argv.join(" ")}\n`);
      yield* sys.stat("/n/far/usr/ken");
    },
    "a",
    "b",
  );
  expect(r).says("main a b\n").trips(1).time("50ms").calls("write", "stat");
});

const WRONG: Readonly<Record<string, readonly [(r: Run) => unknown, RegExp, unknown, unknown]>> = {
  trips: [(r) => expect(r).trips(1), /^reader: 1 round trip expected, 2 made$/, 2, 1],
  messages: [(r) => expect(r).messages(7), /: 7 messages expected, 8 passed$/, 8, 7],
  time: [(r) => expect(r).time("50ms"), /: 50ms expected, 100ms taken$/, "100ms", "50ms"],
  sends: [
    (r) => expect(r.call("open")).sends("Twalk usr/ken", "Tstat"),
    /^open\("\/n\/far\/usr\/ken", OREAD\): request 2 should be "Tstat", and is "Topen 1 OREAD"$/,
    ["Twalk 0 → 1 usr/ken", "Topen 1 OREAD"],
    ["Twalk 0 → 1 usr/ken", "Tstat"],
  ],
  "sends, one more": [
    (r) => expect(r.call("read")).sends(),
    /: request 1 should be nothing, and is "Tread 1 100 at 0"$/,
    ["Tread 1 100 at 0"],
    [],
  ],
  "sends, one less": [
    (r) => expect(r.call("read")).sends("Tread", "Tread"),
    /: request 2 should be "Tread", and is nothing$/,
    ["Tread 1 100 at 0"],
    ["Tread 1 100 at 0", "Tread"],
  ],
  order: [
    (r) => expect(r.call("open")).order("Ropen", "Rwalk"),
    /: no message "Rwalk" after "Ropen"$/,
    ["Twalk 0 → 1 usr/ken", "Topen 1 OREAD", "Rwalk 2 qids", "Ropen"],
    ["Ropen", "Rwalk"],
  ],
  never: [
    (r) => expect(r).never("Topen"),
    /"Topen" should never come, and "Topen 1 OREAD" came$/,
    "Topen 1 OREAD",
    "never Topen",
  ],
  fails: [
    (r) => expect(r.call("open")).fails("no"),
    /should fail with "no", but it succeeded and gave 3$/,
    null,
    "no",
  ],
  gives: [(r) => expect(r.call("open")).gives(4), /: the value: 4 expected, and it is 3$/, 3, 4],
  says: [
    (r) => expect(r).says("no"),
    /output "no" expected, and it was "done\\n"$/,
    "done\n",
    "no",
  ],
  status: [(r) => expect(r).status("no"), /status "no" expected, and it was ""$/, "", "no"],
  hangs: [
    (r) => expect(r).hangs("read("),
    /it should hang in read\(, and it ended$/,
    [],
    ["read("],
  ],
  calls: [
    (r) => expect(r).calls("open"),
    /: the calls should end before call 2, which is read$/,
    ["open", "read", "close", "write"],
    ["open"],
  ],
};

for (const [name, [assertion, said, actual, expected]] of Object.entries(WRONG))
  kit(`${name} fails where it should, and shows what happened`, async ({ t, m }) => {
    const r = await m.run(reader);
    const e = t.throws(() => assertion(r), { instanceOf: Failure });
    t.regex(e.message.split("\n")[0] ?? "", said);
    t.true(/\n {4}[→←] [TR]/.test(e.message), e.message);
    t.deepEqual([e.actual, e.expected], [actual, expected]);
    t.like(e, { name: "AssertionError", code: "ERR_ASSERTION", operator: name.split(",")[0] });
  });

kit("succeeds fails where it should", async ({ t, m }) => {
  const r = await m.run((sys: Sys) =>
    sys.stat("/n/far/no").then(
      () => "there",
      () => "",
    ),
  );
  t.throws(() => expect(r.call("stat")).succeeds(), {
    message: /failed: '\/n\/far\/no' file does/,
  });
  t.throws(() => r.call("open"), { message: /^open was never called\n\nmain ended/ });
});

kit(
  "a program that fails, throws or hangs is a failed run, unless it was to be tried",
  async (c) => {
    const { t, m } = c;
    const failing = (sys: Sys): Promise<string> => readtext(sys, "/n/far/no");
    const e = await t.throwsAsync(m.run(failing), { instanceOf: Failure });
    t.regex(
      e?.message ?? "",
      /^failing: it ended with "'\/n\/far\/no' file does not exist"\n\nfailing: .* \(open \/n\/far\/no\)\n {4}at test\/userland\/testing\.test\.ts:183\n\nfailing ended /,
    );
    const mine = new Error("mine");
    t.is(await t.throwsAsync(m.run(() => Promise.reject(mine))), mine);
    await t.throwsAsync(
      m.run(() => "usage"),
      { message: /^main: it ended with "usage"/ },
    );
    const r = await m.try(failing);
    expect(r).status("file does not exist");
    m.inject("Tread:when=1:drop");
    await t.throwsAsync(m.run(reader), {
      message: /^reader: it waits for ever\n\nreader waits for ever in read\(3/,
    });
  },
);

kit("what is lost is waited for in vain, in no time", async ({ m }) => {
  m.inject("Tread:when=1:drop");
  const r = await m.try(reader);
  expect(r).hangs("read(").time("50ms").order("Tread", "Tflush", "Rflush");
});

kit("a program that only its open files keep from ending hangs in their close", async ({ m }) => {
  const writes = (ends: boolean): Main =>
    async function writer(sys) {
      const fd = await sys.create("/n/far/new", OWRITE, 0o666);
      await sys.stream(fd, 0);
      await sys.swrite(fd, new Uint8Array(100));
      if (!ends) await sys.rendezvous(writes, null);
    };
  m.inject("Twrite:when=1..2:drop");
  expect(await m.try(writes(true)))
    .hangs("close of its files")
    .time("50ms");
  expect(await m.try(writes(false)))
    .hangs("rendezvous(")
    .time("50ms");
  expect(await m.run(writes(true)))
    .status("")
    .never("Rerror");
});

kit("faults are what the program meets", async ({ t, m, far }) => {
  m.inject("Topen:when=1:error=no luck", "Rread:delay=20ms");
  const r = await m.try(reader);
  expect(r).status("no luck").order("Topen", "Rerror no luck");
  t.deepEqual(r.recording.about.inject, ["Topen:when=1:error=no luck", "Rread:delay=20ms"]);
  expect((await m.run(reader)).call("read")).time("70ms");
  far.stall("1s");
  expect((await m.run(reader)).call("open")).time("1050ms");
});

kit("a link that is cut hangs up, and a mount made again is as good", async ({ m, far }) => {
  far.cut();
  expect(await m.try(reader)).status("i/o on hungup channel");
  far.heal();
  await m.mount(far);
  expect(await m.run(reader)).trips(2);
});

test("servers may be any, anywhere, of any version, and the kernel of either kind", async (t) => {
  const m = await machine({ namespace: "standard", files: { lib: { motd: "be nice" } } });
  let n = 0;
  await m.server("count", {
    rtt: "10ms",
    on: "/mnt/count",
    serve: () => tree({ n: () => `${++n}` }),
  });
  const old = await m.server("old", { version: "9P2000", files: { f: "x" }, on: null });
  await m.mount(old, "/n/elsewhere");
  const r = await m.run(async (sys: Sys) => {
    for (const name of ["/mnt/count/n", "/mnt/count/n", "/n/elsewhere/f", "/lib/motd"])
      await print(sys, `${await readtext(sys, name)}\n`);
  });
  expect(r).says("1\n2\nx\nbe nice\n");
  expect(r.call("open", 1)).trips(2).time("20ms");
  await m.end();
  t.is(n, 2);
});

test("programs that namec loads find the kit", async (t) => {
  const found = resolve("namec/testing", {}, () => ({ url: "elsewhere" }));
  const kit_ = (await import(found.url)) as Record<string, unknown>;
  t.is(kit_["machine"], machine);
});

kit("a server may be a client of another, over a link of its own", async ({ t, m }) => {
  const near = await m.server("near", {
    rtt: "10ms",
    links: { far: { rtt: "30ms" } },
    *serve(sys) {
      yield* sys.mount(yield* dial(sys, "tcp!far!9fs"), -1, "/tmp", MREPL, "");
      return newexport(sys, { root: "/tmp" });
    },
  });
  t.deepEqual(await near.files(), FILES);
  // exportfs walks, and then it stats.
  const stat = (sys: Sys): Promise<void> => sys.stat("/n/near/usr/ken").then(() => undefined);
  expect(await m.run(stat))
    .trips(1)
    .time("70ms");
  // 5 ms of it pass before anything is on that link.
  near.links.get("far")?.stall("1s");
  expect(await m.run(stat))
    .trips(1)
    .time("1065ms");
});

kit("a mount meets faults, too, and leaves nothing when it fails", async ({ t, m }) => {
  const at = async (fault: string): Promise<[string, number]> => {
    m.inject(fault);
    const r = await m.try(async (sys: Sys) => {
      await sys.notify(async (_n, s) => (s as Sys).noted(0));
      await sys.alarm(3000);
      await sys.mount(await dial(sys, "tcp!far!9fs"), -1, "/tmp", MREPL, "");
      await sys.alarm(0);
      await sys.stat("/tmp/usr");
    });
    return [r.status, r.time / 1e6];
  };
  // dial, version, attach and stat are a round trip each
  t.deepEqual(await at("Tversion:when=1:error=no"), ["no", 50]);
  t.deepEqual(await at("Rversion:when=1:error=no"), ["no", 100]);
  t.deepEqual(await at("Tversion:when=1:delay=7ms"), ["", 207]);
  t.deepEqual(await at("Rversion:when=1:delay=7ms"), ["", 207]);
  t.deepEqual(await at("Tversion:when=1:drop"), ["interrupted", 3000]);
  t.deepEqual(await at("Rversion:when=1:hangup:conn=0"), ["EOF receiving fversion reply", 100]);
  t.deepEqual(await at("Tattach:when=1:error=no"), ["no", 100]);
  t.deepEqual(await at("Rattach:when=1:error=no"), ["no", 150]);
});

test("a machine by itself is nothing that is left", async (t) => {
  const m = await machine();
  await m.run(async (sys: Sys) => writefile(sys, "/tmp/a", "b"));
  t.deepEqual(await m.files(), { a: "b" });
  await t.notThrowsAsync(m.end());
});

test("a machine is ended by the block that it is declared in", async (t) => {
  let ended: Machine | null = null;
  {
    await using m = await machine();
    await m.run((sys: Sys) => sys.sleep(1).then(() => undefined));
    ended = m;
  }
  await t.throwsAsync(ended.run(reader), { message: /the kernel is not running/ });
});

/** What the end of a machine complains of, after `fn`. */
async function complaint(
  t: ExecutionContext,
  fn: (m: Machine) => Promise<unknown>,
): Promise<unknown> {
  const m = await machine();
  await m.server("far", { files: FILES });
  await fn(m);
  const e = await t.throwsAsync(m.end(), { instanceOf: Failure });
  t.like(e, { operator: "end", expected: [] });
  return e?.actual;
}

test("a process that is left is found at the end, with what it holds", async (t) => {
  const left = await complaint(t, (m) =>
    m.run(async (sys: Sys) => {
      await sys.open("/n/far/usr/ken", OREAD);
      await sys.rfork(RFPROC, async (s: Sys) => {
        await s.rendezvous("never", null);
      });
    }),
  );
  const list = (left as string[]).map((line) => line.replace(/\d+/g, "N"));
  t.true(
    list.some((l) =>
      /^here: process N main \(made at .*, waits in rendezvous .*\), and its N descr/.test(l),
    ),
    list.join("\n"),
  );
  const fid =
    /^here: conn N fid N, which open\("\/n\/far\/usr\/ken", OREAD\) made \(.*testing\.test\.ts:N\)$/;
  t.true(
    list.some((l) => fid.test(l)),
    list.join("\n"),
  );
  t.true(list.includes("far: a fid that a client has"), list.join("\n"));
});

test("a fault that never happened is found at the end", async (t) => {
  const said = await complaint(t, async (m) => m.inject("Tread:when=3:drop"));
  t.deepEqual(said, ["the fault 'Tread:when=3:drop' was not injected: Tread never passed"]);
});

test("after a failure the end does not complain besides", async (t) => {
  const m = await machine();
  m.inject("Tread:drop");
  const r = await m.run(async (sys: Sys) => void (await sys.stat("/tmp")));
  t.throws(() => expect(r).trips(1));
  await m[Symbol.asyncDispose]();
  await m.end();
});

test("a program that makes calls without end is ended, and the run says so", async (t) => {
  const m = await machine({ calls: 500 });
  const loop = async function loop(sys: Sys): Promise<void> {
    for (;;) await sys.stat("/tmp");
  };
  const r = await m.try(loop);
  t.deepEqual([r.hung, r.waits], [true, []]);
  await t.throwsAsync(m.run(loop), {
    message:
      /^loop: it has made 500 calls, and goes on \(the limit of calls\)\n\nloop goes on for ever:\n/,
  });
  await m.end();
});

kit("mistakes that a good status hides fail a run, with the line and what to write", async (c) => {
  const { t, m } = c;
  const forgot = async function forgot(sys: Sys): Promise<void> {
    void sys.open("/tmp/none", OREAD);
    await sys.sleep(1);
  };
  const e = await t.throwsAsync(m.run(forgot), { instanceOf: Failure });
  t.regex(
    e?.message ?? "",
    /^forgot: it did not notice a failure\n\nforgot: open\("\/tmp\/none", OREAD\) failed: '\/tmp\/none' does not exist\n {4}at test\/userland\/testing\.test\.ts:\d+\n.*Write await before the call\.\n/,
  );
  const child = async function parent(sys: Sys): Promise<void> {
    await sys.rfork(RFPROC, async () => {
      await print(sys, "the parent's\n");
    });
    await sys.wait();
  };
  const f = await t.throwsAsync(m.run(child), { instanceOf: Failure });
  t.regex(
    f?.message ?? "",
    /^parent: it did not notice a failure\n\nparent, process \d+: bad arg in system call \(write\)\n {4}at .*test\/userland\/testing\.test\.ts:\d+.*\n {4}This sys has the system calls of process \d+ \(parent\)/,
  );
  const late = async (sys: Sys): Promise<void> => {
    const open = sys.open("/tmp/none", OREAD);
    await sys.sleep(1);
    await t.throwsAsync(open, { message: "'/tmp/none' does not exist" });
  };
  t.is((await m.run(late)).status, "");
});
