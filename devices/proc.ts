// The process device, '#p': a directory for each process. proc(3)
//
// A Chan remembers the pid and looks the process up each time: pids are never used again, so a file of a
// process that is gone answers "process exited". What the files are is in procfile.ts, what ctl obeys in
// procctl.ts.

import { COPEN, Chan, Path } from "../kernel/chan.ts";
import { ERRMAX, OCEXEC, ORCLOSE, OREAD, QTDIR } from "../kernel/abi/const.ts";
import {
  DEVDOTDOT,
  Dev,
  devdir,
  devdirent,
  devdirread,
  devpermcheck,
  devwalk,
  dirname,
  openmode,
  opened,
} from "../kernel/dev.ts";
import type { Dirent, Gen, Walkqid } from "../kernel/dev.ts";
import { andthen } from "../kernel/abi/answer.ts";
import type { Dir, Qid, Wstat } from "../kernel/abi/dir.ts";
import {
  Ebadarg,
  Ebadctl,
  Ebadusefd,
  Enotposted,
  Egreg,
  Eperm,
  Eprocdied,
  Eshort,
  Etoobig,
  Etoosmall,
  Etracing,
  error,
} from "../kernel/abi/errors.ts";
import { programfile } from "../kernel/proc/exec.ts";
import type { Nsline } from "../kernel/names/namespace.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { postnotepg } from "../kernel/proc/note.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import { utfcut, utfdecode, utfencode } from "../kernel/abi/utf.ts";
import { procctl } from "./procctl.ts";
import {
  PROCFILES,
  checkopen,
  fdtext,
  fileperm,
  nslines,
  setnoteid,
  waittext,
} from "./procfile.ts";
import type { Procfile } from "./procfile.ts";
import { readbytes, readstr, written } from "./text.ts";

/** Low bits of a qid's path: 0 for the directory, else one more than the file's index. */
const FILEBITS = 6n;
/** The longest message to a ctl file. */
const MAXCTL = 8192;

const ROOTQID: Qid = devdir(0n);
const ROOT: Dirent = { qid: ROOTQID, name: "#p", length: 0, perm: 0o555 };
/** The scheduler's events, of which this kernel has none: namec's own trace is not read through a file. */
const TRACE: Dirent = {
  qid: { path: 1n, vers: 2 ** 32 - 1, type: 0 },
  name: "trace",
  length: 0,
  perm: 0o444,
};
/** A read of fd gives less than this many bytes. */
const FDBUF = 256;

class ProcChan extends Chan {
  /** The process, 0 for the directory of all. */
  pid = 0;
  file: Procfile | null = null;
  /** Whom notepg means, as it was at the open. */
  noteid = 0;
  /** What a read from the start found: the reads after it see the same text. */
  text: Uint8Array | null = null;
  /** Of ns: the lines not read yet, and the mount id of the last that was. */
  lines: Nsline[] = [];
  nsid = -1;
  /** All of ns was read. */
  nsdone = false;
  /** What a directory read goes through. */
  list: readonly number[] = [];
}

/** Sets what the qid says. */
function settle(c: ProcChan): ProcChan {
  c.pid = Number(c.qid.path >> FILEBITS);
  c.file = c.pid === 0 ? null : (PROCFILES[Number(c.qid.path & 63n) - 1] ?? null);
  return c;
}

const clone = (c: ProcChan): ProcChan => {
  const nc = new ProcChan(c.dev, c.qid);
  nc.path = c.path;
  return settle(nc);
};

function lookup(k: Kernel, pid: number): Proc | null {
  const p = k.procs.get(pid);
  return p === undefined || p.dead ? null : p;
}

/** The process of a Chan, or "process exited". */
const procof = (up: Proc, c: ProcChan): Proc => lookup(up.k, c.pid) ?? error(Eprocdied);

const pidqid = (pid: number, file: number): Qid => ({
  path: (BigInt(pid) << FILEBITS) | BigInt(file),
  vers: pid,
  type: file === 0 ? QTDIR : 0,
});

