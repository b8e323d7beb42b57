// A recording as a tape: where each move leads, and what it costs to move in a long one.

import test from "ava";
import { DMDIR, MAFTER, MREPL, OREAD } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import { Tape, markof, nextmark, search } from "../../userland/view/step/tape.ts";
import type { By, Mark } from "../../userland/view/step/tape.ts";
import { failure, put } from "../kit/kit.ts";
import { longrun } from "../kit/longrun.ts";
import { recorded } from "../kit/recorded.ts";

async function scene(sys: Sys): Promise<void> {
  await sys.close(await sys.create("/n/far/a", OREAD, DMDIR | 0o777));
  await put(sys, "/n/far/a/b", "hello\n");
  await sys.bind("/n/far/a", "/tmp", MAFTER);
  await sys.chdir("/n/far");
  await sys.stat("a/../a/b");
  await failure(sys.stat("/tmp/x/y"));
  const fd = await sys.open("/tmp/b", OREAD);
  await sys.read(fd, new Uint8Array(100));
  await failure(sys.bind("/n/far/a/b", "/tmp", MREPL));
}

const KINDS: readonly By[] = ["step", "message", "call", "failure"];

/** The steps of a kind, one after another from before the first. */
function all(tape: Tape, by: By): number[] {
  const list: number[] = [];
  for (let s = tape.next(-1, by); s >= 0; s = tape.next(s, by)) list.push(s);
  return list;
}

const typeat = (tape: Tape, step: number): string | undefined =>
  tape.recording.events[tape.event(step)]?.type;

test("every move forward is taken back by the move back, and going back ends at the first step", async (t) => {
  const tape = new Tape(await recorded(scene));
  for (const by of KINDS) {
    const list = all(tape, by);
    t.true(list.length > 1, by);
    for (const [i, s] of list.entries()) t.is(tape.back(s, by), list[i - 1] ?? -1);
    t.is(tape.next(tape.length - 1, by), -1);
    t.is(tape.back(0, by), -1);
  }
  let s = tape.length - 1;
  for (let n = 0; n < tape.length && s > 0; n++) s = tape.back(s, "step");
  t.is(s, 0);
  for (let step = 0; step < tape.length; step++) t.is(tape.stepof(tape.event(step)), step);
});

test("steps are of the kind that was asked for; pieces on the wire are none", async (t) => {
  const tape = new Tape(await recorded(scene));
  const types = (by: By): Set<string | undefined> =>
    new Set(all(tape, by).map((s) => typeat(tape, s)));
  t.false(types("step").has("wire"));
  t.deepEqual([...types("message")], ["send", "receive"]);
  t.deepEqual([...types("call")], ["call"]);
  const failed = all(tape, "failure").map((s) => tape.recording.events[tape.event(s)]);
  t.deepEqual(
    failed.map((e) => tape.recording.calls[e?.call ?? -1]?.error),
    ["'/tmp/x' file does not exist", "inconsistent mount"],
  );
});

test("what a call and the run have spent is known at each event, and right at the end", async (t) => {
  const tape = new Tape(await recorded(scene));
  const { calls, events } = tape.recording;
  for (const call of calls) {
    const { asked: _asked, ...cost } = call.cost;
    const time = (call.ended ?? 0) - call.began;
    t.deepEqual(tape.callspent(call.last), { ...cost, time }, call.text);
    t.is(tape.callspent(call.first).messages, 0);
    t.is(events[tape.index.returnof(call.id)]?.type, "return");
  }
  const run = tape.runspent(events.length - 1);
  t.is(run.messages, events.filter((e) => e.type === "send" || e.type === "receive").length);
  t.is(
    run.trips,
    calls.reduce((n, c) => n + c.cost.trips, 0),
  );
});

test("the requests without an answer are those at every event, also when their connection goes", async (t) => {
  const r = await recorded(scene);
  const { flights } = new Tape(r).index;
  const open = new Set<number>();
  for (const [i, e] of r.events.entries()) {
    if (e.type === "send") open.add(i);
    if (e.type === "receive") open.delete(e.of);
    if (e.type === "conn") open.clear();
    t.deepEqual(
      flights.at(i, () => undefined).map((f) => f.send),
      [...open],
    );
  }
  const stat = r.calls.find((c) => c.name === "stat")?.first ?? -1;
  const flight = flights.of(r.events.findIndex((e, i) => i > stat && e.type === "send"));
  t.is((flight?.reached ?? 0) - (flight?.sent ?? 0), 25_000_000);
  t.is((flight?.came ?? 0) - (flight?.answered ?? 0), 25_000_000);
});

