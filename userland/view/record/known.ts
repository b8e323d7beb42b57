// What a recording that begins late cannot ask the kernel for: the connections that are open and the fids of
// their roots. A Known listens all the time, keeps the events that say so, and tells them to a Recorder before
// its begin().

import { Rattach, Rerror, Tattach } from "../../../kernel/abi/fcall.ts";
import type { Event, Trace } from "../../../kernel/trace.ts";
import type { Recorder } from "./recorder.ts";

/** The events that a recorder would have noted, of what is still there. */
export class Known {
  readonly #conns = new Map<number, Event[]>();
  /** Connections and tags of attaches that have no answer yet. */
  readonly #asked = new Set<string>();

  /** Listens from now on, until the result is called. */
  listen(trace: Trace): () => void {
    return trace.listen((e) => this.#take(e));
  }

  /** Tells a recorder what is there now. */
  tell(recorder: Recorder): void {
    for (const list of this.#conns.values()) for (const e of list) recorder.take(e);
  }

  #take(e: Event): void {
    switch (e.type) {
      case "conn":
        if (e.what === "open") this.#conns.set(e.conn, [e]);
        else if (e.what === "close") this.#conns.delete(e.conn);
        return;
      case "send":
      case "receive":
        this.#message(e);
        return;
      default:
    }
  }

  /** An attach is kept with its answer: a recorder takes one without for a request that still waits. */
  #message(e: Event & { type: "send" | "receive" }): void {
    const { type, tag } = e.fcall;
    const key = `${e.conn} ${tag}`;
    if (type === Tattach) this.#asked.add(key);
    else if ((type !== Rattach && type !== Rerror) || !this.#asked.delete(key)) return;
    this.#conns.get(e.conn)?.push(e);
  }
}
