// 9fs: mounts the files of another machine: its server, port 564, is posted as /srv/host and mounted on /n/host.
// srv(4)

import type { Exit, Task } from "../../syscalls/sys.ts";
import { DMDIR, OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import srv from "./srv.ts";

export default function* ninefs(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const [, host, place, ...more] = argv;
  if (host === undefined || more.length > 0) {
    yield* fprint(sys, 2, "usage: 9fs service [mountpoint]\n");
    return "usage";
  }
  const name = host.split("!").slice(0, 2).at(-1) ?? host;
  const mtpt = place ?? `/n/${name}`;
  if ((yield* dirstat(sys, mtpt)) === null) yield* mkdir(sys, mtpt);
  return yield* srv(sys, ["srv", "-c", host, name, mtpt]);
}

/** Makes the place, where that is possible: else the mount says what is wrong. */
function* mkdir(sys: ThreadSys, name: string): Task<void> {
  try {
    yield* sys.close(yield* sys.create(name, OREAD, (DMDIR | 0o775) >>> 0));
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}
