// exportfs: serves the name space it runs in, below a root. exportfs(4)
//
//	exportfs [-Rs] [-r root] [-S srvname] [--listen addr]
//
// Serves descriptors 0 and 1; or posts itself as /srv/srvname; or answers calls at addr, "tcp!*!5640". -s is
// -r /, which is the default; -R allows only reading.

import type { Exit, Task } from "../../syscalls/sys.ts";
import { listensrv, post, serve } from "../lib/9p.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { newexport } from "../lib/export.ts";
import { fprint } from "../lib/io.ts";
import { errtext, sysfatal } from "../lib/proc.ts";

const USAGE = "usage: exportfs [-Rs] [-r root] [-S srvname] [--listen addr]\n";

export default function* exportfs(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "Rsr:S:", ["listen:"]);
  if (a.bad !== null || a.rest.length > 0) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  const root = a.values.get("r") ?? "/";
  const name = a.values.get("S");
  const addr = a.values.get("listen");
  try {
    yield* sys.stat(root);
    const log = (line: string): Task<void> => fprint(sys, 2, `${line}\n`);
    const srv = newexport(sys, { root, readonly: a.flags.has("R"), log });
    if (addr !== undefined) yield* listensrv(sys, addr, srv);
    else if (name !== undefined) yield* post(sys, srv, name);
    else yield* serve(sys, 0, 1, srv);
  } catch (e) {
    yield* sysfatal(sys, "exportfs", errtext(e));
  }
}
