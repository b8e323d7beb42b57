// mtime: when files were changed, in seconds since 1970. mtime(1)

import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, print } from "../lib/io.ts";

export default function* mtime(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "");
  if (a.bad !== null || a.rest.length === 0) {
    yield* fprint(sys, 2, "usage: mtime file...\n");
    return "usage";
  }
  let status = "";
  for (const name of a.rest) {
    try {
      const d = yield* sys.stat(name);
      yield* print(sys, `${String(d.mtime).padStart(11)} ${name}\n`);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* fprint(sys, 2, `stat ${name}: ${e.message}\n`);
      status = "errors";
    }
  }
  return status;
}
