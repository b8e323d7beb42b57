// The index over a recording: it answers while the recording grows as it does at the end, and no view of a step
// searches the events of a long recording.

import test from "ava";
import { MBEFORE, MREPL, ORDWR, OREAD, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { Rerror, Tclunk, Tstat, Twalk } from "../../kernel/abi/fcall.ts";
import { indexof } from "../../userland/view/record/index.ts";
import type { Index } from "../../userland/view/record/index.ts";
import { ismessage } from "../../userland/view/record/recording.ts";
import type { Recording, Revent } from "../../userland/view/record/recording.ts";
import { procsat } from "../../userland/view/step/procs.ts";
import { decision } from "../../userland/view/words/why.ts";
import { failure, put } from "../kit.ts";
import { longrun } from "./longrun.ts";
import { recorded } from "./recorded.ts";

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
