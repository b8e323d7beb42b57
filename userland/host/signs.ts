// The signs of the screen of `namec step`, and what they mean. Those that a screen has are explained with its words.

/** A sign: how a line of the screen shows it, and what it means. */
export type Sign = { readonly sign: string; readonly shown: RegExp; readonly means: string };

/** A line of a pane begins at the edge, or behind the line between the two columns of panes. */
const EDGE = "(?:^|│ )";

/** All signs that panes are drawn with. */
export const SIGNS: readonly Sign[] = [
  {
    sign: "▶",
    shown: /▶/,
    means: "the line of the program that makes the call; the message that this step is about",
  },
  {
    sign: "→ ←",
    shown: /^ step \d+ of \d+ {2}[→←] /,
    means: "in the first line: a request is sent, or a reply has come",
  },
  { sign: "▸", shown: /▸/, means: "the way of the name through the name space" },
  {
    sign: "[ ]",
    shown: /\/\[[^\]]*\]/,
    means: "the element of the name that is looked up next, or that is missing",
  },
  { sign: "✓", shown: /✓ \d+\. /, means: "the member of the union that has the name" },
  { sign: "✗", shown: /✗ \d+\. /, means: "a member that does not have the name" },
  {
    sign: "!",
    shown: /! \d+\. /,
    means: "the member that has the name, but refuses what was asked",
  },
  { sign: "?", shown: /\? \d+\. /, means: "a member whose answer is not known yet" },
  {
    sign: "(dev env)",
    shown: / {2}\((?!\d+ more)[\w. -]+\)\s*$/,
    means: "names of the kernel's devices, which the name in question does not lead through",
  },
  { sign: "+", shown: new RegExp(`${EDGE} *\\+ `), means: "what this step has changed" },
  { sign: "*", shown: new RegExp(`${EDGE} *\\* \\d`), means: "the process that this step is of" },
  {
    sign: "← →",
    shown: new RegExp(`${EDGE}[←→] [TR]`),
    means: "a message that the server of this step has read, or has written",
  },
  {
    sign: "↔",
    shown: / ↔ /,
    means: "the two ends of a pipe, each with who has it open to read and to write",
  },
  {
    sign: "→",
    shown: /pipe \d+:.* → /,
    means: "one way of a pipe: who can write to it, and who can read",
  },
  {
    sign: "├ ◆ ┤",
    shown: /[├◆┤](?!.*◆ there)/,
    means: "a request on the axis of time: it is sent, it is at its server, its reply is here",
  },
  {
    sign: "> <",
    shown: / [├─◆]*[><][─·◆┤ ]*$/,
    means: "where a message is at this step: on its way there or at the server, or on its way back",
  },
  { sign: "·", shown: /·/, means: "what comes after this step, as far as the recording knows it" },
  {
    sign: "3 r 5",
    shown: new RegExp(`${EDGE} *\\d+ (?:r|w|rw|x) `),
    means:
      "descriptor 3, which is open to read (w to write, x to be run), and where in the file the next read or write begins",
  },
  { sign: "…", shown: /…/, means: "there is more than there is room for" },
];

/** The signs that lines of a screen have. */
export function signsin(lines: readonly string[]): Sign[] {
  return SIGNS.filter(({ shown }) => lines.some((line) => shown.test(line)));
}
