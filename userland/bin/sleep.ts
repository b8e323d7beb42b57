// sleep: waits for a number of seconds, which may have a fraction. sleep(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { atof } from "../lib/number.ts";

/** The longest wait, in ms: a timer's. */
const MAXMS = 2 ** 31 - 1;

export default function* sleep(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const ms = Math.round(atof(argv[1] ?? "") * 1000);
  for (let left = Math.max(0, ms); left > 0; left -= MAXMS) yield* sys.sleep(Math.min(left, MAXMS));
}
