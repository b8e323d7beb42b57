// ls: lists directories and files. ls(1)
//
//	ls [-dlnpqrt] [name ...]
//
// -d: the directories themselves; -l: long; -q: with qids; -p: last elements only; -t: latest first; -n: in the
// order read; -r: reversed.

import { DMDIR } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { type Args, args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { lstime } from "../lib/ctime.ts";
import { readdir } from "../lib/dirread.ts";
import { fprint, print } from "../lib/io.ts";
import { modestring, qidstring } from "../../kernel/abi/modes.ts";
import { basename, join } from "../lib/name.ts";
import { errtext, warn } from "../lib/proc.ts";
import { quote } from "../../kernel/abi/quote.ts";

type Entry = { readonly name: string; readonly d: Dir };

export default function* ls(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "dlnpqrt");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "usage: ls [-dlnpqrt] [file ...]\n");
    return "usage";
  }
  const now = a.flags.has("l") ? Number((yield* sys.nsec()) / 1_000_000_000n) : 0;
  const singles: Entry[] = [];
  let status = "";
  for (const name of a.rest.length > 0 ? a.rest : ["."]) {
    try {
      const d = yield* sys.stat(name);
      if ((d.mode & DMDIR) === 0 || a.flags.has("d")) singles.push({ name, d });
      else yield* print(sys, lines(a, yield* list(sys, name), now));
    } catch (e) {
      yield* warn(sys, "ls", `${name}: ${errtext(e)}`);
      status = "errors";
    }
  }
  yield* print(sys, lines(a, singles, now));
  return status;
}

function* list(sys: ThreadSys, dir: string): Task<Entry[]> {
  const all = yield* readdir(sys, dir);
  return all.map((d) => ({ name: dir === "." ? d.name : join(dir, d.name), d }));
}

/** The entries, sorted, in columns as wide as they need to be. */
function lines(a: Args, entries: readonly Entry[], now: number): string {
  const all = a.flags.has("n") ? [...entries] : entries.toSorted((x, y) => order(a, x, y));
  if (a.flags.has("r")) all.reverse();
  const long = a.flags.has("l");
  const rows = all.map(({ name, d }) => [
    ...(a.flags.has("q") ? [qidstring(d.qid)] : []),
    ...(long ? [modestring(d.mode), String.fromCodePoint(d.type || 0x2d), `${d.dev}`] : []),
    ...(long ? [d.uid, d.gid, `${d.length}`, lstime(d.mtime, now)] : []),
    quote(a.flags.has("p") ? basename(name) : name),
  ]);
  const width = (i: number): number => Math.max(...rows.map((row) => row[i]?.length ?? 0));
  const widths = (rows[0] ?? []).map((_w, i) => width(i));
  const numbers = (a.flags.has("q") ? 1 : 0) + 2;
  const cell = (w: string, i: number, last: number): string => {
    if (i === last) return w;
    const right = long && (i === numbers || i === numbers + 3);
    return right ? w.padStart(widths[i] ?? 0) : w.padEnd(widths[i] ?? 0);
  };
  return rows.map((row) => `${row.map((w, i) => cell(w, i, row.length - 1)).join(" ")}\n`).join("");
}

function order(a: Args, x: Entry, y: Entry): number {
  if (a.flags.has("t") && x.d.mtime !== y.d.mtime) return y.d.mtime - x.d.mtime;
  return x.name < y.name ? -1 : x.name > y.name ? 1 : 0;
}
