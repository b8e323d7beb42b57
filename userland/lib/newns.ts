// A name space made as a file says, line by line: namespace(6), newns in auth(2).
//
//	mount [-abcC] server old [spec]    bind [-abcC] new old    import [-abc] host [tree [old]]
//	unmount [new] old    clear    cd dir    . file
//
// A line that fails is passed over, as on Plan 9: a name space has lines for what may not be there. $x is the
// value of a variable; what follows # is no command.

import {
  MAFTER,
  MBEFORE,
  MCACHE,
  MCREATE,
  MREPL,
  ORDWR,
  RFCNAMEG,
} from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { tokenize } from "../../kernel/abi/quote.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "./both.ts";
import { dial, netmkaddr } from "./dial.ts";
import { readtext } from "./io.ts";
import { getenv } from "./proc.ts";

/** Files that a file may read, one in another. */
const MAXDEPTH = 10;

/** Carries out the lines of a file's text. */
export function* addns(sys: ThreadSys, text: string, depth = 0): Task<void> {
  if (depth >= MAXDEPTH) throw new PlanError("namespace files too deep");
  for (const line of text.split("\n")) {
    const words: string[] = [];
    for (const word of tokenize(line.replace(/#(?![A-Za-z/|¤]).*$/, "")))
      words.push(yield* expand(sys, word));
    if (words.length === 0) continue;
    try {
      yield* command(sys, words, depth);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }
}

/** Puts the values of variables in place of $name and ${name}. */
function* expand(sys: ThreadSys, word: string): Task<string> {
  let out = "";
  let at = 0;
  for (const m of word.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)) {
    out += word.slice(at, m.index) + ((yield* getenv(sys, m[1] ?? m[2] ?? "")) ?? "");
    at = m.index + m[0].length;
  }
  return out + word.slice(at);
}

function* command(sys: ThreadSys, words: readonly string[], depth: number): Task<void> {
  const [verb = "", ...rest] = words;
  const args = rest.filter((w) => !/^-[abcC]+$/.test(w));
  const flags = mountflags(rest.filter((w) => /^-[abcC]+$/.test(w)).join(""));
  const [first, second, third] = args;
  switch (verb) {
    case "clear":
      yield* sys.rfork(RFCNAMEG);
      return;
    case "cd":
      if (first !== undefined) yield* sys.chdir(first);
      return;
    case ".":
      if (first !== undefined) yield* addns(sys, yield* readtext(sys, first), depth + 1);
      return;
    case "unmount":
      if (first !== undefined)
        yield* sys.unmount(second === undefined ? null : first, second ?? first);
      return;
    case "bind":
      if (first !== undefined && second !== undefined) yield* sys.bind(first, second, flags);
      return;
    case "mount": {
      if (first === undefined || second === undefined) return;
      const fd = yield* sys.open(first, ORDWR);
      yield* sys.mount(fd, -1, second, flags, third ?? "");
      return;
    }
    case "import": {
      if (first === undefined) return;
      const fd = yield* dial(sys, netmkaddr(first, "tcp", "exportfs"));
      yield* sys.mount(fd, -1, third ?? second ?? "/", flags, "");
      return;
    }
    default:
      return;
  }
}

function mountflags(letters: string): number {
  const order = letters.includes("b") ? MBEFORE : letters.includes("a") ? MAFTER : MREPL;
  return order | (letters.includes("c") ? MCREATE : 0) | (letters.includes("C") ? MCACHE : 0);
}
