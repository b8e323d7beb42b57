// touch: sets the time of files to now, or to -t seconds; creates those that are not there, unless -c.
// touch(1)

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { errtext, warn } from "../lib/proc.ts";

export default function* touch(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "ct:");
  const t = a.values.get("t");
  const mtime = t === undefined ? Number((yield* sys.nsec()) / 1_000_000_000n) : Number(t);
  if (a.bad !== null || a.rest.length === 0 || !Number.isSafeInteger(mtime)) {
    yield* fprint(sys, 2, "usage: touch [-c] [-t time] file ...\n");
    return "usage";
  }
  let status = "";
  for (const name of a.rest) {
    try {
      yield* touched(sys, name, { mtime, create: !a.flags.has("c"), settime: t !== undefined });
    } catch (e) {
      yield* warn(sys, "touch", `${name}: ${errtext(e)}`);
      status = "touch";
    }
  }
  return status;
}

type How = { readonly mtime: number; readonly create: boolean; readonly settime: boolean };

function* touched(sys: ThreadSys, name: string, { mtime, create, settime }: How): Task<void> {
  try {
    yield* sys.wstat(name, { mtime });
    return;
  } catch (e) {
    if (!create || !(e instanceof PlanError) || (yield* dirstat(sys, name)) !== null) throw e;
  }
  const fd = yield* sys.create(name, OREAD, 0o666);
  if (settime) yield* sys.fwstat(fd, { mtime });
  yield* sys.close(fd);
}