const piddirent = (p: Proc): Dirent => ({
  qid: pidqid(p.pid, 0),
  name: p.pid.toString(),
  length: 0,
  perm: 0o555,
  uid: p.user,
});

function filedirent(p: Proc, i: number): Dirent | null {
  const f = PROCFILES[i];
  return f === undefined
    ? null
    : {
        qid: pidqid(p.pid, i + 1),
        name: f.name,
        length: f.length,
        perm: fileperm(p, f),
        uid: p.user,
      };
}

const gen: Gen<ProcChan> = (up, c, s, name) => {
  if (s === DEVDOTDOT) return ROOT;
  const pid = Number(c.qid.path >> FILEBITS);
  if (pid !== 0) {
    const p = lookup(up.k, pid);
    return p === null ? null : filedirent(p, s);
  }
  if (s === 0) return TRACE;
  if (name !== null) {
    const p = s === 1 && /^[1-9][0-9]*$/.test(name) ? lookup(up.k, Number(name)) : null;
    return p === null ? null : piddirent(p);
  }
  const listed = c.list[s - 1];
  if (listed === undefined) return null;
  const p = lookup(up.k, listed);
  return p === null ? "skip" : piddirent(p);
};

/** The note that waits longest for the process is taken away, and read with the zero behind it. */
function readnote(p: Proc, buf: Uint8Array): number {
  if (buf.length < 1) error(Etoosmall);
  const note = p.image?.notes.take() ?? null;
  if (note === null) return 0;
  const n = readstr(utfcut(note, buf.length - 1), buf, 0);
  buf[n] = 0;
  return n + 1;
}

function postnote(p: Proc, bytes: Uint8Array): void {
  if (bytes.length > ERRMAX - 2) error(Etoobig);
  if (p.image === null) return error(Enotposted);
  p.image.notes.post(utfdecode(bytes, 0, bytes.length));
}

function write(up: Proc, c: ProcChan, bytes: Uint8Array): Answer<void> {
  const p = procof(up, c);
  switch (c.file?.name) {
    case "args":
      if (bytes.length === 0) error(Eshort);
      if (bytes.length >= ERRMAX) error(Etoobig);
      p.setargs = utfdecode(bytes, 0, bytes.length);
      return;
    case "ctl":
      if (bytes.length > MAXCTL) error(Etoobig);
      return procctl(p, written(bytes));
    case "note":
      return postnote(p, bytes);
    case "notepg":
      if (bytes.length > ERRMAX - 2) error(Etoobig);
      return postnotepg(up, c.noteid, utfdecode(bytes, 0, bytes.length));
    case "noteid":
      return setnoteid(p, written(bytes));
    case "mem":
      // A process has no segments, so no address is in one.
      return error(p.ctl === "stopped" ? Ebadarg : Ebadctl);
    case "regs":
    case "fpregs":
      return;
    default:
      error(Ebadusefd);
  }
}

/** The owner of a process may change the mode of its files; the host's may give it to another user. */
function wstat(up: Proc, p: Proc, d: Wstat): void {
  if (up.user !== p.user && up.user !== up.k.user) error(Eperm);
  if (d.uid !== undefined && d.uid !== "" && d.uid !== p.user) {
    if (up.user !== up.k.user) error(Eperm);
    p.user = d.uid;
  }
  if (d.mode !== undefined) p.procmode = d.mode & 0o777;
}

class Devproc extends Dev<ProcChan> {
  readonly dc = "p";
  readonly name = "proc";
  /** The trace file is open. */
  #traced = false;

  attach(_up: Proc, spec: string): ProcChan {
    const c = new ProcChan(this, ROOTQID);
    c.path = new Path(`#p${spec}`, []);
    return c;
  }

  walk(up: Proc, c: ProcChan, names: readonly string[]): Walkqid<ProcChan> {
    const wq = devwalk(up, clone(c), names, gen);
    if (wq.clone !== null) settle(wq.clone);
    return wq;
  }

