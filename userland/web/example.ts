// An example as the page has it: its text, what it asks, and how its first comment says it is run.

import { quote, tokenize } from "../../kernel/abi/quote.ts";
import { answerof, headof } from "../view/words/documents.ts";
import type { Head } from "../view/words/documents.ts";
import type { Setup } from "./setup.ts";

/** An example: what it is about, and how it is run. */
export type Example = Setup &
  Omit<Head, "machines"> & {
    readonly lesson: boolean;
    /** The answer to the question, and what the change brings; "" where it has none. */
    readonly answer: string;
    readonly changed: string;
  };

/** An example of a file; `answers` is docs/lessons.md. */
export function exampleof(path: string, text: string, answers = ""): Example {
  const name = path.replace(/^.*\//, "");
  const head = /^(?:\/\/.*\n)+/.exec(text)?.[0] ?? "";
  const { machines, ...said } = headof(text);
  const lesson = path.includes("/lessons/");
  return {
    name,
    text,
    lesson,
    ...said,
    ...answerof(name.replace(/\.\w+$/, ""), answers),
    hosts: machines,
    ...commandof(head, name),
  };
}

/** What is given to `namec run` or `namec step` in a comment. */
function commandof(head: string, name: string): Pick<Setup, "args" | "seed"> {
  const line = head.split("\n").find((l) => /namec (run|step)\b/.test(l) && l.includes(name)) ?? "";
  const words = tokenize(line.replace(/^.*?namec (run|step)\s*/, ""));
  const at = words.findIndex((w) => w.endsWith(name));
  const seed = Number(words[words.indexOf("--seed") + 1 || -1] ?? 0);
  const args = words.slice(at + 1).map(quote);
  return { args: args.join(" "), seed: Number.isSafeInteger(seed) ? seed : 0 };
}
