// wc: counts lines, words, runes, bytes that are no UTF-8, bytes. wc(1)

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, print } from "../lib/io.ts";

const COLUMNS = ["l", "w", "r", "b", "c"] as const;
type Counts = { l: number; w: number; r: number; b: number; c: number };

const zero = (): Counts => ({ l: 0, w: 0, r: 0, b: 0, c: 0 });

export default function* wc(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "lwrbc");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "Usage: wc [-lwrbc] [file ...]\n");
    return "usage";
  }
  const which = COLUMNS.filter((k) =>
    a.flags.size === 0 ? k !== "r" && k !== "b" : a.flags.has(k),
  );
  const line = (n: Counts, name: string): string =>
    `${which.map((k) => String(n[k]).padStart(7)).join(" ")}${name === "" ? "" : ` ${name}`}\n`;
  const total = zero();
  let status = "";
  for (const name of a.rest.length > 0 ? a.rest : [""]) {
    try {
      const n = yield* count(sys, name);
      for (const k of COLUMNS) total[k] += n[k];
      yield* print(sys, line(n, name));
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* fprint(sys, 2, `${name}: ${e.message}\n`);
      status = "can't open";
    }
  }
  if (a.rest.length > 1) yield* print(sys, line(total, "total"));
  return status;
}

/** How many bytes of a rune follow its first byte b. */
const behind = (b: number): number => (b < 0xc2 || b > 0xf4 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3);

function* count(sys: ThreadSys, name: string): Task<Counts> {
  const fd = name === "" ? 0 : yield* sys.open(name, OREAD);
  const n = zero();
  const buf = new Uint8Array(65536);
  let inword = false;
  let left = 0;
  try {
    for (;;) {
      const got = yield* sys.read(fd, buf);
      if (got === 0) break;
      n.c += got;
      for (const b of buf.subarray(0, got)) {
        if (b === 0x0a) n.l++;
        const inside = (b & 0xc0) === 0x80;
        if (!inside) n.r++;
        // Two things are no UTF-8: a byte 10xxxxxx where no rune is unfinished, and another byte where one is.
        if (inside ? left === 0 : left > 0 || (b >= 0x80 && behind(b) === 0)) n.b++;
        left = inside ? Math.max(0, left - 1) : behind(b);
        const space = b === 0x20 || (b >= 0x09 && b <= 0x0d);
        if (!space && !inword) n.w++;
        inword = !space;
      }
    }
    return n;
  } finally {
    if (name !== "") yield* sys.close(fd);
  }
}
