// The commands of sc that are about processes, notes and the environment, and those of libc that read
// files to answer.

import { AEXIST, ERRMAX, OREAD, PNGROUP, PNPROC, RFPROC } from "../../kernel/abi/const.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Task } from "../../syscalls/sys.ts";
import {
  access,
  getenv,
  getpid,
  getwd,
  iounit,
  postnote,
  putenv,
} from "../../userland/lib/proc.ts";
import { tokenize } from "../../kernel/abi/quote.ts";
import { percents, pesc } from "./sc-print.ts";
import { type Command, type Sc, type Words, attempt } from "./sc-script.ts";

/** Room for the message that wait(2) reads. */
const WAITBUF = 511;
const CHUNK = 8192;

/** A command whose calls may fail: then the error is its result. */
const trying =
  (fn: (sc: Sc, w: Words) => Task<number>): Command =>
  (sc, w) => {
    function* run(): Task<number> {
      const r = yield* attempt(fn(sc, w));
      return r === undefined ? yield* sc.result(-1) : r.value;
    }
    return run();
  };

/** Prints and gives v. */
function* said(sc: Sc, text: string, v = 0): Task<number> {
  yield* sc.print(`  = ${text}\n`);
  return v;
}

function* rfork(sc: Sc, w: Words): Task<number> {
  const flags = w.n(1);
  if ((flags & RFPROC) === 0 || flags === -1) return yield* sc.call(sc.sys.rfork(flags));
  // Both go on with the next line.
  sc.pc++;
  const pid = yield* sc.spawn(flags, (child) => childsays(child));
  sc.pc--;
  return yield* sc.result(pid);
}

function* childsays(child: Sc): Task<void> {
  child.set("last", yield* child.result(0));
}

function* alarm(sc: Sc, w: Words): Task<number> {
  const left = yield* sc.sys.alarm(w.n(1) >>> 0);
  return yield* said(sc, left > 0 ? ">0" : left === 0 ? "0" : "<0", left);
}

function* errstr(sc: Sc, w: Words): Task<number> {
  const s = yield* attempt(sc.sys.errstr(w.s(1), w.n(2, ERRMAX)));
  const got = pesc(s === undefined ? w.bytes(1) : utfencode(s.value));
  return yield* said(sc, `${s === undefined ? -1 : 0} got ${got}`);
}

function* notify(sc: Sc, w: Words): Task<number> {
  const how = w.s(1) === "off" ? "off" : w.s(1) === "dflt" ? "dflt" : "cont";
  return yield* sc.call(sc.notify(how));
}

function* wait(sc: Sc, w: Words): Task<number> {
  const r = yield* attempt(sc.sys.await(WAITBUF));
  yield* sc.print(`${sc.line}\n`);
  if (r === undefined) return yield* sc.result(-1);
  const words = tokenize(r.value);
  if (words.length < 5) {
    yield* sc.sys.errstr("couldn't parse wait message");
    return yield* sc.result(-1);
  }
  const child = BigInt(words[0] ?? 0) === BigInt(w.n(1)) ? "==child" : "";
  return yield* said(sc, `pid${child} msg="${percents(words[4] ?? "")}"`);
}

function* await_(sc: Sc, w: Words): Task<number> {
  const r = yield* attempt(sc.sys.await(w.n(1, 512)));
  yield* sc.print(`${sc.line}\n`);
  if (r === undefined) return yield* sc.result(-1);
  const bytes = utfencode(r.value);
  // Each byte by itself: one that is no ASCII shows nothing.
  const shown = bytes.filter((b) => b < 0x80);
  return yield* said(sc, `${bytes.length} raw: ${utfdecode(shown, 0, shown.length)}`, bytes.length);
}

function* exec(sc: Sc, w: Words): Task<number> {
  return yield* sc.call(sc.sys.exec(w.s(1), w.list.slice(1)));
}

function* rendezvous(sc: Sc, w: Words): Task<number> {
  const v = yield* sc.sys.rendezvous(w.n(1), w.n(2));
  if (typeof v !== "number" || v === -1) return yield* sc.result(-1);
  return yield* said(sc, String(v), v);
}

/** A file of this process under /proc, to descriptor 1; nothing where there is no /proc. */
const procfile = (name: string): Command =>
  function* (sc) {
    const pid = yield* attempt(getpid(sc.sys));
    const fd = yield* attempt(sc.sys.open(`/proc/${pid?.value ?? 0}/${name}`, OREAD));
    if (fd === undefined) return 0;
    const buf = new Uint8Array(CHUNK);
    for (;;) {
      const r = yield* attempt(sc.sys.read(fd.value, buf));
      if (r === undefined || r.value === 0) break;
      yield* attempt(sc.sys.write(1, buf.subarray(0, r.value)));
    }
    yield* attempt(sc.sys.close(fd.value));
    return 0;
  };

/** A trap of the machine: there is none here, so it ends the process as that would. */
const trap = (text: string): Command =>
  function* (sc) {
    const note = `sys: trap: ${text} pc=0x00000000`;
    if (sc.notes !== "off") yield* sc.print(`  NOTE "${note}"\n`);
    return yield* sc.sys.exits(note);
  };

/** The commands by name. */
export const procs: Readonly<Record<string, Command>> = {
  rfork,
  alarm,
  errstr,
  notify,
  wait,
  await: await_,
  exec,
  sleep: (sc, w) => sc.call(sc.sys.sleep(w.n(1))),
  noted: (sc, w) => sc.call(sc.sys.noted(w.n(1))),
  exits: (sc, w) => sc.sys.exits(w.s(1)),
  _exits: (sc, w) => sc.sys._exits(w.s(1)),
  rendezvous,
  access: (sc, w) => sc.call(access(sc.sys, w.s(1), w.n(2, AEXIST))),
  postnote: (sc, w) =>
    sc.call(postnote(sc.sys, w.s(1) === "group" ? PNGROUP : PNPROC, w.n(2), w.s(3))),
  pwd: trying(function* (sc) {
    return yield* said(sc, percents(yield* getwd(sc.sys)));
  }),
  getpid: trying(function* (sc) {
    const pid = yield* getpid(sc.sys);
    return yield* said(sc, "pid", pid);
  }),
  putenv: (sc, w) => sc.call(putenv(sc.sys, w.s(1), w.s(2))),
  getenv: trying(function* (sc, w) {
    return yield* said(sc, percents((yield* getenv(sc.sys, w.s(1))) ?? "(nil)"));
  }),
  iounit: (sc, w) => sc.call(iounit(sc.sys, w.n(1))),
  ns: procfile("ns"),
  fds: procfile("fd"),
  sync: function* () {
    return 0;
  },
  segv: trap("fault write addr=0x0"),
  div0: trap("divide error"),
};
