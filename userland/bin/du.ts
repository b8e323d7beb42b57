// du: how much room files take, directories with all that is in them. du(1)
//
//	du [-aefhnqstu] [-b size] [-p si-prefix] [file ...]
//
// -a: each file; -s: only what is named; -n: bytes of each file; -h: with a prefix; -e: not rounded; -q: qids;
// -t: times, with -u of access; -f: no complaints; -b: the size of blocks; -p: the unit.

import { DMDIR } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { type Args, args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { readdir } from "../lib/dirread.ts";
import { fprint, print } from "../lib/io.ts";
import { formatg } from "../lib/number.ts";
import { warn } from "../lib/proc.ts";
import { rcquote } from "../lib/rc/word.ts";

const USAGE = "usage: du [-aefhnqstu] [-b size] [-p si-pfx] [file ...]\n";
const KILO = 1024;
const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"] as const;

type How = { readonly a: Args; readonly block: number; readonly unit: number };

/** The size of a block: "8k" is 8192, and what is no number 1. */
function blocksize(text: string): number {
  const m = /^([0-9]*)(k*)/.exec(text);
  const n = m?.[1] === undefined || m[1] === "" ? 1 : Number(m[1]);
  return Math.max(1, n * KILO ** (m?.[2]?.length ?? 0));
}

export default function* du(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "aefhnqrstub:p:");
  if (a.bad !== null) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  const prefix = a.values.get("p");
  const scale = PREFIXES.findIndex((p) => p.toLowerCase() === prefix?.toLowerCase());
  if (prefix !== undefined && scale < 0) {
    yield* warn(sys, "du", `unknown suffix ${prefix}`);
    return `unknown suffix ${prefix}`;
  }
  const plain = ["n", "q", "t", "u", "h"].some((f) => a.flags.has(f));
  const how: How = {
    a,
    block: a.flags.has("n") ? 1 : blocksize(a.values.get("b") ?? `${KILO}`),
    unit: prefix !== undefined ? KILO ** scale : plain ? 1 : KILO,
  };
  for (const name of a.rest.length > 0 ? a.rest : ["."]) {
    const n = yield* size(sys, how, name, yield* stat(sys, how, name));
    yield* print(sys, line(how, n, name));
  }
}

function* stat(sys: ThreadSys, how: How, name: string): Task<Dir | null> {
  try {
    return yield* sys.stat(name);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    if (!how.a.flags.has("f")) yield* warn(sys, "du", `${name}: ${e.message}`);
    return null;
  }
}

/** What is printed of a file: its size, or its qid or time in place of that. */
function value({ a }: How, d: Dir, n: number): number {
  if (a.flags.has("q")) return Number(d.qid.path);
  if (a.flags.has("t")) return a.flags.has("u") ? d.atime : d.mtime;
  return n;
}

const blocks = (how: How, length: number): number => Math.ceil(length / how.block) * how.block;

function* size(sys: ThreadSys, how: How, name: string, d: Dir | null): Task<number> {
  if (d === null) return 0;
  if ((d.mode & DMDIR) === 0) return value(how, d, blocks(how, d.length));
  let total = 0;
  try {
    for (const e of yield* readdir(sys, name)) {
      const file = `${name}/${e.name}`;
      const isdir = (e.mode & DMDIR) !== 0;
      const n = isdir ? yield* size(sys, how, file, e) : blocks(how, e.length);
      total += n;
      if (isdir ? !how.a.flags.has("s") : how.a.flags.has("a") || how.a.flags.has("n"))
        yield* print(sys, line(how, value(how, e, n), file));
    }
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    if (!how.a.flags.has("f")) yield* warn(sys, "du", `${name}: ${e.message}`);
  }
  return value(how, d, total);
}

function line({ a, unit }: How, amount: number, name: string): string {
  let text: string;
  if (a.flags.has("q")) text = amount.toString(16).padStart(16, "0");
  else if (a.flags.has("h")) {
    let n = amount / unit;
    let scale = 0;
    for (; Math.abs(n) >= KILO && scale < PREFIXES.length - 1; scale++) n /= KILO;
    text = formatg(n) + (PREFIXES[scale] ?? "");
  } else text = a.flags.has("e") ? formatg(amount / unit) : `${Math.ceil(amount / unit)}`;
  return `${text}\t${rcquote(name)}\n`;
}
