// namec step: a program is run and recorded to its end, and then stepped through, forward and back: on the
// terminal, or as text or JSON where there is none.

import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import type { Program } from "../../kernel/proc/trap.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { frameof, lookstep } from "../view/step/frame.ts";
import { frametext } from "../view/step/frametext.ts";
import type { Frame } from "../view/step/frame.ts";
import type { Findplace } from "../view/record/recorder.ts";
import { Recordingerror, fromjson, tojson } from "../view/record/recording.ts";
import type { Rcall, Recording } from "../view/record/recording.ts";
import { plural, timefmt, visible } from "../view/words/text.ts";
import { Tape } from "../view/step/tape.ts";
import type { By } from "../view/step/tape.ts";
import { Usage } from "./command.ts";
import type { Command, Given } from "./command.ts";
import { Loaderror, isfile, progname, programpath } from "./load.ts";
import { glossarytext } from "./glossary.ts";
import { reason } from "./outfile.ts";
import { recordrun } from "./record.ts";
import type { How } from "./record.ts";
import { findprogram } from "./run.ts";
import { vmoptions } from "./vmload.ts";
import { errorof, isscript, statements } from "./script.ts";
import { machineoptions } from "./simrun.ts";
import { Stepper, leadtext } from "./stepper.ts";
import { steponterminal } from "./stepterm.ts";
import { Streamtty } from "./tty.ts";
import { PIPECLOSED } from "./watch.ts";

export const step: Command = {
  name: "step",
  usage: "[options] PROG [args...]",
  brief: "step through what a program does, forward and back",
  about: `PROG is what run runs; a recording that --json wrote; or a call, such as 'stat /n/far/a'.

The program is run to its end first, and everything that its system calls do is recorded. Ctrl-C ends
one that goes on for ever, as in run. Then each step can be looked at,
forward and back: the call and its line of the program, the name with the element in question, the name
space, the decision and its reason, the messages in flight, and what it has cost. ? shows the keys.
Time is virtual, but with --real or --mount.

Without a terminal the steps are written as text, one after another.`,
  options: [
    { name: "print", values: [], text: "write the steps as text" },
    { name: "json", values: [], text: "write the recording as JSON" },
    { name: "from", values: ["N"], text: "with --print: the first step written" },
    { name: "to", values: ["N"], text: "with --print: the last step written" },
    {
      name: "by",
      values: ["step|message|call|failure"],
      text: "with --print: which steps are written (default all)",
    },
    { name: "real", values: [], text: "time is the host's: links take their time" },
    ...vmoptions,
    ...machineoptions,
  ],
  examples: [
    "namec step --host far:rtt=50ms 'stat /n/far/a/b/c'",
    "namec step --host far:rtt=50ms hello.ts a b c",
    "namec step --print --by failure hello.ts",
    "namec step --json hello.ts >run.json; namec step run.json",
  ],
  run: start,
};

/** What a lesson says to look at, by which its stepping begins: no option that a user gives. */
export const LOOK = " look";

/** Messages in flight that a printed frame lists. */
const PRINTED = 8;

const KINDS: readonly By[] = ["step", "message", "call", "failure"];

async function start(given: Given): Promise<number> {
  const written = given.has("print") || given.has("json");
  if (given.has("print") && given.has("json"))
    throw new Usage("--print and --json write to one place", "one at a time");
  const range = rangeof(given);
  const terminal = !written && process.stdin.isTTY && process.stdout.isTTY;
  const recording = await recorded(given, terminal);
  if (recording.lost > 0)
    process.stderr.write(
      `namec: the recording is full; ${plural(recording.lost, "event")} more were not kept\n`,
    );
  // The escapes of visible are JSON's, and such characters are in its strings only.
  if (given.has("json")) return await write([visible(tojson(recording))]);
  try {
    const tape = new Tape(recording);
    const look = given.get(LOOK);
    if (!terminal && !written && look !== undefined) return await write(lookedat(tape, look));
    if (!terminal) return await write(printed(tape, range));
    const stepper = new Stepper(tape, glossarytext);
    stepper.step = lookstep(tape, look ?? "");
    return await steponterminal(stepper);
  } catch (e) {
    // What a file says of itself is believed until it cannot be: fromjson looks at its outline only.
    const [file = ""] = given.rest;
    if (!file.endsWith(".json") || !(e instanceof Error)) throw e;
    throw new Loaderror(`${file}: the recording is damaged: ${e.message}`);
  }
}

/** A recording of another command's: on the terminal, or as text where there is none. */
export async function stepthrough(recording: Recording): Promise<number> {
  const tape = new Tape(recording);
  if (process.stdin.isTTY && process.stdout.isTTY)
    return await steponterminal(new Stepper(tape, glossarytext));
  return await write(printed(tape, { from: 1, to: Number.POSITIVE_INFINITY, by: "step" }));
}

async function recorded(given: Given, terminal: boolean): Promise<Recording> {
  const [prog, ...args] = given.rest;
  if (prog === undefined)
    throw new Usage("no program is given", "namec step [options] PROG [args...]");
  if (prog.endsWith(".json")) {
    const [more] = args;
    if (more === undefined) return opened(prog);
    throw new Usage(`${more}: a recording takes no arguments`, "options come before it");
  }
  refuseoptions(step, args);
  const {
    main,
    argv,
    place,
    file: path,
  } = isscript(prog) ? calls(given.rest) : await file(prog, args, given.has("vm"));
  const seen = progress();
  const quiet = new Writable({ write: (_chunk, _encoding, done) => done() });
  const how: How = {
    ...(place !== undefined && { place }),
    // A server of the host's takes its time, which virtual time would not show.
    clock: given.has("real") || given.has("mount") ? "real" : "virtual",
    tell: seen.tell,
    ...(!terminal && { tty: new Streamtty(process.stdin, quiet, quiet) }),
  };
  try {
    const program = given.rest.join(" ");
    const what = { main, argv, program, ...(path !== undefined && { file: path }) };
    return (await recordrun(given, what, how)).recording;
  } finally {
    seen.end();
  }
}

