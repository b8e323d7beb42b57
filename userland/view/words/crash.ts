// What is said of a program that an exception ended: the message, and its own lines of the stack. Which
// lines those are, and how they are written, is the host's to say.

import { PlanError } from "../../../kernel/abi/errors.ts";

/** The report of what a program threw, some lines of text; `frames` gives its lines: "at main (a.ts:1:2)". */
export function crashtext(
  name: string,
  thrown: unknown,
  frames: (stack: string) => readonly string[],
): string {
  if (!(thrown instanceof Error)) return `${name}: threw ${String(thrown)}`;
  const where = frames(thrown.stack ?? "").map((text) => `\n    ${text}`);
  if (thrown instanceof PlanError) return `${name}: ${planerror(thrown)}${where.join("")}`;
  const what = thrown.message === "" ? thrown.name : `${thrown.name}: ${thrown.message}`;
  const cause =
    thrown.cause === undefined
      ? ""
      : `\ncaused by ${crashtext("", thrown.cause, frames).replace(/^: /, "")}`;
  return `${name}: ${what}${where.join("")}${cause}`;
}

/** "'/x' file does not exist (open /x)" */
function planerror(e: PlanError): string {
  if (e.call === undefined) return e.message;
  return `${e.message} (${e.call}${e.file === undefined ? "" : ` ${e.file}`})`;
}
