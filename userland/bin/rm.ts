// rm: removes files, and empty directories; -r directories with all that is in them; -f in silence. rm(1)

import { DMDIR } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dirstat, readdir } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { join } from "../lib/name.ts";
import { warn } from "../lib/proc.ts";

export default function* rm(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "rf");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "usage: rm [-fr] file ...\n");
    return "usage";
  }
  let status = "";
  for (const name of a.rest) {
    const failed = yield* remove(sys, name, a.flags.has("r"));
    if (failed === null || a.flags.has("f")) continue;
    yield* warn(sys, "rm", `${failed.name}: ${failed.problem}`);
    status = failed.problem;
  }
  return status;
}

/** A file that could not be removed, and why. */
type Failed = { readonly name: string; readonly problem: string };

/** Removes a file; gives what went wrong first, or null. */
function* remove(sys: ThreadSys, name: string, deep: boolean): Task<Failed | null> {
  try {
    yield* sys.remove(name);
    return null;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    const d = deep ? yield* dirstat(sys, name) : null;
    if (d === null || (d.mode & DMDIR) === 0) return { name, problem: e.message };
  }
  let first: Failed | null = null;
  try {
    for (const d of yield* readdir(sys, name))
      first ??= yield* remove(sys, join(name, d.name), true);
    if (first === null) yield* sys.remove(name);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    first ??= { name, problem: e.message };
  }
  return first;
}
