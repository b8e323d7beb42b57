// namec step in a pseudo-terminal, resized while it runs; and without one, as text and as JSON.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { ExecutionContext } from "ava";
import { directory, NAMEC, namec } from "../kit/cli.ts";
import { Terminal } from "../kit/terminal.ts";

const PROGRAM = `import { DMDIR, MAFTER, OREAD, OWRITE, type Sys } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await sys.close(await sys.create("/n/far/a", OREAD, DMDIR | 0o777));
  await sys.close(await sys.create("/n/far/a/b", OWRITE, 0o666));
  await sys.bind("/n/far/a", "/tmp", MAFTER);
  await sys.stat("/tmp/b");
  await sys.write(1, new TextEncoder().encode("said by the program\\n"));
  await sys.open("/n/far/a/x/y", OREAD).catch(() => undefined);
}
`;

const ENDLESS = `import type { Sys } from "namec";

export default async function main(sys: Sys): Promise<void> {
  for (;;) await sys.sleep(10);
}
`;

const ASKS = `import type { Sys } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await sys.write(1, new TextEncoder().encode("who? "));
  await sys.read(0, new Uint8Array(80));
}
`;

const HEEDLESS = `import { NCONT, type Sys } from "namec";

export default async function main(sys: Sys): Promise<void> {
  await sys.notify((_note: string, up: Sys) => up.noted(NCONT));
  for (;;) await sys.sleep(10);
}
`;

const FILES = {
  "prog.ts": PROGRAM,
  "endless.ts": ENDLESS,
  "heedless.ts": HEEDLESS,
  "asks.ts": ASKS,
};
const FAR = ["--host", "far:rtt=50ms"];

/** A shell in which `step` is the command. */
function shell(t: ExecutionContext, columns = 80, rows = 24): Terminal {
  const dir = directory(t, FILES);
  writeFileSync(
    join(dir, "step"),
    `exec '${process.execPath}' '${NAMEC}' step ${FAR.join(" ")} "$@"\n`,
  );
  return Terminal.start(t, dir, columns, rows);
}

test("the stepper goes to the end and back to the first step, through every size, and gives the terminal back", async (t) => {
  const term = shell(t);
  term.type("sh step prog.ts; echo status $?; stty -a\n");
  const [, steps = ""] =
    /step 1 of (\d+) /.exec(await term.showing(/step 1 of \d+ .*\n[^]*help/)) ?? [];
  t.true(Number(steps) > 40);
  t.true(term.taken);
  term.press("f");
  const failed = await term.showing(/is missing[^]*call 1 round trip, 4 messages/);
  t.regex(failed, /'\/n\/far\/a\/x' does not exist/);
  t.regex(failed, /▶ +9 +await sys\.open/);
  term.resize(120, 40);
  t.regex(await term.showing(/── call .* │ ── name space ─/), / ✓| far!564/);
  term.resize(39, 12);
  await term.showing(/^namec step needs 40x12\nthis is 39x12\n/);
  term.resize(40, 12);
  await term.showing(/\/n\/far\/a\/\[x\]\/y/);
  term.resize(60, 16);
  await term.showing(/\/n\/far\/a\/\[x\]\/y/);
  term.press("G");
  await term.showing(RegExp(`step ${steps} of ${steps} `));
  term.press("-N", steps, "Left");
  await term.showing(/this is the first step/);
  term.press("Right");
  await term.showing(RegExp(`step 2 of ${steps} `));
  term.resize(80, 24);
  await term.showing(/── name space ─/);
  term.press("q");
  const after = await term.showing(/ -?echoke/);
  t.regex(after, /status 0\n/);
  t.regex(after, / icanon /);
  t.regex(after, / echo /);
  t.false(term.taken);
});

test("it stops at breakpoints, finds text, shows the program's output, the diagram and the keys", async (t) => {
  const term = shell(t);
  term.type("sh step prog.ts\n");
  await term.showing(/step 1 of/);
  term.type("bstat\n");
  await term.showing(/breakpoint 1: stat, 1 in this run/);
  term.type("r");
  await term.showing(/ {2}stat\("\/tmp\/b"\) /);
  term.type("/said by\n");
  await term.showing(/── output ─+\nsaid by the program\n/);
  term.type("R");
  await term.showing(/step \d+ of \d+ {2}stat\("\/tmp\/b"\) /);
  term.type("mv");
  await term.showing(/ gnot +far\n/);
  term.type("v?");
  await term.showing(/next system call, call before/);
  term.type("xB0\nr");
  t.regex(await term.showing(/there are no breakpoints; b adds one/), /── decision/);
});

