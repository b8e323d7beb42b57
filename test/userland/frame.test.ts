// What is seen at a step: golden frames under virtual time, the names, the tree, the messages on their way,
// and the screens that the terminal makes of it.

import { readFileSync } from "node:fs";
import test from "ava";
import {
  DMDIR,
  MAFTER,
  MCACHE,
  MCREATE,
  MREPL,
  OREAD,
  OWRITE,
  PNPROC,
  RFPROC,
} from "../../kernel/abi/const.ts";
import { Twrite } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { fitted, width } from "../../userland/host/ansi.ts";
import { Stepper } from "../../userland/host/stepper.ts";
import { dial } from "../../userland/lib/dial.ts";
import { postnote } from "../../userland/lib/proc.ts";
import { barof, frametext, looktext, rowtext } from "../../userland/view/step/frametext.ts";
import { eventtext } from "../../userland/view/words/eventtext.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import type { Frame } from "../../userland/view/step/frame.ts";
import { cleanname, rows } from "../../userland/view/step/names.ts";
import type { Recording } from "../../userland/view/record/recording.ts";
import { Tape } from "../../userland/view/step/tape.ts";
import { decision } from "../../userland/view/words/why.ts";
import { failure, mountram, put } from "../kit/kit.ts";
import { recorded } from "../kit/recorded.ts";

async function scene(sys: Sys): Promise<void> {
  await sys.close(await sys.create("/n/far/a", OREAD, DMDIR | 0o777));
  await put(sys, "/n/far/a/b", "hello\n");
  await sys.bind("/n/far/a", "/tmp", MAFTER);
  await sys.sleep(1000);
  await sys.stat("/tmp/b");
  await failure(sys.open("/n/far/a/x/y", OREAD));
  await sys.bind("/n/far/a", "/n", MREPL);
}

/** The frames of the call whose text begins so. */
function framesof(tape: Tape, text: string): Frame[] {
  const call = tape.recording.calls.find((c) => c.text.startsWith(text));
  const frames = Array.from({ length: tape.length }, (_, s) => frameof(tape, s));
  return frames.filter((f) => f.call !== null && f.call.id === call?.id);
}

/** Each different state of a call's names, one after another. */
function looks(r: Recording, text: string): string[] {
  const all = framesof(new Tape(r), text).map((f) => f.names.map(looktext).join("; "));
  return all.filter((x, i) => x !== all[i - 1]);
}

/** Without the sentences, which are why.ts's. */
function printed(frames: readonly Frame[]): string {
  const lines = frames.flatMap((f, i) => frametext(f, frames[i - 1] ?? null));
  return lines.filter((line) => !/^ {4}(what|why) /.test(line)).join("\n");
}

