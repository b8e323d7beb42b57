// chmod: changes the permissions of files. chmod(1)
//
//	chmod 664 file      the permissions themselves
//	chmod go-w+ file    who (u, g, o, a), what is done (+, -, =), and which of r, w, x, a, l, t

import { DMAPPEND, DMEXCL, DMTMP } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";

const USAGE = "usage: chmod 0777 file ... or chmod [who]op[rwxalt] file ...\n";

type Change = { readonly mask: number; readonly mode: number };

const WHO: ReadonlyMap<string, number> = new Map([
  ["u", 0o700],
  ["g", 0o070],
  ["o", 0o007],
  ["a", 0o777],
]);
const WHAT: ReadonlyMap<string, number> = new Map([
  ["r", 0o444],
  ["w", 0o222],
  ["x", 0o111],
  ["a", DMAPPEND],
  ["l", DMEXCL],
  ["t", DMTMP],
]);

/** What a mode asks for; null where it is none. */
function parsemode(spec: string): Change | null {
  if (/^[0-7]+$/.test(spec)) return { mask: 0o777, mode: Number.parseInt(spec, 8) };
  const m = /^([ugoa]*)([-+=])([rwxalt]*)$/.exec(spec);
  if (m === null) return null;
  const [, who = "", op = "", what = ""] = m;
  const bits = (set: string, table: ReadonlyMap<string, number>): number =>
    Array.from(set).reduce((n, c) => n | (table.get(c) ?? 0), 0);
  const all = (who === "" ? 0o777 : bits(who, WHO)) | DMAPPEND | DMEXCL | DMTMP;
  const mode = bits(what, WHAT);
  if (op === "=") return { mask: all, mode };
  return { mask: all & mode, mode: op === "+" ? mode : ~mode };
}

export default function* chmod(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const [, spec, ...files] = argv;
  if (spec === undefined || files.length === 0) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  const change = parsemode(spec);
  if (change === null) {
    yield* warn(sys, "chmod", `bad mode: ${spec}`);
    return "mode";
  }
  for (const file of files) {
    let doing = "stat";
    try {
      const { mode } = yield* sys.stat(file);
      doing = "wstat";
      yield* sys.wstat(file, {
        mode: ((mode & ~change.mask) | (change.mode & change.mask)) >>> 0,
      });
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "chmod", `can't ${doing} ${file}: ${e.message}`);
    }
  }
}
