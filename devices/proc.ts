// The process device, '#p': a directory for each process. proc(3)
//
// A Chan remembers the pid and looks the process up each time: pids are never used again, so a file of a
// process that is gone answers "process exited". What the files hold is in procfile.ts.

import { Chan, Path } from "../kernel/chan.ts";
import { OCEXEC, ORCLOSE, OWRITE, QTDIR, ERRMAX } from "../kernel/abi/const.ts";
import {
  DEVDOTDOT,
  Dev,
  devdir,
  devdirent,
  devdirread,
  devpermcheck,
  devwalk,
  dirname,
  opened,
} from "../kernel/dev.ts";
import type { Dirent, Gen, Walkqid } from "../kernel/dev.ts";
import { andthen } from "../kernel/abi/answer.ts";
import type { Dir, Qid } from "../kernel/abi/dir.ts";
import {
  Ebadusefd,
  Enotposted,
  Egreg,
  Eperm,
  Eprocdied,
  Eshort,
  Etoobig,
  error,
} from "../kernel/abi/errors.ts";
import { programfile } from "../kernel/proc/exec.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { postnotepg } from "../kernel/proc/note.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import { utfcut, utfdecode, utfencode } from "../kernel/abi/utf.ts";
import { PROCFILES, checkopen, procctl, setnoteid, waittext } from "./procfile.ts";
import type { Procfile } from "./procfile.ts";
import { readbytes, readstr, written } from "./text.ts";

/** Low bits of a qid's path: 0 for the directory, else one more than the file's index. */
const FILEBITS = 6n;
/** The longest message to a ctl file. */
const MAXCTL = 8192;

const ROOTQID: Qid = devdir(0n);
const ROOT: Dirent = { qid: ROOTQID, name: "#p", length: 0, perm: 0o555 };

class ProcChan extends Chan {
  /** The process, 0 for the directory of all. */
  pid = 0;
  file: Procfile | null = null;
  /** Whom notepg means, as it was at the open. */
  noteid = 0;
  /** What a read from the start found: the reads after it see the same text. */
  text: Uint8Array | null = null;
  /** What a directory read goes through. */
  list: readonly number[] = [];
}

/** Sets what the qid says. */
function settle(c: ProcChan): ProcChan {
  c.pid = Number(c.qid.path >> FILEBITS);
  c.file = PROCFILES[Number(c.qid.path & 63n) - 1] ?? null;
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
    : { qid: pidqid(p.pid, i + 1), name: f.name, length: 0, perm: f.perm, uid: p.user };
}

const gen: Gen<ProcChan> = (up, c, s, name) => {
  if (s === DEVDOTDOT) return ROOT;
  const pid = Number(c.qid.path >> FILEBITS);
  if (pid !== 0) {
    const p = lookup(up.k, pid);
    return p === null ? null : filedirent(p, s);
  }
  if (name !== null) {
    const p = s === 0 && /^[1-9][0-9]*$/.test(name) ? lookup(up.k, Number(name)) : null;
    return p === null ? null : piddirent(p);
  }
  const listed = c.list[s];
  if (listed === undefined) return null;
  const p = lookup(up.k, listed);
  return p === null ? "skip" : piddirent(p);
};

/** The note that waits longest behind the one being handled, which is taken away. */
function readnote(p: Proc, buf: Uint8Array): number {
  const [note] = p.notes.splice(1, 1);
  return note === undefined ? 0 : readstr(utfcut(note.text, buf.length), buf, 0);
}

function postnote(p: Proc, text: string): void {
  if (p.image === null) return error(Enotposted);
  p.image.notes.post(text, false);
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
      return postnote(p, utfdecode(bytes, 0, bytes.length));
    case "notepg":
      if (bytes.length > ERRMAX - 2) error(Etoobig);
      return postnotepg(up, c.noteid, utfdecode(bytes, 0, bytes.length));
    case "noteid":
      return setnoteid(p, written(bytes));
    default:
      error(Ebadusefd);
  }
}

class Devproc extends Dev<ProcChan> {
  readonly dc = "p";
  readonly name = "proc";

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
    if (c.pid === 0) return devdirent(up, c, { ...ROOT, name: dirname(c) });
    const p = procof(up, c);
    const d = c.file === null ? piddirent(p) : filedirent(p, PROCFILES.indexOf(c.file));
    return d === null ? error(Eprocdied) : devdirent(up, c, d);
  }

  open(up: Proc, c: ProcChan, omode: number): ProcChan {
    if (c.file !== null) {
      const p = procof(up, c);
      const mode = omode & ~(OCEXEC | ORCLOSE);
      checkopen(p, c.file.name, mode);
      if (c.file.name === "notepg" && mode !== OWRITE) error(Eperm);
      devpermcheck(up.user, p.user, c.file.perm, omode);
      c.noteid = p.noteid;
    }
    return opened(c, omode);
  }

  read(up: Proc, c: ProcChan, buf: Uint8Array, offset: number): Answer<number> {
    if (c.file === null) {
      if (c.dri === 0) c.list = [...up.k.procs.keys()];
      return devdirread(up, c, buf, gen);
    }
    return readfile(c, c.file, procof(up, c), { buf, offset });
  }

  override write(up: Proc, c: ProcChan, bytes: Uint8Array): Answer<number> {
    return andthen(write(up, c, bytes), () => bytes.length);
  }
}

/** Where a read puts what it finds, and from where on. */
type Into = { readonly buf: Uint8Array; readonly offset: number };

function readfile(c: ProcChan, file: Procfile, p: Proc, { buf, offset }: Into): Answer<number> {
  switch (file.name) {
    case "note":
      return readnote(p, buf);
    case "wait":
      return readwait(p, buf);
    case "text":
      return readbytes(programfile(p.text), buf, offset);
    default:
      if (file.text === undefined) return error(Egreg);
      if (c.text === null || offset === 0) c.text = utfencode(file.text(p));
      return readbytes(c.text, buf, offset);
  }
}

function* readwait(p: Proc, buf: Uint8Array): Task<number> {
  return readbytes(waittext(yield* p.await()), buf, 0);
}

/** Makes the process device. */
export function newProc(k: Kernel): Dev {
  return new Devproc(k);
}
