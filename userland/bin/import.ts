// import: makes files of another machine appear here. import(4)
//
//	import [-abcC] host remotetree [mountpoint]
//
// exportfs answers on the machine, at port 17007 or where host!port says: its root is mounted on /n/host, and the
// tree bound from there on the mountpoint, which is the tree's own name unless another is given.

import { DMDIR, MCREATE, MREPL, OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dial, netmkaddr } from "../lib/dial.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { sysfatal } from "../lib/proc.ts";
import { mountflags } from "./bind.ts";

export default function* importcmd(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "abcC");
  const [host, tree, mtpt = tree, ...more] = a.rest;
  if (a.bad !== null || host === undefined || tree === undefined || more.length > 0) {
    yield* fprint(sys, 2, "usage: import [-abcC] host remotefs [mountpoint]\n");
    return "usage";
  }
  const addr = netmkaddr(host, "tcp", "exportfs");
  const root = `/n/${addr.split("!")[1] ?? host}`;
  let doing = `dial ${addr}`;
  try {
    const fd = yield* dial(sys, addr);
    doing = `mount ${root}`;
    if ((yield* dirstat(sys, root)) === null)
      yield* sys.close(yield* sys.create(root, OREAD, (DMDIR | 0o775) >>> 0));
    yield* sys.mount(fd, -1, root, MREPL | MCREATE, "");
    const from = `${root}/${tree.replace(/^\/+/, "")}`;
    doing = `bind ${from} ${mtpt}`;
    yield* sys.bind(from, mtpt ?? tree, mountflags(a.flags));
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* sysfatal(sys, "import", `can't ${doing}: ${e.message}`);
  }
}
