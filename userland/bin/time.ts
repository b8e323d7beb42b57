// time: runs a command and says how long it took: in the program, in the kernel, by the clock. time(1)

import { NCONT, RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint } from "../lib/io.ts";
import { rcquote } from "../lib/rc/word.ts";

const seconds = (ms: number): string => (ms / 1000).toFixed(2);

export default function* time(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const words = argv.slice(1);
  const [name] = words;
  if (name === undefined) {
    yield* fprint(sys, 2, "usage: time command\n");
    return "usage";
  }
  const pid = yield* sys.rfork(RFPROC | RFFDG, function* (child: ThreadSys): Task<Exit> {
    yield* child.notify(null);
    return yield* run(child, words, name);
  });
  // An interrupt is for the command; what it took is said all the same.
  yield* sys.notify(function* (_note: string, s: unknown): Task<void> {
    yield* (s as ThreadSys).noted(NCONT);
  });
  for (;;) {
    try {
      const w = yield* sys.wait();
      if (w.pid !== pid) continue;
      const [user, system, real] = w.time;
      const text = words.map(rcquote).join(" ");
      const times = `${seconds(user)}u ${seconds(system)}s ${seconds(real)}r`;
      yield* fprint(sys, 2, `${times} \t ${text}${w.msg === "" ? "" : ` # status= ${w.msg}`}\n`);
      return w.msg;
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      if (e.message !== "interrupted") return e.message;
    }
  }
}

function* run(sys: ThreadSys, words: readonly string[], name: string): Task<Exit> {
  let problem = "";
  for (const file of /^(\/|\.\/|\.\.\/|#)/.test(name) ? [name] : [name, `/bin/${name}`]) {
    try {
      yield* sys.exec(file, words);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      problem = e.message;
    }
  }
  yield* fprint(sys, 2, `${name}: ${problem}\n`);
  return problem;
}
