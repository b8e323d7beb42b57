// The lessons: each runs on the machines that its head asks for, in both name spaces, says the same every
// time, and the calls that it is about cost exactly what docs/lessons.md says.

import { readFileSync, readdirSync } from "node:fs";
import test from "ava";
import type { Program } from "../kernel/proc/trap.ts";
import { boothosts, hostof } from "../userland/boot/hosts.ts";
import { mounted } from "../userland/boot/mounts.ts";
import { lessonof } from "../userland/view/words/lesson.ts";
import { stock } from "./userland/stock.ts";
import { Recorder } from "../userland/view/record/recorder.ts";
import type { Recording } from "../userland/view/record/recording.ts";

const DIR = "examples/lessons";
const NAMESPACES = ["names", "standard"] as const;
const MS = 1_000_000;

/** A call that a lesson is about: the beginning of its text, its round trips and its time in ms. */
type Costs = readonly (readonly [call: string, trips: number, ms: number])[];
type Lesson = {
  readonly says: readonly [names: string, standard: string];
  readonly names: Costs;
  readonly standard: Costs;
};

const both = (says: string): readonly [string, string] => [says, says];
/** Nine reads one after the other, of which the last finds the end. */
const READS = Array.from({ length: 9 }, () => ["read(3, [8192])", 1, 50] as const);
const PREADS = Array.from({ length: 16 }, () => ["pread(3, [8192]", 1, 50] as const);

const lessons: Readonly<Record<string, Lesson>> = {
  "01-which-server": {
    says: both("rain\nstay in\n"),
    names: [
      ['open("/tmp/all/news"', 2, 4],
      ['open("/tmp/all/plan"', 2, 100],
    ],
    standard: [
      ['open("/tmp/all/news"', 2, 4],
      ['open("/tmp/all/plan"', 3, 102],
    ],
  },
  "02-second-member": {
    says: both("hours has 13 bytes\nmotd has 19 bytes\n"),
    names: [
      ['stat("/tmp/u/hours"', 1, 50],
      ['stat("/tmp/u/motd"', 1, 50],
    ],
    standard: [
      ['stat("/tmp/u/hours"', 4, 56],
      ['stat("/tmp/u/motd"', 3, 150],
    ],
  },
  "03-round-trips": {
    says: both("c\nc\n"),
    names: [
      ['stat("/n/new/a/b/c"', 1, 50],
      ['stat("/n/old/a/b/c"', 2, 100],
    ],
    standard: [
      ['stat("/n/new/a/b/c"', 3, 150],
      ['stat("/n/old/a/b/c"', 3, 150],
    ],
  },
  "04-long-name": {
    says: both(
      "'/n/far/usr/glenda/libs' does not exist\n'/n/far/usr/glenda/lib/profile' not a directory\n",
    ),
    names: [
      ['open("/n/far/usr', 1, 50],
      ['open("/n/far/usr', 1, 50],
    ],
    standard: [
      ['open("/n/far/usr', 1, 50],
      ['open("/n/far/usr', 1, 50],
    ],
  },
  "05-create-in-union": {
    says: both("8 bytes of plan\n4 bytes of news\n"),
    names: [
      ['create("/tmp/u/plan"', 2, 100],
      ['create("/tmp/u/news"', 2, 4],
    ],
    standard: [
      ['create("/tmp/u/plan"', 4, 152],
      ['create("/tmp/u/news"', 2, 4],
    ],
  },
  "06-dotdot": {
    says: ["readme is there\ntmp's\n", "'/n/far/nowhere' file does not exist\ntmp's\n"],
    names: [
      ['stat("/n/far/nowhere/../readme"', 1, 50],
      ['open("../readme"', 0, 0],
    ],
    standard: [
      ['stat("/n/far/nowhere/../readme"', 1, 50],
      ['open("../readme"', 0, 0],
    ],
  },
  "07-mount-below-union": {
    says: ["8 bytes\n8 bytes\n", "8 bytes\n'/tmp/u/d/x' does not exist\n"],
    names: [
      ['stat("/tmp/u/d/x"', 0, 0],
      ['stat("/tmp/u/d/x"', 0, 0],
    ],
    standard: [
      ['stat("/tmp/u/d/x"', 1, 50],
      ['stat("/tmp/u/d/x"', 1, 2],
    ],
  },
  "08-flush": {
    says: both("11 bytes\ninterrupted\n"),
    names: [
      ["read(3, [100])", 1, 50],
      ["read(4, [100])", 1, 10],
    ],
    standard: [
      ["read(3, [100])", 1, 50],
      ["read(4, [100])", 1, 10],
    ],
  },
  "09-stream": {
    says: both("65536 bytes by reads\n65536 bytes by a stream\n"),
    names: [
      ...READS,
      ['open("/n/far/big", OREAD|OSTREAM)', 1, 50],
      ...READS.map(() => ["sread(3", 0, 0] as const),
    ],
    standard: [
      ...READS,
      ['open("/n/far/big", OREAD|OSTREAM)', 3, 150],
      ["sread(3", 0, 50],
      ...READS.slice(2).map(() => ["sread(3", 0, 0] as const),
      ["sread(3", 1, 50],
    ],
  },
  "10-sixteen-readers": { says: both("131072 bytes\n"), names: PREADS, standard: PREADS },
  "11-dead-server": {
    says: [
      "x is there\n'/tmp/gone' i/o on hungup channel\n",
      "'/tmp/on' i/o on hungup channel\n'/tmp/gone' i/o on hungup channel\n",
    ],
    names: [
      ['stat("/tmp/on/x"', 1, 50],
      ['stat("/tmp/gone"', 0, 0],
    ],
    standard: [
      ['stat("/tmp/on/x"', 0, 0],
      ['stat("/tmp/gone"', 0, 0],
    ],
  },
};

