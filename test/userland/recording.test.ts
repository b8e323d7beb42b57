// The recording of a run: what the trace bus said, as data, there and back as JSON; and two runs side by
// side: which call stands beside which, and what it cost there.

import { readFileSync } from "node:fs";
import test from "ava";
import { MAFTER, MREPL, ORDWR, OREAD, OWRITE, RFPROC } from "../../kernel/abi/const.ts";
import { callstack, textsites } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/host/index.ts";
import { findplace } from "../../userland/host/place.ts";
import {
  base64,
  fromjson,
  Recordingerror,
  tojson,
  unbase64,
} from "../../userland/view/record/recording.ts";
import type { Rcall, Recording } from "../../userland/view/record/recording.ts";
import { Tape } from "../../userland/view/step/tape.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import { compare } from "../../userland/view/step/compare.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import type { Findplace } from "../../userland/view/record/recorder.ts";
import { getpid } from "../../userland/lib/proc.ts";
import { failure, put } from "../kit/kit.ts";
import { ABOUT, recorded, remount } from "../kit/recorded.ts";

const BADARG = "bad arg in system call";

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
  t.deepEqual([create?.file, write?.file, close?.file], [null, "/n/far/f", "/n/far/f"]);
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
  let told = 0;
  const none = await recorded(scene, { limit: 0, tell: () => told++ });
  t.deepEqual([told, none.events, Object.keys(none.calls)], [whole.events.length, [], []]);
});

test("a full recording keeps nothing more, however long the run goes on", async (t) => {
  const r = await recorded(
    async (sys) => {
      for (let i = 0; i < 50; i++) {
        await sys.stat("/tmp");
        await sys.bind("/tmp", "/n", MAFTER);
        await sys.rfork(RFPROC, async () => {});
        await sys.wait();
        await remount(sys, "/n/far");
      }
    },
    { limit: 10 },
  );
  t.true(r.lost > 1000);
  t.true(r.calls.every((c) => c.first < 10));
  for (const list of [r.calls, r.spaces, r.procs, r.conns]) t.true(list.length <= 10);
});

test("bytes of any length and value go through base64, which is that of others", (t) => {
  const all = Uint8Array.from({ length: 259 }, (_, i) => i);
  for (const n of [0, 1, 2, 3, 256, 257, 258, 259]) {
    const bytes = all.subarray(0, n);
    t.is(base64(bytes), Buffer.from(bytes).toString("base64"));
    t.deepEqual(unbase64(base64(bytes)), Uint8Array.from(bytes));
  }
  for (const text of ["a", "ab", "abc", "a===", "ab=c", "ab-_", "abc\u0161", "abcd\n"])
    t.is(unbase64(text), null, text);
});

