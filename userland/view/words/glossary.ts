// The glossary as data: the table of docs/glossary.md, and the places of its words in a sentence. Pure.
//
//	split("the fid is clunked")  →  "the ", "fid" (entry fid), " is ", "clunked" (entry clunk)

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
const VERBS: ReadonlySet<string> = new Set([
  "attach",
  "bind",
  "clunk",
  "flush",
  "mount",
  "rfork",
  "walk",
]);

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
