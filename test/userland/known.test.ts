// A recording that begins late: what was there before it is told to it.

import test from "ava";
import type { Sys } from "../../syscalls/sys.ts";
import { boothosts } from "../../userland/boot/hosts.ts";
import { HERE, hostof } from "../../userland/boot/simhost.ts";
import { mounted } from "../../userland/boot/mounts.ts";
import { Known, Recorder } from "../../userland/view/record/recorder.ts";
import { Tape } from "../../userland/view/step/tape.ts";
import { frameof } from "../../userland/view/step/frame.ts";

const about = {
  program: "late",
  namespace: "names",
  clock: "virtual",
  seed: 0,
  machine: HERE,
  hosts: [],
} as const;

/** Boots with a machine far, and records what a program does after it has told of itself. */
async function late(known: boolean): Promise<Recorder> {
  const here = await boothosts({ clock: "virtual" }, { hosts: [hostof("far:rtt=50ms")], seed: 0 });
  const k = new Known();
  k.listen(here.kernel.trace);
  const like = await mounted(here.kernel, here.mounts);
  const recorder = new Recorder({ about });
  const main = async (sys: Sys): Promise<void> => {
    await sys.stat("/n/far");
    // From here on the program is recorded.
    if (known) k.tell(recorder);
    recorder.begin();
    recorder.listen(here.kernel.trace);
    await sys.stat("/n/far");
  };
  const p = here.kernel.spawn(main, ["late"], like === null ? {} : { like });
  like?.kill();
  await p.wait();
  await here.shutdown();
  return recorder;
}

test("a recording that begins late knows processes, and connections with their roots", async (t) => {
  const { recording } = await late(true);
  t.true(recording.procs.some((p) => p.text === "late"));
  t.like(recording.conns[0], { peer: "far!564" });
  t.is(recording.conns[0]?.roots.length, 1);
  // Each answer has its request, though an attach with the same tag went before.
  const answers = recording.events.filter((e) => e.type === "receive");
  t.true(answers.length > 0);
  t.true(answers.every((e) => e.of >= 0));
  const tape = new Tape(recording);
  for (let i = 0; i < tape.length; i++) t.notThrows(() => frameof(tape, i));
});

test("without that it knows the processes, which it asks the kernel for, and no connection", async (t) => {
  const { recording } = await late(false);
  t.true(recording.procs.some((p) => p.text === "late"));
  t.deepEqual(recording.conns, []);
});
