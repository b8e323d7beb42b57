// The long texts of the page: every program in examples/, the answers of the lessons, and the glossary, taken into
// the page when it is built. They load behind the first lesson.

import glossary from "../../docs/glossary.md?raw";
import answers from "../../docs/lessons.md?raw";

const FILES: Readonly<Record<string, string>> = import.meta.glob(
  ["../../examples/*.ts", "../../examples/lessons/*.ts"],
  { query: "?raw", import: "default", eager: true },
);

export { FILES, answers, glossary };
