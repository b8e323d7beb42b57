// What programs make long or deep: many mounts, mounts within mounts, directories within directories. The
// kernel follows all of it in loops, so nothing here ends in a stack overflow.

import test from "ava";
import { ccloseall } from "../../kernel/chan.ts";
import { MAFTER, MBEFORE, MREPL } from "../../kernel/abi/const.ts";
import { Panic } from "../../kernel/abi/errors.ts";
import { devattach } from "../../kernel/dev.ts";
import type { Tree } from "../../devices/mem.ts";
import { now } from "../../kernel/proc/spawn.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { readtext } from "../../userland/lib/io.ts";
import { mkdir, run, within } from "../kit/kit.ts";

/** Deeper than a recursion gets: even the smallest functions overflow V8's stack at about 11,000. */
const DEEP = 20_000;

test(
  "any number of Chans is closed together, all of them whatever comes of one",
  within(async (t, k) => {
    const dev = k.devtab.get("/");
    if (dev === undefined) return t.fail();
    const before = k.chans.count;
    const list = Array.from({ length: DEEP }, () => devattach(dev, ""));
    const [bad] = list;
    if (bad === undefined) return t.fail();
    bad.mux = {
      *close() {
        throw new Panic("of the first");
      },
    };
    t.throws(() => now(ccloseall(list)), { message: "of the first" });
    t.is(k.chans.count, before);
  }),
);

/** A file at the end of as many directories. */
function deep(): Tree {
  let tree: Tree = { f: "found" };
  for (let i = 0; i < DEEP; i++) tree = { d: tree };
  return tree;
}

test(
  "the files that a kernel is booted with may be as deep as they like",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        for (let i = 0; i < DEEP; i += 1000) await sys.chdir("d/".repeat(1000));
        t.is(await readtext(sys, "f"), "found");
      });
    },
    { files: deep() },
  ),
);

for (const namespace of ["names", "standard"] as const) {
  test(
    `${namespace}: thousands of mounts, each within the one before, are made and given up`,
    within(
      async (_t, k) => {
        await run(k, async (sys: Sys) => {
          let at = "/n";
          for (let i = 0; i < 1000; i++) {
            await sys.bind("/src", at, MREPL);
            at += "/in";
          }
          await sys.chdir(at);
        });
      },
      { namespace, files: { src: { in: {} }, n: {} } },
    ),
  );

  test(
    `${namespace}: a mount lies as deep as directories go`,
    within(
      async (t, k) => {
        await run(k, async (sys: Sys) => {
          await sys.chdir("/d");
          for (let i = 0; i < 4000; i++) {
            await mkdir(sys, "d");
            await sys.chdir("d");
          }
          await mkdir(sys, "leaf");
          await sys.bind("/src", "leaf", MREPL);
          await sys.bind("/src", "leaf", MAFTER);
          t.is((await sys.stat("leaf/f")).name, "f");
          // A bind carries the mounts below its source, and joins them with those of the union.
          for (const order of [MREPL, MBEFORE, MAFTER]) await sys.bind("/d", "/e", order);
          await sys.unmount(null, "/e");
          await sys.unmount(null, "leaf");
        });
      },
      { namespace, files: { src: { f: "" }, d: {}, e: {} } },
    ),
  );
}

test(
  "5,000 binds, as many mount points",
  within(
    async (t, k) => {
      await run(k, async (sys: Sys) => {
        for (let i = 0; i < 5000; i++) {
          await mkdir(sys, `/a/${i}`);
          await sys.bind("/src", `/a/${i}`, MREPL);
        }
        t.is((await sys.stat("/a/4999/f")).name, "f");
      });
    },
    { namespace: "standard", files: { src: { f: "" }, a: {} } },
  ),
);
