// kill: ends processes. kill(1)
//
//	kill name ...          prints the commands that would end the processes that run these programs
//	kill [-n note] pid ... posts a note, "kill" if not given

import { PNPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { readdir } from "../lib/dirread.ts";
import { fprint, print, readtext } from "../lib/io.ts";
import { errtext, postnote, warn } from "../lib/proc.ts";

export default function* kill(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "n:");
  if (a.bad !== null || a.rest.length === 0) {
    yield* fprint(sys, 2, "usage: kill name ...\n       kill [-n note] pid ...\n");
    return "usage";
  }
  let status = "";
  for (const what of a.rest) {
    try {
      if (/^[0-9]+$/.test(what))
        yield* postnote(sys, PNPROC, Number(what), a.values.get("n") ?? "kill");
      else yield* printkills(sys, what);
    } catch (e) {
      yield* warn(sys, "kill", `${what}: ${errtext(e)}`);
      status = "errors";
    }
  }
  return status;
}

function* printkills(sys: ThreadSys, program: string): Task<void> {
  for (const d of yield* readdir(sys, "/proc")) {
    try {
      const line = yield* readtext(sys, `/proc/${d.name}/status`);
      if (line.split(/\s+/, 1)[0] === program)
        yield* print(sys, `echo kill>/proc/${d.name}/note # ${program}\n`);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e; // it has gone meanwhile
    }
  }
}
