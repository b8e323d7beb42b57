// An example as the page has it: its text, and how its first comment says it is run.
//
//	//     npx namec run --host far:rtt=50ms examples/lessons/deep.ts a b

import { quote, tokenize } from "../lib/quote.ts";
import type { Setup } from "./setup.ts";

/** An example: what it is about, and how it is run. */
export type Example = Setup & { readonly title: string; readonly lesson: boolean };

/** An example of a file. */
export function exampleof(path: string, text: string): Example {
  const name = path.replace(/^.*\//, "");
  const head = /^(?:\/\/.*\n)+/.exec(text)?.[0] ?? "";
  const title = /^\/\/ (.*?[.:])(?:\s|$)/s.exec(head.replace(/\n\/\/ ?/g, " "))?.[1] ?? name;
  const lesson = path.includes("/lessons/");
  return { name, text, lesson, title: title.replace(/[.:]$/, ""), ...commandof(head, name) };
}

/** What is given to `namec run` or `namec step` in a comment. */
function commandof(head: string, name: string): Pick<Setup, "args" | "hosts" | "seed"> {
  const line = head.split("\n").find((l) => /namec (run|step)\b/.test(l) && l.includes(name)) ?? "";
  const words = tokenize(line.replace(/^.*?namec (run|step)\s*/, ""));
  const at = words.findIndex((w) => w.endsWith(name));
  const hosts: string[] = [];
  let seed = 0;
  for (const [i, word] of words.slice(0, Math.max(0, at)).entries()) {
    if (word === "--host") hosts.push(words[i + 1] ?? "");
    if (word === "--seed") seed = Number(words[i + 1] ?? 0);
  }
  return {
    args: words
      .slice(at + 1)
      .map(quote)
      .join(" "),
    hosts: hosts.filter(Boolean),
    seed,
  };
}
