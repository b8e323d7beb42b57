// What is known of the processes at a step: the tree, descriptors and what they share, pipes, waits, notes,
// groups, and the way of a request to a server of the same machine and back.

import test from "ava";
import {
  MREPL,
  NCONT,
  OCEXEC,
  ORDWR,
  OREAD,
  RFENVG,
  RFFDG,
  RFMEM,
  RFNAMEG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import { programfile } from "../../kernel/proc/exec.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/host/index.ts";
import { postmount } from "../../userland/lib/9p.ts";
import { newram } from "../../userland/lib/ram.ts";
import type { Recording } from "../../userland/view/record/recording.ts";
import { Tape, follow, markof } from "../../userland/view/step/tape.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import type { Frame } from "../../userland/view/step/frame.ts";
import { frametext } from "../../userland/view/step/frametext.ts";
import type { Pipe, Process } from "../../userland/view/step/procs.ts";
import { ABOUT, record } from "../kit/recorded.ts";

/** Of the run below. */
const TEXT = `change  descriptor 0 of process 2 is /dev/cons
change  descriptor 1 of process 2 is /dev/cons
change  descriptor 2 of process 2 is /dev/cons
change  process 2 is there
pipes   pipe 1: 2's fd 3 ↔ 2's fd 4  empty
change  descriptor 3 of process 2 is #|/data
change  descriptor 4 of process 2 is #|/data1
procs     2 (main)
procs     * 3 (main)
pipes   pipe 1: 2's fd 3, 3's fd 3 ↔ 2's fd 4, 3's fd 4  empty
change  process 3 is there
procs   * 2 (main)
procs       3 (main)
procs     2 (main)
procs     * 3 (main)
pipes   pipe 1: 2's fd 3 ↔ 2's fd 4, 3's fd 4  empty
change  descriptor 3 of process 3 is closed
procs   * 2 (main)
procs       3 (main)
pipes   pipe 1: 2's fd 3 ↔ 3's fd 4  empty
change  descriptor 4 of process 2 is closed
procs     2 (main)
procs     * 3 (main)
pipes   pipe 1: 3's fd 4 → 2's fd 3  2 bytes "hi"
pipes   pipe 1: 2's fd 3 → 3's fd 4  empty
change  2 bytes go into pipe 1: "hi"
procs   * 2 (main)
procs       3 (main)
pipes   pipe 1: 2's fd 3 ↔ 3's fd 4  empty
change  2 bytes are taken out of pipe 1
procs     2 (main)
procs     * 3 (main)
procs     2 (main)
procs     * 3 (main)  has ended: bye; its parent has not waited for it
pipes   pipe 1: no process → 2's fd 3  empty, nothing more comes
pipes   pipe 1: 2's fd 3 → no process  empty, nothing more comes
change  nothing more goes into pipe 1 for end 0
change  end 1 of pipe 1 is read no more
change  nothing more goes into pipe 1 for end 1
change  process 3 has ended
change  the end of process 3 is known to its parent
change  nothing more goes into pipe 1 for end 1
change  end 0 of pipe 1 is read no more
change  nothing more goes into pipe 1 for end 0
change  process 2 has ended`;

const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

type Program = (sys: Sys) => Promise<void>;

/** Records a program of one machine. */
async function run(main: Program, programs: Record<string, Program> = {}): Promise<Recording> {
  const k = await boot({ clock: "virtual", files: { tmp: {}, n: { ram: {} } } });
  for (const [name, program] of Object.entries(programs)) k.programs.set(name, program);
  const r = await record(k, main, { about: ABOUT });
  await k.shutdown();
  return r;
}

function framesof(r: Recording): Frame[] {
  const tape = new Tape(r);
  return Array.from({ length: tape.length }, (_, s) => frameof(tape, s));
}

/** The first frame of which this is true. */
function when(frames: readonly Frame[], fits: (f: Frame) => boolean): Frame {
  const f = frames.find(fits);
  if (f === undefined) throw new Error(`no such frame: ${frames.map((x) => x.line).join("\n")}`);
  return f;
}

function proc(f: Frame, pid: number): Process {
  const p = f.procs.list.find((x) => x.pid === pid);
  if (p === undefined) throw new Error(`there is no process ${pid}`);
  return p;
}

const fds = (p: Process): string[] => p.fds.map((d) => `${d.fd} ${d.path} ${d.offset}`);

test("descriptors made by open, dup and a child share one Chan and its offset; those of a second open do not", async (t) => {
  const frames = framesof(
    await run(async (sys) => {
      const fd = await sys.create("/tmp/f", ORDWR, 0o666);
      await sys.write(fd, bytes("hello world"));
      await sys.dup(fd, 9);
      await sys.open("/tmp/f", OREAD);
      await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        await child.seek(9, 2, 0);
        await child.close(fd);
      });
      await sys.wait();
    }),
  );
  const [first] = frames;
  t.deepEqual(fds(proc(first as Frame, (first as Frame).pid)), [
    "0 /dev/cons 0",
    "1 /dev/cons 0",
    "2 /dev/cons 0",
  ]);
  const main = (first as Frame).pid;
  const seek = when(frames, (f) => f.line.startsWith("seek(9, 2, 0) = 2"));
  const child = seek.pid;
  t.deepEqual(fds(proc(seek, main)).slice(3), ["3 /tmp/f 2", "4 /tmp/f 0", "9 /tmp/f 2"]);
  t.deepEqual(seek.procs.changes, [
    { what: "offset", chan: proc(seek, main).fds[3]?.chan ?? 0, path: "/tmp/f", from: 11, to: 2 },
  ]);
  t.deepEqual(proc(seek, main).fds[3]?.shared, [
    { pid: main, fd: 9 },
    { pid: child, fd: 3 },
    { pid: child, fd: 9 },
  ]);
  t.deepEqual(proc(seek, main).fds[4]?.shared, [{ pid: child, fd: 4 }]);
  t.is(proc(seek, child).parent, main);
  t.is(proc(seek, child).depth, proc(seek, main).depth + 1);
  const closed = when(frames, (f) => f.line === "close(3) returns");
  t.false(fds(proc(closed, child)).some((x) => x.startsWith("3 ")));
  t.true(fds(proc(closed, main)).some((x) => x.startsWith("3 ")));
  t.deepEqual(closed.procs.changes, [{ what: "fd", pids: [child], fd: 3, path: null }]);
  const ended = when(frames, (f) => f.type === "proc" && f.line === `process ${child} ends`);
  t.is(proc(ended, child).life, "ended");
  t.deepEqual(proc(ended, child).fds, []);
  t.false(frames.at(-1)?.procs.list.some((p) => p.pid === child) ?? true);
});

