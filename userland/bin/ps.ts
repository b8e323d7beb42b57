// ps: lists processes: user, number, time in the program and in the kernel, size, state, program;
// -a shows the arguments in place of the program. ps(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { readdir } from "../lib/dirread.ts";
import { fprint, print, readtext } from "../lib/io.ts";
import { errtext, sysfatal } from "../lib/proc.ts";
import { PlanError } from "../../kernel/abi/errors.ts";

export default function* ps(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "ap");
  if (a.bad !== null || a.rest.length > 0) {
    yield* fprint(sys, 2, "usage: ps [-ap]\n");
    return "usage";
  }
  try {
    const all = yield* readdir(sys, "/proc");
    const pids = all.map((d) => Number(d.name)).filter((pid) => !Number.isNaN(pid));
    for (const pid of pids.toSorted((x, y) => x - y)) {
      const line = yield* status(sys, pid, a.flags.has("a"));
      if (line !== null) yield* print(sys, line);
    }
  } catch (e) {
    yield* sysfatal(sys, "ps", errtext(e));
  }
}

/** The line of a process, or null if it has gone meanwhile. */
function* status(sys: ThreadSys, pid: number, withargs: boolean): Task<string | null> {
  try {
    const f = (yield* readtext(sys, `/proc/${pid}/status`)).trim().split(/\s+/);
    const time = (ms: string | undefined): string => {
      const s = Math.floor(Number(ms ?? 0) / 1000);
      return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
    };
    // A process that forked and has not called exec shows no arguments.
    const args = withargs ? yield* readtext(sys, `/proc/${pid}/args`) : "";
    const name = args === "" ? (f[0] ?? "") : args;
    const who = `${(f[1] ?? "").padEnd(10)} ${String(pid).padStart(8)}`;
    const used = `${time(f[3]).padStart(7)} ${time(f[4]).padStart(6)} ${`${f[9] ?? 0}K`.padStart(8)}`;
    return `${who} ${used} ${(f[2] ?? "").padEnd(8)} ${name}\n`;
  } catch (e) {
    if (e instanceof PlanError) return null;
    throw e;
  }
}
