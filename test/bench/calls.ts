// A client of a 9P server with any number of calls under way, each with a tag of its own.

import { connect } from "node:net";
import type { Socket } from "node:net";
import { NOTAG } from "../../kernel/abi/const.ts";
import { convD2M, sizeD2M, wstatdir } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import { frame } from "./wire.ts";

const NONE: Uint8Array = new Uint8Array(0);
/** Bytes of a write that are sent from where they are. */
const BIG = 4096;

type Waiter = { readonly done: (r: Fcall) => void; readonly fail: (e: Error) => void };

export class Calls {
  readonly #socket: Socket;
  readonly #waiting: Map<number, Waiter> = new Map();
  readonly #free: number[] = [];
  #ntag = 0;
  #parts: Buffer[] = [];
  #length = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#data(chunk));
    const failed = (e: Error): void => {
      for (const w of this.#waiting.values()) w.fail(e);
      this.#waiting.clear();
    };
    socket.on("error", failed);
    socket.on("close", () => failed(new Error("the server hung up")));
  }

  static async dial(port: number): Promise<Calls> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Calls(socket);
  }

  /**
   * One call; its tag is chosen here, but for Tversion's. An Rerror throws. A write's data may be changed only when the
   * answer is there.
   */
  rpc(f: Fcall): Promise<Fcall> {
    const tag = f.type === F.Tversion ? NOTAG : (this.#free.pop() ?? this.#ntag++);
    return new Promise((done, fail) => {
      this.#waiting.set(tag, { done, fail });
      if (f.type === F.Twrite && f.data.length >= BIG) this.#write({ ...f, tag });
      else this.#socket.write(frame({ ...f, tag }));
    });
  }

  /** Sends a long write without a copy of its data, which stay as they are until the answer. */
  #write(f: Extract<Fcall, { readonly type: typeof F.Twrite }>): void {
    const head = frame({ ...f, data: NONE });
    head.writeUInt32LE(head.length + f.data.length, 0);
    head.writeUInt32LE(f.data.length, head.length - 4);
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(f.data);
    this.#socket.uncork();
  }

  /** A wstat that changes nothing: what was written before is safe. */
  async sync(fid: number): Promise<void> {
    const d = wstatdir({});
    const stat = new Uint8Array(sizeD2M(d));
    convD2M(d, stat, 0);
    await this.rpc({ type: F.Twstat, tag: 0, fid, stat });
  }

  close(): void {
    this.#waiting.clear();
    this.#socket.destroy();
  }

  #data(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    const [first] = this.#parts;
    // Only when the frame is whole are its parts put together.
    if (first === undefined || (first.length >= 4 && this.#length < first.readUInt32LE(0))) return;
    const buf = this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    let at = 0;
    while (buf.length - at >= 4 && buf.length - at >= buf.readUInt32LE(at)) {
      const size = buf.readUInt32LE(at);
      this.#take(buf.subarray(at, at + size));
      at += size;
    }
    this.#parts = at === buf.length ? [] : [buf.subarray(at)];
    this.#length = buf.length - at;
  }

  #take(bytes: Buffer): void {
    const r = F.convM2S(bytes, 0, bytes.length);
    if (r === null) throw new Error("a malformed reply");
    const waiter = this.#waiting.get(r.tag);
    this.#waiting.delete(r.tag);
    if (r.tag !== NOTAG) this.#free.push(r.tag);
    if (r.type === F.Rerror) waiter?.fail(new Error(r.ename));
    else waiter?.done(r);
  }
}