const GOLDEN = `41/77  1.20 s  2 main  stat("/tmp/b")
    call    stat("/tmp/b")
    name    / [tmp] b
    tree    * /  #R MCREATE  (dev env fd net proc srv)
    tree        n
    tree          far  far!564 MCREATE
    tree        tmp  union: /tmp, /n/far/a (far!564)
    tree          b
42/77  1.20 s  2 main  /tmp is a union of 2: b from there
    name    / tmp [b]
    tree    * /  #R MCREATE  (dev env fd net proc srv)
    tree        n
    tree          far  far!564 MCREATE
    tree      * tmp  union: /tmp ?, /n/far/a (far!564) ?
    tree          b
43/77  1.20 s  2 main  asks member 2 at once
44/77  1.20 s  2 main  → Twalk 1 → 2 b
    tree    * /  #R MCREATE  (dev env fd net proc srv)
    tree        n
    tree          far  far!564 MCREATE
    tree      * tmp  union: /tmp ?, /n/far/a (far!564) ?
    tree        * b
    flying  far!564  Twalk 1 → 2 b  on its way there, sent 0 ns ago
    cost    0 round trips, 1 message, 20 bytes, 0 ns
45/77  1.20 s  2 main  → Tstat 2
    flying  far!564  Twalk 1 → 2 b  on its way there, sent 0 ns ago
    flying  far!564  Tstat 2  on its way there, sent 0 ns ago
    cost    0 round trips, 2 messages, 31 bytes, 0 ns
46/77  1.20 s  2 main  → Tclunk 2
    flying  far!564  Twalk 1 → 2 b  on its way there, sent 0 ns ago
    flying  far!564  Tstat 2  on its way there, sent 0 ns ago
    flying  far!564  Tclunk 2  on its way there, sent 0 ns ago
    cost    0 round trips, 3 messages, 42 bytes, 0 ns
47/77  1.20 s  2 main  there is no b
48/77  1.20 s  2 main  member 1 has no b: file does not exist
    tree    * /  #R MCREATE  (dev env fd net proc srv)
    tree        n
    tree          far  far!564 MCREATE
    tree      * tmp  union: /tmp ✗, /n/far/a (far!564) ?
    tree        * b
49/77  1.25 s  2 main  ← Rwalk 1 qid
    flying  far!564  Tstat 2  its answer has come and is read next, sent 50.00 ms ago
    flying  far!564  Tclunk 2  its answer has come and is read next, sent 50.00 ms ago
    cost    1 round trip, 4 messages, 64 bytes, 50.00 ms
50/77  1.25 s  2 main  ← Rstat b, 6 bytes
    flying  far!564  Tclunk 2  its answer has come and is read next, sent 50.00 ms ago
    cost    1 round trip, 5 messages, 141 bytes, 50.00 ms
51/77  1.25 s  2 main  ← Rclunk
    cost    1 round trip, 6 messages, 148 bytes, 50.00 ms
52/77  1.25 s  2 main  member 2 has b
    name    / tmp b    member 2
    tree    * /  #R MCREATE  (dev env fd net proc srv)
    tree        n
    tree          far  far!564 MCREATE
    tree      * tmp  union: /tmp ✗, /n/far/a (far!564) ✓
    tree        * b
53/77  1.25 s  2 main  stat("/tmp/b") = --rw-rw-rw- glenda glenda 6 b`;

test("the frames of a union's stat as text", async (t) => {
  const frames = framesof(new Tape(await recorded(scene)), "stat");
  t.is(printed(frames), GOLDEN);
});

test("a frame's sentences are the decision at its event", async (t) => {
  const tape = new Tape(await recorded(scene));
  for (const f of framesof(tape, "open")) t.like(f, decision(tape.recording, f.event));
});

test("of names, the mount table has the first elements and the server is asked for the rest", async (t) => {
  const r = await recorded(scene);
  t.deepEqual(looks(r, "open"), [
    "/ [n] far a x y",
    "/ n far [a] x y",
    "/ n far [a] x y    far!564",
    "/ n far a [x!] y    far!564",
  ]);
  const last = framesof(new Tape(r), "open").at(-1)?.names[0];
  t.deepEqual(
    last?.elems.map((e) => e.by),
    ["the mount table", "the mount table", "far!564", "far!564", ""],
  );
  t.deepEqual(looks(r, 'bind("/n/far/a", "/n"'), [
    "/ [n] far a; / [n]",
    "/ n far [a]; / [n]",
    "/ n far [a]    far!564; / [n]",
    "/ n far a    far!564; / [n]",
    "/ n far a    far!564; / n    the kernel",
  ]);
});

test("of standard, the directories on the way are walked in the kernel", async (t) => {
  const r = await recorded(scene, { namespace: "standard" });
  const last = framesof(new Tape(r), "open").at(-1)?.names[0];
  t.deepEqual(
    last?.elems.map((e) => e.by),
    ["the kernel", "the kernel", "far!564", "far!564", ""],
  );
  t.deepEqual(looks(r, "stat"), ["/ [tmp] b", "/ tmp [b]", "/ tmp b    member 2"]);
});

test("a walk that goes on from another, or from what a cache knows, is at its own element", async (t) => {
  const r = await recorded(async (sys) => {
    const fd = await dial(sys, "tcp!far!9fs");
    await sys.mount(fd, -1, "/tmp", MREPL | MCREATE | MCACHE, "");
    await sys.close(await sys.create("/tmp/a", OREAD, DMDIR | 0o777));
    await put(sys, "/tmp/a/b", "hello\n");
    await sys.stat("/tmp/a/b");
    await sys.stat("/tmp/a/./b");
  });
  t.deepEqual(looks(r, 'stat("/tmp/a/b")'), [
    "/ [tmp] a b",
    "/ tmp [a] b",
    "/ tmp [a] b    far!564",
    "/ tmp a [b]    far!564",
    "/ tmp a b    far!564",
  ]);
  const cached = framesof(new Tape(r), 'stat("/tmp/a/./b")').at(-1)?.names[0];
  t.deepEqual(
    cached?.elems.map((e) => e.by),
    ["the mount table", "the cache", "far!564"],
  );
});

