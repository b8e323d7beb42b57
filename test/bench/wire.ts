// A client as light as can be: it sends frames made beforehand and counts the frames that come back, so
// that what is measured is the server. It looks at nothing of an answer but its size, type and tag.

import { connect } from "node:net";
import type { Socket } from "node:net";
import { NOFID, NOTAG, OREAD, OWRITE } from "../../kernel/abi/const.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";

/** The frame of a message. */
export function frame(f: Fcall): Buffer {
  const buf = Buffer.alloc(F.sizeS2M(f));
  F.convS2M(f, buf, 0);
  return buf;
}

/** A connection to the server. */
export class Wire {
  readonly #socket: Socket;
  #had: Buffer = Buffer.alloc(0);
  #take: (frame: Buffer) => void = () => undefined;
  #failed: (e: Error) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#data(chunk));
    socket.on("error", (e) => this.#failed(e));
    socket.on("close", () => this.#failed(new Error("the server hung up")));
  }

  static async dial(port: number): Promise<Wire> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Wire(socket);
  }

  #data(chunk: Buffer): void {
    const buf = this.#had.length === 0 ? chunk : Buffer.concat([this.#had, chunk]);
    let at = 0;
    while (buf.length - at >= 4) {
      const size = buf.readUInt32LE(at);
      if (buf.length - at < size) break;
      this.#take(buf.subarray(at, at + size));
      at += size;
    }
    this.#had = buf.subarray(at);
  }

  /** One message and its answer; an Rerror throws. */
  async rpc(f: Fcall): Promise<Fcall> {
    const reply = await new Promise<Buffer>((resolve, reject) => {
      this.#take = resolve;
      this.#failed = reject;
      this.#socket.write(frame(f));
    });
    const r = F.convM2S(reply, 0, reply.length);
    if (r === null) throw new Error("a malformed reply");
    if (r.type === F.Rerror) throw new Error(r.ename);
    return r;
  }

  /** Sends the frame n times, at most `window` of them unanswered, each with a tag of its own. */
  pump(what: Buffer, n: number, window: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      let sent = 0;
      let got = 0;
      const size = what.length;
      const room = Buffer.alloc(size * window);
      let queued = 0;
      const queue = (tag: number): void => {
        what.copy(room, queued);
        room.writeUInt16LE(tag, queued + 5);
        queued += size;
        sent++;
      };
      const flush = (): void => {
        if (queued > 0) this.#socket.write(Buffer.from(room.subarray(0, queued)));
        queued = 0;
      };
      const flushsoon = window === 1 ? flush : (): void => queueMicrotask(flush);
      this.#take = (reply) => {
        if (reply[4] === F.Rerror) reject(new Error("Rerror"));
        got++;
        if (sent < n) {
          if (queued === 0) flushsoon();
          queue(reply.readUInt16LE(5));
          if (window === 1) flush();
        } else if (got === n) resolve(n);
      };
      for (let tag = 0; tag < Math.min(window, n); tag++) queue(tag);
      flush();
    });
  }

  close(): void {
    this.#failed = () => undefined;
    this.#socket.destroy();
  }
}

const ROOT = 0;
const FILE = 1;
const OPEN = 2;

/** A stat of a file, and a read of its one byte. */
export type Frames = { readonly stat: Buffer; readonly read: Buffer };

/** Makes a file of one byte and gives the frames that ask for it. */
export async function prepare(w: Wire): Promise<Frames> {
  const version = await w.rpc({ type: F.Tversion, tag: NOTAG, msize: 65560, version: "9P2000" });
  if (version.type !== F.Rversion) throw new Error("no Rversion");
  await w.rpc({ type: F.Tattach, tag: 0, fid: ROOT, afid: NOFID, uname: "glenda", aname: "" });
  await w.rpc({ type: F.Twalk, tag: 0, fid: ROOT, newfid: OPEN, wname: [] });
  await w.rpc({ type: F.Tcreate, tag: 0, fid: OPEN, name: "file", perm: 0o666, mode: OWRITE });
  await w.rpc({ type: F.Twrite, tag: 0, fid: OPEN, offset: 0, data: Buffer.from("x") });
  await w.rpc({ type: F.Tclunk, tag: 0, fid: OPEN });
  await w.rpc({ type: F.Twalk, tag: 0, fid: ROOT, newfid: FILE, wname: ["file"] });
  await w.rpc({ type: F.Twalk, tag: 0, fid: ROOT, newfid: OPEN, wname: ["file"] });
  await w.rpc({ type: F.Topen, tag: 0, fid: OPEN, mode: OREAD });
  return {
    stat: frame({ type: F.Tstat, tag: 0, fid: FILE }),
    read: frame({ type: F.Tread, tag: 0, fid: OPEN, offset: 0, count: 1 }),
  };
}