test("what is no recording, or one of another version, is refused with the reason", (t) => {
  const said = (text: string): string =>
    t.throws(() => fromjson(text), { instanceOf: Recordingerror }).message;
  t.regex(said("{"), /^not a recording: /);
  t.regex(said('{"$bytes": "?"}'), /^not a recording: \$bytes \? is no base64$/);
  t.regex(said("{}"), /^not a recording: there is no format "namec recording"$/);
  t.regex(
    said('{"format":"namec recording","version":3}'),
    /version 3; this namec reads versions 1 to 2/,
  );
  for (const version of [1, 2])
    t.regex(
      said(`{"format":"namec recording","version":${version}}`),
      /without its list of sources/,
    );
  const lists = ["sources", "conns", "procs", "calls", "spaces", "events", "said", "start"];
  for (const version of [1, 2])
    for (const list of ["conns", "procs", "calls", "events"]) {
      const empty = Object.fromEntries(lists.map((name) => [name, name === list ? [null] : []]));
      const broken = { format: "namec recording", version, ...empty };
      t.is(said(JSON.stringify(broken)), `a recording with something else among its ${list}`);
      const injected = JSON.stringify({ ...broken, [list]: [], injected: 5 });
      t.is(said(injected), "a recording with something else among what was injected");
    }
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

/** A run of a program with a file on the far machine, in one of the name spaces. */
function prepared(
  namespace: "names" | "standard",
  main: (sys: Sys) => Promise<void>,
): Promise<Recording> {
  const prepare = async (sys: Sys): Promise<void> => {
    await put(sys, "/n/far/f", "x");
    await sys.sleep(1000);
  };
  return recorded(main, { namespace, prepare });
}

const program = async (sys: Sys): Promise<void> => {
  await sys.stat("/n/far/f");
  await sys.stat("/tmp/../n/far/f");
  await failure(sys.open("/n/far/nothing/../f", OREAD));
};

test("each call stands beside the same of the other name space, and it is said what differs", async (t) => {
  const rows = compare(await prepared("names", program), await prepared("standard", program));
  t.deepEqual(
    rows.map(({ left, right, differs }) => [
      left?.text,
      left?.cost.trips,
      right?.cost.trips,
      differs ? right?.result : "",
    ]),
    [
      ['stat("/n/far/f")', 1, 3, ""],
      ['stat("/tmp/../n/far/f")', 1, 3, ""],
      ['open("/n/far/nothing/../f", OREAD)', 1, 1, "-1: '/n/far/nothing' file does not exist"],
    ],
  );
});

const calls = (texts: readonly string[]): Rcall[] =>
  texts.map((text, id) => {
    const now = { id, pid: 1, began: 0, ended: 0, first: id, last: id, space: 0, line: null };
    const gave = { args: [], dot: "/", file: null, chan: 0, result: "", value: null, error: null };
    const cost = { trips: 0, messages: 0, bytes: 0, asked: false };
    return { ...now, ...gave, cost, name: text.replace(/\(.*/, ""), text };
  });

test("a call that one of them did not make stands alone, and those behind it are found again", (t) => {
  const of = (texts: readonly string[]): Recording => ({
    ...new Recorder({ about: ABOUT }).recording,
    calls: calls(texts),
  });
  const rows = compare(
    of(["open(a)", "read(3)", "close(3)", "stat(x)"]),
    of(["open(a)", "fstat(4)", "read(4)", "chdir(b)", "close(3)", "stat(x)", "exits()"]),
  );
  t.deepEqual(
    rows.map(({ left, right }) => `${left?.text ?? "-"} ${right?.text ?? "-"}`),
    [
      "open(a) open(a)",
      "- fstat(4)",
      "read(3) read(4)",
      "- chdir(b)",
      "close(3) close(3)",
      "stat(x) stat(x)",
      "- exits()",
    ],
  );
});

test("docs/recording.md names every list and field of a recording, and every type of event", async (t) => {
  const r = await recorded(scene);
  const rows = readFileSync("docs/recording.md", "utf8").split("\n");
  const row = (name: string): string =>
    rows.find((l) => l.startsWith("|") && l.includes(`\`${name}\``)) ?? "";
  for (const [name, list] of Object.entries(r)) {
    if (name === "format" || name === "version") continue;
    t.not(row(name), "", name);
    const one: unknown = Array.isArray(list) ? list[0] : list;
    if (["events", "start", "spaces"].includes(name) || typeof one !== "object" || one === null)
      continue;
    for (const field of Object.keys(one)) t.regex(row(name), RegExp(`\\b${field}\\b`));
  }
  for (const e of [...r.start, ...r.events]) t.not(row(e.type), "", e.type);
  for (const field of Object.keys(r.spaces[0]?.[0]?.members[0] ?? {}))
    t.regex(row("spaces"), RegExp(`\\b${field}\\b`));
});

test("what a program gives may hold itself, or be deeper than any stack: the recording goes on", async (t) => {
  const r = await recorded(async (sys: Sys) => {
    const self: Record<string, unknown> = { bytes: new Uint8Array(9) };
    for (const key of ["a", "b", "c", "d"]) self[key] = self;
    let deep: unknown = 0;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    for (const value of [self, deep]) t.is(await failure(sys.sleep(value as never)), BADARG);
    await sys.stat("/tmp");
  });
  t.deepEqual(
    r.calls.map((c) => c.name),
    ["sleep", "sleep", "stat"],
  );
  t.true(tojson(r).length < 1_000_000);
  t.deepEqual(fromjson(tojson(r)).calls[1]?.args, r.calls[1]?.args);
});

test("what a program gives may throw when it is read, or be wide: the recording goes on", async (t) => {
  const r = await recorded(async (sys: Sys) => {
    const thorny = {
      get x(): number {
        throw new Error("not for you");
      },
    };
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]));
    for (const value of [thorny, wide]) t.is(await failure(sys.sleep(value as never)), BADARG);
    await sys.stat("/tmp");
  });
  t.deepEqual(
    r.calls.map((c) => c.name),
    ["sleep", "sleep", "stat"],
  );
  t.is(r.calls[0]?.text, 'sleep("…")');
  t.is(Object.keys(r.calls[1]?.args[0] as object).length, 1000);
});

test("the text of a call is what the call gave and got, however late it is read", async (t) => {
  const r = await recorded(async (sys) => {
    const dir = await sys.stat("/n/far");
    Object.assign(dir, { name: "changed" });
    const fd = await sys.open("/dev/null", OREAD);
    const buf = new Uint8Array(8);
    await sys.read(fd, buf);
    await sys.close(fd);
  });
  t.deepEqual(
    r.calls.map((c) => `${c.text} = ${c.result}`.replace(/d-?[rwx-]+ .* /, "")),
    ['stat("/n/far") = far', 'open("/dev/null", OREAD) = 3', "read(3, [8]) = 0", "close(3) = "],
  );
});

