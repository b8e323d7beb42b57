// fcp: copies a file by sixteen reads and writes at once, each at an offset of its own. Plan 9's fcp has sixteen
// processes for that, where one read after another is slow. cp, which uses streams, is faster; fcp is for servers
// without streams, and for comparison.
//
//	fcp [-vx] fromfile tofile
//	fcp [-vx] fromfile ... todir
//
// How far a long copy is it says on a terminal, with -v anywhere.

import { DMDIR, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import { Eshortwrite, PlanError, error } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { all } from "../lib/all.ts";
import { type Args, args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { samefile } from "../lib/copy.ts";
import { dirstat } from "../lib/dirread.ts";
import { fprint } from "../lib/io.ts";
import { basename, join } from "../lib/name.ts";
import { warn } from "../lib/proc.ts";
import { type Progress, progress, progressend, watched } from "../lib/progress.ts";

const WORKERS = 16;
const BLOCK = 8192;

/** A copy: where the next block is, and whether the end, or a failure, was met. */
type Copy = {
  readonly from: number;
  readonly to: number;
  readonly watch: Progress | null;
  next: number;
  over: boolean;
};

const USAGE = "usage:\tfcp [-gux] fromfile tofile\n\tfcp [-x] fromfile ... todir\n";

export default function* fcp(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "guvx");
  const to = a.rest.at(-1);
  if (a.bad !== null || to === undefined || a.rest.length < 2) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  const d = yield* dirstat(sys, to);
  const isdir = d !== null && (d.mode & DMDIR) !== 0;
  if (a.rest.length > 2 && !isdir) {
    yield* warn(sys, "fcp", `${to} not a directory`);
    return "bad usage";
  }
  let status = "";
  for (const from of a.rest.slice(0, -1)) {
    try {
      yield* copy(sys, from, isdir ? join(to, basename(from)) : to, a);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "fcp", e.message);
      status = "errors";
    }
  }
  return status;
}

function* copy(sys: ThreadSys, from: string, to: string, a: Args): Task<void> {
  let what = `can't stat ${from}: `;
  try {
    const d = yield* sys.stat(from);
    what = "";
    if ((d.mode & DMDIR) !== 0) throw new PlanError(`${from} is a directory`);
    const old = yield* dirstat(sys, to);
    if (old !== null && samefile(d, old))
      throw new PlanError(`${from} and ${to} are the same file`);
    what = `can't open ${from}: `;
    const fd = yield* sys.open(from, OREAD);
    what = `can't create ${to}: `;
    const tfd = yield* sys.create(to, OWRITE, d.mode & 0o777);
    what = `error copying ${from} to ${to}: `;
    const watch = yield* watched(sys, { length: d.length, force: a.flags.has("v") });
    const c: Copy = { from: fd, to: tfd, watch, next: 0, over: false };
    const done = yield* all(
      sys,
      Array.from({ length: WORKERS }, () => work(sys, c)),
    );
    if (watch !== null) yield* progressend(sys, watch);
    for (const o of done) if (!o.ok) throw o.error;
    yield* sys.close(fd);
    yield* sys.close(tfd);
    if (a.flags.has("x")) yield* sys.wstat(to, { mode: d.mode, mtime: d.mtime });
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    throw new PlanError(what + e.message);
  }
}

/** Copies block after block of those that no process has taken. */
function* work(sys: ThreadSys, c: Copy): Task<void> {
  const buf = new Uint8Array(BLOCK);
  try {
    while (!c.over) {
      const at = c.next;
      c.next += BLOCK;
      let n = 0;
      while (n < BLOCK) {
        const got = yield* sys.pread(c.from, buf.subarray(n), at + n);
        if (got === 0) break;
        n += got;
      }
      for (let m = 0; m < n;) {
        const put = yield* sys.pwrite(c.to, buf.subarray(m, n), at + m);
        if (put === 0) error(Eshortwrite);
        m += put;
      }
      if (c.watch !== null) yield* progress(sys, c.watch, n);
      if (n < BLOCK) c.over = true;
    }
  } catch (e) {
    if (e instanceof PlanError) c.over = true;
    throw e;
  }
}
