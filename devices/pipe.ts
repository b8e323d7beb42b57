// The pipe device, '#|': each attach is a new pipe, a directory with its two ends data and data1. pipe(3)
//
// What is written on one end is read on the other, through a Queue for each direction. An end is closed
// when the last Chan that has it open is closed: the other end then reads what is left and end of file, and its
// writers get a note. When both ends are closed, the queues open again, so that the files can be opened anew.

import { CMSG, COPEN, Chan, Path } from "../kernel/chan.ts";
import { OREAD, QTDIR } from "../kernel/abi/const.ts";
import {
  DEVDOTDOT,
  Dev,
  devdir,
  devdirent,
  devdirread,
  devfile,
  devstat,
  devwalk,
  opened,
} from "../kernel/dev.ts";
import type { Dirent, Gen, Walkqid } from "../kernel/dev.ts";
import type { Dir, Qid, Wstat } from "../kernel/abi/dir.ts";
import { Ebadarg, Echown, Eisdir, Eperm, PlanError, error } from "../kernel/abi/errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import type { EventBody, Trace, Wire } from "../kernel/trace.ts";
import { MAXATOMIC, Queue } from "./queue.ts";

/** Bytes that may wait in each direction: as many as in a Plan 9 kernel with several processors. */
const PIPELIMIT = 256 * 1024;

const NOTE = "sys: write on closed pipe";

/**
 * An end of the pipe: 0 is data, 1 is data1. What one end writes goes into the queue that the other reads.
 */
type End = 0 | 1;
const ENDS: readonly End[] = [0, 1];
const NAMES = ["data", "data1"] as const;

/** A pipe: its two queues (end e reads q[e]), and how many Chans have each end open (qref[e]). */
class Pipe {
  readonly id: bigint;
  readonly q: readonly [Queue, Queue];
  readonly qref: [number, number] = [0, 0];
  /** The permissions that stat shows of the ends; an open does not check them. */
  perm = 0o600;

  constructor(id: bigint, limit: number, trace: Trace) {
    this.id = id;
    const pipe = Number(id);
    this.q = [new Queue(limit, { trace, pipe, end: 0 }), new Queue(limit, { trace, pipe, end: 1 })];
  }

  /** The qid of the directory, or of an end: the id and, in the low five bits, which. */
  qid(end: End | -1): Qid {
    const path = (this.id << 5n) | BigInt(end + 1);
    return end === -1 ? devdir(path) : devfile(path);
  }

  /** Closes both queues for this end. What waits for it is dropped, and the other end may read what waits there. */
  hangup(end: End): void {
    this.q[(1 - end) as End].hangup();
    this.q[end].close();
  }

  /** The last Chan that had this end open is closed. */
  endclosed(end: End): void {
    this.hangup(end);
    if (this.qref[(1 - end) as End] > 0) return;
    for (const q of this.q) q.reopen();
  }
}

/** A Chan to a pipe's directory or to one of its ends. */
class PipeChan extends Chan {
  readonly pipe: Pipe;
  /** Which end it is, -1 for the directory. */
  end: End | -1 = -1;

  constructor(dev: Dev, qid: Qid, pipe: Pipe) {
    super(dev, qid);
    this.pipe = pipe;
  }
}

const clone = (c: PipeChan): PipeChan => {
  const nc = new PipeChan(c.dev, c.qid, c.pipe);
  nc.path = c.path;
  return nc;
};

/** The end that a qid is, -1 for the directory. */
function endof(qid: Qid): End | -1 {
  const n = qid.path & 31n;
  return n === 1n ? 0 : n === 2n ? 1 : -1;
}

const gen: Gen<PipeChan> = (_up, c, s) => {
  const { pipe } = c;
  if (s === DEVDOTDOT) return { qid: pipe.qid(-1), name: "#|", length: 0, perm: 0o555 };
  const end = ENDS[s];
  if (end === undefined) return null;
  return {
    qid: pipe.qid(end),
    name: NAMES[end],
    length: pipe.q[end].len,
    perm: pipe.perm,
  } satisfies Dirent;
};

