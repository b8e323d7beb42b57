// sleep: waits for a number of seconds. sleep(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint } from "../lib/io.ts";

export default function* sleep(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const seconds = Number(argv[1] ?? "0");
  if (Number.isNaN(seconds) || argv.length > 2) {
    yield* fprint(sys, 2, "usage: sleep seconds\n");
    return "usage";
  }
  yield* sys.sleep(Math.max(0, Math.round(seconds * 1000)));
}
