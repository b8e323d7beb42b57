// wc: counts lines, words, runes, bytes. wc(1)

import { OREAD } from "../../kernel/abi/const.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, print } from "../lib/io.ts";
import { errtext, warn } from "../lib/proc.ts";

type Counts = { l: number; w: number; r: number; c: number };

export default function* wc(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "lwrc");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "usage: wc [-lwrc] [file ...]\n");
    return "usage";
  }
  const which = (["l", "w", "r", "c"] as const).filter((k) =>
    a.flags.size === 0 ? k !== "r" : a.flags.has(k),
  );
  const line = (n: Counts, name: string): string =>
    `${which.map((k) => String(n[k]).padStart(7)).join(" ")}${name === "" ? "" : ` ${name}`}\n`;
  const total: Counts = { l: 0, w: 0, r: 0, c: 0 };
  let status = "";
  for (const name of a.rest.length > 0 ? a.rest : [""]) {
    try {
      const n = yield* count(sys, name);
      for (const k of ["l", "w", "r", "c"] as const) total[k] += n[k];
      yield* print(sys, line(n, name));
    } catch (e) {
      yield* warn(sys, "wc", `can't open ${name}: ${errtext(e)}`);
      status = "can't open";
    }
  }
  if (a.rest.length > 1) yield* print(sys, line(total, "total"));
  return status;
}

function* count(sys: ThreadSys, name: string): Task<Counts> {
  const fd = name === "" ? 0 : yield* sys.open(name, OREAD);
  const n: Counts = { l: 0, w: 0, r: 0, c: 0 };
  const buf = new Uint8Array(65536);
  let inword = false;
  try {
    for (;;) {
      const got = yield* sys.read(fd, buf);
      if (got === 0) return n;
      n.c += got;
      for (const b of buf.subarray(0, got)) {
        if (b === 0x0a) n.l++;
        if ((b & 0xc0) !== 0x80) n.r++;
        const space = b === 0x20 || (b >= 0x09 && b <= 0x0d);
        if (!space && !inword) n.w++;
        inword = !space;
      }
    }
  } finally {
    if (name !== "") yield* sys.close(fd);
  }
}
