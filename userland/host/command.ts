// What a command of `namec` is: its name, its options, its help, and what it does. The parser and the help
// read the same list of options, so both know the same ones.
//
// node:util's parseArgs has no option of two values (--mount ADDR DIR), so `parse` is written here.

import { nearest } from "../lib/nearest.ts";

export { distance, nearest } from "../lib/nearest.ts";

/** An option: `values` are the names of the values behind it, and `text` what it is for, as the help shows them. */
export type Option = {
  readonly name: string;
  readonly values: readonly string[];
  readonly text: string;
};

/** A command of `namec`. */
export type Command = {
  readonly name: string;
  /** What follows the command's name: "[options] PROG [args...]". */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly brief: string;
  /** What the command's own help says about it. */
  readonly about: string;
  readonly options: readonly Option[];
  readonly examples: readonly string[];
  /** Whether options may follow operands. Otherwise the first operand ends them: what follows belongs to a program. */
  readonly mixed?: boolean;
  /** Whether options begin with two minuses only, so that a word such as rc's -c is an operand. */
  readonly single?: boolean;
  /** Runs it; gives the status that the host's process ends with. */
  run(given: Given): Promise<number>;
};

/** A command was used wrongly: the message says how, the hint what to do, and namec exits with status 2. */
export class Usage extends Error {
  readonly hint: string;

  constructor(message: string, hint = "") {
    super(message);
    this.name = "Usage";
    this.hint = hint;
  }
}

/** The options and operands that a command was given. */
export class Given {
  readonly rest: readonly string[];
  readonly #options: ReadonlyMap<string, readonly (readonly string[])[]>;

  constructor(
    options: ReadonlyMap<string, readonly (readonly string[])[]>,
    rest: readonly string[],
  ) {
    this.#options = options;
    this.rest = rest;
  }

  has(name: string): boolean {
    return this.#options.has(name);
  }

  /** The values of an option, one list for each time that it was given. */
  all(name: string): readonly (readonly string[])[] {
    return this.#options.get(name) ?? [];
  }

  /** A copy with `more` options added, and with `rest` as operands. */
  also(more: readonly (readonly [string, ...string[]])[], rest: readonly string[]): Given {
    const options = new Map(this.#options);
    for (const [name, ...values] of more) options.set(name, [...(options.get(name) ?? []), values]);
    return new Given(options, rest);
  }

  /** The first value of an option; if it was given twice, that of the last time. */
  get(name: string): string | undefined {
    return this.all(name).at(-1)?.[0];
  }
}

/** Parses the words after the command's name. Throws Usage. */
export function parse(command: Command, words: readonly string[]): Given {
  const options = new Map<string, (readonly string[])[]>();
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") return new Given(options, [...rest, ...words.slice(i + 1)]);
    const minus = command.single === true ? "--" : "-";
    if (!word.startsWith(minus) || word === "-") {
      if (command.mixed !== true) return new Given(options, [...rest, ...words.slice(i)]);
      rest.push(word);
      continue;
    }
    const [name = "", inline] = word.split(/=(.*)/s);
    const option = find(command, name);
    const values = takevalues(option, inline, words.slice(i + 1));
    i += inline === undefined ? values.length : 0;
    const before = options.get(option.name);
    if (before === undefined) options.set(option.name, [values]);
    else before.push(values);
  }
  return new Given(options, rest);
}

function find(command: Command, word: string): Option {
  const option = command.options.find((o) => `--${o.name}` === word);
  if (option !== undefined) return option;
  const close = nearest(
    word,
    command.options.map((o) => `--${o.name}`),
  );
  const meant = close === null ? "" : `did you mean ${close}? `;
  throw new Usage(
    `unknown option ${word}`,
    `${meant}'namec help ${command.name}' lists the options`,
  );
}

function takevalues(
  option: Option,
  inline: string | undefined,
  words: readonly string[],
): string[] {
  const { name, values } = option;
  const form = [`--${name}`, ...values].join(" ");
  if (inline !== undefined) {
    if (values.length !== 1) throw new Usage(`--${name}=${inline}: it is written ${form}`);
    return [inline];
  }
  const given = words.slice(0, values.length);
  const short = given.length < values.length || given.some((v) => v.startsWith("--"));
  if (short) {
    const what = values.length === 1 ? "a value" : `${values.length} values`;
    throw new Usage(`--${name} needs ${what}: ${form}`);
  }
  return given;
}
