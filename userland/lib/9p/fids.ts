// The fids of a session, and their ends. A fid leaves the table when it is clunked or removed; it ends, which
// tells the server, when no request uses it any more. A file opened ORCLOSE is removed then.
//
// The life of a fid is one way, and its last step is made here only, in #end:
//
//	live      in the table: requests find it
//	clunked   out of the table, by Tclunk, Tremove or the end of the session; requests under way hold it
//	ended     clunk was called. An open that was under way has come to its end before
//
// Who holds a fid: each request that takes time, from its beginning until it is answered; a Tremove too.

import { ORCLOSE } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import { always, istask } from "./answer.ts";
import { Edupfid } from "./errors.ts";
import { type Share, takefid } from "./shares.ts";
import type { Answer, Fid } from "./srv.ts";
import type { Plainsrv } from "./promises.ts";

/** What fids are counted against: those of the connection, and those of them that are open. */
export type Counts = { readonly fids: Share; readonly opens: Share };

export class Fids<A> {
  readonly #srv: Plainsrv<A>;
  readonly #counts: Counts;
  readonly #fids: Map<number, Fid<A>> = new Map();

  constructor(srv: Plainsrv<A>, counts: Counts) {
    this.#srv = srv;
    this.#counts = counts;
  }

  get size(): number {
    return this.#fids.size;
  }

  find(fid: number): Fid<A> | undefined {
    return this.#fids.get(fid);
  }

  /** Refuses a number that is taken. */
  mustbefree(fid: number): void {
    if (this.#fids.has(fid)) throw new PlanError(Edupfid);
  }

  /** A new fid, which counts as `cost` fids. */
  add(fid: Fid<A>): void {
    this.mustbefree(fid.fid);
    takefid(this.#counts.fids, fid.cost);
    this.#fids.set(fid.fid, fid);
  }

  /** The fid stands for another file from now on. */
  become(fid: Fid<A>, aux: A): void {
    const was = fid.aux;
    fid.aux = aux;
    this.#srv.became?.(fid, was);
  }

  /** The client gives the fid up; it ends now, or with the last request that uses it. */
  clunk(fid: Fid<A>): Answer<void> {
    this.#forget(fid);
    return fid.ref === 0 ? this.#end(fid) : undefined;
  }

  /** Removes the file and gives the fid up, whatever becomes of that. */
  remove(fid: Fid<A>, remove: (fid: Fid<A>) => Answer<void>): Answer<void> {
    this.#forget(fid);
    fid.removed = true;
    fid.ref++;
    return always(
      () => remove(fid),
      () => this.release(fid),
    );
  }

  /** A request that used the fid is done. */
  release(fid: Fid<A>): Answer<void> {
    fid.ref--;
    return fid.ref === 0 && fid.life === "clunked" ? this.#end(fid) : undefined;
  }

  /** Gives all fids up; those given back are not in use and must be ended with `end`. */
  clear(): Fid<A>[] {
    const all = [...this.#fids.values()];
    for (const fid of all) this.#forget(fid);
    return all.filter((fid) => fid.ref === 0);
  }

  end(fid: Fid<A>): Answer<void> {
    return this.#end(fid);
  }

  #forget(fid: Fid<A>): void {
    fid.life = "clunked";
    this.#fids.delete(fid.fid);
  }

  #end(fid: Fid<A>): Answer<void> {
    fid.life = "ended";
    const removes = !fid.removed && fid.omode >= 0 && (fid.omode & ORCLOSE) !== 0;
    if (!removes) return this.#clunk(fid);
    return always(
      () => this.#srv.remove?.(fid),
      () => this.#clunk(fid),
    );
  }

  #clunk(fid: Fid<A>): Answer<void> {
    let a: Answer<void>;
    try {
      a = this.#srv.clunk?.(fid);
    } catch (e) {
      this.#uncount(fid);
      throw e;
    }
    if (istask(a)) return this.#clunktask(fid, a);
    this.#uncount(fid);
    return undefined;
  }

  *#clunktask(fid: Fid<A>, task: Task<void>): Task<void> {
    try {
      yield* task;
    } finally {
      this.#uncount(fid);
    }
  }

  /** What the fid was counted for is free again. */
  #uncount(fid: Fid<A>): void {
    this.#counts.fids.add(-fid.cost);
    if (fid.counted) this.#counts.opens.add(-1);
    fid.counted = false;
  }
}
