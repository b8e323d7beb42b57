// What the fids of a recording stand for: the names, from the root of their server, that they were walked to.

import { Rcreate, Tattach, Tclunk, Tcreate, Tremove, Twalk } from "../../../kernel/abi/fcall.ts";
import type { Recording, Revent } from "./recording.ts";

/** What a fid stood for from an event on; null once it is gone. */
type Meaning = { readonly event: number; readonly name: string | null };

/** The meanings of the fids of a recording, as far as it was read. */
export class Fids {
  upto = 0;
  readonly #of = new Map<string, Meaning[]>();

  /** Takes in what came since. */
  read(r: Recording): void {
    for (; this.upto < r.events.length; this.upto++) {
      const e = r.events[this.upto];
      if (e?.type === "send") this.#sent(r, e, this.upto);
      else if (e?.type === "receive") this.#received(r, e, this.upto);
    }
  }

  #sent(r: Recording, { conn, fcall: t }: Revent & { type: "send" }, event: number): void {
    if (t.type === Tattach) this.#put(conn, t.fid, { event, name: "" });
    if (t.type !== Twalk) return;
    const from = this.name(r, { conn, event }, t.fid);
    if (from !== undefined) this.#put(conn, t.newfid, { event, name: below(from, t.wname) });
  }

  #received(r: Recording, e: Revent & { type: "receive" }, event: number): void {
    const of = r.events[e.of];
    if (of?.type !== "send") return;
    const { conn, fcall: t } = of;
    if (t.type === Tcreate && e.fcall.type === Rcreate) {
      const dir = this.name(r, { conn, event }, t.fid);
      if (dir !== undefined) this.#put(conn, t.fid, { event, name: below(dir, [t.name]) });
    }
    // A fid that is given back may soon stand for something else.
    if (t.type === Tclunk || t.type === Tremove) this.#put(conn, t.fid, { event, name: null });
  }

  #put(conn: number, fid: number, m: Meaning): void {
    const key = `${conn} ${fid}`;
    const list = this.#of.get(key);
    if (list === undefined) this.#of.set(key, [m]);
    else list.push(m);
  }

  name(
    r: Recording,
    { conn, event }: { readonly conn: number; readonly event: number },
    fid: number,
  ): string | undefined {
    const list = this.#of.get(`${conn} ${fid}`) ?? [];
    let low = 0;
    for (let high = list.length; low < high;) {
      const mid = (low + high) >> 1;
      if ((list[mid]?.event ?? 0) <= event) low = mid + 1;
      else high = mid;
    }
    const meant = list[low - 1];
    if (meant !== undefined) return meant.name ?? undefined;
    // A fid that was made before the recording is a root, if the connection says so.
    return r.conns.find((c) => c.conn === conn)?.roots.includes(fid) === true ? "" : undefined;
  }
}

/** The name that elements lead to from a name: ("a/b", ["..", "c"]) → "a/c". */
export function below(name: string, elems: readonly string[]): string {
  const list = name === "" ? [] : name.split("/");
  for (const elem of elems) {
    if (elem === "..") list.pop();
    else list.push(elem);
  }
  return list.join("/");
}
