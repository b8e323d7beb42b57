// Tread and Twrite, of files and directories.

import { MAXOFFSET, OEXEC, OREAD, OWRITE } from "../../../kernel/abi/const.ts";
import { convD2M } from "../../../kernel/abi/dir.ts";
import { Edirseek, Eio, Eshort, error } from "../../../kernel/abi/errors.ts";
import { Rread, Rwrite, type Rmsg } from "../../../kernel/abi/fcall.ts";
import { andthen, istask } from "./answer.ts";
import { Ebadoffset, Enoread, Enotopen, Enowrite, wrongmode } from "./errors.ts";
import { unknownfid } from "./out.ts";
import type { Msg, Session } from "./session.ts";
import type { Answer, Fid } from "./srv.ts";

export function read<A>(s: Session<A>, f: Msg<"Tread">): Answer<Rmsg> {
  const fid = s.fids.find(f.fid);
  if (fid === undefined) return unknownfid(f.tag);
  const data = readfid(s, fid, s.room(f.count), f.offset);
  // A function for the answer costs as much as the read of a short file, so one is made only for a read that waits.
  if (istask(data)) return andthen(data, (bytes) => ({ type: Rread, tag: f.tag, data: bytes }));
  return { type: Rread, tag: f.tag, data };
}

/** At most count bytes of an open file, or entries of a directory. */
export function readfid<A>(
  s: Session<A>,
  fid: Fid<A>,
  count: number,
  offset: number,
): Answer<Uint8Array> {
  const { omode } = fid;
  if (omode < 0) error(Enotopen);
  if ((omode & 3) === OWRITE) error(wrongmode("read", omode));
  if (offset + count > MAXOFFSET) error(Ebadoffset);
  if (s.isdir(fid.aux)) return readdir(s, fid, count, offset);
  if (s.srv.read === undefined) return error(Enoread);
  const data = s.srv.read(fid, count, offset);
  return istask(data) ? andthen(data, (bytes) => clip(bytes, count)) : clip(data, count);
}

/** Bytes of an ordinary entry, with short names. */
const SMALL = 128;

const clip = (bytes: Uint8Array, count: number): Uint8Array =>
  bytes.length > count ? bytes.subarray(0, count) : bytes;

/** Bytes of entries in one reply: making them takes no more than a few milliseconds. */
const DIRMAX = 131072;

/** A directory is read from 0 or where the last read ended. */
function readdir<A>(s: Session<A>, fid: Fid<A>, count: number, offset: number): Answer<Uint8Array> {
  if (offset !== 0 && offset !== fid.diroffset) error(Edirseek);
  const ended = (bytes: Uint8Array): Uint8Array => {
    fid.diroffset = offset + bytes.length;
    return bytes;
  };
  if (s.srv.entries === undefined) {
    if (s.srv.read === undefined) return error(Enoread);
    return andthen(s.srv.read(fid, count, offset), (bytes) => ended(clip(bytes, count)));
  }
  if (offset === 0 || fid.dir === null)
    fid.dir = { rest: s.srv.entries(fid)[Symbol.iterator](), held: null };
  return ended(pack(fid, Math.min(count, DIRMAX)));
}

/**
 * As many of the entries to come as fit. When not even one does, that is an error: the client would take
 * nothing for the end of the directory. A count below any ordinary entry gets nothing, as from Plan 9's
 * servers.
 */
function pack<A>(fid: Fid<A>, count: number): Uint8Array {
  const { dir } = fid;
  const buf = new Uint8Array(count);
  let n = 0;
  while (dir !== null) {
    if (dir.held === null) {
      const next = dir.rest.next();
      if (next.done === true) break;
      dir.held = next.value;
    }
    const d = "entry" in dir.held ? dir.held.entry() : dir.held;
    const end = d === null ? n : convD2M(d, buf, n);
    if (end < 0) {
      if (n === 0 && count >= SMALL) error(Eshort);
      break;
    }
    dir.held = null;
    n = end;
  }
  return buf.subarray(0, n);
}

export function write<A>(s: Session<A>, f: Msg<"Twrite">): Answer<Rmsg> {
  const fid = s.fids.find(f.fid);
  if (fid === undefined) return unknownfid(f.tag);
  const { omode } = fid;
  if (omode < 0) error(Enotopen);
  const how = omode & 3;
  if (how === OREAD || how === OEXEC) error(wrongmode("write", omode));
  if (f.offset + f.data.length > MAXOFFSET) error(Ebadoffset);
  if (s.srv.write === undefined) return error(Enowrite);
  const data = s.srv.copies === true ? f.data : f.data.slice();
  return andthen(s.srv.write(fid, data, f.offset), (n) => {
    if (n < 0 || n > f.data.length) error(Eio);
    return { type: Rwrite, tag: f.tag, count: n };
  });
}
