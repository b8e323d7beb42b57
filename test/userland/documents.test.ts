// Documents as data. The forms of markdown that docs/ uses, and those of docs/ten-minutes.md in particular, become
// blocks. The glossary has every term that the screens can print: each message, call and flag by the tables that they are
// printed from, and the nouns of processes and name spaces that the sentences use.

import { readFileSync, readdirSync } from "node:fs";
import test from "ava";
import { calls } from "../../kernel/abi/calls.ts";
import * as constants from "../../kernel/abi/const.ts";
import * as fcall from "../../kernel/abi/fcall.ts";
import { SECTIONS } from "../../userland/host/stepper.ts";
import { callfmt } from "../../userland/view/words/callfmt.ts";
import { Glossary, bare, blocksof, spansof } from "../../userland/view/words/documents.ts";

const GLOSSARY = new Glossary(readFileSync("docs/glossary.md", "utf8"));

/** The texts in the sources that make sentences: what stands between quotes or backquotes. */
function literals(): string {
  const rooms = ["userland/view/words", "userland/view/step", "userland/view/draw"];
  return rooms
    .flatMap((room) => readdirSync(room).map((file) => readFileSync(`${room}/${file}`, "utf8")))
    .flatMap((text) => [
      ...text.replaceAll(/^\s*(?:\/\/|\*|\/\*|import).*$/gm, "").matchAll(LITERAL),
    ])
    .map((m) => m[0].replaceAll(/\$\{[^}]*\}/g, " "))
    .join("\n");
}
const LITERAL = /"[^"\n]*"|`[^`]*`/g;

/** The nouns of a kernel, in the sentences of the screens. */
const NOUNS = `argument attach buffer byte Chan child client clunk connection conversation deadlock
  descriptor device directory dot element entry environment error fid file flush handler host interrupted kernel
  length link member message mode mount name network note offset owner packet parent permission pipe
  port process program qid queue recording rendezvous reply request rfork root semaphore server service
  shared status step stream tag tcp terminal tree union user version walk zombie`.split(/\s+/);

const explained = (t: { true(v: boolean, m: string): unknown }, word: string): unknown =>
  t.true(GLOSSARY.entry(word) !== undefined, `${word} is not in docs/glossary.md`);

test("each message of 9P has an entry", (t) => {
  const types = Object.keys(fcall).filter((name) => /^[TR][a-z]+$/.test(name));
  t.true(types.length > 25);
  for (const type of types) if (type !== "Terror") explained(t, type);
});

test("each system call has an entry", (t) => {
  for (const name of Object.keys(calls)) explained(t, name);
});

test("each flag that a call is shown with has an entry", (t) => {
  const shown = new Set<string>();
  const of: readonly (readonly [RegExp, (v: number) => string])[] = [
    [/^O[A-Z]+$/, (v) => callfmt({ name: "open", args: ["/", v] })],
    [/^RF[A-Z]+$/, (v) => callfmt({ name: "rfork", args: [v] })],
    [
      /^M(?:REPL|BEFORE|AFTER|CREATE|CACHE)$/,
      (v) => callfmt({ name: "bind", args: ["/", "/", v] }),
    ],
    [/^N(?:CONT|DFLT)$/, (v) => callfmt({ name: "noted", args: [v] })],
  ];
  for (const [name, value] of Object.entries(constants))
    for (const [which, fmt] of of)
      if (which.test(name) && typeof value === "number")
        for (const word of fmt(value).match(/\b[A-Z]{4,}\b/g) ?? []) shown.add(word);
  t.true(shown.size > 25, [...shown].join(" "));
  for (const word of shown) explained(t, word);
});

test("each noun of a kernel that a sentence of the screens uses has an entry", (t) => {
  const text = literals();
  const used = NOUNS.filter((noun) => RegExp(`\\b${noun}(?:s|es)?\\b`, "i").test(text));
  t.true(used.length > 50);
  for (const noun of used) explained(t, noun);
});

test("each constant that a lesson's program or its comments name has an entry", (t) => {
  const dir = "examples/lessons";
  const named = new Set<string>();
  for (const file of readdirSync(dir))
    for (const [word] of readFileSync(`${dir}/${file}`, "utf8").matchAll(/\b[A-Z]{4,}\b/g))
      if (word in constants) named.add(word);
  t.true(named.has("RFCFDG") && named.size > 15, [...named].join(" "));
  for (const word of named) explained(t, word);
});

test("words of common English are explained when they are asked for, and not marked in sentences", (t) => {
  const marked = (text: string): string[] =>
    GLOSSARY.split(text).flatMap((p) => (p.entry === null ? [] : [p.text]));
  t.deepEqual(marked("open gives a descriptor; the fids are clunked when the file is closed."), [
    "descriptor",
    "fids",
    "clunked",
  ]);
  t.regex(GLOSSARY.entry("open")?.text ?? "", /^open\(name, mode\)/);
  t.is(bare("group (of requests)"), "group");
  t.is(bare("wait(2)"), "wait");
});

test("a word that an entry is explained by has an entry, and the screen names each section that entries cite", (t) => {
  const named = new Set([...SECTIONS.matchAll(/(\d) /g)].map((m) => m[1]));
  for (const { words, text } of GLOSSARY.entries) {
    for (const m of text.matchAll(/\b\w+\((\d)\)/g))
      t.true(named.has(m[1]), `${words.join(", ")}: ${m[0]}`);
    // Messages, flags and devices are no words of English, and nouns of a kernel have a meaning of their own.
    for (const [word] of text.matchAll(
      /\b[TR](?!o\b)[a-z]{4,}\b(?<!The|This|Three|There)|\b(?:RF|DM|MC|O)[A-Z]{3,}\b/g,
    ))
      if (!/^(?:Terror|Requests|These|Their|That)$/.test(word)) explained(t, word);
    for (const noun of NOUNS) if (RegExp(`\\b${noun}(?:s|es)?\\b`).test(text)) explained(t, noun);
  }
});

test("entries come with those of the words that explain them", (t) => {
  const of = (word: string): string[] => {
    const entry = GLOSSARY.entry(word);
    return entry === undefined ? [] : GLOSSARY.closed([entry]).map((e) => e.words[0] ?? "");
  };
  t.deepEqual(of("server"), ["server"]);
  t.deepEqual(of("9P"), ["9P", "server"]);
  t.deepEqual(of("Twalk"), ["Twalk", "fid", "qid", "server", "directory"]);
});

test("no two entries explain the same word", (t) => {
  const words = GLOSSARY.entries.flatMap((e) => e.words);
  t.deepEqual(
    words.filter((w, i) => words.indexOf(w) !== i),
    [],
  );
});

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
