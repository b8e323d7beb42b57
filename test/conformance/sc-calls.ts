// The commands of sc that are system calls on files and name spaces.

import { DMDIR, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import { convD2M, nulldir, sizeD2M } from "../../kernel/abi/dir.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { get16 } from "../../kernel/abi/bits.ts";
import { utfencode, utflen } from "../../kernel/abi/utf.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { dumpstat, entries, names, pdir, percentq, pesc } from "./sc-print.ts";
import { getpid } from "../../userland/lib/proc.ts";
import { type Command, type Sc, type Words, attempt } from "./sc-script.ts";

/** Room for a directory entry, as sc has it: of a longer one stat gives the size alone. */
const STATBUF = 4096;
/** The most that one write writes: what is written is a static buffer. */
const BUFSIZE = 300_000;
const CHUNK = 8192;
/** Room for the entries of one read. */
const DIRBUF = 65_535;

/** A command that is one call, whose result is printed. */
const one =
  (fn: (sys: ThreadSys, w: Words) => Task<number | void>): Command =>
  (sc, w) =>
    sc.call(fn(sc.sys, w));

/** How what was read is shown. */
type Show = (bytes: Uint8Array) => string;

/** A read of any kind. A count below 0 is a bad address. */
function* read(sc: Sc, w: Words, show: Show, fn: (buf: Uint8Array) => Task<number>): Task<number> {
  const count = w.n(2);
  if (count < 0) return yield* badaddress(sc);
  const buf = new Uint8Array(count);
  const r = yield* attempt(fn(buf));
  if (r === undefined || (show === names && r.value === 0)) return yield* sc.result(r?.value ?? -1);
  yield* sc.print(`  = ${r.value}${show(buf.subarray(0, r.value))}`);
  return r.value;
}

const text: Show = (bytes) => ` ${pesc(bytes)}\n`;

/** The kernel posts this note before it fails the call. */
function* badaddress(sc: Sc): Task<number> {
  const fd = yield* attempt(sc.sys.open(`#p/${yield* getpid(sc.sys)}/note`, OWRITE));
  if (fd !== undefined) {
    yield* attempt(sc.sys.write(fd.value, utfencode("sys: bad address in syscall")));
    yield* attempt(sc.sys.close(fd.value));
  }
  yield* sc.sys.errstr("bad arg in system call");
  return yield* sc.result(-1);
}

/** The entry that a wstat sends: `name=x mode=0644 length=3` and so on; all else is left alone. */
function wstatentry(sc: Sc, w: Words): Uint8Array {
  const d: { -readonly [K in keyof Dir]: Dir[K] } = nulldir();
  for (const word of w.list.slice(2)) {
    const at = word.indexOf("=");
    if (at < 0) continue;
    const [key, value] = [word.slice(0, at), word.slice(at + 1)];
    const strings: Record<string, true> = { name: true, uid: true, gid: true, muid: true };
    if (Object.hasOwn(strings, key)) Object.assign(d, { [key]: value });
    else setnumber(d, key, sc.num(value));
  }
  const buf = new Uint8Array(sizeD2M(d));
  convD2M(d, buf, 0);
  return buf;
}

function setnumber(d: { -readonly [K in keyof Dir]: Dir[K] }, key: string, v: bigint): void {
  const u32 = Number(BigInt.asUintN(32, v));
  if (key === "mode") d.mode = u32;
  if (key === "length") d.length = Number(v);
  if (key === "mtime") d.mtime = u32;
  if (key === "atime") d.atime = u32;
  if (key === "qpath") d.qid = { ...d.qid, path: BigInt.asUintN(64, v) };
  if (key === "qvers") d.qid = { ...d.qid, vers: u32 };
  if (key === "qtype") d.qid = { ...d.qid, type: u32 & 0xff };
  if (key === "type") d.type = u32 & 0xffff;
  if (key === "dev") d.dev = u32;
}

function* stat(sc: Sc, w: Words): Task<number> {
  const short = w.length > 2;
  const buf = new Uint8Array(Math.max(0, short ? w.n(2) : STATBUF));
  const r = yield* attempt(sc.sys.statraw(w.s(1), buf));
  if (r === undefined) return yield* sc.result(-1);
  const n = r.value;
  yield* sc.print(
    short
      ? `  = short ${n} (size[2]=${get16(buf, 0)})\n`
      : `  = ok ${dumpstat(buf.subarray(0, n))}`,
  );
  return n;
}

function* fstat(sc: Sc, w: Words): Task<number> {
  const buf = new Uint8Array(STATBUF);
  const r = yield* attempt(sc.sys.fstatraw(w.n(1), buf));
  if (r === undefined) return yield* sc.result(-1);
  yield* sc.print(`  = ok ${dumpstat(buf.subarray(0, r.value))}`);
  return r.value;
}

function* pipe(sc: Sc, w: Words): Task<number> {
  const r = yield* attempt(sc.sys.pipe());
  if (r === undefined) return yield* sc.result(-1);
  yield* sc.print(`  = 0 [${r.value[0]} ${r.value[1]}]\n`);
  for (const i of [0, 1] as const) if (w.length > i + 1) sc.set(w.s(i + 1), r.value[i]);
  return 0;
}

/** A call that gives a string; `n` is what the real one returns. */
function* string(sc: Sc, task: Task<string>, n: (s: string) => number): Task<number> {
  const r = yield* attempt(task);
  if (r === undefined) return yield* sc.result(-1);
  yield* sc.print(`  = ${n(r.value)} ${pesc(utfencode(r.value))}\n`);
  return n(r.value);
}

/** Copies what is left of a file to descriptor 1. */
function* copy(sc: Sc, fd: number): Task<void> {
  const buf = new Uint8Array(CHUNK);
  for (;;) {
    const r = yield* attempt(sc.sys.read(fd, buf));
    if (r === undefined) yield* sc.result(-1);
    if (r === undefined || r.value === 0) return;
    yield* attempt(sc.sys.write(1, buf.subarray(0, r.value)));
  }
}

function* cat(sc: Sc, w: Words): Task<number> {
  const fd = yield* attempt(sc.sys.open(w.s(1), OREAD));
  if (fd === undefined) return yield* sc.result(-1);
  yield* copy(sc, fd.value);
  yield* attempt(sc.sys.close(fd.value));
  return 0;
}

/** All entries of an open directory, or null if what is read is none or cannot be read. */
function* readdir(sc: Sc, fd: number): Task<Dir[] | null> {
  const list: Dir[] = [];
  const buf = new Uint8Array(DIRBUF);
  for (;;) {
    const r = yield* attempt(sc.sys.read(fd, buf));
    if (r === undefined) return list.length > 0 ? list : null;
    if (r.value === 0) return list;
    const some = entries(buf.subarray(0, r.value));
    if (some === null) return null;
    list.push(...some);
  }
}

const ls =
  (show: (list: readonly Dir[]) => string): Command =>
  (sc, w) => {
    function* list(): Task<number> {
      const fd = yield* attempt(sc.sys.open(w.s(1), OREAD));
      if (fd === undefined) return yield* sc.result(-1);
      const all = yield* readdir(sc, fd.value);
      if (all === null) {
        yield* attempt(sc.sys.close(fd.value));
        return yield* sc.result(-1);
      }
      yield* sc.print(`  = ${all.length} [${show(all)}]\n`);
      yield* attempt(sc.sys.close(fd.value));
      return all.length;
    }
    return list();
  };

const shortlist = (list: readonly Dir[]): string =>
  list.map((d) => percentq(d.name) + ((d.mode & DMDIR) === 0 ? "" : "/")).join(" ");

/** create, and what is to be done with the new file. */
function* make(
  sc: Sc,
  how: { readonly name: string; readonly mode: number; readonly perm: number },
  text_?: Uint8Array,
): Task<number> {
  const fd = yield* attempt(sc.sys.create(how.name, how.mode, how.perm));
  if (fd === undefined) return yield* sc.result(-1);
  if (text_ !== undefined) yield* attempt(sc.sys.write(fd.value, text_));
  yield* attempt(sc.sys.close(fd.value));
  yield* sc.print("  = ok\n");
  return 0;
}

const DIR = (DMDIR | 0o777) >>> 0;

function* append(sc: Sc, w: Words): Task<number> {
  const fd = yield* attempt(sc.sys.open(w.s(1), OWRITE));
  if (fd === undefined) return yield* sc.result(-1);
  yield* attempt(sc.sys.seek(fd.value, 0, 2));
  const r = yield* attempt(sc.sys.write(fd.value, w.bytes(2)));
  yield* attempt(sc.sys.close(fd.value));
  return yield* sc.result(r?.value ?? -1);
}

/** `manyels cmd prefix n elem`: a name of many elements. */
function* manyels(sc: Sc, w: Words): Task<number> {
  const n = Math.max(0, w.n(3));
  const elems = Array.from({ length: n }, () => w.s(4)).join("/");
  const name = n > 0 && w.s(2) !== "" ? `${w.s(2)}/${elems}` : w.s(2) + elems;
  yield* sc.print(`  (len ${utflen(name)})`);
  const { sys } = sc;
  if (w.s(1) === "open") return yield* sc.call(sys.open(name, OREAD));
  if (w.s(1) === "chdir") return yield* sc.call(sys.chdir(name));
  if (w.s(1) === "create") return yield* sc.call(sys.create(name, OREAD, DIR));
  yield* sc.print("  ?? unknown manyels\n");
  return -1;
}

/** `deep n elem`: n directories one in the other, and into the last. */
function* deep(sc: Sc, w: Words): Task<number> {
  const n = w.n(1);
  function* down(): Task<void> {
    yield* sc.sys.close(yield* sc.sys.create(w.s(2), OREAD, DIR));
    yield* sc.sys.chdir(w.s(2));
  }
  for (let i = 0; i < n; i++) {
    if ((yield* attempt(down())) !== undefined) continue;
    yield* sc.print(`  at ${i}`);
    return yield* sc.result(-1);
  }
  yield* sc.print(`  = ok ${n}\n`);
  return 0;
}

/** wstat gives the size of the entry that it was given. */
function* wstat(sc: Sc, w: Words): Task<number> {
  const entry = wstatentry(sc, w);
  return yield* sc.call(sc.sys.wstatraw(w.s(1), entry));
}

function* fwstat(sc: Sc, w: Words): Task<number> {
  const entry = wstatentry(sc, w);
  return yield* sc.call(sc.sys.fwstatraw(w.n(1), entry));
}

const xs = new TextEncoder().encode("x".repeat(BUFSIZE));

/** The commands by name. */
export const calls: Readonly<Record<string, Command>> = {
  open: one((sys, w) => sys.open(w.s(1), w.n(2))),
  create: one((sys, w) => sys.create(w.s(1), w.n(2), w.n(3) >>> 0)),
  close: one((sys, w) => sys.close(w.n(1))),
  remove: one((sys, w) => sys.remove(w.s(1))),
  chdir: one((sys, w) => sys.chdir(w.s(1))),
  dup: one((sys, w) => sys.dup(w.n(1), w.n(2))),
  seek: one((sys, w) => sys.seek(w.n(1), w.v(2), w.n(3))),
  write: one((sys, w) => sys.write(w.n(1), w.bytes(2))),
  writefd: one((sys, w) => sys.write(w.n(1), utfencode(String(w.n(2))))),
  pwrite: one((sys, w) => sys.pwrite(w.n(1), w.bytes(2), w.v(3))),
  writen: one((sys, w) => sys.write(w.n(1), xs.subarray(0, Math.max(0, w.n(2))))),
  read: (sc, w) => read(sc, w, text, (buf) => sc.sys.read(w.n(1), buf)),
  pread: (sc, w) => read(sc, w, text, (buf) => sc.sys.pread(w.n(1), buf, w.v(3))),
  dread: (sc, w) => read(sc, w, names, (buf) => sc.sys.read(w.n(1), buf)),
  dpread: (sc, w) => read(sc, w, names, (buf) => sc.sys.pread(w.n(1), buf, w.v(3))),
  bind: one((sys, w) => sys.bind(w.s(1), w.s(2), w.n(3))),
  mount: one((sys, w) => sys.mount(w.n(1), w.n(2), w.s(3), w.n(4), w.s(5))),
  unmount: one((sys, w) => sys.unmount(w.s(1) === "-" ? null : w.s(1), w.s(2))),
  fversion: (sc, w) => string(sc, sc.sys.fversion(w.n(1), w.n(2), w.s(3), w.n(4, STATBUF)), utflen),
  fauth: one((sys, w) => sys.fauth(w.n(1), w.s(2))),
  fd2path: (sc, w) => string(sc, sc.sys.fd2path(w.n(1), w.n(2, STATBUF)), () => 0),
  wstatraw: one((sys, w) => sys.wstatraw(w.s(1), new Uint8Array(Math.max(0, w.n(2))))),
  mkfile: (sc, w) => make(sc, { name: w.s(1), mode: OWRITE, perm: 0o666 }, w.bytes(2)),
  mkdir: (sc, w) => make(sc, { name: w.s(1), mode: OREAD, perm: DIR }),
  ls: ls(shortlist),
  lsl: ls((list) => list.map(pdir).join("")),
  stat,
  fstat,
  wstat,
  fwstat,
  pipe,
  cat,
  append,
  manyels,
  deep,
};
