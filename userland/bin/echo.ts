// echo: prints its arguments, with a newline unless the first is -n. echo(1)

import { PlanError } from "../../kernel/abi/errors.ts";
import { print } from "../lib/io.ts";
import type { ThreadSys } from "../lib/both.ts";
import { warn } from "../lib/proc.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";

export default function* echo(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const n = argv[1] === "-n";
  try {
    yield* print(sys, argv.slice(n ? 2 : 1).join(" ") + (n ? "" : "\n"));
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* warn(sys, "echo", `write error: ${e.message}`);
    return "write error";
  }
}
