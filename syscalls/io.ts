// read, write and what goes with a descriptor's offset: read(2), seek(2).
//
// The offset of a Chan means something for a plain file, and nothing for a pipe. Which calls on one Chan wait for
// each other, so that they run in the order made:
//
//	offset means something    those that use the Chan's offset; a call with an offset of its own waits for none
//	offset means nothing      reads for reads, writes for writes: a write must not wait for a read

import { istask } from "../kernel/abi/answer.ts";
import { COFFSET, CWRITE, inturn, ordered } from "../kernel/chan.ts";
import type { Chan, Turn } from "../kernel/chan.ts";
import { OREAD, OWRITE, QTDIR } from "../kernel/abi/const.ts";
import { dirread, dirrewind } from "../kernel/dirread.ts";
import { Ebadarg, Eisdir, Eisstream, error } from "../kernel/abi/errors.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import { waitfor } from "../kernel/proc/rendez.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import { endread, endwrite, givewrite, takeread, writewith } from "../kernel/stream.ts";
import { checkbytes, checknum, checkoffset } from "./arg.ts";

/** Whether c's offset means something. */
export const plain = (c: Chan): boolean => c.dev.plain(c);

/** As on Plan 9, a pread moves the descriptor's offset, too, by what it read. */
function moved(c: Chan, n: number): number {
  c.offset += n;
  return n;
}

type Io = Turn<Uint8Array, number>;
const READ: Io = { order: COFFSET, fn: readnext };
const READDIR: Io = { order: COFFSET, fn: dirread };
// No order: several reads or writes at offsets of their own may be under way.
const READAT: Io = { order: 0, fn: readat };
const WRITE: Io = { order: COFFSET, fn: writenext };
const WRITEAT: Io = { order: 0, fn: pwriteat };
/** The order of writes where an offset means nothing. */
const PUT: Io = { order: CWRITE, fn: writenext };

export function read(up: Proc, fd: number, buf: Uint8Array): Answer<number> {
  checkbytes(buf);
  const c = up.fgrp.tochan(fd, OREAD, true);
  return inturn((c.qid.type & QTDIR) === 0 ? READ : READDIR, up, c, buf, -1);
}

export function pread(up: Proc, fd: number, buf: Uint8Array, offset: number): Answer<number> {
  checkbytes(buf);
  const c = up.fgrp.tochan(fd, OREAD, true);
  if (offset !== -1) checkoffset(offset);
  if ((c.qid.type & QTDIR) !== 0) return inturn(READDIR, up, c, buf, offset);
  return inturn(offset !== -1 && plain(c) ? READAT : READ, up, c, buf, offset);
}

function advanced(c: Chan, n: Answer<number>): Answer<number> {
  return istask(n) ? moving(c, n) : moved(c, n);
}

function* moving(c: Chan, n: Task<number>): Task<number> {
  return moved(c, yield* n);
}

function readat(up: Proc, c: Chan, buf: Uint8Array, offset: number): Answer<number> {
  if (c.streams !== null) return readbehind(up, c, buf, offset);
  return advanced(c, c.dev.read(up, c, buf, offset));
}

/** A read at an offset of a Chan with streams: it ends the read stream, and waits until the write stream is written. */
function* readbehind(up: Proc, c: Chan, buf: Uint8Array, offset: number): Task<number> {
  endread(c);
  yield* endwrite(c);
  return moved(c, yield* waitfor(c.dev.read(up, c, buf, offset)));
}

/** A read in the order made: at the Chan's offset, or where an offset means nothing. */
function readnext(up: Proc, c: Chan, buf: Uint8Array, offset: number): Answer<number> {
  if (c.streams !== null) return readstream(up, c, buf, offset);
  return advanced(c, c.dev.read(up, c, buf, offset === -1 ? c.offset : offset));
}

function* readstream(up: Proc, c: Chan, buf: Uint8Array, offset: number): Task<number> {
  yield* endwrite(c);
  if (offset === -1) return yield* takeread(up, c, buf);
  return moved(c, yield* waitfor(c.dev.read(up, c, buf, offset)));
}

export function write(up: Proc, fd: number, bytes: Uint8Array): Answer<number> {
  return pwrite(up, fd, bytes, -1);
}

export function pwrite(up: Proc, fd: number, bytes: Uint8Array, offset: number): Answer<number> {
  checkbytes(bytes);
  const c = up.fgrp.tochan(fd, OWRITE, true);
  if (offset !== -1) checkoffset(offset);
  if ((c.qid.type & QTDIR) !== 0) error(Eisdir);
  const isplain = plain(c);
  if (c.streams !== null && isplain) endread(c);
  if (offset !== -1 && isplain) return inturn(WRITEAT, up, c, bytes, offset);
  return inturn(isplain ? WRITE : PUT, up, c, bytes, offset);
}

function writenext(up: Proc, c: Chan, bytes: Uint8Array, offset: number): Answer<number> {
  if (offset === -1 && c.streams !== null && c.streams.w !== null) return givewrite(up, c, bytes);
  if (offset !== -1) return c.dev.write(up, c, bytes, offset);
  return advanced(c, c.dev.write(up, c, bytes, c.offset));
}

/** A write at an offset. Where the write stream goes on at that offset, the bytes go with it; elsewhere the write waits for it. */
function pwriteat(up: Proc, c: Chan, bytes: Uint8Array, offset: number): Answer<number> {
  if (c.streams !== null) return pwritebehind(up, c, bytes, offset);
  return c.dev.write(up, c, bytes, offset);
}

function* pwritebehind(up: Proc, c: Chan, bytes: Uint8Array, offset: number): Task<number> {
  const n = yield* writewith(up, c, bytes, offset);
  if (n >= 0) return n;
  yield* endwrite(c);
  return yield* waitfor(c.dev.write(up, c, bytes, offset));
}

export function seek(up: Proc, fd: number, offset: number, whence: number): Answer<number> {
  const c = up.fgrp.tochan(fd, -1, true);
  checknum(offset);
  if (c.dev.dc === "|") error(Eisstream);
  return ordered(c, COFFSET, () => seekto(up, c, offset, whence));
}

function* seekto(up: Proc, c: Chan, offset: number, whence: number): Task<number> {
  const dir = (c.qid.type & QTDIR) !== 0;
  if (whence !== 0 && whence !== 1 && whence !== 2) error(Ebadarg);
  if (dir && (whence !== 0 || offset !== 0)) error(Eisdir);
  if (dir) {
    yield* dirrewind(c);
    return 0;
  }
  if (whence === 2 && c.streams !== null) yield* endwrite(c);
  const from =
    whence === 0 ? 0 : whence === 1 ? c.offset : (yield* waitfor(c.dev.stat(up, c))).length;
  checkoffset(from + offset);
  if (from + offset !== c.offset && c.streams !== null) {
    endread(c);
    yield* endwrite(c);
  }
  c.offset = from + offset;
  return c.offset;
}
