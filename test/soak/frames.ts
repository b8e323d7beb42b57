// Frames for the fuzzer: requests that a client could send, given what it has sent before, with one thing wrong
// now and then. All is decided by one source of chance, so a seed makes them again.
//
//	one request in 12    a field that has nothing to do with the session: a fid, a count, an offset, a name
//	one frame in 30      spoilt bytes: a wrong size, a tail cut off or too much, a byte changed, another type
//	one in 100           Tversion in the middle; one in 60 a storm of Tflush

import { joined } from "../../kernel/abi/bits.ts";
import { DMDIR, NOFID, NOTAG } from "../../kernel/abi/const.ts";
import { convD2M, nulldir, sizeD2M } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Chance } from "../../kernel/proc/sched.ts";

/** Who the hostile clients are, and the directory where they may do what they like. */
const HOSTILE = "eve";
export const OPENDIR = "open";

const VERSIONS: readonly string[] = ["9P2000", "9P2000.ix", "9P2000.ix.stream", "9P2000.L", "9"];
const NAMES: readonly string[] = ["f", "g", "d", "d/e", "new", "..", ".", "nope"];
/** Of these names, those that a walk finds. */
export const WALKED: readonly string[] = NAMES.filter((name) => /^\w+$/.test(name));
const ODDNAMES: readonly string[] = ["", "a/b", "a\0b", "x".repeat(255), "x".repeat(256), "\udcff"];
const LONGNAMES: readonly string[] = ["x".repeat(8192), "x".repeat(8193), "x".repeat(65535)];
const OFFSETS: readonly number[] = [0, 0, 0, 1, 4096, 100_000, 2 ** 32, 2 ** 53, 2 ** 63];
const COUNTS: readonly number[] = [0, 1, 100, 8192, 65536, 1_048_576, 0xffffffff];
const MODES: readonly number[] = [0, 0, 1, 2, 3, 16, 17, 64, 66, 0x81, 255];
const NFID = 8;
const NTAG = 6;

/** What a client sends next. */
export class Frames {
  readonly #pick: Chance;
  readonly #newnames: readonly string[];

  /** `newnames` are those that a wstat gives a file. */
  constructor(pick: Chance, newnames: readonly string[] = NAMES) {
    this.#pick = pick;
    this.#newnames = newnames;
  }

  /** The bytes that begin a session. */
  hello(): Uint8Array {
    const version = this.#of(VERSIONS.slice(0, 3));
    const msize = this.#of([256, 8216, 65560, 1 << 20]);
    const list: Tmsg[] = [
      { type: F.Tversion, tag: NOTAG, msize, version },
      { type: F.Tattach, tag: 1, fid: 0, afid: NOFID, uname: HOSTILE, aname: "" },
      { type: F.Twalk, tag: 1, fid: 0, newfid: 0, wname: [OPENDIR] },
    ];
    return pack(list);
  }

  /** The bytes of n requests. */
  next(n: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < n; i++) {
      if (this.#one(60)) parts.push(pack(this.#storm()));
      const bytes = pack([this.#request()]);
      parts.push(this.#one(30) ? this.#spoil(bytes) : bytes);
    }
    return joined(parts);
  }

  #one(n: number): boolean {
    return this.#pick(n) === 0;
  }

  #of<T>(list: readonly T[]): T {
    return list[this.#pick(list.length)] as T;
  }

  #fid(): number {
    return this.#one(25) ? this.#of([NOFID, 1000, 0x7fffffff]) : this.#pick(NFID);
  }

  #tag(): number {
    return this.#one(40) ? this.#of([NOTAG, 500]) : this.#pick(NTAG);
  }

  #name(): string {
    if (this.#one(300)) return this.#of(LONGNAMES);
    return this.#one(15) ? this.#of(ODDNAMES) : this.#of(NAMES);
  }

  #names(): string[] {
    if (this.#one(20)) return Array.from({ length: this.#pick(17) }, () => this.#of(NAMES));
    const name = this.#name();
    return name === "d/e" ? ["d", "e"] : [name];
  }