test("a pipe shows its bytes, who can read and write it, and for whom a read waits", async (t) => {
  const frames = framesof(
    await run(async (sys) => {
      const [a, b] = await sys.pipe();
      await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        const buf = new Uint8Array(3);
        await child.close(b);
        await child.read(a, buf);
        await child.read(a, buf);
        await child.read(a, buf);
      });
      await sys.close(a);
      await sys.sleep(10);
      await sys.write(b, bytes("hello"));
      await sys.sleep(10);
      await sys.close(b);
      await sys.wait();
    }),
  );
  const [{ pid: main } = { pid: 0 }] = frames;
  const pipeof = (f: Frame): Pipe => f.procs.pipes[0] as Pipe;
  const waits = when(frames, (f) => f.type === "sleep" && f.pid !== main);
  const child = waits.pid;
  t.like(proc(waits, child).waits[0], { for: "bytes", whom: [main], pipe: 1 });
  const wrote = when(frames, (f) => f.line.startsWith("write("));
  t.is(new TextDecoder().decode(pipeof(wrote).ways[0].bytes), "hello");
  t.is(pipeof(wrote).ways[0].waiting, 5);
  t.deepEqual(pipeof(wrote).ways[0].readers, [{ pid: child, fd: 3 }]);
  t.deepEqual(pipeof(wrote).ways[0].writers, [{ pid: main, fd: 4 }]);
  const read = when(frames, (f) => f.line.startsWith("read(3, [3]) = 3"));
  t.is(new TextDecoder().decode(pipeof(read).ways[0].bytes), "lo");
  const closed = when(frames, (f) => f.line === "close(4) returns" && f.pid === main);
  t.true(pipeof(closed).ways[0].hungup);
  t.deepEqual(pipeof(closed).ways[0].writers, []);
  const waiting = when(frames, (f) => f.type === "sleep" && f.line.endsWith("a child to end"));
  t.like(proc(waiting, main).waits[0], { for: "child", whom: [child] });
});

