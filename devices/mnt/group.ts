// A Group: the requests of one tag, their replies, and the fids that they make and end. The connection
// (rpc.ts) sends and receives them; here is what a reply may be and what it says about fids.

import { STATFIXLEN } from "../../kernel/abi/const.ts";
import {
  Rerror,
  Rread,
  Rstat,
  Rstream,
  Rwalk,
  Rwrite,
  Tclunk,
  Tread,
  Tremove,
  Twalk,
  Twrite,
} from "../../kernel/abi/fcall.ts";
import type { Fcall, Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { Rendez } from "../../kernel/proc/rendez.ts";
import type { Call } from "../../kernel/trace.ts";

/** A fid that a Group makes, or for a Tclunk or Tremove of its own the fid it ends. */
type Fresh = { readonly fid: number; made: boolean; gone: boolean };

/** Takes what a Tstream brings; the connection calls it for each Rstream, in order. */
export interface Sink {
  /** The bytes are its own, to give back (rbuf.ts). "over": that was the last of the run; "bad": it is more than was asked for. */
  data(bytes: Uint8Array): "more" | "over" | "bad";
  /** The run ended with an Rerror. */
  failed(ename: string): void;
}

/** Requests with one tag, and their replies in the same order. */
export class Group {
  readonly tag: number;
  readonly call: Call | null;
  readonly requests: Tmsg[] = [];
  readonly replies: Rmsg[] = [];
  readonly fids: Fresh[] = [];
  readonly r: Rendez = new Rendez("9P reply");
  bytes = 0;
  /** A Tflush was sent. */
  flushing = false;
  /** Nothing more will come: every reply is here, or the Rflush, or the connection is gone. */
  ended = false;
  /** The system call has let go. */
  released = false;
  /** More requests may still be added (a window). */
  open = false;
  /** Where Rstreams go. */
  sink: Sink | null = null;

  constructor(tag: number, call: Call | null) {
    this.tag = tag;
    this.call = call;
  }

  /** Notes that a request of this group makes fid. */
  makes(fid: number): void {
    this.fids.push({ fid, made: false, gone: false });
  }

  /** A Chan has taken over fid, which exists: it is no more this group's to settle. */
  keep(fid: number): void {
    const i = this.fids.findIndex((f) => f.fid === fid);
    if (i >= 0) this.fids.splice(i, 1);
  }

  /** Notes that a request of this group ends fid, which exists. */
  ends(fid: number): void {
    this.fids.push({ fid, made: true, gone: false });
  }
}

/** Whether f can be the answer to t: its type, its counts. What cannot be is hung up on, not believed. */
export function answers(t: Tmsg, f: Fcall): boolean {
  if (f.type === Rerror) return true;
  if (f.type !== t.type + 1) return false;
  if (f.type === Rwalk && t.type === Twalk) return f.wqid.length <= t.wname.length;
  if (f.type === Rread && t.type === Tread) return f.data.length <= t.count;
  if (f.type === Rwrite && t.type === Twrite) return f.count <= t.data.length;
  if (f.type === Rstat) return f.stat.length >= STATFIXLEN;
  return true;
}

/** What a reply says about the fids of its group. */
export function notefids(g: Group, t: Tmsg, f: Fcall): void {
  for (const fid of g.fids) {
    if (t.type === Twalk && t.newfid === fid.fid)
      fid.made = f.type === Rwalk && f.wqid.length === t.wname.length;
    else if ((t.type === Tclunk || t.type === Tremove) && t.fid === fid.fid) fid.gone = true;
    else if (
      "afid" in t &&
      f.type !== Rerror &&
      (("fid" in t && t.fid === fid.fid) || t.afid === fid.fid)
    )
      fid.made = true;
  }
}

/** An Rstream, or the Rerror that ends its run, to whoever takes the stream. */
export function tosink(g: Group, f: Fcall): "more" | "over" | "bad" {
  if (g.sink === null) return "bad";
  if (f.type === Rstream) return g.sink.data(f.data);
  if (f.type !== Rerror) return "bad";
  g.sink.failed(f.ename);
  return "over";
}
