// lc: names of files in columns: what ls -p says, side by side. ls(1)

import { RFFDG, RFPROC } from "../../kernel/abi/const.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { print, readall } from "../lib/io.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import ls from "./ls.ts";

/** How wide a page is. */
const WIDTH = 80;

export default function* lc(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const [mine, its] = yield* sys.pipe();
  const pid = yield* sys.rfork(RFPROC | RFFDG, function* (child: ThreadSys): Task<Exit> {
    yield* child.close(mine);
    yield* child.dup(its, 1);
    yield* child.close(its);
    return yield* ls(child, ["ls", "-p", ...argv.slice(1)]);
  });
  yield* sys.close(its);
  const bytes = yield* readall(sys, mine);
  yield* sys.close(mine);
  const names = utfdecode(bytes, 0, bytes.length).split("\n").slice(0, -1);
  yield* print(sys, columns(names));
  for (;;) {
    const w = yield* sys.wait();
    if (w.pid === pid) return w.msg.replace(/^[^:]*: /, "");
  }
}

/** The words in columns, from above to below: as many columns as the longest word lets. */
function columns(words: readonly string[]): string {
  if (words.length === 0) return "";
  const width = Math.max(...words.map((w) => w.length)) + 1;
  const ncol = Math.max(1, Math.floor(WIDTH / width));
  const nrow = Math.ceil(words.length / ncol);
  let text = "";
  for (let row = 0; row < nrow; row++) {
    const line = words.filter((_w, i) => i % nrow === row);
    text += `${line.map((w, i) => (i < line.length - 1 ? w.padEnd(width) : w)).join("")}\n`;
  }
  return text;
}
