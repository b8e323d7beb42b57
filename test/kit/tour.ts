// The tour of rc in docs/rc.md: what it shows, and which of it is typed.

import { readFileSync } from "node:fs";

const PAGE = readFileSync(new URL("../../../docs/rc.md", import.meta.url), "utf8");

/** The blocks of the page that show a terminal, as one text. */
export function shown(): string {
  return [...PAGE.matchAll(/```rc\n([^]*?)```/g)].map((m) => m[1] ?? "").join("");
}

/** What is typed: the lines behind a prompt. A command goes on in the lines that begin with a tab. */
export function typed(text: string): string[] {
  const lines: string[] = [];
  let open = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("% ")) lines.push(line.slice(2));
    else if (open && line.startsWith("\t")) lines.push(line.slice(1));
    else continue;
    open = goeson(lines);
  }
  return lines;
}

/** Whether the last command is not at its end: a brace is open, or a here document. */
function goeson(lines: readonly string[]): boolean {
  const text = lines.join("\n");
  const docs = text.split("<<END").length - 1;
  return (
    text.split("{").length > text.split("}").length ||
    docs > lines.filter((l) => l === "END").length
  );
}

/** Numbers of processes are like no others'. */
export const masked = (text: string): string => text.replaceAll(/\b(\w+) \d+: /g, "$1 PID: ");
