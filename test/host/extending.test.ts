// docs/extending.md, followed to the letter in a copy of the tree: what it adds is there, builds, and works.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test from "ava";

type Step = {
  readonly file: string;
  /** What the lines come behind, or in place of; null for a new file. */
  readonly anchor: string | null;
  readonly replaces: boolean;
  readonly lines: string;
};

/** The anchor of the end of a file. */
const END = "the last line";

/** The steps of the page, in its order. */
function steps(page: string): Step[] {
  const step =
    /^(?:New file `([^`]+)`|In `([^`]+)`, (after|in place of) (?:`([^`]+)`|(the last line)))(?: \([^)]*\))?:\n\n```ts\n([\s\S]*?)^```$/gm;
  return [...page.matchAll(step)].map(([, made, file, how, anchor, end, lines = ""]) => ({
    file: made ?? file ?? "",
    // The page cannot have backquotes in code in a line: three tildes stand for one.
    anchor: made === undefined ? (end ?? (anchor ?? "").replaceAll("~~~", "`")) : null,
    replaces: how === "in place of",
    lines,
  }));
}

function follow(dir: string, s: Step): void {
  const path = join(dir, s.file);
  if (s.anchor === null) {
    if (existsSync(path)) throw new Error(`${s.file} is there already`);
    writeFileSync(path, s.lines);
    return;
  }
  const text = readFileSync(path, "utf8");
  if (s.anchor === END) {
    writeFileSync(path, text + s.lines);
    return;
  }
  const places = text.split(`${s.anchor}\n`);
  if (places.length < 2) throw new Error(`${s.file} has no line\n${s.anchor}`);
  // What stands in several places is added behind each.
  writeFileSync(path, places.join(s.replaces ? s.lines : `${s.anchor}\n${s.lines}`));
}

/** Uses what the page adds; prints a line for each. */
const USE = `
import { boot, print, readn, bin } from "namec";
import { OREAD } from "namec";
import { convM2S, convS2M, Tping, Rping } from "./dist/kernel/abi/fcall.js";
import { fcallfmt } from "./dist/kernel/abi/fcallfmt.js";
import { serve } from "./dist/userland/lib/9p.js";
import { newram } from "./dist/userland/lib/ram.js";

const kernel = await boot({ files: { bin } });
const p = kernel.spawn(function* main(sys) {
  const fd = yield* sys.open("#z/zero", OREAD);
  const buf = new Uint8Array(4).fill(1);
  yield* sys.read(fd, buf);
  yield* print(sys, "device " + buf.join("") + "\\n");
  yield* print(sys, "call " + ((yield* sys.uptime()) > 0) + "\\n");
  const [mine, theirs] = yield* sys.pipe();
  sys.threadcreate(serve(sys, theirs, theirs, newram(sys, { user: "glenda" })));
  const frame = new Uint8Array(100);
  for (const f of [{ type: 100, tag: 65535, msize: 8192, version: "9P2000" }, { type: Tping, tag: 7 }]) {
    const n = convS2M(f, frame, 0);
    yield* sys.write(mine, frame.subarray(0, n));
    const got = yield* sys.read(mine, frame);
    const r = convM2S(frame, 0, got);
    if (f.type === Tping) yield* print(sys, "message " + (r.type === Rping) + " " + fcallfmt(r) + "\\n");
  }
  yield* sys.close(mine);
}, ["use"]);
console.log(await p.wait(), p.output);
const rev = kernel.spawn(bin.rev, ["rev", "a", "b", "c"]);
await rev.wait();
console.log("command " + rev.output);
await kernel.shutdown();
`;

test("the page on extending the kernel is complete: what it adds builds, and works", (t) => {
  const page = readFileSync("docs/extending.md", "utf8");
  const list = steps(page);
  t.is(list.length, page.split("\n```ts\n").length - 1, "every block is a step");
  const dir = mkdtempSync(join(tmpdir(), "namec-extending-"));
  try {
    for (const name of [
      "kernel",
      "devices",
      "syscalls",
      "userland",
      "examples",
      "test",
      "package.json",
      "tsconfig.json",
    ])
      cpSync(name, join(dir, name), { recursive: true });
    symlinkSync(resolve("node_modules"), join(dir, "node_modules"));
    for (const s of list) follow(dir, s);
    const build = spawnSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-b"], {
      cwd: dir,
      encoding: "utf8",
    });
    t.is(build.stdout + build.stderr, "");
    writeFileSync(join(dir, "use.mjs"), USE);
    const use = spawnSync(process.execPath, ["use.mjs"], { cwd: dir, encoding: "utf8" });
    t.is(use.stderr, "");
    t.deepEqual(
      use.stdout
        .split("\n")
        .filter((l) => /^(device|call|message|command)|device/.test(l))
        .map((l) => l.trim()),
      ["device 0000", "call true", "message true Rping tag 7", "command c b a"],
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
