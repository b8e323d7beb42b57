// Documents as data: the forms of markdown that docs/ uses, and those of docs/ten-minutes.md in particular.

import { readFileSync } from "node:fs";
import test from "ava";
import { blocksof, spansof } from "../../userland/view/words/blocks.ts";

test("a document is headings, paragraphs, lists and code, whose lines stay", (t) => {
  const text = "# Title\n\nOne\nline.\n\n```sh\na\n\n# b\n```\n\n- first\n  goes on\n- `second`\n";
  t.deepEqual(blocksof(text), [
    { form: "heading", level: 1, text: "Title" },
    { form: "paragraph", spans: [{ form: "text", text: "One line." }] },
    { form: "code", text: "a\n\n# b" },
    {
      form: "list",
      items: [[{ form: "text", text: "first goes on" }], [{ form: "code", text: "second" }]],
    },
  ]);
});

test("a paragraph has code, strong words and links in it", (t) => {
  t.deepEqual(spansof("a `b*c*` and **d e** in [f](g.md)."), [
    { form: "text", text: "a " },
    { form: "code", text: "b*c*" },
    { form: "text", text: " and " },
    { form: "strong", text: "d e" },
    { form: "text", text: " in " },
    { form: "link", text: "f", to: "g.md" },
    { form: "text", text: "." },
  ]);
});

test("what newcomers read has no mark of markdown left", (t) => {
  const blocks = blocksof(readFileSync("docs/ten-minutes.md", "utf8"));
  const spans = blocks.flatMap((b) =>
    b.form === "paragraph" ? b.spans : b.form === "list" ? b.items.flat() : [],
  );
  t.true(blocks.length > 20 && spans.some((s) => s.form === "strong"));
  for (const s of spans) if (s.form === "text") t.notRegex(s.text, /[`*\][]|^#/, s.text);
});