  stat(up: Proc, c: ProcChan): Dir {
    if (istrace(c)) return devdirent(up, c, TRACE);
    if (c.pid === 0) return devdirent(up, c, { ...ROOT, name: dirname(c) });
    const p = procof(up, c);
    const d = c.file === null ? piddirent(p) : filedirent(p, PROCFILES.indexOf(c.file));
    if (d === null) return error(Eprocdied);
    // Not a length, but above 0 there is something to read.
    return devdirent(up, c, c.file?.name === "wait" ? { ...d, length: p.waitq.length } : d);
  }

  open(up: Proc, c: ProcChan, omode: number): ProcChan {
    if (istrace(c)) return this.#opentrace(c, omode);
    if (c.file !== null) {
      const p = procof(up, c);
      const mode = openmode(omode & ~(OCEXEC | ORCLOSE));
      checkopen(p, c.file, mode);
      // The program that a process runs is read by everyone, as it is where it comes from.
      if (c.file.name !== "text") devpermcheck(up, p.user, fileperm(p, c.file), mode);
      c.noteid = p.noteid;
    }
    return opened(c, omode);
  }

  #opentrace(c: ProcChan, omode: number): ProcChan {
    if ((omode & ~OCEXEC) !== OREAD) error(Eperm);
    if (this.#traced) error(Etracing);
    this.#traced = true;
    return opened(c, omode);
  }

  override close(c: ProcChan): void {
    if ((c.flag & COPEN) !== 0 && istrace(c)) this.#traced = false;
  }

  read(up: Proc, c: ProcChan, buf: Uint8Array, offset: number): Answer<number> {
    if (istrace(c)) return 0;
    if (c.file === null) {
      if (c.dri === 0) c.list = [...up.k.procs.keys()];
      return devdirread(up, c, buf, gen);
    }
    return readfile(up, c, c.file, { buf, offset });
  }

  override wstat(up: Proc, c: ProcChan, d: Wstat): void {
    if (c.file === null) return error(Eperm);
    wstat(up, procof(up, c), d);
  }

  override write(up: Proc, c: ProcChan, bytes: Uint8Array): Answer<number> {
    return andthen(write(up, c, bytes), () => bytes.length);
  }
}

const istrace = (c: ProcChan): boolean => c.qid.path === TRACE.qid.path;

/** Where a read puts what it finds, and from where on. */
type Into = { readonly buf: Uint8Array; readonly offset: number };

function readfile(up: Proc, c: ProcChan, file: Procfile, { buf, offset }: Into): Answer<number> {
  const p = procof(up, c);
  switch (file.name) {
    case "note":
      return readnote(p, buf);
    case "wait":
      return readwait(up, p, buf);
    case "text":
      return readbytes(programfile(p.text), buf, offset);
    case "mem":
      // A process has no segments, so no address is in one.
      return error(Ebadarg);
    case "fd":
      return readstr(fdtext(p), buf.subarray(0, Math.min(buf.length, FDBUF) - 1), offset);
    case "ns":
      return readns(c, p, buf);
    default:
      if (file.text === undefined) return error(Egreg);
      if (c.text === null || offset === 0) c.text = utfencode(file.text(p));
      return readbytes(c.text, buf, offset);
  }
}

function* readwait(up: Proc, p: Proc, buf: Uint8Array): Task<number> {
  return readline(waittext(yield* p.awaited(up)), buf);
}

/** A line as snprint puts it into a buffer: with room left for a zero. */
function readline(text: string, buf: Uint8Array): number {
  return readstr(utfcut(text, Math.max(0, buf.length - 1)), buf, 0);
}

/** Each read gives one mount, in the order they were made, and the last the directory; offsets mean nothing. */
function readns(c: ProcChan, p: Proc, buf: Uint8Array): number {
  if (c.nsdone) return 0;
  if (c.lines.length === 0) c.lines = nslines(p, c.nsid).toReversed();
  const line = c.lines.pop();
  c.nsdone = line === undefined;
  c.nsid = line?.id ?? c.nsid;
  return readline(line === undefined ? `cd ${p.dot.path.toString()}\n` : `${line.text}\n`, buf);
}

/** Makes the process device. */
export function newProc(k: Kernel): Dev {
  return new Devproc(k);
}
