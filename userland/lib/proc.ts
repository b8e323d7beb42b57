// What a program knows and says about itself and other processes, through the files that tell.
// getpid(2), postnote(2), getwd(2), getenv(2), iounit(2), access(2)

import {
  AEXEC,
  AREAD,
  AWRITE,
  OEXEC,
  ORDWR,
  OREAD,
  OWRITE,
  PNGROUP,
} from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import { type Both, both } from "./both.ts";
import { fprint, readfile, readtext, writefile } from "./io.ts";
import { tokenize } from "../../kernel/abi/quote.ts";

/** The number of this process. */
export const getpid: Both<[], number> = both(function* (sys) {
  return Number.parseInt(yield* readtext(sys, "#c/pid"), 10);
}, "getpid()");

/** The user this process runs as. */
export const getuser: Both<[], string> = both(function* (sys) {
  return yield* readtext(sys, "#c/user");
}, "getuser()");

/** Posts a note to a process, or to its note group: PNPROC or PNGROUP. */
export const postnote: Both<[who: number, pid: number, note: string], void> = both(function* (
  sys,
  who,
  pid,
  note,
) {
  const fd = yield* sys.open(`/proc/${pid}/${who === PNGROUP ? "notepg" : "note"}`, OWRITE);
  try {
    yield* sys.write(fd, utfencode(note));
  } finally {
    yield* sys.close(fd);
  }
}, "postnote(who number, pid number, note text)");

/** The name of the current directory. */
export const getwd: Both<[], string> = both(function* (sys) {
  const fd = yield* sys.open(".", OREAD);
  try {
    return yield* sys.fd2path(fd);
  } finally {
    yield* sys.close(fd);
  }
}, "getwd()");

/** The value of an environment variable, or null; the elements of a list come with spaces between. */
export const getenv: Both<[name: string], string | null> = both(function* (sys, name) {
  if (name === "" || name.includes("/")) return null;
  try {
    const bytes = yield* readfile(sys, `/env/${name}`);
    return utfdecode(bytes, 0, bytes.length).replace(/\0$/, "").replaceAll("\0", " ");
  } catch (e) {
    if (e instanceof PlanError) return null;
    throw e;
  }
}, "getenv(name text)");

/** Sets an environment variable. */
export const putenv: Both<[name: string, value: string], void> = both(function* (sys, name, value) {
  yield* writefile(sys, `/env/${name}`, value);
}, "putenv(name text, value text)");

/** The most bytes that go into one message on this descriptor; 0 where the file does not tell. */
export const iounit: Both<[fd: number], number> = both(function* (sys, fd) {
  try {
    const words = tokenize(yield* readtext(sys, `#d/${fd}ctl`));
    return Number(words[7] ?? 0);
  } catch (e) {
    if (e instanceof PlanError) return 0;
    throw e;
  }
}, "iounit(fd fd)");

/** Whether the file may be used so: AEXIST asks for its entry, the others open it. Throws if not. */
export const access: Both<[name: string, how: number], void> = both(function* (sys, name, how) {
  if (how === 0) {
    yield* sys.stat(name);
    return;
  }
  const mode = how === AEXEC ? OEXEC : how === AWRITE ? OWRITE : how === AREAD ? OREAD : ORDWR;
  yield* sys.close(yield* sys.open(name, mode));
}, "access(name name, how number)");

/** Says what went wrong on descriptor 2, and goes on. Where that cannot be written, there is no place to say so. */
export const warn: Both<[program: string, problem: string], void> = both(function* (
  sys,
  program,
  problem,
) {
  try {
    yield* fprint(sys, 2, `${program}: ${problem}\n`);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}, "warn(program text, problem text)");

/** Says what went wrong on descriptor 2 and ends the process with that. sysfatal in perror(2) */
export const sysfatal: Both<[program: string, problem: string], never> = both(function* (
  sys,
  program,
  problem,
) {
  yield* warn(sys, program, problem);
  return yield* sys.exits(problem);
}, "sysfatal(program text, problem text)");

/** The message of anything that was thrown. */
export function errtext(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}
