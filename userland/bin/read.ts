// read: copies one line, -n as many, -m all; what comes behind the line is left to others. cat(1)

import { PlanError } from "../../kernel/abi/errors.ts";
import { OREAD } from "../../kernel/abi/const.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, writeall } from "../lib/io.ts";
import { atoi } from "../lib/number.ts";
import { warn } from "../lib/proc.ts";

const NL = 0x0a;

export default function* read(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "mn:");
  if (a.bad !== null) {
    yield* fprint(sys, 2, "usage: read [-m] [-n nlines] [files...]\n");
    return "usage";
  }
  const given = a.values.get("n");
  const count = given === undefined ? (a.flags.has("m") ? Infinity : 1) : atoi(given);
  if (a.rest.length === 0) return (yield* lines(sys, 0, count)) ? "eof" : "";
  let eof = false;
  for (const name of a.rest) {
    let fd;
    try {
      fd = yield* sys.open(name, OREAD);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* warn(sys, "read", `can't open ${name}: ${e.message}`);
      return "open";
    }
    eof = (yield* lines(sys, fd, count)) || eof;
    yield* sys.close(fd);
  }
  return eof ? "eof" : "";
}

/** Copies so many lines, one at least; whether it met the end of the file. */
function* lines(sys: ThreadSys, fd: number, count: number): Task<boolean> {
  for (let n = 0; n === 0 || n < count; n++) {
    const line = yield* readline(sys, fd);
    if (line.length === 0) return true;
    yield* writeall(sys, 1, line);
  }
  return false;
}

/** One line with its newline, a byte at a time, so that nothing behind it is read. */
function* readline(sys: ThreadSys, fd: number): Task<Uint8Array> {
  let buf = new Uint8Array(128);
  for (let n = 0; ; n++) {
    if (n === buf.length) {
      const more = new Uint8Array(2 * n);
      more.set(buf);
      buf = more;
    }
    const got = yield* sys.read(fd, buf.subarray(n, n + 1));
    if (got === 0) return buf.subarray(0, n);
    if (buf[n] === NL) return buf.subarray(0, n + 1);
  }
}
