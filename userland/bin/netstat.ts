// netstat: the conversations of the network: protocol, number, owner, state, local port, remote port and address.
// netstat(1)

import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dirstat, readdir } from "../lib/dirread.ts";
import { fprint, print, readtext } from "../lib/io.ts";

export default function* netstat(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "np:");
  if (a.bad !== null || a.rest.length > 1) {
    yield* fprint(sys, 2, "usage: netstat [-n] [-p proto] [network-dir]\n");
    return "usage";
  }
  const net = a.rest[0] ?? "/net";
  const only = a.values.get("p");
  let protos: string[];
  try {
    protos = (yield* readdir(sys, net)).map((d) => d.name);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* fprint(sys, 2, `netstat: open ${net}: ${e.message}\n`);
    return "open";
  }
  for (const proto of protos) {
    if (only !== undefined && proto !== only) continue;
    if ((yield* dirstat(sys, `${net}/${proto}/clone`)) === null) continue;
    const names = (yield* readdir(sys, `${net}/${proto}`)).map((d) => d.name);
    for (const n of names.filter((x) => /^[0-9]+$/.test(x)))
      yield* print(sys, yield* line(sys, `${net}/${proto}/${n}`, proto, n));
  }
}

function* line(sys: ThreadSys, dir: string, proto: string, n: string): Task<string> {
  try {
    const { uid } = yield* sys.stat(`${dir}/ctl`);
    const [state = ""] = (yield* readtext(sys, `${dir}/status`)).split(/\s/, 1);
    const local = (yield* readtext(sys, `${dir}/local`)).trim();
    const remote = (yield* readtext(sys, `${dir}/remote`)).trim();
    const [, localport = ""] = local.split("!");
    const [host = "", port = ""] = remote.split("!");
    const who = `${proto.padEnd(4)} ${n.padEnd(4)} ${uid.padEnd(10)} ${state.padEnd(12)}`;
    return `${who} ${localport.padEnd(10)} ${port.padEnd(10)} ${host}\n`;
  } catch (e) {
    // The conversation has ended meanwhile.
    if (e instanceof PlanError) return "";
    throw e;
  }
}
