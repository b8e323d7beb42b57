// The timeline: trace events as a viewer needs them.

import test from "ava";
import type { Sys } from "../../syscalls/sys.ts";
import { TAIL, Timeline } from "../../userland/view/export/timeline.ts";
import { put } from "../kit/kit.ts";
import { recorded, remount } from "../kit/recorded.ts";

type Item = {
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly name: string;
  readonly id: number;
  readonly args: Readonly<Record<string, unknown>>;
};

/** Runs a program; gives its timeline, and every state that its file was in. */
async function timeline(
  main: (sys: Sys) => Promise<void>,
): Promise<{ items: Item[]; states: string[] }> {
  const r = await recorded(main);
  const states: string[] = [];
  let text = "";
  const line = new Timeline((s) => states.push((text += s) + TAIL), r.about);
  for (const e of r.events) line.take(e, r);
  line.finish();
  return { items: items(text + TAIL), states };
}

function items(text: string): Item[] {
  return (JSON.parse(text) as { traceEvents: Item[] }).traceEvents;
}

async function scene(sys: Sys): Promise<void> {
  await put(sys, "/n/far/f", "x".repeat(1000));
  await Promise.all([sys.stat("/n/far/f"), sys.stat("/n/far"), sys.sleep(10)]);
  await remount(sys, "/tmp");
}

test("the file is JSON whenever it is cut off", async (t) => {
  const { states } = await timeline(scene);
  t.true(states.length > 50);
  for (const state of states) t.notThrows(() => items(state));
});

test("on a lane nothing overlaps; calls at once lie on lanes of their own", async (t) => {
  const done = (await timeline(scene)).items.filter((i) => i.ph === "X");
  for (const a of done)
    for (const b of done)
      if (a !== b && a.pid === b.pid && a.tid === b.tid)
        t.true(a.ts + a.dur <= b.ts || b.ts + b.dur <= a.ts, `${a.name} and ${b.name}`);
  const stats = done.filter((i) => i.name === "stat" || i.name === "sleep");
  t.deepEqual(
    stats.map((i) => [i.name, i.tid, i.dur]),
    [
      ["sleep", 2, 10_000],
      ["stat", 0, 50_000],
      ["stat", 1, 50_000],
    ],
  );
});

test("a request lasts until its reply, and an arrow leads to it from its call", async (t) => {
  const all = (await timeline(scene)).items;
  const write = all.find((i) => i.name === "write");
  const sent = all.find((i) => i.name.startsWith("Twrite"));
  t.like(sent, { ph: "X", ts: write?.ts, dur: 50_000, args: { reply: "Rwrite 1000" } });
  const arrows = all.filter((i) => i.ph === "s");
  t.true(arrows.some((i) => i.pid === write?.pid && i.ts === write.ts));
  t.deepEqual(
    all.filter((i) => i.ph === "f").map((i) => [i.id, i.ts]),
    arrows.map((i) => [i.id, i.ts]),
  );
  const names = new Map(all.filter((i) => i.ph === "M").map((i) => [i.pid, i.args["name"]]));
  t.is(all.find((i) => i.name.startsWith("Tversion"))?.pid, 1_000_002);
  t.true([...names.keys()].includes(1_000_001));
});

test("what is in progress at the end lasts until then, and says so", async (t) => {
  const r = await recorded(scene);
  const stat = r.calls.find((c) => c.name === "stat");
  let text = "";
  const line = new Timeline((s) => (text += s), r.about);
  const cut = r.events.findIndex((e) => e.type === "receive" && e.call === stat?.id);
  for (const e of r.events.slice(0, cut)) line.take(e, r);
  line.finish();
  const all = items(text + TAIL);
  t.like(
    all.find((i) => i.name === "stat"),
    { args: { result: "has not returned" } },
  );
  t.like(
    all.find((i) => i.name.startsWith("Tstat")),
    { args: { reply: "none yet" } },
  );
});
