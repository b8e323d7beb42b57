// rm: removes files, and empty directories; -r directories with all that is in them; -f in silence. rm(1)

import { DMDIR } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dirstat, readdir } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";

export default function* rm(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "rf");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "usage: rm [-fr] file ...\n");
    return "usage";
  }
  const r: Removal = { sys, silent: a.flags.has("f"), status: "" };
  for (const name of a.rest) {
    const problem = yield* removed(sys, name);
    if (problem === null) continue;
    const d = a.flags.has("r") ? yield* dirstat(sys, name) : null;
    if (d !== null && (d.mode & DMDIR) !== 0) yield* rmdir(r, name);
    else yield* failed(r, name, problem);
  }
  return r.status;
}

/** What is removed for whom, and the last thing that went wrong. */
type Removal = { readonly sys: ThreadSys; readonly silent: boolean; status: string };

function* failed(r: Removal, name: string, problem: string): Task<void> {
  if (r.silent) return;
  yield* warn(r.sys, "rm", `${name}: ${problem}`);
  r.status = problem;
}

/** Removes a file; gives what went wrong, or null. */
function* removed(sys: ThreadSys, name: string): Task<string | null> {
  try {
    yield* sys.remove(name);
    return null;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return e.message;
  }
}

/** Removes what is in a directory, files first, and then the directory. */
function* rmdir(r: Removal, top: string): Task<void> {
  const dirs: string[] = [];
  // Directories that are open: each is removed behind what is in it.
  const todo = [top];
  for (let dir = todo.pop(); dir !== undefined; dir = todo.pop()) {
    dirs.push(dir);
    try {
      for (const d of yield* readdir(r.sys, dir)) {
        const name = `${dir}/${d.name}`;
        const problem = yield* removed(r.sys, name);
        if (problem === null) continue;
        if ((d.mode & DMDIR) !== 0) todo.push(name);
        else yield* failed(r, name, problem);
      }
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* failed(r, dir, e.message);
    }
  }
  for (const dir of dirs.toReversed()) {
    const problem = yield* removed(r.sys, dir);
    if (problem !== null) yield* failed(r, dir, problem);
  }
}