test("who holds the writing end of the pipe that it reads waits for itself", async (t) => {
  const frames = framesof(
    await run(async (sys) => {
      const [a] = await sys.pipe();
      await sys.notify(() => void sys.noted(NCONT));
      await sys.alarm(5);
      await sys.read(a, new Uint8Array(1)).catch(() => null);
    }),
  );
  const f = when(frames, (x) => x.type === "sleep");
  t.deepEqual(proc(f, f.pid).waits[0]?.whom, [f.pid]);
  const posted = when(frames, (x) => x.line.includes('gets the note "alarm"'));
  t.deepEqual(proc(posted, f.pid).notes, ["alarm"]);
  const handled = when(frames, (x) => x.line.includes('handles the note "alarm"'));
  t.is(proc(handled, f.pid).handling, "alarm");
  t.deepEqual(proc(handled, f.pid).notes, []);
  const over = when(frames, (x) => x.procs.changes.some((c) => c.what === "noted"));
  t.is(proc(over, f.pid).handling, null);
});

test("rfork says which groups are shared: a bind changes the name space of those in the group, and of no other", async (t) => {
  const frames = framesof(
    await run(async (sys) => {
      await sys.rfork(RFPROC | RFMEM, async (child: Sys) => {
        await child.bind("/tmp", "/n/ram", MREPL);
        await child.rfork(RFNAMEG | RFENVG);
        await child.bind("/dev", "/n/ram", MREPL);
      });
      await sys.wait();
    }),
  );
  const [{ pid: main } = { pid: 0 }] = frames;
  const binds = frames.filter((f) => f.line.startsWith("bind(") && f.line.includes("="));
  const [shared, own] = [binds[0] as Frame, binds[1] as Frame];
  const child = shared.pid;
  t.deepEqual(proc(shared, child).groups.names.with, [main]);
  t.is(proc(shared, child).space, proc(shared, main).space);
  t.deepEqual(proc(own, child).groups.names.with, []);
  t.not(proc(own, child).space, proc(own, main).space);
  const mounts = frames.flatMap((f) => f.procs.changes.filter((c) => c.what === "mount"));
  t.deepEqual(
    mounts.map((c) => c.pids),
    [[main, child], [child]],
  );
  const forked = when(frames, (f) => f.procs.changes.some((c) => c.what === "groups"));
  t.deepEqual(
    forked.procs.changes.find((c) => c.what === "groups"),
    { what: "groups", pid: child, groups: ["names", "env"] },
  );
});

test("exec makes another program of a process, and closes what OCEXEC says; variables are those of the group", async (t) => {
  const frames = framesof(
    await run(
      async (sys) => {
        const other = await sys.create("/tmp/other", ORDWR, 0o777);
        await sys.write(other, programfile("other"));
        await sys.close(other);
        const fd = await sys.create("#e/x", ORDWR, 0o666);
        await sys.write(fd, bytes("one"));
        await sys.open("/tmp", OREAD | OCEXEC);
        await sys.chdir("/tmp");
        await sys.rfork(RFPROC | RFFDG | RFENVG, async (child: Sys) => {
          await child.pwrite(fd, bytes("two"), 0);
          await child.exec("/tmp/other", ["other"]);
        });
        await sys.wait();
      },
      { other: async (sys) => await sys.sleep(1) },
    ),
  );
  const [{ pid: main } = { pid: 0 }] = frames;
  const f = when(frames, (x) => x.line.startsWith("sleep("));
  const value = (p: Process): string =>
    new TextDecoder().decode(p.env.find((v) => v.name === "x")?.value);
  t.is(proc(f, f.pid).text, "other");
  const before = when(frames, (x) => x.line.startsWith("pwrite("));
  t.is(before.process, proc(f, main).text, "an exec that comes later has not named it yet");
  t.is(f.process, "other");
  t.is(proc(f, f.pid).dot, "/tmp");
  t.deepEqual([value(proc(f, main)), value(proc(f, f.pid))], ["one", "two"]);
  t.deepEqual(
    proc(f, f.pid).fds.map((d) => d.fd),
    [0, 1, 2, 3],
  );
  t.true(proc(f, main).fds.some((d) => d.fd === 4 && d.cexec));
});

