// cp: copies a file to a file, or files into a directory; -x keeps mode and time, -g group too. How far a
// long copy is it says on a terminal, with -v anywhere. cp(1)

import { DMDIR } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { type Args, args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { copyfile, samefile } from "../lib/copy.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { basename, join } from "../lib/name.ts";
import { errtext, warn } from "../lib/proc.ts";
import { watched } from "../lib/progress.ts";

export default function* cp(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "guvx");
  const to = a.rest.at(-1);
  if (a.bad !== null || to === undefined || a.rest.length < 2) {
    yield* fprint(sys, 2, "usage:\tcp [-gux] fromfile tofile\n\tcp [-x] fromfile ... todir\n");
    return "usage";
  }
  const todir = yield* dirstat(sys, to);
  const isdir = todir !== null && (todir.mode & DMDIR) !== 0;
  if (a.rest.length > 2 && !isdir) {
    yield* warn(sys, "cp", `${to} not a directory`);
    return "bad usage";
  }
  let status = "";
  for (const from of a.rest.slice(0, -1)) {
    try {
      yield* copy(sys, from, isdir ? join(to, basename(from)) : to, a);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "cp", errtext(e));
      status = "errors";
    }
  }
  return status;
}

function* copy(sys: ThreadSys, from: string, to: string, a: Args): Task<void> {
  const d = yield* dirstat(sys, from);
  if (d === null) throw new PlanError(`can't stat ${from}: ${yield* sys.errstr("")}`);
  if ((d.mode & DMDIR) !== 0) throw new PlanError(`${from} is a directory`);
  const old = yield* dirstat(sys, to);
  if (old !== null && samefile(d, old)) throw new PlanError(`${from} and ${to} are the same file`);
  const watch = yield* watched(sys, { length: d.length, force: a.flags.has("v") });
  yield* copyfile(sys, from, to, {
    perm: d.mode & 0o777,
    length: d.length,
    ...(watch && { watch }),
  });
  const [x, g, u] = ["x", "g", "u"].map((f) => a.flags.has(f));
  if (x !== true && g !== true && u !== true) return;
  const { mode, mtime, gid, uid } = d;
  try {
    yield* sys.wstat(to, {
      ...(x === true && { mode, mtime }),
      ...((g === true || u === true) && { gid }),
      ...(u === true && { uid }),
    });
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* warn(sys, "cp", `warning: can't wstat ${to}: ${e.message}`);
  }
}
