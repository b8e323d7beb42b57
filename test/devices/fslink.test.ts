// There is no way out of a directory of the host: dot-dot, links of every kind, links swapped in while a
// program works, and files that are no files.

import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import test from "ava";
import { Calls } from "../../devices/fs/calls-node.ts";
import { Hosttree } from "../../devices/fs/hosttree-node.ts";
import type { Pin } from "../../devices/fs/hosttree-node.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { boot } from "../../userland/boot/boot.ts";
import { DMDIR, OREAD, OTRUNC, OWRITE } from "../../kernel/abi/const.ts";
import { hosted } from "../kit/hosted.ts";
import { dirs, failure, ls } from "../kit/kit.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";

test.serial(
  "dot-dot stops at the root",
  hosted(async (t, sys) => {
    t.is((await sys.stat("#U/..")).qid.path, (await sys.stat("#U")).qid.path);
    t.is((await sys.stat("#U/../..")).qid.path, (await sys.stat("#U")).qid.path);
    const why = "'#U/../outside' file does not exist";
    t.is(await failure(sys.open("#U/../outside/secret", OREAD)), why);
    t.regex(await failure(sys.open("/n/../outside/secret", OREAD)), /does not exist/);
    t.regex(await failure(sys.create("#U/..", OREAD, DMDIR + 0o777)), /.*/);
  }),
);

test.serial(
  "a link is what it leads to inside, and an empty file without permissions else",
  hosted(async (t, sys, dir) => {
    const secret = join(dir, "../outside/secret");
    fs.mkdirSync(join(dir, "d"));
    fs.writeFileSync(join(dir, "d/f"), "inside");
    const links: Record<string, string> = {
      absolute: join(dir, "d/f"),
      dangling: "nowhere",
      etc: "/etc",
      loop: "loop",
      outdir: "../outside",
      outfile: "../outside/secret",
      relative: "d/f",
      root: "/",
      self: ".",
    };
    for (const [name, to] of Object.entries(links)) fs.symlinkSync(to, join(dir, name));
    t.deepEqual(await ls(sys, "/n"), ["absolute", "d", ...Object.keys(links).slice(1)].sort());
    t.is(await readtext(sys, "/n/absolute"), "inside");
    t.is(await readtext(sys, "/n/relative"), "inside");
    t.is(await readtext(sys, "/n/self/self/d/f"), "inside");
    for (const name of ["dangling", "etc", "loop", "outdir", "outfile", "root"]) {
      t.like(await sys.stat(`/n/${name}`), { mode: 0, length: 0, qid: { type: 0 } });
      const denied = `'/n/${name}' permission denied`;
      t.is(await failure(sys.open(`/n/${name}`, OREAD)), denied);
      t.is(await failure(sys.open(`/n/${name}`, OWRITE | OTRUNC)), denied);
      t.is(await failure(sys.create(`/n/${name}`, OWRITE, 0o666)), denied);
      t.is(await failure(sys.wstat(`/n/${name}`, { mode: 0o777 })), "permission denied");
      t.is(await failure(sys.wstat(`/n/${name}`, { length: 1 })), "permission denied");
      t.is(await failure(sys.open(`/n/${name}/passwd`, OREAD)), `'/n/${name}' not a directory`);
      t.is(
        await failure(sys.create(`/n/${name}/new`, OWRITE, 0o666)),
        `'/n/${name}/new' not a directory`,
      );
      await sys.wstat(`/n/${name}`, { name: "renamed" });
      await sys.remove("/n/renamed");
    }
    await sys.remove("/n/self");
    await sys.remove("/n/relative");
    t.is(await readtext(sys, "/n/d/f"), "inside");
    t.is(fs.readFileSync(secret, "utf8"), "secret");
    t.deepEqual(fs.readdirSync(join(dir, "../outside")), ["secret"]);
  }),
);

