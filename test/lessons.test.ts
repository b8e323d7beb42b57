// The lessons. Each runs on the machines that its head asks for, in both name spaces, and says the same every time. The
// calls that it is about cost exactly what docs/lessons.md says. What a lesson says to look at stands on the screen.

import { readFileSync, readdirSync } from "node:fs";
import test from "ava";
import type { Program } from "../kernel/proc/trap.ts";
import { bin } from "../userland/bin/index.ts";
import { boothosts } from "../userland/boot/hosts.ts";
import { hostof } from "../userland/boot/simhost.ts";
import { mounted } from "../userland/boot/mounts.ts";
import { answerof, headof, lessonof, pieces } from "../userland/view/words/documents.ts";
import { frameof, lookstep } from "../userland/view/step/frame.ts";
import { drawframe } from "../userland/host/stepview.ts";
import { frametext } from "../userland/view/step/frametext.ts";
import { Tape } from "../userland/view/step/tape.ts";
import { stock } from "./kit/stock.ts";
import { gather } from "../userland/vm/modules.ts";
import { program } from "../userland/vm/vm.ts";
import "../userland/host/vmhost.ts";
import { Recorder } from "../userland/view/record/recorder.ts";
import type { Findplace } from "../userland/view/record/recorder.ts";
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

const ANSWERS = readFileSync("docs/lessons.md", "utf8");

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
  "12-two-offsets": local("3 brings ab\n4 brings cd\n5 brings ab\n"),
  "13-dup": local("to the console\nthe log has: to the log\n"),
  "14-fork-exec": local("the log has: hello\n"),
  "15-wait": local(
    "quick\nslow\nno living children\n",
    ["wait(", 0, 0],
    ["wait(", 0, 10],
    ["wait(", 0, 0],
  ),
  "16-end-of-file": local(
    "4 bytes\ninterrupted\n0 bytes\n",
    ["read(3", 0, 0],
    ["read(3", 0, 100],
    ["read(3", 0, 0],
  ),
  "17-notes": local(
    "handler: alarm\nsleep: interrupted\nhandler: enough\nthe child ended: enough\n",
    ["sleep(1000)", 0, 10],
  ),
  "18-rfork": local(
    "both copied: open; n is mine\nenvironment shared: open; n is the child's\n" +
      "both shared: fd out of range or not open; n is the child's\n",
  ),
  "19-private-names": {
    says: [
      "a copy of the name space: '/tmp/lib/news' does not exist\nthe same name space: news is there\n",
      "a copy of the name space: '/tmp/lib/news' does not exist\nthe same name space: news is there\n",
    ],
    names: [
      ['stat("/tmp/lib/news"', 0, 0],
      ['stat("/tmp/lib/news"', 1, 50],
    ],
    standard: [
      ['stat("/tmp/lib/news"', 0, 0],
      ['stat("/tmp/lib/news"', 3, 150],
    ],
  },
  "20-own-server": local("hello number 1\nhello number 2\n"),
  "21-race": local("without a lock: 1\nwith a lock: 2\n"),
};

/** A lesson in which no far server is asked: both name spaces do the same. */
function local(says: string, ...costs: Costs): Lesson {
  return { says: both(says), names: costs, standard: costs };
}

