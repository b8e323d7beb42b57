// The recording of a run: what the trace bus said, as data, there and back as JSON.

import test from "ava";
import { OREAD, OWRITE } from "../../kernel/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { serveramfs, simnet } from "../../userland/boot/net.ts";
import { Recorder } from "../../userland/view/recorder.ts";
import { Recordingerror, fromjson, tojson } from "../../userland/view/recording.ts";
import type { About, Recording } from "../../userland/view/recording.ts";
import { MCREATE, MREPL } from "../../kernel/const.ts";
import { dial } from "../../userland/lib/dial.ts";
import { put } from "../kit.ts";

const ABOUT: About = {
  program: "test",
  namespace: "names",
  clock: "virtual",
  seed: 0,
  machine: "here",
  hosts: ["far:rtt=50ms"],
};

/** Runs a program on a machine with a ramfs 50 ms away on /n/far, and records it. */
async function recorded(
  main: (sys: Sys) => Promise<void>,
  opts: { limit?: number; snap?: number } = {},
): Promise<Recording> {
  const net = simnet();
  const k = await net.boot("here", { files: { n: { far: {} } } });
  await serveramfs(await net.boot("far"), "tcp!*!9fs");
  net.link("here", "far", { rtt: "50ms" });
  const rec = new Recorder({ about: ABOUT, ...opts });
  const off = rec.listen(k.trace);
  const p = k.spawn(
    async (sys: Sys) => {
      await sys.mount(await dial(sys, "tcp!far!9fs"), -1, "/n/far", MREPL | MCREATE, "");
      rec.begin();
      await main(sys);
    },
    ["main"],
  );
  await p.wait();
  off();
  if (p.crash !== undefined) throw p.crash;
  await net.shutdown();
  return rec.recording;
}

async function scene(sys: Sys): Promise<void> {
  await put(sys, "/n/far/f", "x".repeat(1000));
  await sys.stat("/n/far/f");
  await sys.open("/n/far/g", OREAD).catch(() => undefined);
  await sys.bind("/n/far", "/tmp", MREPL);
}

test("a call has its time, its cost, its result and the name space that it was made in", async (t) => {
  const r = await recorded(scene);
  const [create, write, close, stat, open, bind] = r.calls;
  t.is(create?.text, 'create("/n/far/f", ORDWR, 0666)');
  t.like(stat, { name: "stat", error: null, cost: { trips: 1, messages: 6 } });
  t.is((stat?.ended ?? 0) - (stat?.began ?? 0), 50_000_000);
  t.like(open, { result: "-1: '/n/far/g' file does not exist", cost: { trips: 1 } });
  t.is(close?.cost.trips, 0);
  t.deepEqual(write?.args[1], new TextEncoder().encode("x".repeat(512)));
  const before = r.spaces[bind?.space ?? -1] ?? [];
  t.true(before.some((m) => m.path === "/n/far" && m.members[0]?.conn === r.conns[0]?.conn));
  const change = r.events.find((e) => e.type === "mount");
  t.true((r.spaces[change?.space ?? -1] ?? []).some((m) => m.path === "/tmp"));
  t.false(before.some((m) => m.path === "/tmp"));
  t.is(r.conns[0]?.peer, "far!564");
});

test("a reply knows its request, and what was on the wire when it left and came", async (t) => {
  const r = await recorded(scene);
  const replies = r.events.filter((e) => e.type === "receive");
  t.true(replies.length > 5);
  for (const e of replies) {
    const of = r.events[e.of];
    if (of?.type !== "send") return t.fail("a reply to nothing");
    t.is(of.fcall.tag, e.fcall.tag);
    t.is(of.fcall.type + 1, e.fcall.type === 107 ? of.fcall.type + 1 : e.fcall.type);
  }
  const wires = r.events.filter((e) => e.type === "wire");
  t.true(wires.some((e) => e.way === "in") && wires.some((e) => e.way === "out"));
  for (const e of wires) t.is(e.at - e.left, 25_000_000);
});

test("the offset of a message leads to the pieces of the wire that carried it", async (t) => {
  const r = await recorded(scene);
  const [conn] = r.conns;
  t.not(conn?.wire ?? null, null);
  const wires = r.events.filter((e) => e.type === "wire");
  // What nobody waited for at the end (a Tclunk) may be on its way for ever.
  const answered = new Set(r.events.map((e) => (e.type === "receive" ? e.of : -1)));
  for (const [i, e] of r.events.entries()) {
    if (e.type !== "receive" && !(e.type === "send" && answered.has(i))) continue;
    const mine = wires.filter((w) => w.way === (e.type === "send" ? "out" : "in"));
    const end = e.off + e.bytes;
    const piece = mine.find((w) => w.wire === conn?.wire && w.off < end && end <= w.off + w.bytes);
    if (piece === undefined) return t.fail(`${e.type} at ${e.off} is on no wire`);
    t.is(e.type === "send" ? piece.left : piece.at, e.at);
  }
  const sent = r.events.filter((e) => e.type === "send");
  for (const [i, e] of sent.entries())
    if (i > 0) t.is(e.off, (sent[i - 1]?.off ?? 0) + (sent[i - 1]?.bytes ?? 0));
});

test("a recording goes to JSON and comes back as it was", async (t) => {
  const r = await recorded(scene);
  t.deepEqual(fromjson(tojson(r)), { ...r, lost: r.lost });
});

test("a full recording counts what it lost, and one that keeps nothing tells it", async (t) => {
  const whole = await recorded(scene);
  const some = await recorded(scene, { limit: 10 });
  t.is(some.events.length, 10);
  t.is(some.lost, whole.events.length - 10);
});

test("what is no recording, or one of another version, is refused with the reason", (t) => {
  const said = (text: string): string =>
    t.throws(() => fromjson(text), { instanceOf: Recordingerror }).message;
  t.regex(said("{"), /^not a recording: /);
  t.regex(said("{}"), /^not a recording: there is no format "namec recording"$/);
  t.regex(
    said('{"format":"namec recording","version":2}'),
    /version 2; this namec reads version 1/,
  );
  t.regex(said('{"format":"namec recording","version":1}'), /without its list of sources/);
});

test("data on its way through the kernel is copied, so that a buffer may be used again", async (t) => {
  const r = await recorded(async (sys) => {
    const fd = await sys.create("/n/far/f", OWRITE, 0o666);
    const buf = new TextEncoder().encode("first");
    await sys.write(fd, buf);
    buf.fill(0);
    await sys.write(fd, buf);
  });
  const write = r.calls.find((c) => c.name === "write");
  t.deepEqual(write?.args[1], new TextEncoder().encode("first"));
});
