// mv: renames a file, or moves files into a directory: by wstat where that does, else by copy and remove.
// mv(1)

import { DMDIR } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { copyfile, samefile } from "../lib/copy.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { basename, dirname, join } from "../lib/name.ts";
import { errtext, warn } from "../lib/proc.ts";

export default function* mv(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "");
  const to = a.rest.at(-1);
  if (a.bad !== null || to === undefined || a.rest.length < 2) {
    yield* fprint(sys, 2, "usage: mv fromfile tofile\n       mv fromfile ... todir\n");
    return "usage";
  }
  const d = yield* dirstat(sys, to);
  const isdir = d !== null && (d.mode & DMDIR) !== 0;
  if (a.rest.length > 2 && !isdir) {
    yield* warn(sys, "mv", `${to} is not a directory`);
    return "failure";
  }
  let status = "";
  for (const from of a.rest.slice(0, -1)) {
    try {
      yield* move(sys, from, isdir ? to : dirname(to), isdir ? basename(from) : basename(to));
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "mv", errtext(e));
      status = "failure";
    }
  }
  return status;
}

function* move(sys: ThreadSys, from: string, dir: string, name: string): Task<void> {
  const d = yield* dirstat(sys, from);
  if (d === null) throw new PlanError(`can't stat ${from}: ${yield* sys.errstr("")}`);
  const to = dir === "." ? name : join(dir, name);
  const old = yield* dirstat(sys, to);
  const fromdir = yield* sys.stat(dirname(from));
  const todir = yield* sys.stat(dir);
  const rename = samefile(fromdir, todir);
  // A file that has another name by a bind would be emptied by a copy to that name.
  if (old !== null && samefile(d, old) && (d.name === name || !rename))
    throw new PlanError(`${from} and ${to} are the same file`);
  if (rename) {
    // Plan 9 renames to nothing that exists: what is there goes first.
    if (old !== null && !samefile(d, old)) yield* sys.remove(to);
    yield* sys.wstat(from, { name });
    return;
  }
  if ((d.mode & DMDIR) !== 0)
    throw new PlanError(`can't rename directory ${from} to another directory`);
  yield* copyfile(sys, from, to, { perm: d.mode & 0o777, length: d.length });
  yield* sys.wstat(to, { mode: d.mode, mtime: d.mtime });
  yield* sys.remove(from);
}
