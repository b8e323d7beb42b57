// The client's end of a 9P connection that is under test: it sends what no good client would, and says of each answer
// what is wrong with it. A server that is silent for too long, or hangs up, is a finding like any other.

import { joined } from "../../../kernel/abi/bits.ts";
import { NOFID, NOTAG } from "../../../kernel/abi/const.ts";
import { convM2D } from "../../../kernel/abi/dir.ts";
import type { Dir, Qid } from "../../../kernel/abi/dir.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import * as F from "../../../kernel/abi/fcall.ts";
import type { Fcall, Rmsg, Tmsg } from "../../../kernel/abi/fcall.ts";
import { MESSAGES, fcallfmt } from "../../../kernel/abi/fcallfmt.ts";
import type { Sys } from "../../../syscalls/sys.ts";
import { dial } from "../dial.ts";

/** What a server did and should not have done. */
export class Wrong extends Error {}

/** A server that takes no call. */
export class Gone extends Wrong {}

/** Why a check could not be made. */
export class Skip extends Error {}

/** How a server is reached, and as whom. */
export type Target = {
  readonly addr: string;
  readonly uname: string;
  readonly aname: string;
  /** Milliseconds in which a server has to answer. */
  readonly patience: number;
};

/** What a server of 9P2000.L answers to what it does not like, to other versions too. */
const RLERROR = 7;

/** The longest frame that is read. */
const MAXFRAME = 4 * 1024 * 1024;
/** What clients offer usually. */
export const MSIZE: number = 8192 + 24;
/** The fid of the root, which open() attaches. */
export const ROOT = 0;

type Untagged<T> = T extends unknown ? Omit<T, "tag"> & { readonly tag?: number } : never;

/** A request; without a tag it gets one. */
export type Ask = Untagged<Tmsg>;

/** The name of a message, for what is said of it. */
export const named = (f: Fcall): string =>
  f.type === F.Rstat ? "Rstat" : fcallfmt(f).replace(/ tag \d+/, "");

export class Peer {
  readonly #sys: Sys;
  readonly #fd: number;
  readonly #target: Target;
  #left: Uint8Array = new Uint8Array(0);
  #tag = 1;
  #fid = 100;
  /** What was agreed on. */
  msize: number = MSIZE;
  version = "";

  private constructor(sys: Sys, fd: number, target: Target) {
    this.#sys = sys;
    this.#fd = fd;
    this.#target = target;
  }

  /** A connection on which nothing was said. */
  static async call(sys: Sys, target: Target): Promise<Peer> {
    await sys.alarm(target.patience);
    try {
      return new Peer(sys, await dial(sys, target.addr), target);
    } catch (e) {
      if (e instanceof PlanError) throw new Gone(`it takes no call: ${e.message}`);
      throw e;
    } finally {
      await sys.alarm(0);
    }
  }

  /** A connection with a version and the root attached. */
  static async open(sys: Sys, target: Target): Promise<Peer> {
    const p = await Peer.call(sys, target);
    await p.begin("9P2000");
    return p;
  }

  /** Agrees on a version, and attaches the root. */
  async begin(version: string): Promise<void> {
    const r = await this.agree(MSIZE, version);
    if (!r.version.startsWith("9P2000"))
      throw new Wrong(`it does not speak 9P2000: it answers ${r.version}`);
    await this.attach(ROOT);
  }

  async hangup(): Promise<void> {
    await this.#sys.close(this.#fd).catch(() => undefined);
  }

  /** A fid that was not used before. */
  newfid(): number {
    return this.#fid++;
  }

  newtag(): number {
    return this.#tag++ % NOTAG;
  }

  async raw(bytes: Uint8Array): Promise<void> {
    await this.#sys.alarm(this.#target.patience);
    try {
      for (let n = 0; n < bytes.length;)
        n += await this.#sys.write(this.#fd, bytes.subarray(n, n + 65_536));
    } catch (e) {
      // A server may hang up on what it does not like; the next read says so.
      if (!(e instanceof PlanError)) throw e;
    } finally {
      await this.#sys.alarm(0);
    }
  }

  async send(...fs: readonly Tmsg[]): Promise<void> {
    await this.raw(framesof(fs));
  }

  /** The next message; null when the server has hung up. Throws Wrong for what is no message, and for silence. */
  async next(): Promise<Fcall | null> {
    const frame = await this.frame();
    if (frame === null) return null;
    const f = F.convM2S(frame, 0, frame.length);
    if (f === null && frame[4] === RLERROR)
      throw new Wrong("an Rlerror, which is a message of 9P2000.L");
    if (f === null) throw new Wrong(`${malformed(frame)}: ${hex(frame)}`);
    if (F.isT(f)) throw new Wrong(`a request from the server: ${named(f)}`);
    return f;
  }

