// Every example runs, and says what it says it does. The first one wants a network: see test/host.

import { readdirSync } from "node:fs";
import test from "ava";
import clone, { sums } from "../examples/clone.ts";
import differences from "../examples/differences.ts";
import hello from "../examples/hello.ts";
import notes from "../examples/notes.ts";
import server from "../examples/server.ts";
import union from "../examples/union.ts";
import type { Program } from "../kernel/proc/trap.ts";
import { ORDWR, OWRITE } from "../kernel/abi/const.ts";
import type { Sys } from "../syscalls/sys.ts";
import { boot } from "../userland/boot/boot.ts";
import { readdir } from "../userland/lib/dirread.ts";
import { print, readtext } from "../userland/lib/io.ts";
import { expect, machine } from "../userland/testing/index.ts";
import { NOTHING } from "./kit/kit.ts";

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
  clone: {
    main: clone,
    says: `conversation 0: 42
while it is open: clone 0
hung up: i/o on hungup channel
when it is closed: clone
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

test("whoever opens clone has a conversation alone, which waits for its numbers and ends with its files", async (t) => {
  const m = await machine();
  await m.server("sum", { rtt: "10ms", serve: sums });
  const adds = (words: readonly string[]) =>
    async function adder(sys: Sys): Promise<void> {
      const ctl = await sys.open("/n/sum/clone", ORDWR);
      const dir = `/n/sum/${await readtext(sys, `/fd/${ctl}`)}`;
      const total = readtext(sys, `${dir}/data`);
      await sys.sleep(100);
      const fd = await sys.open(`${dir}/data`, OWRITE);
      for (const word of words) await print1(sys, fd, word);
      await print(sys, await total);
      await sys.close(fd);
      await sys.close(ctl);
    };
  const [a, b] = await Promise.all([m.run(adds(["1"])), m.run(adds(["20", "30"]))]);
  expect(a).says("1").closes().awaits();
  expect(b).says(/^[25]0$/);
  const r = await m.run(async (sys: Sys) => {
    t.deepEqual(
      (await readdir(sys, "/n/sum")).map((d) => d.name),
      ["clone"],
    );
  });
  expect(r).closes();
  await m.end();
});

const print1 = (sys: Sys, fd: number, word: string): Promise<number> =>
  sys.write(fd, new TextEncoder().encode(word));

test("no example is left out", (t) => {
  const files = readdirSync("examples").filter((f) => f.endsWith(".ts"));
  t.deepEqual(
    files.toSorted(),
    [...Object.keys(examples).map((n) => `${n}.ts`), "differences.ts", "first.ts"].toSorted(),
  );
});
