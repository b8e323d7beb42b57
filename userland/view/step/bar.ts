// A message on the time axis, in one line of letters: what of its way is behind it, where it is, and what
// of the way is ahead as far as the recording knows.
//
//	├──────────>·······◆················┤
//	           ^ on its way there, at the step's time; ◆ it reaches the server; ┤ the answer is here

import type { Frame, Message } from "./frame.ts";

/** A line of the axis in parts: before the message, the way behind it, its head, the way ahead. */
export type Bar = {
  readonly before: string;
  readonly behind: string;
  readonly head: string;
  readonly ahead: string;
};

/** The bar of a message on so many columns. */
export function barof(m: Message, axis: Frame["axis"], columns: number): Bar {
  const span = Math.max(1, axis.to - axis.from);
  const at = (t: number): number =>
    Math.max(0, Math.min(columns - 1, Math.round(((t - axis.from) / span) * (columns - 1))));
  const sent = at(m.since);
  const now = Math.max(sent, at(m.stage === "here" ? (m.until ?? axis.now) : axis.now));
  const end = Math.max(now, at(m.until ?? m.turn ?? axis.now));
  const letters: string[] = Array.from({ length: end + 1 }, (_, i) => (i <= now ? "─" : "·"));
  if (m.turn !== null) letters[Math.max(sent, at(m.turn))] = "◆";
  letters[sent] = "├";
  if (end > sent && m.until !== null) letters[end] = "┤";
  const head = HEADS[m.stage];
  const arrives = m.stage === "there" && letters[now] === "◆";
  if (head !== "" && now < columns && !arrives) letters[now] = head;
  const text = letters.join("");
  const stop = m.stage === "here" ? end : now;
  return {
    before: " ".repeat(sent),
    behind: text.slice(sent, stop),
    head: text.slice(stop, stop + 1),
    ahead: text.slice(stop + 1),
  };
}

const HEADS: Readonly<Record<Message["stage"], string>> = {
  going: ">",
  there: ">",
  coming: "<",
  arrived: "┤",
  out: ">",
  here: "",
};
