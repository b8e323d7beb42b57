// A script's answer beside the recorded one: what disagrees, as a diff.

import { type Answer, type Oracle, answer } from "./machine.ts";
import { normalise } from "./normalise.ts";

const FIELDS = ["status", "out", "err"] as const;

/** Lines of one side and the other, those that both begin and end with left out. */
function diff(want: string, got: string): string {
  const w = want.split("\n");
  const g = got.split("\n");
  let head = 0;
  while (head < w.length && head < g.length && w[head] === g[head]) head++;
  let tail = 0;
  while (
    tail < w.length - head &&
    tail < g.length - head &&
    w[w.length - 1 - tail] === g[g.length - 1 - tail]
  )
    tail++;
  const show = (mark: string, lines: readonly string[]): string =>
    lines
      .slice(head, lines.length - tail)
      .map((l) => `\t${mark} ${JSON.stringify(l)}\n`)
      .join("");
  return show("-", w) + show("+", g);
}

/** What disagrees, "" for nothing. */
export function disagreement(o: Oracle, a: Answer | null): string {
  if (a === null) return "\tdoes not end\n";
  let text = "";
  for (const f of FIELDS) {
    const got = normalise(a[f]);
    if (got === normalise(o[f]) || got === normalise(o[`${f}2`] ?? o[f])) continue;
    text += `    ${f}\n${diff(normalise(o[f]), got)}`;
  }
  return text;
}

/** Runs a script and gives what disagrees. */
export async function check(o: Oracle): Promise<string> {
  return disagreement(o, await answer(o));
}
