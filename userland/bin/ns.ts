// ns: prints the name space of this or another process, as the commands that would make it. ns(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, print, readtext } from "../lib/io.ts";
import { errtext, getpid, sysfatal } from "../lib/proc.ts";

export default function* ns(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const given = argv.slice(1).filter((w) => w !== "-r");
  if (given.length > 1) {
    yield* fprint(sys, 2, "usage: ns [-r] [pid]\n");
    return "usage";
  }
  try {
    const pid = given[0] ?? `${yield* getpid(sys)}`;
    yield* print(sys, yield* readtext(sys, `/proc/${pid}/ns`));
  } catch (e) {
    yield* sysfatal(sys, "ns", errtext(e));
  }
}
