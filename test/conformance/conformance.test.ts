// The recorded scripts, in the name space `names`: every answer is the real kernels' but for the documented
// differences, which are all there.

import test from "ava";
import type { ExecutionContext } from "ava";
import { Buffertty } from "../../kernel/tty.ts";
import { utfencode } from "../../kernel/utf.ts";
import { compare, script } from "./compare.ts";
import { differences } from "./differences.ts";
import { init, machine } from "./machine.ts";
import type { Run } from "./machine.ts";

/** The transcript of a script, and a machine with nothing left on it. */
async function transcript(t: ExecutionContext, run: Omit<Run, "tty">): Promise<string> {
  const tty = new Buffertty();
  const k = await machine({ ...run, tty });
  const status = await k.spawn(init, ["init"], { tty }).wait();
  await k.shutdown();
  t.deepEqual(k.audit(), { procs: [], chans: [], fids: [], tags: [] });
  // As whoever reads the transcript as UTF-8 sees it.
  const text = new TextDecoder().decode(utfencode(tty.text()));
  return status === "" ? text : `${text}\nended: ${status}`;
}

const answers = test.macro({
  async exec(t, name: string, async: boolean) {
    const text = await transcript(t, { script: script(name), namespace: "names", async });
    const expected = (differences[name] ?? []).map(({ cmd, got }) => ({ cmd, got }));
    const found = compare(name, text).map(({ cmd, got }, i) => ({
      cmd,
      got: expected[i]?.got === null ? null : got,
    }));
    t.deepEqual(found, expected);
  },
  title: (_, name: string, async: boolean) =>
    `${name} is answered as by a real kernel, to ${async ? "an async" : "a generator"} program`,
});

for (const name of [
  "01-names",
  "02-limits",
  "03-create",
  "05-bind",
  "07-fds",
  "10-rfork",
  "12-mount",
])
  for (const async of [false, true]) test(answers, name, async);

// Who runs first when a pipe wakes its writer shows in the transcript, and is not the same in an async program.
test(answers, "08-pipe", false);