test("where nothing is kept, a message that comes late still names its call in words", async (t) => {
  const late = new Set<string>();
  await recorded(
    async (sys) => {
      const fd = await sys.open("/n/far", OREAD);
      await sys.close(fd);
      await sys.sleep(1000);
    },
    {
      limit: 0,
      tell: (e, r) => {
        const call = e.type === "receive" ? r.calls[e.call] : undefined;
        if (call !== undefined && call.ended !== null) late.add(`${call.text} ${call.result}`);
      },
    },
  );
  t.deepEqual([...late], ["close(3) "]);
});

test("a full recording has no call keep its stack, and another recording still has its lines", async (t) => {
  const kernel = await boot({ clock: "virtual" });
  const stacks: boolean[] = [];
  const one = new Recorder({ about: ABOUT, place: () => null, limit: 6 });
  const other = kernel.trace.keepstacks();
  const off = one.listen(kernel.trace);
  one.begin();
  const main = async (sys: Sys): Promise<void> => {
    for (let i = 0; i < 5; i++) await sys.stat("/tmp");
    stacks.push(kernel.trace.stacks);
    other();
    stacks.push(kernel.trace.stacks);
  };
  t.is(await kernel.spawn(main, ["main"]).wait(), "");
  off();
  other();
  t.deepEqual([...stacks, kernel.trace.stacks], [true, false, false]);
  t.true(one.recording.lost > 5);
  await kernel.shutdown();
});

test("a stack's text gives its places, whichever engine wrote it", (t) => {
  const text = [
    "Error: here",
    "    at open (file:///a/@b/sys.js:10:7)",
    "    at async file:///a/main.js:3:5",
    "main@blob:http://localhost/1-2:4:6",
    "    at <anonymous>",
  ].join("\n");
  t.deepEqual(
    textsites(text).map((s) => [s.getFileName(), s.getLineNumber(), s.getColumnNumber()]),
    [
      ["file:///a/@b/sys.js", 10, 7],
      ["file:///a/main.js", 3, 5],
      ["blob:http://localhost/1-2", 4, 6],
    ],
  );
});

test("a stack is taken as places without a text, and the host's own way to show stacks is left as it was", (t) => {
  const how: { prepareStackTrace?: unknown } = Error;
  const own = (): string => "own";
  const before = how.prepareStackTrace;
  how.prepareStackTrace = own;
  const [here] = callstack();
  const after = how.prepareStackTrace;
  how.prepareStackTrace = before;
  t.is(after, own);
  t.regex(here?.getFileName() ?? "", /recording\.test\.js$/);
});

/** The lines of a program that opens files through the library, and how many frames the recorder looked at for them. */
async function looked(found: (line: number) => ReturnType<Findplace>): Promise<[number[], number]> {
  let frames = 0;
  const place: Findplace = (stack) => {
    if (stack.length > 1) frames += stack.length;
    const site = stack.find((x) => x.getFileName()?.endsWith("recording.test.js"));
    return site === undefined ? null : found(site.getLineNumber() ?? 0);
  };
  const kernel = await boot();
  const rec = new Recorder({ about: ABOUT, place });
  const off = rec.listen(kernel.trace);
  rec.begin();
  await kernel
    .spawn(
      async (sys: Sys) => {
        for (let i = 0; i < 10; i++) await getpid(sys);
      },
      ["main"],
    )
    .wait();
  off();
  await kernel.shutdown();
  return [rec.recording.calls.map((c) => c.line?.line ?? 0), frames];
}

test("a recorder looks at no more of a stack where each answer about the program's place is a new object", async (t) => {
  const source = { name: "prog.ts", text: "" };
  const place = (line: number) => ({ source, line, column: 1 });
  const known = new Map<number, ReturnType<typeof place>>();
  const same = await looked((line) => {
    const p = known.get(line) ?? place(line);
    known.set(line, p);
    return p;
  });
  t.deepEqual(await looked(place), same);
  t.true(same[0].every((line) => line > 0));
});

test("a recording of version 1 opens: it knows who began and ended, and no descriptors", (t) => {
  const r = fromjson(readFileSync("test/recordings/version1.json", "utf8"));
  t.is(r.version, 2);
  const tape = new Tape(r);
  const frames = Array.from({ length: tape.length }, (_, s) => frameof(tape, s));
  t.false(frames.some((f) => f.procs.known || f.procs.pipes.length > 0));
  const most = frames
    .map((f) => f.procs.list.map((p) => p.pid))
    .toSorted((a, b) => b.length - a.length);
  t.deepEqual(most[0], [3, 4]);
  t.is(frames.at(-1)?.runspent.trips, 2);
  t.deepEqual(fromjson(tojson(r)), r);
});

