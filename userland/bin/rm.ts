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

/** A file to be removed, and, once it is known to be a directory, the names in it that are left. */
type Left = { readonly name: string; inside: string[] | null };

/** Removes a file, if need be with all that is in it; gives what went wrong first, or null. */
function* remove(sys: ThreadSys, name: string, deep: boolean): Task<Failed | null> {
  const way: Left[] = [{ name, inside: null }];
  for (let x = way.at(-1); x !== undefined; x = way.at(-1)) {
    const next = x.inside?.pop();
    if (next !== undefined) {
      way.push({ name: join(x.name, next), inside: null });
      continue;
    }
    try {
      yield* sys.remove(x.name);
      way.pop();
      continue;
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      const d = deep && x.inside === null ? yield* dirstat(sys, x.name) : null;
      if (d === null || (d.mode & DMDIR) === 0) return { name: x.name, problem: e.message };
    }
    try {
      x.inside = (yield* readdir(sys, x.name)).map((d) => d.name).reverse();
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      return { name: x.name, problem: e.message };
    }
  }
  return null;
}