/** Runs a lesson as `namec step` would, and records it. */
async function recorded(
  name: string,
  namespace: "names" | "standard",
  image: "native" | "vm" = "native",
): Promise<{ readonly r: Recording; readonly output: string; readonly status: unknown }> {
  const text = readFileSync(`${DIR}/${name}.ts`, "utf8");
  const { machines } = headof(text);
  const file = `${name}.ts`;
  const main =
    image === "vm"
      ? program(await gather(file, { read: (wanted) => (wanted === file ? text : null) }))
      : ((await import(`../examples/lessons/${name}.js`)) as { default: Program }).default;
  const net = { hosts: machines.map(hostof), seed: 0 };
  const here = await boothosts({ clock: "virtual", namespace, files: { bin } }, net);
  const about = { program: name, namespace, clock: "virtual", seed: 0, machine: "gnot" } as const;
  const source = { name, text: "" };
  const place: Findplace = () => ({ source, line: 1, column: 1 });
  const rec = new Recorder({ about: { ...about, hosts: machines }, place });
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

for (const [name, lesson] of Object.entries(lessons))
  test(`${name} says the same in a memory of its own`, async (t) => {
    const { output, status } = await recorded(name, "names", "vm");
    t.deepEqual([status, output], ["", lesson.says[0]]);
  });

for (const name of Object.keys(lessons))
  test(`${name} says to look at what is on the screen`, async (t) => {
    const { look } = headof(readFileSync(`${DIR}/${name}.ts`, "utf8"));
    const tape = new Tape((await recorded(name, "names")).r);
    const screens = Array.from({ length: tape.length }, (_, step) =>
      frametext(frameof(tape, step), null).join("\n"),
    );
    const list = pieces(look);
    const begin = screens[lookstep(tape, look)] ?? "";
    t.true(begin.includes(list[0] ?? ""), "a lesson begins where it says to look");
    const drawn = drawframe(frameof(tape, lookstep(tape, look)), { columns: 98, rows: 60 })
      .map((line) => line.map((p) => p.text).join(""))
      .join(" ")
      .replace(/\s+/g, " ");
    t.true(drawn.includes(list[0] ?? ""), "and the terminal's screen has it");
    t.true(list.length > 0);
    for (const piece of list)
      t.true(
        screens.some((s) => s.includes(piece)),
        piece,
      );
  });

test("no lesson is left out, and each says what it is, how it is run and what it asks, with an answer", (t) => {
  const files = readdirSync(DIR).map((f) => f.replace(/\.ts$/, ""));
  t.deepEqual(files.toSorted(), Object.keys(lessons).toSorted());
  t.deepEqual(
    [...ANSWERS.matchAll(/^## (\S+): /gm)].map((m) => m[1]),
    files.toSorted(),
  );
  for (const name of files) {
    const text = readFileSync(`${DIR}/${name}.ts`, "utf8");
    const l = lessonof(`${DIR}/${name}.ts`, text, ANSWERS);
    t.is(l.n, files.toSorted().indexOf(name) + 1);
    for (const part of [l.title, l.question, l.look, l.change, l.answer, l.changed])
      t.true(part.length > 10, name);
    t.is(l.question.split("?").length, 2, `${name} asks one question`);
    t.true(text.includes(` ${DIR}/${name}.ts\n`), `${name} is run by another name`);
    t.true(ANSWERS.includes(`\n## ${name}: ${l.title}\n`), name);
  }
});

test("the head of a lesson gives title, machines, question, what to look at and what to change", (t) => {
  const text =
    "// A title: and more.\n//\n//     npx namec step --host a:rtt=1ms --host b:rtt=2ms x.ts\n//     npx namec run x.ts\n" +
    "//\n// Question: is this\n//     read?\n// Look at: the `test` and\n//     `more`.\n// Change: it.\n\ncode();\n// Question: not this\n";
  const head = {
    title: "A title",
    machines: ["a:rtt=1ms", "b:rtt=2ms"],
    question: "is this read?",
    look: "the `test` and `more`.",
    change: "it.",
  };
  t.deepEqual(headof(text), head);
  t.deepEqual(pieces(head.look), ["test", "more"]);
  const none = { title: "", machines: [], question: "", look: "", change: "" };
  t.deepEqual(headof("code();\n"), none);
});

test("the answer of a lesson is the section of its name, and what the change brings is apart", (t) => {
  const answers =
    "# Lessons\n\n## 01-a: A\n\nOne\nline.\n\nTwo.\n\nChanged: other\nthings.\n\n## 02-b: B\n\nNo.\n";
  t.deepEqual(answerof("01-a", answers), { answer: "One line.\n\nTwo.", changed: "other things." });
  t.deepEqual(answerof("02-b", answers), { answer: "No.", changed: "" });
  t.deepEqual(answerof("03-c", answers), { answer: "", changed: "" });
});