test.serial(
  "a directory beside the root whose name begins like the root's is outside",
  hosted(async (t, sys, dir) => {
    // The root is .../root; this is .../rootbeer.
    const beside = `${dir}beer`;
    fs.mkdirSync(beside);
    fs.writeFileSync(join(beside, "secret"), "secret");
    fs.symlinkSync(beside, join(dir, "d"));
    fs.symlinkSync("../rootbeer/secret", join(dir, "f"));
    t.like(await sys.stat("/n/d"), { mode: 0, length: 0, qid: { type: 0 } });
    t.is(await failure(sys.open("/n/d/secret", OREAD)), "'/n/d' not a directory");
    t.is(await failure(sys.open("/n/f", OREAD)), "'/n/f' permission denied");
    const k = await boot();
    const bare = new Hosttree({ root: dir }, quick(k), false);
    for (const name of ["d", "f"]) t.true(found(bare, [name]).st.isSymbolicLink());
    t.throws(() => found(bare, ["d", "secret"]), { message: "file does not exist" });
    bare.close();
    await k.shutdown();
  }),
);

test.serial(
  "a directory that is swapped for a link leads nowhere",
  hosted(async (t, sys, dir) => {
    const outside = join(dir, "../outside");
    fs.mkdirSync(join(dir, "d"));
    fs.writeFileSync(join(dir, "d/secret"), "harmless");
    await sys.chdir("/n/d");
    const listing = await sys.open(".", OREAD);
    fs.renameSync(join(dir, "d"), join(dir, "was"));
    fs.symlinkSync("../outside", join(dir, "d"));
    for (const call of [
      sys.open("secret", OREAD),
      sys.open("secret", OWRITE | OTRUNC),
      sys.stat("secret"),
      sys.wstat("secret", { length: 0 }),
      sys.wstat("secret", { name: "public" }),
      sys.create("new", OWRITE, 0o666),
      sys.create("newdir", OREAD, DMDIR + 0o777),
      sys.remove("secret"),
      dirs(sys, listing),
    ])
      t.regex(await failure(call), /(does not exist|permission denied)$/);
    t.deepEqual(fs.readdirSync(outside), ["secret"]);
    t.is(fs.readFileSync(join(outside, "secret"), "utf8"), "secret");
    await sys.close(listing);
    await sys.chdir("/");
  }),
);

test.serial(
  "links that are swapped all the time never lead outside",
  hosted(async (t, sys, dir) => {
    // Swapped between two system calls of this program, that is at every place where the device waits.
    const outside = join(dir, "../outside");
    fs.mkdirSync(join(dir, "real"));
    fs.writeFileSync(join(dir, "real/secret"), "harmless");
    let swaps = 0;
    const swap = (): void => {
      const to = swaps++ % 2 === 0 ? "../outside" : "real";
      fs.rmSync(join(dir, "d"), { force: true });
      fs.symlinkSync(to, join(dir, "d"));
    };
    swap();
    for (let i = 0; i < 200; i++) {
      const reading = readtext(sys, "/n/d/secret").catch(() => "");
      const listing = ls(sys, "/n/d").catch(() => []);
      const writing = writefile(sys, "/n/d/new", "x").catch(() => undefined);
      swap();
      const [text, names] = await Promise.all([reading, listing, writing]);
      t.true(text === "" || text === "harmless");
      t.false(names.length === 1);
      fs.rmSync(join(dir, "real/new"), { force: true });
      fs.writeFileSync(join(dir, "real/more"), "");
    }
    t.deepEqual(fs.readdirSync(outside), ["secret"]);
  }),
);

/** Another thread of the host, which makes d a link to `real` and to outside in turn until it is stopped. */
const SWAPPER = `
  const fs = require("node:fs");
  const { workerData: dir, parentPort } = require("node:worker_threads");
  let stop = false;
  parentPort.on("message", () => (stop = true));
  fs.symlinkSync("real", dir + "/a");
  fs.symlinkSync("../outside", dir + "/b");
  (function swap() {
    for (let i = 0; i < 1000; i++)
      for (const link of ["a", "b"]) {
        fs.linkSync(dir + "/" + link, dir + "/swap");
        fs.renameSync(dir + "/swap", dir + "/d");
      }
    if (stop) parentPort.close();
    else setImmediate(swap);
  })();
`;

