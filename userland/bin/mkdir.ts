// mkdir: makes directories; -p those on the way too, and none is too many; -m mode. mkdir(1)

import { DMDIR, OREAD } from "../../kernel/abi/const.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { errtext, warn } from "../lib/proc.ts";

export default function* mkdir(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "pm:");
  const mode = Number.parseInt(a.values.get("m") ?? "777", 8);
  if (a.bad !== null || !(mode >= 0 && mode <= 0o777)) {
    yield* fprint(sys, 2, "usage: mkdir [-p] [-m mode] dir...\n");
    return "usage";
  }
  let status = "";
  for (const name of a.rest) {
    const names = a.flags.has("p") ? parents(name) : [name];
    for (const dir of names) if (!(yield* make(sys, dir, mode, a.flags.has("p")))) status = "error";
  }
  return status;
}

/** parents("/a/b/c") is ["/a", "/a/b", "/a/b/c"]. */
function parents(name: string): string[] {
  const elems = name.split("/").filter((e) => e !== "");
  const root = name.startsWith("/") ? "/" : "";
  return elems.map((_e, i) => root + elems.slice(0, i + 1).join("/"));
}

function* make(sys: ThreadSys, name: string, mode: number, mayexist: boolean): Task<boolean> {
  const d = yield* dirstat(sys, name);
  if (d !== null) {
    if (mayexist && (d.mode & DMDIR) !== 0) return true;
    yield* warn(sys, "mkdir", `${name} already exists`);
    return false;
  }
  try {
    const fd = yield* sys.create(name, OREAD, (DMDIR | mode) >>> 0);
    if ((mode & 0o777) !== 0o777) yield* sys.fwstat(fd, { mode: (DMDIR | mode) >>> 0 });
    yield* sys.close(fd);
    return true;
  } catch (e) {
    yield* warn(sys, "mkdir", `can't create ${name}: ${errtext(e)}`);
    return false;
  }
}
