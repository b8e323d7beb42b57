// Every example runs, and says what it says it does. The first one wants a network: see test/host.

import { readdirSync } from "node:fs";
import test from "ava";
import differences from "../examples/differences.ts";
import hello from "../examples/hello.ts";
import notes from "../examples/notes.ts";
import server from "../examples/server.ts";
import union from "../examples/union.ts";
import type { Program } from "../kernel/proc/trap.ts";
import { boot } from "../userland/boot/boot.ts";
import { NOTHING } from "./kit.ts";

const examples: Readonly<Record<string, { main: Program; argv?: string[]; says: string }>> = {
  hello: {
    main: hello,
    argv: ["a", "b"],
    says: `hello, a b
greeting has 13 bytes and belongs to glenda
'/tmp/farewell' does not exist
`,
  },
  union: {
    main: union,
    says: `the child sees:   hours motd hours
its hours are:    any
the parent sees:  motd hours
its hours are:    nine to five
the plan went to: hours plan
with mine after:  motd hours hours plan
without:          motd hours
`,
  },
  notes: {
    main: notes,
    says: `note: alarm
sleep: interrupted
the child left: notes PID: enough
`,
  },
  server: {
    main: server,
    says: `hello, world
hello, glenda
visits: 2
`,
  },
};

const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  names: [
    "'/tmp/1/b/d/x' does not exist",
    "a's x",
    "a's x",
    "a's x",
    "a's x",
    "'../no' does not exist",
    "b's y",
    "inconsistent mount",
    "9P2000.ix.stream",
  ],
  standard: [
    "a's x",
    "'/tmp/2/m' does not exist",
    "'/tmp/3/m/p/q/r' does not exist",
    "'/tmp/4/nowhere' does not exist",
    "'/tmp/5/m/d/x' does not exist",
    "'../no' file does not exist",
    "'y' file does not exist",
    "it works",
    "9P2000",
  ],
};

for (const namespace of ["names", "standard"] as const)
  test(`examples/differences.ts gets the answers of the name space ${namespace}`, async (t) => {
    const k = await boot({ clock: "virtual", namespace });
    const p = k.spawn(differences, ["differences"]);
    t.is(await p.wait(), "");
    const answers = p.output.split("\n").filter((line) => line.startsWith("  "));
    t.deepEqual(
      answers.map((line) => line.trim()),
      ANSWERS[namespace],
    );
    await k.shutdown();
    t.deepEqual(k.audit(), NOTHING);
  });

for (const [name, { main, argv = [], says }] of Object.entries(examples))
  test(`examples/${name}.ts says what it should`, async (t) => {
    const k = await boot({ clock: "virtual" });
    const p = k.spawn(main, [name, ...argv]);
    t.is(await p.wait(), "");
    t.is(p.crash, undefined);
    t.is(p.output, says);
    await k.shutdown();
    t.deepEqual(k.audit(), NOTHING);
  });

test("no example is left out", (t) => {
  const files = readdirSync("examples").filter((f) => f.endsWith(".ts"));
  t.deepEqual(
    files.toSorted(),
    [...Object.keys(examples).map((n) => `${n}.ts`), "differences.ts", "first.ts"].toSorted(),
  );
});
