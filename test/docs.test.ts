// The documents: their links lead somewhere, their words are explained, and no comment cites what is not here.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "ava";

const files = (dir: string, end: RegExp): string[] =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((f) => end.test(f) && !f.includes("node_modules"))
    .map((f) => join(dir, f));

const documents = ["README.md", "CONTRIBUTING.md", ...files("docs", /\.md$/)];

test("every link of a document to a file leads to one", (t) => {
  for (const doc of documents) {
    const text = readFileSync(doc, "utf8");
    for (const [, to = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g))
      t.true(existsSync(join(dirname(doc), to)), `${doc}: ${to}`);
  }
});

test("the glossary is in the order of its words, and explains those that the first screens use", (t) => {
  const rows = readFileSync("docs/glossary.md", "utf8").match(/^\| (?!word \||---).*$/gm) ?? [];
  const words = rows.map((r) => r.slice(2).split(" | ")[0] ?? "");
  const key = (w: string): string => w.toLowerCase();
  t.deepEqual(
    words,
    words.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)),
  );
  const first = "fid qid tag clunk Chan namec union dot note MREPL gnot glenda far!564".split(" ");
  for (const w of [...first, "round trip"])
    t.true(
      words.some((x) => x.split(", ").includes(w)),
      w,
    );
});

/** Words by which a comment would cite something that a reader of this repository does not have. */
const ELSEWHERE =
  /\bdesign, section|\bdesign\.md|\bhouse\.md|\bsemantics\.md|\bstyle\.md|\.\.\/shared/;

test("a comment cites only files that are here", (t) => {
  const rooms = ["kernel", "devices", "syscalls", "userland", "examples", "test"];
  for (const file of rooms.flatMap((room) => files(room, /\.ts$/))) {
    if (file === "test/docs.test.ts") continue;
    const text = readFileSync(file, "utf8");
    t.notRegex(text, ELSEWHERE, file);
    // A line with a command is an example's, which may be made up.
    for (const line of text.match(/^\s*(?:\/\/|\*|\/\*\*).*$/gm) ?? []) {
      if (line.includes("npx namec")) continue;
      for (const [, path = ""] of line.matchAll(
        /(?<![\w/.-])((?:kernel|devices|syscalls|userland|test|docs|examples)\/[\w./-]+\.(?:ts|md|mjs|c))\b/g,
      ))
        t.true(existsSync(path), `${file} cites ${path}`);
    }
  }
});
