// cmp: compares two files; says where they differ first, with -l everywhere, with -L in which line; -s says
// nothing. Offsets are where each file begins. cmp(1)

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { type Args, args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Output } from "../lib/bio.ts";
import { fprint } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";

const BUF = 65536;
const USAGE = "usage: cmp [-lLs] file1 file2 [offset1 [offset2] ]\n";

/** One of the two: its name, its descriptor, and what was read and not compared. */
type Side = { readonly name: string; readonly fd: number; data: Uint8Array; buf: Uint8Array };

export default function* cmp(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "lLs");
  const [name1, name2, ...offsets] = a.rest;
  const odd = offsets.length > 2 || offsets.some((o) => !/^[0-9]/.test(o));
  if (a.bad !== null || name1 === undefined || name2 === undefined || odd) {
    yield* fprint(sys, 1, USAGE);
    return "usage";
  }
  const sides: Side[] = [];
  for (const name of [name1, name2]) {
    try {
      const fd = yield* sys.open(name, OREAD);
      sides.push({ name, fd, data: new Uint8Array(0), buf: new Uint8Array(BUF) });
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      if (!a.flags.has("s")) yield* warn(sys, "cmp", `${name}: ${e.message}`);
      return "open";
    }
  }
  const [one, two] = sides;
  if (one === undefined || two === undefined) return;
  for (const [i, side] of sides.entries()) {
    const offset = Number(offsets[i] ?? 0);
    if (offset > 0) yield* sys.seek(side.fd, offset, 0);
  }
  return yield* compare(sys, a, one, two);
}

function* compare(sys: ThreadSys, a: Args, one: Side, two: Side): Task<Exit> {
  const out = new Output(sys);
  const s = a.flags.has("s");
  let done = 0;
  let line = 1;
  for (;;) {
    yield* more(sys, one);
    yield* more(sys, two);
    const n = Math.min(one.data.length, two.data.length);
    if (n === 0) break;
    for (let i = 0; i < n; i++) {
      const [x, y] = [one.data[i] ?? 0, two.data[i] ?? 0];
      if (x === 0x0a) line++;
      if (x === y) continue;
      if (s) return "differ";
      if (!a.flags.has("l")) {
        const where = a.flags.has("L") ? ` line ${line}` : "";
        yield* fprint(sys, 1, `${one.name} ${two.name} differ: char ${done + i + 1}${where}\n`);
        return "differ";
      }
      const hex = (b: number): string => `0x${b.toString(16).padStart(2, "0")}`;
      yield* out.put(`${String(done + i + 1).padStart(6)} ${hex(x)} ${hex(y)}\n`);
    }
    done += n;
    one.data = one.data.subarray(n);
    two.data = two.data.subarray(n);
  }
  yield* out.flush();
  if (one.data.length === two.data.length) return;
  const short = one.data.length > 0 ? two : one;
  if (!s) yield* fprint(sys, 1, `EOF on ${short.name} after ${done} bytes\n`);
  return "EOF";
}

function* more(sys: ThreadSys, side: Side): Task<void> {
  if (side.data.length > 0) return;
  side.data = side.buf.subarray(0, yield* sys.read(side.fd, side.buf));
}
