// listen: answers calls with programs. listen(8)
//
//	listen [-q] [-d srvdir] [proto]
//
// A file of srvdir (/bin/service) is called like a protocol and a port: tcp7. listen runs it for each call to that port,
// with the call as its descriptors 0, 1 and 2. A file called !tcp7 is not run.

import { RFFDG, RFNOTEG, RFNOWAIT, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { accept, announce, listen as nextcall, netaddr } from "../lib/dial.ts";
import { readdir } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";

export default function* listen(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "qd:");
  if (a.bad !== null || a.rest.length > 1) {
    yield* fprint(sys, 2, "usage: listen [-q] [-d servdir] [proto]\n");
    return "usage";
  }
  const dir = a.values.get("d") ?? "/bin/service";
  const proto = a.rest[0] ?? "tcp";
  let names: string[];
  try {
    names = (yield* readdir(sys, dir)).map((d) => d.name);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* warn(sys, "listen", `opening ${dir}: ${e.message}`);
    return "opendir";
  }
  const services = names.filter(
    (n) => n.startsWith(proto) && /^[0-9]+$/.test(n.slice(proto.length)),
  );
  for (const name of services) {
    const service = { addr: `${proto}!*!${name.slice(proto.length)}`, file: `${dir}/${name}` };
    yield* sys.rfork(RFPROC | RFFDG | RFNOTEG | RFNOWAIT, function* (child: ThreadSys): Task<Exit> {
      return yield* serve(child, service, !a.flags.has("q"));
    });
  }
}

type Service = { readonly addr: string; readonly file: string };

/** Answers the calls to one port for as long as it can. */
function* serve(sys: ThreadSys, { addr, file }: Service, say: boolean): Task<Exit> {
  try {
    const at = yield* announce(sys, addr);
    for (;;) {
      const call = yield* nextcall(sys, at.dir);
      if (say)
        yield* fprint(
          sys,
          2,
          `listen: call for ${addr} from ${yield* netaddr(sys, call.dir, "remote")}\n`,
        );
      const fd = yield* accept(sys, call);
      yield* sys.rfork(
        RFPROC | RFFDG | RFNOTEG | RFNOWAIT,
        function* (child: ThreadSys): Task<Exit> {
          for (const to of [0, 1, 2]) yield* child.dup(fd, to);
          yield* child.close(fd);
          yield* child.close(at.cfd);
          yield* child.exec(file, [file.slice(file.lastIndexOf("/") + 1), addr]);
        },
      );
      yield* sys.close(fd);
    }
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* warn(sys, "listen", `${addr}: ${e.message}`);
    return e.message;
  }
}
