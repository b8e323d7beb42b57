// What `namec --help` and `namec help CMD` say, laid out for 80 columns.

import { wrapped } from "./ansi.ts";
import type { Command, Option } from "./command.ts";

const WIDTH = 80;

/** The last line of each help. */
const WORDS = "What a word means: namec glossary WORD, or docs/glossary.md";

/** The help of one command. */
export function commandhelp(c: Command): string {
  const parts = [`usage: namec ${c.name} ${c.usage}`.trimEnd(), c.about];
  if (c.options.length > 0)
    parts.push(`Options:\n${table(c.options.map((o) => [form(o), o.text]))}`);
  if (c.examples.length > 0)
    parts.push(`Examples:\n${c.examples.map((e) => `    ${e}`).join("\n")}`);
  parts.push(WORDS);
  return `${parts.join("\n\n")}\n`;
}

/** The help of them all. */
export function help(commands: readonly Command[]): string {
  return `namec is a Plan 9 kernel in one JavaScript process.

usage: namec COMMAND [options] ...

${table([...commands.map((c): [string, string] => [c.name, c.brief]), ["help", "say what a command does: namec help run"]])}

    --help, --version

Start with:
    namec                       on a terminal: a prompt, with rc and its commands
    namec lesson                the lessons: questions to step through, with answers
    namec demo                  a tour: names, mounts, unions, and what each call costs
    namec step --host far:rtt=50ms 'stat /n/far/a/b/c'
    namec web                   a page on which programs are written, run and stepped through

${WORDS}
`;
}

function form(o: Option): string {
  return [`--${o.name}`, ...o.values].join(" ");
}

/** Two columns, the second wrapped. */
function table(rows: readonly (readonly [string, string])[]): string {
  const left = Math.min(26, Math.max(...rows.map(([a]) => a.length))) + 2;
  return rows
    .map(([a, b]) => {
      const lines = wrap(b, WIDTH - 4 - left);
      const first =
        a.length + 2 > left ? `    ${a}\n${" ".repeat(4 + left)}` : `    ${a.padEnd(left)}`;
      return first + lines.join(`\n${" ".repeat(4 + left)}`);
    })
    .join("\n");
}

/** Cuts text into lines of at most so many columns, between words. A text without words is one empty line. */
export function wrap(text: string, columns: number): string[] {
  const lines = wrapped(text, columns);
  return lines.length === 0 ? [""] : lines;
}