test("Ctrl-C ends a program that goes on for ever, and what there is can be stepped through", async (t) => {
  const term = shell(t);
  term.type("sh step endless.ts\n");
  await term.showing(/running: \d+ events/);
  term.press("C-c");
  await term.showing(/step 1 of \d+/);
  term.press("C-c");
  await term.showing(/^\$$/m);
  t.false(term.taken);
});

test("at a second Ctrl-C the recording is kept", async (t) => {
  const term = shell(t);
  term.type("sh step heedless.ts\n");
  const [, before = ""] = /running: (\d+)/.exec(await term.showing(/running: \d+ events/)) ?? [];
  term.press("C-c");
  await term.showing(RegExp(`running: (?!${before} )\\d+ events`));
  term.press("C-c");
  await term.showing(/step 1 of \d+/);
  term.type("q");
  await term.showing(/^\$$/m);
  t.false(term.taken);
});

test("a program reads the terminal before it is stepped through; Ctrl-Z and a signal give the terminal back", async (t) => {
  const term = shell(t);
  term.type("sh step asks.ts\n");
  await term.showing(/^who\?$/m);
  term.type("me\n");
  await term.showing(/step 1 of/);
  term.press("C-z");
  await term.showing(/Stopped/);
  t.false(term.taken);
  term.type("fg\n");
  await term.showing(/step 1 of/);
  term.type("n");
  await term.showing(/step 2 of/);
  t.true(term.taken);
  term.press("C-z");
  await term.showing(/Stopped/);
  term.type("kill %1; fg; echo status $?; stty -a\n");
  const after = await term.showing(/ -?echoke/);
  t.regex(after, /status 143/);
  t.regex(after, / icanon /);
  t.false(term.taken);
});

test("without a terminal the steps are text, and the JSON of the run gives the same text", async (t) => {
  const cwd = directory(t, FILES);
  const printed = await namec(["step", ...FAR, "prog.ts"], "", cwd);
  t.deepEqual([printed.status, printed.err], [0, ""]);
  t.regex(printed.out, /^1\/\d+ {2}0 ns {2}\d+ prog {2}process \d+ starts: prog\n/);
  t.regex(printed.out, /\n {4}output {2}said by the program\n/);
  t.regex(printed.out, /\n {4}source {2}await sys\.stat\("\/tmp\/b"\);\n/);
  const json = await namec(["step", "--json", ...FAR, "prog.ts"], "", cwd);
  writeFileSync(join(cwd, "run.json"), json.out);
  t.is((await namec(["step", "--print", "run.json"], "", cwd)).out, printed.out);
  const some = await namec(["step", "--by", "failure", "run.json"], "", cwd);
  t.regex(some.out, /^\d+\/\d+ .*open\("\/n\/far\/a\/x\/y", OREAD\) = -1/);
  t.is(some.out.match(/^\d+\//gm)?.length, 1);
});

test("calls are typed as words; what makes no sense says what does", async (t) => {
  const cwd = directory(t, FILES);
  const calls = await namec(["step", ...FAR, "mkdir /n/far/a; stat /n/far/a/b/c"], "", cwd);
  t.regex(
    calls.out,
    /\n {4}call {4}stat\("\/n\/far\/a\/b\/c"\) {4}calls:2\n {4}source {2}stat \/n\/far\/a\/b\/c\n/,
  );
  t.regex(calls.err, /^'\/n\/far\/a\/b' does not exist\n$/);
  const said = async (...args: string[]): Promise<string> => {
    const e = await namec(["step", ...args], "", cwd);
    t.not(e.status, 0);
    return e.err;
  };
  t.regex(await said("nothere.json"), /nothere\.json: no such file or directory/);
  writeFileSync(join(cwd, "bad.json"), readFileSync(NAMEC));
  t.regex(await said("bad.json"), /bad\.json: not a recording: /);
  const { out } = await namec(["step", "--json", "ls", "/dev"], cwd);
  writeFileSync(join(cwd, "cut.json"), out.slice(0, -100));
  t.regex(await said("cut.json"), /cut\.json: not a recording: /);
  writeFileSync(join(cwd, "holes.json"), out.replaceAll(/"cost":\{[^}]*\},/g, ""));
  t.regex(await said("holes.json"), /^namec step: holes\.json: the recording is damaged: .*\n$/);
  t.regex(await said("cut.json", "--print"), /--print: a recording takes no arguments/);
  t.regex(await said("--print", "--json", "prog.ts"), /--print and --json write to one place/);
  t.regex(await said("--from", "3", "--to", "2", "prog.ts"), /--from 3 is behind --to 2/);
  t.regex(await said("--by", "no", "prog.ts"), /--by no: there are step, message, call, failure/);
  t.regex(await said("--from", "0", "prog.ts"), /--from 0: a step's number, such as 1/);
});
