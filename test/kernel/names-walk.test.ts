// The starts of names, which a mount table remembers and calls use again.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { Start } from "../../kernel/names/names-walk.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/index.ts";
import type { Kernel } from "../../userland/boot/index.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** The start of a name in a process; in these tests none has to wait. */
function start(up: Proc, name: string): Start {
  const s = up.pgrp.ns.start(up, name);
  if (!(s instanceof Start)) throw new Error("no start of the name space names");
  return s;
}

const kernelproc = (k: Kernel): Proc => k.proc0 ?? fail("no process 0");
const fail = (why: string): never => {
  throw new Error(why);
};

/** The process of a program that sleeps until the kernel shuts down. */
function sleeper(k: Kernel): Proc {
  const { pid } = k.spawn(async (sys: Sys) => await sys.sleep(1e6), ["sleeper"]);
  return k.procs.get(pid) ?? fail("no process");
}

test("a name that was given up starts in the same object again, for the process that asks", async (t) => {
  const k = await boot({ clock: "virtual", files: { d: { f: "text" } } });
  const [one, other] = [kernelproc(k), sleeper(k)];
  const s = start(one, "/d/f");
  void s.release();
  const again = start(other, "/d/f");
  t.is(again, s);
  t.is(again.up, other);
  t.deepEqual(again.rest, s.rest);
  void again.release();
  await k.shutdown();
});

test("a name that one call has starts in another object for the next call", async (t) => {
  const k = await boot({ clock: "virtual", files: { d: { f: "text" } } });
  const [one, other] = [kernelproc(k), sleeper(k)];
  const first = start(one, "/d/f");
  const second = start(other, "/d/f");
  t.not(second, first);
  t.is(first.up, one);
  t.is(second.up, other);
  const { ref } = first.table;
  void first.release();
  void second.release();
  t.is(first.table.ref, ref - 2);
  await k.shutdown();
});

test("a name that does not begin with a slash starts in an object of its own each time", async (t) => {
  const k = await boot({ clock: "virtual", files: { d: { f: "text" } } });
  const up = kernelproc(k);
  const s = start(up, "d/f");
  void s.release();
  const next = start(up, "d/f");
  t.not(next, s);
  void next.release();
  await k.shutdown();
});

test("what is remembered of names is bounded: no long names, and all are forgotten when they are 4096", async (t) => {
  const k = await boot({ clock: "virtual" });
  const up = kernelproc(k);
  const ns = up.pgrp.ns.clean();
  const given = (name: string): unknown => {
    const s = ns.start(up, name);
    if (s instanceof Start) void s.release();
    return s;
  };
  const longer = "/f".padEnd(257, "x");
  t.not(given(longer), given(longer));
  const first = given("/f");
  for (let i = 2; i < 4096; i++) given(`/${i}`);
  const longest = given("/f".padEnd(256, "x"));
  t.is(given("/f"), first);
  t.is(given("/f".padEnd(256, "x")), longest);
  given("/another");
  t.not(given("/f"), first);
  for (const _ of ns.close());
  await k.shutdown();
});

test("the names that a process asked for do not keep it when it has ended", async (t) => {
  const k = await boot({ clock: "virtual", files: { d: { f: "text" } } });
  const gone = await (async (): Promise<WeakRef<object>> => {
    const p = k.spawn(async (sys: Sys) => void (await sys.stat("/d/f")), ["stat"]);
    const proc = k.procs.get(p.pid) ?? fail("no process");
    await p.wait();
    return new WeakRef(proc);
  })();
  await k.spawn(async () => undefined, ["another"]).wait();
  await new Promise(setImmediate);
  gc();
  t.is(gone.deref(), undefined);
  t.true(start(kernelproc(k), "/d/f").path.toString() === "/d/f");
  await k.shutdown();
});
