// sc, the interpreter of system call scripts, as a program: `sc FILE` reads lines
//
//	[var=] command arguments...
//
// makes the call that each asks for, and prints the line and what came of it, exactly as the interpreter
// that ran on the real kernels did (sc.c of the recordings). $var stands for a result; a `fork ... end`
// block runs in a child. The commands are in sc-calls.ts and sc-procs.ts.

import { OREAD } from "../../kernel/abi/const.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Exit, Main, Task } from "../../syscalls/sys.ts";
import { type ThreadSys, both } from "../../userland/lib/both.ts";
import { readall } from "../../userland/lib/io.ts";
import { calls } from "./sc-calls.ts";
import { procs } from "./sc-procs.ts";
import { Sc, attempt } from "./sc-script.ts";
import type { Command } from "./sc-script.ts";

/** Descriptors below this are closed first. */
const MAXFD = 50;

const commands: ReadonlyMap<string, Command> = new Map([
  ...Object.entries(calls),
  ...Object.entries(procs),
]);

type How = { readonly async: boolean; readonly vm: boolean };

function* main(sys: ThreadSys, argv: readonly string[], how: How): Task<Exit> {
  for (let fd = 3; fd < MAXFD; fd++) yield* attempt(sys.close(fd));
  const fd = argv[1] === undefined ? 0 : yield* sys.open(argv[1], OREAD);
  const bytes = yield* readall(sys, fd);
  if (fd !== 0) yield* sys.close(fd);
  const lines = utfdecode(bytes, 0, bytes.length).split("\n");
  yield* new Sc(sys, lines, { commands, ...how }).run();
}

/** The program. It is a generator, so that it runs until it waits, as on the machines of the recordings. */
export function* sc(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  return yield* main(sys, argv, { async: false, vm: false });
}

/** The same as an async program. */
export const asyncsc: Main = (sys, argv) => both(main)(sys, argv, { async: true, vm: false });

/** The same with a memory of its own. */
const vmsc: Main = (sys, argv) => both(main)(sys, argv, { async: true, vm: true });
export default vmsc;
