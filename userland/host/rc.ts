// namec rc: the command language in a kernel of its own: commands of an argument or a file, or a prompt. `namec`
// alone on a terminal is the prompt, too.

import { readFileSync } from "node:fs";
import type { Booted } from "../../kernel/boot.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Tree } from "../../devices/mem.ts";
import { login } from "../boot/login.ts";
import { mounted } from "../boot/mounts.ts";
import { cleanname } from "../lib/name.ts";
import { type Command, type Given, Usage } from "./command.ts";
import { reason } from "./outfile.ts";
import { Loaderror } from "./loaderror.ts";
import { mountof } from "./mounts.ts";
import { HISTORY, Linetty } from "./linetty.ts";
import { bootgiven, machineoptions, userof } from "./simrun.ts";
import { hostzone } from "./zone.ts";
import { watch } from "./watch.ts";

export const rc: Command = {
  name: "rc",
  usage: "[options] [-c COMMANDS | FILE [args...]]",
  brief: "Plan 9's command language: a prompt, a script, or -c 'commands'",
  about: `Without words, on a terminal, it is a prompt: so is namec alone. FILE is a file of this machine; it is
copied to the same name in the kernel's tree, where the commands find it. -c COMMANDS runs commands,
and the other flags of rc may come before: -e ends at the first command that fails, -x shows each
command, -v each line, -i prompts, -l reads $home/lib/profile.

At the prompt the line can be edited, Tab completes names, and the arrows go through the lines typed
before, which are kept in ${HISTORY} in the home directory of this machine. Ctrl-C
posts the note "interrupt" to what runs, Ctrl-D is the end of the file. docs/rc.md is a tour.

The exit status is 0 if rc's is the empty string; else 1, with the string on stderr.`,
  options: machineoptions,
  examples: [
    "namec",
    "namec rc -c 'ls -l /bin | sed 3q'",
    "namec rc --host far:rtt=50ms -c 'cp /bin/ls /n/far; ls -l /n/far'",
    "namec rc script.rc a b c",
  ],
  single: true,
  run: start,
};

async function start(given: Given): Promise<number> {
  const words = given.rest;
  const interactive = isprompt(words);
  if (words.length === 0 && !interactive && process.stdin.isTTY)
    throw new Usage("a prompt needs a terminal for its output, too", "namec rc -c COMMANDS");
  const user = userof(given) ?? "glenda";
  const script = scriptof(words);
  const files: Tree = merge(home(user), script === null ? {} : scripttree(script, user));
  const mounts = given.all("mount").map(mountof);
  const tty = interactive ? new Linetty(process.stdin, process.stdout) : null;
  const here = await bootgiven(given, { user, files, ...(tty !== null && { tty }) });
  const { kernel } = here;
  try {
    const like = await mounted(kernel, [...here.mounts, ...mounts]);
    const argv = ["rc", ...(interactive && words.length === 0 ? ["-i"] : []), ...words];
    const p = login(kernel, argv, { tty: tty ?? kernel.config.tty, like, timezone: hostzone() });
    like?.kill();
    tty?.attach(kernel, p);
    return await ended(kernel, p, interactive);
  } finally {
    tty?.close();
    await here.shutdown();
  }
}

/** A prompt ends well however its last command did; a signal from outside ends it. */
async function ended(kernel: Booted, p: Process, interactive: boolean): Promise<number> {
  if (!interactive) return await watch(kernel, p);
  const end = (): void => p.kill();
  process.on("SIGTERM", end);
  process.on("SIGHUP", end);
  try {
    await p.wait();
    return 0;
  } finally {
    process.off("SIGTERM", end);
    process.off("SIGHUP", end);
  }
}

/** Whether a person is to be prompted. */
function isprompt(words: readonly string[]): boolean {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  return words.length === 0 || words[0] === "-i" || words[0] === "-l";
}

/** The file among the words of rc: the first that is no flag and no flag's argument. */
function scriptof(words: readonly string[]): string | null {
  for (let i = 0; i < words.length; i++) {
    const w = words[i] ?? "";
    if (!w.startsWith("-") || w === "-") return w;
    if (/^-[^c]*c/.test(w)) return null;
    if (/^-[^m]*m$/.test(w)) i++;
  }
  return null;
}

/** Where a user's files are, and a place for the temporary ones. */
function home(user: string): Tree {
  return { usr: { [user]: { bin: { rc: {} }, lib: {} } }, tmp: {} };
}

/** The script in the tree at the name it has: below the user's directory if it is not absolute. */
function scripttree(name: string, user: string): Tree {
  let text: Uint8Array;
  try {
    text = readFileSync(name);
  } catch (e) {
    throw new Loaderror(`cannot read ${name}: ${reason(e)}`);
  }
  const path = cleanname(name.startsWith("/") ? name : `/usr/${user}/${name}`);
  return path
    .split("/")
    .filter((elem) => elem !== "")
    .reduceRight<Tree | Uint8Array>((tree, elem) => ({ [elem]: tree }), text) as Tree;
}

/** Both trees as one; where both have a file, the second's. */
function merge(a: Tree, b: Tree): Tree {
  const out: Record<string, Tree[string]> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const old = out[name];
    const dirs = isdir(old) && isdir(value);
    out[name] = dirs ? merge(old, value) : value;
  }
  return out;
}

const isdir = (v: Tree[string] | undefined): v is Tree =>
  typeof v === "object" && !(v instanceof Uint8Array);
