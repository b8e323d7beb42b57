// read, write and what goes with a descriptor's offset: read(2), seek(2).
//
// Calls that use the offset of one Chan run in the order made; so do the reads, and apart from them the
// writes, of a Chan whose offset means nothing (a pipe: a write must not wait for a read).

import { cclose } from "../kernel/chan.ts";
import type { Chan } from "../kernel/chan.ts";
import { MAXOFFSET, OREAD, OWRITE, QTDIR } from "../kernel/abi/const.ts";
import { dirread, dirrewind } from "../kernel/dirread.ts";
import { Ebadarg, Eisdir, Eisstream, Enegoff, error } from "../kernel/abi/errors.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import { waitfor } from "../kernel/proc/rendez.ts";
import type { Task } from "../kernel/proc/rendez.ts";
import { endread, endwrite, givewrite, takeread, writewith } from "../kernel/stream.ts";
import { checkbytes, checknum } from "./arg.ts";

/** Whether c's offset means something. */
export const plain = (c: Chan): boolean => c.dev.plain(c);

/** An offset, or -1 for the descriptor's own. */
function checkoffset(offset: number): void {
  checknum(offset);
  if (offset < -1) error(Enegoff);
  if (offset > MAXOFFSET) error(Ebadarg);
}

/** As on Plan 9, a pread moves the descriptor's offset, too, by what it read. */
function moved(c: Chan, n: number): number {
  c.offset += n;
  return n;
}

export function read(up: Proc, fd: number, buf: Uint8Array): Task<number> {
  return pread(up, fd, buf, -1);
}

export function* pread(up: Proc, fd: number, buf: Uint8Array, offset: number): Task<number> {
  checkbytes(buf);
  const c = up.fgrp.iochan(fd, OREAD);
  checkoffset(offset);
  c.ref++;
  try {
    if (offset !== -1 && (c.qid.type & QTDIR) === 0 && plain(c)) {
      if (c.streams !== null) {
        endread(c);
        yield* endwrite(c);
      }
      return moved(c, yield* waitfor(c.dev.read(up, c, buf, offset)));
    }
    const q = c.rlock;
    if (!q.canlock()) yield* q.lock();
    try {
      if ((c.qid.type & QTDIR) !== 0) return yield* dirread(up, c, buf, offset);
      if (c.streams !== null) yield* endwrite(c);
      if (offset === -1) return yield* takeread(up, c, buf);
      return moved(c, yield* waitfor(c.dev.read(up, c, buf, offset)));
    } finally {
      q.unlock();
    }
  } finally {
    if (c.ref > 1) c.ref--;
    else yield* cclose(c);
  }
}

export function write(up: Proc, fd: number, bytes: Uint8Array): Task<number> {
  return pwrite(up, fd, bytes, -1);
}

export function* pwrite(up: Proc, fd: number, bytes: Uint8Array, offset: number): Task<number> {
  checkbytes(bytes);
  const c = up.fgrp.iochan(fd, OWRITE);
  checkoffset(offset);
  if ((c.qid.type & QTDIR) !== 0) error(Eisdir);
  c.ref++;
  try {
    const isplain = plain(c);
    if (c.streams !== null && isplain) endread(c);
    if (offset !== -1 && isplain) return yield* pwriteat(up, c, bytes, offset);
    const q = isplain ? c.rlock : c.wlock;
    if (!q.canlock()) yield* q.lock();
    try {
      if (offset === -1 && c.streams !== null && c.streams.w !== null)
        return yield* givewrite(up, c, bytes);
      const n = yield* waitfor(c.dev.write(up, c, bytes, offset === -1 ? c.offset : offset));
      if (offset === -1) c.offset += n;
      return n;
    } finally {
      q.unlock();
    }
  } finally {
    if (c.ref > 1) c.ref--;
    else yield* cclose(c);
  }
}

/** A write where a stream was asked for goes with it; one elsewhere waits for what that has under way. */
function* pwriteat(up: Proc, c: Chan, bytes: Uint8Array, offset: number): Task<number> {
  if (c.streams !== null) {
    const n = yield* writewith(up, c, bytes, offset);
    if (n >= 0) return n;
    yield* endwrite(c);
  }
  return yield* waitfor(c.dev.write(up, c, bytes, offset));
}

export function* seek(up: Proc, fd: number, offset: number, whence: number): Task<number> {
  const c = up.fgrp.iochan(fd, -1);
  checknum(offset);
  if (c.dev.dc === "|") error(Eisstream);
  c.ref++;
  const q = c.rlock;
  if (!q.canlock()) yield* q.lock();
  try {
    return yield* seekto(up, c, offset, whence);
  } finally {
    q.unlock();
    yield* cclose(c);
  }
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
  if (from + offset < 0) error(Enegoff);
  if (from + offset > MAXOFFSET) error(Ebadarg);
  if (from + offset !== c.offset && c.streams !== null) {
    endread(c);
    yield* endwrite(c);
  }
  c.offset = from + offset;
  return c.offset;
}
