// tail: the end of a file: ten lines, or what -n lines or -c bytes say; from a place on with +; -r backwards;
// -f goes on with what is written later. tail(1)

import { OREAD } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, writeall } from "../lib/io.ts";

const USAGE = "usage: tail [-n N] [-c N] [-f] [-r] [+-N[bc][fr]] [file]\n";
const NL = 0x0a;
/** How often -f looks for more, in ms. */
const PATIENCE = 5000;

type Options = {
  count: number | null;
  begin: boolean;
  bytes: boolean;
  reverse: boolean;
  follow: boolean;
  files: readonly string[];
  problem: "" | "usage" | "excess option";
};

/** Reads "-3", "+18" or "3": false if it is no number. */
function number(o: Options, text: string): boolean {
  const m = /^([-+]?)([0-9]+)/.exec(text);
  if (m === null) return false;
  if (m[1] === "+") o.begin = true;
  if (o.count !== null) o.problem = "excess option";
  o.count = Number(m[2]);
  return true;
}

/** What may come behind a number: b, c or l, then r or f. */
function suffix(o: Options, text: string): void {
  const m = /^[-+0-9]*([bcl]?)([rf]?)$/.exec(text);
  if (m === null) {
    o.problem ||= "usage";
    return;
  }
  if (m[1] === "b" && o.count !== null) o.count *= 1024;
  if (m[1] === "b" || m[1] === "c") o.bytes = true;
  if (m[2] === "r") o.reverse = true;
  if (m[2] === "f") o.follow = true;
}

function options(argv: readonly string[]): Options {
  const o: Options = {
    count: null,
    begin: false,
    bytes: false,
    reverse: false,
    follow: false,
    files: [],
    problem: "",
  };
  let i = 1;
  for (; i < argv.length && o.problem === ""; i++) {
    const w = argv[i] ?? "";
    if (!/^[-+]/.test(w)) break;
    if (number(o, w)) {
      suffix(o, w);
      continue;
    }
    const c = w.startsWith("-") ? w.charAt(1) : "";
    if (c === "c" || c === "n") {
      o.bytes = c === "c";
      if (!number(o, w.slice(2)) && !number(o, argv[++i] ?? "")) o.problem = "usage";
    } else if (c === "r") o.reverse = true;
    else if (c === "f") o.follow = true;
    else {
      if (c === "-") i++;
      break;
    }
  }
  o.files = argv.slice(i);
  if (o.files.length > 1) o.problem ||= "usage";
  return o;
}

export default function* tail(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const o = options(argv);
  if (o.problem === "usage") {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  if (o.problem !== "") return yield* fatal(sys, o.problem, "");
  if (o.reverse && (o.bytes || o.follow || o.begin))
    return yield* fatal(sys, "incompatible options", "");
  const [name] = o.files;
  let fd = 0;
  try {
    if (name !== undefined) fd = yield* sys.open(name, OREAD);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return yield* fatal(sys, name ?? "", e.message);
  }
  yield* show(sys, fd, o);
  if (!o.follow) return;
  const buf = new Uint8Array(8192);
  for (;;) {
    const n = yield* sys.read(fd, buf);
    if (n > 0) yield* writeall(sys, 1, buf.subarray(0, n));
    else yield* sys.sleep(PATIENCE);
  }
}

function* fatal(sys: ThreadSys, what: string, problem: string): Task<Exit> {
  yield* fprint(sys, 2, `tail: ${what}: ${problem}\n`);
  return what;
}

/** Keeps only what may be wanted of a long file. */
function* show(sys: ThreadSys, fd: number, o: Options): Task<void> {
  const count = o.count ?? (o.reverse ? Infinity : 10);
  const chunk = new Uint8Array(65536);
  let kept = new Uint8Array(0);
  let skipped = o.begin ? Math.max(0, o.bytes ? count : count - 1) : 0;
  for (;;) {
    const n = yield* sys.read(fd, chunk);
    if (n === 0) break;
    let got = chunk.subarray(0, n);
    if (o.begin) {
      const at = o.bytes ? Math.min(skipped, n) : afterlines(got, skipped);
      skipped -= o.bytes ? at : linesin(got.subarray(0, at));
      got = got.subarray(at);
      if (got.length > 0) yield* writeall(sys, 1, got);
      continue;
    }
    const all = new Uint8Array(kept.length + n);
    all.set(kept);
    all.set(got, kept.length);
    kept = all.slice(o.bytes ? Math.max(0, all.length - count) : lastlines(all, count));
  }
  if (o.begin || kept.length === 0 || count === 0) return;
  yield* writeall(sys, 1, o.reverse ? reversed(kept) : kept);
}

const linesin = (b: Uint8Array): number => b.reduce((n, c) => n + (c === NL ? 1 : 0), 0);

/** Where what follows n lines begins. */
function afterlines(b: Uint8Array, n: number): number {
  let at = 0;
  for (let i = 0; i < n; i++) {
    const nl = b.indexOf(NL, at);
    if (nl < 0) return b.length;
    at = nl + 1;
  }
  return at;
}

/** Where the last n lines begin; a last line without a newline counts. */
function lastlines(b: Uint8Array, n: number): number {
  let at = b.at(-1) === NL ? b.length - 1 : b.length;
  for (let i = 0; i < n; i++) {
    const nl = at === 0 ? -1 : b.lastIndexOf(NL, at - 1);
    if (nl < 0) return 0;
    at = nl;
  }
  return at + 1;
}

function reversed(b: Uint8Array): Uint8Array {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < b.length;) {
    const nl = b.indexOf(NL, at);
    const end = nl < 0 ? b.length : nl + 1;
    lines.unshift(b.subarray(at, end));
    at = end;
  }
  const whole = b.at(-1) === NL;
  const out = new Uint8Array(b.length + (whole ? 0 : 1));
  let off = 0;
  for (const [i, line] of lines.entries()) {
    out.set(line, off);
    off += line.length;
    if (i === 0 && !whole) out[off++] = NL;
  }
  return out;
}
