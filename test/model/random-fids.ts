// The fids that servers have, counted from the messages: an account of its own, apart from the kernel's.

import {
  Rerror,
  Tattach,
  Tauth,
  Tclunk,
  Tflush,
  Tremove,
  Tstream,
  Rstream,
  Tversion,
  Twalk,
  isT,
} from "../../kernel/abi/fcall.ts";
import type { Fcall, Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import type { Trace } from "../../kernel/trace.ts";

type Server = { readonly fids: Set<number>; readonly tags: Map<number, Tmsg[]> };

export class Fidcount {
  readonly #servers: Map<number, Server> = new Map();

  constructor(trace: Trace) {
    trace.listen((e) => {
      if (e.type === "conn" && (e.what === "close" || e.what === "hangup"))
        this.#servers.delete(e.conn);
      if (e.type === "send" || e.type === "receive") this.#message(this.#server(e.conn), e.fcall);
    });
  }

  #server(conn: number): Server {
    const known = this.#servers.get(conn);
    if (known !== undefined) return known;
    const s: Server = { fids: new Set(), tags: new Map() };
    this.#servers.set(conn, s);
    return s;
  }

  #message(s: Server, f: Fcall): void {
    if (isT(f)) {
      s.tags.set(f.tag, [...(s.tags.get(f.tag) ?? []), f]);
      return;
    }
    const list = s.tags.get(f.tag) ?? [];
    const t = list[0];
    if (t === undefined) throw new Error(`an answer to nothing, tag ${f.tag}`);
    if (t.type === Tstream && f.type === Rstream && !over(t, f)) return;
    s.tags.set(f.tag, list.slice(1));
    answered(s, t, f as Rmsg);
  }

  /** All fids of all servers. */
  count(): number {
    let n = 0;
    for (const s of this.#servers.values()) n += s.fids.size;
    return n;
  }
}

const left = new WeakMap<Tmsg, number>();

/** Whether this frame ends the run. */
function over(
  t: Extract<Tmsg, { type: typeof Tstream }>,
  f: Extract<Fcall, { type: typeof Rstream }>,
): boolean {
  const rest = (left.get(t) ?? Number(t.count)) - f.data.length;
  left.set(t, rest);
  return f.data.length === 0 || rest <= 0;
}

function answered(s: Server, t: Tmsg, r: Rmsg): void {
  const failed = r.type === Rerror;
  switch (t.type) {
    case Tversion:
      s.fids.clear();
      break;
    case Tattach:
      if (!failed) s.fids.add(t.fid);
      break;
    case Tauth:
      if (!failed) s.fids.add(t.afid);
      break;
    case Twalk:
      if (!failed && "wqid" in r && r.wqid.length === t.wname.length) s.fids.add(t.newfid);
      break;
    case Tclunk:
    case Tremove:
      s.fids.delete(t.fid);
      break;
    case Tflush:
      s.tags.set(t.oldtag, []);
      break;
    default:
  }
}
