// Text and whole files: what a program does with read and write most of the time. print(2), read(2)

import { OREAD, OWRITE } from "../../kernel/abi/const.ts";
import { Eshortwrite, PlanError, error } from "../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import { type Both, both } from "./both.ts";

const CHUNK = 8192;
const BIG = 65536;

/**
 * Writes text to descriptor 1. Text of no letters makes no write, since a pipe would show that as an end of file.
 * print(2)
 *
 * @param text what is written, as UTF-8
 * @throws PlanError "i/o on hungup channel" and its like: what write(2) fails with
 * @example
 * ```ts
 * await print(sys, "hello\n");
 * ```
 */
export const print: Both<[text: string], void> = both(function* (sys, text) {
  if (text !== "") yield* writeall(sys, 1, utfencode(text));
}, "print(text text)");

/**
 * Writes text to a descriptor. print(2)
 *
 * @param fd a descriptor open for writing
 * @param text what is written, as UTF-8
 * @throws PlanError "fd out of range or not open": fd is not open
 * @throws PlanError "inappropriate use of fd": fd is not open for writing
 * @example
 * ```ts
 * await fprint(sys, 2, "something is wrong\n");
 * ```
 */
export const fprint: Both<[fd: number, text: string], void> = both(function* (sys, fd, text) {
  if (text !== "") yield* writeall(sys, fd, utfencode(text));
}, "fprint(fd fd, text text)");

/**
 * Reads until buf is full or the file ends. read(2)
 *
 * @param fd a descriptor open for reading
 * @param buf takes at most buf.length bytes
 * @returns bytes read; fewer than buf.length only at the end of the file
 * @throws PlanError "fd out of range or not open": fd is not open
 * @throws PlanError "inappropriate use of fd": fd is not open for reading
 * @example
 * ```ts
 * const n = await readn(sys, fd, new Uint8Array(512));
 * ```
 */
export const readn: Both<[fd: number, buf: Uint8Array], number> = both(function* (sys, fd, buf) {
  let n = 0;
  while (n < buf.length) {
    const m = yield* sys.read(fd, buf.subarray(n));
    if (m === 0) break;
    n += m;
  }
  return n;
}, "readn(fd fd, buf fill)");

/**
 * Reads all that is left of an open file. read(2)
 *
 * @param fd a descriptor open for reading
 * @returns the bytes from the descriptor's offset to the end of the file
 * @throws PlanError "fd out of range or not open": fd is not open
 * @throws PlanError "inappropriate use of fd": fd is not open for reading
 * @example
 * ```ts
 * const bytes = await readall(sys, 0);
 * ```
 */
export const readall: Both<[fd: number], Uint8Array> = both(function* (sys, fd) {
  let buf = new Uint8Array(CHUNK);
  let n = 0;
  for (;;) {
    if (n === buf.length) {
      const bigger = new Uint8Array(buf.length < BIG ? BIG : buf.length * 2);
      bigger.set(buf);
      buf = bigger;
    }
    const m = yield* sys.read(fd, buf.subarray(n));
    if (m === 0) return buf.subarray(0, n);
    n += m;
  }
}, "readall(fd fd)");

/**
 * Writes all of the bytes, in as many calls as it takes. read(2)
 *
 * @param fd a descriptor open for writing
 * @param bytes what is written
 * @throws PlanError "fd out of range or not open": fd is not open
 * @throws PlanError "inappropriate use of fd": fd is not open for writing
 * @throws PlanError "short write": a call took none of the bytes
 * @example
 * ```ts
 * await writeall(sys, fd, new TextEncoder().encode("text"));
 * ```
 */
export const writeall: Both<[fd: number, bytes: Uint8Array], void> = both(function* (
  sys,
  fd,
  bytes,
) {
  let n = 0;
  do {
    const m = yield* sys.write(fd, n === 0 ? bytes : bytes.subarray(n));
    if (m === 0 && bytes.length > 0) error(Eshortwrite);
    n += m;
  } while (n < bytes.length);
}, "writeall(fd fd, bytes bytes)");

/**
 * Reads a whole file. open(2)
 *
 * @param name the file's name
 * @returns what the file holds, as bytes
 * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; and what else
 *   open(2) fails with
 * @example
 * ```ts
 * const bytes = await readfile(sys, "/tmp/f");
 * ```
 */
export const readfile: Both<[name: string], Uint8Array> = both(function* (sys, name) {
  const fd = yield* sys.open(name, OREAD);
  try {
    return yield* readall(sys, fd);
  } finally {
    yield* sys.close(fd);
  }
}, "readfile(name name)");

/**
 * Reads a whole file as text, which is decoded from UTF-8. open(2)
 *
 * @param name the file's name
 * @returns what the file holds
 * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; and what else
 *   open(2) fails with
 * @example
 * ```ts
 * const text = await readtext(sys, "/tmp/f");
 * ```
 */
export const readtext: Both<[name: string], string> = both(function* (sys, name) {
  const bytes = yield* readfile(sys, name);
  return utfdecode(bytes, 0, bytes.length);
}, "readtext(name name)");

/**
 * Makes a file hold this text or these bytes. It is created, or truncated if it is there. open(2)
 *
 * @param name the file's name; the directory must exist
 * @param what the text, written as UTF-8, or the bytes
 * @param perm the permissions of a new file: 0o666 unless given
 * @throws PlanError "file does not exist" or "does not exist": the directory is missing; and what else open(2)
 *   fails with
 * @throws PlanError "mounted directory forbids creation": no member of the union was bound with MCREATE
 * @example
 * ```ts
 * await writefile(sys, "/tmp/f", "text\n");
 * ```
 */
export const writefile: Both<[name: string, what: string | Uint8Array, perm?: number], void> = both(
  function* (sys, name, what, perm = 0o666) {
    const fd = yield* sys.create(name, OWRITE, perm);
    try {
      yield* writeall(sys, fd, typeof what === "string" ? utfencode(what) : what);
    } finally {
      yield* sys.close(fd);
    }
  },
  "writefile(name name, what data, perm perm?)",
);

/** Opens a file to read, no name being descriptor 0; a problem is said and gives -1. */
export const openinput: Both<[program: string, name: string | undefined], number> = both(function* (
  sys,
  program,
  name,
) {
  if (name === undefined) return 0;
  try {
    return yield* sys.open(name, OREAD);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    yield* fprint(sys, 2, `${program}: can't open ${name}: ${e.message}\n`);
    return -1;
  }
}, "openinput(program text, name name?)");
