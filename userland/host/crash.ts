// A crash on the command line: the program's own lines of the stack, with files as seen from here. Those of
// Node and of this package say nothing about the program and are left out.

import { readFileSync } from "node:fs";
import { crashtext as crashof, unreadtext as unreadof } from "../view/words/crash.ts";
import { unimported } from "../lib/loading.ts";
import type { Unread } from "../boot/witness.ts";
import type { Lines } from "../view/words/crash.ts";
import { near } from "./hooks.ts";
import { isours, stackframes } from "./place.ts";

/** The report of what a program threw, some lines of text; `file` is the program's. */
export function crashtext(name: string, thrown: unknown, file: string | null = null): string {
  return crashof(name, thrown, { frames, source: sourceof(file), hint: unimported });
}

/** What is said of a failed call whose promise was not awaited. */
export function unreadtext(name: string, unread: Unread, file: string | null): string {
  return unreadof(name, unread, { frames, source: sourceof(file) });
}

/** The program's text, for a line that no stack has; null when it cannot be read any more. */
function sourceof(file: string | null): Lines["source"] {
  if (file === null) return null;
  try {
    return { name: near(file), text: readFileSync(file, "utf8") };
  } catch {
    return null;
  }
}

function frames(stack: string): string[] {
  return stackframes(stack)
    .filter((f) => !isours(f.path))
    .map((f) => `at ${f.who}${f.who === "" ? "" : " "}(${near(f.path)}:${f.line}:${f.column})`);
}