/** A program that serves a ramfs to itself. */
const served: Program = async (sys) => {
  await postmount(sys, (s) => newram(s, { user: "glenda", perm: 0o777 }), { mtpt: "/n/ram" });
  await sys.close(await sys.create("/n/ram/f", ORDWR, 0o666));
};

test("a server's reads and writes are the messages that they are, and a request is followed there and back", async (t) => {
  const tape = new Tape(await run(served));
  const frames = framesof(tape.recording);
  const sent = when(frames, (f) => f.line.startsWith("→ Tcreate"));
  const [client] = [sent.pid];
  const way: Frame[] = [];
  for (let s = sent.step; s >= 0; s = follow(tape, s)) way.push(frames[s] as Frame);
  t.deepEqual(
    way.map((f) => f.line.replace(/^(read|write)\(\d+\) = \d+/, "$1")),
    [
      "→ Tcreate 1 f ORDWR|OTRUNC",
      "read: Twalk 0 → 1, Tcreate 1 f ORDWR|OTRUNC",
      "write: Rwalk 0 qids, Rcreate",
      "← Rwalk 0 qids",
    ],
  );
  t.deepEqual(
    way.map((f) => f.pid === client),
    [true, false, false, true],
  );
  const back: number[] = [];
  for (let s = way.at(-1)?.step ?? -1; s >= 0; s = follow(tape, s, true)) back.push(s);
  t.deepEqual(
    back.map((s) => frames[s]?.line.slice(0, 6)),
    ["← Rwal", "write(", "read(3", "→ Twal"],
  );
  t.is(way[1]?.served[1]?.pid, client);
  const own = proc(way[1] as Frame, client).waits;
  t.like(own[0], { for: "reply", servers: ["process 3 (main)"] });
});

test("breakpoints: a process, a descriptor and what makes it another file", async (t) => {
  const tape = new Tape(await run(served));
  const steps = (text: string): Frame[] =>
    [...(markof(tape, text)?.steps ?? [])].map((s) => frameof(tape, s));
  const { pid } = frameof(tape, 0);
  t.true(steps(`pid ${pid}`).length > 9);
  t.true(steps(`pid ${pid}`).every((f) => f.pid === pid));
  t.is(steps("pid 99").length, 0);
  t.deepEqual(
    steps("fd 4").map((f) => f.line.replace(/, "\/n.*?\)/, ")")),
    ["pipe() = [3, 4]", "close(4) returns", "mount(4, -1)", "mount(4, -1) = 8"],
  );
  t.is(markof(tape, "pid x"), null);
});

test("the processes of a run as text: who is there, what waits, what each step changed", async (t) => {
  const tape = new Tape(
    await run(async (sys) => {
      const [a, b] = await sys.pipe();
      await sys.rfork(RFPROC | RFFDG, async (child: Sys) => {
        await child.close(a);
        await child.write(b, bytes("hi"));
        await child.exits("bye");
      });
      await sys.close(b);
      await sys.read(a, new Uint8Array(9));
      await sys.wait();
    }),
  );
  const lines: string[] = [];
  for (let s = 0; s < tape.length; s++)
    for (const line of frametext(frameof(tape, s), s === 0 ? null : frameof(tape, s - 1)))
      if (/^ {4}(?:change|procs|pipes) /.test(line)) lines.push(line.trim());
  t.is(lines.join("\n"), TEXT);
  t.is(
    tape.next(0, "failure"),
    tape.stepof(tape.recording.events.findIndex((e) => e.type === "proc" && e.what === "exit")),
  );
});
