// What is said of a program that an exception ended: the message, and its own lines of the stack. Those of
// Node and of this package say nothing about the program and are left out.

import { PlanError } from "../../kernel/errors.ts";
import { near } from "./hooks.ts";
import { isours, stackframes } from "./place.ts";

/** The report of what a program threw, some lines of text. */
export function crashtext(name: string, thrown: unknown): string {
  if (!(thrown instanceof Error)) return `${name}: threw ${String(thrown)}`;
  if (thrown instanceof PlanError) return `${name}: ${planerror(thrown)}${frames(thrown)}`;
  const what = thrown.message === "" ? thrown.name : `${thrown.name}: ${thrown.message}`;
  const cause =
    thrown.cause === undefined
      ? ""
      : `\ncaused by ${crashtext("", thrown.cause).replace(/^: /, "")}`;
  return `${name}: ${what}${frames(thrown)}${cause}`;
}

/** "'/x' file does not exist (open /x)" */
function planerror(e: PlanError): string {
  if (e.call === undefined) return e.message;
  return `${e.message} (${e.call}${e.file === undefined ? "" : ` ${e.file}`})`;
}

/** The lines of the stack that are the program's, with files as seen from here. */
function frames(e: Error): string {
  return stackframes(e.stack ?? "")
    .filter((f) => !isours(f.path))
    .map((f) => {
      const at = `${near(f.path)}:${f.line}:${f.column}`;
      return `\n    at ${f.who}${f.who === "" ? "" : " "}(${at})`;
    })
    .join("");
}
