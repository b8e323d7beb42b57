// namec explore: its words, what it writes, its exit status.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { parse } from "../../userland/host/command.ts";
import { explore, explored } from "../../userland/host/explore.ts";
import type { Told } from "../../userland/host/explore.ts";
import { Stepper, leadtext } from "../../userland/host/stepper.ts";
import { Tape } from "../../userland/view/step/tape.ts";
import { fromjson } from "../../userland/view/record/recording.ts";

/** What the command writes, and its status. */
async function namec(...words: readonly string[]): Promise<Told> {
  const told = await explored(parse(explore, words));
  return typeof told === "object" ? told : { out: "", err: "", status: told };
}

const RACE = "examples/races/lostupdate.ts";

test("a race is found, and its schedule runs alone", async (t) => {
  const all = await namec(RACE);
  t.is(all.status, 1);
  t.regex(all.out, /^9 schedules, all there are: 2 outcomes; 1 bad exit status: lostupdate: /);
  const [, schedule = ""] = /--schedule (\S+)/.exec(all.out) ?? [];
  const one = await namec("--schedule", schedule, RACE);
  t.is(one.status, 1);
  t.regex(one.out, /^status: lostupdate: it ended with "added twice, and it is 1"/);
  t.is((await namec("--schedule", "default", RACE)).status, 0);
  const { out } = await namec("--schedule", schedule, "--json", RACE);
  const writes = fromjson(out).calls.filter((c) => c.name === "pwrite");
  t.is(new Set(writes.map((c) => c.pid)).size, 2);
});

test("what makes no sense is said, with what to do", async (t) => {
  const said = async (...words: string[]): Promise<string> => {
    const e = await t.throwsAsync(() => namec(...words), { name: "Usage" });
    return `${e.message}\n${String(Reflect.get(e, "hint"))}`;
  };
  t.regex(await said("--schedule", "x", RACE), /'x' is not a switch\na schedule is "default"/);
  t.regex(await said("--shard", "9/8", RACE), /shard '9\/8': it is part\/parts/);
  t.regex(await said("--preemptions", "few", RACE), /--preemptions few: a number/);
  t.regex(await said("--budget", "soon", RACE), /soon/);
  t.regex(await said("--maybe", "wriet:error=x", RACE), /wriet/);
  t.regex(await said("--step", RACE), /--step is for one schedule/);
  t.regex(await said(), /no program is given/);
  t.regex(await said("--schedule", "1", "--budget", "1s", RACE), /--budget is for a search/);
  t.regex(await said(RACE, "--step"), /--step stands behind the program/);
  const another = /explore again$/;
  for (const [schedule, why] of [
    ["99.9", /^schedule 99.9 does not fit: the scene ended before its last 2 switches\n/],
    ["0.99", /^schedule 0.99 does not fit: the scene ended before its last switch\n/],
    ["0z", /^schedule 0z does not fit: at switch 1 \(0z\) 2 could go, and it takes another one\n/],
  ] as const) {
    const text = await said("--schedule", schedule, RACE);
    t.regex(text, why);
    t.regex(text, another);
  }
});

test("a schedule's recording ends at the failure, with the lines of the program and what it came to", async (t) => {
  const deadlock = fromjson(
    (await namec("--schedule", "1", "--json", "examples/races/pipes.ts")).out,
  );
  t.is(deadlock.about.explored?.schedule, "1");
  t.regex(deadlock.about.explored?.found ?? "", /^deadlock: process \d+ waits in read/);
  // Both wait still: what ends them then is no part of it.
  const waiting = deadlock.calls.filter((c) => c.ended === null);
  t.deepEqual(
    waiting.map((c) => [c.name, deadlock.sources[c.line?.source ?? -1]?.name]),
    [
      ["read", "examples/races/pipes.ts"],
      ["read", "examples/races/pipes.ts"],
    ],
  );
  t.false(deadlock.events.some((e) => e.type === "proc" && e.what === "exit"));
  const [lead] = leadtext(deadlock).split("\n");
  t.regex(lead ?? "", /^schedule 1: deadlock: process \d+ waits in read/);
  const stepper = new Stepper(new Tape(deadlock));
  stepper.key("end");
  const screen = stepper
    .draw({ columns: 100, rows: 30 })
    .map((line) => line.map((p) => p.text).join(""));
  t.true(screen[0]?.startsWith(` ${lead?.slice(0, 60) ?? ""}`), screen.join("\n"));
  t.true(
    screen.some((line) => line.includes("This is a deadlock")),
    screen.join("\n"),
  );
});

test("a file may export a scene of the test kit, and /bin has programs, too", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "namec-explore-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "scene.mjs");
  writeFileSync(
    file,
    "export const scene = async (m) => (await m.try(async () => 'bad')).status;\n",
  );
  t.true((await namec(file)).out.startsWith("1 schedule, all there are: 1 outcome\n"));
  const echo = await namec("echo", "hello");
  t.deepEqual([echo.status, /\(default\): "hello\\n"/.test(echo.out)], [0, true]);
});

test("shards share a search: together they run each of its schedules once", async (t) => {
  const schedules = (out: string): number => Number(/^\d+/.exec(out)?.[0]);
  const file = "examples/races/append.ts";
  const whole = schedules((await namec(file)).out);
  const kinds = new Set<string>();
  let [sum, most] = [0, 0];
  for (const n of [1, 2, 3]) {
    const { out } = await namec("--shard", `${n}/3`, file);
    t.regex(out, new RegExp(`^\\d+ schedules?, all of part ${n}/3: `));
    sum += schedules(out);
    most = Math.max(most, schedules(out));
    for (const kind of out.match(/a line is lost: \w+/g) ?? []) kinds.add(kind);
  }
  t.deepEqual([...kinds].toSorted(), ["a line is lost: child", "a line is lost: parent"]);
  t.deepEqual([sum, most < whole], [whole, true]);
});

test("shards share the schedules with few preemptions, too", async (t) => {
  const schedules = (out: string): number => Number(/^\d+/.exec(out)?.[0]);
  const words = ["--preemptions", "2", "examples/races/fdreuse.ts"];
  const whole = schedules((await namec(...words)).out);
  const parts: number[] = [];
  for (const n of [1, 2]) parts.push(schedules((await namec("--shard", `${n}/2`, ...words)).out));
  const sum = parts.reduce((a, b) => a + b, 0);
  t.true(sum >= whole && parts.every((n) => n > 0 && n < whole), `${whole} ${parts.join(" ")}`);
});

test("--vm explores a program with a memory of its own, whose rfork returns twice", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "namec-explore-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "twice.mjs");
  writeFileSync(
    file,
    `import { ORDWR, RFFDG, RFPROC } from "namec";
export default async function main(sys) {
  const fd = await sys.create("/tmp/n", ORDWR, 0o666);
  const pid = await sys.rfork(RFPROC | RFFDG);
  await sys.pwrite(fd, new Uint8Array([pid === 0 ? 1 : 2]), 0);
  if (pid === 0) return;
  await sys.wait();
  const buf = new Uint8Array(1);
  await sys.pread(fd, buf, 0);
  if (buf[0] !== 1) return "the parent was the last";
}
`,
  );
  const { out, status } = await namec("--vm", file);
  t.regex(
    out,
    /^\d+ schedules, all there are: 2 outcomes; 1 bad exit status: twice: it ended with "the parent was/,
  );
  t.is(status, 1);
  await t.throwsAsync(namec("--vm", "echo"), {
    message: /a program of \/bin has no memory of its own/,
  });
});