  #offset(): number {
    return this.#one(12) ? this.#of(OFFSETS) : this.#pick(200);
  }

  #count(): number {
    return this.#one(12) ? this.#of(COUNTS) : this.#pick(2000);
  }

  #storm(): Tmsg[] {
    return Array.from({ length: 1 + this.#pick(20) }, () => this.#flush());
  }

  #flush(): Tmsg {
    return { type: F.Tflush, tag: this.#one(9) ? this.#tag() : NTAG, oldtag: this.#tag() };
  }

  #request(): Tmsg {
    if (this.#one(100)) return this.#version();
    const [tag, fid] = [this.#tag(), this.#fid()];
    const kind = this.#pick(20);
    if (kind < 4) return this.#walk(tag, fid);
    if (kind < 7) return { type: F.Topen, tag, fid, mode: this.#of(MODES) };
    if (kind < 9) return this.#create(tag, fid);
    if (kind < 14) return this.#io(tag, fid);
    if (kind < 17) return { type: this.#of([F.Tclunk, F.Tremove, F.Tstat]), tag, fid };
    if (kind < 18) return { type: F.Twstat, tag, fid, stat: this.#stat() };
    return kind < 19 ? this.#attach(tag, fid) : this.#flush();
  }

  #version(): Tmsg {
    const msize = this.#of([0, 255, 256, 8216, 0xffffffff]);
    return { type: F.Tversion, tag: this.#one(5) ? 1 : NOTAG, msize, version: this.#of(VERSIONS) };
  }

  #walk(tag: number, fid: number): Tmsg {
    const wname = this.#one(4) ? [] : this.#names();
    return { type: F.Twalk, tag, fid, newfid: this.#fid(), wname };
  }

  #create(tag: number, fid: number): Tmsg {
    const perm = this.#one(4) ? DMDIR + 0o777 : this.#of([0o666, 0o600, 0, 0xffffffff]);
    return { type: F.Tcreate, tag, fid, name: this.#name(), perm, mode: this.#of(MODES) };
  }

  #io(tag: number, fid: number): Tmsg {
    const offset = this.#offset();
    if (this.#one(3)) return { type: F.Tread, tag, fid, offset, count: this.#count() };
    const data = new Uint8Array(this.#one(50) ? 9000 : this.#pick(300)).fill(97);
    if (this.#one(2)) return { type: F.Twrite, tag, fid, offset, data };
    const count = this.#one(8) ? Infinity : this.#count();
    return { type: F.Tstream, tag, fid, offset, count };
  }

  #attach(tag: number, fid: number): Tmsg {
    const uname = this.#one(20) ? this.#name() : HOSTILE;
    const [aname, afid] = [this.#one(9) ? this.#name() : "", this.#one(20) ? fid : NOFID];
    if (this.#one(9)) return { type: F.Tauth, tag, afid: fid, uname, aname };
    return { type: F.Tattach, tag, fid, afid, uname, aname };
  }

  /** The entry of a wstat: some fields to change, and now and then sizes inside that disagree. */
  #stat(): Uint8Array {
    const d = {
      ...nulldir(),
      ...(this.#one(3) && { name: this.#of(this.#newnames) }),
      ...(this.#one(3) && { length: this.#offset() }),
      ...(this.#one(3) && { mode: this.#pick(0o1000) }),
      ...(this.#one(5) && { gid: this.#name() }),
    };
    const size = sizeD2M(d);
    const buf = new Uint8Array(size === Infinity ? 0 : size);
    convD2M(d, buf, 0);
    if (this.#one(4) && buf.length > 0) buf[this.#pick(buf.length)] = this.#pick(256);
    return this.#one(6) ? buf.subarray(0, this.#pick(buf.length + 1)) : buf;
  }

  #spoil(bytes: Uint8Array): Uint8Array {
    const b = bytes.slice();
    switch (this.#pick(12)) {
      case 0:
        b[this.#pick(4)] = this.#pick(256);
        return b;
      case 1:
        return b.subarray(0, this.#pick(b.length));
      case 2:
        return joined([b, new Uint8Array(1 + this.#pick(9)).fill(this.#pick(256))]);
      case 3:
        b[4] = 90 + this.#pick(45);
        return b;
      default:
        // The size stays right, so that the frame is taken for one.
        for (let n = 1 + this.#pick(3); n > 0; n--)
          b[4 + this.#pick(b.length - 4)] = this.#pick(256);
        return b;
    }
  }
}

/** The bytes of requests; one that no frame can hold is left out. */
function pack(list: readonly Tmsg[]): Uint8Array {
  return joined(
    list.map((f) => {
      const size = F.sizeS2M(f);
      const buf = new Uint8Array(size === Infinity ? 0 : size);
      const end = F.convS2M(f, buf, 0);
      return end < 0 ? new Uint8Array(0) : buf.subarray(0, end);
    }),
  );
}
