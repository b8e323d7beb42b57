// uniq: of lines that are the same, one after another, one; -c: how many; -d: only those that repeat; -u: only
// those that do not; -n: not looking at n fields, +n: nor at n characters. uniq(1)

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Linereader, Output } from "../lib/bio.ts";
import { atoi } from "../lib/number.ts";
import { sysfatal } from "../lib/proc.ts";

type How = { mode: string; fields: number; letters: number };

/** What is compared of a line. */
function key(line: string, { fields, letters }: How): string {
  let s = line;
  for (let i = 0; i < fields; i++) s = s.replace(/^[ \t]*[^ \t]*/, "");
  return s.slice(letters);
}

export default function* uniq(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const how: How = { mode: "", fields: 0, letters: 0 };
  let i = 1;
  for (; i < argv.length; i++) {
    const w = argv[i] ?? "";
    if (w.startsWith("+")) how.letters = atoi(w.slice(1));
    else if (/^-[0-9]/.test(w)) how.fields = atoi(w.slice(1));
    else if (w.startsWith("-")) how.mode = w.charAt(1);
    else break;
  }
  const [name, more] = argv.slice(i);
  let fd = 0;
  try {
    if (name !== undefined) fd = yield* sys.open(name, OREAD);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return yield* sysfatal(sys, "uniq", `cannot open ${name}`);
  }
  if (more !== undefined) return yield* sysfatal(sys, "uniq", `unexpected argument ${more}`);
  const input = new Linereader(sys, fd);
  const out = new Output(sys);
  let first: string | null = null;
  let n = 0;
  for (;;) {
    const line = yield* input.line();
    const end = line === null || !input.whole;
    if (!end && first !== null && key(first, how) === key(line, how)) {
      n++;
      continue;
    }
    if (first !== null) yield* put(out, how, first, n);
    if (end) break;
    first = line;
    n = 1;
  }
  yield* out.flush();
}

function* put(out: Output, { mode }: How, line: string, n: number): Task<void> {
  if ((mode === "u" && n > 1) || (mode === "d" && n === 1)) return;
  yield* out.put(mode === "c" ? `${String(n).padStart(4)} ${line}\n` : `${line}\n`);
}
