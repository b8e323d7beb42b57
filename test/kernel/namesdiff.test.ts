// How the name space `names` differs from the published kernel's, on purpose, a test for each difference. The
// titles say what the standard does.

import test from "ava";
import type { ExecutionContext } from "ava";
import type { Booted } from "../../kernel/boot.ts";
import { DMDIR, MAFTER, MBEFORE, MCREATE, MREPL } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { cat, failure, mkdir, mountram, put, requests, run, within } from "../kit/kit.ts";

const FILES = {
  a: { x: "a's x", d: { deep: "a's deep" } },
  b: { y: "b's y", d: { other: "b's other" } },
  m: {},
  k: {},
};

const inside = (fn: (t: ExecutionContext, sys: Sys, k: Booted) => Promise<void>) =>
  within(async (t, k) => void (await run(k, async (sys: Sys) => fn(t, sys, k))), { files: FILES });

test(
  "1. a mount is seen, and unmounted, by the names it was made for or carried to (standard: by every name of the covered file)",
  inside(async (t, sys) => {
    await sys.bind("/b", "/m", MREPL);
    await sys.bind("/a", "/m/d", MREPL);
    t.is(await cat(sys, "/m/d/x"), "a's x");
    t.is(
      await cat(sys, "/b/d/other"),
      "b's other",
      "/b/d is the same directory, but no mount point",
    );
    t.is(await failure(sys.unmount(null, "/b/d")), "not mounted");
    await sys.bind("/m", "/k", MREPL);
    t.is(await cat(sys, "/k/d/x"), "a's x", "carried");
    await sys.unmount("/a", "/m/d");
    t.is(await cat(sys, "/k/d/x"), "a's x", "a snapshot");
    await sys.unmount(null, "/k/d");
    t.is(await cat(sys, "/k/d/other"), "b's other");
  }),
);

test(
  "2. a mount outlives the file it covers (standard: nobody gets there any more)",
  inside(async (t, sys) => {
    await sys.bind("/a", "/m", MREPL);
    await sys.remove("#R/m");
    t.is(await cat(sys, "/m/x"), "a's x");
    await mountram(sys, "/k");
    await mkdir(sys, "/k/p");
    await mkdir(sys, "/k/p/q");
    await sys.bind("/b", "/k/p/q", MREPL);
    await sys.wstat("/k/p", { name: "renamed" });
    t.is(await cat(sys, "/k/p/q/y"), "b's y");
    t.is(await failure(cat(sys, "/k/renamed/q/y")), "'/k/renamed/q/y' does not exist");
    await sys.unmount(null, "/k/p/q");
    t.is(await failure(sys.stat("/k/p/q")), "'/k/p' file does not exist");
  }),
);

test(
  "3. servers earlier on a path are not asked, neither for existence nor for permission (standard: each is)",
  inside(async (t, sys, k) => {
    await mountram(sys, "/k");
    await mkdir(sys, "/k/p");
    await mkdir(sys, "/k/p/q");
    await mountram(sys, "/k/p/q");
    await put(sys, "/k/p/q/f", "inner");
    await sys.wstat("/k/p", { mode: DMDIR });
    const sent = requests(k);
    t.is(await cat(sys, "/k/p/q/f"), "inner");
    await sys.sleep(1);
    t.deepEqual(sent, ["Twalk(f)", "Topen(0)", "Tread(8192@0)", "Tclunk"]);
  }),
);

test(
  "4. x/.. is cleaned away before anybody is asked whether x exists (standard: x must be a directory)",
  inside(async (t, sys, k) => {
    await mountram(sys, "/k");
    await put(sys, "/k/f", "f");
    const sent = requests(k);
    for (const name of ["/nowhere/../k/f", "/a/x/../../k/f", "/k/f/../f", "/k/no/no/../../f"])
      t.is((await sys.stat(name)).name, "f", name);
    t.deepEqual(new Set(sent), new Set(["Twalk(f)", "Tstat", "Tclunk"]));
  }),
);

test(
  "5. a mount below a union beats every member (standard: only where the member that it was made on comes first)",
  inside(async (t, sys) => {
    await sys.bind("/a", "/m", MREPL);
    await mkdir(sys, "/k/top");
    await sys.bind("/k/top", "/m/d", MREPL | MCREATE);
    await put(sys, "/m/d/new", "mounted");
    await sys.bind("/b", "/m", MBEFORE);
    t.is(await cat(sys, "/m/d/new"), "mounted");
    t.is(await failure(cat(sys, "/m/d/other")), "'/m/d/other' file does not exist");
    await sys.bind("/b", "/m", MAFTER);
    t.is(await cat(sys, "/m/d/new"), "mounted");
    t.is(await cat(sys, "/m/y"), "b's y");
  }),
);

test(
  "6. which of the two missing-file strings appears depends on where the walk starts (standard: on each server's first element)",
  inside(async (t, sys) => {
    await mountram(sys, "/k");
    await mkdir(sys, "/k/p");
    const first = "file does not exist";
    t.is(await failure(sys.stat("/k/no")), `'/k/no' ${first}`);
    t.is(await failure(sys.stat("/k/p/no")), "'/k/p/no' does not exist");
    t.is(await failure(sys.stat("/a/no")), "'/a/no' does not exist");
    await sys.bind("/k/p", "/k/p", MREPL);
    t.is(await failure(sys.stat("/k/p/no")), `'/k/p/no' ${first}`);
    await sys.chdir("/a/d");
    t.is(await failure(sys.stat("no")), `'no' ${first}`);
    t.is(await failure(sys.stat("../no")), "'../no' does not exist", "a walk from the root");
  }),
);

test(
  "7. dot is the directory its name led to, and stays so after an unmount (standard: the one that was covered)",
  inside(async (t, sys) => {
    await sys.bind("/b", "/m", MREPL);
    await sys.chdir("/m");
    t.is(await cat(sys, "y"), "b's y");
    await sys.unmount(null, "/m");
    t.is(await cat(sys, "y"), "b's y");
    t.is(await failure(sys.stat("/m/y")), "'/m/y' does not exist");
    await sys.bind("/a", "/m", MREPL);
    t.is(await cat(sys, "x"), "a's x", "a mount on its name is seen again");
  }),
);

test(
  "8. # names cannot be mounted upon (standard: they can)",
  inside(async (t, sys) => {
    for (const [what, old] of [
      ["/a", "#R/m"],
      ["/a", "#s"],
      ["/a/x", "#c/cons"],
    ] as const)
      t.is(await failure(sys.bind(what, old, MREPL)), "inconsistent mount", old);
    await sys.chdir("#R/b");
    t.is(await failure(sys.bind("/a", "d", MREPL)), "inconsistent mount");
    t.is(await cat(sys, "d/other"), "b's other");
  }),
);

test(
  "9. fversion with no version offers 9P2000.ix.stream (standard: 9P2000)",
  inside(async (t, sys, k) => {
    const sent = requests(k);
    for (const version of ["9P2000", "9P2000.ix", "9P2000.ix.stream"]) {
      await mountram(sys, "/m", { version });
      await sys.unmount(null, "/m");
    }
    t.deepEqual(
      sent.filter((s) => s.startsWith("Tversion")),
      [
        "Tversion(9P2000.ix.stream)",
        "Tversion(9P2000.ix)", // what came back may be a server that compares whole strings
        "Tversion(9P2000.ix.stream)",
        "Tversion(9P2000.ix.stream)",
      ],
    );
  }),
);