/** Runs a lesson as `namec step` would, and records it. */
async function recorded(
  name: string,
  namespace: "names" | "standard",
): Promise<{ readonly r: Recording; readonly output: string; readonly status: unknown }> {
  const { machines } = lessonof(readFileSync(`${DIR}/${name}.ts`, "utf8"));
  const { default: main } = (await import(`../examples/lessons/${name}.js`)) as {
    default: Program;
  };
  const net = { hosts: machines.map(hostof), seed: 0 };
  const here = await boothosts({ clock: "virtual", namespace }, net);
  const about = { program: name, namespace, clock: "virtual", seed: 0, machine: "gnot" } as const;
  const rec = new Recorder({ about: { ...about, hosts: machines } });
  const off = rec.listen(here.kernel.trace);
  const like = await mounted(here.kernel, here.mounts);
  rec.begin(like === null ? [] : [like.pid]);
  const p = here.kernel.spawn(main, [name], like === null ? {} : { like });
  like?.kill();
  const status = await p.wait();
  if (p.crash !== undefined) throw p.crash;
  off();
  await here.shutdown();
  return { r: rec.recording, output: p.output, status };
}

/** What the calls of the program cost that a lesson is about, in the order they were made. */
function costs(r: Recording, about: Costs): Costs {
  const pid = r.calls[0]?.pid;
  const texts = [...new Set(about.map(([text]) => text))];
  return r.calls.flatMap((c) => {
    const text = texts.find((t) => c.text.startsWith(t));
    if (text === undefined || c.pid !== pid) return [];
    return [[text, c.cost.trips, ((c.ended ?? Number.NaN) - c.began) / MS] as const];
  });
}

for (const [name, lesson] of Object.entries(lessons))
  for (const [i, namespace] of NAMESPACES.entries())
    test(`${name} shows what it is to show, in ${namespace}`, async (t) => {
      const { r, output, status } = await recorded(name, namespace);
      t.is(status, "");
      t.is(output, lesson.says[i] ?? "");
      t.deepEqual(stock(r), []);
      t.deepEqual(costs(r, lesson[namespace]), lesson[namespace]);
    });

test("no lesson is left out, and each says what it is, how it is run and what it asks", (t) => {
  const files = readdirSync(DIR).map((f) => f.replace(/\.ts$/, ""));
  t.deepEqual(files.toSorted(), Object.keys(lessons).toSorted());
  const answers = readFileSync("docs/lessons.md", "utf8");
  for (const name of files) {
    const text = readFileSync(`${DIR}/${name}.ts`, "utf8");
    const { title, machines, question, look } = lessonof(text);
    t.true([title, question, look].every((s) => s.length > 10) && machines.length > 0, name);
    t.true(text.includes(` ${DIR}/${name}.ts\n`), `${name} is run by another name`);
    t.true(answers.includes(`\n## ${name}: ${title}\n`), name);
  }
});

test("the head of a lesson gives title, machines, question and what to look at", (t) => {
  const text =
    "// A title: and more.\n//\n//     npx namec step --host a:rtt=1ms --host b:rtt=2ms x.ts\n//     npx namec run x.ts\n" +
    "//\n// Question: is this\n//     read?\n// Look at: the test.\n\ncode();\n// Question: not this\n";
  t.deepEqual(lessonof(text), {
    title: "A title",
    machines: ["a:rtt=1ms", "b:rtt=2ms"],
    question: "is this read?",
    look: "the test.",
  });
  t.deepEqual(lessonof("code();\n"), { title: "", machines: [], question: "", look: "" });
});
