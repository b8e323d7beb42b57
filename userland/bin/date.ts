// date: prints the time, in GMT; -n as seconds since 1970. date(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { ctime } from "../lib/ctime.ts";
import { fprint, print } from "../lib/io.ts";

export default function* date(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "un");
  const given = a.rest[0];
  const now = given === undefined ? Number((yield* sys.nsec()) / 1_000_000_000n) : Number(given);
  if (a.bad !== null || a.rest.length > 1 || !Number.isSafeInteger(now)) {
    yield* fprint(sys, 2, "usage: date [-un] [seconds]\n");
    return "usage";
  }
  yield* print(sys, a.flags.has("n") ? `${now}\n` : `${ctime(now)}\n`);
}