test("a message's bar is behind it up to the step's time, and ahead as far as the recording knows", async (t) => {
  const tape = new Tape(await recorded(scene));
  const frame = framesof(tape, "stat").find((f) => f.flying.length === 3);
  const [walk] = frame?.flying ?? [];
  if (frame === undefined || walk === undefined) return t.fail("nothing is in flight");
  const bars = (now: number): string => {
    const at = { ...frame.axis, now: frame.axis.from + now * 1e6 };
    const stage = now < 25 ? "going" : now < 50 ? "coming" : "arrived";
    const { before, behind, head, ahead } = barof({ ...walk, stage }, at, 21);
    return `${before}${behind}(${head})${ahead}`;
  };
  t.is(bars(0), "(>)·········◆·········┤");
  t.is(bars(10), "├───(>)·····◆·········┤");
  t.is(bars(30), "├─────────◆─(<)·······┤");
  t.is(bars(50), "├─────────◆─────────(┤)");
});

test("a message of which the recording has not all data says how much it was", async (t) => {
  const r = await recorded((sys) => put(sys, "/n/far/f", "x".repeat(1000)), { snap: 100 });
  const sent = r.events.findIndex((e) => e.type === "send" && e.fcall.type === Twrite);
  t.regex(eventtext(r, sent), /^→ Twrite 1 at 0 "x{32}"… \(1000\)$/);
});

test("a name is cleaned from dot; one of a device stays with it", (t) => {
  t.is(cleanname("../b//./c", "/n/far/a"), "/n/far/b/c");
  t.is(cleanname("/../x", "/n"), "/x");
  t.is(cleanname("/", "/n"), "/");
  t.is(cleanname("#s/x/..", "/n"), "#s");
  t.is(cleanname("#s/../x", "/n"), "#s/x");
});

test("a recording that was full is stepped through as far as it goes, and one of nothing says so", async (t) => {
  const tape = new Tape(await recorded(scene, { limit: 60 }));
  t.true(tape.recording.lost > 0);
  const last = frameof(tape, tape.length - 1);
  t.false(last.call?.returned);
  t.deepEqual([last.event, last.call?.ended], [59, null]);
  const none = new Stepper(new Tape(await recorded(scene, { limit: 0 })));
  for (const key of ["right", "G", "f", "m", "v"]) none.key(key);
  t.is(none.step, 0);
  const [first] = none.draw({ columns: 80, rows: 24 });
  t.is(first?.[0]?.text, "The recording has no steps.");
});

test("every screen fits, at each step and size; too small a terminal is told the least", async (t) => {
  const tape = new Tape(await recorded(scene));
  const stepper = new Stepper(tape);
  for (const size of [
    [40, 12],
    [60, 16],
    [80, 24],
    [99, 30],
    [100, 30],
    [200, 70],
  ] as const) {
    const [columns, height] = size;
    stepper.key("g");
    for (let s = 0; s < tape.length; s++) {
      const lines = stepper.draw({ columns, rows: height });
      t.is(lines.length, height);
      for (const line of lines)
        t.is(
          width(
            fitted(line, columns)
              .map((p) => p.text)
              .join(""),
          ),
          columns,
        );
      t.regex(
        lines[0]?.map((p) => p.text).join("") ?? "",
        RegExp(`step ${s + 1} of ${tape.length} `),
      );
      stepper.key("right");
    }
  }
  const text = (columns: number): string =>
    stepper
      .draw({ columns, rows: 16 })
      .flat()
      .map((p) => p.text)
      .join("|");
  t.is(text(39), "namec step needs 40x12|this is 39x16");
});

