// System calls typed as words: 'mkdir /n/far/a; write /n/far/a/x hi; stat /n/far/a/y' becomes statements, each
// to be made by the caller. Words are quoted as in rc; a ';' outside quotes ends a call. What is no call is
// a Usage that names the word and the right form.

import { nullproto } from "../../kernel/abi/nullproto.ts";
import * as c from "../../kernel/abi/const.ts";
import type { Wstat } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { mountflags } from "../bin/bind.ts";
import { parsetime } from "../boot/units.ts";
import { args } from "../lib/arg.ts";
import { dial } from "../lib/dial.ts";
import { writefile } from "../lib/io.ts";
import { tokenize } from "../../kernel/abi/quote.ts";
import { Usage, nearest } from "./command.ts";
import { dialstring } from "./mounts.ts";

/** One call of a script. */
export type Statement = {
  /** As it was typed. */
  readonly text: string;
  readonly verb: string;
  /** The names that it is about. */
  readonly names: readonly string[];
  readonly run: (sys: Sys) => Promise<void>;
};

/** How a verb is written, and what it makes of the words after it; null when they do not fit. */
type Verb = {
  readonly form: string;
  readonly make: (words: readonly string[]) => Pick<Statement, "names" | "run"> | null;
};

const ACCESS: Readonly<Record<string, number>> = nullproto({
  OREAD: c.OREAD,
  OWRITE: c.OWRITE,
  ORDWR: c.ORDWR,
  OEXEC: c.OEXEC,
});
const OPENBITS: Readonly<Record<string, number>> = nullproto({
  OTRUNC: c.OTRUNC,
  OCEXEC: c.OCEXEC,
  ORCLOSE: c.ORCLOSE,
  OEXCL: c.OEXCL,
});
const MODES = `${[...Object.keys(ACCESS), ...Object.keys(OPENBITS)].join(", ")}, joined with |`;

/** The number that a mode such as OREAD|OTRUNC is. */
function openmode(text: string): number {
  let mode = 0;
  for (const word of text.split("|")) {
    const bit = ACCESS[word] ?? OPENBITS[word];
    if (bit === undefined)
      throw new Usage(`${text}: ${word} is no mode of open`, `there are ${MODES}`);
    mode |= bit;
  }
  return mode;
}

/** The number that permissions such as 0644 are. */
function perm(text: string): number {
  if (!/^0?[0-7]{1,3}$/.test(text))
    throw new Usage(`${text} is no permission`, "three octal digits, such as 644 or 0755");
  return Number.parseInt(text, 8);
}

/** A call with a name and at most some more words. */
function named(
  more: readonly [least: number, most: number],
  run: (sys: Sys, name: string, ...words: string[]) => Promise<unknown>,
  check: (...words: string[]) => void = () => undefined,
): Verb["make"] {
  return ([name, ...words]) => {
    if (name === undefined || words.length < more[0] || words.length > more[1]) return null;
    check(...words);
    return { names: [name], run: async (sys) => void (await run(sys, name, ...words)) };
  };
}

/** What bind and mount have: flags, what, on what. */
function mounting(
  most: number,
  run: (sys: Sys, words: readonly string[], flags: number) => Promise<unknown>,
): Verb["make"] {
  return (words) => {
    const a = args(["", ...words], "abcC");
    const [what, old] = a.rest;
    const fits = what !== undefined && old !== undefined && a.rest.length <= most;
    if (!fits || a.bad !== null || (a.flags.has("a") && a.flags.has("b"))) return null;
    return {
      names: [what, old],
      run: async (sys) => void (await run(sys, a.rest, mountflags(a.flags))),
    };
  };
}

const NUMBERS: readonly string[] = ["length", "mtime", "atime"];
const STRINGS: readonly string[] = ["name", "uid", "gid"];

/** The entry that words such as mode 0644 name x say. */
function changes(words: readonly string[]): Wstat {
  const d: Record<string, string | number> = {};
  for (let i = 0; i < words.length; i += 2) {
    const [field = "", value = ""] = words.slice(i, i + 2);
    if (field === "mode") d[field] = perm(value);
    else if (STRINGS.includes(field)) d[field] = value;
    else if (NUMBERS.includes(field) && /^\d+$/.test(value)) d[field] = Number(value);
    else if (NUMBERS.includes(field)) throw new Usage(`wstat: ${field} ${value} is no number`);
    else
      throw new Usage(
        `wstat: there is no ${field} to change`,
        `there are ${[...STRINGS, "mode", ...NUMBERS].join(", ")}`,
      );
  }
  return d;
}

async function readall(sys: Sys, name: string): Promise<void> {
  const fd = await sys.open(name, c.OREAD);
  try {
    const buf = new Uint8Array(8192);
    while ((await sys.read(fd, buf)) > 0);
  } finally {
    await sys.close(fd);
  }
}

