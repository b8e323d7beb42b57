// The space-time diagram: which messages it shows at a step, with which times, and where.

import test from "ava";
import { NCONT, OREAD, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import { Rclunk, Rerror, Rread, Tread } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { postmount } from "../../userland/lib/9p.ts";
import { newram } from "../../userland/lib/ram.ts";
import { serveramfs, simnet } from "../../userland/boot/net.ts";
import { Scenes, exactly, sentences } from "../../userland/view/draw/scene.ts";
import { axislines } from "../../userland/view/draw/axis.ts";
import type { Layout } from "../../userland/view/draw/diagram.ts";
import { diagramsvg, layout } from "../../userland/view/draw/diagram.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import type { About, Rcall, Recording, Revent } from "../../userland/view/record/recording.ts";
import { put } from "../kit/kit.ts";
import { record, remount } from "../kit/recorded.ts";

const ABOUT: About = {
  program: "test",
  namespace: "names",
  clock: "virtual",
  seed: 0,
  machine: "gnot",
  hosts: ["far:rtt=50ms"],
};
const MS = 1_000_000;

/** A run on a machine with a ramfs 50 ms away on /n/far, in which the mount is recorded too. */
async function recorded(main: (sys: Sys) => Promise<void>): Promise<Recording> {
  const net = simnet();
  const k = await net.boot("gnot", { files: { n: { far: {}, ram: {} } } });
  await serveramfs(await net.boot("far"), "tcp!*!9fs");
  net.link("gnot", "far", { rtt: "50ms" });
  const r = await record(
    k,
    async (sys) => {
      await remount(sys, "/n/far");
      await main(sys);
    },
    { about: ABOUT },
  );
  await net.shutdown();
  return r;
}

const stated = (): Promise<Recording> =>
  recorded(async (sys) => {
    await put(sys, "/n/far/f", "x");
    await sys.sleep(1000);
    await sys.stat("/n/far/f");
  });

const callof = (r: Recording, name: string): Rcall => {
  const call = r.calls.findLast((c) => c.name === name);
  if (call === undefined) throw new Error(`no ${name} is recorded`);
  return call;
};

/** The event with which a call returned. */
const returned = (r: Recording, call: Rcall): number =>
  r.events.findIndex((e) => e.type === "return" && e.call === call.id);

test("the requests of a stat leave together and are there 25 ms later, and so is the answer", async (t) => {
  const r = await stated();
  const stat = callof(r, "stat");
  const scene = new Scenes(r).at(returned(r, stat));
  t.deepEqual(
    scene.lifelines.map((l) => l.name),
    ["gnot", "far"],
  );
  const [there, back, ...more] = scene.arrows;
  t.is(more.length, 0);
  const at = stat.began;
  t.like(there, { way: "out", server: 1, first: { left: at, arrived: at + 25 * MS } });
  t.like(back, { way: "in", server: 1, first: { left: at + 25 * MS, arrived: at + 50 * MS } });
  t.deepEqual(sentences(scene), [
    "at 0: Twalk 0 → 1 f, Tstat 1, Tclunk 1 to far, there at 25 ms",
    "at 50 ms: Rwalk 1 qid, Rstat f, 1 byte, Rclunk from far, left at 25 ms",
  ]);
});

test("the layout has both arrows, from lifeline to lifeline, and a time for each of their ends", async (t) => {
  const r = await stated();
  const stat = callof(r, "stat");
  const l = layout(new Scenes(r).at(returned(r, stat)), 500);
  t.is(l.title, 'stat("/n/far/f"): 50 ms');
  t.deepEqual(
    l.lifelines.map(({ x }) => x),
    [124, 464],
  );
  t.deepEqual(l.ticks, [
    { y: 30, text: "0" },
    { y: 167, text: "25 ms" },
    { y: 287, text: "50 ms", now: true },
  ]);
  const [there, back] = l.arrows;
  t.like(there, { from: { x: 124, y: 44 }, to: { x: 464, y: 167 }, classes: ["arrow", "out"] });
  t.like(back, { from: { x: 464, y: 167 }, to: { x: 124, y: 289 }, classes: ["arrow", "in"] });
  t.is(there?.label, "Twalk Tstat Tclunk");
  t.true(l.bars[0]?.current);
});

test("what other calls have on its way is told from the call's own", async (t) => {
  const r = await recorded(async (sys) => {
    await put(sys, "/n/far/f", "x");
    // The Tclunk of put is still on its way.
    await sys.sleep(1);
    await sys.stat("/n/far/f");
  });
  const stat = callof(r, "stat");
  const scene = new Scenes(r).at(returned(r, stat));
  t.deepEqual(
    layout(scene).arrows.map(({ label, classes }) => [label, classes.includes("other")]),
    [
      ["Tclunk 1", true],
      ["Twalk Tstat Tclunk", false],
      ["Rclunk", true],
      ["Rwalk Rstat Rclunk", false],
    ],
  );
  t.is(
    sentences(scene)[0],
    "1 ms before the call: Tclunk 1 to far, there at 24 ms (of another call)",
  );
});

test("the axis has room for the longest time, and the rest lies on what is left", async (t) => {
  const r = await stated();
  const at = returned(r, callof(r, "stat"));
  const scene = new Scenes(r).at(at);
  const [first, last] = [scene.moments[0], scene.moments.at(-1)];
  if (first === undefined || last === undefined) return t.fail();
  const odd = { ...scene, moments: [first, { ...last, time: last.time + 38_333 }] };
  const l = layout(odd, 300);
  t.is(l.ticks.at(-1)?.text, "50.038333 ms");
  t.true(l.axis > "50.038333 ms".length * 6.6);
  t.true(l.lifelines.every(({ x }) => x > l.axis && x < 300));
});

test("what has not happened is not drawn, and what is on its way is drawn up to the present", async (t) => {
  const r = await stated();
  const stat = callof(r, "stat");
  const scenes = new Scenes(r);
  const sends = r.events.flatMap((e, i) => (e.type === "send" && e.call === stat.id ? [i] : []));
  const [first = -1, , last = -1] = sends;
  const early = layout(scenes.at(first), 500);
  t.is(early.arrows.length, 1);
  t.is(early.arrows[0]?.label, "Twalk 0 → 1 f");
  t.deepEqual(early.arrows[0]?.classes, ["arrow", "out", "current", "inflight"]);
  t.deepEqual(early.arrows[0]?.to, early.arrows[0]?.from);
  // Nothing moves while one steps: the axis has the whole call from the beginning.
  const times = (l: Layout): string[] => l.ticks.map(({ y, text }) => `${y} ${text}`);
  t.deepEqual(times(early), times(layout(scenes.at(returned(r, stat)), 500)));
  const arrival = r.events.findIndex((e, i) => i > last && e.type === "wire" && e.way === "out");
  const middle = layout(scenes.at(arrival), 500);
  t.deepEqual(
    middle.arrows.map((a) => a.classes),
    [["arrow", "out"]],
  );
  // Of three replies in one piece the first has been read, and all of them are here.
  const reply = r.events.findIndex((e, i) => i > arrival && e.type === "receive");
  const back = layout(scenes.at(reply), 500).arrows[1];
  t.deepEqual(back?.classes, ["arrow", "in", "current"]);
  t.is(back?.label, "Rwalk 1 qid");
});

test("the same as text has a row for each moment and each arrow", async (t) => {
  const r = await stated();
  const scene = new Scenes(r).at(returned(r, callof(r, "stat")));
  t.deepEqual(
    axislines(scene, 60).map((l) => l.text),
    [
      'stat("/n/far/f"): 50 ms',
      "                    gnot                           far",
      "        0  stat       │─ Twalk Tstat Tclunk ───────▷┊",
      "    25 ms             │                             ●",
      "                      │ · · · · · · · · · · · · · · ○",
      "    50 ms             ◀─ Rwalk Rstat Rclunk ────────┊",
    ],
  );
});

test("over a pipe a request is there when its server has read it, and the server has a number", async (t) => {
  const r = await recorded(async (sys) => {
    const make = (s: Parameters<typeof newram>[0]) => newram(s, { user: "glenda", perm: 0o777 });
    await postmount(sys, make, { mtpt: "/n/ram" });
    await put(sys, "/n/ram/f", "x");
  });
  const scene = new Scenes(r).at(returned(r, callof(r, "create")));
  t.deepEqual(
    scene.lifelines.map((l) => l.name),
    ["gnot", "far", "process 3 (main)"],
  );
  t.deepEqual(
    layout(scene).lifelines.map((l) => l.title),
    ["this machine", "the server far!564", "process 3 (main)"],
  );
  t.true(scene.arrows.length > 0);
  for (const a of scene.arrows) {
    t.true(a.first.left !== null && a.first.arrived !== null);
    t.false(layout(scene).arrows.some((x) => x.classes.includes("vague")));
  }
});

test("the messages that make a connection are drawn to its server", async (t) => {
  const r = await stated();
  const scene = new Scenes(r).at(returned(r, callof(r, "mount")));
  t.is(sentences(scene)[0], "at 0: Tversion 9P2000.ix.stream, 65560 to far, there at 25 ms");
});

test("a refusal is marked, and what it says can be read", async (t) => {
  const r = await recorded(async (sys) => {
    await sys.open('/n/far/<"&', OREAD).catch(() => undefined);
  });
  const scene = new Scenes(r).at(returned(r, callof(r, "open")));
  t.true(layout(scene).arrows.some((a) => a.classes.includes("failed")));
  const text = diagramsvg(scene);
  t.is(malformed(text), null);
  t.true(text.includes("/n/far/&lt;&quot;&amp;"));
  t.regex(text, /<title id="d\d+t">open\(/);
});

test("a step is drawn with its own call: of a note the one that it comes into, of a late reply the one that asked", async (t) => {
  const r = await recorded(async (sys) => {
    await put(sys, "/n/far/f", "x");
    await sys.notify((_note, s) => (s as Sys).noted(NCONT));
    const fd = await sys.open("/n/far/f", OREAD);
    await sys.rfork(RFPROC | RFFDG, (child: Sys) => child.sleep(10));
    await sys.alarm(10);
    await sys.read(fd, new Uint8Array(1));
    await sys.close(fd);
    await sys.sleep(100);
  });
  const scenes = new Scenes(r);
  const note = r.events.findIndex((e) => e.type === "proc" && e.what === "note");
  t.is(axislines(scenes.at(note))[0]?.text, "read(3, [1]): 10 ms so far");
  const clunked = r.events.findLastIndex((e) => e.type === "receive" && e.fcall.type === Rclunk);
  t.true(clunked > returned(r, callof(r, "close")));
  t.is(axislines(scenes.at(clunked))[0]?.text, "close(3): 0");
  t.regex(axislines(scenes.at(clunked)).at(-1)?.text ?? "", / 50 ms>.*◀─ Rclunk ──/);
  // The end of a process is of no call.
  const end = r.events.findLastIndex((e) => e.type === "proc" && e.what === "exit");
  t.is(axislines(scenes.at(end))[0]?.text, "after sleep(100)");
});

test("no step's times begin before its call; what was on its way then says that it is of another call", async (t) => {
  const r = await recorded(async (sys) => {
    for (const f of ["f", "g"]) await put(sys, `/n/far/${f}`, "x");
    await sys.sleep(1000);
    await sys.rfork(RFPROC | RFFDG, async (child: Sys) => void (await child.stat("/n/far/f")));
    await sys.sleep(10);
    await sys.stat("/n/far/g");
  });
  const scenes = new Scenes(r);
  for (const event of r.events.keys())
    for (const l of axislines(scenes.at(event))) t.notRegex(l.text, /^ *-/);
  const text = axislines(scenes.at(returned(r, callof(r, "stat")))).map((l) => l.text);
  t.deepEqual(
    text.slice(2).map((l) =>
      l
        .replaceAll(/[│┊─·]/g, " ")
        .replaceAll(/ +/g, " ")
        .trim(),
    ),
    [
      "0 stat Twalk Tstat Tclunk ▷",
      "15 ms ●",
      "○",
      "25 ms ●",
      "○",
      "40 ms ◀ Rwalk Rstat Rclunk, of another call",
      "50 ms ◀ Rwalk Rstat Rclunk",
    ],
  );
});

/** What is wrong with XML; null when it is well-formed. */
function malformed(text: string): string | null {
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?:\s[\w-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  while (tag.lastIndex < text.length) {
    const at = tag.lastIndex;
    const m = tag.exec(text);
    if (m === null) return `at ${at}: ${text.slice(at, at + 60)}`;
    const [, end, name = "", attributes = "", empty, words = ""] = m;
    for (const s of [attributes, words])
      if (/&(?!(amp|lt|gt|quot);)|[^\t\n\r -\uFFFD]/.test(s)) return `in ${s}`;
    if (words !== "") continue;
    if (end === "/" && open.pop() !== name) return `</${name}> closes nothing`;
    if (end !== "/" && empty !== "/") open.push(name);
  }
  return open.length === 0 ? null : `<${open.join("> <")}> is not closed`;
}

/** A recording by hand: one call that makes n round trips of 2 ms. */
function long(n: number): Recording {
  const events: Revent[] = [];
  const at = { pid: 1, call: 0, space: 0 };
  const data = new Uint8Array(0);
  events.push({ ...at, at: 0, type: "call" });
  for (let i = 0; i < n; i++) {
    const T = { type: Tread, tag: 0, fid: 1, offset: i, count: 1 } as const;
    const m = { conn: 1, bytes: 23, off: i * 23 };
    const w = { type: "wire", conv: 0, wire: 1, bytes: 23, off: i * 23 } as const;
    const [t0, t1, t2] = [2 * i * MS, (2 * i + 1) * MS, (2 * i + 2) * MS];
    const of = events.push({ ...at, at: t0, type: "send", fcall: T, ...m }) - 1;
    events.push({ ...at, at: t1, ...w, way: "out", left: t0 });
    events.push({ ...at, at: t2, ...w, way: "in", left: t1 });
    events.push({ ...at, at: t2, type: "receive", fcall: { type: Rread, tag: 0, data }, of, ...m });
  }
  const last = events.push({ ...at, at: 2 * n * MS, type: "return", offset: -1 }) - 1;
  const call: Rcall = {
    id: 0,
    pid: 1,
    name: "read",
    text: "read(3, [1])",
    args: [],
    line: null,
    space: 0,
    dot: "/",
    file: null,
    chan: 0,
    began: 0,
    ended: 2 * n * MS,
    result: "0",
    value: 0,
    error: null,
    cost: { trips: n, messages: 2 * n, bytes: 46 * n, asked: false },
    first: 0,
    last,
  };
  const at1 = { conn: 1, name: "/net/tcp/0/data", peer: "far!564", wire: 1, pipe: null, opened: 0 };
  const conns = [{ ...at1, version: "9P2000", roots: [] }];
  return {
    ...new Recorder({ about: ABOUT }).recording,
    conns,
    calls: [call],
    spaces: [[]],
    events,
  };
}

test("of a hundred thousand events a few messages are drawn, those around the step, and the rest is counted", (t) => {
  const r = long(25_000);
  const scenes = new Scenes(r);
  const middle = scenes.at(50_001);
  t.true(middle.arrows.length <= 36);
  t.true(middle.arrows.some((a) => a.events.includes(50_001)));
  const shown = middle.arrows.reduce((n, a) => n + a.events.length, 0);
  t.is(middle.earlier + shown + middle.later, 50_000);
  const text = diagramsvg(middle);
  t.true(text.length < 20_000);
  t.is(malformed(text), null);
  t.is(layout(middle).notes.length, 2);
});

test("a diagram is well-formed whatever a server says", (t) => {
  const r = long(1);
  const fcall = { type: Rerror, tag: 0, ename: "]]>\u0001\uD800<b>" } as const;
  const events = r.events.map((e) => (e.type === "receive" ? { ...e, fcall } : e));
  const text = diagramsvg(new Scenes({ ...r, events }).at(4));
  t.is(malformed(text), null);
  t.true(text.includes("Rerror ]]&gt;\uFFFD\uFFFD&lt;b&gt;"));
});

test("times are shown exactly, in the unit that suits", (t) => {
  t.deepEqual([0, 7, 1500, 25_000_000, 75_000_001, 1_250_000_000].map(exactly), [
    "0",
    "7 ns",
    "1.5 µs",
    "25 ms",
    "75.000001 ms",
    "1.25 s",
  ]);
});
