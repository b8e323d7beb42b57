// namec demo: runs examples/first.ts in a kernel of its own, beside a second process that serves a directory of the
// host. It shows each call with what became of its names and what they cost.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Booted } from "../../kernel/boot.ts";
import { Usage } from "./command.ts";
import type { Command, Given } from "./command.ts";
import { wrap } from "./help.ts";
import { line, plural } from "../view/words/text.ts";
import type { Line } from "../view/words/text.ts";
import { loadprogram } from "./load.ts";
import { machine } from "./machine.ts";
import { Mounterror } from "../boot/mounts.ts";
import { painter } from "./paint.ts";
import { Tour } from "../view/export/strace.ts";
import { tellof } from "../view/record/recorder.ts";
import type { About } from "../view/record/recording.ts";
import { HERE } from "../boot/simhost.ts";
import { INTERRUPTED, watch } from "./watch.ts";

const FIRST = fileURLToPath(new URL("../../../examples/first.ts", import.meta.url));
const NAMEC = fileURLToPath(new URL("./namec.js", import.meta.url));
/** The narrowest and widest that it is laid out for. */
const NARROW = 80;
const WIDE = 100;

/** The run that is shown. */
const ABOUT: About = {
  program: "first",
  namespace: "names",
  clock: "real",
  seed: 0,
  machine: HERE,
  hosts: [],
};

export const demo: Command = {
  name: "demo",
  usage: "",
  brief: "a tour: names, mounts, unions, and what each call costs",
  about: `Boots a kernel and runs the program examples/first.ts in it. The program mounts a file server in
memory, over a pipe, and a directory of this machine, which a second process exports over TCP; it
binds both into one directory and works with the files there. Beside each system call stand the
steps that its name took and the 9P messages it cost. The directory is a temporary one, removed at
the end.

This is what npm start runs. For everything else namec does: namec --help.`,
  options: [],
  examples: [
    "namec demo",
    "namec run --trace examples/hello.ts    # a program of your own, in more detail",
  ],
  mixed: true,
  run: start,
};

async function start(given: Given): Promise<number> {
  if (given.rest.length > 0)
    throw new Usage(`demo takes no arguments`, "a program is run by namec run PROG");
  const dir = hostdir();
  const cleanup = (): void => rmSync(dir, { recursive: true, force: true });
  const quit = (): void => process.exit(INTERRUPTED);
  process.on("exit", cleanup);
  process.on("SIGINT", quit);
  try {
    const server = await exporting(dir);
    process.off("SIGINT", quit);
    try {
      return await tour(server.addr, server.child.pid ?? 0);
    } finally {
      await ended(server.child);
    }
  } finally {
    cleanup();
    process.off("exit", cleanup);
    process.off("SIGINT", quit);
  }
}

/** A directory of the host with something in it. */
function hostdir(): string {
  const dir = mkdtempSync(join(tmpdir(), "namec-demo-"));
  const deep = join(dir, "usr/glenda/lib/profile");
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(dir, "readme"), "This file is on the host, in another process.\n");
  writeFileSync(join(deep, "plan"), "make everything a file\n");
  return dir;
}

type Server = { readonly child: ChildProcess; readonly addr: string };

/** A second process of this program that serves dir on a free port. */
function exporting(dir: string): Promise<Server> {
  const args = [NAMEC, "serve", "exportfs", "--root", dir, "--listen", "tcp!127.0.0.1!0"];
  // The directory is this user's, also when that is root.
  if (process.getuid?.() === 0) args.push("--as", "root");
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const addr = /^serving exportfs on ([^,\s]+)/m.exec(said)?.[1];
      if (addr !== undefined) resolve({ child, addr });
    });
    child.on("error", (e) =>
      reject(new Mounterror(`cannot start the second process: ${e.message}`)),
    );
    child.on("exit", () => reject(new Mounterror(`the second process ended: ${said.trim()}`)));
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on("exit", () => resolve());
    child.kill("SIGINT");
  });
}

async function tour(addr: string, server: number): Promise<number> {
  const columns = Math.max(NARROW, Math.min(WIDE, process.stdout.columns ?? WIDE));
  const paint = painter(process.stdout, columns);
  const show = (...lines: readonly Line[]): void => paint(lines);
  show(
    ...said(
      `A Plan 9 kernel boots in this process (${process.pid}). Process ${server} serves a directory of the host at ${addr}.`,
      columns,
    ),
  );
  const main = await loadprogram(FIRST);
  const kernel = await machine();
  try {
    const p = kernel.spawn(main, ["first", addr], {
      stdout: (text) => show(...said(text.trimEnd(), columns)),
    });
    const view = new Tour(p.pid, columns);
    const { off } = tellof(kernel.trace, ABOUT, (e, r, full) => paint(view.lines(e, r, full)));
    const status = await watch(kernel, p, { sigterm: true });
    off();
    if (status === 0) show(...summary(kernel, view, columns));
    return status;
  } finally {
    await kernel.shutdown();
  }
}

/** What the program says: a line of its own before it, none behind. */
function said(text: string, columns: number): Line[] {
  return [
    line("said", ""),
    ...text
      .split("\n")
      .flatMap((l) => wrap(l, columns))
      .map((l) => line("said", l)),
  ];
}

function summary(kernel: Booted, { total }: Tour, columns: number): Line[] {
  const cost = `${plural(total.calls, "system call")}, ${plural(total.messages, "message")}, ${plural(total.trips, "round trip")}`;
  const time = `${(kernel.clock.now() / 1e6).toFixed(0)} ms after boot`;
  const text = `That was ${cost}; the last ${time}. The program is examples/first.ts. For one of your own:`;
  return [...said(text, columns), line("said", "    npx namec run --trace PROG.ts")];
}
