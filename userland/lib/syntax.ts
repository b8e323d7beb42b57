// Syntax errors of programs: what sucrase, which strips the types, says of one, and what to do about it.

/** What sucrase says of a syntax error, and where: the line and the column from 1, null where it does not know. */
export function syntaxfault(e: Error): {
  readonly what: string;
  readonly at: { readonly line: number; readonly column: number } | null;
} {
  const [, line, column] = /\((\d+):(\d+)\)$/.exec(e.message) ?? [];
  const what = e.message.replace(/ *\(\d+:\d+\)$/, "").replace(/^Error transforming .*?: /, "");
  return {
    what,
    at: line === undefined ? null : { line: Number(line), column: Number(column) },
  };
}

/** What to do about a syntax error, by what the engine or the transpiler says; null where that says enough. */
export function syntaxhint(message: string, atend: boolean): string | null {
  if (/reserved word|await is only valid|'await'/.test(message) && !/strict mode/.test(message))
    return "await stands in a function that is not async: write async before function, or before the arguments of =>.";
  if (/yield|strict mode reserved word/.test(message))
    return "yield* stands in a function that is no generator: write function*, or await in an async function.";
  if (atend) return "A bracket or brace that was opened before is not closed.";
  if (/Unterminated string/.test(message))
    return "A quote is not closed on its line: write the other quote, or a template between backquotes.";
  if (/already been declared/.test(message)) return "Give one of the two another name.";
  return /expected "[,;)\]}]"|expecting '[,;)\]}]'/.test(message)
    ? "A bracket, comma or semicolon is missing."
    : null;
}
