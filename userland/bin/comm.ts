// comm: lines of two sorted files: in the first only, in the second only, in both; -1, -2, -3 leave a column
// out. comm(1)

import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Linereader, Output } from "../lib/bio.ts";
import { fprint, openinput } from "../lib/io.ts";
import { bytewise } from "../lib/rc/word.ts";

export default function* comm(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  let names = argv.slice(1);
  let off = "";
  const [first] = names;
  if (first !== undefined && /^-[123]+$/.test(first)) {
    off = first;
    names = names.slice(1);
  }
  const [name1, name2, ...more] = names;
  if (name1 === undefined || name2 === undefined || more.length > 0 || name1 === "") {
    yield* fprint(sys, 2, "usage: comm [-123] file1 file2\n");
    return "usage";
  }
  const readers: Linereader[] = [];
  for (const name of [name1, name2]) {
    const fd = yield* openinput(sys, "comm", name === "-" ? undefined : name);
    if (fd < 0) return "open";
    readers.push(new Linereader(sys, fd));
  }
  const [one, two] = readers;
  if (one === undefined || two === undefined) return;
  const out = new Output(sys);
  const indent = (column: number): string =>
    "\t".repeat([1, 2, 3].filter((c) => c < column && !off.includes(`${c}`)).length);
  const put = function* (column: number, line: string): Task<void> {
    if (!off.includes(`${column}`)) yield* out.put(`${indent(column)}${line}\n`);
  };
  let a = yield* one.line();
  let b = yield* two.line();
  while (a !== null || b !== null) {
    const order = a === null ? 1 : b === null ? -1 : bytewise(a, b);
    if (order < 0) yield* put(1, a ?? "");
    else if (order > 0) yield* put(2, b ?? "");
    else yield* put(3, a ?? "");
    if (order <= 0) a = yield* one.line();
    if (order >= 0) b = yield* two.line();
  }
  yield* out.flush();
}
