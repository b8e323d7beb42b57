// touch: sets the time of files to now, or to -t seconds; creates those that are not there, unless -c.
// touch(1)

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";

export default function* touch(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "ct:");
  const t = a.values.get("t");
  const now = yield* sys.nsec();
  const mtime = t === undefined ? Number(now / 1_000_000_000n) : strtoul(t);
  if (a.bad !== null || a.rest.length === 0 || mtime === null) {
    yield* fprint(sys, 2, "usage: touch [-c] [-t time] files\n");
    return "usage";
  }
  let status = "";
  for (const name of a.rest) {
    const problem = yield* touched(sys, name, mtime, !a.flags.has("c"));
    if (problem === null) continue;
    yield* warn(sys, "touch", `${name}: ${problem}`);
    status = "touch";
  }
  return status;
}

/** Sets the time of a file, or creates it; gives what went wrong, or null. */
function* touched(
  sys: ThreadSys,
  name: string,
  mtime: number,
  create: boolean,
): Task<string | null> {
  try {
    yield* sys.wstat(name, { mtime });
    return null;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    if (!create || (yield* dirstat(sys, name)) !== null) return `cannot wstat: ${e.message}`;
  }
  try {
    // As Plan 9's over its ramfs: a file that is made has the time at which it was.
    yield* sys.close(yield* sys.create(name, OREAD, 0o666));
    return null;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return `cannot create: ${e.message}`;
  }
}

/** A whole number in C's notation; null if it is none. */
function strtoul(text: string): number | null {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number(text);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9][0-9]*$/.test(text) ? Number(text) : null;
}
