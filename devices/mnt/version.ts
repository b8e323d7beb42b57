// Agreeing on a version of 9P with the server behind a Chan: Tversion, Rversion, and the ladder from the
// longest string this kernel can use down to plain 9P2000 (protocol, "Versions").

import { CMSG } from "../../kernel/chan.ts";
import type { Chan } from "../../kernel/chan.ts";
import { NOTAG } from "../../kernel/abi/const.ts";
import {
  Ebadiounit,
  Ebadversion,
  Efversion,
  Efversioneof,
  PlanError,
  error,
} from "../../kernel/abi/errors.ts";
import {
  Rerror,
  Rversion,
  Tversion,
  convM2S,
  convS2M,
  framesize,
  sizeS2M,
} from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import type { Transport } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { waitfor } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { Mnt } from "./rpc.ts";
import type { Agreed } from "./rpc.ts";

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
  const heard = c.mux instanceof Heard ? c.mux : new Heard();
  c.mux = heard;
  let m: Mnt | null = null;
  try {
    const agreed = yield* negotiate(up, { c, wire: filter ?? c.dev, heard }, offer);
    m = new Mnt(up.k, c, agreed, filter);
    c.mux = m;
    c.flag |= CMSG;
    return m;
  } finally {
    if (m === null) filter?.end();
    if (m === null && heard.owed === 0) c.mux = null;
  }
}

/** A connection of which no version is agreed on yet. */
type Line = { readonly c: Chan; readonly wire: Transport; readonly heard: Heard };

/**
 * What came over such a connection, and what will: who is interrupted leaves the answer that is on its way
 * to whoever asks next (Chan.mux).
 */
class Heard {
  readonly buf: Uint8Array = new Uint8Array(8192);
  n = 0;
  /** Answers that have not come. */
  owed = 0;

  /** The first frame, when all of it is here. */
  take(): Uint8Array | null {
    if (this.n < 4) return null;
    const size = framesize(this.buf, 0);
    if (size < 7 || size > this.buf.length || (this.owed === 1 && this.n > size))
      this.fail(Efversion);
    if (this.n < size) return null;
    const frame = this.buf.slice(0, size);
    this.buf.copyWithin(0, size, this.n);
    this.n -= size;
    this.owed--;
    return frame;
  }

  /** Nothing that comes now can be told apart. */
  fail(message: string): never {
    this.n = this.owed = 0;
    throw new PlanError(message);
  }

  *close(): Task<void> {}
}

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

function* exchange(up: Proc, { c, wire, heard }: Line, offer: Agreed): Task<Agreed> {
  const t: Fcall = { type: Tversion, tag: NOTAG, msize: offer.msize, version: offer.version };
  const buf = new Uint8Array(sizeS2M(t));
  convS2M(t, buf, 0);
  const off = c.dev.wire(c)?.out ?? 0;
  if (up.k.trace.on) up.k.trace.emit({ type: "send", conn: 0, fcall: t, bytes: buf.length, off });
  c.offset += yield* waitfor(wire.write(up, c, buf, c.offset));
  heard.owed++;
  const frame = yield* readanswer(up, { c, wire, heard });
  const r = convM2S(frame, 0, frame.length);
  if (r !== null && up.k.trace.on) {
    const bytes = frame.length;
    const at = c.dev.wire(c)?.in ?? bytes;
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

/** The answer to the last Tversion, the only thing a server may say now; those to earlier ones are passed over. */
function* readanswer(up: Proc, { c, wire, heard }: Line): Task<Uint8Array> {
  for (;;) {
    const frame = heard.take();
    if (frame !== null && heard.owed === 0) return frame;
    if (frame !== null) continue;
    const got = yield* waitfor(wire.read(up, c, heard.buf.subarray(heard.n), c.offset));
    c.offset += got;
    heard.n += got;
    if (got === 0) heard.fail(Efversioneof);
  }
}
