// pwd: prints the name of the current directory. pwd(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { print } from "../lib/io.ts";
import { errtext, getwd, sysfatal } from "../lib/proc.ts";

export default function* pwd(sys: ThreadSys): Task<Exit> {
  try {
    yield* print(sys, `${yield* getwd(sys)}\n`);
  } catch (e) {
    yield* sysfatal(sys, "pwd", errtext(e));
  }
}