async function mount(
  sys: Sys,
  [server = "", old = "", spec = ""]: readonly string[],
  flags: number,
): Promise<void> {
  const file = /^[/#.]/.test(server);
  const fd = file ? await sys.open(server, c.ORDWR) : await dial(sys, dialstring(server));
  await sys.mount(fd, -1, old, flags, spec);
}

const VERBS: Readonly<Record<string, Verb>> = nullproto({
  stat: { form: "stat NAME", make: named([0, 0], (sys, name) => sys.stat(name)) },
  open: {
    form: "open NAME [MODE]",
    make: named(
      [0, 1],
      (sys, name, mode = "OREAD") => sys.open(name, openmode(mode)),
      (mode = "OREAD") => void openmode(mode),
    ),
  },
  create: {
    form: "create NAME [MODE] [PERM]",
    make: named(
      [0, 2],
      (sys, name, mode = "OWRITE", bits = "666") => sys.create(name, openmode(mode), perm(bits)),
      (mode = "OWRITE", bits = "666") => void [openmode(mode), perm(bits)],
    ),
  },
  mkdir: {
    form: "mkdir NAME [PERM]",
    make: named(
      [0, 1],
      async (sys, name, bits = "777") =>
        sys.close(await sys.create(name, c.OREAD | c.OEXCL, c.DMDIR | perm(bits))),
      (bits = "777") => void perm(bits),
    ),
  },
  read: { form: "read NAME", make: named([0, 0], readall) },
  write: {
    form: "write NAME TEXT",
    make: named([1, 1], (sys, name, text = "") => writefile(sys, name, text)),
  },
  remove: { form: "remove NAME", make: named([0, 0], (sys, name) => sys.remove(name)) },
  rename: {
    form: "rename NAME NEW",
    make: named([1, 1], (sys, name, to = "") => sys.wstat(name, { name: to })),
  },
  wstat: {
    form: "wstat NAME FIELD VALUE ...",
    make: (words) => {
      const [name, ...rest] = words;
      if (name === undefined || rest.length === 0 || rest.length % 2 !== 0) return null;
      const d = changes(rest);
      return { names: [name], run: (sys) => sys.wstat(name, d) };
    },
  },
  chdir: { form: "chdir NAME", make: named([0, 0], (sys, name) => sys.chdir(name)) },
  bind: {
    form: "bind [-abcC] NEW OLD",
    make: mounting(2, (sys, [what = "", old = ""], flags) => sys.bind(what, old, flags)),
  },
  mount: {
    form: "mount [-abcC] ADDR|FILE OLD [SPEC]",
    make: mounting(3, mount),
  },
  unmount: {
    form: "unmount [NEW] OLD",
    make: ([first, second, ...more]) => {
      if (first === undefined || more.length > 0) return null;
      const [what, old] = second === undefined ? [null, first] : [first, second];
      return { names: what === null ? [old] : [what, old], run: (sys) => sys.unmount(what, old) };
    },
  },
  sleep: {
    form: "sleep TIME",
    make: ([time, ...more]) => {
      if (time === undefined || more.length > 0) return null;
      const ms = Math.round(parsetime(time) / 1e6);
      return { names: [], run: (sys) => sys.sleep(ms) };
    },
  },
});

/** Whether a word of the command line is calls and not the name of a program. */
export function isscript(word: string): boolean {
  return /[\s;]/.test(word) && !/\.(ts|js|mjs)$/.test(word);
}

/** The calls of a text. Throws Usage. */
export function statements(text: string): Statement[] {
  const list = pieces(text).filter((piece) => piece.trim() !== "");
  if (list.length === 0) throw new Usage("no call is given", "such as 'stat /n/far/a/b/c'");
  return list.map((piece) => statement(piece.trim()));
}

/** The text cut at each ';' that is not quoted. */
function pieces(text: string): string[] {
  const list = [""];
  let quoted = false;
  for (const letter of text) {
    if (letter === "'") quoted = !quoted;
    if ((letter === ";" || letter === "\n") && !quoted) list.push("");
    else list[list.length - 1] += letter;
  }
  if (quoted)
    throw new Usage(`a quote is open in ${text}`, "a quote inside quotes is written twice");
  return list;
}

function statement(text: string): Statement {
  const [verb = "", ...words] = tokenize(text);
  const known = VERBS[verb];
  if (known === undefined) throw nocall(verb);
  try {
    const made = known.make(words);
    if (made !== null) return { text, verb, ...made };
  } catch (e) {
    throw e instanceof Usage
      ? e
      : new Usage(`${verb}: ${e instanceof Error ? e.message : String(e)}`);
  }
  throw new Usage(`'${text}' is no ${verb}`, `it is written ${known.form}`);
}

function nocall(verb: string): Usage {
  const verbs = Object.keys(VERBS);
  const close = nearest(verb, verbs);
  return new Usage(
    `there is no call ${verb}`,
    close === null
      ? `there are ${verbs.join(", ")}; other system calls need a program: namec step prog.ts`
      : `did you mean ${VERBS[close]?.form ?? close}?`,
  );
}

/** How each call is written, for help. */
export const forms: readonly string[] = Object.values(VERBS).map((v) => v.form);

/** Makes the call; gives its error, "" when it succeeds. */
export async function errorof(s: Statement, sys: Sys): Promise<string> {
  try {
    await s.run(sys);
    return "";
  } catch (e) {
    if (e instanceof PlanError) return e.message;
    throw e;
  }
}
