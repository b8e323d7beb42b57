// chgrp: changes the group of files; -u or -o: their owner. chgrp(1)

import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";

export default function* chgrp(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "ou");
  const [group, ...files] = a.rest;
  if (a.bad !== null || group === undefined) {
    yield* fprint(sys, 2, "usage: chgrp [ -uo ] group file ....\n");
    return "usage";
  }
  const owner = a.flags.has("u") || a.flags.has("o");
  let status = "";
  for (const file of files) {
    try {
      yield* sys.wstat(file, owner ? { uid: group } : { gid: group });
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "chgrp", `can't wstat ${file}: ${e.message}`);
      status = "can't wstat";
    }
  }
  return status;
}
