// The index over a recording: it answers while the recording grows as it does at the end, and no view of a step
// searches the events of a long recording.

import test from "ava";
import { MBEFORE, MREPL, ORDWR, OREAD, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { Ekilled } from "../../kernel/abi/errors.ts";
import { Rerror, Tclunk, Tstat, Twalk } from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import { indexof } from "../../userland/view/record/index.ts";
import type { Index } from "../../userland/view/record/index.ts";
import { ismessage } from "../../userland/view/record/recording.ts";
import type { Rbody, Rcall, Recording, Revent } from "../../userland/view/record/recording.ts";
import { procsat } from "../../userland/view/step/procs.ts";
import { decision } from "../../userland/view/words/why.ts";
import { failure, put } from "../kit/kit.ts";
import { longrun } from "../kit/longrun.ts";
import { recorded } from "../kit/recorded.ts";

async function scene(sys: Sys): Promise<void> {
  await put(sys, "/n/far/a", "hello\n");
  await sys.bind("/n/far", "/tmp", MBEFORE);
  const [r, w] = await sys.pipe();
  await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
    await child.write(w, new Uint8Array(5));
    await child.close(w);
  });
  await sys.close(w);
  await sys.read(r, new Uint8Array(8));
  await sys.wait();
  const fd = await sys.open("/n/far/a", OREAD);
  await sys.read(fd, new Uint8Array(100));
  await sys.close(fd);
  await failure(sys.open("/tmp/b/c", ORDWR));
  await failure(sys.bind("/n/far/a", "/tmp", MREPL));
}

/** What an index says of an event. */
function answers(index: Index, r: Recording, event: number): unknown {
  const e = r.events[event];
  const call = r.calls[e?.call ?? -1];
  return {
    before: [...index.near(event, -1)].map((x) => x.event),
    tagged: [...index.tagged(event, -1)].map((x) => x.event),
    waiting: index.waiting(e?.call ?? -1, event),
    returned: index.returnof(e?.call ?? -1),
    during: call === undefined ? [] : index.during(call, event).map((x) => x.event),
    began: index.lastbegun(e?.pid ?? 0, event)?.id,
    running: index.running(event, event).map((c) => c.id),
    mounts: [...index.mounts(event)].map((x) => x.event),
    gone: index.hungup(1, event),
    calls: index.history.calls(event),
    procs: index.history.procs(event),
    flying: index.flights.at(event, () => undefined),
    inside: index.files.inside({ conn: 1, path: "" }, event),
  };
}

test("an index that grows with its recording answers as one that is made of all of it", async (t) => {
  const whole = await recorded(scene);
  const events: Revent[] = [];
  const growing: Recording = { ...whole, events };
  const index = indexof(growing);
  for (const [i, e] of whole.events.entries()) {
    events.push(e);
    t.is(indexof(growing), index);
    if (i % 16 !== 0 && i !== whole.events.length - 1) continue;
    const sofar: Recording = { ...whole, events: whole.events.slice(0, i + 1) };
    t.deepEqual(answers(index, growing, i), answers(indexof(sofar), sofar, i), `event ${i}`);
  }
});

test("a request has its answers, and the group that it was sent in", async (t) => {
  const r = await recorded(async (sys) => void (await sys.stat("/n/far/none/x").catch(() => 0)));
  const index = indexof(r);
  const type = (e: Revent | undefined): number | undefined =>
    ismessage(e) ? e.fcall.type : undefined;
  const find = (want: number): number => r.events.findIndex((e) => type(e) === want);
  const [walk, stat] = [find(Twalk), find(Tstat)];
  t.true(walk >= 0 && stat > walk);
  t.deepEqual(index.group(walk).before, []);
  t.deepEqual(index.group(walk).after.map(type), [Tstat, Tclunk]);
  t.deepEqual(index.group(stat).before.map(type), [Twalk]);
  t.deepEqual(index.group(stat).after.map(type), [Tclunk]);
  for (const i of [walk, stat])
    t.deepEqual(
      index.answers(i).map((x) => type(r.events[x])),
      [Rerror],
    );
  t.deepEqual(index.waiting(r.events[walk]?.call ?? -1, stat), [walk, stat]);
  t.deepEqual(index.waiting(r.events[walk]?.call ?? -1), []);
});

test("what is said of a step of a long recording looks at few of its events", (t) => {
  const long = longrun(4_000);
  let looked = 0;
  const events = new Proxy(long.events, {
    get(list, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) looked++;
      return Reflect.get(list, key) as unknown;
    },
  });
  const r: Recording = { ...long, events };
  // What is made once is made by the first questions.
  for (let i = 0; i < 12; i++) decision(r, i);
  procsat(r, 0);
  for (let i = 12_000; i < 12_012; i++) {
    looked = 0;
    decision(r, i);
    t.true(looked <= 600, `event ${i} of type ${long.events[i]?.type}: ${looked}`);
  }
});

/** A recording of these calls and events: what a run does seldom, at once. */
function made(calls: readonly Partial<Rcall>[], events: readonly Rbody[]): Recording {
  const [call] = longrun(1).calls;
  const { conns, ...r } = longrun(1);
  let of = -1;
  return {
    ...r,
    conns: [...conns, ...conns.map((c) => ({ ...c, conn: 2, wire: 2 }))],
    calls: calls.flatMap((c, id) => (call === undefined ? [] : [{ ...call, ...c, id }])),
    // The events between a "call" and the next are of that call.
    events: events.map((body, at) => ({
      at,
      pid: 2,
      call: body.type === "call" ? ++of : of,
      space: 0,
      ...body,
    })),
  };
}

