// namec run: a program in a kernel of its own, with the console on this process's streams.

import type { Booted } from "../../kernel/boot.ts";
import type { Program } from "../../kernel/proc/trap.ts";
import { bin } from "../boot/bin.ts";
import { Usage, nearest } from "./command.ts";
import type { Command, Given } from "./command.ts";
import { isfile, loadprogram, progname, programpath } from "./load.ts";
import { limitsof, loadvm, vmoptions } from "./vmload.ts";
import { mounted } from "../boot/mounts.ts";
import { Mistakes } from "../boot/witness.ts";
import { mountof } from "./mounts.ts";
import { painter } from "./paint.ts";
import { aboutof } from "./record.ts";
import { Reports, reportoptions } from "./reports.ts";
import { bootgiven, machineoptions } from "./simrun.ts";
import { Strace } from "../view/export/strace.ts";
import { tellof } from "../view/record/recorder.ts";
import type { About } from "../view/record/recording.ts";
import { watch } from "./watch.ts";
import { Watchdog } from "./watchdog.ts";

export const run: Command = {
  name: "run",
  usage: "[options] PROG [args...]",
  brief: "run a program: a .ts or .js file, or one of /bin",
  about: `PROG is a .ts, .js or .mjs file whose default export is the program,

    import { type Sys } from "namec";
    export default async function main(sys: Sys, argv: string[]) { ... }

or the name of a program in /bin. What the program writes comes out as it is written. The exit
status is 0 if the program ends with no string or an empty one; else 1, with the string on stderr
if the program has not written it there. After a second without an answer from a server the terminal
is told what is waited for.
Ctrl-C posts the note "interrupt" to the program. A second Ctrl-C ends it within
a second, and SIGTERM at once, even if it spins without making a system call.`,
  options: [
    {
      name: "trace",
      values: [],
      text: "show every system call, what became of its name, and its 9P messages, on stderr",
    },
    ...vmoptions,
    ...reportoptions,
    ...machineoptions,
  ],
  examples: [
    "namec run hello.ts a b c",
    "namec run --trace ls /dev",
    "namec run --vm fork.ts",
    "namec run --summary --pcap far.pcapng --timeline far.json --host far:rtt=50ms hello.ts",
    "namec run --mount 'tcp!127.0.0.1!5640' /n/remote hello.ts",
    "namec run --virtual --host far:rtt=50ms,bw=600KB/s hello.ts",
    "namec run --host far:rtt=50ms --inject 'Twrite:when=2+:error=file system full' hello.ts",
  ],
  run: start,
};

async function start(given: Given): Promise<number> {
  const [prog, ...args] = given.rest;
  if (prog === undefined)
    throw new Usage("no program is given", "namec run [options] PROG [args...]");
  const mounts = given.all("mount").map(mountof);
  const dog = isfile(prog) ? Watchdog.begin() : null;
  const main = await findprogram(prog, given.has("vm"));
  const user = given.get("user");
  const here = await bootgiven(given, {
    limits: limitsof(given),
    ...(user !== undefined && { user }),
  });
  const { kernel } = here;
  const about = aboutof(given, kernel, given.rest.join(" "));
  let reports: Reports | null = null;
  let ended = (): void => undefined;
  let good = true;
  let status;
  try {
    if (reportoptions.some((o) => given.has(o.name))) reports = new Reports(given, kernel, about);
    const like = await mounted(kernel, [...here.mounts, ...mounts]);
    if (given.has("trace")) ended = traced(kernel, about, like?.pid ?? 0);
    reports?.begin(like === null ? [] : [like.pid]);
    here.faults.begin();
    await dog?.arm();
    // A program of the package reports its own failures.
    if (isfile(prog)) kernel.witness = new Mistakes();
    const argv = [isfile(prog) ? progname(prog) : prog, ...args];
    const p = kernel.spawn(main, argv, {
      tty: kernel.config.tty,
      ...(like === null ? {} : { like }),
    });
    like?.kill();
    status = await watch(kernel, p, { dog, ...(isfile(prog) && { file: programpath(prog) }) });
  } finally {
    ended();
    here.faults.end();
    good = reports?.end() ?? true;
    await here.shutdown();
  }
  return status === 0 && !good ? 1 : status;
}

/** What others call a shell: here it is rc. */
const SHELLS = /^(ba|da|k|z)?sh$/;

/** The program of a file, with a memory of its own or not, or of /bin. Throws Usage when there is none. */
export async function findprogram(prog: string, vm = false): Promise<Program> {
  if (vm) return await loadvm(prog);
  if (isfile(prog)) return await loadprogram(prog);
  const main = bin[prog];
  if (main !== undefined) return main;
  const names = Object.keys(bin);
  const close = SHELLS.test(prog) ? "rc" : nearest(prog, names);
  const hint =
    close === null
      ? `a file's name ends in .ts, .js or .mjs; /bin has ${names.join(" ")}`
      : `did you mean ${close}?`;
  throw new Usage(`there is no program ${prog}, neither a file nor in /bin`, hint);
}

/** Shows the trace, but for one process, on stderr; the result shows what has not returned and stops. */
function traced(kernel: Booted, about: About, but: number): () => void {
  const paint = painter(process.stderr);
  const view = new Strace();
  const { recording, off } = tellof(kernel.trace, about, (e, r, full) => {
    if (e.pid !== but) paint(view.lines(e, r, full));
  });
  return () => {
    off();
    paint(view.unfinished(recording));
  };
}
