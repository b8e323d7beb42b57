// Faults of system calls: what a program meets, which calls a fault fits, and what is left of it.

import test from "ava";
import type { ExecutionContext } from "ava";
import { NCONT, OREAD, ORDWR } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys, Task, TaskSys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { expect, machine } from "../../userland/testing/index.ts";
import type { Machine } from "../../userland/testing/index.ts";

const FILES = { tmp: { a: "0123456789", b: "" } };

function faulty(title: string, fn: (t: ExecutionContext, m: Machine) => Promise<void>): void {
  test(title, async (t) => {
    const m = await machine({ files: FILES });
    await fn(t, m);
    await t.notThrowsAsync(m.end());
  });
}

/** What a call gives, or its error. */
const outcome = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((e: unknown) => {
    if (!(e instanceof PlanError)) throw e;
    return [e.message, e.call, e.file];
  });

faulty(
  "a call that is to fail is not made, and says which call of which name it was",
  async (t, m) => {
    m.inject("create:path=/tmp/*:when=2:error=file system full");
    const got: unknown[] = [];
    await m.run(async (sys: Sys) => {
      await sys.chdir("/tmp");
      for (const name of ["x", "../tmp/./y", "/tmp/z"])
        got.push(await outcome(sys.create(name, ORDWR, 0o666)));
      got.push(await sys.errstr());
    });
    t.deepEqual(got, [3, ["file system full", "create", "../tmp/./y"], 4, "file system full"]);
    t.deepEqual(Object.keys(await m.files()).toSorted(), ["a", "b", "x", "z"]);
  },
);

faulty("a close that is to fail closes", async (t, m) => {
  m.inject("close:error=lost");
  await m.run(async (sys: Sys) => {
    const fd = await sys.open("/tmp/a", OREAD);
    t.deepEqual(await outcome(sys.close(fd)), ["lost", "close", undefined]);
    t.is(await sys.open("/tmp/b", OREAD), fd);
  });
});

faulty("reads and writes come short", async (t, m) => {
  m.inject("read:when=2:short=3", "write:path=/tmp/b:short=1", "pread:short=0");
  await m.run(async (sys: Sys) => {
    const [fd, buf] = [await sys.open("/tmp/a", OREAD), new Uint8Array(4)];
    t.deepEqual(
      [await sys.read(fd, buf), await sys.read(fd, buf), await sys.read(fd, buf)],
      [4, 3, 3],
    );
    t.is(await sys.pread(fd, buf, 0), 0);
    t.is(await sys.write(await sys.open("/tmp/b", ORDWR), new Uint8Array([65, 66])), 1);
  });
  t.deepEqual(await m.files(), { a: "0123456789", b: "A" });
});

faulty("a delay passes before the call begins, and a note ends it", async (t, m) => {
  m.inject("stat:delay=50ms");
  const r = await m.run(async (sys: Sys) => {
    await sys.stat("/tmp/a");
    await sys.notify((_note, s) => (s as Sys).noted(NCONT));
    await sys.alarm(20);
    t.deepEqual(await outcome(sys.stat("/tmp/a")), ["interrupted", "stat", undefined]);
  });
  expect(r.call("stat", 1)).time("50ms");
  expect(r.call("stat", 2)).time("20ms");
});

faulty("a note interrupts a call that sleeps, and comes behind one that does not", async (t, m) => {
  const said: unknown[] = [];
  const main = async (sys: Sys): Promise<void> => {
    await sys.notify(async (note, s) => {
      said.push(note);
      await (s as Sys).noted(NCONT);
    });
    for (const make of [() => sys.sleep(10), () => sys.open("/tmp/a", OREAD)]) {
      const got = await outcome(make());
      said.push(got);
    }
  };
  m.inject("open,sleep:note=alarm");
  await m.run(main);
  t.deepEqual(said, ["alarm", ["interrupted", "sleep", undefined], "alarm", 3]);
  // Without a handler a note is the end, also of a call that does not sleep, and of a generator program.
  const after = await m.try(function* main_(sys: TaskSys): Task<void> {
    yield* sys.open("/tmp/a", OREAD);
    said.push("never");
  });
  expect(after).status("alarm").calls("open");
  t.is(said.length, 4);
  const r = await m.try((sys: Sys) => sys.sleep(10));
  expect(r).status("alarm").time(0);
});

faulty("a process is killed in the place of its call", async (t, m) => {
  m.inject("write:when=2:kill");
  const r = await m.try(function* main(sys: TaskSys): Task<void> {
    const fd = yield* sys.open("/tmp/b", ORDWR);
    for (let i = 0; i < 3; i++) yield* sys.write(fd, new Uint8Array([65 + i]));
  });
  expect(r).status("Killed").calls("open", "write", "write");
  t.deepEqual(await m.files(), { a: "0123456789", b: "A" });
});

faulty("a fault fits by call, path, descriptor, process and count", async (t, m) => {
  const list = [
    "stat:path=/tmp/?:error=path",
    "read:fd=7:error=fd",
    "chdir:proc=other:error=proc",
    "fd2path:when=2+2:error=when",
    "bind:path=/lib:error=bind",
  ];
  m.inject(...list);
  const got: unknown[] = [];
  const message = async (call: Promise<unknown>): Promise<unknown> =>
    got.push((await outcome(call).then((x) => (Array.isArray(x) ? x[0] : "ok"))) as string);
  const main = async (sys: Sys): Promise<void> => {
    const fd = await sys.open("/tmp/a", OREAD);
    for (const name of ["/tmp/a", "/tmp", "/tmp/../tmp/b"]) await message(sys.stat(name));
    await sys.dup(fd, 7);
    for (const n of [fd, 7]) await message(sys.read(n, new Uint8Array(1)));
    await message(sys.chdir("/tmp"));
    for (let i = 1; i < 5; i++) await message(sys.fd2path(fd));
    await message(sys.bind("/tmp", "/lib", 0));
  };
  await m.run(main);
  const rest = ["ok", "when", "ok", "when", "bind"];
  t.deepEqual(got, ["path", "ok", "path", "ok", "fd", "ok", ...rest]);
  got.length = 0;
  await m.run(async function other(sys: Sys) {
    await message(sys.chdir("/tmp"));
  });
  t.deepEqual(got, ["proc"]);
});

test("nothing stands on the path of a call unless a fault of calls is there", async (t) => {
  const k = await boot({ clock: "virtual", inject: ["Tread:drop"] });
  t.deepEqual([k.trace.on, k.trace.spoiler], [false, null]);
  await k.shutdown();
  const other = await boot({ clock: "virtual", inject: ["read:error=x"] });
  t.true(other.trace.on);
  await other.shutdown();
});
