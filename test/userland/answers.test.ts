// What a reader of the screen can answer: five questions to each of sixteen programs, and the step's screen has
// the facts of each answer. Each word of Plan 9 that is on any screen of theirs is in the glossary.

import { readFileSync } from "node:fs";
import test from "ava";
import { parse } from "../../userland/host/command.ts";
import { plaintext } from "../../userland/host/ansi.ts";
import { aboutof } from "../../userland/host/record.ts";
import { bootgiven } from "../../userland/host/simrun.ts";
import { injections } from "../../userland/view/record/injections.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import { mounted } from "../../userland/boot/mounts.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { step } from "../../userland/host/step.ts";
import { drawframe } from "../../userland/host/stepview.ts";
import { Tape } from "../../userland/view/record/tape.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import { eventtext } from "../../userland/view/words/eventtext.ts";
import { Glossary } from "../../userland/view/words/glossary.ts";
import { stock } from "./stock.ts";
import { MORE } from "./moreprograms.ts";
import { TEN } from "./tenprograms.ts";
import type { Asked, Where } from "./tenprograms.ts";

/** How often nothing may have moved before a run counts as stuck. */
const STILL = 100;

/** Runs until the process has ended, or until nothing can run any more. */
async function finished({ sched, clock }: Kernel, end: Promise<unknown>): Promise<void> {
  let over = false;
  const ended = end.finally(() => (over = true));
  for (let still = 0, resumed = -1; !over && still < STILL;) {
    await Promise.race([ended, new Promise<void>((done) => sched.atidle(done))]);
    await new Promise((done) => setImmediate(done));
    still = sched.resumed !== resumed || clock.timers.size > 0 ? 0 : still + 1;
    resumed = sched.resumed;
  }
}

/** Records a program as `namec step` does, to its end or until it is stuck. */
async function taped({ options, main }: Asked): Promise<Tape> {
  const given = parse(step, [...options, "main"]);
  const here = await bootgiven(given, { clock: "virtual" });
  const { kernel } = here;
  const rec = new Recorder({ about: aboutof(given, kernel, "main") });
  const off = rec.listen(kernel.trace);
  const like = await mounted(kernel, here.mounts);
  rec.begin(like === null ? [] : [like.pid]);
  here.faults.begin();
  const p = kernel.spawn(main, ["main"], like === null ? {} : { like });
  like?.kill();
  const end = p.wait();
  await finished(kernel, end);
  p.kill();
  await end;
  off();
  here.faults.end();
  await here.shutdown();
  if (p.crash !== undefined) throw p.crash;
  return new Tape({ ...rec.recording, injected: injections(rec.recording) });
}

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
