// Where in a program's text a mistake may be, when no stack says so: the line that has the only call of its name
// which is not awaited, or the only return of something that is no text. Two such lines are no answer.

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
