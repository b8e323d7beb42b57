// echo: prints its arguments, with a newline unless the first is -n. echo(1)

import { print } from "../lib/io.ts";
import type { ThreadSys } from "../lib/both.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";

export default function* echo(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const n = argv[1] === "-n";
  yield* print(sys, argv.slice(n ? 2 : 1).join(" ") + (n ? "" : "\n"));
}
