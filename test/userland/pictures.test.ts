// The pictures of a step: which one belongs to it, the processes with their files and pipes, the labels of the
// messages, the steps of two runs that correspond, and the words of the glossary in a sentence.

import test from "ava";
import { MREPL, RFFDG, RFNAMEG, RFPROC } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { diagramsvg, layout } from "../../userland/view/draw/diagram.ts";
import { LETTER, crosses, placed } from "../../userland/view/draw/svg.ts";
import type { Segment } from "../../userland/view/draw/svg.ts";
import { proclayout, procscene, procsvg } from "../../userland/view/draw/processes.ts";
import type { Procscene } from "../../userland/view/draw/processes.ts";
import { Scenes } from "../../userland/view/draw/scene.ts";
import { Meeting, compare } from "../../userland/view/step/compare.ts";
import { Tape, hitsof } from "../../userland/view/step/tape.ts";
import { frameof, pictureof } from "../../userland/view/step/frame.ts";
import type { Frame } from "../../userland/view/step/frame.ts";
import { Glossary } from "../../userland/view/words/documents.ts";
import { recorded } from "../kit/recorded.ts";

/** A child writes into a pipe in a name space of its own, and its parent reads and waits. */
async function family(sys: Sys): Promise<void> {
  const [r, w] = await sys.pipe();
  await sys.rfork(RFPROC | RFFDG | RFNAMEG, async (child: Sys) => {
    await child.close(r);
    await child.bind("/n/far", "/tmp", MREPL);
    await child.sleep(10);
    await child.write(w, new TextEncoder().encode('<"hi">\n'));
    await child.close(w);
    await child.exits("done");
  });
  await sys.close(w);
  const buf = new Uint8Array(10);
  await sys.read(r, buf);
  await sys.read(r, buf);
  await sys.wait();
  await sys.stat("/n/far");
}

const frames = (tape: Tape): Frame[] =>
  Array.from({ length: tape.length }, (_, s) => frameof(tape, s));

const at = (list: readonly Frame[], text: RegExp): Frame => {
  const f = list.find((x) => x.call !== null && text.test(x.call.text));
  if (f === undefined) throw new Error(`no step has ${text}`);
  return f;
};

const rowsof = (s: Procscene, text: string): string[] =>
  s.boxes.filter((b) => b.title.endsWith(text)).map((b) => b.rows.map((r) => r.text).join(" | "));

