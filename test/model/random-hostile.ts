// A hostile client of raw 9P. It has several tags at once on the same few fids, and sends requests that end a fid beside
// requests that use it. It flushes, begins new versions, and hangs up in the middle. It works below one directory only.
// What the server answers must still be 9P: replies to requests that were made.

import { ORCLOSE, OREAD, ORDWR, OTRUNC, OWRITE, DMDIR } from "../../kernel/abi/const.ts";
import { convD2M, nulldir, sizeD2M } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Chance } from "../../kernel/proc/sched.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { chance } from "../../userland/boot/boot.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { dial } from "../../userland/lib/dial.ts";
import { shred } from "../kit/rig.ts";
import { pack } from "../kit/frames.ts";

/** Whom it calls, what it speaks, and the directory that it works in. */
export type Attack = {
  readonly addr: string;
  readonly version: string;
  readonly dir: string;
  readonly seed: number;
  /** Told of each reply that is none. */
  readonly wrong: (text: string) => void;
};

const NOFID = 0xffffffff;
const MSIZE = 8192;
const NTAGS = 5;
const NFIDS = 4;
const NOTAG = 0xffff;
/** Connections of one client, bursts on each, and milliseconds between bursts. */
const CONNS = 3;
const BURSTS = 10;
const PAUSE = 25;
const NAMES: readonly string[] = ["f", "f", "g", "d", "nope"];

/** Makes connections and misuses them until it has had enough. */
export function* hostile(a: Attack, sys: ThreadSys): Task<Exit> {
  const pick = chance(a.seed);
  for (let n = 1 + pick(CONNS); n > 0; n--) {
    try {
      yield* new Hostile(sys, a, pick).run();
    } catch (e) {
      // Its call was refused: so it calls again.
      if (!(e instanceof PlanError)) throw e;
    }
  }
  return "";
}

class Hostile {
  readonly #sys: ThreadSys;
  readonly #attack: Attack;
  readonly #pick: Chance;
  /** Requests by tag that have had no reply. A flushed one may never have. */
  readonly #tags: Map<number, number> = new Map();

  constructor(sys: ThreadSys, attack: Attack, pick: Chance) {
    this.#sys = sys;
    this.#attack = attack;
    this.#pick = pick;
  }

  *run(): Task<void> {
    const sys = this.#sys;
    const pick = this.#pick;
    const fd = yield* dial(sys, this.#attack.addr);
    const threads = [sys.threadcreate(this.#writer(fd))];
    // One in six never reads what it is told.
    if (pick(6) > 0) threads.push(sys.threadcreate(this.#reader(fd)));
    yield* sys.sleep(pick(BURSTS * PAUSE));
    for (const n of threads) sys.threadint(n);
    yield* sys.close(fd);
  }

  *#writer(fd: number): Task<void> {
    const pick = this.#pick;
    try {
      yield* this.#send(fd, this.#begin());
      for (let n = pick(BURSTS); n >= 0; n--) {
        yield* this.#send(fd, this.#burst());
        if (pick(3) > 0) yield* this.#sys.sleep(pick(PAUSE));
      }
    } catch (e) {
      // The server hung up on it, or its own time is over.
      if (!(e instanceof PlanError)) throw e;
    }
  }

  *#send(fd: number, msgs: readonly Tmsg[]): Task<void> {
    for (const m of msgs) this.#tags.set(m.tag, (this.#tags.get(m.tag) ?? 0) + 1);
    const bytes = pack(...msgs);
    const chunks = this.#pick(4) === 0 ? shred(bytes, this.#pick) : [bytes];
    for (const c of chunks) yield* this.#sys.write(fd, c);
  }

  *#reader(fd: number): Task<void> {
    const buf = new Uint8Array(4 * MSIZE);
    let have = 0;
    try {
      for (;;) {
        const n = yield* this.#sys.read(fd, buf.subarray(have));
        if (n === 0) return;
        have += n;
        let at = 0;
        for (let size; have - at >= 4 && (size = F.framesize(buf, at)) <= have - at; at += size)
          if (!this.#reply(buf, at, size)) return;
        buf.copyWithin(0, at, have);
        have -= at;
      }
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }

  /** Whether a frame is a reply to something. */
  #reply(buf: Uint8Array, at: number, size: number): boolean {
    const f = size < 7 || size > MSIZE ? null : F.convM2S(buf, at, at + size);
    const asked = f === null ? 0 : (this.#tags.get(f.tag) ?? 0);
    if (f === null || F.isT(f) || asked === 0) {
      this.#attack.wrong(
        `no reply to a request: ${JSON.stringify(f, (_, v: unknown) => (typeof v === "bigint" ? Number(v) : v))}`,
      );
      return false;
    }
    if (f.type !== F.Rstream) this.#tags.set(f.tag, asked - 1);
    return true;
  }

  #begin(): Tmsg[] {
    const { version } = this.#attack;
    return [
      { type: F.Tversion, tag: NOTAG, msize: MSIZE, version },
      { type: F.Tattach, tag: 0, fid: 0, afid: NOFID, uname: "glenda", aname: "" },
      ...this.#two(() => this.#enter()),
    ];
  }

  #two(make: () => Tmsg): Tmsg[] {
    return [make(), make()];
  }

  #tag(): number {
    return this.#pick(NTAGS);
  }

