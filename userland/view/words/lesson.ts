// The lessons as data: the terminal, the page and the tests read the same. What a lesson asks is in the comment at
// the head of its program, and its answer is a section of docs/lessons.md. Pure.
//
//	// Which server holds this file: two machines, one directory.
//	//
//	//     npx namec step --virtual --host far:rtt=50ms examples/lessons/01-which-server.ts
//	//
//	// Question: which of them holds plan?
//	// Look at: the open, and its `Twalk 0 → 1 plan`.
//	// Change: bind far first.

/** What the head of an example says. */
export type Head = {
  /** To the first stop or colon. */
  readonly title: string;
  /** The machines of the first command that runs it, as --host has them: "far:rtt=50ms". */
  readonly machines: readonly string[];
  /** "" where it has none; so are the next two. */
  readonly question: string;
  /** Where the answer is to be seen; what is between backquotes stands on the screen just so. */
  readonly look: string;
  /** One thing to change and try. */
  readonly change: string;
};

/** A lesson. */
export type Lesson = Head & {
  readonly n: number;
  /** "01-which-server" */
  readonly name: string;
  /** The program. */
  readonly text: string;
  /** The answer, for those who ask for it: paragraphs, with an empty line between. */
  readonly answer: string;
  /** What the change brings. */
  readonly changed: string;
};

/** Reads the head of an example. */
export function headof(text: string): Head {
  const head = /^(?:\/\/.*\n)*/.exec(text)?.[0] ?? "";
  const lines = head.split("\n").map((l) => l.replace(/^\/\/ ?/, ""));
  const command = lines.find((l) => /^ +npx namec /.test(l)) ?? "";
  return {
    title: (lines[0] ?? "").replace(/[.:](\s.*)?$/, ""),
    machines: [...command.matchAll(/ --host (\S+)/g)].map((m) => m[1] ?? ""),
    question: said(lines, "Question: "),
    look: said(lines, "Look at: "),
    change: said(lines, "Change: "),
  };
}

/** The lesson of a program; `answers` is docs/lessons.md. */
export function lessonof(path: string, text: string, answers: string): Lesson {
  const name = path.replace(/^.*\//, "").replace(/\.ts$/, "");
  return { n: Number.parseInt(name, 10), name, text, ...headof(text), ...answerof(name, answers) };
}

/** The answer to a lesson, and what its change brings: its section of docs/lessons.md. */
export function answerof(name: string, answers: string): Pick<Lesson, "answer" | "changed"> {
  const section = answers.split(/^## /m).find((s) => s.startsWith(`${name}: `)) ?? "";
  const [, ...paragraphs] = section.split(/\n{2,}/).map((p) => p.trim().replaceAll("\n", " "));
  const changed = paragraphs.find((p) => p.startsWith(CHANGED)) ?? "";
  const answer = paragraphs.filter((p) => p !== "" && p !== changed).join("\n\n");
  return { answer, changed: changed.slice(CHANGED.length) };
}

const CHANGED = "Changed: ";

/** What of "Look at" stands on the screen: the pieces between backquotes. */
export function pieces(look: string): string[] {
  return [...look.matchAll(/`([^`]+)`/g)].map((m) => m[1] ?? "");
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
