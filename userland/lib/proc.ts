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

/**
 * Tells the number of this process. getpid(2)
 *
 * @returns the number, from 1
 * @example
 * ```ts
 * const pid = await getpid(sys);
 * ```
 */
export const getpid: Both<[], number> = both(function* (sys) {
  return Number.parseInt(yield* readtext(sys, "#c/pid"), 10);
}, "getpid()");

/**
 * Tells the user whom this process runs as. getuser(2)
 *
 * @returns the user's name
 * @example
 * ```ts
 * const user = await getuser(sys);
 * ```
 */
export const getuser: Both<[], string> = both(function* (sys) {
  return yield* readtext(sys, "#c/user");
}, "getuser()");

/**
 * Posts a note to a process, or to all processes of its note group. postnote(2)
 *
 * @param who PNPROC or PNGROUP
 * @param pid the number of the process
 * @param note the text of the note, at most ERRMAX bytes
 * @throws PlanError "file does not exist" or "does not exist": there is no such process
 * @throws PlanError "permission denied": the process is another user's
 * @example
 * ```ts
 * await postnote(sys, PNPROC, pid, "interrupt");
 * ```
 */
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

/**
 * Tells the name of dot, the current directory. getwd(2)
 *
 * @returns an absolute name
 * @throws PlanError "file does not exist" or "does not exist": dot was removed
 * @example
 * ```ts
 * const dir = await getwd(sys);
 * ```
 */
export const getwd: Both<[], string> = both(function* (sys) {
  const fd = yield* sys.open(".", OREAD);
  try {
    return yield* sys.fd2path(fd);
  } finally {
    yield* sys.close(fd);
  }
}, "getwd()");

/**
 * Tells the value of an environment variable. getenv(2)
 *
 * @param name the variable's name
 * @returns the value, the elements of a list with spaces between; null if there is no such variable
 * @example
 * ```ts
 * const home = await getenv(sys, "home");
 * ```
 */
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

/**
 * Sets an environment variable. getenv(2)
 *
 * @param name the variable's name
 * @param value its new value
 * @throws PlanError "permission denied" and what else create(2) fails with
 * @example
 * ```ts
 * await putenv(sys, "home", "/usr/glenda");
 * ```
 */
export const putenv: Both<[name: string, value: string], void> = both(function* (sys, name, value) {
  yield* writefile(sys, `/env/${name}`, value);
}, "putenv(name text, value text)");

/**
 * Tells how many bytes one message on this descriptor carries. iounit(2)
 *
 * @param fd an open descriptor
 * @returns bytes; 0 where the file does not tell, or fd is not open
 * @example
 * ```ts
 * const size = (await iounit(sys, fd)) || 8192;
 * ```
 */
export const iounit: Both<[fd: number], number> = both(function* (sys, fd) {
  try {
    const words = tokenize(yield* readtext(sys, `#d/${fd}ctl`));
    return Number(words[7] ?? 0);
  } catch (e) {
    if (e instanceof PlanError) return 0;
    throw e;
  }
}, "iounit(fd fd)");

/**
 * Fails unless the file may be used so. AEXIST asks for its entry, the others open it. access(2)
 *
 * @param name the file's name
 * @param how AEXIST, AREAD, AWRITE or AEXEC, or AREAD | AWRITE
 * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; and what else
 *   open(2) fails with
 * @throws PlanError "permission denied": the file's mode forbids it
 * @example
 * ```ts
 * await access(sys, "/tmp/f", AREAD);
 * ```
 */
export const access: Both<[name: string, how: number], void> = both(function* (sys, name, how) {
  if (how === 0) {
    yield* sys.stat(name);
    return;
  }
  const mode = how === AEXEC ? OEXEC : how === AWRITE ? OWRITE : how === AREAD ? OREAD : ORDWR;
  yield* sys.close(yield* sys.open(name, mode));
}, "access(name name, how number)");

/**
 * Writes what went wrong on descriptor 2, and goes on. It is silent where that cannot be written. perror(2)
 *
 * @param program the name of the program
 * @param problem what went wrong
 * @example
 * ```ts
 * await warn(sys, "show", "no such page");
 * ```
 */
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

/**
 * Writes what went wrong on descriptor 2 and ends the process with that as its status. perror(2)
 *
 * @param program the name of the program
 * @param problem what went wrong; it becomes the exit status
 * @returns nothing: the process has ended
 * @example
 * ```ts
 * return await sysfatal(sys, "show", "no such page");
 * ```
 */
export const sysfatal: Both<[program: string, problem: string], never> = both(function* (
  sys,
  program,
  problem,
) {
  yield* warn(sys, program, problem);
  return yield* sys.exits(problem);
}, "sysfatal(program text, problem text)");

/**
 * Tells the message of anything that was thrown.
 *
 * @param e what a catch clause caught
 * @returns the error string of a PlanError, the message of another Error, else the value as text
 * @example
 * ```ts
 * await sys.open("/no", OREAD).catch((e) => print(sys, `${errtext(e)}\n`));
 * ```
 */
export function errtext(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}
