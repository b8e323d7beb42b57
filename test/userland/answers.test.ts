// What a reader of the screen can answer: five questions to each of sixteen programs, and the step's screen has
// the facts of each answer. Each word of Plan 9 that is on any screen of theirs is in the glossary.

import { readFileSync } from "node:fs";
import test from "ava";
import { plaintext } from "../../userland/host/ansi.ts";
import { drawframe } from "../../userland/host/stepview.ts";
import type { Tape } from "../../userland/view/step/tape.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import { eventtext } from "../../userland/view/words/eventtext.ts";
import { Glossary } from "../../userland/view/words/documents.ts";
import { stock } from "../kit/stock.ts";
import { MORE } from "../kit/moreprograms.ts";
import { TEN } from "../kit/tenprograms.ts";
import type { Where } from "../kit/tenprograms.ts";
import { taped } from "../kit/taped.ts";

/** The step that a question is about; -1 for none. With nth 0 the call that took the longest. */
function stepat(tape: Tape, { on, text, nth = 1 }: Where): number {
  const r = tape.recording;
  const found: number[] = [];
  for (const [s, event] of tape.steps.entries()) {
    const e = r.events[event];
    const call = r.calls[e?.call ?? -1];
    const says = on === "line" ? eventtext(r, event) : (call?.text ?? "");
    if ((on === "line" || e?.type === on) && says.includes(text)) found.push(s);
  }
  if (nth > 0) return found[nth - 1] ?? -1;
  const time = (s: number): number => {
    const call = r.calls[r.events[tape.event(s)]?.call ?? -1];
    return (call?.ended ?? 0) - (call?.began ?? 0);
  };
  return found.toSorted((a, b) => time(b) - time(a))[0] ?? -1;
}

/** The text of the screen at a step, its lines joined: 99 columns, where every panel is as wide as the screen. */
function screen(tape: Tape, s: number): string {
  const lines = drawframe(frameof(tape, s), { columns: 99, rows: 60 });
  return lines
    .map((l) => l.map((p) => plaintext(p.text)).join(""))
    .join(" ")
    .replace(/\s+/g, " ");
}

const GLOSSARY = new Glossary(readFileSync("docs/glossary.md", "utf8"));

/** Words of Plan 9 and of 9P: constants, messages, nouns; what stands in quotes is a program's own. */
const TERMS =
  /\b(?:9P2000[.a-z]*|[A-Z][A-Z0-9]{2,}|[TR](?:version|auth|attach|error|flush|walk|open|create|read|write|clunk|remove|w?stat|stream)|fids?|qids?|tags?|Chans?|dot|clunk\w*|flush\w*|unions?|members?|pipes?|notes?|zombies?|rendezvous|name spaces?|descriptors?|fd|gnot|glenda|srv|env|dev|net|proc)\b/g;

/** The terms of a screen that the glossary has not. */
function unexplained(tape: Tape): string[] {
  const unknown = new Set<string>();
  for (const s of tape.steps.keys()) {
    const { what, why, mend, how } = frameof(tape, s);
    const text = `${screen(tape, s)} ${what} ${why} ${mend} ${how}`.replaceAll(
      /"[^"]*"|'[^']*'/g,
      " ",
    );
    for (const [term] of text.matchAll(TERMS))
      if (GLOSSARY.entry(term) === undefined) unknown.add(term);
  }
  return [...unknown];
}

for (const asked of [...TEN, ...MORE])
  test(`${asked.name}: the screen answers five questions`, async (t) => {
    const tape = await taped(asked);
    t.deepEqual(stock(tape.recording), []);
    t.deepEqual(unexplained(tape), []);
    for (const { asks, at, says, never = [] } of asked.questions) {
      const s = stepat(tape, at);
      t.true(s >= 0, `no step has ${at.text}`);
      const shown = screen(tape, s);
      for (const fact of never)
        t.false(shown.includes(fact), `${asks}\n  ${fact}\n  is in\n${shown}`);
      for (const fact of says)
        t.true(shown.includes(fact), `${asks}\n  ${fact}\n  is not in\n${shown}`);
    }
  });
