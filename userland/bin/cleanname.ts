// cleanname: names without their dots and double slashes; -d: those of a directory. cleanname(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, print } from "../lib/io.ts";
import { cleanname as clean } from "../lib/name.ts";

export default function* cleanname(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "d:");
  if (a.bad !== null || a.rest.length === 0) {
    yield* fprint(sys, 2, "usage: cleanname [-d pwd] name...\n");
    return "usage";
  }
  const dir = a.values.get("d");
  for (const name of a.rest) {
    const whole = dir === undefined || name.startsWith("/") ? name : `${dir}/${name}`;
    // As Plan 9's: the root alone is said to be the dot.
    yield* print(sys, `${whole === "/" ? "." : clean(whole)}\n`);
  }
}
