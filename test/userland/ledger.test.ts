// What a run cost, added up.

import test from "ava";
import { MREPL, OREAD } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { Ledger, summaryfmt } from "../../userland/view/export/ledger.ts";
import type { Totals } from "../../userland/view/export/ledger.ts";
import type { Recording } from "../../userland/view/record/recording.ts";
import { put } from "../kit/kit.ts";
import { recorded, remount } from "../kit/recorded.ts";

const NOTHING: Totals = { calls: 0, errors: 0, trips: 0, messages: 0, bytes: 0, time: 0 };

/** The ledger of a recording, or of its first `events` events. */
function ledger(r: Recording, events: number = r.events.length): Ledger {
  const l = new Ledger();
  for (const e of r.events.slice(0, events)) l.take(e, r);
  l.finish();
  return l;
}

function sum(list: Iterable<Totals>): Totals {
  const all = { ...NOTHING };
  for (const t of list) for (const key of Object.keys(all) as (keyof Totals)[]) all[key] += t[key];
  return all;
}

async function scene(sys: Sys): Promise<void> {
  await put(sys, "/n/far/f", "x".repeat(1000));
  await sys.stat("/n/far/f");
  await sys.open("/n/far/g", OREAD).catch(() => undefined);
  await sys.bind("/n/far", "/tmp", MREPL);
}

test("a kind of call has its calls, errors, round trips, messages, bytes and time", async (t) => {
  const { kinds, whole, elapsed } = ledger(await recorded(scene));
  t.like(kinds.get("stat"), { calls: 1, errors: 0, trips: 1, messages: 6, time: 50e6 });
  t.like(kinds.get("open"), { calls: 1, errors: 1, trips: 1, time: 50e6 });
  t.like(kinds.get("close"), { calls: 1, errors: 0, trips: 0, messages: 2, time: 0 });
  t.is(kinds.get("write")?.bytes, 1034);
  t.is(whole.calls, 6);
  t.is(whole.trips * 50e6, whole.time);
  t.is(elapsed, whole.time);
});

test("kinds and what no call caused add up to the whole; connections and processes are counted", async (t) => {
  const l = ledger(
    await recorded(async (sys) => {
      await scene(sys);
      await remount(sys, "/tmp");
      await sys.stat("/tmp/f");
    }),
  );
  t.deepEqual(sum([...l.kinds.values(), l.uncalled]), l.whole);
  t.is(l.procs.size, 1);
  t.is(l.conns.size, 2);
  t.false(l.conns.has(0));
  t.true(l.whole.messages > 20);
});

test("calls at once: their times and their round trips are added up", async (t) => {
  const l = ledger(
    await recorded(async (sys) => {
      await Promise.all([sys.stat("/n/far"), sys.stat("/n/far"), sys.stat("/n/far")]);
    }),
  );
  t.is(l.whole.time, 150e6);
  t.is(l.elapsed, 50e6);
  t.is(l.whole.trips, 3);
});

test("a ledger of the first events counts calls in progress as far as they came", async (t) => {
  const r = await recorded(scene);
  const stat = r.calls.find((c) => c.name === "stat");
  const before = ledger(r, stat?.first);
  t.false(before.kinds.has("stat"));
  const reply = r.events.findIndex((e) => e.type === "receive" && e.call === stat?.id);
  const during = ledger(r, reply + 1);
  t.like(during.kinds.get("stat"), { calls: 1, trips: 1, messages: 4, time: 50e6 });
  t.deepEqual(ledger(r, 0).whole, NOTHING);
});

test("events told one by one, with nothing kept, come to the same", async (t) => {
  const l = new Ledger();
  const r = await recorded(scene, { limit: 0, tell: (e, rec) => l.take(e, rec) });
  l.finish();
  const kept = ledger(await recorded(scene));
  t.deepEqual([l.whole, l.kinds, l.conns], [kept.whole, kept.kinds, kept.conns]);
  t.deepEqual([r.events.length, r.spaces.length, Object.keys(r.calls)], [0, 0, []]);
});

test("a summary is a table by kind of call, the longest time first", async (t) => {
  const l = ledger(await recorded(scene));
  t.deepEqual(summaryfmt(l, "virtual"), [
    "% time       time  per call  calls  errors  round trips  messages  bytes  call",
    " 25.00   50.00 ms  50.00 ms      1                    1         4     69  create",
    " 25.00   50.00 ms  50.00 ms      1       1            1         4     80  open",
    " 25.00   50.00 ms  50.00 ms      1                    1         6    148  stat",
    " 25.00   50.00 ms  50.00 ms      1                    1         2   1034  write",
    "  0.00       0 ns      0 ns      1                                        bind",
    "  0.00       0 ns      0 ns      1                              2     18  close",
    "  0.00       0 ns                                               1     11  (messages of no call)",
    "100.00  200.00 ms  33.33 ms      6       1            4        19   1360  total",
    "200.00 ms passed, of virtual time: 1 process, 1 connection",
  ]);
});

test("a summary of calls that overlap says that their times are added up", async (t) => {
  const l = ledger(
    await recorded(async (sys) => {
      await Promise.all([sys.stat("/n/far"), sys.stat("/n/far")]);
    }),
  );
  t.is(
    summaryfmt(l, "real").at(-1),
    "50.00 ms passed (calls that overlap are added up): 1 process, 1 connection",
  );
});
