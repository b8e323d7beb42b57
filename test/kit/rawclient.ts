// A client that speaks 9P itself, as a program in a kernel: it sends what it likes and reads what comes.

import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { dial } from "../../userland/lib/dial.ts";
import { Frames, pack, reply } from "./frames.ts";
import { said } from "./msg.ts";

export class Rawclient {
  readonly sys: Sys;
  readonly fd: number;
  readonly #frames = new Frames();
  readonly #come: Rmsg[] = [];

  constructor(sys: Sys, fd: number) {
    this.sys = sys;
    this.fd = fd;
  }

  static async dial(sys: Sys, addr: string): Promise<Rawclient> {
    return new Rawclient(sys, await dial(sys, addr));
  }

  async send(...fs: readonly Tmsg[]): Promise<void> {
    await this.sys.write(this.fd, pack(...fs));
  }

  /** The next message; null when the server has hung up. */
  async next(): Promise<Rmsg | null> {
    const buf = new Uint8Array(65536);
    while (this.#come.length === 0) {
      const n = await this.sys.read(this.fd, buf).catch(() => 0);
      if (n === 0) return null;
      this.#come.push(...this.#frames.add(buf.subarray(0, n)).map(reply));
    }
    return this.#come.shift() ?? null;
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

  /** Requests in turn, each after the reply to the one before: what each reply says. */
  async ask(...fs: readonly Tmsg[]): Promise<string[]> {
    const list: string[] = [];
    for (const f of fs) list.push(...(await this.rpc(f)).map(said));
    return list;
  }

  async close(): Promise<void> {
    await this.sys.close(this.fd);
  }
}