test("of a read the recording has what it put into the buffer, and its text is made when it is asked for", async (t) => {
  const r = await recorded(async (sys) => {
    await put(sys, "/tmp/f", "hello");
    const fd = await sys.open("/tmp/f", OREAD);
    const buf = new Uint8Array(1000).fill(1);
    await sys.read(fd, buf);
    buf.fill(2);
    await sys.read(fd, buf);
    const dir = await sys.open("/", OREAD);
    await sys.read(dir, buf);
    buf.fill(3);
    const big = await sys.create("/tmp/big", ORDWR, 0o666);
    await sys.write(big, new Uint8Array(700).fill(0x61));
    await sys.pread(big, buf, 0);
    buf.fill(4);
  });
  const reads = r.calls.filter((c) => c.name === "read" || c.name === "pread");
  t.deepEqual(
    reads.map((c) => `${c.text} ${c.result.replace(/a+/, "a")}`),
    [
      'read(3, [1000]) 5 "hello"',
      "read(3, [1000]) 0",
      `read(4, [1000]) ${reads[2]?.result}`,
      'pread(5, [1000], 0) 700 "a"… (700)',
    ],
  );
  t.regex(reads[2]?.result ?? "", /^\d+ \(.*tmp.*\)$/);
  t.deepEqual(reads[0]?.args, [3, new TextEncoder().encode("hello")]);
  t.deepEqual(reads[3]?.args, [5, new Uint8Array(512).fill(0x61), 0]);
});

test("calls of a library function and of the program itself both have the program's line", async (t) => {
  const place = findplace();
  const r = await recorded(
    async (sys) => {
      await sys.stat("/tmp");
      await put(sys, "/tmp/f", "x");
      await sys.stat("/tmp");
    },
    { place },
  );
  t.true(r.calls.length > 4);
  const files = new Set(r.calls.map((c) => r.sources[c.line?.source ?? -1]?.name));
  t.deepEqual(files, new Set(["test/userland/recording.test.ts", "test/kit/kit.ts"]));
  const stats = r.calls.filter((c) => c.name === "stat").map((c) => c.line?.line ?? 0);
  t.is((stats[1] ?? 0) - (stats[0] ?? 0), 2);
});

test("a call has the line that made it, also where the program has put functions of its own in place of its calls", async (t) => {
  const k = await boot({ clock: "virtual" });
  const rec = new Recorder({ about: ABOUT, place: findplace() });
  rec.listen(k.trace);
  rec.begin();
  const main = async (its: Sys): Promise<void> => {
    const sys: { -readonly [K in keyof Sys]: Sys[K] } = its;
    const { open, stat } = sys;
    sys.open = () => Promise.reject(new Error("no more"));
    sys.stat = (name) => stat(name); // the wrapper's
    t.is(await failure(open("/no", OREAD)), "'/no' file does not exist"); // the kept one's
    await sys.stat("/tmp");
  };
  t.is(await k.spawn(main, ["main"]).wait(), "");
  await k.shutdown();
  const r = rec.recording;
  const lines = r.calls.map(({ line }) => {
    const text =
      line === null ? "" : (r.sources[line.source]?.text.split("\n")[line.line - 1] ?? "");
    return text.split(" // ")[1];
  });
  t.deepEqual(lines, ["the kept one's", "the wrapper's"]);
});

test("a stack is asked for as deep as the program was last, whatever object tells of its place", async (t) => {
  const k = await boot({ clock: "virtual" });
  const find = findplace();
  const place: Findplace = (stack) => {
    const found = find(stack);
    return found === null ? null : { ...found };
  };
  const rec = new Recorder({ about: ABOUT, place });
  rec.listen(k.trace);
  rec.begin();
  // Array.map is between the call and the program.
  const main = async (sys: Sys): Promise<unknown> => await Promise.all(["/", "/tmp"].map(sys.stat));
  await k.spawn(main, ["main"]).wait();
  t.is(k.trace.deep, 2);
  await k.shutdown();
});

test("a program that throws is recorded with the line that did", async (t) => {
  const k = await boot({ clock: "virtual" });
  const rec = new Recorder({ about: ABOUT, place: findplace() });
  rec.listen(k.trace);
  rec.begin();
  const p = k.spawn(async (sys: Sys) => {
    await sys.stat("/");
    throw new Error("oh");
  });
  await p.wait();
  await k.shutdown();
  const tape = new Tape(rec.recording);
  const crashes = Array.from({ length: tape.length }, (_, s) => frameof(tape, s)).filter(
    (f) => f.crash !== null,
  );
  t.is(crashes.length, 1);
  t.regex(crashes[0]?.crash?.source.find((s) => s.here)?.text ?? "", /throw new Error\("oh"\)/);
});