/** Posts NOTE to the writer; the note is lost if as many wait for the process as may. */
function note(up: Proc): void {
  try {
    up.image?.notes.post(NOTE);
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
  }
}

class Devpipe extends Dev<PipeChan> {
  readonly dc = "|";
  readonly name = "pipe";
  readonly #limit: number;
  readonly #trace: Trace;
  #id = 0n;

  constructor(k: Kernel, limit: number) {
    super(k);
    this.#limit = limit;
    this.#trace = k.trace;
  }

  attach(_up: Proc, spec: string): PipeChan {
    const pipe = new Pipe(++this.#id, this.#limit, this.#trace);
    const c = new PipeChan(this, pipe.qid(-1), pipe);
    c.path = new Path(`#|${spec}`, []);
    return c;
  }

  walk(up: Proc, c: PipeChan, names: readonly string[]): Walkqid<PipeChan> {
    const wq = devwalk(up, clone(c), names, gen);
    if (wq.clone !== null) wq.clone.end = endof(wq.clone.qid);
    return wq;
  }

  stat(up: Proc, c: PipeChan): Dir {
    if (c.end !== -1) return devstat(up, c, gen);
    return devdirent(up, c, { qid: c.qid, name: ".", length: 0, perm: 0o555 });
  }

  open(_up: Proc, c: PipeChan, omode: number): PipeChan {
    const { end, pipe } = c;
    if (end === -1) {
      if (omode !== OREAD) error(Ebadarg);
      return opened(c, omode);
    }
    opened(c, omode);
    pipe.qref[end]++;
    c.iounit = MAXATOMIC;
    return c;
  }

  override close(c: PipeChan): void {
    const { end } = c;
    if ((c.flag & COPEN) !== 0 && end !== -1 && --c.pipe.qref[end] === 0) c.pipe.endclosed(end);
  }

  read(up: Proc, c: PipeChan, buf: Uint8Array): Answer<number> {
    const { end } = c;
    return end === -1 ? devdirread(up, c, buf, gen) : readend(c.pipe.q[end], buf);
  }

  override *bread(up: Proc, c: PipeChan, n: number): Task<Uint8Array> {
    const { end } = c;
    if (end !== -1) return yield* c.pipe.q[end].bread(n);
    return yield* super.bread(up, c, n);
  }

  /** As in Plan 9, any failure of a write posts NOTE, even an interrupt; not on a Chan that carries 9P (CMSG). */
  override *write(up: Proc, c: PipeChan, bytes: Uint8Array): Task<number> {
    const { end } = c;
    if (end === -1) return error(Eperm);
    try {
      yield* c.pipe.q[(1 - end) as End].write(bytes);
      return bytes.length;
    } catch (e) {
      if (e instanceof PlanError && (c.flag & CMSG) === 0) note(up);
      throw e;
    }
  }

  /** For the trace: the bytes that this end has written, and the bytes that were read here. */
  override wire({ end, pipe }: PipeChan): Wire | null {
    if (end === -1) return null;
    const [to, from] = [pipe.q[(1 - end) as End], pipe.q[end]];
    return {
      wire: null,
      pipe: { pipe: Number(pipe.id), end },
      out: to.got,
      in: from.got - from.len,
    };
  }

  /** For the trace: the data that waits to be read at this end. */
  override contents({ end, pipe }: PipeChan): readonly EventBody[] {
    return end === -1 ? [] : pipe.q[end].contents();
  }

  override hangup(c: PipeChan): void {
    if (c.end !== -1) c.pipe.hangup(c.end);
  }

  override wstat(up: Proc, c: PipeChan, d: Wstat): void {
    if (up.user !== up.k.user) error(Eperm);
    if ((c.qid.type & QTDIR) !== 0) error(Eisdir);
    if (d.uid !== undefined && d.uid !== "") error(Echown);
    if (d.mode !== undefined) c.pipe.perm = d.mode;
  }
}

function* readend(q: Queue, buf: Uint8Array): Task<number> {
  const block = yield* q.bread(buf.length);
  buf.set(block);
  return block.length;
}

/** Makes the pipe device. */
export function newPipe(k: Kernel, limit: number = PIPELIMIT): Dev {
  return new Devpipe(k, limit);
}