const CALL: Rbody = { type: "call" };
const RETURN: Rbody = { type: "return", offset: -1 };
const sent = (conn: number, fcall: Fcall): Rbody => ({
  type: "send",
  conn,
  fcall,
  bytes: 23,
  off: 0,
});
const conn = (n: number, what: "open" | "hangup" | "close"): Rbody => ({
  type: "conn",
  conn: n,
  what,
});
const piped = (what: "put" | "take", off: number): Rbody => ({
  type: "pipe",
  what,
  pipe: 1,
  end: 0,
  off,
  bytes: 5,
  data: new Uint8Array(5),
});
const lost = (wire: number): Rbody => ({
  type: "wire",
  wire,
  conv: 0,
  way: "out",
  off: 0,
  bytes: 1,
  left: 0,
  lost: 7,
});

test("a tag that another call has used before makes no group, and no call waits for an Rclunk", (t) => {
  const stat: Fcall = { type: Tstat, tag: 1, fid: 1 };
  const r = made(
    [{ first: 0 }, { first: 3 }],
    [CALL, sent(1, stat), RETURN, CALL, sent(1, stat), sent(1, { ...stat, type: Tclunk }), RETURN],
  );
  const index = indexof(r);
  t.deepEqual(index.group(4).before, []);
  t.is(index.group(4).after.length, 1);
  t.deepEqual(index.waiting(1), [4]);
});

test("the end of a connection is known from its event on, and is no hang-up where its last user closed it", (t) => {
  const index = indexof(
    made(
      [],
      [conn(1, "open"), conn(2, "open"), conn(2, "hangup"), conn(2, "close"), conn(1, "hangup")],
    ),
  );
  t.deepEqual(
    [1, 2, 3, 4].map((i) => [index.ended(1, i), index.ended(2, i), index.ended(0, i)]),
    [
      [-1, -1, -1],
      [-1, 2, 2],
      [-1, 3, 3],
      [4, 3, 4],
    ],
  );
  t.deepEqual([index.hungup(1, 3), index.hungup(1, 4), index.hungup(2, 4)], [false, true, false]);
});

test("bytes of a pipe are of the write that put them in, and packets of the wire that lost them", (t) => {
  const pipe = indexof(
    made([], [piped("put", 0), piped("put", 5), piped("take", 0), piped("take", 5)]),
  );
  t.is(pipe.putat({ pipe: 1, end: 0, off: 0 }, 3), 0);
  t.is(pipe.putat({ pipe: 1, end: 0, off: 5 }, 3), 1);
  t.is(pipe.putat({ pipe: 1, end: 0, off: 5 }, 0), 0);
  t.is(pipe.reader(1, 0), 2);
  const wire = indexof(made([], [lost(1), lost(2), lost(1), lost(1)]));
  t.deepEqual(
    [wire.lost(1, 0, 3), wire.lost(1, 1, 4), wire.lost(2, 0, 4)].map((x) => x.length),
    [2, 2, 1],
  );
});

test("what was killed at the end of a run waited until the first of its calls was", (t) => {
  const killed = { error: Ekilled, ended: 1, pid: 2 };
  const note: Rbody = { type: "proc", what: "note", pid: 2, text: "x" };
  const r = made(
    [
      { ...killed, first: 0 },
      { ...killed, first: 1 },
    ],
    [CALL, CALL, RETURN, note, RETURN, RETURN],
  );
  // The first of the calls returns before the note, when the run went on.
  const events = r.events.map((e, i) => (i === 2 ? { ...e, call: 0 } : e));
  t.deepEqual(
    r.calls.map((c) => indexof({ ...r, events }).stuckat(c)),
    [-1, 3],
  );
  const going = r.calls.map((c) => ({ ...c, error: null, ended: null }));
  t.deepEqual(
    going.map((c) => indexof({ ...r, calls: going, events }).stuckat(c)),
    [5, 5],
  );
});

test("an open file was made where a descriptor first was it", (t) => {
  const fd = (n: number, chan: number): Rbody => ({
    type: "fd",
    fgrp: 1,
    fd: n,
    file: { chan, path: "/x", mode: 0, offset: 0, conn: 0, dev: "R", pipe: null, cexec: false },
  });
  const index = indexof(made([], [fd(3, 7), fd(4, 8), fd(5, 7), fd(3, 9)]));
  t.deepEqual(
    [7, 8, 9, 10].map((chan) => index.made(chan)),
    [0, 1, 3, -1],
  );
  t.deepEqual(
    [0, 2, 3].map((event) => index.fdset(1, 3, event)),
    [0, 0, 3],
  );
});

test("the calls that ran at a time are those that had begun, of each process the last", (t) => {
  const r = made(
    [
      { first: 0, pid: 2, name: "wait" },
      { first: 1, pid: 3, name: "open" },
      { first: 3, pid: 3, name: "stat" },
    ],
    [CALL, { ...CALL }, RETURN, CALL],
  );
  const events = r.events.map((e) => ({ ...e, pid: r.calls[e.call]?.pid ?? 0 }));
  const index = indexof({ ...r, events });
  t.deepEqual(
    index.running(3, 3).map((c) => c.name),
    ["wait", "stat"],
  );
  t.deepEqual(
    index.running(1, 2).map((c) => c.name),
    ["wait", "open"],
  );
  t.is(index.lastbegun(2, 3)?.name, "wait");
  t.is(index.lastbegun(3, 2)?.name, "open");
  t.is(index.lastbegun(0, 3)?.name, "stat");
  t.deepEqual(
    index.named("stat", "wait").map((c) => c.name),
    ["wait", "stat"],
  );
});
