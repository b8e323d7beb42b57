// Reading and writing files at a server. What does not fit one message goes in pieces: one after another
// over 9P2000, as a window on one tag over 9P2000.ix, where one call is one round trip whatever its size.

import { QTDIR, STATFIXLEN } from "../../kernel/abi/const.ts";
import { Eintr, Emountrpc, error } from "../../kernel/abi/errors.ts";
import { Rread, Rwrite, Tread, Twrite } from "../../kernel/abi/fcall.ts";
import type { Rmsg } from "../../kernel/abi/fcall.ts";
import { put16, put32, get16 } from "../../kernel/abi/bits.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { plain } from "./chan.ts";
import type { MntChan } from "./chan.ts";
import type { Group } from "./group.ts";

/** Bytes of a Tread; a Twrite has these and its data. */
const IOFRAME = 23;
const DEVM = 0x4d;

/**
 * Whether pieces may be asked for beyond the first before it is answered: of a plain file only, since
 * elsewhere a short answer would not be the last.
 */
function windowed(c: MntChan): boolean {
  return c.mnt.ix && plain(c);
}

/** Dev.read of device M. */
export function* mntread(_up: Proc, c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  if ((c.qid.type & QTDIR) !== 0) return yield* readdir(c, buf, offset);
  if (c.cache !== null && c.cache.holds(c)) return yield* c.cache.read(c, buf, { offset, fetch });
  return yield* fetch(c, buf, offset);
}

/** Reads from the server. */
function* fetch(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  if (buf.length > c.iounit && windowed(c)) return yield* readwindow(c, buf, offset);
  let n = 0;
  do {
    const got = yield* readone(c, buf.subarray(n, n + c.iounit), offset + n);
    n += got;
    if (got < c.iounit) break;
  } while (n < buf.length);
  return n;
}

function* readone(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  const r = yield* c.mnt.rpc((tag) => ({
    type: Tread,
    tag,
    fid: c.fid,
    offset,
    count: buf.length,
  }));
  if (r.type !== Rread) return error(Emountrpc);
  buf.set(r.data);
  return r.data.length;
}

/** One chunk of entries, which a server never splits; they become entries of device M. */
function* readdir(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  const n = yield* readone(c, buf.subarray(0, c.iounit), offset);
  let off = 0;
  while (off + STATFIXLEN <= n) {
    const end = off + 2 + get16(buf, off);
    if (end > n) break;
    put16(buf, off + 2, DEVM);
    put32(buf, off + 4, c.devno);
    off = end;
  }
  return off;
}

/** Every piece asked for at once, as far as the connection lets us; a short answer is the end. */
function* readwindow(c: MntChan, buf: Uint8Array, offset: number): Task<number> {
  let n = 0;
  const next = (tag: number, at: number) =>
    ({
      type: Tread,
      tag,
      fid: c.fid,
      offset: offset + at,
      count: Math.min(c.iounit, buf.length - at),
    }) as const;
  const take = (r: Rmsg, at: number): boolean => {
    if (r.type !== Rread) return error(Emountrpc);
    buf.set(r.data, at);
    n += r.data.length;
    return r.data.length === Math.min(c.iounit, buf.length - at);
  };
  yield* window(c, { total: buf.length, frame: IOFRAME, next, take });
  return n;
}

/** Dev.write of device M. */
export function* mntwrite(_up: Proc, c: MntChan, bytes: Uint8Array, offset: number): Task<number> {
  c.cache?.wrote(c.qid);
  try {
    return yield* towrite(c, bytes, offset);
  } finally {
    // What was read while it was on its way may be from before.
    c.cache?.wrote(c.qid);
  }
}

function* towrite(c: MntChan, bytes: Uint8Array, offset: number): Task<number> {
  if (bytes.length > c.iounit && windowed(c)) return yield* writewindow(c, bytes, offset);
  let n = 0;
  do {
    const data = bytes.subarray(n, n + c.iounit);
    const r = yield* c.mnt.rpc((tag) => ({
      type: Twrite,
      tag,
      fid: c.fid,
      offset: offset + n,
      data,
    }));
    if (r.type !== Rwrite) return error(Emountrpc);
    n += r.count;
    if (r.count < data.length) break;
  } while (n < bytes.length);
  return n;
}

function* writewindow(c: MntChan, bytes: Uint8Array, offset: number): Task<number> {
  let n = 0;
  const next = (tag: number, at: number) =>
    ({
      type: Twrite,
      tag,
      fid: c.fid,
      offset: offset + at,
      data: bytes.subarray(at, at + c.iounit),
    }) as const;
  const take = (r: Rmsg, at: number): boolean => {
    if (r.type !== Rwrite) return error(Emountrpc);
    n += r.count;
    return r.count === Math.min(c.iounit, bytes.length - at);
  };
  yield* window(c, { total: bytes.length, frame: IOFRAME + c.iounit, next, take });
  return n;
}

/** A window of requests over `total` bytes in pieces of c.iounit. */
type Window = {
  readonly total: number;
  /** Bytes of one request on the wire. */
  readonly frame: number;
  /** The request for the piece at `at`. */
  next(tag: number, at: number): Parameters<Group["requests"]["push"]>[0];
  /** Takes the answer for the piece at `at`; false when it ends the transfer. */
  take(r: Rmsg, at: number): boolean;
};

function* window(c: MntChan, w: Window): Task<void> {
  const m = c.mnt;
  const g = yield* m.group(1);
  g.open = true;
  let done = false;
  try {
    let sent = 0;
    for (let i = 0; i * c.iounit < w.total; i++) {
      const batch = [];
      for (
        let room = m.room(w.frame);
        sent < w.total && (room > 0 || sent <= i * c.iounit);
        room--
      ) {
        batch.push(w.next(g.tag, sent));
        sent += c.iounit;
      }
      // After a note nothing more is said on this tag.
      if (batch.length > 0 && g.flushing) error(Eintr);
      if (batch.length > 0) m.send(g, batch);
      if (!w.take(yield* m.receive(g, i), i * c.iounit)) break;
    }
    done = g.replies.length === g.requests.length;
  } finally {
    m.release(g, done);
  }
}
