// Streams: the bytes of an open file taken or given in order, ahead of who waits for them. A device that
// can send them ahead (the mount driver) makes a Readstream or Writestream; for any other a stream is
// its plain read and write. The outcomes of using one descriptor in several ways are defined here:
//
//  - read takes from the read stream like sread; stream, a seek away, and where offsets mean something
//    pread and any write, end it (elsewhere what was read ahead is not lost); a read of it that sleeps
//    then is answered from the file;
//  - sread begins a read stream, but on a file without offsets that is open for writing too (a network
//    connection, perhaps) only if stream has been called;
//  - write gives to the write stream like swrite; a read, a seek away, and stream, wait for what was
//    written and fail with its error;
//  - after stream, a pwrite where the write stream is goes with it and waits for its own answer only, so that
//    several may be under way and still stop at the first that fails; the descriptor's offset stays;
//  - descriptors that share a Chan (dup, fork) share its streams; close ends them with the last one, and
//    tells what of the writes failed, unless a call has told that already;
//  - a file that grows or shrinks while it is read ends where the server finds its end;
//  - a call that is interrupted fails, "interrupted", and its stream goes on with the next call;
//  - when the connection is lost what had come is read first, then "i/o on hungup channel".

import type { Chan } from "./chan.ts";
import { Eintr, PlanError } from "./abi/errors.ts";
import type { Proc } from "./proc/proc.ts";
import { waitfor } from "./proc/rendez.ts";
import type { Task } from "./proc/rendez.ts";

/** Bytes on their way from a file. */
export interface Readstream {
  /** Where in the file the next byte taken is. */
  readonly offset: number;
  /** Fills buf as far as bytes have come, sleeping for the first; 0 at the end. */
  read(up: Proc, buf: Uint8Array): Task<number>;
  /** The reader does not want the rest. */
  end(): void;
}

/** Bytes on their way to a file. */
export interface Writestream {
  /** Where in the file the next byte given goes. */
  readonly offset: number;
  /** A write has failed, so every later one does. */
  readonly failed: boolean;
  /** Sends bytes, sleeping only for room. Fails with what became of earlier ones. */
  write(up: Proc, bytes: Uint8Array): Task<number>;
  /**
   * How many of the n bytes before offset `end`, which were sent, were written, when that is known: as a plain
   * write fails, or -1 when they never were, because another call was interrupted. A note takes back what
   * is not answered.
   */
  answered(end: number, n: number): Task<number>;
  /** Sleeps until all is answered; fails with the first that failed. The stream is over. */
  finish(): Task<void>;
}

/** The streams of a Chan. */
export type Streams = {
  r: Readstream | null;
  w: Writestream | null;
  /** stream(fd) asked for one. */
  asked?: boolean;
  /** Where the next pwrite goes with the write stream, when one has. */
  next?: number | undefined;
  /** How the failure of an open not yet answered (OSTREAM, to write) is told: namec knows its name. */
  name?: (e: PlanError) => PlanError;
};

export function streamsof(c: Chan): Streams {
  return (c.streams ??= { r: null, w: null });
}

/** Ends the read stream, when there is one. */
export function endread(c: Chan): void {
  const r = c.streams?.r ?? null;
  if (r === null || c.streams === null) return;
  c.streams.r = null;
  r.end();
}

/** Ends the write stream, when there is one, and waits for it; its failure is thrown. */
export function* endwrite(c: Chan): Task<void> {
  const w = c.streams?.w ?? null;
  if (w === null || c.streams === null) return;
  c.streams.w = null;
  c.streams.next = undefined;
  yield* w.finish();
}

/** Starts reading ahead at the Chan's offset where its device can. */
export function* startread(up: Proc, c: Chan): Task<void> {
  const r = yield* waitfor(c.dev.rstream(up, c));
  if (r !== null) streamsof(c).r = r;
}

/** The next bytes at the Chan's offset, from the stream or from the device. */
export function* takeread(up: Proc, c: Chan, buf: Uint8Array): Task<number> {
  const r = c.streams?.r ?? null;
  const n =
    r === null ? yield* waitfor(c.dev.read(up, c, buf, c.offset)) : yield* ahead(up, c, r, buf);
  c.offset += n;
  return n;
}

function* ahead(up: Proc, c: Chan, r: Readstream, buf: Uint8Array): Task<number> {
  const { offset } = c;
  try {
    return yield* r.read(up, buf);
  } catch (e) {
    // Another call may have ended the stream while this one slept.
    const ended = c.streams !== null && c.streams.r !== r;
    if (!ended || !(e instanceof PlanError) || e.message !== Eintr) throw e;
    return yield* waitfor(c.dev.read(up, c, buf, offset));
  }
}

/** Writes at the Chan's offset, through a stream where its device can. */
export function* givewrite(up: Proc, c: Chan, bytes: Uint8Array): Task<number> {
  const s = streamsof(c);
  if (s.next !== undefined) yield* endwrite(c);
  s.w ??= c.dev.wstream(up, c);
  const n = s.w === null ? yield* plainwrite(up, c, bytes) : yield* s.w.write(up, bytes);
  c.offset += n;
  return n;
}

/**
 * A pwrite at offset, sent with the write stream that was asked for there; -1: it was not sent, as there is
 * no such stream, or is to be sent again by itself.
 */
export function* writewith(up: Proc, c: Chan, bytes: Uint8Array, offset: number): Task<number> {
  const s = c.streams;
  if (s?.asked !== true || offset !== (s.next ?? c.offset)) return -1;
  const w = (s.w ??= c.dev.wstream(up, c));
  if (w === null) return -1;
  const end = offset + bytes.length;
  // The next may come before this one is sent.
  s.next = end;
  const q = c.lock("offset");
  if (!q.canlock()) yield* q.lock();
  try {
    if (s.w !== w || w.offset !== offset) return -1;
    yield* w.write(up, bytes);
  } catch (e) {
    if (!w.failed) throw e;
  } finally {
    q.unlock();
  }
  return yield* w.answered(end, bytes.length);
}

/** A write that is answered at once, with the offset if it fails. */
function* plainwrite(up: Proc, c: Chan, bytes: Uint8Array): Task<number> {
  try {
    return yield* waitfor(c.dev.write(up, c, bytes, c.offset));
  } catch (e) {
    if (e instanceof PlanError) {
      e.offset ??= c.offset;
      e.step ??= "write";
    }
    throw e;
  }
}