  /** A fid that may be in use, but not the root's. */
  #fid(): number {
    return 1 + this.#pick(NFIDS);
  }

  #name(): string {
    return NAMES[this.#pick(NAMES.length)] ?? "f";
  }

  /** From the root below the directory, so that no fid but 0 is ever above it. */
  #enter(fid: number = this.#fid()): Tmsg {
    const more = this.#pick(3) === 0 ? ["d", this.#name()] : [this.#name()];
    return {
      type: F.Twalk,
      tag: this.#tag(),
      fid: 0,
      newfid: fid,
      wname: [this.#attack.dir, ...more],
    };
  }

  /** Some requests that are sent together. */
  #burst(): Tmsg[] {
    const pick = this.#pick;
    const fid = this.#fid();
    const other = this.#fid();
    const tag = this.#tag();
    const begin = {
      type: F.Twalk,
      tag,
      fid: 0,
      newfid: fid,
      wname: [this.#attack.dir, this.#name()],
    } as const;
    switch (pick(12)) {
      case 0:
        return [this.#stat(fid), this.#end(fid)];
      case 1:
        return [this.#open(fid), this.#end(fid)];
      case 2:
        return [this.#read(fid), this.#end(fid), this.#flush(), this.#flush()];
      case 3:
        return [begin, this.#open(fid), this.#read(fid), this.#write(fid), this.#end(fid)];
      case 4:
        return [begin, { ...this.#open(fid), tag }, { ...this.#write(fid), tag }, this.#flush(tag)];
      case 5:
        return [this.#clone(fid, other), this.#end(other), this.#end(fid)];
      case 6:
        return [this.#create(fid), this.#write(fid), this.#stat(fid), this.#end(fid)];
      case 7:
        return [this.#enter(fid), this.#open(fid), this.#enter(other), this.#open(other)];
      case 8:
        return [this.#wstat(fid), this.#stat(fid), this.#wstat(other)];
      case 9:
        return [this.#stream(fid), this.#read(fid), this.#flush(), this.#end(fid)];
      case 10:
        return pick(4) === 0 ? this.#begin() : [this.#end(fid), this.#end(fid), this.#enter(fid)];
      default:
        return Array.from({ length: 2 + pick(5) }, () => this.#any());
    }
  }

  #any(): Tmsg {
    const fid = this.#fid();
    const make = [
      (): Tmsg => this.#enter(fid),
      (): Tmsg => this.#open(fid),
      (): Tmsg => this.#read(fid),
      (): Tmsg => this.#write(fid),
      (): Tmsg => this.#stat(fid),
      (): Tmsg => this.#wstat(fid),
      (): Tmsg => this.#end(fid),
      (): Tmsg => this.#flush(),
      (): Tmsg => this.#clone(fid, this.#fid()),
    ];
    return (make[this.#pick(make.length)] ?? ((): Tmsg => this.#flush()))();
  }

  #stat(fid: number): Tmsg {
    return { type: F.Tstat, tag: this.#tag(), fid };
  }

  #open(fid: number): Tmsg {
    const modes = [OREAD, OREAD, ORDWR, OWRITE | OTRUNC, ORDWR | ORCLOSE];
    const mode = modes[this.#pick(modes.length)] ?? OREAD;
    return { type: F.Topen, tag: this.#tag(), fid, mode };
  }

  #create(fid: number): Tmsg {
    const perm = this.#pick(3) === 0 ? DMDIR + 0o777 : 0o666;
    const mode = perm === 0o666 ? ORDWR : OREAD;
    return { type: F.Tcreate, tag: this.#tag(), fid, name: this.#name(), perm, mode };
  }

  #read(fid: number): Tmsg {
    return { type: F.Tread, tag: this.#tag(), fid, offset: this.#pick(20), count: 4000 };
  }

  #stream(fid: number): Tmsg {
    if (!this.#attack.version.endsWith(".stream")) return this.#read(fid);
    return { type: F.Tstream, tag: this.#tag(), fid, offset: 0, count: 20_000 };
  }

  #write(fid: number): Tmsg {
    const data = new Uint8Array(1 + this.#pick(3000)).fill(1);
    return { type: F.Twrite, tag: this.#tag(), fid, offset: this.#pick(20), data };
  }

  #end(fid: number): Tmsg {
    return { type: this.#pick(2) === 0 ? F.Tclunk : F.Tremove, tag: this.#tag(), fid };
  }

  #flush(oldtag: number = this.#tag()): Tmsg {
    return { type: F.Tflush, tag: this.#tag(), oldtag };
  }

  #clone(fid: number, newfid: number): Tmsg {
    const wname = this.#pick(2) === 0 ? [] : [this.#name()];
    return { type: F.Twalk, tag: this.#tag(), fid, newfid, wname };
  }

  #wstat(fid: number): Tmsg {
    const d =
      this.#pick(2) === 0
        ? { ...nulldir(), name: this.#name() }
        : { ...nulldir(), length: this.#pick(9) };
    const stat = new Uint8Array(sizeD2M(d));
    convD2M(d, stat, 0);
    return { type: F.Twstat, tag: this.#tag(), fid, stat };
  }
}