test("breakpoints stop at calls, at names and what is below them, at messages and at servers", async (t) => {
  const tape = new Tape(await recorded(scene));
  const stops = (text: string): string[] => {
    const mark = markof(tape, text);
    const steps = [...(mark?.steps ?? [])];
    return steps.map(
      (s) => tape.recording.calls[tape.recording.events[tape.event(s)]?.call ?? -1]?.text ?? "",
    );
  };
  t.deepEqual(stops("stat"), ['stat("a/../a/b")', 'stat("/tmp/x/y")']);
  t.deepEqual(stops("/n/far/a/b"), [
    'create("/n/far/a/b", ORDWR, 0666)',
    'write(3, "hello\\n")',
    "close(3)",
    'stat("a/../a/b")',
    'bind("/n/far/a/b", "/tmp", MREPL)',
  ]);
  t.deepEqual(stops("/tmp/x"), ['stat("/tmp/x/y")']);
  t.deepEqual(stops("Tread"), ["read(3, [100])"]);
  t.is(markof(tape, "far!564")?.steps.length, all(tape, "message").length);
  for (const text of ["Tnothing", "no such", ""]) t.is(markof(tape, text), null, text);
  const marks = ["stat", "Tread"]
    .map((text) => markof(tape, text))
    .filter((m): m is Mark => m !== null);
  const run: number[] = [];
  for (let s = nextmark(tape, marks, -1); s >= 0; s = nextmark(tape, marks, s)) run.push(s);
  t.is(run.length, 3);
  for (const [i, s] of run.entries()) t.is(nextmark(tape, marks, s, true), run[i - 1] ?? -1);
});

test("text is found forward and back, whatever its letters' case", async (t) => {
  const tape = new Tape(await recorded(scene));
  const first = search(tape, "rerror", 0);
  const second = search(tape, "RERROR", first);
  t.is(typeat(tape, first), "receive");
  t.true(second > first && first > 0);
  t.is(search(tape, "Rerror", second, true), first);
  t.is(search(tape, "no such text", 0), -1);
});

test("in a recording of more than 100,000 events a move looks at a few entries, and a frame at its call's", (t) => {
  const tape = new Tape(longrun(17_000));
  t.is(tape.recording.events.length, 102_000);
  const work = (fn: () => void): number => {
    const before = tape.work;
    fn();
    return tape.work - before;
  };
  t.is(tape.work, 0);
  for (const s of [0, 1, 34_001, 67_999]) {
    for (const by of KINDS) {
      t.true(work(() => tape.next(s, by)) <= 20);
      t.true(work(() => tape.back(s, by)) <= 20);
    }
    t.true(work(() => frameof(tape, s)) <= 256 + 64);
  }
  const marks = [markof(tape, "Tread")].filter((m): m is Mark => m !== null);
  t.is(marks[0]?.steps.length, 17_000);
  t.true(work(() => nextmark(tape, marks, 34_001)) <= 20);
  t.is(frameof(tape, tape.length - 1).runspent.trips, 17_000);
});

test("a breakpoint on a line stops at the calls of that line, of one file or of any", async (t) => {
  const source = { name: "dir/prog.ts", text: "a\nb\nc\n" };
  let n = 0;
  // Each call is of the next line.
  const place = (): { source: typeof source; line: number; column: number } => ({
    source,
    line: ++n,
    column: 1,
  });
  const tape = new Tape(await recorded(scene, { place }));
  const lines = (text: string): (number | undefined)[] | undefined =>
    markof(tape, text)?.steps.length === undefined
      ? undefined
      : [...(markof(tape, text)?.steps ?? [])].map(
          (s) => tape.recording.calls[tape.beginsat(s)]?.line?.line,
        );
  const last = tape.recording.calls.at(-1)?.line?.line ?? 0;
  t.true(last > 3);
  for (const text of [`dir/prog.ts:${last}`, `prog.ts:${last}`, `:${last}`])
    t.deepEqual(lines(text), [last], text);
  t.deepEqual(lines(`other.ts:${last}`), []);
  t.deepEqual(lines(`rog.ts:${last}`), []);
  t.is(markof(tape, "prog.ts:2")?.on, "line");
});
