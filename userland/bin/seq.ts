// seq: numbers from the first to the last, one a line; -w: all as wide; -f: in a format of print(2). seq(1)

import { utfencode } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, writeall } from "../lib/io.ts";
import { atof, formatg } from "../lib/number.ts";
import { warn } from "../lib/proc.ts";

const USAGE = "usage: seq [-fformat] [-w] [first [incr]] last\n";

type Given = { readonly format: string | null; readonly wide: boolean; readonly rest: string[] };

/** The options; a number may be negative, so a minus before a digit is none. */
function given(argv: readonly string[]): Given | null {
  let format: string | null = null;
  let wide = false;
  let i = 1;
  for (; i < argv.length; i++) {
    const w = argv[i] ?? "";
    if (w === "-w") wide = true;
    else if (w.startsWith("-f")) {
      format = w.length > 2 ? w.slice(2) : (argv[++i] ?? null);
      if (format === null) return null;
    } else break;
  }
  const rest = argv.slice(i);
  return rest.length < 1 || rest.length > 3 ? null : { format, wide, rest };
}

/** A number as a format of print(2) with one verb writes it. */
function formatted(format: string, n: number): string {
  return format.replace(
    /%(-?)0?([0-9]*)(?:\.([0-9]+))?([gfed%])/,
    (_m, left: string, width: string, digits: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      const d = digits === undefined ? undefined : Number(digits);
      const text =
        verb === "g"
          ? formatg(n, d)
          : verb === "f"
            ? n.toFixed(d ?? 6)
            : verb === "e"
              ? n.toExponential(d ?? 6)
              : `${Math.trunc(n)}`;
      const w = Number(width);
      return left === "" ? text.padStart(w) : text.padEnd(w);
    },
  );
}

/** %g as seq prints it: a fraction has no zero before its point. */
const general = (n: number): string => formatg(n).replace(/^(-?)0\./, "$1.");

/** The format of -w: as wide as the widest, as many digits behind the point as the longest has. */
function widest(min: number, max: number, incr: number): ((n: number) => string) | null {
  let width = 0;
  let digits = 0;
  for (let n = min; incr > 0 && n <= max; n += incr) {
    const text = formatg(n);
    if (text.includes("e")) return null;
    const [whole = "", fraction = ""] = text.split(".");
    width = Math.max(width, whole.length);
    digits = Math.max(digits, fraction.length);
  }
  const all = digits > 0 ? width + digits + 1 : width;
  return (n) => n.toFixed(digits).padStart(all, "0");
}

export default function* seq(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const g = given(argv);
  if (g === null) {
    yield* fprint(sys, 2, USAGE);
    return "usage";
  }
  const { format, wide, rest } = g;
  const max = atof(rest.at(-1) ?? "");
  const min = rest.length > 1 ? atof(rest[0] ?? "") : 1;
  const incr = rest.length > 2 ? atof(rest[1] ?? "") : 1;
  if (incr === 0) {
    yield* warn(sys, "seq", "zero increment");
    return "zero increment";
  }
  const show =
    format !== null
      ? (n: number): string => formatted(format, n)
      : ((wide ? widest(min, max, incr) : null) ?? general);
  // Each line is a write of its own: who reads a pipe sees it as it comes.
  for (let n = min; incr > 0 ? n <= max : n >= max; n += incr)
    yield* writeall(sys, 1, utfencode(`${show(n)}\n`));
}