test("the picture of processes has who holds which end, what is in the pipe, and who waits for whom", async (t) => {
  const r = await recorded(family);
  const list = frames(new Tape(r));
  const f = at(list, /^write\(\d+, .*= 7$/);
  const s = procscene(f, r);
  const [parent, child] = s.boxes;
  t.is(child?.depth, (parent?.depth ?? 0) + 1);
  t.true(child?.now);
  t.regex(
    rowsof(s, "main")[0] ?? "",
    /pipe (\d), end 0 \| waits in read for bytes of pipe \1, from \d+$/,
  );
  t.notRegex(rowsof(s, "main")[1] ?? "", /end 0|waits/);
  // The child has names of its own, so it shares what is left.
  t.regex(rowsof(s, "main")[1] ?? "", /^shares environment, notes with \d+ \|/);
  t.deepEqual(s.pills[0]?.ends, ['end 0: "<"hi">\\n" 7 bytes', "end 1"]);
  t.deepEqual(s.pills[0]?.moved, { what: "put", end: 0 });
  const l = proclayout(s, 700);
  t.deepEqual(
    l.ties.map((x) => x.classes),
    [["tie"], ["tie", "put"]],
  );
  const took = proclayout(procscene(at(list, /^read\(\d+, \[10\]\) = 7/), r), 700);
  t.deepEqual(took.ties[0]?.classes, ["tie", "take"]);
  const wait = list.find((x) => x.call?.text === "wait()" && x.type === "sleep");
  if (wait !== undefined)
    t.regex(rowsof(procscene(wait, r), "main")[0] ?? "", /waits in wait for a child to end: \d+/);
  const bind = list.find((x) => x.type === "mount" && x.call?.text.startsWith("bind"));
  if (bind === undefined) return t.fail();
  t.deepEqual(
    procscene(bind, r).boxes.map((b) => b.rows.some((x) => x.kind === "names" && x.changed)),
    [false, true],
  );
});

for (const width of [300, 390, 780])
  test(`in the picture of processes on ${width} pixels no line passes over a box or a pipe`, async (t) => {
    const r = await recorded(family);
    for (const f of frames(new Tape(r))) {
      const l = proclayout(procscene(f, r), width);
      for (const p of l.pills) t.true(l.boxes.every((b) => b.x + b.width < p.x));
      // A line goes straight out of its box, until it is right of all boxes.
      for (const { from, bend } of l.ties) {
        t.true(l.boxes.every((b) => b.x + b.width < bend));
        const out: Segment = [
          { x: from.x + 1, y: from.y },
          { x: bend, y: from.y },
        ];
        for (const b of l.boxes) t.false(crosses(out, b, b.height));
      }
      for (const [i, b] of l.boxes.entries())
        for (const o of l.boxes.slice(i + 1)) t.true(b.y + b.height < o.y);
    }
  });

test("names that are no XML stand in the picture of processes as text", async (t) => {
  const r = await recorded(family);
  const f = at(frames(new Tape(r)), /^write/);
  const text = procsvg(procscene(f, r), 500, "x");
  t.true(text.includes("&lt;&quot;hi&quot;&gt;"));
  t.false(text.includes("<hi"));
});

test("each step chooses its picture", async (t) => {
  const r = await recorded(family);
  const list = frames(new Tape(r));
  const of = (text: RegExp): string => pictureof(r, at(list, text).event);
  t.is(of(/^pipe/), "processes");
  t.is(of(/^rfork/), "processes");
  t.is(of(/^bind/), "names");
  t.is(of(/^write/), "processes");
  const message = list.find((f) => f.type === "send");
  t.is(pictureof(r, message?.event ?? -1), "messages");
});

for (const width of [300, 390, 780])
  test(`no label of a message covers another on ${width} pixels, and lines are drawn beneath`, async (t) => {
    const r = await recorded(async (sys) => {
      const tries = [1, 2, 3, 4, 5, 6].map((i) => sys.stat(`/n/far/${i}/x`).catch(() => undefined));
      await Promise.all(tries);
    });
    const scenes = new Scenes(r);
    let labels = 0;
    for (let i = 0; i < r.events.length; i++) {
      const l = layout(scenes.at(i), width, 300);
      const boxes = l.arrows.map((a) => ({ ...a.at, width: (a.label.length + 1) * LETTER }));
      labels += boxes.length;
      for (const [n, a] of boxes.entries())
        for (const b of boxes.slice(n + 1))
          t.false(
            a.x < b.x + b.width && b.x < a.x + a.width && Math.abs(a.y - b.y) < 15,
            `${i}: ${JSON.stringify([a, b])}`,
          );
    }
    t.true(labels > 20);
    const svg = diagramsvg(scenes.at(r.events.length - 1), width, 300);
    t.true(svg.lastIndexOf("<line") < svg.indexOf('class="ground"'));
    t.true(svg.lastIndexOf("<polygon") < svg.indexOf('class="ground"'));
  });

test("a label stands on its arrow, away from another line's and from a place that must be seen", (t) => {
  const along: Segment = [
    { x: 0, y: 0 },
    { x: 400, y: 200 },
  ];
  const text = "Tread";
  const [free] = placed([{ text, along }], { lines: [along], points: [], top: 0, width: 500 });
  t.true(Math.abs((free?.x ?? 0) + 20 - 200) < 20);
  const points = [{ x: 200, y: 100 }];
  const [moved] = placed([{ text, along }], { lines: [along], points, top: 0, width: 500 });
  t.notDeepEqual(moved, free);
  const two = placed(
    [
      { text, along },
      { text, along },
    ],
    { lines: [], points: [], top: 0, width: 500 },
  );
  t.notDeepEqual(two[0], two[1]);
});

test("the steps of two kernels correspond by call, and within it by what happens", async (t) => {
  const main = async (sys: Sys): Promise<void> => {
    await sys.stat("/n/far");
    await sys.open("/n/far/x/y", 0).catch(() => undefined);
    await sys.stat("/n/far");
  };
  const tapes = [
    new Tape(await recorded(main)),
    new Tape(await recorded(main, { namespace: "standard" })),
  ] as const;
  const [a, b] = tapes;
  const meeting = new Meeting(a, b, compare(a.recording, b.recording));
  for (let s = 0; s < a.length; s++) {
    const [f, g] = [frameof(a, s), frameof(b, meeting.right(s))];
    if (f.call === null) continue;
    t.is(g.call?.text.replace(/ = .*/, ""), f.call.text.replace(/ = .*/, ""));
    if (f.begins) t.true(g.begins);
    if (f.type === "return" && !f.begins) t.is(g.type, "return");
  }
  // A call's first step leads there and back.
  const open = a.recording.calls.find((c) => c.name === "open");
  const step = a.stepof(open?.first ?? -1);
  t.is(meeting.left(meeting.right(step)), step);
});

test("the hits of a search are all steps that have the text", async (t) => {
  const tape = new Tape(await recorded(family));
  const hits = hitsof(tape, "PIPE", 0, tape.length);
  t.true(hits.length > 0 && hits.length < tape.length);
  t.deepEqual([...hitsof(tape, "PIPE", 0, 9), ...hitsof(tape, "PIPE", 9, tape.length)], hits);
});

const GLOSSARY = `| word | meaning |
|---|---|
| clunk | gives a fid up (\`Tclunk\`). [protocol.md](protocol.md) |
| fid | a number |
| mount | put files at a name |
| mount point | a name where something is mounted |
| run | bytes |
`;

test("words of the glossary are found in a sentence: the longest, each once, and their forms", (t) => {
  const g = new Glossary(GLOSSARY);
  const words = (text: string): (readonly [string, string])[] =>
    g
      .split(text)
      .flatMap((p) => (p.entry === null ? [] : [[p.text, p.entry.words[0] ?? ""] as const]));
  t.deepEqual(words("The fids are clunked; a fid is left at the mount point."), [
    ["fids", "fid"],
    ["clunked", "clunk"],
    ["mount point", "mount point"],
  ]);
  // Neither parts of other words or of names, nor words of plain English.
  t.deepEqual(words("confide /n/fid fid.ts x-fid a run"), []);
  t.is(g.entry("clunk")?.text, "gives a fid up (Tclunk). docs/protocol.md");
  t.is(g.split("no such word").length, 1);
  t.is(
    g
      .split("The fid is clunked")
      .map((p) => p.text)
      .join(""),
    "The fid is clunked",
  );
});
