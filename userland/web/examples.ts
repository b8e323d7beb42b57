// The examples: the first lesson is in the page's script, so that there is something to run at once; the others
// come behind it.

import first from "../../examples/lessons/01-which-server.ts?raw";
import { exampleof } from "./example.ts";
import type { Example } from "./example.ts";

/** Wants a second process that serves a directory of the host: a page has none. */
const NOTHERE: readonly string[] = ["first.ts"];

const known: Example[] = [exampleof("examples/lessons/01-which-server.ts", first)];

/** Those that have come: the lessons, then the others, by name. */
export const EXAMPLES: readonly Example[] = known;

/** What of the examples is in files: their texts by path, and docs/lessons.md. */
export type Texts = {
  readonly FILES: Readonly<Record<string, string>>;
  readonly answers: string;
};

/** Takes all of them. */
export function takeexamples({ FILES, answers }: Texts): void {
  const all = Object.entries(FILES)
    .map(([path, text]) => exampleof(path, text, answers))
    .filter((e) => !NOTHERE.includes(e.name))
    .sort(
      (a, b) =>
        Number(b.lesson) - Number(a.lesson) || (a.name < b.name ? -1 : Number(a.name > b.name)),
    );
  known.splice(0, known.length, ...all);
}
