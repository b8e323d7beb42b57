// `namec rc` as a process: commands, scripts, standard input, and the prompt on a terminal.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { ExecutionContext } from "ava";
import { NAMEC, directory, namec } from "../kit/cli.ts";
import { Terminal } from "../kit/terminal.ts";

test("rc -c: what it prints, and a status for an exit code", async (t) => {
  t.like(await namec(["rc", "-c", "echo hi | tr a-z A-Z"]), { status: 0, out: "HI\n", err: "" });
  t.like(await namec(["rc", "-c", "exit oops"]), { status: 1, out: "" });
  t.like(await namec(["rc", "-c", "~ a b"]), { status: 1 });
  t.like(await namec(["rc", "-c", "{"]), { status: 1, out: "" });
});

test("a script of the host gets its arguments", async (t) => {
  const dir = directory(t, { "say.rc": "#!/bin/rc\necho $#* $2 `{basename $0}\n" });
  const ended = await namec(["rc", join(dir, "say.rc"), "a", "b c"]);
  t.like(ended, { status: 0, out: "2 b c say.rc\n", err: "" });
});

test("commands may come on standard input", async (t) => {
  const ended = await namec(["rc"], "x=(a b)\necho $#x\ncat <<!\nhere\n!\n");
  t.like(ended, { status: 0, out: "2\nhere\n" });
});

type Prompt = { readonly term: Terminal; readonly home: string; readonly command: string };

/** `namec` with nothing after it, on a terminal, at its first prompt. */
async function prompt(t: ExecutionContext): Promise<Prompt> {
  const home = directory(t, {});
  const term = Terminal.start(t, home, 160);
  const command = `HOME=${home} ${process.execPath} ${NAMEC}; echo ended $?`;
  term.type(`clear; ${command}`);
  term.press("Enter");
  await term.showing(/^\S*%\s*$/m);
  return { term, home, command };
}

test("the prompt: lines, completion, Ctrl-C and Ctrl-D", async (t) => {
  const { term } = await prompt(t);
  term.type("echo one^two");
  term.press("Enter");
  await term.showing(/^onetwo$/m);
  term.type("echo /bin/basen");
  term.press("Tab");
  await term.showing(/basename/);
  term.press("Enter");
  await term.showing(/^\/bin\/basename$/m);
  term.type("sleep 100; echo late");
  term.press("Enter");
  await new Promise((done) => setTimeout(done, 500));
  term.press("C-c");
  term.type("echo still $status");
  term.press("Enter");
  await term.showing(/^still .*interrupt/m);
  t.notRegex(term.screen(), /^late$/m);
  term.press("C-d");
  await term.showing(/^ended 0$/m);
});

test("the next prompt finds the lines of the one before", async (t) => {
  const { term, command, home } = await prompt(t);
  term.type("echo fir^st");
  term.press("Enter");
  await term.showing(/^first$/m);
  term.press("C-d");
  await term.showing(/^ended 0$/m);
  t.regex(readFileSync(join(home, ".namec_history"), "utf8"), /^echo fir\^st$/m);
  term.type(`clear; ${command}`);
  term.press("Enter");
  await term.showing(/^\S*%\s*$/m);
  term.press("Up", "Enter");
  await term.showing(/^first$/m);
  term.press("C-d");
  await term.showing(/^ended 0$/m);
});

test("with rawon keys come as they are typed, until consctl is closed", async (t) => {
  const { term } = await prompt(t);
  term.type(
    "@{ echo rawon; dd -if /dev/cons -bs 1 -count 4 -of /tmp/k } >/dev/consctl; xd -c /tmp/k",
  );
  term.press("Enter");
  await new Promise((done) => setTimeout(done, 500));
  term.press("a", "C-a", "Enter", "Tab");
  await term.showing(/a +01 +\\n +\\t$/m);
  term.type("echo edi^ted");
  term.press("Enter");
  await term.showing(/^edited$/m);
  t.pass();
});

test("lines that are pasted run one after another, and a line is whole after a resize", async (t) => {
  const { term } = await prompt(t);
  term.type("echo o^ne\rfor(i in a b) {\recho $i^2\r}\recho las^t\r");
  await term.showing(/^one\n[^]*a2\nb2\n% last\n%/m);
  term.type("echo long^er ");
  term.resize(60, 20);
  term.type("line");
  term.press("Enter");
  await term.showing(/^longer line$/m);
  t.pass();
});
