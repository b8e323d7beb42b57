// ramfs: a file server in memory. ramfs(4)
//
//	ramfs [-i] [-m mountpoint] [-p] [-s] [-u] [-S srvname] [--perm mode]
//
// Mounts itself on /tmp, or on the mountpoint; -s posts it as /srv/ramfs, -S under another name; -i serves
// descriptors 0 and 1. -u lifts the limit on memory, --perm gives the root's permissions. -p is accepted:
// memory here is private anyway.

import { type Anysrv, postmount, serve } from "../lib/9p.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint } from "../lib/io.ts";
import { errtext, getuser } from "../lib/proc.ts";
import { newram } from "../lib/ram.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";

const USAGE = "usage: ramfs [-i] [-m mountpoint] [-psu] [-S srvname] [--perm mode]\n";

export default function* ramfs(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "im:psuS:", ["perm:"]);
  const perm = Number.parseInt(a.values.get("perm") ?? "775", 8);
  if (a.bad !== null || a.rest.length > 0 || Number.isNaN(perm)) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  function* make(its: ThreadSys): Task<Anysrv> {
    const user = yield* getuser(its);
    return newram(its, { user, perm, ...(a.flags.has("u") && { limit: Infinity }) });
  }
  if (a.flags.has("i")) {
    yield* serve(sys, 0, 1, yield* make(sys));
    return;
  }
  const named = a.values.get("S");
  const name = named ?? (a.flags.has("s") ? "ramfs" : undefined);
  const mtpt = a.values.get("m") ?? (name === undefined ? "/tmp" : undefined);
  try {
    yield* postmount(sys, make, {
      ...(name !== undefined && { name }),
      ...(mtpt !== undefined && { mtpt }),
    });
  } catch (e) {
    yield* fprint(sys, 2, `ramfs: ${errtext(e)}\n`);
    return errtext(e);
  }
}
