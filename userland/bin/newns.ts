// newns: a name space made afresh as a file says, and a command in it. newns(1)
//
//	auth/newns [-ad] [-n namespace] [command [argument ...]]
//
// The file is /lib/namespace, and the command rc -i, unless said otherwise. -a adds to the name space there is.

import { RFCNAMEG, RFNAMEG } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, readtext } from "../lib/io.ts";
import { addns } from "../lib/newns.ts";

export default function* newns(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "adn:");
  const [name = "newns"] = argv;
  if (a.bad !== null) {
    yield* fprint(sys, 2, "usage: newns [-ad] [-n namespace] [cmd [args...]]\n");
    return "usage";
  }
  const nsfile = a.values.get("n") ?? "/lib/namespace";
  try {
    // Read before the name space is cleared, which the file would not survive.
    const text = yield* readtext(sys, nsfile);
    yield* sys.rfork(a.flags.has("a") ? RFNAMEG : RFCNAMEG);
    yield* addns(sys, text);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* fprint(sys, 2, `${name}: ${nsfile}: ${e.message}\n`);
    return "newns";
  }
  const words = a.rest.length > 0 ? a.rest : ["/bin/rc", "-i"];
  const [word = ""] = words;
  // The last is for its error.
  const files = /^([/#]|\.\.?\/)/.test(word) ? [word] : [word, `/bin/${word}`, word];
  let why = "";
  for (const file of files) {
    try {
      yield* sys.exec(file, words);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      why = e.message;
    }
  }
  const problem = `exec: ${word}: ${why}`;
  yield* fprint(sys, 2, `${name}: ${problem}\n`);
  return problem;
}
