// Streams from a server that speaks 9P2000.ix.stream: runs of Rstreams under credit (protocol,
// "9P2000.ix.stream"). Two runs are in flight, so that the pipe never empties; the next is asked for when
// one has been read, so what waits here is bounded by two runs. The connection's reader never waits for
// whoever reads the stream.

import { Ehungup, Eintr, PlanError, error } from "../../kernel/abi/errors.ts";
import { Tstream } from "../../kernel/abi/fcall.ts";
import type { Tmsg } from "../../kernel/abi/fcall.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Readstream } from "../../kernel/stream.ts";
import type { Group, Sink } from "./group.ts";
import type { MntChan } from "./chan.ts";
import { plain } from "./chan.ts";
import type { Mnt } from "./rpc.ts";
import { giveback } from "./rbuf.ts";

/** While a kernel's streams hold more credit than this, new runs are small. */
const MAXCREDIT = 256 * 1024 * 1024;
const SMALLRUN = 64 * 1024;

/** A run that was asked for: how much, and how much of it came. */
type Run = { readonly count: number; got: number };

export class Runs implements Readstream, Sink {
  offset: number;
  readonly #m: Mnt;
  readonly #g: Group;
  readonly #fid: number;
  /** Runs that may be in flight: one until the file is known to be plain, since elsewhere each takes what it reads. */
  #max = 1;
  /** The file's offset behind the last run asked for. */
  #asked: number;
  #runs: Run[] = [];
  #chunks: Uint8Array[] = [];
  #have = 0;
  #eof = false;
  #failed: string | null = null;
  /** Nobody reads any more. */
  #dropped = false;

  constructor(m: Mnt, g: Group, fid: number, offset: number) {
    this.#m = m;
    this.#g = g;
    this.#fid = fid;
    this.offset = this.#asked = offset;
    g.sink = this;
    g.open = true;
  }

  /** The Tstreams that may be sent now. They count as asked for. */
  ask(): Tmsg[] {
    const msgs: Tmsg[] = [];
    const { k } = this.#m;
    while (!this.#eof && this.#failed === null && !this.#dropped && this.#runs.length < this.#max) {
      const size = k.credit > MAXCREDIT ? SMALLRUN : k.config.run;
      if (this.#asked - this.offset > size) break;
      msgs.push({
        type: Tstream,
        tag: this.#g.tag,
        fid: this.#fid,
        offset: this.#asked,
        count: size,
      });
      this.#runs.push({ count: size, got: 0 });
      this.#asked += size;
      k.credit += size;
    }
    return msgs;
  }

  /** What the open's answer says of the file. */
  know(c: MntChan): void {
    if (plain(c)) this.#max = 2;
  }

  data(bytes: Uint8Array): "more" | "over" | "bad" {
    const run = this.#runs[0];
    if (run === undefined || run.got + bytes.length > run.count) return "bad";
    run.got += bytes.length;
    if (this.#eof || this.#failed !== null || this.#dropped) giveback(bytes);
    else if (bytes.length > 0) {
      this.#chunks.push(bytes);
      this.#have += bytes.length;
    }
    if (bytes.length > 0 && run.got < run.count) return "more";
    // A run that ends short is the end: what the runs behind it bring is discarded.
    this.#runs.shift();
    if (run.got < run.count) {
      this.#eof = true;
      this.#uncredit();
    }
    return "over";
  }

  failed(ename: string): void {
    this.#runs.shift();
    if (!this.#eof) this.#failed ??= ename;
    this.#uncredit();
  }

  /** No more will be kept: the credit for what did not come is given back. */
  #uncredit(): void {
    const rest = this.#asked - this.offset - this.#have;
    this.#asked -= rest;
    this.#m.k.credit -= rest;
  }

  *read(_up: Proc, buf: Uint8Array): Task<number> {
    if (buf.length === 0) return 0;
    this.#refill();
    while (this.#have === 0) {
      if (this.#eof) return 0;
      if (this.#failed !== null) throw new PlanError(this.#failed);
      if (this.#g.ended) error(this.#m.dead ? Ehungup : Eintr);
      yield this.#g.r;
    }
    const n = this.#take(buf);
    this.ahead();
    return n;
  }

  /** Asks for more where that may be. */
  ahead(): void {
    try {
      this.#refill();
    } catch (e) {
      // What has come is read first; that the connection is gone the next call says.
      if (!(e instanceof PlanError)) throw e;
    }
  }

  #refill(): void {
    if (this.#g.ended) return;
    const msgs = this.ask();
    if (msgs.length > 0) this.#m.send(this.#g, msgs);
  }

  #take(buf: Uint8Array): number {
    let n = 0;
    let i = 0;
    for (; i < this.#chunks.length && n < buf.length; i++) {
      const chunk = this.#chunks[i] ?? NONE;
      const part = chunk.length <= buf.length - n ? chunk : chunk.subarray(0, buf.length - n);
      buf.set(part, n);
      n += part.length;
      giveback(part);
      if (part.length === chunk.length) continue;
      this.#chunks[i] = chunk.subarray(part.length);
      break;
    }
    this.#chunks.splice(0, i);
    this.#have -= n;
    this.offset += n;
    this.#m.k.credit -= n;
    return n;
  }

  end(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    for (const chunk of this.#chunks) giveback(chunk);
    this.#chunks = [];
    this.#have = 0;
    this.#uncredit();
    // Past the end of the file the server answers by itself; a run that flows is flushed.
    this.#m.release(this.#g, this.#runs.length === 0 || this.#eof);
  }
}

const NONE: Uint8Array = new Uint8Array(0);

/** A stream of an open file from its Chan's offset on. */
export function* startruns(c: MntChan): Task<Readstream> {
  const m = c.mnt;
  const g = yield* m.group(2);
  const runs = new Runs(m, g, c.fid, c.offset);
  runs.know(c);
  let started = false;
  try {
    m.send(g, runs.ask());
    started = true;
    return runs;
  } finally {
    if (!started) runs.end();
  }
}
