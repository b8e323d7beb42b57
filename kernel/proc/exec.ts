// Executables and exec(2). Where a machine's kernel maps a text segment, this one looks up a program by
// the name that the file's header gives: a file is executable when its first bytes are such a header (so
// it can be copied, mounted and bound like any other) or `#!` and an interpreter.

import { CCEXEC, cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { OEXEC } from "../abi/const.ts";
import { Ebadexec, error } from "../abi/errors.ts";
import { Aopen, namec } from "../names/namec.ts";
import type { Proc } from "./proc.ts";
import { waitfor } from "./rendez.ts";
import type { Task } from "./rendez.ts";
import { Image } from "./trap.ts";
import type { Program } from "./trap.ts";
import { utfdecode, utfencode } from "../abi/utf.ts";

/** Bytes of a file that exec looks at, as Plan 9's Exec header has them. */
const HEADER = 32;
const MAGIC = "\0namec\0";

/** The contents of a file that runs the program registered under this name (at most 24 bytes). */
export function programfile(name: string): Uint8Array {
  let bytes = made.get(name);
  if (bytes === undefined) {
    bytes = utfencode(`${MAGIC}${name}\n`.padEnd(HEADER, "\0"));
    if (made.size < MADE) made.set(name, bytes);
  }
  return bytes;
}

/** Headers that were made already: every kernel's /bin has the same. Those who get one copy it. */
const made = new Map<string, Uint8Array>();
const MADE = 512;

/** The program's name in an executable's header, or null. */
function programname(header: string): string | null {
  const end = header.indexOf("\n");
  return header.startsWith(MAGIC) && end >= 0 ? header.slice(MAGIC.length, end) : null;
}

/** Puts the program of the file in place of the one that runs; its calls end, its descriptors stay. */
export function* execimage(up: Proc, name: string, argv: readonly string[]): Task<void> {
  const { program, args } = yield* load(up, name, argv);
  const me = up.k.sched.current;
  up.image?.kill();
  for (const co of up.coroutines()) if (co !== me) up.k.sched.kill(co);
  yield* closeonexec(up);
  up.text = lastelem(name);
  up.notes.length = 0;
  if (up.k.trace.on) up.k.trace.emit({ type: "proc", what: "exec", pid: up.pid, text: name });
  up.setargs = null;
  up.privatemem = false;
  if (up.hang) up.halt();
  new Image(up).start(program, args);
  if (me !== null) up.k.sched.kill(me);
}

const lastelem = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** The program in the file, and its arguments; argv[0] of a script's interpreter is the script's name. */
function* load(
  up: Proc,
  name: string,
  argv: readonly string[],
): Task<{ program: Program; args: readonly string[] }> {
  const line = yield* header(up, name);
  if (!line.startsWith("#!")) return { program: lookup(up, line), args: argv };
  // The whole line must be in the header: there is no more of it to see.
  const end = line.indexOf("\n");
  const words = end < 0 ? null : line.slice(2, end).match(/[^ \t]+/g);
  const [interp, ...args] = words ?? [];
  if (interp === undefined) return error(Ebadexec);
  const program = lookup(up, yield* header(up, interp));
  return { program, args: [lastelem(name), ...args, name, ...argv.slice(1)] };
}

/** The program an executable's header names; an interpreter that is itself a script is none. */
function lookup(up: Proc, line: string): Program {
  const name = programname(line);
  const program = name === null ? undefined : up.k.programs.get(name);
  return program ?? error(Ebadexec);
}

/** The first bytes of a file that may be executed. */
function* header(up: Proc, name: string): Task<string> {
  const c: Chan = yield* waitfor(namec(up, name, Aopen, OEXEC));
  try {
    const buf = new Uint8Array(HEADER);
    const n = yield* waitfor(c.dev.read(up, c, buf, 0));
    if (n < 4) error(Ebadexec);
    return utfdecode(buf, 0, n);
  } finally {
    yield* cclose(c);
  }
}

function* closeonexec(up: Proc): Task<void> {
  for (const [fd, c] of up.fgrp.fd.entries()) {
    if (c === null || (c.flag & CCEXEC) === 0) continue;
    yield* cclose(up.fgrp.take(fd));
  }
}
