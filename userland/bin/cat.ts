// cat: copies files, or descriptor 0, to descriptor 1, by streams. cat(1)

import { OREAD, OSTREAM } from "../../kernel/const.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { writeall } from "../lib/io.ts";
import { errtext, sysfatal } from "../lib/proc.ts";

export default function* cat(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  if (argv.length <= 1) {
    yield* copy(sys, 0, "<stdin>");
    return;
  }
  for (const name of argv.slice(1)) {
    const fd = yield* open(sys, name);
    yield* copy(sys, fd, name);
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

function* copy(sys: ThreadSys, fd: number, name: string): Task<void> {
  const buf = new Uint8Array(65536);
  let doing = "reading";
  try {
    for (;;) {
      doing = "reading";
      const n = yield* sys.sread(fd, buf);
      if (n === 0) return;
      doing = "writing";
      yield* writeall(sys, 1, buf.subarray(0, n));
    }
  } catch (e) {
    const what = doing === "reading" ? `error reading ${name}` : `write error copying ${name}`;
    yield* sysfatal(sys, "cat", `${what}: ${errtext(e)}`);
  }
}
