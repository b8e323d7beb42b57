// A crash on the command line: the program's own lines of the stack, with files as seen from here. Those of
// Node and of this package say nothing about the program and are left out.

import { crashtext as crashof } from "../view/words/crash.ts";
import { near } from "./hooks.ts";
import { isours, stackframes } from "./place.ts";

/** The report of what a program threw, some lines of text. */
export function crashtext(name: string, thrown: unknown): string {
  return crashof(name, thrown, frames);
}

function frames(stack: string): string[] {
  return stackframes(stack)
    .filter((f) => !isours(f.path))
    .map((f) => `at ${f.who}${f.who === "" ? "" : " "}(${near(f.path)}:${f.line}:${f.column})`);
}
