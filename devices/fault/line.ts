// The requests of one tag on a connection with faults, as both ends see them: what the client waits for, in
// order; what the server has been asked; what is held back on its way there. And the frames that are made
// in place of others.

import {
  Rattach,
  Rauth,
  Rerror,
  Rread,
  Rstream,
  Rwalk,
  Rwrite,
  Tattach,
  Tauth,
  Tclunk,
  Tread,
  Tstream,
  Twalk,
  Twrite,
  convS2M,
  sizeS2M,
} from "../../kernel/abi/fcall.ts";
import type { Fcall, Tmsg } from "../../kernel/abi/fcall.ts";
import { ERRMAX } from "../../kernel/abi/const.ts";
import { utfcut } from "../../kernel/abi/utf.ts";

/** A frame for the client; it is given when neither it nor one before it has to wait. */
export type Out = { readonly frame: Uint8Array; wait: number };

/** A request: what the client gets for it. */
export class Slot {
  readonly t: Tmsg;
  readonly out: Out[] = [];
  /** The last frame for it is in `out`. */
  over = false;
  /** Whatever the server answers, it becomes this Rerror. */
  ename: string | null = null;
  /** Bytes of the run that the server has yet to send. */
  left: number;
  /** The run was cut: at its end the client is told that it ended. */
  cut = false;
  /** The fid that it made and the client does not know of. */
  made: number | null = null;
  /** The client gets nothing more of what the server says to it. */
  mute = false;

  constructor(t: Tmsg) {
    this.t = t;
    this.left = t.type === Tstream ? t.count : 0;
  }

  /** Takes note of a frame from the server; true when it is its last for this request. */
  answered(f: Fcall): boolean {
    if (f.type !== Rstream || this.t.type !== Tstream || f.data.length === 0) return true;
    this.left -= f.data.length;
    return this.left <= 0;
  }
}

/** A request held back: delayed, or behind one that is. */
export type Held = { readonly frame: Uint8Array; readonly slot: Slot; wait: number };

/** What is outstanding with one tag. */
export class Line {
  /** In the order of the requests, until the client has all of each. */
  slots: Slot[] = [];
  /** What the server has and did not answer in full. */
  readonly asked: Slot[] = [];
  readonly held: Held[] = [];
  /** A request was dropped or flushed: those behind it are not passed on. */
  lost = false;
  /** An Rflush, which must not come before what was answered before it. */
  flush: { readonly tag: number; readonly line: Line; readonly out: Out } | null = null;

  get empty(): boolean {
    return this.slots.length === 0 && this.asked.length === 0 && !this.lost;
  }

  /** Something was answered that the client gets later. */
  get late(): boolean {
    return this.slots.some((s) => s.out.some((o) => o.wait > 0));
  }

  /** The frames that the client gets now. */
  *due(): Generator<Uint8Array, void, void> {
    for (let s = this.slots[0]; s !== undefined; s = this.slots[0]) {
      for (let o = s.out[0]; o !== undefined && o.wait === 0; o = s.out[0]) {
        s.out.shift();
        yield o.frame;
      }
      if (!s.over || s.out.length > 0) return;
      this.slots.shift();
    }
  }

  /** The requests that go to the server now. */
  *leaving(): Generator<Held, void, void> {
    for (let h = this.held[0]; h !== undefined && h.wait === 0; h = this.held[0]) {
      this.held.shift();
      yield h;
    }
  }

  /** A Tflush goes to the server: what is held back never happens, nor what is behind it. */
  flushed(): void {
    this.lost = true;
    const first = this.held[0];
    this.held.length = 0;
    if (first !== undefined) this.slots = this.slots.slice(0, this.slots.indexOf(first.slot));
  }
}

/** The fid that exists since this answer. */
export function madeby(t: Tmsg, r: Fcall): number | null {
  if (t.type === Twalk && r.type === Rwalk)
    return r.wqid.length === t.wname.length && t.newfid !== t.fid ? t.newfid : null;
  if (t.type === Tattach && r.type === Rattach) return t.fid;
  return t.type === Tauth && r.type === Rauth ? t.afid : null;
}

/** A message as a frame. */
export function pack(f: Fcall): Uint8Array {
  const buf = new Uint8Array(sizeS2M(f));
  convS2M(f, buf, 0);
  return buf;
}

export function rerror(tag: number, ename: string): Uint8Array {
  return pack({ type: Rerror, tag, ename: utfcut(ename, ERRMAX - 1) });
}

/** The end of a run. */
export function norun(tag: number): Uint8Array {
  return pack({ type: Rstream, tag, data: new Uint8Array(0) });
}

/** The message with no more than n bytes to transfer; null when it has no more. */
export function shorter(f: Fcall, n: number): Fcall | null {
  switch (f.type) {
    case Tread:
    case Tstream:
    case Rwrite:
      return f.count > n ? { ...f, count: n } : null;
    case Twrite:
    case Rread:
    case Rstream:
      return f.data.length > n ? { ...f, data: f.data.subarray(0, n) } : null;
    default:
      return null;
  }
}

/** What ends a fid in a Tremove's place, with the same tag. */
export function clunkof(t: Tmsg & { readonly fid: number }): Uint8Array {
  return pack({ type: Tclunk, tag: t.tag, fid: t.fid });
}
