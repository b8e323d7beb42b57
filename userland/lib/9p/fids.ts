// The fids of a session. A fid leaves the table when it is clunked or removed, and ends, which tells the
// server, when no request uses it any more. A file opened ORCLOSE is removed then.

import { ORCLOSE } from "../../../kernel/abi/const.ts";
import { PlanError } from "../../../kernel/abi/errors.ts";
import { always } from "./answer.ts";
import { Edupfid, Eunknownfid } from "./errors.ts";
import type { Answer, Fid, Srv } from "./srv.ts";

/** Fids that a client may have. */
export const MAXFIDS = 65536;

export class Fids<A> {
  readonly #srv: Srv<A>;
  readonly #fids: Map<number, Fid<A>> = new Map();

  constructor(srv: Srv<A>) {
    this.#srv = srv;
  }

  get size(): number {
    return this.#fids.size;
  }

  get(fid: number): Fid<A> {
    const f = this.#fids.get(fid);
    if (f === undefined) throw new PlanError(Eunknownfid);
    return f;
  }

  find(fid: number): Fid<A> | undefined {
    return this.#fids.get(fid);
  }

  /** Refuses a number that is taken. */
  mustbefree(fid: number): void {
    if (this.#fids.has(fid)) throw new PlanError(Edupfid);
  }

  add(fid: Fid<A>): void {
    this.mustbefree(fid.fid);
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
    if (fid.omode >= 0) fid.omode &= ~ORCLOSE;
    return always(
      () => remove(fid),
      () => (fid.ref === 0 ? this.#srv.clunk?.(fid) : undefined),
    );
  }

  /** A request that used the fid is done. */
  release(fid: Fid<A>): Answer<void> {
    fid.ref--;
    return fid.ref === 0 && fid.clunked ? this.#end(fid) : undefined;
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
    fid.clunked = true;
    if (this.#fids.get(fid.fid) === fid) this.#fids.delete(fid.fid);
  }

  #end(fid: Fid<A>): Answer<void> {
    const srv = this.#srv;
    if (fid.omode < 0 || (fid.omode & ORCLOSE) === 0) return srv.clunk?.(fid);
    return always(
      () => srv.remove?.(fid),
      () => srv.clunk?.(fid),
    );
  }
}
