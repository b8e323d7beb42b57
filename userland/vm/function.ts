// A function of the host's as a vm program: it is taken by its text, since its memory is not the host's. So it sees
// its arguments, what "namec" exports under the same names, and nothing of the file around it.

import type { Program } from "../../kernel/proc/trap.ts";
import { ATTACH } from "../../kernel/proc/trap.ts";
import { LIBRARY } from "./first.ts";
import * as library from "../lib/library.ts";
import { program } from "./vm.ts";

const NAMES: ReadonlySet<string> = new Set(Object.keys(library));

/** The vm program that a function is; one that is a vm program already is itself. */
export function ownprogram(main: Program): Program {
  if (ATTACH in main) return main;
  const written = main.toString();
  const used = [...new Set(written.match(/[\w$]+/g))].filter((name) => NAMES.has(name));
  // All on the first line, so that the lines of the function stay in their places.
  const text = `import { ${used.join(", ")} } from "${LIBRARY}"; export default ${expression(written)};`;
  const name = main.name === "" ? "main" : main.name;
  const own = {
    main: name,
    texts: new Map([[name, text]]),
    sources: new Map([[name, written]]),
    imports: new Map<string, string>(),
  };
  return program(own, name);
}

/** The text of a method is none by itself. */
function expression(text: string): string {
  const m = /^(?:async\s+)?(?:\*\s*)?([\w$]+)\s*\(/.exec(text);
  const [, name = ""] = m ?? [];
  return m === null || name === "function" || name === "async"
    ? `(${text})`
    : `({ ${text} }).${name}`;
}
