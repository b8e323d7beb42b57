// sum: a checksum and the number of bytes of files: a cyclic one of 32 bits that knows the length; -r the one of
// old Unix, with blocks of 1024; -5 that of System V, with blocks of 512. sum(1)

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, print } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";

const POLYNOMIAL = 0xedb88320;
/** What the four bytes of the length are mixed with, so that an empty file has a sum, too. */
const LENGTHMASK = [0xcc, 0x55, 0xcc, 0x55] as const;

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, i) => {
  let c = i;
  for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1;
  return c >>> 0;
});

/** A sum: how a byte changes it, and its last form with the number of bytes. */
type Sum = {
  readonly add: (sum: number, bytes: Uint8Array) => number;
  readonly show: (sum: number, n: number) => string;
};

function crc(sum: number, bytes: Uint8Array): number {
  let c = sum;
  for (const b of bytes) c = ((TABLE[(c ^ b) & 0xff] ?? 0) ^ (c >>> 8)) >>> 0;
  return c;
}

const sum32: Sum = {
  add: crc,
  show(sum, n) {
    const length = LENGTHMASK.map((m, i) => ((n >>> (24 - 8 * i)) & 0xff) ^ m);
    const c = crc(sum, Uint8Array.from(length));
    return `${c.toString(16).padStart(8, "0")} ${String(n).padStart(6)}`;
  },
};

const blocks = (sum: number, n: number, size: number): string =>
  String(sum).padStart(5, "0") + String(Math.ceil(n / size)).padStart(6);

const sumr: Sum = {
  add(sum, bytes) {
    let s = sum;
    for (const b of bytes) s = ((s >> 1) + b + ((s & 1) === 1 ? 0x8000 : 0)) & 0xffff;
    return s;
  },
  show: (sum, n) => blocks(sum & 0xffff, n, 1024),
};

const sum5: Sum = {
  add(sum, bytes) {
    let s = sum;
    for (const b of bytes) s = (s + b) >>> 0;
    return s;
  },
  show: (sum, n) => blocks(((sum >>> 16) + sum) & 0xffff, n, 512),
};

export default function* sum(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "r5");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "Usage: sum [-r5] [files]\n");
    return "usage";
  }
  const how = a.flags.has("5") ? sum5 : a.flags.has("r") ? sumr : sum32;
  let status = "";
  for (const name of a.rest.length > 0 ? a.rest : [null]) {
    let doing = "can't open";
    try {
      const fd = name === null ? 0 : yield* sys.open(name, OREAD);
      doing = "read error";
      const text = yield* sumfile(sys, fd, how);
      yield* print(sys, `${text}${name === null ? "" : ` ${name}`}\n`);
      if (name !== null) yield* sys.close(fd);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      const what = doing === "read error" ? "read error: " : "";
      yield* warn(sys, "sum", `${name ?? "<stdin>"}: ${what}${e.message}`);
      status = doing;
    }
  }
  return status;
}

function* sumfile(sys: ThreadSys, fd: number, how: Sum): Task<string> {
  const buf = new Uint8Array(65536);
  let s = 0;
  for (let n = 0; ;) {
    const got = yield* sys.read(fd, buf);
    if (got === 0) return how.show(s, n);
    s = how.add(s, buf.subarray(0, got));
    n += got;
  }
}
