// tee: copies descriptor 0 to descriptor 1 and to files; -a: behind what they hold; -i: interrupts do not end
// it. tee(1)

import { NCONT, NDFLT, OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, writeall } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";

export default function* tee(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "aiu");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "usage: tee [-ai] [file ...]\n");
    return "usage";
  }
  if (a.flags.has("i"))
    yield* sys.notify(function* (note: string, s: unknown): Task<void> {
      yield* (s as ThreadSys).noted(note === "interrupt" ? NCONT : NDFLT);
    });
  const fds: number[] = [];
  for (const name of a.rest) {
    try {
      fds.push(yield* open(sys, name, a.flags.has("a")));
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "tee", `cannot open ${name}: ${e.message}`);
    }
  }
  fds.push(1);
  const buf = new Uint8Array(65536);
  for (;;) {
    const n = yield* sys.read(0, buf);
    if (n === 0) return;
    for (const fd of fds) {
      try {
        yield* writeall(sys, fd, buf.subarray(0, n));
      } catch (e) {
        // One that takes nothing more is no reason to keep it from the others.
        if (!(e instanceof PlanError)) throw e;
      }
    }
  }
}

function* open(sys: ThreadSys, name: string, append: boolean): Task<number> {
  if (!append) return yield* sys.create(name, OWRITE, 0o666);
  let fd;
  try {
    fd = yield* sys.open(name, OWRITE);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return yield* sys.create(name, OWRITE, 0o666);
  }
  yield* sys.seek(fd, 0, 2);
  return fd;
}
