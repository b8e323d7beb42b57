// Words from outside that are names of what every object inherits: no table may find anything by them.

import test from "ava";
import { nullproto } from "../../kernel/abi/nullproto.ts";
import { OWRITE } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { boot } from "../../userland/boot/boot.ts";
import { bin } from "../../userland/bin/index.ts";
import { hostof, hosttext } from "../../userland/boot/simhost.ts";
import { parsefault } from "../../userland/boot/inject.ts";
import { serveramfs, simnet } from "../../userland/boot/net.ts";
import { Unitserror, parserate, parsesize, parsetime } from "../../userland/boot/units.ts";
import { parse } from "../../userland/host/command.ts";
import { explain, explaintext } from "../../userland/host/explain.ts";
import { findprogram, run as runcommand } from "../../userland/host/run.ts";
import { statements } from "../../userland/host/script.ts";
import { serve } from "../../userland/host/serve.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { readtext, writefile } from "../../userland/lib/io.ts";
import { getpid } from "../../userland/lib/proc.ts";
import { same } from "../../userland/testing/same.ts";
import { Strace } from "../../userland/view/export/strace.ts";
import { tellof } from "../../userland/view/record/recorder.ts";
import { ABOUT } from "../kit/recorded.ts";
import { NOTHING, run } from "../kit/kit.ts";

const WORDS = [
  ...new Set([
    ...Object.getOwnPropertyNames(Object.prototype),
    ...Object.getOwnPropertyNames(Function.prototype),
  ]),
].filter((w) => !["name", "length", "bind"].includes(w));

/** The name of the class of what is thrown. */
async function thrown(fn: () => unknown): Promise<string> {
  try {
    await fn();
  } catch (e) {
    return e instanceof Error ? e.constructor.name : "no error";
  }
  return "nothing";
}

test("a table without a prototype has what it was given, and nothing else", (t) => {
  const given: Record<string, number> = { ls: 1, constructor: 2 };
  const table = nullproto(given);
  t.deepEqual(Object.entries(table), Object.entries(given));
  for (const w of WORDS) t.is(table[w], w === "constructor" ? 2 : undefined, w);
  const evil = nullproto(JSON.parse('{"__proto__": {"ls": 1}}') as Record<string, unknown>);
  t.is(evil["ls"], undefined);
});

test("commands, their options and values know no inherited word", async (t) => {
  for (const w of WORDS) {
    t.is(await thrown(() => serve.run(parse(serve, [w]))), "Usage", `serve ${w}`);
    t.is(await thrown(() => findprogram(w)), "Usage", `run ${w}`);
    t.is(await thrown(() => parse(runcommand, [`--${w}`, "ls"])), "Usage", `--${w}`);
    for (const text of [`${w} /x`, `open /tmp ${w}`, `create /tmp/x ${w}`, `wstat /tmp ${w} 1`])
      t.is(await thrown(() => statements(text)), "Usage", text);
    for (const text of [`a:${w}=1`, `a:rtt=${w}`, `a:rtt=1ms,version=${w}`, `${w}:${w}`])
      t.is(await thrown(() => hostof(text)), "Unitserror", text);
    for (const text of [w, `${w}:drop`, `Tread:${w}`, `Tread:${w}=1`, `Tread:when=${w}:drop`])
      t.is(await thrown(() => parsefault(text)), "Unitserror", text);
    for (const units of [parsetime, parserate, parsesize])
      t.throws(() => units(`1${w}`), { instanceOf: Unitserror });
    t.is(bin[w], undefined, w);
    t.false(same({ [w]: 1 }, { x: 1 }), w);
  }
});

test("a word that is a name is one like any other: of machines, files, variables, services, programs", async (t) => {
  for (const w of ["constructor", "toString", "hasOwnProperty"]) {
    t.is(hosttext(hostof(`${w}:rtt=1ms`)), `${w}:rtt=1ms`);
    const text = await explaintext(
      parse(explain, ["--host", `${w}:rtt=1ms`, `stat /n/${w}/${w}`]),
      80,
    );
    t.true(text.includes(w));
  }
  const net = simnet();
  const files = JSON.parse(
    `{${WORDS.map((w) => `${JSON.stringify(w)}: ${JSON.stringify(`of ${w}`)}`).join(", ")}}`,
  ) as Record<string, string>;
  const here = await net.boot("constructor", { files: { usr: files, tmp: {} } });
  await serveramfs(await net.boot("__proto__"), "tcp!*!9fs");
  const trace: unknown[] = [];
  const view = new Strace();
  tellof(here.trace, ABOUT, (...told) => trace.push(...view.lines(...told)));
  await run(here, async (sys: Sys) => {
    t.deepEqual((await readdir(sys, "/usr")).map((d) => d.name).toSorted(), WORDS.toSorted());
    for (const w of WORDS) {
      t.is(await readtext(sys, `/usr/${w}`), `of ${w}`);
      await writefile(sys, `/tmp/${w}`, w);
      await writefile(sys, `/env/${w}`, w);
      t.is(await readtext(sys, `/env/${w}`), w);
      t.is((await sys.stat(`/tmp/${w}`)).name, w);
      await t.throwsAsync(sys.exec(`/tmp/${w}`, [w]), { instanceOf: PlanError });
      const ctl = await sys.open(`/proc/${await getpid(sys)}/ctl`, OWRITE);
      await t.throwsAsync(sys.write(ctl, new TextEncoder().encode(w)), {
        message: `unknown control message "${w}"`,
      });
      await sys.close(ctl);
    }
  });
  t.true(trace.length > WORDS.length);
  t.deepEqual(Object.keys(net.audit()), ["constructor", "__proto__"]);
  t.deepEqual(here.audit(), NOTHING);
  await net.shutdown();
});

test("a tree of files may be given without a prototype, and a key __proto__ of its own is a file", async (t) => {
  const tree = JSON.parse(
    '{"tmp": {"__proto__": "mine", "d": {"__proto__": {"f": "x"}}}}',
  ) as Record<string, Record<string, string>>;
  for (const files of [tree, nullproto(tree)]) {
    const k = await boot({ files });
    await run(k, async (sys: Sys) => {
      t.is(await readtext(sys, "/tmp/__proto__"), "mine");
      t.is(await readtext(sys, "/tmp/d/__proto__/f"), "x");
    });
    await k.shutdown();
  }
});
