// The recorded scripts: every answer is the real kernels' but for the documented differences, which are all
// there.

import test from "ava";
import type { ExecutionContext } from "ava";
import { Buffertty } from "../../kernel/proc/tty.ts";
import { utfencode } from "../../kernel/abi/utf.ts";
import { compare, script } from "./compare.ts";
import { fossil, names, standard } from "./differences.ts";
import { init, machine } from "./machine.ts";
import type { Run } from "./machine.ts";

/** The transcript of a script, and a machine with nothing left on it. */
async function transcript(t: ExecutionContext, run: Omit<Run, "tty">): Promise<string> {
  const tty = new Buffertty();
  const k = await machine({ ...run, tty });
  const argv = ["init", ...(run.fossil === true ? ["fossil"] : [])];
  const status = await k.spawn(init, argv, { tty }).wait();
  await k.shutdown();
  t.deepEqual(k.audit(), { procs: [], chans: [], fids: [], tags: [] });
  // As whoever reads the transcript as UTF-8 sees it.
  const text = new TextDecoder().decode(utfencode(tty.text()));
  return status === "" ? text : `${text}\nended: ${status}`;
}

type How = Pick<Run, "namespace" | "async" | "fossil">;

const answers = test.macro({
  async exec(t, name: string, how: How) {
    const text = await transcript(t, { script: script(name), ...how });
    const list = how.fossil === true ? fossil : how.namespace === "names" ? names : standard;
    const expected = (list[name] ?? []).map(({ cmd, got }) => ({ cmd, got }));
    // An open that succeeds on purpose shifts the descriptors after it.
    const found = compare(name, text, how.namespace === "names").map(({ cmd, got }, i) => ({
      cmd,
      got: expected[i]?.got === null ? null : got,
    }));
    t.deepEqual(found, expected);
  },
  title(_, name: string, how: How) {
    const program = how.async === true ? ", to an async program" : "";
    const tmp = how.fossil === true ? ", with a fossil as /tmp" : "";
    return `${name} is answered as by a real kernel in the name space ${how.namespace}${program}${tmp}`;
  },
});

const SCRIPTS = [
  "01-names",
  "02-limits",
  "03-create",
  "05-bind",
  "07-fds",
  "08-pipe",
  "10-rfork",
  "12-mount",
];

for (const name of SCRIPTS) {
  test(answers, name, { namespace: "names" });
  test(answers, name, { namespace: "standard" });
  test(answers, name, { namespace: "names", fossil: true });
  // In 08 it shows who runs first when a pipe wakes its writer; an async program does not run until it waits.
  if (name !== "08-pipe") test(answers, name, { namespace: "names", async: true });
}
