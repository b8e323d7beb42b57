// Where a Twrite failed on a connection of 9P2000.ix.stream: later Twrites with its tag and fid are refused
// with the same error, until the tag is flushed or the fid ended (protocol, "Write streams"). A server does
// that by itself for its own failures; this is for those that it knows nothing of.

import { Tclunk, Tflush, Tremove, Tversion, Twrite } from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";

type Stop = { readonly tag: number; readonly fid: number; readonly ename: string };

/** The tags and fids of a connection that are stopped. */
export class Stops {
  /** The connection speaks 9P2000.ix.stream. */
  on = false;
  #list: Stop[] = [];

  /** t, a Twrite, failed. */
  add(t: Tmsg, ename: string): void {
    if (this.on && t.type === Twrite) this.#list.push({ tag: t.tag, fid: t.fid, ename });
  }

  /** What t is refused with; null when it goes on. */
  refusal(t: Tmsg): string | null {
    if (this.#list.length === 0) return null;
    if (t.type === Twrite)
      return this.#list.find((s) => s.tag === t.tag && s.fid === t.fid)?.ename ?? null;
    if (t.type === Tversion) this.#list = [];
    if (t.type === Tflush) this.#list = this.#list.filter((s) => s.tag !== t.oldtag);
    if (t.type === Tclunk || t.type === Tremove)
      this.#list = this.#list.filter((s) => s.fid !== t.fid);
    return null;
  }
}
