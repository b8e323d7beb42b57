// What is said of a program that an exception ended: the message, its own lines of the stack, and of an argument
// that was wrong what to write instead. Which lines those are, and how they are written, is the host's to say.
//
// A stack may have no line of the program. Then the text of the program is searched for the line of the mistake: the only
// call of that name that is not awaited, or the only return of something that is no text.

import { PlanError } from "../../../kernel/abi/errors.ts";

/** What a host knows of the program's lines. */
export type Lines = {
  /** The program's lines of a stack: "at main (a.ts:1:2)". */
  readonly frames: (stack: string) => readonly string[];
  /** The program's file; null where there is none. */
  readonly source: { readonly name: string; readonly text: string } | null;
  /** What to write instead, where the host knows. */
  readonly hint?: (thrown: unknown) => string | null;
};

/** The lines of a stack, or else the only line of the program that can be meant. */
function where(
  stack: string,
  { frames, source }: Lines,
  find: (text: string) => number | null = () => null,
): string {
  const list = frames(stack);
  const line = list.length > 0 || source === null ? null : find(source.text);
  const all = line === null || source === null ? list : [`at ${source.name}:${line}`];
  return all.map((text) => `\n    ${text}`).join("");
}

/** The report of what a program threw, some lines of text. */
export function crashtext(name: string, thrown: unknown, lines: Lines): string {
  if (!(thrown instanceof Error)) return `${name}: threw ${String(thrown)}`;
  const status = thrown instanceof PlanError && thrown.arg === "status";
  const at = where(thrown.stack ?? "", lines, status ? badreturn : undefined);
  if (thrown instanceof PlanError) {
    const why = thrown.why === undefined ? "" : `\n    ${thrown.why}`;
    return `${name}: ${planerror(thrown)}${at}${why}`;
  }
  const what = thrown.message === "" ? thrown.name : `${thrown.name}: ${thrown.message}`;
  const cause =
    thrown.cause === undefined
      ? ""
      : `\ncaused by ${crashtext("", thrown.cause, lines).replace(/^: /, "")}`;
  const hint = lines.hint?.(thrown) ?? null;
  return `${name}: ${what}${at}${hint === null ? "" : `\n    ${hint}`}${cause}`;
}

/** What is said of a failed call whose promise was not awaited. */
export function unreadtext(
  name: string,
  { call, error }: { readonly call: string; readonly error: PlanError },
  lines: Lines,
): string {
  const at = where(error.stack ?? "", lines, (text) => unawaited(text, call.replace(/\(.*/s, "")));
  const what = `${name}: ${call} failed: ${error.message}${at}`;
  const why = error.why === undefined ? "" : `\n    ${error.why}`;
  return `${what}${why}\n    The program did not learn of it, since it did not await the promise. Write await before the call.`;
}

/** The sentence about an exception that came out of a promise which was not awaited. */
export const UNAWAITED =
  "The exception came out of a promise that the program did not await. Write await before the call that gave it.";

/** "'/x' file does not exist (open /x)" */
function planerror(e: PlanError): string {
  if (e.call === undefined) return e.message;
  return `${e.message} (${e.call}${e.file === undefined ? "" : ` ${e.file}`})`;
}

/** The line, from 1, of the only call of this name that the program neither awaits, returns nor keeps; else null. */
export function unawaited(text: string, call: string): number | null {
  return only(
    text,
    RegExp(
      `(?<!\\b(?:await|return|yield\\*|void)\\s+(?:\\w+\\.)?)(?<![\\w.])(?:\\w+\\.)?${call}\\(`,
    ),
    RegExp(`[=(,:>?&|]\\s*(?:\\w+\\.)?${call}\\(`),
  );
}

/** The line of the only return of a number, true, false, an object or an array; null when there are several. */
export function badreturn(text: string): number | null {
  return only(text, /\breturn\s+[-+]?[\d[{(tf]/, /\breturn\s+(?:t(?!rue\b)|f(?!alse\b))/);
}

/** The variables that a line of a program keeps the result of a call in: "const [r, w] = await sys.pipe();" → r, w. */
export function keeps(line: string, call: string): readonly string[] {
  const kept = RegExp(`(\\[[\\w, ]*\\]|\\b\\w+) = (?:await )?(?:\\w+\\.)?${call}\\(`).exec(
    line.slice(0, 200),
  );
  return kept?.[1]?.match(/\w+/g) ?? [];
}

/** The only line that has one and not the other. */
function only(text: string, has: RegExp, not: RegExp): number | null {
  const found = text
    .split("\n")
    .flatMap((line, i) =>
      isshort(line) && has.test(line) && !not.test(line) && !isprose(line) ? [i + 1] : [],
    );
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** A line that a person has written: the expressions take the square of its length. */
const isshort = (line: string): boolean => line.length <= 10_000;
const isprose = (line: string): boolean => /^\s*(?:\/\/|\*|\/\*|import\b)/.test(line);
