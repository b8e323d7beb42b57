// bind: makes a file or directory appear at another name. bind(1)

import { MAFTER, MBEFORE, MCACHE, MCREATE, MREPL } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint } from "../lib/io.ts";

/** The flags that the options -a, -b, -c and -C ask for. */
export function mountflags(flags: ReadonlySet<string>): number {
  const order = flags.has("b") ? MBEFORE : flags.has("a") ? MAFTER : MREPL;
  return order | (flags.has("c") ? MCREATE : 0) | (flags.has("C") ? MCACHE : 0);
}

export default function* bind(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "abcCq");
  const [name, old, ...more] = a.rest;
  const both = a.flags.has("a") && a.flags.has("b");
  if (a.bad !== null || both || name === undefined || old === undefined || more.length > 0) {
    yield* fprint(sys, 2, "usage: bind [-b|-a|-c|-bc|-ac] new old\n");
    return "usage";
  }
  try {
    yield* sys.bind(name, old, mountflags(a.flags));
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    if (a.flags.has("q")) return;
    // Which of the two is missing says more than that the bind failed.
    for (const file of [name, old]) {
      const problem = yield* missing(sys, file);
      if (problem === null) continue;
      yield* fprint(sys, 2, `bind: ${file}: ${problem}\n`);
      return "bind";
    }
    yield* fprint(sys, 2, `bind ${name} ${old}: ${e.message}\n`);
    return "bind";
  }
}

/** Why a file cannot be found, or null when it can. */
function* missing(sys: ThreadSys, file: string): Task<string | null> {
  try {
    yield* sys.stat(file);
    return null;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return e.message;
  }
}
