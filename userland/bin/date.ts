// date: prints the time, where this machine is or with -u in GMT; -n as seconds since 1970. date(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { ctime, parsezone } from "../lib/ctime.ts";
import { fprint, print } from "../lib/io.ts";
import { atoi } from "../lib/number.ts";
import { getenv } from "../lib/proc.ts";

export default function* date(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "un");
  const given = a.rest[0];
  if (a.bad !== null || a.rest.length > 1) {
    yield* fprint(sys, 2, "usage: date [-un] [seconds]\n");
    return "usage";
  }
  // A time is a number of 32 bits here, as in Plan 9.
  const now = given === undefined ? Number((yield* sys.nsec()) / 1_000_000_000n) : atoi(given) | 0;
  if (a.flags.has("n")) return yield* print(sys, `${now}\n`);
  const zone = a.flags.has("u") ? null : parsezone((yield* getenv(sys, "timezone")) ?? "");
  yield* print(sys, `${ctime(now, zone)}\n`);
}
