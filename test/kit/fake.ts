// A 9P server whose answers a test can choose. A request that the test does not answer is answered truly, about files that
// are all alike. The server runs in the test's process, at the other end of a pipe.

import { DMDIR, MCREATE, MREPL, QTDIR } from "../../kernel/abi/const.ts";
import type { Qid } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { Frames, pack, packdir } from "./frames.ts";

/** An answer: a message, or bytes as they are. */
export type Said = F.Fcall | Uint8Array;

/** What the test answers to a request; null leaves it to the fake. */
export type Lie = (t: F.Tmsg) => readonly Said[] | null;

/** Names that begin with d are directories, the others files of 100 bytes. */
export const qidof = (name: string): Qid => ({
  path: BigInt(name.length),
  vers: name.startsWith("d") ? 0 : 1,
  type: name.startsWith("d") ? QTDIR : 0,
});

export class Fake {
  /** The requests so far. */
  readonly heard: F.Tmsg[] = [];
  /** Resolves when the kernel has hung up. */
  readonly over: Promise<void>;
  lie: Lie = () => null;
  msize = 8192;
  version = "9P2000.ix";
  readonly #sys: Sys;
  readonly #fd: number;

  constructor(sys: Sys, fd: number) {
    this.#sys = sys;
    this.#fd = fd;
    this.over = this.#serve();
  }

  /** Makes one, and gives the descriptor of its client's end. */
  static async pipe(sys: Sys): Promise<readonly [fake: Fake, fd: number]> {
    const [mine, theirs] = await sys.pipe();
    return [new Fake(sys, mine), theirs];
  }

  /** Makes one and mounts it. */
  static async mount(sys: Sys, dir: string, how: Partial<Fake> = {}): Promise<Fake> {
    const [fake, fd] = await Fake.pipe(sys);
    Object.assign(fake, how);
    await sys.mount(fd, -1, dir, MREPL | MCREATE, "");
    return fake;
  }

  async #serve(): Promise<void> {
    const buf = new Uint8Array(1 << 20);
    const frames = new Frames();
    for (;;) {
      const n = await this.#sys.read(this.#fd, buf).catch(interrupted);
      if (n === 0) break;
      for (const frame of frames.add(buf.subarray(0, Math.max(0, n)))) {
        const t = F.convM2S(frame, 0, frame.length);
        if (t !== null && F.isT(t)) await this.#answer(t);
      }
    }
    await this.#sys.close(this.#fd);
  }

  async #answer(t: F.Tmsg): Promise<void> {
    this.heard.push(t);
    for (const said of this.lie(t) ?? [this.truth(t)]) await this.say(said);
  }

  /** Sends something, to a client that may be gone. */
  async say(said: Said): Promise<void> {
    const bytes = said instanceof Uint8Array ? said : pack(said);
    await this.#sys.write(this.#fd, bytes).catch(() => 0);
  }

  /** The honest answer. */
  truth(t: F.Tmsg): F.Rmsg {
    const { tag } = t;
    const d = qidof("d");
    switch (t.type) {
      case F.Tversion:
        return {
          type: F.Rversion,
          tag,
          msize: Math.min(this.msize, t.msize),
          version: this.version,
        };
      case F.Tattach:
        return { type: F.Rattach, tag, qid: d };
      case F.Twalk:
        return { type: F.Rwalk, tag, wqid: t.wname.map(qidof) };
      case F.Topen:
        return { type: F.Ropen, tag, qid: qidof("f"), iounit: 0 };
      case F.Tcreate:
        return { type: F.Rcreate, tag, qid: qidof("f"), iounit: 0 };
      case F.Tread:
        return { type: F.Rread, tag, data: new Uint8Array(Math.min(100, t.count)) };
      case F.Twrite:
        return { type: F.Rwrite, tag, count: t.data.length };
      case F.Tstat:
        return { type: F.Rstat, tag, stat: ENTRY };
      case F.Twstat:
        return { type: F.Rwstat, tag };
      case F.Tclunk:
        return { type: F.Rclunk, tag };
      case F.Tremove:
        return { type: F.Rremove, tag };
      case F.Tflush:
        return { type: F.Rflush, tag };
      default:
        return { type: F.Rerror, tag, ename: "not here" };
    }
  }
}

/** A note of the test's own process is not the fake's business. */
const interrupted = (e: unknown): number =>
  e instanceof Error && e.message === "interrupted" ? -1 : 0;

const who = { uid: "u", gid: "u", muid: "u", atime: 0, mtime: 0, type: 0, dev: 0 };
const ENTRY = packdir({ ...who, name: "d", qid: qidof("d"), mode: DMDIR, length: 0 });