// Elsewhere there is nothing to pin a file by.
const pinned = process.platform === "linux" ? test.serial : test.skip;

pinned(
  "links that another thread swaps at any moment never lead outside",
  hosted(async (t, sys, dir) => {
    fs.mkdirSync(join(dir, "real"));
    fs.writeFileSync(join(dir, "real/secret"), "harmless");
    const worker = new Worker(SWAPPER, { eval: true, workerData: dir });
    const gone = once(worker, "exit");
    let got = 0;
    for (let i = 0; i < 2000; i++) {
      const text = await readtext(sys, "/n/d/secret").catch(() => "");
      t.true(text === "" || text === "harmless");
      if (text !== "") got++;
      const length = (await sys.stat("/n/d/secret").catch(() => null))?.length ?? 8;
      t.is(length, 8);
      await writefile(sys, "/n/d/new", "x").catch(() => undefined);
      await sys.wstat("/n/d/secret", { mode: 0o640 }).catch(() => undefined);
      await sys.remove("/n/d/new").catch(() => undefined);
    }
    t.true(got > 0);
    worker.postMessage("stop");
    await gone;
    t.deepEqual(fs.readdirSync(join(dir, "../outside")), ["secret"]);
    t.not(fs.statSync(join(dir, "../outside/secret")).mode & 0o777, 0o640);
  }),
);

test.serial(
  "what is no file and no directory is seen and not opened",
  hosted(
    async (t, sys) => {
      t.true((await ls(sys, "#Udev")).includes("null"));
      t.regex(await failure(sys.open("#Udev/null", OREAD)), /permission denied/);
      t.regex(await failure(sys.open("#Udev/zero", OWRITE)), /permission denied/);
    },
    (root) => ({ "": { root }, dev: { root: "/dev" } }),
  ),
);

test("a host without pins gives real paths, and none that leads outside", async (t) => {
  const top = fs.mkdtempSync(join(tmpdir(), "namec-"));
  const k = await boot();
  try {
    const root = join(top, "root");
    fs.mkdirSync(join(root, "d"), { recursive: true });
    fs.writeFileSync(join(root, "d/f"), "");
    fs.writeFileSync(join(top, "secret"), "secret");
    fs.symlinkSync("d", join(root, "in"));
    fs.symlinkSync("..", join(root, "out"));
    fs.symlinkSync("../secret", join(root, "outfile"));
    const tree = new Hosttree({ root }, quick(k), false);
    t.is(found(tree, ["in", "f"]).path, join(fs.realpathSync(root), "d/f"));
    t.true(found(tree, ["outfile"]).st.isSymbolicLink());
    t.true(found(tree, ["out"]).st.isSymbolicLink());
    t.true(done(tree.stat(["out"])).isSymbolicLink());
    for (const names of [["out", "secret"], ["none"], ["d", "none"], ["out", "none"]])
      t.throws(() => found(tree, names), { message: "file does not exist" });
    t.true(found(tree, []).st.isDirectory());
    fs.renameSync(root, join(top, "was"));
    fs.mkdirSync(join(root, "d"), { recursive: true });
    for (const names of [[], ["d"]]) {
      t.throws(() => found(tree, names), { message: "file does not exist" });
      t.throws(() => done(tree.stat(names)), { message: "file does not exist" });
    }
    tree.close();
  } finally {
    await k.shutdown();
    fs.rmSync(top, { recursive: true, force: true });
  }
});

/** Calls of a host that is never slow. */
const quick = (k: Kernel): Calls => new Calls(k.sched, () => 0);

/** What a Task comes to that needs not wait. */
function done<T>(task: Task<T>): T {
  const step = task.next();
  if (step.done !== true) throw new Error("it waits");
  return step.value;
}

function found(tree: Hosttree, names: readonly string[]): Pin {
  const p = done(tree.pin(names));
  tree.unpin(p);
  return p;
}
