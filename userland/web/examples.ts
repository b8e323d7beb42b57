// The examples: every program in examples/, taken into the page when it is built.

import answers from "../../docs/lessons.md?raw";
import { exampleof } from "./example.ts";
import type { Example } from "./example.ts";

const FILES: Readonly<Record<string, string>> = import.meta.glob(
  ["../../examples/*.ts", "../../examples/lessons/*.ts"],
  { query: "?raw", import: "default", eager: true },
);

/** Wants a second process that serves a directory of the host: a page has none. */
const NOTHERE: readonly string[] = ["first.ts"];

/** All of them: the lessons, then the others, by name. */
export const EXAMPLES: readonly Example[] = Object.entries(FILES)
  .map(([path, text]) => exampleof(path, text, answers))
  .filter((e) => !NOTHERE.includes(e.name))
  .sort(
    (a, b) =>
      Number(b.lesson) - Number(a.lesson) || (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
