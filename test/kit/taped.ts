// Programs with questions, recorded as `namec step` records them.

import { parse } from "../../userland/host/command.ts";
import { aboutof } from "../../userland/host/record.ts";
import { bootgiven } from "../../userland/host/simrun.ts";
import { injections } from "../../userland/boot/injections.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import { mounted } from "../../userland/boot/mounts.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { step } from "../../userland/host/step.ts";
import { Tape } from "../../userland/view/step/tape.ts";
import type { Asked } from "./tenprograms.ts";

/** How often nothing may have moved before a run counts as stuck. */
const STILL = 100;

/** Runs until the process has ended, or until nothing can run any more. */
async function finished({ sched, clock }: Kernel, end: Promise<unknown>): Promise<void> {
  let over = false;
  const ended = end.finally(() => (over = true));
  for (let still = 0, resumed = -1; !over && still < STILL;) {
    await Promise.race([ended, new Promise<void>((done) => sched.atidle(done))]);
    await new Promise((done) => setImmediate(done));
    still = sched.resumed !== resumed || clock.timers.size > 0 ? 0 : still + 1;
    resumed = sched.resumed;
  }
}

/** Records a program as `namec step` does, to its end or until it is stuck. */
export async function taped({ options, main }: Asked): Promise<Tape> {
  const given = parse(step, [...options, "main"]);
  const here = await bootgiven(given, { clock: "virtual" });
  const { kernel } = here;
  const rec = new Recorder({ about: aboutof(given, kernel, "main") });
  const off = rec.listen(kernel.trace);
  const like = await mounted(kernel, here.mounts);
  rec.begin(like === null ? [] : [like.pid]);
  here.faults.begin();
  const p = kernel.spawn(main, ["main"], like === null ? {} : { like });
  like?.kill();
  const end = p.wait();
  await finished(kernel, end);
  p.kill();
  await end;
  off();
  here.faults.end();
  await here.shutdown();
  if (p.crash !== undefined) throw p.crash;
  return new Tape({ ...rec.recording, injected: injections(rec.recording) });
}
