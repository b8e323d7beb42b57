// strings: text in files that are not text: runs of six characters or more (-m: as many), each with its place.
// strings(1)

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfdecode, utflen } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Output } from "../lib/bio.ts";
import { fprint, readall } from "../lib/io.ts";
import { atoi } from "../lib/number.ts";
import { warn } from "../lib/proc.ts";

const MINSPAN = 6;
const MAXSPAN = 69;

/** Whether a character is one that people write. */
const isprint = (c: number): boolean =>
  (c >= 0x20 && c < 0x7f) || (c > 0xa0 && !(c >= 0xd800 && c <= 0xdfff));

export default function* strings(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "m:");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "usage: strings [-m min] [file...]\n");
    return "usage";
  }
  const min = atoi(a.values.get("m") ?? `${MINSPAN}`);
  const out = new Output(sys);
  for (const name of a.rest.length > 0 ? a.rest : [null]) {
    try {
      const fd = name === null ? 0 : yield* sys.open(name, OREAD);
      if (a.rest.length > 2) yield* out.put(`${name}:\n`);
      const bytes = yield* readall(sys, fd);
      yield* spans(utfdecode(bytes, 0, bytes.length), min, out);
      if (name !== null) yield* sys.close(fd);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "strings", `open: ${e.message}`);
    }
  }
  yield* out.flush();
}

/** Prints the runs of a text with the byte that each begins at; a long one goes on in the next line. */
function* spans(text: string, min: number, out: Output): Task<void> {
  let offset = 0;
  let span = "";
  let start = 0;
  let n = 0;
  for (const c of [...Array.from(text), ""]) {
    const prints = c !== "" && isprint(c.codePointAt(0) ?? 0);
    if (prints) {
      // As in Plan 9's, a run at the very beginning is said to begin at its second byte.
      if (start === 0) start = offset;
      span += c;
      n++;
    }
    if (n === MAXSPAN || (!prints && n >= min))
      yield* out.put(`${String(start).padStart(8)}: ${span}${n === MAXSPAN ? " ..." : ""}\n`);
    if (n === MAXSPAN || !prints) {
      span = "";
      start = 0;
      n = 0;
    }
    offset += utflen(c);
  }
}
