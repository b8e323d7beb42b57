// What every screen of a recording must keep to: its signs are explained, the words that explain its words are explained
// too, and no two of its parts say different things of the same moment.

import { readFileSync } from "node:fs";
import test from "ava";
import { plaintext } from "../../userland/host/ansi.ts";
import { signsin } from "../../userland/host/signs.ts";
import { LEGEND, Stepper } from "../../userland/host/stepper.ts";
import { drawframe } from "../../userland/host/stepview.ts";
import { axislines } from "../../userland/view/draw/axis.ts";
import { Scenes } from "../../userland/view/draw/scene.ts";
import type { Recording } from "../../userland/view/record/recording.ts";
import { frameof } from "../../userland/view/step/frame.ts";
import type { Frame } from "../../userland/view/step/frame.ts";
import { rows } from "../../userland/view/step/names.ts";
import { Glossary } from "../../userland/view/words/documents.ts";
import { decision } from "../../userland/view/words/why.ts";
import { MORE } from "../kit/moreprograms.ts";
import { taped } from "../kit/taped.ts";
import { TEN } from "../kit/tenprograms.ts";

const MARKDOWN = readFileSync("docs/glossary.md", "utf8");
const GLOSSARY = new Glossary(MARKDOWN);

/** Characters that no word has; lines between panes are none. */
const signs = (text: string): string[] =>
  Array.from(text).filter((c) => c > "~" && !"─│┊".includes(c));

const WALK = /Twalk \d+ → /g;

const linesof = (f: Frame, columns: number): string[] =>
  drawframe(f, { columns, rows: 60 }).map((l) => l.map((p) => plaintext(p.text)).join(""));

/** Signs of a screen that no entry explains. */
function unexplained(f: Frame): string[] {
  return [80, 120].flatMap((columns) => {
    // The arrow in a Twalk is a word's, which key w explains.
    const lines = linesof(f, columns).map((l) => l.replaceAll(WALK, "Twalk "));
    const known = signsin(lines)
      .map((s) => s.sign)
      .join("");
    // What stands first in a line of a pane, and is no letter, is a sign.
    const first = lines
      .flatMap((l) => l.split(" │ "))
      .map((l) => l.trim().charAt(0))
      .filter((c) => /[+*!?]/.test(c));
    return [...signs(lines.join("")), ...first].filter((c) => !known.includes(c));
  });
}

/** What the parts of a frame say that the recording, or another part, says otherwise. */
function contradictions(r: Recording, f: Frame): string[] {
  const wrong: string[] = [];
  const e = r.events[f.event];
  for (const m of f.flying) {
    if (m.put > f.event && (m.stage === "coming" || m.stage === "arrived"))
      wrong.push(`${m.request} is answered before its server has answered`);
    if (m.taken > f.event && m.stage !== "going")
      wrong.push(`${m.request} is there before its server has taken it`);
  }
  const members = rows(f.tree).flatMap((row) => row.node.members);
  if (e?.type === "namec" && e.step === "fail" && !/does not exist$|not found$/.test(e.error))
    if (members.some((m) => m.outcome === "found")) wrong.push("a member that refuses has a tick");
  if (
    e?.type === "namec" &&
    e.step === "create" &&
    f.names.some((n) => n.elems.at(-1)?.state === "asked")
  )
    wrong.push("a file is asked for that no request was sent for");
  if (e?.type === "return")
    for (const p of f.procs.list)
      if (p.pid === e.pid && p.waits.some((w) => w.for === "partner"))
        wrong.push(`process ${p.pid} waits for another, and has just returned from a call`);
  if (e?.type === "sleep" && r.calls[e.call]?.error !== null && /The call goes on/.test(f.how))
    wrong.push("a call that does not succeed is said to go on");
  return wrong.map((w) => `step ${f.step + 1}: ${w}`);
}

/** Words of a page of words that have no entry there, and sections that its last line does not name. */
function unread(page: string): string[] {
  const has = GLOSSARY.entries.filter((x) => page.includes(`\n${x.words.join(", ")}: `));
  const missing = GLOSSARY.closed(has).filter((x) => !has.includes(x));
  const sections = [...page.matchAll(/\b\w+\((\d)\)/g)].map((m) => m[1] ?? "");
  const [, named = ""] = /section of Plan 9's manual: ([^]*?)\./.exec(page) ?? [];
  return [
    ...missing.map((x) => x.words.join(", ")),
    ...sections.filter((n) => !RegExp(`${n}\\s`).test(named)).map((n) => `section ${n}`),
  ];
}

for (const asked of [...TEN, ...MORE])
  test(`${asked.name}: signs and words are explained, and the parts of each screen agree`, async (t) => {
    const tape = await taped(asked);
    const r = tape.recording;
    const scenes = new Scenes(r);
    const drawn = signs(LEGEND.join(""));
    const stepper = new Stepper(tape, () => MARKDOWN);
    for (let s = 0; s < tape.length; s++) {
      const f = frameof(tape, s);
      t.deepEqual(unexplained(f), [], `step ${s + 1}`);
      t.deepEqual(contradictions(r, f), []);
      const arrows = axislines(scenes.at(f.event), 100).slice(1);
      const text = arrows.map((l) => l.text.replaceAll(WALK, "Twalk ")).join("");
      t.deepEqual(
        signs(text).filter((c) => !drawn.includes(c)),
        [],
        `the diagram of step ${s + 1}`,
      );
      if (s % 8 > 0) continue;
      stepper.step = s;
      stepper.draw({ columns: 100, rows: 400 });
      stepper.key("w");
      const page = stepper
        .draw({ columns: 100, rows: 400 })
        .map((l) => l.map((p) => p.text).join(""));
      stepper.key("x");
      t.deepEqual(
        unread(`\n${page.join("\n").replaceAll(/\n {4}(?=\S)/g, " ")}`),
        [],
        `step ${s + 1}`,
      );
    }
  });

test("each remedy that names a call of the program names its line", async (t) => {
  let named = 0;
  for (const asked of [...TEN, ...MORE]) {
    const { recording } = await taped(asked);
    const calls = recording.calls.map((c) => ({ ...c, line: { source: 0, line: 2, column: 0 } }));
    const sources = [{ name: "dir/a.ts", text: "\n  const [mine, theirs] = await sys.pipe();" }];
    const r = { ...recording, calls, sources };
    for (const event of r.events.keys()) {
      const { mend } = decision(r, event);
      for (const [, text = "", at = ""] of mend.matchAll(
        /\b((?:pipe|create|rfork|bind|close|read)\([^()]*\))(.{0,10})/g,
      )) {
        named++;
        t.is(at.slice(0, 10), " in a.ts:2", `${text} of ${mend}`);
      }
      if (mend.includes("of pipe()")) t.regex(mend, /\((?:mine|theirs), of pipe\(\)/);
    }
  }
  t.true(named > 5, `${named}`);
});
