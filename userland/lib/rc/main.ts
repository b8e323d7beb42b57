// rc from its command line on: the flags, the environment, and rcmain, the commands that every rc begins with.

import { OREAD } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { fprint, readtext } from "../io.ts";
import { getpid } from "../proc.ts";
import { startfile } from "./builtin.ts";
import { Input } from "./lex.ts";
import { RCMAIN } from "./rcmain.ts";
import { startreading } from "./read.ts";
import { run } from "./run.ts";
import { Shell } from "./shell.ts";
import { listen } from "./trap.ts";
import { getenvs } from "./var.ts";

const FLAGS = "SsrdiIlxepvV";
const WITHARG = "cm";
const USAGE = `Usage: rc [-${FLAGS}] [-c arg] [-m command] [file [arg ...]]\n`;

type Flags = {
  readonly flags: Map<string, string>;
  readonly args: readonly string[];
  readonly problem: string;
};

/** Takes the flags from the words: letters together or apart, c and m with a word of their own. */
function getflags(argv: readonly string[]): Flags {
  const flags = new Map<string, string>();
  let args = argv.slice(1);
  for (let word = args[0]; word?.startsWith("-") === true && word !== "-"; word = args[0]) {
    args = args.slice(1);
    for (let i = 1; i < word.length; i++) {
      const c = word.charAt(i);
      const takes = WITHARG.includes(c);
      if (!takes && !FLAGS.includes(c)) return { flags, args, problem: `Illegal flag -${c}` };
      if (flags.has(c)) return { flags, args, problem: `Flag -${c}: set twice` };
      if (!takes) {
        flags.set(c, "");
        continue;
      }
      const rest = word.slice(i + 1);
      const value = rest === "" ? args[0] : rest;
      if (value === undefined) return { flags, args, problem: `Flag -${c}: too few arguments` };
      if (rest === "") args = args.slice(1);
      flags.set(c, value);
      break;
    }
  }
  return { flags, args, problem: "" };
}

/** The program rc. */
export function* rc(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const { flags, args, problem } = getflags(argv);
  if (problem !== "") {
    yield* fprint(sys, 2, `${problem}\n${USAGE}`);
    return "bad flags";
  }
  const [argv0 = "rc"] = argv;
  const sh = new Shell(sys, argv0, run);
  for (const [c, value] of flags) sh.flags.set(c, value);
  if (argv0.startsWith("-")) sh.flags.set("l", "");
  if (flags.has("I")) sh.flags.delete("i");
  else if (!flags.has("i") && args.length === 0 && (yield* isconsole(sys))) sh.flags.set("i", "");
  yield* listen(sh);
  yield* environment(sh);
  sh.pid = yield* getpid(sys);
  sh.vars.get("pid").set([`${sh.pid}`]);
  const cflag = flags.get("c");
  sh.vars.get("cflag").set(cflag === undefined ? [] : [cflag]);
  sh.vars.get("rcname").set([argv0]);
  sh.vars.get("*").set(args);
  // What ends when rcmain ends, or is interrupted.
  sh.start([{ op: "exit" }], 0, null);
  const file = flags.get("m");
  if (file === undefined) yield* startrcmain(sh, args);
  else yield* startmain(sh, file, args);
  return yield* run(sh);
}

/** Whether a person types on descriptor 0. */
function* isconsole(sys: ThreadSys): Task<boolean> {
  try {
    const name = yield* sys.fd2path(0);
    if (!name.endsWith("/dev/cons") && name !== "#c/cons") return false;
    return (yield* readtext(sys, "#c/term")).includes("0");
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    return false;
  }
}

function* environment(sh: Shell): Task<void> {
  try {
    yield* getenvs(sh.sys, sh.vars);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* sh.warn(`rc: can't open: ${e.message}\n`);
  }
}

/** Reads the file of -m in place of rcmain. */
function* startmain(sh: Shell, name: string, args: readonly string[]): Task<void> {
  try {
    const fd = yield* sh.sys.open(name, OREAD);
    yield* startfile(sh, { fd, name, interactive: false }, args);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* sh.fail(`.: can't open: ${e.message}`, `${name}: `);
  }
}

/** Where Plan 9 has rcmain. */
const RCMAINFILE = "/rc/lib/rcmain";

/** Begins with rcmain. Its text is in rc; a descriptor is taken all the same, so that scripts see Plan 9's. */
function* startrcmain(sh: Shell, args: readonly string[]): Task<void> {
  const input = new Input(-1, RCMAIN);
  const t = startreading(sh, { input, file: RCMAINFILE, interactive: false }, null);
  try {
    const fd = yield* sh.sys.open("#c/null", OREAD);
    sh.pushredir("close", fd, 0);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
  sh.pushlocal(t, "0", [RCMAINFILE]);
  sh.pushlocal(t, "*", args);
  sh.ndot++;
}
