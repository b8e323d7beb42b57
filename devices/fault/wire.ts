// A connection with faults: it stands between the mount driver and the transport, and does to frames what
// Faults say. The mount driver meets what it would meet from a bad server, and the trace shows that.
//
// What it keeps of 9P, so that only what was asked for is wrong:
//  - the replies of one tag come in the order of the requests; what is delayed or lost delays or loses
//    what follows with its tag, and nothing else;
//  - a Tflush takes effect: what it finds delayed on its way there never happened, and the Rflush comes
//    behind what the server answered before it;
//  - a request that fails here changes nothing at the server; but a Tclunk, a Tremove and a Tflush cannot
//    fail without effect, so the server ends the fid, or the request, and its reply becomes the error;
//  - a fid that the client was not told of is ended at the server;
//  - with 9P2000.ix.stream, a Twrite that fails or comes short stops its tag and fid;
//  - a run that comes short ends there, as at the end of the file.

import { joined } from "../../kernel/abi/bits.ts";
import { cclose } from "../../kernel/chan.ts";
import type { Chan } from "../../kernel/chan.ts";
import type { Dev } from "../../kernel/dev.ts";
import { Ehungup, Eintr, Eio, PlanError, error } from "../../kernel/abi/errors.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Fcall, Tmsg } from "../../kernel/abi/fcall.ts";
import type { Filter, Kernel } from "../../kernel/kernel.ts";
import type { Timer } from "../../kernel/proc/clock.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { QLock, waitfor } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Coroutine } from "../../kernel/proc/sched.ts";
import { Line, Slot, clunkof, madeby, norun, pack, rerror, shorter } from "./line.ts";
import type { Held, Out } from "./line.ts";
import type { Connid, Effect, Faults } from "./faults.ts";
import { Stops } from "./stop.ts";
import { Frames } from "../mnt/frames.ts";

/** No frame is longer: the largest msize. */
const MAXFRAME = 1024 * 1024;
const NONE: Uint8Array = new Uint8Array(0);
/** Thrown into the reader where it sleeps in the transport: there is something for it. */
const WAKE: PlanError = new PlanError(Eintr);

/** The mount driver takes its tags from the other end. */
const LASTTAG = 0xfffe;

/** A frame from the server, whether it is the last for its request, and what it waits for. */
type Reply = {
  readonly f: Fcall;
  readonly frame: Uint8Array;
  readonly over: boolean;
  readonly wait: number;
};

/** A request that a fault has met: what happens to it, and the frames that go on to the server. */
type Spoilt = { t: Tmsg; effect: Effect; pass: Uint8Array[] };

class Faultwire implements Filter {
  readonly outside = false;
  readonly #k: Kernel;
  readonly #chan: Chan;
  readonly #dev: Dev;
  readonly #faults: Faults;
  #id: Connid;
  readonly #lines = new Map<number, Line>();
  readonly #stops = new Stops();
  /** Tags on which a run that was cut has come to its end. */
  readonly #cut = new Set<number>();
  readonly #frames = new Frames(MAXFRAME);
  /** For the client, in order. */
  readonly #ready: Uint8Array[] = [];
  /** The client's reader, while it sleeps in the transport. */
  #reading: Coroutine | null = null;
  readonly #wlock = new QLock("faults");
  readonly #timers = new Set<Timer>();
  /** Requests that the server has and did not answer. */
  #nasked = 0;
  #holding = false;
  /** Requests that go before all that the client sends now: those that were delayed, and the filter's own. */
  readonly #own: Uint8Array[] = [];
  /** Tags of the filter's own. */
  readonly #owntags = new Set<number>();
  /** The connection breaks: for the writer at once, for the reader when `ready` is read. */
  #broken = false;

  constructor(k: Kernel, chan: Chan, faults: Faults) {
    this.#k = k;
    this.#chan = chan;
    this.#dev = chan.dev;
    this.#faults = faults;
    this.#frames.whole = true;
    const peer = chan.dev.peer(chan);
    const names = peer === null ? [] : [peer, peer.replace(/!.*/, "")];
    this.#id = { conn: 0, names: [...names, chan.path.toString()] };
  }

  agreed(conn: number, version: string): void {
    this.#id = { ...this.#id, conn };
    this.#stops.on = version.startsWith("9P2000.ix.stream");
  }

