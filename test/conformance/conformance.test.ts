// The recorded scripts: every answer is the real kernels' but for the documented differences, which are all
// there.

import test from "ava";
import type { ExecutionContext } from "ava";
import { Buffertty } from "../../kernel/proc/tty.ts";
import { utfencode } from "../../kernel/abi/utf.ts";
import { compare, script } from "./compare.ts";
import { asyncs, fossil, names, standard } from "./differences.ts";
import type { Differences } from "./differences.ts";
import { init, machine } from "./machine.ts";
import type { Run } from "./machine.ts";

/** The transcript of a script, and a machine with nothing left on it. */
async function transcript(
  t: ExecutionContext,
  run: Omit<Run, "tty">,
  ending: RegExp,
): Promise<string> {
  const tty = new Buffertty();
  const k = await machine({ ...run, tty });
  const argv = ["init", ...(run.fossil === true ? ["fossil"] : [])];
  const status = await k.spawn(init, argv, { tty }).wait();
  await k.shutdown();
  t.deepEqual(k.audit(), { procs: [], chans: [], fids: [], tags: [] });
  t.regex(status, ending);
  // As whoever reads the transcript as UTF-8 sees it.
  return new TextDecoder().decode(utfencode(tty.text()));
}

type How = Pick<Run, "namespace" | "async" | "fossil" | "vm">;

function differences(how: How): Differences {
  if (how.fossil === true) return fossil;
  if (how.async === true) return asyncs;
  return how.namespace === "names" ? names : standard;
}

const answers = test.macro({
  async exec(t, name: string, how: How) {
    const text = await transcript(t, { script: script(name), ...how }, ENDINGS.get(name) ?? /^$/);
    const expected = (differences(how)[name] ?? []).map(({ cmd, got }) => ({ cmd, got }));
    // An open that succeeds on purpose shifts the descriptors after it.
    const found = compare(name, text, how.namespace === "names").map(({ cmd, got }, i) => ({
      cmd,
      got: expected[i]?.got === null ? null : got,
    }));
    t.deepEqual(found, expected);
  },
  title(_, name: string, how: How) {
    const program =
      how.async === true
        ? ", to an async program"
        : how.vm === true
          ? ", to a program with a memory of its own"
          : "";
    const tmp = how.fossil === true ? ", with a fossil as /tmp" : "";
    return `${name} is answered as by a real kernel in the name space ${how.namespace}${program}${tmp}`;
  },
});

/** The exit status of the interpreter, where the script is its end. */
const ENDINGS: ReadonlyMap<string, RegExp> = new Map([["26-notes2", /: Suicide$/]]);

const SCRIPTS = [
  "01-names",
  "02-limits",
  "03-create",
  "05-bind",
  "07-fds",
  "08-pipe",
  "10-rfork",
  "12-mount",
  "20-wstat2",
  "22-modes",
  "25-proc",
  "26-notes2",
  "28-pipe2",
  "30-mount2",
];

/**
 * Scripts that show who runs first, when a pipe wakes its writer (08) or a process is started (25): an async program
 * of the host's engine does not run until it waits.
 */
const INORDER: ReadonlySet<string> = new Set(["08-pipe", "25-proc"]);

/** Scripts that fork: in a memory of its own the interpreter forks without a child's function. */
const FORKS: ReadonlySet<string> = new Set(
  SCRIPTS.filter((name) => /^[ \t]*(?:\w+=[ \t]+)?r?fork\b/m.test(script(name))),
);

/** Scripts about the rules that ramfs has for modes and names: fossil has others. */
const OFSERVER: ReadonlySet<string> = new Set(["20-wstat2", "22-modes"]);

for (const name of SCRIPTS) {
  test(answers, name, { namespace: "names" });
  test(answers, name, { namespace: "standard" });
  if (!OFSERVER.has(name)) test(answers, name, { namespace: "names", fossil: true });
  if (!INORDER.has(name)) test(answers, name, { namespace: "names", async: true });
  if (FORKS.has(name)) test(answers, name, { namespace: "names", vm: true });
}
