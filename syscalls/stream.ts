// Streams: stream(fd, offset), sread(fd, buf), swrite(fd, bytes), and OSTREAM in open and create.
// What a stream is, and what becomes of it when its descriptor is used in other ways, is in
// kernel/stream.ts.

import { COFFSET, CWRITE, ordered } from "../kernel/chan.ts";
import type { Chan } from "../kernel/chan.ts";
import { OREAD, ORDWR, OWRITE, QTDIR } from "../kernel/abi/const.ts";
import { dirread, dirrewind } from "../kernel/dirread.ts";
import { Eisdir, error } from "../kernel/abi/errors.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import { endread, endwrite, givewrite, startread, streamsof, takeread } from "../kernel/stream.ts";
import { checkbytes, checkoffset } from "./arg.ts";
import { plain } from "./io.ts";

/**
 * Starts a stream at offset. If the descriptor is open for reading, the bytes are asked for now; for writing, nothing is
 * sent yet; for both, the first sread or swrite decides.
 */
export function stream(up: Proc, fd: number, offset: number): Answer<void> {
  checkoffset(offset);
  const c = up.fgrp.tochan(fd, -1, true);
  return ordered(c, COFFSET, () => streaming(up, c, offset));
}

function* streaming(up: Proc, c: Chan, offset: number): Task<void> {
  // A file without offsets keeps what was read ahead.
  if (offset !== c.offset || plain(c)) endread(c);
  yield* endwrite(c);
  if ((c.qid.type & QTDIR) !== 0) {
    if (offset !== 0) error(Eisdir);
    yield* dirrewind(c);
    return;
  }
  c.offset = offset;
  streamsof(c).asked = true;
  if (c.mode !== OWRITE && c.mode !== ORDWR && (c.streams?.r ?? null) === null)
    yield* startread(up, c);
}

/** The next bytes of the stream, at most buf.length, at least one; 0 at the end of the file. */
export function sread(up: Proc, fd: number, buf: Uint8Array): Answer<number> {
  checkbytes(buf);
  const c = up.fgrp.tochan(fd, OREAD, true);
  return ordered(c, COFFSET, () => reading(up, c, buf));
}

function* reading(up: Proc, c: Chan, buf: Uint8Array): Task<number> {
  if ((c.qid.type & QTDIR) !== 0) return yield* dirread(up, c, buf, -1);
  yield* endwrite(c);
  const begun = c.streams !== null && c.streams.r !== null;
  const begins = c.mode !== ORDWR || plain(c) || c.streams?.asked === true;
  if (!begun && begins) yield* startread(up, c);
  return yield* takeread(up, c, buf);
}

/** Writes the next bytes of the stream, waiting only for room. An earlier failure is this one's. */
export function swrite(up: Proc, fd: number, bytes: Uint8Array): Answer<number> {
  checkbytes(bytes);
  const c = up.fgrp.tochan(fd, OWRITE, true);
  if ((c.qid.type & QTDIR) !== 0) error(Eisdir);
  const isplain = plain(c);
  return ordered(c, isplain ? COFFSET : CWRITE, () => {
    if (isplain) endread(c);
    return givewrite(up, c, bytes);
  });
}

/** What OSTREAM adds to an open: a file to be read is read ahead from now on. */
export function* openstream(up: Proc, c: Chan): Task<void> {
  if (c.mode !== OREAD || (c.qid.type & QTDIR) !== 0) return;
  if (c.streams === null || c.streams.r === null) yield* startread(up, c);
}
