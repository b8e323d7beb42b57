// The documents of docs/ and the lessons as data: the terminal, the page and the tests read the same. Pure.
//
// The glossary is the table of docs/glossary.md, with the places of its words in a sentence:
//
//	split("the fid is clunked")  →  "the ", "fid" (entry fid), " is ", "clunked" (entry clunk)
//
// What a lesson asks is in the comment at the head of its program, and its answer is a section of docs/lessons.md:
//
//	// Which server holds this file: two machines, one directory.
//	//
//	//     npx namec step --virtual --host far:rtt=50ms examples/lessons/01-which-server.ts
//	//
//	// Question: which of them holds plan?
//	// Look at: the open, and its `Twalk 0 → 1 plan`.
//	// Change: bind far first.
//
// Any other document is a list of blocks, in the few forms of markdown that docs/ uses:
//
//	"## Fids\n\nA `fid` is\na number.\n"  →  a heading, and a paragraph whose second part is code

/** A row of the glossary: the words that it explains, and what they mean. */
export type Entry = { readonly words: readonly string[]; readonly text: string };

/** A piece of a sentence; `entry` where it is a word of the glossary. */
export type Part = { readonly text: string; readonly entry: Entry | null };

/** The rows of the table, without its marks of markdown. */
export function entriesof(markdown: string): Entry[] {
  return markdown
    .split("\n")
    .filter((line) => /^\| (?!word \||---)/.test(line))
    .map((line) => {
      const [word = "", text = ""] = line.slice(2, -2).split(/ \| (.*)/s);
      const plain = text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "docs/$1").replaceAll("`", "");
      return { words: word.split(", "), text: plain };
    });
}

/** Words of common English, which mean something else in most sentences: they are explained, and not marked. */
const COMMON: ReadonlySet<string> = new Set(
  (
    "run later window clean group open create close remove read write seek wait sleep argument byte call error " +
    "exclusive file host length link message mode name network owner packet parent port post program queue " +
    "request reply root service shared standard step stream tree user version address client file child terminal"
  ).split(" "),
);

/** The words of a glossary, to be found in sentences. */
export class Glossary {
  readonly entries: readonly Entry[];
  readonly #byword = new Map<string, Entry>();
  readonly #find: RegExp;

  constructor(markdown: string) {
    this.entries = entriesof(markdown);
    for (const e of this.entries)
      for (const form of e.words.flatMap(forms))
        if (!this.#byword.has(form)) this.#byword.set(form, e);
    const marked = [...this.#byword.keys()].filter((form) => !COMMON.has(form.replace(/s$/, "")));
    const all = marked.toSorted((a, b) => b.length - a.length).map(literal);
    this.#find = new RegExp(`(?<![\\w/#.-])(?:${all.join("|")})(?![\\w/-]|\\.\\w)`, "giu");
  }

  /** What a word means; undefined when the glossary has it not. */
  entry(word: string): Entry | undefined {
    return this.#byword.get(word.toLowerCase());
  }

  /** Entries with those of the words that their texts use, and so on: what must be explained with them. */
  closed(entries: readonly Entry[]): Entry[] {
    const all = new Set(entries);
    // A set is walked with what is added on the way.
    for (const { text } of all)
      for (const { entry } of this.split(text.replaceAll(CITED, "")))
        if (entry !== null) all.add(entry);
    return [...all];
  }

  /** A sentence in pieces: each word of the glossary the first time that it is there. */
  split(text: string): Part[] {
    const parts: Part[] = [];
    const seen = new Set<Entry>();
    let at = 0;
    for (const m of text.matchAll(this.#find)) {
      const entry = this.entry(m[0]);
      if (entry === undefined || seen.has(entry)) continue;
      seen.add(entry);
      if (m.index > at) parts.push({ text: text.slice(at, m.index), entry: null });
      parts.push({ text: m[0], entry });
      at = m.index + m[0].length;
    }
    if (at < text.length) parts.push({ text: text.slice(at), entry: null });
    return parts;
  }
}

/** A page of the manual that is named: "dup(2)". */
const CITED = /\b\w+\(\d\)/g;

const literal = (word: string): string => word.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);

/** Words that are verbs, too. */
const VERBS: ReadonlySet<string> = new Set("attach bind clunk flush mount rfork walk".split(" "));

/** A word of the glossary as it is asked for: "group (of requests)" is group, and wait(2) is wait. */
export function bare(written: string): string {
  return written.replace(/ \(.*\)$|\(2\)$/, "").toLowerCase();
}

/** A word as it is written in the glossary, and as sentences have it. */
function forms(written: string): string[] {
  const word = bare(written);
  if (!/^[a-z][a-z -]*$/.test(word)) return [word];
  const plural = /(?:s|sh|ch|x)$/.test(word) ? `${word}es` : `${word}s`;
  return [word, plural, ...(VERBS.has(word) ? [`${word}ed`, `${word}ing`] : [])];
}

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

/** A piece of a line. A link leads to another document, or is a web address. */
export type Span = {
  readonly form: "text" | "code" | "strong" | "link";
  readonly text: string;
  readonly to?: string;
};

/** A part of a document. */
export type Block =
  | { readonly form: "heading"; readonly level: number; readonly text: string }
  | { readonly form: "code"; readonly text: string }
  | { readonly form: "paragraph"; readonly spans: readonly Span[] }
  | { readonly form: "list"; readonly items: readonly (readonly Span[])[] };

/** The blocks of a document. */
export function blocksof(markdown: string): Block[] {
  const blocks: Block[] = [];
  for (const part of markdown.split(/(^```[^]*?^```$)/m)) {
    const [, code] = /^```.*\n([^]*)```$/.exec(part) ?? [];
    if (code !== undefined) blocks.push({ form: "code", text: code.trimEnd() });
    else
      for (const text of part.split(/\n{2,}/))
        if (text.trim() !== "") blocks.push(block(text.trim()));
  }
  return blocks;
}

function block(text: string): Block {
  const [, marks, title] = /^(#+) (.*)$/.exec(text) ?? [];
  if (marks !== undefined && title !== undefined)
    return { form: "heading", level: marks.length, text: title };
  if (!text.startsWith("- ")) return { form: "paragraph", spans: spansof(text) };
  return { form: "list", items: text.slice(2).split(/\n- /).map(spansof) };
}

/** The pieces of a paragraph. */
export function spansof(text: string): Span[] {
  const spans: Span[] = [];
  const line = text.replaceAll(/\s*\n\s*/g, " ");
  for (const part of line.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/)) {
    const [, code, strong, name, to] =
      /^(?:`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)]+)\))$/.exec(part) ?? [];
    if (code !== undefined) spans.push({ form: "code", text: code });
    else if (strong !== undefined) spans.push({ form: "strong", text: strong });
    else if (name !== undefined && to !== undefined) spans.push({ form: "link", text: name, to });
    else if (part !== "") spans.push({ form: "text", text: part });
  }
  return spans;
}
