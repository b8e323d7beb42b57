// namec explore: its words, what it writes, its exit status.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";

/** A command of namec, with what it wrote and its status. */
function namec(...words: readonly string[]): { out: string; err: string; status: number | null } {
  const r = spawnSync(process.execPath, ["dist/userland/host/namec.js", ...words], {
    encoding: "utf8",
  });
  return { out: r.stdout, err: r.stderr, status: r.status };
}

const RACE = "examples/races/lostupdate.ts";

test("a race is found, and its schedule runs alone", (t) => {
  const all = namec("explore", RACE);
  t.is(all.status, 1);
  t.regex(all.out, /^6 schedules, all there are: 2 outcomes; 1 bad exit status: lostupdate: /);
  const [, schedule = ""] = /--schedule (\S+)/.exec(all.out) ?? [];
  const one = namec("explore", "--schedule", schedule, RACE);
  t.is(one.status, 1);
  t.regex(one.out, /^status: lostupdate: it ended with "added twice, and it is 1"/);
  t.is(namec("explore", "--schedule", "default", RACE).status, 0);
  const steps = namec("explore", "--schedule", schedule, "--step", RACE);
  t.is(steps.status, 0);
  t.regex(steps.out, /call {4}pwrite\(3, /);
});

test("what makes no sense is said, with what to do", (t) => {
  const said = (...words: string[]): string => {
    const r = namec("explore", ...words);
    t.is(r.status, 2, r.out + r.err);
    return r.err;
  };
  t.regex(said("--schedule", "x", RACE), /'x' is not a switch\n {4}a schedule is "default"/);
  t.regex(said("--shard", "9/8", RACE), /shard '9\/8': it is part\/parts/);
  t.regex(said("--preemptions", "few", RACE), /--preemptions few: a number/);
  t.regex(said("--budget", "soon", RACE), /soon/);
  t.regex(said("--step", RACE), /--step is for one schedule/);
  t.regex(said(), /no program is given/);
  const other = namec("explore", "--schedule", "99.9", RACE);
  t.is(other.status, 1);
  t.regex(other.err, /ended before its last 2 switches/);
});

test("a file may export a scene of the test kit, and /bin has programs, too", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "namec-explore-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "scene.mjs");
  writeFileSync(
    file,
    "export const scene = async (m) => (await m.try(async () => 'bad')).status;\n",
  );
  t.true(namec("explore", file).out.startsWith("1 schedule, all there are: 1 outcome\n"));
  const ls = namec("explore", "echo", "hello");
  t.deepEqual([ls.status, /\(default\): "hello\\n"/.test(ls.out)], [0, true]);
});

test("shards share a search: together they find what it finds", (t) => {
  const parts = [1, 2, 3].map((n) =>
    namec("explore", "--shard", `${n}/3`, "examples/races/append.ts"),
  );
  const kinds = new Set(parts.flatMap((p) => p.out.match(/a line is lost: \w+/g) ?? []));
  t.deepEqual([...kinds].toSorted(), ["a line is lost: child", "a line is lost: parent"]);
});
