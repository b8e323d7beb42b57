// Names, errors and data that would command a terminal: no view lets them.

import test from "ava";
import { Buffertty } from "../../kernel/proc/tty.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { Given, parse } from "../../userland/host/command.ts";
import { fitted, painted } from "../../userland/host/ansi.ts";
import { explain, explaintext } from "../../userland/host/explain.ts";
import { recordrun } from "../../userland/host/record.ts";
import { Stepper } from "../../userland/host/stepper.ts";
import { Strace } from "../../userland/view/export/strace.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import { frametext } from "../../userland/view/step/frametext.ts";
import { tellof } from "../../userland/view/record/recorder.ts";
import { ABOUT } from "../kit/recorded.ts";
import { Tape } from "../../userland/view/step/tape.ts";
import { visible } from "../../userland/view/words/text.ts";
import { failure, within } from "../kit/kit.ts";

const EVIL = "\u001B]0;mine\u0007\u009B2J\u202Eback\u2028\r\n\u0085\uD800";
const HIDDEN = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/u;

test("what would command a terminal is written as a program would write it", (t) => {
  t.is(visible("a\u001B[2J\r\n\tb"), "a\\u001b[2J\\r\\n\\tb");
  t.is(visible("one\ntwo\r", "\n"), "one\ntwo\\r");
  t.is(visible("ü 漢 🙂 \\"), "ü 漢 🙂 \\");
  t.notRegex(visible(EVIL), HIDDEN);
  t.is(JSON.parse(visible(JSON.stringify(EVIL))), EVIL);
});

async function main(sys: Sys): Promise<string> {
  await failure(sys.stat(`/n/far/${EVIL}`));
  await failure(sys.stat("/n/far/no\u009B2J\u202E"));
  await failure(sys.stat("/n/far/x"));
  await sys.write(1, new TextEncoder().encode(EVIL));
  return EVIL;
}

test("no step and no diagram commands the terminal, whatever a name, an error or an output says", async (t) => {
  const given = new Given(
    new Map([
      ["host", [["far:rtt=50ms"]]],
      ["inject", [[`Twalk:error=${EVIL}`]]],
    ]),
    [],
  );
  const what = { main: async (sys: Sys) => void (await main(sys)), argv: [EVIL], program: EVIL };
  const { recording } = await recordrun(given, what, {
    clock: "virtual",
    tty: new Buffertty(),
  });
  const tape = new Tape(recording);
  const stepper = new Stepper(tape);
  const [size, seen] = [{ columns: 100, rows: 30 }, new Set<string>()];
  for (let step = 0; step < tape.length; step++) {
    for (const l of frametext(frameof(tape, step), null)) seen.add(l.replaceAll("\t", " "));
    for (const key of ["v", "v", "n"]) {
      for (const l of stepper.draw(size)) seen.add(painted(fitted(l, size.columns), false));
      stepper.key(key);
    }
  }
  t.deepEqual(
    [...seen].filter((l) => HIDDEN.test(l)),
    [],
  );
  t.true([...seen].some((l) => l.includes("\\u001b]0;mine\\u0007")));
});

test(
  "no line of a trace commands the terminal",
  within(async (t, k) => {
    const view = new Strace();
    const lines: string[] = [];
    const { off } = tellof(k.trace, ABOUT, (...told) => {
      lines.push(...view.lines(...told).map((l) => l.text));
    });
    await k.spawn(main, [EVIL]).wait();
    off();
    t.true(lines.some((l) => l.includes("\\u001b]0;mine\\u0007")));
    t.notRegex(lines.join(""), HIDDEN);
  }),
);

test("an explanation is words, whatever the name and the server's error are", async (t) => {
  const far = ["--host", "far:rtt=50ms"];
  const bad = [...far, "--inject", `Twalk:error=${EVIL}`];
  for (const [options, name] of [
    [far, `'/n/far/${EVIL}'`],
    [far, "'/n/far/\u009B'"],
    [bad, "/n/far/x"],
  ] as const) {
    const text = await explaintext(parse(explain, [...options, `stat ${name}; stat ${name}`]), 80);
    t.notRegex(text.replaceAll("\n", ""), HIDDEN);
    t.regex(text, /\\u00/);
  }
});
