// mount: mounts the server behind a file, as a rule one in /srv, on a name. bind(1)

import { ORDWR } from "../../kernel/abi/const.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint } from "../lib/io.ts";
import { errtext, warn } from "../lib/proc.ts";
import { mountflags } from "./bind.ts";

const USAGE = "usage: mount [-a|-b] [-cnq] [-k keypattern] /srv/service dir [spec]\n";

export default function* mount(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "abcCnqk:");
  const [server, old, spec = "", ...more] = a.rest;
  const both = a.flags.has("a") && a.flags.has("b");
  if (a.bad !== null || both || server === undefined || old === undefined || more.length > 0) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  let fd = -1;
  let what = `can't open ${server}`;
  try {
    fd = yield* sys.open(server, ORDWR);
    what = `mount ${old}`;
    yield* sys.mount(fd, -1, old, mountflags(a.flags), spec);
  } catch (e) {
    if (a.flags.has("q")) return;
    yield* warn(sys, "mount", `${what}: ${errtext(e)}`);
    return fd < 0 ? "open" : "mount";
  }
}
