// The options of a command, as arg(2) reads them: letters after a minus, alone or together, each with an
// argument if it wants one, in the same word or the next; "--" ends them, "-" alone is no option. Words
// like --name and --name=value are read too.
//
//	args(["ls", "-lq", "-n", "3", "a"], "lqn:")  →  flags l, q; values n: "3"; rest ["a"]

/** The options and what follows them. `bad` is an option that is not known or lacks its argument. */
export type Args = {
  /** The program's name, argv[0]. */
  readonly name: string;
  /** The letters that were given without a value. */
  readonly flags: ReadonlySet<string>;
  /** The letters and words that were given with a value. */
  readonly values: ReadonlyMap<string, string>;
  /** What is left: the operands. */
  readonly rest: readonly string[];
  /** What is no option; null when all is well. */
  readonly bad: string | null;
};

/**
 * Reads the options of a command. arg(2)
 *
 * @param argv the command's name, then its arguments
 * @param spec the letters of its options, with a colon behind each that takes a value: "lo:"
 * @param long its long names, with a colon in the same place: "listen:"
 * @returns the options that were given and the operands; `bad` is the first word that is no option
 * @example
 * ```ts
 * const a = args(["ls", "-l", "/tmp"], "lo:"); // a.rest is ["/tmp"]
 * ```
 */
export function args(argv: readonly string[], spec: string, long: readonly string[] = []): Args {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  let bad: string | null = null;
  let i = 1;
  const word = (): string | undefined => argv[++i];
  const set = (name: string, takes: boolean, given: string | undefined): void => {
    if (!takes) flags.add(name);
    else if (given === undefined) bad ??= name;
    else values.set(name, given);
  };
  for (; i < argv.length; i++) {
    const w = argv[i] ?? "";
    if (!w.startsWith("-") || w === "-") break;
    if (w === "--") {
      i++;
      break;
    }
    if (w.startsWith("--")) {
      const [name = "", value] = w.slice(2).split(/=(.*)/s);
      if (long.includes(`${name}:`)) set(name, true, value ?? word());
      else if (long.includes(name) && value === undefined) set(name, false, undefined);
      else bad ??= name;
      continue;
    }
    for (let j = 1; j < w.length; j++) {
      const c = w.charAt(j);
      const at = c === ":" ? -1 : spec.indexOf(c);
      if (at < 0) bad ??= c;
      else if (spec.charAt(at + 1) !== ":") set(c, false, undefined);
      else {
        set(c, true, w.slice(j + 1) || word());
        break;
      }
    }
  }
  return { name: argv[0] ?? "", flags, values, rest: argv.slice(i), bad };
}
