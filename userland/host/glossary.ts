// namec glossary: what the words of the screens mean, from docs/glossary.md.

import { readFileSync } from "node:fs";
import { Usage, nearest } from "./command.ts";
import type { Command, Given } from "./command.ts";
import { wrap } from "./help.ts";
import { bare, entriesof } from "../view/words/documents.ts";

const FILE = new URL("../../../docs/glossary.md", import.meta.url);
const WIDTH = 80;

export const glossary: Command = {
  name: "glossary",
  usage: "[WORD]",
  brief: "what a word means: fid, tag, clunk, union, round trip ...",
  about: "Says what WORD means, or without one lists all words with their meanings.",
  options: [],
  examples: ["namec glossary fid", "namec glossary round trip"],
  mixed: true,
  run: start,
};

/** docs/glossary.md. */
export function glossarytext(): string {
  return readFileSync(FILE, "utf8");
}

async function start(given: Given): Promise<number> {
  const word = given.rest.join(" ");
  const all = entriesof(glossarytext());
  const asked = word.replace(/\(2\)$/, "").toLowerCase();
  const found = word === "" ? all : all.filter((r) => r.words.some((w) => bare(w) === asked));
  if (found.length === 0) {
    const close = nearest(
      word,
      all.flatMap((r) => r.words.map(bare)),
    );
    throw new Usage(
      `${word} is not in the glossary`,
      close === null ? "namec glossary lists all words" : `did you mean ${close}?`,
    );
  }
  for (const r of found)
    process.stdout.write(`${wrap(`${r.words.join(", ")}: ${r.text}`, WIDTH).join("\n    ")}\n`);
  return 0;
}
