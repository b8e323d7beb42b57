// A document of docs/ as data, for a page that shows it: the few forms of markdown that those use. Pure.
//
//	"## Fids\n\nA `fid` is\na number.\n"  ->  a heading, and a paragraph whose second part is code

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