test("a call that is longer than its panel goes on in the next line", async (t) => {
  const stepper = new Stepper(new Tape(await recorded(scene)));
  stepper.key("f");
  const lines = stepper.draw({ columns: 100, rows: 30 }).map((l) => l.map((p) => p.text).join(""));
  const at = lines.findIndex((l) => l.startsWith('open("/n/far/a/x/y", OREAD) = -1: '));
  t.regex(lines[at]?.slice(0, 55) ?? "", /-1: '\/n\/far\/a\/x' does not *$/);
  t.regex(lines[at + 1] ?? "", /^exist /);
});

test("a mount whose server has gone says so, from that moment on", async (t) => {
  const r = await recorded(async (sys) => {
    const server = await mountram(sys, "/tmp");
    await sys.stat("/tmp");
    await postnote(sys, PNPROC, server, "kill");
    await sys.sleep(100);
    await failure(sys.stat("/tmp/x"));
  });
  const of = (call: string): string[] =>
    framesof(new Tape(r), call).map(
      (f) =>
        rows(f.tree)
          .map(rowtext)
          .find((line) => line.includes(" tmp ")) ?? "",
    );
  t.regex(of('stat("/tmp")').at(-1) ?? "", / tmp {2}process 3 \(main\) MCREATE$/);
  t.regex(of('stat("/tmp/x")').at(-1) ?? "", / tmp {2}process 3 \(main\) MCREATE \(hung up\)$/);
});

test("a frame shows at most so many of what is in flight, its own first, and how many more there are", async (t) => {
  const r = await recorded(async (sys) => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => failure(sys.stat(`/n/far/f${i}`))));
  });
  const tape = new Tape(r);
  let most = 0;
  for (let s = 0; s < tape.length; s++) {
    const f = frameof(tape, s, { messages: 8 });
    most = Math.max(most, f.inflight);
    t.is(f.flying.length, Math.min(8, f.inflight));
    t.deepEqual(
      f.flying.map((m) => m.send),
      f.flying.map((m) => m.send).toSorted((a, b) => a - b),
    );
    if (f.type === "send") t.is(f.flying.filter((m) => m.now).length, 1);
    const flying = frametext(f, null).filter((line) => line.startsWith("    flying"));
    t.is(flying.length, f.inflight > 8 ? 9 : f.inflight);
    if (f.inflight > 8) t.is(flying.at(-1), `    flying  and ${f.inflight - 8} more in flight`);
  }
  t.true(most >= 40);
});

test("of many mount points a printed frame lists those of the name, of the others the first, and how many more", async (t) => {
  const r = await recorded(async (sys) => {
    for (let i = 0; i < 100; i++)
      await sys.close(await sys.create(`/tmp/d${i}`, OREAD, DMDIR | 0o777));
    for (let i = 0; i < 100; i++) await sys.bind("/n/far", `/tmp/d${i}`, MREPL);
    for (let i = 0; i < 20; i++) await sys.bind("/n/far", "/n", MAFTER);
    await failure(sys.stat("/tmp/d99/x"));
  });
  const tape = new Tape(r);
  const [frame] = framesof(tape, 'stat("/tmp/d99/x")').slice(-1);
  if (frame === undefined) return t.fail();
  const tree = frametext(frame, null).filter((line) => line.startsWith("    tree"));
  t.is(tree.length, 65);
  t.true(tree.some((line) => /\* +d99 /.test(line)));
  t.regex(tree.at(-1) ?? "", /^ {4}tree {4}and \d+ more$/);
  t.regex(tree.find((line) => line.includes("union")) ?? "", /, and 5 more$/);
});

/** The screen of a stepper as text. */
const screen = (stepper: Stepper, columns = 80, rows = 24): string =>
  stepper
    .draw({ columns, rows })
    .map((line) =>
      fitted(line, columns)
        .map((p) => p.text)
        .join("")
        .trimEnd(),
    )
    .join("\n");

test("how such a step works is a sheet of its own, which any key leaves", async (t) => {
  const stepper = new Stepper(new Tape(await recorded(scene)));
  stepper.key("c");
  stepper.key("e");
  t.regex(
    screen(stepper),
    /^Process \d+ .* calls .*\n\n\w+ (makes|takes|asks|sets|puts|says|gives|changes)/,
  );
  stepper.key("q");
  t.notRegex(screen(stepper), /^Process \d+ .* calls/);
});

