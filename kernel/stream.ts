// Streams: the bytes of an open file, read before a call asks for them, or written without a wait for each answer.
// A device that can do this (the mount driver) makes a Readstream or Writestream. For any other device a stream is
// its plain read and write. What happens when one descriptor is used in several ways:
//
//  - read takes from the read stream, like sread;
//  - a seek to another offset, and stream at another, end the read stream. On a plain file pread, any write, and
//    stream at the present offset end it, too. Elsewhere they do not: the bytes that were read ahead would be lost;
//  - a read that sleeps in a read stream when another call ends that stream is made again, at the file;
//  - sread begins a read stream. On a file without offsets that is open for writing too (a network connection,
//    perhaps) it does so only if stream has been called;
//  - write gives to the write stream, like swrite. A read, a seek to another offset, and stream, end the write
//    stream: they wait until all is written, and fail with its error;
//  - after stream, a pwrite at the write stream's offset goes with that stream, and waits for its own answer only.
//    So several pwrites may be under way, and still stop at the first that fails. The descriptor's offset stays;
//  - descriptors that share a Chan (dup, fork) share its streams. The close of the last one ends them, and fails
//    with the error of a write, unless a call has failed with that already;
//  - a file that grows or shrinks while it is read ends where the server finds its end;
//  - a call that is interrupted fails, "interrupted", and its stream goes on with the next call;
//  - when the connection is lost what had come is read first, then "i/o on hungup channel".

import { COFFSET, enter, leave } from "./chan.ts";
import type { Chan } from "./chan.ts";
import { Eintr, PlanError } from "./abi/errors.ts";
import type { Proc } from "./proc/proc.ts";
import { waitfor } from "./proc/rendez.ts";
import type { Task } from "./proc/rendez.ts";

/** Bytes on their way from a file. */
export interface Readstream {
  /** Where in the file the next byte taken is. */
  readonly offset: number;
  /** Fills buf with the bytes that have come, and sleeps when there is none yet; 0 at the end. Throws Ended. */
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
  /** Sends bytes, and sleeps only for room. Fails when an earlier write has failed, with its error. */
  write(up: Proc, bytes: Uint8Array): Task<number>;
  /**
   * Sleeps until the server has answered for the n bytes before offset `end`, which were sent, and gives how many
   * were written. Fails as a plain write does. -1: none were, because the note of another call took back all
   * writes that were not answered.
   */
  answered(end: number, n: number): Task<number>;
  /** Sleeps until all is answered; fails with the first that failed. The stream is over. */
  finish(): Task<void>;
}

/** What a call fails with when another call has ended the stream that it slept in: it reads as a note's error. */
export class Ended extends PlanError {
  constructor() {
    super(Eintr);
  }
}

/** The streams of a Chan. */
export type Streams = {
  r: Readstream | null;
  w: Writestream | null;
  /** stream(fd) asked for one. */
  asked?: boolean;
  /** The offset at which the next pwrite goes with the write stream; undefined before the first such pwrite. */
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
    if (!(e instanceof Ended)) throw e;
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
 * A pwrite at offset that goes with the write stream that is there. -1: there is no such stream, or the pwrite was
 * taken back (Writestream.answered); the caller does a plain write.
 */
export function* writewith(up: Proc, c: Chan, bytes: Uint8Array, offset: number): Task<number> {
  const s = c.streams;
  if (s?.asked !== true || offset !== (s.next ?? c.offset)) return -1;
  const w = (s.w ??= c.dev.wstream(up, c));
  if (w === null) return -1;
  const end = offset + bytes.length;
  // Another pwrite may follow while this one waits for the lock.
  s.next = end;
  yield* enter(c, COFFSET);
  try {
    if (s.w !== w || w.offset !== offset) return -1;
    yield* w.write(up, bytes);
  } catch (e) {
    if (!w.failed) throw e;
  } finally {
    leave(c, COFFSET);
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
