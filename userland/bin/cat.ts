// cat: copies files, or descriptor 0, to descriptor 1, by streams; if it takes long, and the bytes go
// elsewhere, it says on the terminal how far it is. A directory is an error: its entries are no text. cat(1)

import { DMDIR, OREAD, OSTREAM } from "../../kernel/abi/const.ts";
import { convM2D } from "../../kernel/abi/dir.ts";
import { Eisdir, error } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { writeall } from "../lib/io.ts";
import { errtext, sysfatal } from "../lib/proc.ts";
import { type Progress, progress, progressend, watched } from "../lib/progress.ts";

export default function* cat(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  // The length is not asked for: that would be a round trip for each file.
  const watch = yield* watched(sys, { length: 0, to: 1 });
  if (argv.length <= 1) yield* copy(sys, { fd: 0, name: "<stdin>", watch });
  for (const name of argv.slice(1)) {
    const fd = yield* open(sys, name);
    yield* copy(sys, { fd, name, watch });
    yield* sys.close(fd);
  }
}

function* open(sys: ThreadSys, name: string): Task<number> {
  try {
    return yield* sys.open(name, OREAD | OSTREAM);
  } catch (e) {
    return yield* sysfatal(sys, "cat", `can't open ${name}: ${errtext(e)}`);
  }
}

/** What is copied. */
type From = { readonly fd: number; readonly name: string; readonly watch: Progress | null };

function* copy(sys: ThreadSys, { fd, name, watch }: From): Task<void> {
  const buf = new Uint8Array(65536);
  let doing = "reading";
  try {
    for (let first = true; ; first = false) {
      doing = "reading";
      const n = yield* sys.sread(fd, buf);
      if (first && maybedir(buf.subarray(0, n)) && (yield* isdir(sys, fd))) error(Eisdir);
      if (n === 0) break;
      doing = "writing";
      yield* writeall(sys, 1, buf.subarray(0, n));
      if (watch !== null) yield* progress(sys, watch, n);
    }
    if (watch !== null) yield* progressend(sys, watch);
  } catch (e) {
    if (watch !== null) yield* progressend(sys, watch);
    const what = doing === "reading" ? `error reading ${name}` : `write error copying ${name}`;
    yield* sysfatal(sys, "cat", `${what}: ${errtext(e)}`);
  }
}

/** Whether a first read may have come from a directory, one that is not empty; only then is the server asked. */
function maybedir(bytes: Uint8Array): boolean {
  return convM2D(bytes, 0, bytes.length) !== null;
}

function* isdir(sys: ThreadSys, fd: number): Task<boolean> {
  return ((yield* sys.fstat(fd)).mode & DMDIR) !== 0;
}
