// ed: edits a text by commands. ed(1)
//
//	ed [-] [-o] [file]
//
// - : without the counts of characters; -o: what p prints goes to descriptor 2, and the text to 1 at the end. What
// is wrong is answered with a question mark.

import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Editor } from "../lib/ed.ts";
import { fprint } from "../lib/io.ts";

export default function* ed(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  let quiet = false;
  let tostdout = false;
  let i = 1;
  for (; argv[i]?.startsWith("-") === true; i++) {
    if (argv[i] === "-") quiet = true;
    else if (argv[i] === "-o") tostdout = true;
    else break;
  }
  const [file, ...more] = argv.slice(i);
  if (more.length > 0) {
    yield* fprint(sys, 2, "usage: ed [-] [-o] [file]\n");
    return "usage";
  }
  return yield* new Editor(sys, { quiet: quiet || tostdout, tostdout }).run(file ?? null);
}
