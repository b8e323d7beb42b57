// dd: copies blocks and converts them. dd(1)
//
//	dd [-option value ...]
//
// -if and -of name files; -ibs, -obs and -bs sizes (512); -count, -skip, -iseek, -oseek blocks; -iseekb, -oseekb
// bytes; -conv lcase,ucase,swab,noerror,sync; -trunc 0 keeps what -of holds; -quiet 1 says nothing at the end.

import { OREAD, OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint } from "../lib/io.ts";
import { warn } from "../lib/proc.ts";

const SIZES = ["ibs", "obs", "cbs", "bs"] as const;
const COUNTS = ["skip", "seek", "oseek", "iseek", "iseekb", "oseekb", "count", "files"] as const;
const FLAGS = ["trunc", "quiet"] as const;
const NUMBERS: readonly string[] = [...SIZES, ...COUNTS, ...FLAGS];
const CONVERSIONS: readonly string[] = ["lcase", "ucase", "swab", "noerror", "sync"];
/** The largest block. */
const BIG = 2 ** 31 - 1;

type Options = {
  readonly numbers: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<string, string>;
  readonly conv: ReadonlySet<string>;
};

/** A number with k, b or x behind it: number("2x4k") is 8192. */
function number(text: string): number {
  return text
    .split("x")
    .map((t) => {
      const m = /^([0-9]*)([kb]*)$/.exec(t);
      if (m === null) return NaN;
      const unit = Array.from(m[2] ?? "").reduce((n, c) => n * (c === "k" ? 1024 : 512), 1);
      return Number(m[1] ?? 0) * unit;
    })
    .reduce((x, y) => x * y, 1);
}

function options(argv: readonly string[]): Options | string {
  const numbers = new Map<string, number>();
  const names = new Map<string, string>();
  const conv = new Set<string>();
  for (let i = 1; i < argv.length; i += 2) {
    const key = argv[i] ?? "";
    const value = argv[i + 1];
    if (value === undefined) return `arg ${key} needs a value`;
    const name = key.startsWith("-") ? key.slice(1) : "";
    if (name === "if" || name === "of") names.set(name, value);
    else if (NUMBERS.includes(name)) {
      const n = number(value);
      const sized = (SIZES as readonly string[]).includes(name);
      if (!Number.isSafeInteger(n) || (sized && n > BIG)) return `argument ${value} out of range`;
      numbers.set(name, n);
    } else if (name === "conv") {
      for (const c of value.split(",").filter((w) => w !== "")) {
        if (!CONVERSIONS.includes(c)) return `bad conv ${value}`;
        conv.add(c);
      }
    } else return `bad arg: ${key}`;
  }
  return { numbers, names, conv };
}

/** What was read and written: whole blocks, and shorter ones. */
class Copy {
  readonly sys: ThreadSys;
  readonly opts: Options;
  readonly ibs: number;
  readonly obs: number;
  readonly out: number;
  readonly in = { full: 0, part: 0 };
  readonly outs = { full: 0, part: 0 };
  #pending: Uint8Array;
  #n = 0;

  constructor(sys: ThreadSys, opts: Options, out: number) {
    const bs = opts.numbers.get("bs") ?? 0;
    this.sys = sys;
    this.opts = opts;
    this.ibs = bs || (opts.numbers.get("ibs") ?? 512);
    this.obs = bs || (opts.numbers.get("obs") ?? 512);
    this.out = out;
    this.#pending = new Uint8Array(0);
  }

