// Text and whole files: what a program does with read and write most of the time. print(2), read(2)

import { OREAD, OWRITE } from "../../kernel/abi/const.ts";
import { Eshortwrite, PlanError, error } from "../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import { type Both, both } from "./both.ts";

const CHUNK = 8192;
const BIG = 65536;

/** Writes text to descriptor 1; no text is no write, which a pipe would show as an end of file. */
export const print: Both<[text: string], void> = both(function* (sys, text) {
  if (text !== "") yield* writeall(sys, 1, utfencode(text));
}, "print(text text)");

/** Writes text to a descriptor. */
export const fprint: Both<[fd: number, text: string], void> = both(function* (sys, fd, text) {
  if (text !== "") yield* writeall(sys, fd, utfencode(text));
}, "fprint(fd fd, text text)");

/** Reads until buf is full or the file ends; gives the bytes read. */
export const readn: Both<[fd: number, buf: Uint8Array], number> = both(function* (sys, fd, buf) {
  let n = 0;
  while (n < buf.length) {
    const m = yield* sys.read(fd, buf.subarray(n));
    if (m === 0) break;
    n += m;
  }
  return n;
}, "readn(fd fd, buf fill)");

/** All that is left to read. */
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

/** Writes all of bytes, in as many calls as it takes; "short write" when a call takes none of them. */
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

/** The contents of a file. */
export const readfile: Both<[name: string], Uint8Array> = both(function* (sys, name) {
  const fd = yield* sys.open(name, OREAD);
  try {
    return yield* readall(sys, fd);
  } finally {
    yield* sys.close(fd);
  }
}, "readfile(name name)");

/** The contents of a file, as text. */
export const readtext: Both<[name: string], string> = both(function* (sys, name) {
  const bytes = yield* readfile(sys, name);
  return utfdecode(bytes, 0, bytes.length);
}, "readtext(name name)");

/** Makes the file hold this text or these bytes, creating or truncating it. */
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
