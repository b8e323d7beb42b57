// split: cuts a file into files xaa, xab and so on. split(1)
//
//	split [-n lines] [-e exp] [-f stem] [-s suffix] [-x] [-i] [file]
//
// -n: lines of each (1000); -e: a file begins where the expression matches, and is called like its first group,
// if it has one, with -s behind it; -x: without the line that matched; -i: capital letters are like small ones.

import { OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { Linereader, Output } from "../lib/bio.ts";
import { fprint, openinput } from "../lib/io.ts";
import { atoi } from "../lib/number.ts";
import { sysfatal, warn } from "../lib/proc.ts";
import { Regexp, Regexperror } from "../lib/regexp.ts";

const USAGE = "usage: split [-n num] [-e exp] [-f stem] [-s suff] [-x] [-i] [file]\n";
const MAXFILES = 26 * 26;

/** The files that are made, one after another. */
class Pieces {
  readonly #sys: ThreadSys;
  readonly #stem: string;
  #n = 0;
  #fd = -1;
  #out: Output | null = null;

  constructor(sys: ThreadSys, stem: string) {
    this.#sys = sys;
    this.#stem = stem;
  }

  /** Begins the next file; false, and said once, when there are no more names. */
  *next(): Task<boolean> {
    if (this.#n >= MAXFILES) {
      if (this.#n === MAXFILES) yield* warn(this.#sys, "split", `file ${this.#stem}zz not split`);
      this.#n = MAXFILES + 1;
      return false;
    }
    const letter = (i: number): string => String.fromCodePoint(0x61 + i);
    const suffix = letter(Math.floor(this.#n / 26)) + letter(this.#n % 26);
    this.#n++;
    yield* this.begin(this.#stem + suffix);
    return true;
  }

  *begin(name: string): Task<void> {
    yield* this.end();
    try {
      this.#fd = yield* this.#sys.create(name, OWRITE, 0o666);
      this.#out = new Output(this.#sys, this.#fd);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      yield* fprint(this.#sys, 2, `grep: can't create ${name}: ${e.message}\n`);
      yield* this.#sys.exits("create");
    }
  }

  *put(line: string): Task<void> {
    if (this.#out !== null) yield* this.#out.put(line);
  }

  *end(): Task<void> {
    if (this.#out === null) return;
    yield* this.#out.flush();
    yield* this.#sys.close(this.#fd);
    this.#out = null;
  }
}

export default function* split(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "n:l:e:f:s:xi");
  if (a.bad !== null || a.rest.length > 1) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  const fd = yield* openinput(sys, "split", a.rest[0]);
  if (fd < 0) return "open";
  const input = new Linereader(sys, fd);
  const pieces = new Pieces(sys, a.values.get("f") ?? "x");
  const exp = a.values.get("e");
  if (exp !== undefined) {
    const fold = a.flags.has("i");
    const how = { fold, drop: a.flags.has("x"), suffix: a.values.get("s") ?? "" };
    yield* byexp(sys, input, pieces, { ...how, exp });
  } else {
    const n = atoi(a.values.get("n") ?? a.values.get("l") ?? "1000");
    let left = 0;
    for (let line = yield* input.line(); line !== null; line = yield* input.line()) {
      if (left-- <= 0) {
        yield* pieces.next();
        left = n - 1;
      }
      yield* pieces.put(input.whole ? `${line}\n` : line);
    }
  }
  yield* pieces.end();
}

type Byexp = {
  readonly exp: string;
  readonly fold: boolean;
  readonly drop: boolean;
  readonly suffix: string;
};

function* byexp(sys: ThreadSys, input: Linereader, pieces: Pieces, how: Byexp): Task<void> {
  let re;
  try {
    re = new Regexp(how.fold ? how.exp.toLowerCase() : how.exp);
  } catch (e) {
    if (!(e instanceof Regexperror)) throw e;
    return yield* sysfatal(sys, "split", "bad regular expression");
  }
  yield* pieces.next();
  for (let line = yield* input.line(); line !== null; line = yield* input.line()) {
    const m = re.exec(how.fold ? line.toLowerCase() : line);
    if (m !== null) {
      const [, , start = -1, end = -1] = m;
      if (start >= 0 && end >= 0) yield* pieces.begin(line.slice(start, end) + how.suffix);
      const more = start >= 0 || (yield* pieces.next());
      if (more && how.drop) continue;
    }
    yield* pieces.put(`${line}\n`);
  }
}
