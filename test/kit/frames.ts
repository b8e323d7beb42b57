// Messages as bytes, and back: what clients and servers that are made by hand share.

import { joined } from "../../kernel/abi/bits.ts";
import { convD2M, sizeD2M, wstatdir } from "../../kernel/abi/dir.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Fcall, Rmsg } from "../../kernel/abi/fcall.ts";

/** The bytes of messages, one after another. */
export function pack(...fs: readonly Fcall[]): Uint8Array {
  const buf = new Uint8Array(fs.reduce((n, f) => n + F.sizeS2M(f), 0));
  fs.reduce((at, f) => F.convS2M(f, buf, at), 0);
  return buf;
}

/** The bytes of an entry; what is not given is what a wstat leaves alone. */
export function packdir(d: Partial<Dir>): Uint8Array {
  const all = wstatdir(d);
  const buf = new Uint8Array(sizeD2M(all));
  convD2M(all, buf, 0);
  return buf;
}

/** A frame that has to be a reply. */
export function reply(frame: Uint8Array): Rmsg {
  const f = F.convM2S(frame, 0, frame.length);
  if (f === null || F.isT(f)) throw new Error(`no reply: ${frame.join(" ")}`);
  return f;
}

/** Cuts what a connection brings into frames, and keeps what is no whole one yet. */
export class Frames {
  #left: Uint8Array = new Uint8Array(0);

  add(...chunks: readonly Uint8Array[]): Uint8Array[] {
    const all = joined([this.#left, ...chunks]);
    const list: Uint8Array[] = [];
    let at = 0;
    while (all.length - at >= 4 && all.length - at >= F.framesize(all, at)) {
      const n = F.framesize(all, at);
      if (n < 7) throw new Error(`a frame of ${n} bytes`);
      list.push(all.slice(at, at + n));
      at += n;
    }
    this.#left = all.slice(at);
    return list;
  }
}
