// fossil: a file server that keeps what it is given, on a disk that is a file. fossil(4)
//
//	fossil -f disk [-m mountpoint] [-S srvname]
//
// Makes the disk where there is none. Mounts itself on the mountpoint, posts itself as /srv/srvname; without
// either it mounts itself on /n/fossil. /srv/srvname.cons, or /srv/fscons, takes commands.

import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { type Anysrv, postmount } from "../lib/9p.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { plainhash } from "../lib/fossil/hash.ts";
import { newfossil, postconsole } from "../lib/fossil/serve.ts";
import { fprint } from "../lib/io.ts";
import { errtext, getuser } from "../lib/proc.ts";

const USAGE = "usage: fossil -f disk [-m mountpoint] [-S srvname]\n";

export default function* fossil(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "f:m:S:", []);
  const disk = a.values.get("f");
  if (a.bad !== null || a.rest.length > 0 || disk === undefined) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  const name = a.values.get("S");
  const mtpt = a.values.get("m") ?? (name === undefined ? "/n/fossil" : undefined);
  function* make(its: ThreadSys): Task<Anysrv> {
    const f = yield* newfossil(its, disk ?? "", { hash: plainhash, user: yield* getuser(its) });
    yield* postconsole(its, f, name === undefined ? "fscons" : `${name}.cons`);
    return f.srv as Anysrv;
  }
  try {
    yield* postmount(sys, make, {
      ...(name !== undefined && { name }),
      ...(mtpt !== undefined && { mtpt }),
    });
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* fprint(sys, 2, `fossil: ${errtext(e)}\n`);
    return errtext(e);
  }
}