  *write(up: Proc, _c: Chan, bytes: Uint8Array, off: number): Task<number> {
    if (this.#broken) error(Ehungup);
    const pass: Uint8Array[] = [];
    for (let o = 0; o < bytes.length && !this.#broken;) {
      const end = o + F.framesize(bytes, o);
      this.#request(bytes.subarray(o, end), pass);
      o = end;
    }
    yield* this.#send(up, joined(pass), off);
    if (this.#broken) {
      this.hangup();
      error(Ehungup);
    }
    return bytes.length;
  }

  *#send(up: Proc, bytes: Uint8Array, off: number): Task<void> {
    this.#holdclock();
    if (bytes.length === 0 && this.#own.length === 0) return;
    const q = this.#wlock;
    if (!q.canlock()) yield* q.lock();
    try {
      const own = this.#own.splice(0);
      const all = own.length === 0 ? bytes : joined([...own, bytes]);
      if (all.length > 0) yield* waitfor(this.#dev.write(up, this.#chan, all, off));
    } finally {
      q.unlock();
    }
  }

  *read(up: Proc, c: Chan, buf: Uint8Array): Task<number> {
    const b = yield* this.bread(up, c, buf.length);
    buf.set(b);
    return b.length;
  }

  *bread(_up: Proc, _c: Chan, n: number): Task<Uint8Array> {
    for (;;) {
      const b = this.#ready.shift();
      if (b !== undefined) {
        if (b.length > n) this.#ready.unshift(b.subarray(n));
        return b.subarray(0, n);
      }
      if (this.#broken) return NONE;
      const chunk = yield* this.#chunk(n);
      if (chunk === null) continue;
      if (chunk.length === 0) this.end();
      else this.#replies(chunk);
    }
  }

  /**
   * What the transport has; null when the reader was woken because there is something here. The kernel
   * reads, for whom the transport does not hold the clock: that is done here.
   */
  *#chunk(n: number): Task<Uint8Array | null> {
    const { proc0: up, sched } = this.#k;
    if (up === null) return NONE;
    this.#reading = sched.current;
    try {
      return yield* this.#chan.dev.bread(up, this.#chan, n);
    } catch (e) {
      if (e === WAKE) return null;
      if (e instanceof PlanError && e.message !== Eintr) this.end();
      throw e;
    } finally {
      this.#reading = null;
    }
  }

  hangup(): void {
    this.#dev.hangup(this.#chan);
    this.end();
  }

  /** The connection is over: nothing is held back any more. */
  end(): void {
    this.#broken = true;
    for (const t of this.#timers) this.#k.sched.cancel(t);
    this.#timers.clear();
    this.#lines.clear();
    this.#nasked = 0;
    this.#holdclock();
    this.#wake();
  }

  #wake(): void {
    if (this.#reading !== null) this.#k.sched.interrupt(this.#reading, WAKE);
  }

  /** While a server outside is to answer, virtual time stands still; while a delay lasts it does not. */
  #holdclock(): void {
    const hold = this.#nasked > 0 && this.#dev.outside;
    if (hold === this.#holding) return;
    this.#holding = hold;
    if (hold) this.#k.sched.hold();
    else this.#k.sched.release();
  }

  #after(ns: number, fn: () => void): void {
    const t = this.#k.sched.timer(ns, () => {
      this.#timers.delete(t);
      fn();
    });
    this.#timers.add(t);
  }

