// unmount: takes one thing, or everything, off a name. bind(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint } from "../lib/io.ts";
import { errtext, sysfatal } from "../lib/proc.ts";

export default function* unmount(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const [, first, second, ...more] = argv;
  if (first === undefined || more.length > 0) {
    yield* fprint(sys, 2, "usage: unmount mountpoint\n       unmount mounted mountpoint\n");
    return "usage";
  }
  const old = second ?? first;
  try {
    if (second === undefined) yield* sys.unmount(null, first);
    else yield* sys.unmount(first, second);
  } catch (e) {
    yield* sysfatal(sys, "unmount", `${old}: ${errtext(e)}`);
  }
}
