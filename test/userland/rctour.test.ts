// The tour of rc in docs/rc.md: its lines are typed one after another at the prompt of one machine, and what comes
// is what the page shows.

import { readFileSync } from "node:fs";
import test from "ava";
import type { Booted } from "../../kernel/boot.ts";
import type { Tty } from "../../kernel/proc/tty.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { bindir, commands } from "../../userland/bin/index.ts";
import { serveramfs, simnet } from "../../userland/boot/net.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { NAMESPACE } from "../../userland/lib/namespace.ts";
import { mkpath } from "../../userland/boot/mounts.ts";
import { masked, shown, typed } from "../kit/tour.ts";

/** A terminal at which lines are typed as soon as they are read: its text is what a person would see. */
class Typing implements Tty {
  readonly terminals: readonly number[] = [0, 1, 2];
  text = "";
  readonly #lines: string[];

  constructor(lines: readonly string[]) {
    this.#lines = [...lines];
  }

  *write(bytes: Uint8Array): Task<void> {
    this.text += utfdecode(bytes, 0, bytes.length);
  }

  *read(): Task<Uint8Array> {
    const line = this.#lines.shift();
    if (line === undefined) return new Uint8Array(0);
    this.text += `${line}\n`;
    return utfencode(`${line}\n`);
  }
}

/** The machine of the tour, and far, whose files are on port 564. */
async function machine(tty: Tty): Promise<{ here: Booted; over: () => Promise<void> }> {
  const net = simnet();
  const files = { bin: bindir, lib: { namespace: NAMESPACE }, mnt: {}, usr: { glenda: {} } };
  const here = await net.boot("gnot", { files, tty });
  const far = await net.boot("far");
  net.link("gnot", "far", { rtt: "50ms" });
  await serveramfs(far, "tcp!*!564");
  return { here, over: () => net.shutdown() };
}

function* login(sys: ThreadSys): Task<Exit> {
  for (const [name, value] of [
    ["home", "/usr/glenda"],
    ["user", "glenda"],
  ] as const) {
    const fd = yield* sys.create(`/env/${name}`, 1, 0o666);
    yield* sys.write(fd, utfencode(`${value}\0`));
    yield* sys.close(fd);
  }
  yield* mkpath(sys, "/usr/glenda");
  yield* sys.exec("/bin/rc", ["rc", "-i"]);
}

test("the tour in docs/rc.md is what a terminal shows", async (t) => {
  const want = shown();
  const tty = new Typing(typed(want));
  const { here, over } = await machine(tty);
  await here.spawn(login, ["rc"], { tty }).wait();
  await over();
  // The last prompt is answered with the end of the file.
  t.is(masked(tty.text.replace(/% $/, "")), masked(want));
});

test("every command that /bin has is in the list of commands in the documentation", (t) => {
  const page = readFileSync(new URL("../../../docs/commands.md", import.meta.url), "utf8");
  const rows = commands.map(
    (c) =>
      `| ${c.name} | \`${`${c.name} ${c.usage}`.trim().replaceAll("|", "\\|")}\` | ${c.brief} |`,
  );
  t.deepEqual(
    page
      .split("\n")
      .filter((l) => l.startsWith("| ") && !l.startsWith("| command") && !l.startsWith("| ---")),
    rows,
  );
});