  #line(tag: number): Line {
    let line = this.#lines.get(tag);
    if (line === undefined) this.#lines.set(tag, (line = new Line()));
    return line;
  }

  #tidy(tag: number, line: Line): void {
    if (line.empty && this.#lines.get(tag) === line) this.#lines.delete(tag);
  }

  // Requests.

  #request(frame: Uint8Array, pass: Uint8Array[]): void {
    const t = F.convM2S(frame, 0, frame.length);
    if (t === null || !F.isT(t)) return void pass.push(frame);
    const line = this.#line(t.tag);
    const refused = this.#stops.refusal(t);
    const fault = this.#faults.take(t, this.#id);
    if (line.lost) return;
    const slot = new Slot(t);
    line.slots.push(slot);
    if (refused !== null) this.#answer(line, slot, refused);
    else if (fault === null) this.#pass(line, { frame, slot, wait: 0 }, pass);
    else this.#spoil(line, { frame, slot, wait: 0 }, { t, effect: fault.do(), pass });
  }

  #spoil(line: Line, h: Held, { t, effect, pass }: Spoilt): void {
    const { slot, frame } = h;
    switch (effect.what) {
      case "error":
        this.#stops.add(t, effect.ename);
        if (t.type !== F.Tclunk && t.type !== F.Tremove && t.type !== F.Tflush)
          return this.#answer(line, slot, effect.ename);
        slot.ename = effect.ename;
        return this.#pass(
          line,
          { slot, wait: 0, frame: t.type === F.Tremove ? clunkof(t) : frame },
          pass,
        );
      case "delay":
        h.wait = 1;
        line.held.push({ ...h, frame: frame.slice() });
        return this.#after(effect.ns, () => this.#ripe(line, slot));
      case "drop":
        line.lost = true;
        return;
      case "hangup":
        this.#broken = true;
        return;
      case "short":
        return this.#pass(line, this.#shorten(t, h, effect.bytes), pass);
    }
  }

  #shorten(t: Tmsg, h: Held, bytes: number): Held {
    const less = shorter(t, bytes);
    if (less === null) return h;
    this.#stops.add(t, Eio);
    const { slot } = h;
    slot.cut = t.type === F.Tstream;
    slot.left = Math.min(slot.left, bytes);
    return { slot, wait: h.wait, frame: pack(less) };
  }

  /** Fails a request that the server never sees. */
  #answer(line: Line, slot: Slot, ename: string): void {
    slot.out.push({ frame: rerror(slot.t.tag, ename), wait: 0 });
    slot.over = true;
    this.#give(slot.t.tag, line);
  }

  #pass(line: Line, h: Held, pass: Uint8Array[]): void {
    if (line.held.length > 0) line.held.push({ ...h, frame: h.frame.slice() });
    else pass.push(this.#leave(line, h));
  }

  #leave(line: Line, { slot, frame }: Held): Uint8Array {
    if (slot.t.type === F.Tflush) this.#lines.get(slot.t.oldtag)?.flushed();
    line.asked.push(slot);
    this.#nasked++;
    return frame;
  }

  /** The time of a delayed request has come. */
  #ripe(line: Line, slot: Slot): void {
    const h = line.held.find((x) => x.slot === slot);
    if (h === undefined) return;
    h.wait = 0;
    const frames = [...line.leaving()].map((x) => this.#leave(line, x));
    if (frames.length === 0) return;
    this.#own.push(...frames);
    this.#sendown();
  }

  #sendown(): void {
    this.#chan.incref();
    this.#k.kproc("delayed request", this.#late());
  }

  *#late(): Task<void> {
    const up = this.#k.proc0;
    try {
      if (up !== null && !this.#broken) yield* this.#send(up, NONE, 0);
    } catch (e) {
      // That the connection is gone its reader says.
      if (!(e instanceof PlanError)) throw e;
    } finally {
      yield* cclose(this.#chan);
    }
  }

  // Replies.

  #replies(chunk: Uint8Array): void {
    this.#frames.add(chunk);
    for (let f = this.#frames.next(); f instanceof Uint8Array; f = this.#frames.next()) {
      if (this.#broken) break;
      this.#reply(f);
    }
    if (this.#frames.broken) this.#ready.push(chunk);
    this.#holdclock();
  }

  #reply(frame: Uint8Array): void {
    const f = F.convM2S(frame, 0, frame.length);
    const line = f === null ? undefined : this.#lines.get(f.tag);
    const slot = line?.asked[0];
    if (f !== null && this.#owntags.delete(f.tag)) return;
    if (f !== null && slot?.t.type !== F.Tstream && this.#stray(f)) return;
    if (f === null || line === undefined || slot === undefined) return void this.#ready.push(frame);
    const over = slot.answered(f);
    if (over) {
      line.asked.shift();
      this.#nasked--;
      if (slot.cut) this.#cut.add(f.tag);
    }
    if (!slot.mute) {
      const { ename } = slot;
      const effect =
        ename === null ? this.#faults.take(f, this.#id)?.do() : ({ what: "error", ename } as const);
      this.#spoilreply(line, slot, { f, frame, over, wait: 0 }, effect);
      const last = slot.out.at(-1);
      if (slot.t.type === F.Tflush && slot.over && last !== undefined)
        this.#rflush(line, slot.t, last);
    }
    this.#give(f.tag, line);
  }

  /** The end of a run of a directory, which comes also when all that was asked for has come. */
  #stray(f: Fcall): boolean {
    return f.type === F.Rstream && f.data.length === 0 && this.#cut.delete(f.tag);
  }

  #spoilreply(line: Line, slot: Slot, r: Reply, effect: Effect | undefined): void {
    const { f } = r;
    switch (effect?.what) {
      case undefined:
        return void this.#keep(slot, r);
      case "error":
        slot.out.push({ frame: rerror(f.tag, effect.ename), wait: 0 });
        slot.over = slot.mute = true;
        this.#undo(madeby(slot.t, f));
        return this.#stopasked(line, slot.t, effect.ename);
      case "delay": {
        const late = this.#keep(slot, { ...r, wait: 1 });
        return this.#after(effect.ns, () => this.#ripereply(f.tag, late));
      }
      case "drop":
        slot.mute = true;
        slot.made = madeby(slot.t, f);
        return;
      case "hangup":
        return this.hangup();
      case "short": {
        const less = shorter(f, effect.bytes);
        if (less === null) return void this.#keep(slot, r);
        this.#stopasked(line, slot.t, Eio);
        if (less.type !== F.Rstream)
          return void this.#keep(slot, { f: less, frame: pack(less), over: true, wait: 0 });
        if (less.data.length > 0) slot.out.push({ frame: pack(less), wait: 0 });
        slot.out.push({ frame: norun(f.tag), wait: 0 });
        slot.over = slot.mute = true;
      }
    }
  }

  /** The client has not heard that this fid was made, so it never ends it. */
  #undo(fid: number | null): void {
    if (fid === null) return;
    let tag = LASTTAG;
    while (this.#owntags.has(tag)) tag--;
    this.#owntags.add(tag);
    this.#own.push(pack({ type: F.Tclunk, tag, fid }));
    this.#sendown();
  }

  /** A Twrite failed on its way back: so do those behind it that the server has. */
  #stopasked(line: Line, t: Tmsg, ename: string): void {
    if (t.type !== F.Twrite || !this.#stops.on) return;
    this.#stops.add(t, ename);
    for (const s of line.asked) if (s.t.type === F.Twrite && s.t.fid === t.fid) s.ename = ename;
  }

  /** A frame for the client; behind the last of a run that was cut, its end. */
  #keep(slot: Slot, { f, frame, over, wait }: Reply): Out {
    const o = { frame, wait };
    slot.out.push(o);
    if (over && slot.cut && f.type === F.Rstream && f.data.length > 0)
      slot.out.push({ frame: norun(f.tag), wait: 0 });
    slot.over = over;
    return o;
  }

  #ripereply(tag: number, o: Out): void {
    o.wait--;
    const line = this.#lines.get(tag);
    if (line !== undefined) this.#give(tag, line);
  }

  /** An Rflush has come: behind what the server answered before, all else with its tag is over. */
  #rflush(line: Line, { tag, oldtag }: Tmsg & { readonly oldtag: number }, out: Out): void {
    const old = this.#lines.get(oldtag);
    if (old === undefined) return;
    out.wait++;
    old.flush = { tag, line, out };
    this.#give(oldtag, old);
  }

  /** Gives the client what it gets now of one tag, and lets an Rflush follow. */
  #give(tag: number, line: Line): void {
    for (const frame of line.due()) this.#ready.push(frame);
    const { flush } = line;
    if (flush !== null && !line.late) {
      line.flush = null;
      this.#nasked -= line.asked.length;
      for (const s of line.slots) this.#undo(s.made);
      this.#lines.delete(tag);
      flush.out.wait--;
      this.#give(flush.tag, flush.line);
      this.#holdclock();
    }
    this.#tidy(tag, line);
    if (this.#ready.length > 0) this.#wake();
  }
}

/** The filter of a kernel: every connection goes through these faults. */
export function newfilter(faults: Faults): (k: Kernel, c: Chan) => Filter {
  return (k, c) => new Faultwire(k, c, faults);
}
