// The keys of the stepper: what they do on its two faces, and what a reader is told of them.

import test from "ava";
import { Stepper } from "../../userland/host/stepper.ts";
import { KEYS, helpof, keysof } from "../../userland/view/step/keys.ts";
import { Tape } from "../../userland/view/step/tape.ts";
import { failure } from "../kit/kit.ts";
import { recorded } from "../kit/recorded.ts";

test("a key does one thing on a face, and the same on both, but for v", async (t) => {
  const r = await recorded(async (sys) => {
    await sys.stat("/dev/cons");
    await failure(sys.stat("/none"));
    await failure(sys.stat("/n/far/usr"));
  });
  const tape = new Tape(r);
  for (const face of ["terminal", "page"] as const) {
    const all = KEYS.flatMap((r) => r.keys[face].flatMap((k) => k.names.split(" ")));
    t.is(keysof(face).size, all.length, face);
  }
  const page = keysof("page");
  const differ: string[] = [];
  for (const [name, { does }] of keysof("terminal")) {
    const other = page.get(name)?.does;
    if (other === undefined) continue;
    const same =
      typeof does === "function" && typeof other === "function"
        ? Array.from(tape.steps.keys()).every(
            (step) => does(tape, step, "step") === other(tape, step, "step"),
          )
        : does === other;
    if (!same) differ.push(name);
  }
  t.deepEqual(differ, ["v"]);
});

test("the keys that the help shows are those that work, in the order of their texts", async (t) => {
  const help = new Map(helpof("terminal").map(([keys, text]) => [text, keys.join("  ")]));
  t.is(help.get("next step"), "→  n  j  Space");
  t.is(help.get("first step, last step"), "g  G");
  t.is(help.get("ten steps on, ten back"), "PgDn  PgUp");
  t.is(help.get("quit"), "q  Ctrl-C");
  t.is(help.get("run the program"), undefined);
  const page = new Map(helpof("page").map(([keys, text]) => [text, keys.join(" ")]));
  t.is(page.get("next step"), "n j");
  t.is(page.get("run the program"), "Ctrl-Enter");
  t.is(page.get("quit"), undefined);

  const stepper = new Stepper(
    new Tape(
      await recorded(async (sys) => {
        await sys.stat("/dev/cons");
      }),
    ),
  );
  const seen = (columns: number): string =>
    stepper
      .draw({ columns, rows: 30 })
      .map((line) => line.map((p) => p.text).join(""))
      .join("\n");
  const last = (columns: number): string => seen(columns).split("\n").at(-1) ?? "";
  t.is(
    last(120),
    "→ next  ← back  m message  c call  f failure  b break  r run  / search  Tab pane  w words  ? help  q quit",
  );
  t.is(last(80), "→ next  ← back  m message  c call  f failure  w words  ? help  q quit");
  t.is(last(40), "→ ← step  w words  ? help  q quit");
  stepper.key("?");
  // A text that is too long for the line goes on below it.
  t.regex(seen(80), /^ {2}b +add a breakpoint: .*\n {20}\S.*\n {20}\S.*fd 3\)$/m);
  t.true(
    seen(40)
      .split("\n")
      .every((line) => line.length <= 40),
  );
});
