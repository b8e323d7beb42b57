// A client that speaks 9P itself, as a program in a kernel: it sends what it likes and reads what comes.

import { joined } from "../../kernel/abi/bits.ts";
import { type Rmsg, type Tmsg, convM2S, framesize, isT } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { dial } from "../../userland/lib/dial.ts";
import { frames } from "./rig.ts";

export class Rawclient {
  readonly sys: Sys;
  readonly fd: number;
  #left: Uint8Array = new Uint8Array(0);

  private constructor(sys: Sys, fd: number) {
    this.sys = sys;
    this.fd = fd;
  }

  static async dial(sys: Sys, addr: string): Promise<Rawclient> {
    return new Rawclient(sys, await dial(sys, addr));
  }

  async send(...fs: readonly Tmsg[]): Promise<void> {
    await this.sys.write(this.fd, frames(...fs));
  }

  /** The next message; null when the server has hung up. */
  async next(): Promise<Rmsg | null> {
    for (;;) {
      const frame = this.#frame();
      if (frame !== null) {
        const f = convM2S(frame, 0, frame.length);
        if (f === null || isT(f)) throw new Error(`no reply: ${frame.join(" ")}`);
        return f;
      }
      const buf = new Uint8Array(65536);
      const n = await this.sys.read(this.fd, buf).catch(() => 0);
      if (n === 0) return null;
      this.#left = joined([this.#left, buf.subarray(0, n)]);
    }
  }

  #frame(): Uint8Array | null {
    const left = this.#left;
    if (left.length < 4 || left.length < framesize(left, 0)) return null;
    const n = framesize(left, 0);
    this.#left = left.subarray(n);
    return left.slice(0, n);
  }

  /** Sends requests, and gives as many replies as there are requests; fewer if the server hangs up. */
  async rpc(...fs: readonly Tmsg[]): Promise<Rmsg[]> {
    await this.send(...fs);
    const replies: Rmsg[] = [];
    while (replies.length < fs.length) {
      const r = await this.next();
      if (r === null) break;
      replies.push(r);
    }
    return replies;
  }

  async close(): Promise<void> {
    await this.sys.close(this.fd);
  }
}