/** An option of a command behind the program would be the program's, unseen: it is refused, unless behind "--". */
export function refuseoptions({ options }: Command, args: readonly string[]): void {
  const end = args.indexOf("--");
  const names = options.map((o) => `--${o.name}`);
  for (const arg of end < 0 ? args : args.slice(0, end)) {
    const [name = ""] = arg.split("=", 1);
    if (names.includes(name))
      throw new Usage(
        `${name} stands behind the program`,
        `write it before the program, or behind -- if it is for the program`,
      );
  }
}

/** What is to be run, and where in its text its calls are, if the stack does not say that. */
type Run = {
  readonly main: Program;
  readonly argv: readonly string[];
  readonly place?: Findplace;
  readonly file?: string;
};

async function file(prog: string, args: readonly string[], vm: boolean): Promise<Run> {
  const main = await findprogram(prog, vm);
  if (!isfile(prog)) return { main, argv: [prog, ...args] };
  return { main, argv: [progname(prog), ...args], file: programpath(prog) };
}

/** Calls that were typed as words: their text is the source, a line each. */
function calls(words: readonly string[]): Run {
  const list = statements(words.join(" "));
  const source = { name: "calls", text: list.map((s) => s.text).join("\n") };
  let line = 0;
  const main = async (sys: Sys): Promise<string> => {
    let status = "";
    for (const s of list) {
      line++;
      status = await errorof(s, sys);
    }
    return status;
  };
  return { main, argv: ["calls"], place: () => ({ source, line, column: 1 }) };
}

/** A recording that was saved. */
function opened(file: string): Recording {
  try {
    return fromjson(readFileSync(file, "utf8"));
  } catch (e) {
    if (e instanceof Recordingerror) throw new Loaderror(`${file}: ${e.message}`);
    if (e instanceof Error && "code" in e) throw new Loaderror(`${file}: ${reason(e)}`);
    throw e;
  }
}

/** Says how far a run is that takes long, to someone at a terminal; not while it waits, nor when it talks itself. */
function progress(): { readonly tell: NonNullable<How["tell"]>; readonly end: () => void } {
  let [events, seen, time, talks, shown] = [0, 0, 0, false, false];
  const timer = setInterval(() => {
    const waits = events === seen;
    seen = events;
    if (waits || talks || !process.stderr.isTTY) return;
    shown = true;
    const text = `running: ${plural(events, "event")}, ${timefmt(time)}; Ctrl-C ends it`;
    process.stderr.write(`\r\u001B[K${text}`);
  }, 1000).unref();
  return {
    tell: (e, r) => {
      events++;
      time = e.at;
      talks ||= e.type === "call" && talk(r.calls[e.call]);
    },
    end: () => {
      clearInterval(timer);
      if (shown) process.stderr.write("\r\u001B[K");
    },
  };
}

/** Whether a call writes to what a program has its console open on at first. */
function talk(call: Rcall | undefined): boolean {
  return call?.name === "write" && (call.args[0] === 1 || call.args[0] === 2);
}

type Range = { readonly from: number; readonly to: number; readonly by: By };

function rangeof(given: Given): Range {
  const by = KINDS.find((kind) => kind === (given.get("by") ?? "step"));
  if (by === undefined) throw new Usage(`--by ${given.get("by")}: there are ${KINDS.join(", ")}`);
  const from = numberof(given, "from", 1);
  const to = numberof(given, "to", Number.POSITIVE_INFINITY);
  if (from > to) throw new Usage(`--from ${from} is behind --to ${to}`, "the first step is 1");
  return { from, to, by };
}

function numberof(given: Given, option: string, dflt: number): number {
  const text = given.get(option);
  if (text === undefined) return dflt;
  if (!/^[1-9]\d*$/.test(text)) throw new Usage(`--${option} ${text}: a step's number, such as 1`);
  return Number(text);
}

/** Of a lesson without a terminal the step that it is about, and how all are seen. */
function* lookedat(tape: Tape, look: string): Generator<string> {
  const step = lookstep(tape, look) + 1;
  yield* printed(tape, { from: step, to: step, by: "step" });
  yield `\nThis is one step of ${tape.length}. --print writes all of them, --print --from N --to N some.\n`;
}

/** The frames of some steps as text. */
function* printed(tape: Tape, { from, to, by }: Range): Generator<string> {
  const lead = leadtext(tape.recording);
  if (lead !== "") yield `${lead}\n\n`;
  let last: Frame | null = null;
  for (let s = tape.next(from - 2, by); s >= 0 && s < to; s = tape.next(s, by)) {
    const f: Frame = frameof(tape, s, { messages: PRINTED });
    yield `${frametext(f, last).join("\n")}\n`;
    last = f;
  }
}

/** Writes it all, as fast as it is taken; a reader that has gone ends it. */
async function write(texts: Iterable<string>): Promise<number> {
  const { stdout } = process;
  let gone = false;
  let go = (): void => undefined;
  stdout.on("drain", () => go());
  stdout.on("error", () => {
    gone = true;
    go();
  });
  for (const text of texts) {
    if (gone) return PIPECLOSED;
    if (!stdout.write(text)) await new Promise<void>((resolve) => (go = resolve));
  }
  return 0;
}
