// What the comment at the head of an example says of it, for those who run it: the title (to the first stop
// or colon), the machines of the first command that runs it, and what it asks. Pure.
//
//	// Which server holds this file: two machines, one directory.
//	//
//	//     npx namec step --virtual --host far:rtt=50ms examples/lessons/01-which-server.ts
//	//
//	// Question: which of them holds plan?
//	// Look at: the open.

/** An example that teaches something. */
export type Lesson = {
  readonly title: string;
  /** The machines that it wants, as --host has them: "far:rtt=50ms". */
  readonly machines: readonly string[];
  /** "" where it has none. */
  readonly question: string;
  readonly look: string;
};

/** Reads the head of an example. */
export function lessonof(text: string): Lesson {
  const head = /^(?:\/\/.*\n)*/.exec(text)?.[0] ?? "";
  const lines = head.split("\n").map((l) => l.replace(/^\/\/ ?/, ""));
  const command = lines.find((l) => /^ +npx namec /.test(l)) ?? "";
  return {
    title: (lines[0] ?? "").replace(/[.:](\s.*)?$/, ""),
    machines: [...command.matchAll(/ --host (\S+)/g)].map((m) => m[1] ?? ""),
    question: said(lines, "Question: "),
    look: said(lines, "Look at: "),
  };
}

/** What follows a word, with the lines that continue it. */
function said(lines: readonly string[], word: string): string {
  const at = lines.findIndex((l) => l.startsWith(word));
  if (at < 0) return "";
  const more = lines.slice(at + 1);
  const end = more.findIndex((l) => !l.startsWith("    "));
  const rest = more.slice(0, end < 0 ? more.length : end).map((l) => l.trim());
  return [(lines[at] ?? "").slice(word.length), ...rest].join(" ");
}