  async frame(): Promise<Uint8Array | null> {
    for (;;) {
      const left = this.#left;
      const size = left.length < 4 ? 0 : F.framesize(left, 0);
      if (left.length >= 4 && (size < 7 || size > MAXFRAME))
        throw new Wrong(`a frame of ${size} bytes`);
      if (left.length >= 4 && left.length >= size) {
        this.#left = left.slice(size);
        return left.slice(0, size);
      }
      const buf = new Uint8Array(65_536);
      const n = await this.#read(buf);
      if (n === 0) return null;
      this.#left = joined([left, buf.subarray(0, n)]);
    }
  }

  async #read(buf: Uint8Array): Promise<number> {
    const { patience } = this.#target;
    await this.#sys.alarm(patience);
    try {
      return await this.#sys.read(this.#fd, buf);
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      if (e.message === "interrupted") throw new Wrong(`no answer in ${patience} ms`);
      return 0;
    } finally {
      await this.#sys.alarm(0);
    }
  }

  /** The answer to one request: its reply, or an Rerror. */
  async rpc(ask: Ask): Promise<Rmsg> {
    const f = { ...ask, tag: ask.tag ?? this.newtag() } as Tmsg;
    await this.send(f);
    const r = await this.next().catch((e: unknown) => {
      throw e instanceof Wrong ? new Wrong(`${named(f)}: ${e.message}`) : e;
    });
    if (r === null) throw new Wrong(`${named(f)}: it hung up`);
    if (r.tag !== f.tag)
      throw new Wrong(`${named(f)} with tag ${f.tag}: the reply has tag ${r.tag}`);
    if (r.type !== F.Rerror && r.type !== f.type + 1)
      throw new Wrong(`${named(f)}: the reply is ${named(r)}`);
    return r as Rmsg;
  }

  /** A request that has to succeed. */
  async must<K extends Tmsg["type"]>(ask: Ask & { readonly type: K }): Promise<Reply<K>> {
    const r = await this.rpc(ask);
    if (r.type === F.Rerror)
      throw new Wrong(`${named({ ...ask, tag: 0 } as Tmsg)} failed: ${r.ename}`);
    return r as Reply<K>;
  }

  /** A request that has to fail; `what` says which. Gives the error. */
  async refused(ask: Ask, what: string): Promise<string> {
    const r = await this.rpc(ask);
    if (r.type === F.Rerror) return r.ename;
    throw new Wrong(`${what} was answered with ${named(r)}`);
  }

  /** Frames that may be answered with Rerror or a hang-up, and with nothing else. */
  async rejected(bytes: Uint8Array, what: string): Promise<void> {
    await this.raw(bytes);
    const r = await this.next();
    if (r !== null && r.type !== F.Rerror) throw new Wrong(`${what} was answered with ${named(r)}`);
  }

  async agree(msize: number, version: string): Promise<Reply<typeof F.Tversion>> {
    const r = await this.must({ type: F.Tversion, tag: NOTAG, msize, version });
    this.msize = r.msize;
    this.version = r.version;
    return r;
  }

  async attach(fid: number): Promise<Qid> {
    const { uname, aname } = this.#target;
    return (await this.must({ type: F.Tattach, fid, afid: NOFID, uname, aname })).qid;
  }

  async tryattach(fid: number, afid: number): Promise<Rmsg> {
    const { uname, aname } = this.#target;
    return await this.rpc({ type: F.Tattach, fid, afid, uname, aname });
  }

  async auth(afid: number): Promise<Rmsg> {
    const { uname, aname } = this.#target;
    return await this.rpc({ type: F.Tauth, afid, uname, aname });
  }

  /** A fid for a name; the walk has to come all the way. */
  async walk(names: readonly string[], fid: number = ROOT): Promise<number> {
    let at = fid;
    for (let i = 0; i === 0 || i < names.length; i += 16) {
      const wname = names.slice(i, i + 16);
      const newfid = this.newfid();
      const { wqid } = await this.must({ type: F.Twalk, fid: at, newfid, wname });
      if (wqid.length !== wname.length)
        throw new Wrong(`a walk of ${wname.join("/")} came ${wqid.length} names far`);
      if (at !== fid) await this.clunk(at);
      at = newfid;
    }
    return at;
  }

  async open(fid: number, mode: number): Promise<Reply<typeof F.Topen>> {
    return await this.must({ type: F.Topen, fid, mode });
  }

  /** A new file in a directory, open; its fid. */
  async create(dir: readonly string[], name: string, perm: number, mode = 2): Promise<number> {
    const fid = await this.walk(dir);
    await this.must({ type: F.Tcreate, fid, name, perm, mode });
    return fid;
  }

  async clunk(fid: number): Promise<void> {
    await this.must({ type: F.Tclunk, fid });
  }

  async read(fid: number, offset: number, count: number): Promise<Uint8Array> {
    const { data } = await this.must({ type: F.Tread, fid, offset, count });
    if (data.length > count)
      throw new Wrong(`a Tread of ${count} bytes was answered with ${data.length}`);
    return data;
  }

  async write(fid: number, offset: number, data: Uint8Array): Promise<number> {
    const { count } = await this.must({ type: F.Twrite, fid, offset, data });
    if (count > data.length)
      throw new Wrong(`a Twrite of ${data.length} bytes was answered with ${count}`);
    return count;
  }

  async stat(fid: number): Promise<Dir> {
    const { stat } = await this.must({ type: F.Tstat, fid });
    const e = convM2D(stat, 0, stat.length);
    if (e === null || e.next !== stat.length)
      throw new Wrong(`the stat entry of an Rstat is malformed: ${hex(stat)}`);
    return e.dir;
  }

  /** Whether a name is there. */
  async has(names: readonly string[]): Promise<boolean> {
    const newfid = this.newfid();
    const r = await this.rpc({ type: F.Twalk, fid: ROOT, newfid, wname: names });
    if (r.type !== F.Rwalk || r.wqid.length !== names.length) return false;
    await this.clunk(newfid);
    return true;
  }

  /** The entries of an open directory from its beginning on, in reads of so many bytes. */
  async entries(fid: number, count = 4096): Promise<Dir[]> {
    const list: Dir[] = [];
    for (let offset = 0; ;) {
      const data = await this.read(fid, offset, count);
      if (data.length === 0) return list;
      for (let at = 0; at < data.length;) {
        const e = convM2D(data, at, data.length);
        if (e === null)
          throw new Wrong(`a directory's read of ${count} bytes at ${offset} has no whole entries`);
        list.push(e.dir);
        at = e.next;
      }
      offset += data.length;
    }
  }
}

