// srv: calls a file server, or starts one, and posts it in /srv. srv(4)
//
//	srv [-abcCmq] [net!]host[!service] [srvname [mountpoint]]
//	srv -e command srvname [mountpoint]
//
// With a mountpoint, or -m (/n/srvname), it is mounted, too; -a, -b, -c and -C as in mount(1). What is posted
// under the name already is used as it is.

import { OWRITE, ORDWR, RFFDG, RFNOTEG, RFPROC, RFREND } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfencode } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { type Args, args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { dial, netmkaddr } from "../lib/dial.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";
import { mountflags } from "./bind.ts";

const USAGE =
  "usage: srv [-abcCm] [net!]host [srvname [mtpt]]\n    or srv -e [-abcCm] command [srvname [mtpt]]\n";

/** A failure: what is said, and the status. */
class Bad extends Error {
  readonly status: string;

  constructor(message: string, status: string) {
    super(message);
    this.status = status;
  }
}

export default function* srv(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "abcCemnqrs:");
  const [dest, name, mtpt, ...more] = a.rest;
  const both = a.flags.has("a") && a.flags.has("b");
  if (a.bad !== null || both || dest === undefined || more.length > 0) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  const last = dest.slice(dest.lastIndexOf("/") + 1);
  const file = `/srv/${name ?? last}`;
  const mounts = mtpt !== undefined || ["a", "b", "c", "C", "m"].some((f) => a.flags.has(f));
  try {
    if ((yield* dirstat(sys, file)) === null) yield* post(sys, a, dest, file);
    else if (!mounts && !a.flags.has("q")) {
      yield* warn(sys, "srv", `${file} already exists`);
      return;
    }
    if (mounts) yield* mount(sys, a, file, mtpt ?? `/n/${last.slice(last.indexOf("!") + 1)}`);
  } catch (e) {
    if (!(e instanceof Bad)) throw e;
    yield* fprint(sys, 2, `srv${e.status === "dial" ? "" : ` ${dest}`}: ${e.message}\n`);
    return e.status;
  }
}

/** Posts the server. */
function* post(sys: ThreadSys, a: Args, dest: string, file: string): Task<void> {
  const fd = a.flags.has("e") ? yield* command(sys, dest) : yield* call(sys, dest);
  yield* fprint(sys, 2, "post...\n");
  let doing = `create(${file})`;
  try {
    const f = yield* sys.create(file, OWRITE, 0o666);
    doing = "write";
    yield* sys.write(f, utfencode(`${fd}`));
    yield* sys.close(f);
    yield* sys.close(fd);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    throw new Bad(`${doing}: ${e.message}`, "srv: error");
  }
}

function* call(sys: ThreadSys, dest: string): Task<number> {
  const addr = netmkaddr(dest, "tcp", "9fs");
  try {
    return yield* dial(sys, addr);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    throw new Bad(`dial ${addr}: ${e.message}`, "dial");
  }
}

/** Starts a server with the other end of a pipe as its descriptors 0 and 1. */
function* command(sys: ThreadSys, line: string): Task<number> {
  const [mine, its] = yield* sys.pipe();
  yield* sys.rfork(RFPROC | RFFDG | RFREND | RFNOTEG, function* (child: ThreadSys): Task<Exit> {
    yield* child.close(mine);
    yield* child.dup(its, 0);
    yield* child.dup(its, 1);
    yield* child.close(its);
    try {
      yield* child.exec("/bin/rc", ["rc", "-c", line]);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(child, "srv", `exec: ${e.message}`);
      return "exec";
    }
  });
  yield* sys.close(its);
  return mine;
}

function* mount(sys: ThreadSys, a: Args, file: string, where: string): Task<void> {
  try {
    const fd = yield* sys.open(file, ORDWR);
    yield* sys.mount(fd, -1, where, mountflags(a.flags), "");
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    throw new Bad(`mount failed: ${e.message}`, "mount");
  }
}
