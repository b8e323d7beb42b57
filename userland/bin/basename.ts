// basename: the last element of a name, without a suffix; -d: what is before it. basename(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, print } from "../lib/io.ts";

export default function* basename(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "d");
  const [name, suffix = "", ...more] = a.rest;
  if (a.bad !== null || name === undefined || more.length > 0) {
    yield* fprint(sys, 2, "usage: basename [-d] string [suffix]\n");
    return "usage";
  }
  const slash = name.lastIndexOf("/");
  if (a.flags.has("d")) {
    yield* print(sys, `${slash < 0 ? "." : name.slice(0, slash)}\n`);
    return;
  }
  const last = name.slice(slash + 1);
  const cut = suffix !== "" && last.endsWith(suffix);
  yield* print(sys, `${cut ? last.slice(0, -suffix.length) : last}\n`);
}