  #convert(block: Uint8Array): void {
    const { conv } = this.opts;
    if (conv.has("swab"))
      for (let i = 0; i + 1 < block.length; i += 2)
        [block[i], block[i + 1]] = [block[i + 1] ?? 0, block[i] ?? 0];
    for (let i = 0; i < block.length; i++) {
      const c = block[i] ?? 0;
      if (conv.has("ucase") && c >= 0x61 && c <= 0x7a) block[i] = c - 32;
      else if (conv.has("lcase") && c >= 0x41 && c <= 0x5a) block[i] = c + 32;
    }
  }

  /** Writes what there is as one record. */
  *#record(block: Uint8Array): Task<void> {
    if (block.length === 0) return;
    yield* this.sys.write(this.out, block);
    if (block.length === this.obs) this.outs.full++;
    else this.outs.part++;
  }

  *put(block: Uint8Array): Task<void> {
    this.#convert(block);
    const { conv } = this.opts;
    if (this.ibs === this.obs && !conv.has("lcase") && !conv.has("ucase"))
      return yield* this.#record(block);
    if (this.#pending.length === 0) this.#pending = new Uint8Array(this.obs);
    for (let o = 0; o < block.length;) {
      const n = Math.min(block.length - o, this.obs - this.#n);
      this.#pending.set(block.subarray(o, o + n), this.#n);
      this.#n += n;
      o += n;
      if (this.#n === this.obs) yield* this.flush();
    }
  }

  *flush(): Task<void> {
    const n = this.#n;
    this.#n = 0;
    yield* this.#record(this.#pending.subarray(0, n));
  }

  *stats(): Task<void> {
    if ((this.opts.numbers.get("quiet") ?? 0) !== 0) return;
    const { full, part } = this.in;
    yield* fprint(
      this.sys,
      2,
      `${full}+${part} records in\n${this.outs.full}+${this.outs.part} records out\n`,
    );
  }
}

export default function* dd(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const opts = options(argv);
  if (typeof opts === "string") {
    yield* warn(sys, "dd", opts);
    return opts.endsWith("out of range") ? "range" : "arg";
  }
  const infile = opts.names.get("if");
  const outfile = opts.names.get("of");
  let doing = "open";
  let input = 0;
  let output = 1;
  try {
    if (infile !== undefined) input = yield* sys.open(infile, OREAD);
    doing = "create";
    if (outfile !== undefined && opts.numbers.get("trunc") === 0)
      output = yield* sys.open(outfile, OWRITE);
    else if (outfile !== undefined) output = yield* sys.create(outfile, OWRITE, 0o664);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* warn(sys, "dd", `${doing} ${doing === "open" ? infile : outfile}: ${e.message}`);
    return doing;
  }
  const c = new Copy(sys, opts, output);
  if (c.ibs === 0 || c.obs === 0) {
    yield* warn(sys, "dd", "counts: cannot be zero");
    return "counts";
  }
  yield* seeks(sys, c, input);
  return yield* copy(sys, c, input);
}

function* seeks(sys: ThreadSys, c: Copy, input: number): Task<void> {
  const n = (name: string): number => c.opts.numbers.get(name) ?? 0;
  const to = n("seek") + n("oseek");
  if (to > 0) yield* sys.seek(c.out, c.obs * to, 1);
  if (n("iseek") > 0) yield* sys.seek(input, c.ibs * n("iseek"), 1);
  if (n("iseekb") > 0) yield* sys.seek(input, n("iseekb"), 0);
  if (n("oseekb") > 0) yield* sys.seek(c.out, n("oseekb"), 0);
  const buf = new Uint8Array(c.ibs);
  for (let i = 0; i < n("skip"); i++) if ((yield* sys.read(input, buf)) === 0) break;
}

function* copy(sys: ThreadSys, c: Copy, input: number): Task<Exit> {
  const count = c.opts.numbers.get("count") ?? 0;
  const { conv } = c.opts;
  const buf = new Uint8Array(c.ibs);
  let doing = "read";
  try {
    while (count === 0 || c.in.full + c.in.part < count) {
      doing = "read";
      if (conv.has("sync")) buf.fill(0);
      const n = yield* sys.read(input, buf);
      if (n === 0) break;
      if (n === c.ibs) c.in.full++;
      else c.in.part++;
      doing = "write";
      yield* c.put(buf.slice(0, conv.has("sync") ? c.ibs : n));
    }
    doing = "write";
    yield* c.flush();
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* warn(sys, "dd", `${doing}: ${e.message}`);
    if (doing === "read") yield* c.flush();
    yield* c.stats();
    return "errors";
  }
  yield* c.stats();
}
