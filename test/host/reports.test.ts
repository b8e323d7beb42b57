// What `namec run` tells of a run besides its trace: files that cannot be written, runs that are cut off.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { Run, directory, namec } from "../kit/cli.ts";
import { fields } from "../kit/tshark.ts";

type Item = { readonly ph: string; readonly name: string; readonly args?: unknown };

function timeline(file: string): Item[] {
  return (JSON.parse(readFileSync(file, "utf8")) as { traceEvents: Item[] }).traceEvents;
}

const SLEEPER = `import { type Sys, print } from "namec";
export default async function main(sys: Sys): Promise<void> {
  await sys.stat("/n/far/.");
  await print(sys, "up\\n");
  await sys.sleep(1e9);
}
`;

/** It sees no signal: the host runs nothing else. */
const SPINNER = SLEEPER.replace(
  "await sys.sleep",
  'setTimeout(() => { process.stderr.write("spinning\\n"); for (;;); }, 10);\n  await sys.sleep',
);

test("a file that cannot be written is refused before the program runs", async (t) => {
  const dir = directory(t, { "a.ts": SLEEPER });
  const refused = async (...args: string[]): Promise<string> => {
    const ended = await namec(["run", ...args, "touch", "/tmp/x"], "", dir);
    t.deepEqual([ended.status, ended.out], [2, ""]);
    return ended.err;
  };
  t.is(
    await refused("--pcap", "no/x"),
    "namec run: --pcap no/x: no such file or directory\n    name a file that can be written\n",
  );
  t.regex(
    await refused("--timeline", "."),
    /^namec run: --timeline \.: illegal operation on a dir/,
  );
  t.regex(await refused("--pcap", "x", "--timeline", "./x"), /are the same file, \.\/x\n/);
});

test("a program that does not exist leaves the files alone", async (t) => {
  const dir = directory(t, { x: "kept" });
  t.is((await namec(["run", "--pcap", "x", "no-such"], "", dir)).status, 2);
  t.is(readFileSync(join(dir, "x"), "utf8"), "kept");
});

test("what could not be written is said at the end, and is the status", async (t) => {
  const ended = await namec(["run", "--timeline", "/dev/full", "echo", "a"]);
  t.deepEqual([ended.status, ended.out], [1, "a\n"]);
  t.is(ended.err, "namec run: cannot write /dev/full: no space left on device\n");
});

for (const [how, signal, body] of [
  ["Ctrl-C", "SIGINT", SLEEPER],
  ["kill -KILL in the midst of a loop", "SIGKILL", SPINNER],
] as const)
  test(`${how} leaves whole files`, async (t) => {
    const dir = directory(t, { "a.ts": body });
    const files = ["--pcap", "p", "--timeline", "j", "--summary", "--trace"];
    const run = new Run(["run", ...files, "--host", "far:rtt=1ms", "a.ts"], dir);
    await run.saying(signal === "SIGINT" ? /^up$/m : /^spinning$/m);
    run.child.kill(signal);
    const ended = await run.ended();
    const names = timeline(join(dir, "j")).map((i) => i.name);
    t.true(names.includes("stat") && names.includes("exit: interrupt") === (signal === "SIGINT"));
    t.true(fields(join(dir, "p"), "9p.msgtype == 124", ["9p.fid"]).length === 1);
    t.is(/% time/.test(ended.err), signal === "SIGINT");
    t.regex(ended.err, /stat\("\/n\/far\/\."\)/);
  });
