// The bytes of entries that Tstat asks for. Clients ask for the same file again and again: make, an editor, a loop that
// waits for a change. So an entry that was asked for twice in a row is kept packed, at a place that the number of the
// fid gives. An entry is packed again when anything in it has changed. What is kept is a copy: the server may change its
// own Dir.

import { STATMAX } from "../../../kernel/abi/const.ts";
import { type Dir, type Qid, convD2M } from "../../../kernel/abi/dir.ts";
import { Ebadstat, error } from "../../../kernel/abi/errors.ts";

/** How many entries are kept, a power of 2, and of how many bytes at most. */
const KEPT = 64;
const MOST = 256;

/** `path` is that of the last entry; `dir` is what `bytes` say. */
type Kept = { path: bigint; dir: Dir | null; bytes: Uint8Array; readonly room: Uint8Array };

const kept: readonly Kept[] = Array.from({ length: KEPT }, () => {
  const room = new Uint8Array(MOST);
  return { path: -1n, dir: null, bytes: room, room };
});
const long = new Uint8Array(STATMAX);

/** The bytes of the entry of a fid's file, good until the next call. */
export function packed(fid: number, d: Dir): Uint8Array {
  const k = kept[fid % KEPT];
  if (k === undefined) return pack(d, long);
  if (k.dir !== null && same(k.dir, d)) return k.bytes;
  k.dir = null;
  if (k.path !== d.qid.path) {
    k.path = d.qid.path;
    return pack(d, long);
  }
  const n = convD2M(d, k.room, 0);
  if (n < 0) return pack(d, long);
  if (k.bytes.length !== n) k.bytes = k.room.subarray(0, n);
  k.dir = { ...d, qid: { ...d.qid } };
  return k.bytes;
}

function pack(d: Dir, room: Uint8Array): Uint8Array {
  const n = convD2M(d, room, 0);
  return n < 0 ? error(Ebadstat) : room.subarray(0, n);
}

const same = (a: Dir, b: Dir): boolean =>
  sameqid(a.qid, b.qid) &&
  a.atime === b.atime &&
  a.mtime === b.mtime &&
  a.length === b.length &&
  a.mode === b.mode &&
  a.name === b.name &&
  a.uid === b.uid &&
  a.gid === b.gid &&
  a.muid === b.muid &&
  a.type === b.type &&
  a.dev === b.dev;

const sameqid = (a: Qid, b: Qid): boolean =>
  a.path === b.path && a.vers === b.vers && a.type === b.type;
