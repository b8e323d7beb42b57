// comm: lines of two sorted files: in the first only, in the second only, in both; -1, -2, -3 leave a column
// out. comm(1)

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Linereader, Output } from "../lib/bio.ts";
import { fprint } from "../lib/io.ts";
import { bytewise } from "../lib/rc/word.ts";

export default function* comm(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const { flags, rest, bad } = args(argv, "123");
  const [name1, name2] = rest;
  if (bad !== null || name1 === undefined || name2 === undefined) {
    yield* fprint(sys, 2, "usage: comm [-123] file1 file2\n");
    return "usage";
  }
  const readers: Linereader[] = [];
  for (const name of [name1, name2]) {
    try {
      const fd = name === "-" ? 0 : yield* sys.open(name, OREAD);
      readers.push(new Linereader(sys, fd));
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* fprint(sys, 2, `comm: cannot open ${name}: ${e.message}\n`);
      return "open";
    }
  }
  const [one, two] = readers;
  if (one === undefined || two === undefined) return;
  const out = new Output(sys);
  const indent = (column: number): string =>
    "\t".repeat([1, 2, 3].filter((c) => c < column && !flags.has(`${c}`)).length);
  const put = function* (column: number, line: string): Task<void> {
    if (!flags.has(`${column}`)) yield* out.put(`${indent(column)}${line}\n`);
  };
  let a = yield* whole(one);
  let b = yield* whole(two);
  while (a !== null || b !== null) {
    const order = a === null ? 1 : b === null ? -1 : bytewise(a, b);
    if (order < 0) yield* put(1, a ?? "");
    else if (order > 0) yield* put(2, b ?? "");
    else yield* put(3, a ?? "");
    if (order <= 0) a = yield* whole(one);
    if (order >= 0) b = yield* whole(two);
  }
  yield* out.flush();
}

/** The next line; a last one without a newline is none. */
function* whole(input: Linereader): Task<string | null> {
  const line = yield* input.line();
  return input.whole ? line : null;
}
