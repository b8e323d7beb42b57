// ns: prints the name space of this or another process, as the commands that would make it; a server that was
// called is shown by its address, unless -r. ns(1)

import { PlanError } from "../../kernel/abi/errors.ts";
import { tokenize } from "../../kernel/abi/quote.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { args } from "../lib/arg.ts";
import type { ThreadSys } from "../lib/both.ts";
import { fprint, print, readtext } from "../lib/io.ts";
import { getpid } from "../lib/proc.ts";

/** A name with quotes where rc needs them. */
const quoted = (name: string): string =>
  /[ '\\\t#$]/.test(name) ? `'${name.replaceAll("'", "''")}'` : name;

export default function* ns(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const a = args(argv, "r");
  const [given, ...more] = a.rest;
  if (a.bad !== null || more.length > 0 || (given !== undefined && !/^[1-9][0-9]*/.test(given))) {
    yield* fprint(sys, 2, "usage: ns [-r] [pid]\n");
    return "usage";
  }
  const file = `/proc/${given === undefined ? yield* getpid(sys) : Number.parseInt(given, 10)}/ns`;
  let text;
  try {
    text = yield* readtext(sys, file);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* fprint(sys, 2, `ns: open ${file}: ${e.message}\n`);
    return "open ns";
  }
  for (const line of text.split("\n")) {
    if (line !== "") yield* print(sys, yield* shown(sys, line, a.flags.has("r")));
  }
}

/** One line: the command, its flags, what, where, and the tree that is asked for. */
function* shown(sys: ThreadSys, line: string, raw: boolean): Task<string> {
  const words = tokenize(line);
  if (words[0] === "cd") return `${words.join(" ")}\n`;
  const flag = words[1]?.startsWith("-") === true ? words[1] : "";
  const [what = "", old = "", spec = ""] = words.slice(flag === "" ? 1 : 2);
  const from = raw || words[0] !== "mount" ? what : yield* address(sys, what);
  return `${words[0]} ${flag} ${quoted(from)} ${quoted(old)} ${quoted(spec)}\n`;
}

/** The address of the machine that a conversation is with: tcp!far!564 for /net/tcp/3/data. */
function* address(sys: ThreadSys, name: string): Task<string> {
  const m = /^\/net\/(\w+)\/(\d+)\/data$/.exec(name);
  if (m === null) return name;
  try {
    return `${m[1]}!${(yield* readtext(sys, `/net/${m[1]}/${m[2]}/remote`)).trim()}`;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return name;
  }
}