/** The reply to a request of a type. */
export type Reply<K extends Tmsg["type"]> = Extract<
  Rmsg,
  { readonly type: K extends keyof Next ? Next[K] : never }
>;

type Next = {
  [F.Tversion]: typeof F.Rversion;
  [F.Tauth]: typeof F.Rauth;
  [F.Tattach]: typeof F.Rattach;
  [F.Tflush]: typeof F.Rflush;
  [F.Twalk]: typeof F.Rwalk;
  [F.Topen]: typeof F.Ropen;
  [F.Tcreate]: typeof F.Rcreate;
  [F.Tread]: typeof F.Rread;
  [F.Twrite]: typeof F.Rwrite;
  [F.Tclunk]: typeof F.Rclunk;
  [F.Tremove]: typeof F.Rremove;
  [F.Tstat]: typeof F.Rstat;
  [F.Twstat]: typeof F.Rwstat;
  [F.Tstream]: typeof F.Rstream;
};

/** What to call a frame that is no message. */
function malformed(frame: Uint8Array): string {
  const [name] = [...MESSAGES].find(([, type]) => type === frame[4]) ?? [];
  if (name === undefined) return `a frame of type ${frame[4]}, which no message has`;
  const names = frame[4] === F.Rwalk ? ` of ${(frame[7] ?? 0) + 256 * (frame[8] ?? 0)} qids` : "";
  return `a malformed ${name}${names}`;
}

/** The bytes of some messages. */
export function framesof(fs: readonly Tmsg[]): Uint8Array {
  return joined(
    fs.map((f) => {
      const buf = new Uint8Array(F.sizeS2M(f));
      F.convS2M(f, buf, 0);
      return buf;
    }),
  );
}

/** Bytes that are shown of a frame. */
const SHOWN = 32;

export function hex(b: Uint8Array): string {
  const some = [...b.subarray(0, SHOWN)].map((x) => x.toString(16).padStart(2, "0")).join(" ");
  return b.length > SHOWN ? `${some} ... (${b.length} bytes)` : some;
}
