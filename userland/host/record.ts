// A run that is recorded: the program on the machines that the options ask for, mounts made first, and
// everything that it does taken down. What reads the recording is elsewhere.

import type { Booted } from "../../kernel/boot.ts";
import type { Tty } from "../../kernel/proc/tty.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import { Hearing, Recorder } from "../view/record/recorder.ts";
import type { Recordopts } from "../view/record/recorder.ts";
import { injections } from "../boot/injections.ts";
import type { About, Recording } from "../view/record/recording.ts";
import type { Given } from "./command.ts";
import { mounted } from "../boot/mounts.ts";
import { Mistakes } from "../boot/witness.ts";
import { mountof } from "./mounts.ts";
import { findplace } from "./place.ts";
import { limitsof } from "./vmload.ts";
import { HERE } from "../boot/simhost.ts";
import { bootgiven, seedof } from "./simrun.ts";
import { watch } from "./watch.ts";
import { Watchdog } from "./watchdog.ts";

/** What is run: the program, its arguments, and what the person typed. */
export type What = {
  readonly main: Program;
  readonly argv: readonly string[];
  readonly program: string;
  /** The program's file, where it is one of the host's. */
  readonly file?: string;
};

/** How a run is recorded; see Recordopts. `clock` is what it is when the options do not say. */
export type How = Pick<Recordopts, "snap" | "limit" | "tell" | "place"> & {
  readonly tty?: Tty;
  readonly clock?: "virtual" | "real";
  readonly namespace?: "names" | "standard";
};

/** How a run is made, for those who read of it. */
export function aboutof(given: Given, kernel: Booted, program: string): About {
  return {
    program,
    namespace: kernel.config.namespace,
    clock: kernel.config.virtual ? "virtual" : "real",
    seed: seedof(given),
    machine: HERE,
    hosts: given.all("host").map(([text = ""]) => text),
    ...(given.has("inject") && { inject: given.all("inject").map(([text = ""]) => text) }),
  };
}

/** A recording with what --inject did, where it did something. */
function withinjections(r: Recording): Recording {
  return r.about.inject === undefined ? r : { ...r, injected: injections(r) };
}

/** Runs a program to its end and records it; `status` is what the host's process should end with. */
export async function recordrun(
  given: Given,
  what: What,
  how: How = {},
): Promise<{ readonly recording: Recording; readonly status: number }> {
  const mounts = given.all("mount").map(mountof);
  const user = given.get("user");
  const here = await bootgiven(given, {
    limits: limitsof(given),
    ...(user !== undefined && { user }),
    ...(how.tty !== undefined && { tty: how.tty }),
    ...(how.clock !== undefined && { clock: how.clock }),
    ...(how.namespace !== undefined && { namespace: how.namespace }),
  });
  const { kernel } = here;
  const dog = Watchdog.begin(true);
  const { snap, limit, tell } = how;
  const rec = new Recorder({
    about: aboutof(given, kernel, what.program),
    place: how.place ?? findplace(),
    ...(snap !== undefined && { snap }),
    ...(limit !== undefined && { limit }),
    ...(tell !== undefined && { tell }),
  });
  const off = rec.listen(kernel.trace);
  try {
    const like = await mounted(kernel, [...here.mounts, ...mounts]);
    rec.begin(like === null ? [] : [like.pid]);
    here.faults.begin();
    await dog?.arm();
    if (what.file !== undefined) kernel.witness = new Mistakes();
    const p = kernel.spawn(what.main, what.argv, {
      tty: new Hearing(kernel.config.tty, (to, text) => rec.said(to, text)),
      ...(like !== null && { like }),
    });
    like?.kill();
    const { file } = what;
    const status = await watch(kernel, p, {
      dog,
      keeps: true,
      ...(file !== undefined && { file }),
    });
    return { recording: withinjections(rec.recording), status };
  } finally {
    off();
    here.faults.end();
    // A kernel whose program was broken off runs no more; what was recorded is whole.
    await Promise.race([here.shutdown(), later(PATIENCE)]);
  }
}

/** How long a kernel may take to end behind its program (ms). */
const PATIENCE = 1000;

function later(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}
