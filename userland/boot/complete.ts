// Completion of the names at a prompt: commands where a command begins, else files, as the shell's process sees
// them.

import { DMDIR } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../lib/both.ts";
import { readdir } from "../lib/dirread.ts";
import { rcquote } from "../lib/rc/word.ts";

/** Commands of rc itself. */
const BUILTINS =
  "builtin cd eval exec exit finit flag for fn if rfork shift switch wait whatis while";

/** The word that ends a line, whether a command begins with it, and what it is without quotes. */
export function lastword(line: string): { word: string; text: string; command: boolean } {
  let start = 0;
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i);
    if (c === "'") quoted = !quoted;
    else if (!quoted && " \t\n;&|(){}`<>=^".includes(c)) start = i + 1;
  }
  const word = line.slice(start);
  const before = line.slice(0, start).trimEnd();
  return {
    word,
    text: word.replaceAll("'", ""),
    command: before === "" || /[;&|({`]$/.test(before),
  };
}

/** What the last word of a line may become. */
export async function complete(kernel: Booted, shell: Process, line: string): Promise<string[]> {
  const { text, command } = lastword(line);
  const found: string[] = [];
  const p = kernel.spawn(
    function* (sys: ThreadSys): Task<Exit> {
      for (const name of yield* names(sys, text, command)) found.push(name);
    },
    ["complete"],
    { like: shell, tty: kernel.config.tty, image: "native" },
  );
  await p.wait();
  return found;
}

function* names(sys: ThreadSys, text: string, command: boolean): Task<string[]> {
  if (command && !text.includes("/")) {
    const list = [...BUILTINS.split(" "), ...(yield* files(sys, "/bin"))];
    return [...new Set(list)].filter((n) => n.startsWith(text) && !n.endsWith("/")).toSorted();
  }
  const slash = text.lastIndexOf("/") + 1;
  const dir = text.slice(0, slash);
  const all = yield* files(sys, dir === "" ? "." : dir);
  const some = all.filter((n) => n.startsWith(text.slice(slash)));
  return some.toSorted().map((n) => rcquote(dir + n));
}

/** The names in a directory, those of directories with a slash. */
function* files(sys: ThreadSys, dir: string): Task<string[]> {
  try {
    const entries = yield* readdir(sys, dir);
    return entries.map((d) => ((d.mode & DMDIR) === 0 ? d.name : `${d.name}/`));
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return [];
  }
}