test("panes are chosen, scrolled within what there is, and shown alone; the words of the screen have their meanings", async (t) => {
  const glossary = (): string => readFileSync("docs/glossary.md", "utf8");
  const stepper = new Stepper(new Tape(await recorded(scene)), glossary);
  const press = (...keys: string[]): string => {
    for (const key of keys) stepper.key(key);
    return screen(stepper);
  };
  press("d");
  t.regex(screen(stepper), /no pane is chosen; Tab does/);
  t.regex(press("tab"), /call: d u scroll/);
  for (let i = 0; i < 6; i++) press("tab");
  t.regex(screen(stepper), /output: d u scroll/);
  t.regex(press("tab"), /no pane is chosen/);
  press("m");
  const alone = press("z");
  t.regex(alone, /── messages/);
  t.notRegex(alone, /── decision/);
  t.is(press("u", "u", "u", "d", "d", "d", "u", "u", "u"), press("u"));
  t.regex(press("z"), /── decision/);
  t.regex(press("w"), /^fid: the number by which/m);
  t.regex(press("down"), /↓ ↑ scroll/);
  t.regex(press("x"), /── decision/);
  t.regex(press("?"), /follow a request/);
  t.notRegex(screen(stepper, 40, 12), /\bquit\b.*\n.*\bquit\b/);
  for (let i = 0; i < 9; i++) {
    stepper.key("pagedown");
    screen(stepper, 80, 12);
  }
  t.regex(screen(stepper, 80, 12), /q {2}Ctrl-C +quit/);
  press("x");
  t.regex(press("v"), /◀─ the reply is here/);
});

test("the place of a call is its file's name and line, without the path", async (t) => {
  const source = { name: "a/directory/of/many/letters/prog.ts", text: "x\n".repeat(9) };
  const r = await recorded(scene, { place: () => ({ source, line: 3, column: 1 }) });
  const stepper = new Stepper(new Tape(r));
  stepper.key("c");
  t.true(screen(stepper, 80, 24).includes("\nclose(3)   prog.ts:3\n"));
  t.true(screen(stepper, 40, 24).includes("\nclose(3)   prog.ts:3\n"));
});

test("of a long name the element in question is seen, and what is said of it", async (t) => {
  const long = "a-very-long-name-".repeat(6);
  const r = await recorded(async (sys) => {
    await sys.close(await sys.create(`/tmp/${long}`, OREAD, DMDIR | 0o777));
    await sys.close(await sys.create(`/tmp/${long}/file`, OWRITE, 0o666));
    await failure(sys.stat(`/tmp/${long}/none`));
    await failure(sys.stat(`/tmp/${long}/file/x`));
  });
  const stepper = new Stepper(new Tape(r));
  const seen = (columns: number, rows: number, text: string): boolean => {
    for (let step = 0; step < 100; step++) {
      stepper.step = step;
      if (screen(stepper, columns, rows).includes(text)) return true;
    }
    return false;
  };
  t.true(seen(40, 12, "/tmp/a-very-lo…/[none]   is missing"));
  t.true(seen(80, 24, "file is there and is a file, so there is no x in it.\nLeave out /x"));
});

test("a process that waits says for what in the pane of processes, and one that does not says that it runs", async (t) => {
  const r = await recorded(async (sys) => {
    const child = await sys.rfork(RFPROC, async (c: Sys) => {
      await c.sleep(10);
    });
    if (child > 0) await sys.wait();
  });
  const stepper = new Stepper(new Tape(r));
  const lines = new Set<string>();
  for (let step = 0; step < 60; step++) {
    stepper.step = step;
    for (const line of screen(stepper, 100, 60).split("\n"))
      for (const [, state = ""] of line.matchAll(/[ *] 3 \(main\) {2}(.*)$/g)) lines.add(state);
  }
  t.deepEqual([...lines], ["runs", "sleeps", "has ended; its parent"]);
});

test("the diagram of the messages says whose its first lifeline is, by the machine's name", async (t) => {
  const stepper = new Stepper(new Tape(await recorded(scene)));
  stepper.key("v");
  t.true(screen(stepper, 100, 24).includes("│ here, this machine  ┊ a server"));
});
