// mv: renames a file, or moves files into a directory: by wstat where that does, else by copy and remove.
// mv(1)

import { DMDIR } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { copyfile, samefile } from "../lib/copy.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { cleanname } from "../lib/name.ts";
import { errtext, warn } from "../lib/proc.ts";

const USAGE = "usage: mv fromfile tofile\n\t  mv fromfile ... todir\n";

/** A name in two: the directory, and the last element. */
function split(name: string): readonly [dir: string, elem: string] {
  const slash = name.lastIndexOf("/");
  if (slash >= 0) return [name.slice(0, slash) || "/", name.slice(slash + 1)];
  return name === ".." ? ["..", "."] : [".", name];
}

export default function* mv(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const names = argv.slice(1).map(cleanname);
  const to = names.pop();
  const [first] = names;
  if (to === undefined || first === undefined) {
    yield* fprint(sys, 2, USAGE);
    return "bad usage";
  }
  const isdir = yield* directory(sys, to);
  // A directory takes the place of another; files go into it.
  const replaced = isdir && names.length === 1 && (yield* directory(sys, first));
  const [dir, elem] = isdir && !replaced ? [to, null] : split(to);
  if (names.length > 1 && elem !== null) {
    yield* warn(sys, "mv", `${to} not a directory`);
    return "bad usage";
  }
  let status = "";
  for (const from of names) {
    try {
      yield* move(sys, from, dir, elem ?? split(from)[1]);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "mv", errtext(e));
      status = "failure";
    }
  }
  return status;
}

function* directory(sys: ThreadSys, name: string): Task<boolean> {
  const d = yield* dirstat(sys, name);
  return d !== null && (d.mode & DMDIR) !== 0;
}

function* move(sys: ThreadSys, from: string, dir: string, name: string): Task<void> {
  const d = yield* dirstat(sys, from);
  if (d === null) throw new PlanError(`can't stat ${from}: ${yield* sys.errstr("")}`);
  if (name === "") throw new PlanError(`null last name element moving ${from}`);
  const to = `${dir === "/" ? "" : dir}/${name}`;
  const old = yield* dirstat(sys, to);
  const fromdir = yield* sys.stat(split(from)[0]);
  const todir = yield* sys.stat(dir);
  const rename = samefile(fromdir, todir);
  // A file that has another name by a bind would be emptied by a copy to that name.
  if (old !== null && samefile(d, old) && (d.name === name || !rename))
    throw new PlanError(`${from} and ${to} are the same`);
  if (rename) {
    // Plan 9 renames to nothing that exists: what is there goes first.
    if (old !== null && !samefile(d, old)) yield* removed(sys, to);
    yield* sys.wstat(from, { name });
    return;
  }
  if ((d.mode & DMDIR) !== 0) throw new PlanError(`${from} is a directory, not copied to ${to}`);
  yield* copyfile(sys, from, to, { perm: d.mode & 0o777, length: d.length });
  yield* sys.wstat(to, { mode: d.mode, mtime: d.mtime });
  yield* removed(sys, from);
}

function* removed(sys: ThreadSys, name: string): Task<void> {
  try {
    yield* sys.remove(name);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    throw new PlanError(`can't remove ${name}: ${e.message}`);
  }
}
