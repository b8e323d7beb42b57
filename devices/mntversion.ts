// Agreeing on a version of 9P with the server behind a Chan: Tversion, Rversion, and the ladder from the
// longest string this kernel can use down to plain 9P2000 (protocol, "Versions").

import { CMSG } from "../kernel/chan.ts";
import type { Chan } from "../kernel/chan.ts";
import { NOTAG } from "../kernel/const.ts";
import {
  Ebadiounit,
  Ebadversion,
  Efversion,
  Efversioneof,
  PlanError,
  error,
} from "../kernel/errors.ts";
import {
  Rerror,
  Rversion,
  Tversion,
  convM2S,
  convS2M,
  framesize,
  sizeS2M,
} from "../kernel/fcall.ts";
import type { Fcall } from "../kernel/fcall.ts";
import type { Transport } from "../kernel/kernel.ts";
import type { Proc } from "../kernel/proc.ts";
import type { Task } from "../kernel/rendez.ts";
import { Mnt } from "./mntrpc.ts";
import type { Agreed } from "./mntrpc.ts";

const VERSION9P = "9P2000";
const MINMSIZE = 256;
const MAXMSIZE = 1024 * 1024;

/** What the two name spaces offer on their own account. */
const OFFERS = {
  names: { version: "9P2000.ix.stream", msize: 65536 + 24 },
  standard: { version: VERSION9P, msize: 8192 + 24 },
} as const;

/**
 * The connection over c, made by the first to ask. msize 0 and version "" are the kernel's choice; a
 * version asked for by name is offered as it is, and every prefix of it taken.
 */
export function* mntversion(up: Proc, c: Chan, want: Agreed): Task<Mnt> {
  const named = want.version !== "";
  if (want.msize < 0) error(Ebadiounit);
  if (named && !want.version.startsWith(VERSION9P)) error(Ebadversion);
  if (c.mux instanceof Mnt) return c.mux;
  const offer = OFFERS[up.k.config.namespace];
  const msize = want.msize === 0 ? offer.msize : Math.min(want.msize, MAXMSIZE);
  const q = c.wlock;
  if (!q.canlock()) yield* q.lock();
  try {
    if (c.mux instanceof Mnt) return c.mux;
    return yield* connect(up, c, { version: named ? want.version : offer.version, msize });
  } finally {
    q.unlock();
  }
}

function* connect(up: Proc, c: Chan, offer: Agreed): Task<Mnt> {
  const filter = up.k.config.filter?.(up.k, c) ?? null;
  let m: Mnt | null = null;
  try {
    const agreed = yield* negotiate(up, { c, wire: filter ?? c.dev }, offer);
    m = new Mnt(up.k, c, agreed, filter);
    c.mux = m;
    c.flag |= CMSG;
    return m;
  } finally {
    if (m === null) filter?.end();
  }
}

/** A connection of which no version is agreed on yet. */
type Line = { readonly c: Chan; readonly wire: Transport };

/** Down the ladder: what the server answers is believed where it is a prefix of what was offered. */
function* negotiate(up: Proc, c: Line, offer: Agreed): Task<Agreed> {
  let got = yield* exchange(up, c, offer);
  // A server that compares whole strings may know 9P2000.ix and not the longer one.
  if (got.version === VERSION9P && offer.version === "9P2000.ix.stream")
    got = yield* exchange(up, c, { version: "9P2000.ix", msize: got.msize });
  if (got.version === "unknown" && offer.version !== VERSION9P)
    got = yield* exchange(up, c, { ...offer, version: VERSION9P });
  if (got.version === "unknown") error("bad 9P version returned from server");
  return got;
}

function* exchange(up: Proc, { c, wire }: Line, offer: Agreed): Task<Agreed> {
  const t: Fcall = { type: Tversion, tag: NOTAG, msize: offer.msize, version: offer.version };
  const buf = new Uint8Array(sizeS2M(t));
  convS2M(t, buf, 0);
  const off = c.dev.wire?.(c)?.out ?? 0;
  if (up.k.trace.on) up.k.trace.emit({ type: "send", conn: 0, fcall: t, bytes: buf.length, off });
  c.offset += yield* wire.write(up, c, buf, c.offset);
  const frame = yield* readframe(up, { c, wire });
  const r = convM2S(frame, 0, frame.length);
  if (r !== null && up.k.trace.on) {
    const bytes = frame.length;
    const at = c.dev.wire?.(c)?.in ?? bytes;
    up.k.trace.emit({ type: "receive", conn: 0, fcall: r, bytes, off: at - bytes });
  }
  return checkreply(r, offer);
}

function checkreply(r: Fcall | null, offer: Agreed): Agreed {
  if (r === null || r.tag !== NOTAG) return error(Efversion);
  if (r.type === Rerror) return error(r.ename);
  if (r.type !== Rversion) return error("unexpected reply type in fversion");
  if (r.version === "unknown") return { version: r.version, msize: r.msize };
  if (r.msize > offer.msize) error("server tries to increase msize in fversion");
  if (r.msize < MINMSIZE) error("nonsense value of msize in fversion");
  const prefix = offer.version === r.version || offer.version.startsWith(`${r.version}.`);
  if (!prefix || !r.version.startsWith(VERSION9P)) error("bad 9P version returned from server");
  return { version: r.version, msize: r.msize };
}

/** One whole frame, the only thing a server may say now. */
function* readframe(up: Proc, { c, wire }: Line): Task<Uint8Array> {
  const buf = new Uint8Array(8192);
  let n = 0;
  for (;;) {
    const got = yield* wire.read(up, c, buf.subarray(n), c.offset);
    if (got === 0) throw new PlanError(Efversioneof);
    c.offset += got;
    n += got;
    if (n < 4) continue;
    const size = framesize(buf, 0);
    if (size < 7 || size > buf.length || n > size) throw new PlanError(Efversion);
    if (n === size) return buf.subarray(0, n);
  }
}
