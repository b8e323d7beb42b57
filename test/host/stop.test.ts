// How programs that never let the host's loop turn are ended from outside: their main thread hears nothing.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test from "ava";
import type { ExecutionContext } from "ava";
import { NAMEC, Run, directory } from "../kit/cli.ts";
import { Terminal } from "../kit/terminal.ts";

const main = (body: string): string => `import { type Sys, print } from "namec";
export default async function main(sys: Sys): Promise<void> {
  await print(sys, "ready\\n");
  ${body}
}
`;

const LOOPS = {
  "loop.ts": main("for (;;);"),
  "promises.ts": main("for (;;) await null;"),
  "handler.ts": main("await sys.notify(() => undefined);\n  for (;;);"),
  "timer.ts": main(
    'setTimeout(() => { console.error("spins"); for (;;); }, 1);\n  await sys.sleep(1e9);',
  ),
  "load.ts": "for (;;);\n",
};

/** Presses Ctrl-C until the program has ended: signals that are not taken yet count once. */
async function interrupted(run: Run): Promise<void> {
  const again = setInterval(() => run.interrupt(), 50);
  await run.ended();
  clearInterval(again);
}

for (const file of ["loop.ts", "promises.ts", "handler.ts", "timer.ts"] as const) {
  const ready = file === "timer.ts" ? /spins/ : /ready/;
  const started = async (t: ExecutionContext, ...words: string[]): Promise<Run> => {
    const run = new Run([...words, join(directory(t, LOOPS), file)]);
    t.teardown(() => void run.child.kill("SIGKILL"));
    await run.saying(ready);
    return run;
  };

  test(`the second Ctrl-C ends ${file}, the first does not`, async (t) => {
    const run = await started(t, "run");
    run.interrupt();
    const first = await Promise.race([run.ended(), new Promise((done) => setTimeout(done, 700))]);
    t.is(first, undefined);
    await interrupted(run);
    t.like(await run.ended(), { status: null, signal: "SIGINT" });
  });

  test(`SIGTERM ends ${file} at once`, async (t) => {
    const run = await started(t, "run");
    run.child.kill("SIGTERM");
    t.like(await run.ended(), { status: null, signal: "SIGTERM" });
  });
}

for (const file of ["loop.ts", "promises.ts"] as const)
  test(`the first Ctrl-C ends ${file} that has a memory of its own, without limits`, async (t) => {
    const run = new Run(["run", "--vm", "--work", "0", join(directory(t, LOOPS), file)]);
    t.teardown(() => void run.child.kill("SIGKILL"));
    await run.saying(/ready/);
    run.interrupt();
    t.like(await run.ended(), { status: 130, signal: null });
  });

test("a program that spins while it is loaded ends with the first Ctrl-C", async (t) => {
  const dir = directory(t, LOOPS);
  const run = new Run(["run", join(dir, "load.ts")]);
  await interrupted(run);
  t.like(await run.ended(), { signal: "SIGINT" });
});

test("timeout ends a program that spins, and a shell sees the status of a signal", (t) => {
  const dir = directory(t, LOOPS);
  const status = (command: string): number | null =>
    spawnSync("sh", ["-c", command], { cwd: dir, stdio: "ignore" }).status;
  for (const verb of ["run", "step"])
    t.is(status(`timeout 3 '${process.execPath}' '${NAMEC}' ${verb} promises.ts`), 124, verb);
  const kept = `timeout --preserve-status 3 '${process.execPath}' '${NAMEC}' run loop.ts`;
  t.is(status(kept), 143);
});

test("on a terminal two Ctrl-C end a program that spins, step keeps what was recorded, and the shell goes on", async (t) => {
  const term = Terminal.start(t, directory(t, LOOPS));
  for (const verb of ["run", "step"]) {
    term.type(`'${process.execPath}' '${NAMEC}' ${verb} loop.ts\n`);
    await term.showing(/^ready$/m);
    term.press("C-c");
    await new Promise((done) => setTimeout(done, 300));
    term.press("C-c");
    if (verb === "step") {
      await term.showing(/step 1 of \d+/);
      term.type("G");
      await term.showing(/── output ─+\nready\n/);
      term.type("q");
    }
    await term.showing(/\^C\s*\$\s*$/);
    term.type("echo status $?; stty -a\n");
    const screen = await term.showing(/ -?echoke/);
    t.regex(screen, verb === "step" ? /status 0/ : /status 130/);
    t.regex(screen, / icanon /);
    t.regex(screen, / echo /);
    t.false(term.taken);
    term.type("clear\n");
    await term.showing(/^\$ *$/m);
  }
});

test("the test kit names a program that spins, and its test fails", (t) => {
  const kit = new URL("../../userland/testing/index.js", import.meta.url).href;
  const dir = directory(t, {
    "spin.test.mjs": `import test from "node:test";
import { machine } from ${JSON.stringify(kit)};
test("spins", async () => {
  const m = await machine({ spin: 2000 });
  await m.run(async function whirl(sys) {
    await sys.stat("/tmp");
    for (;;) await null;
  });
});
`,
  });
  const { status, stdout } = spawnSync(process.execPath, ["--test", join(dir, "spin.test.mjs")], {
    encoding: "utf8",
  });
  t.is(status, 1);
  t.regex(stdout, /"whirl" has let nothing else run for 2 s: it spins/);
});
