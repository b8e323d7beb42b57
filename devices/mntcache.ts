// What a mount with MCACHE remembers: pages of files, good for the version of the file that Ropen gave,
// and fids of directories lately walked to, so that a walk starts near its end. Both are bounded, in
// bytes and in entries. A mount without MCACHE has no such thing.
//
// Nothing here is believed for long: another qid.vers is another file, a write through this mount forgets
// the file, and a walk that fails from a remembered directory is made again from the root.

import { LRUCache } from "lru-cache";
import { cclose } from "../kernel/chan.ts";
import type { Qid } from "../kernel/dir.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/rendez.ts";
import type { MntChan } from "./mntchan.ts";

const PAGE = 16 * 1024;
const MAXBYTES = 16 * 1024 * 1024;
const MAXFILES = 4096;
const MAXDIRS = 128;

/** Reads a piece of a file from its server. */
type Fetch = (c: MntChan, buf: Uint8Array, offset: number) => Task<number>;

export class Mntcache {
  readonly #pages: LRUCache<string, Uint8Array>;
  /** How often a file was written through this mount: part of its pages' keys. */
  readonly #written: LRUCache<bigint, number>;
  readonly #dirs: LRUCache<string, MntChan>;

  constructor(k: Kernel) {
    this.#pages = new LRUCache({ maxSize: MAXBYTES, sizeCalculation: (p) => p.length + 1 });
    this.#written = new LRUCache({ max: MAXFILES });
    // The fid of a directory that is forgotten is clunked; nobody waits for that.
    this.#dirs = new LRUCache({ max: MAXDIRS, dispose: (c) => void k.kproc("cache", cclose(c)) });
  }

  /** Whether this file's data may be remembered: a plain one that has versions. */
  holds(c: MntChan): boolean {
    return c.qid.type === 0 && c.qid.vers !== 0;
  }

  #key(q: Qid, page: number): string {
    return `${q.path}.${q.vers}.${this.#written.get(q.path) ?? 0}.${page}`;
  }

  /** As Dev.read, through the pages. A page that is short is the file's last. */
  *read(
    c: MntChan,
    buf: Uint8Array,
    at: { readonly offset: number; readonly fetch: Fetch },
  ): Task<number> {
    let n = 0;
    while (n < buf.length) {
      const page = Math.floor((at.offset + n) / PAGE);
      const last = Math.floor((at.offset + buf.length - 1) / PAGE);
      const bytes =
        this.#pages.get(this.#key(c.qid, page)) ??
        (yield* this.#fetch(c, { page, last }, at.fetch));
      const part = bytes.subarray(at.offset + n - page * PAGE).subarray(0, buf.length - n);
      buf.set(part, n);
      n += part.length;
      if (bytes.length < PAGE) break;
    }
    return n;
  }

  /** Reads the pages from `page` on that are not here, as far as wanted; gives the first. */
  *#fetch(
    c: MntChan,
    want: { readonly page: number; readonly last: number },
    fetch: Fetch,
  ): Task<Uint8Array> {
    const { qid } = c;
    const written = this.#written.get(qid.path);
    let end = want.page + 1;
    while (end <= want.last && !this.#pages.has(this.#key(qid, end))) end++;
    const buf = new Uint8Array((end - want.page) * PAGE);
    const n = yield* fetch(c, buf, want.page * PAGE);
    // Written to meanwhile, it is what it was or what it is: not to be remembered.
    if (this.#written.get(qid.path) !== written) return buf.subarray(0, Math.min(PAGE, n));
    for (let p = want.page; p < end; p++) {
      const from = (p - want.page) * PAGE;
      // Behind a short page nothing is known but that the file ended before it.
      if (from > n) break;
      this.#pages.set(this.#key(qid, p), buf.slice(from, Math.min(from + PAGE, n)));
    }
    return buf.subarray(0, Math.min(PAGE, n));
  }

  /** The file changes: what is known of its data is known no more. */
  wrote(q: Qid): void {
    this.#written.set(q.path, (this.#written.get(q.path) ?? 0) + 1);
  }

  /** The Chan of a directory walked to before, by the fid it was walked from and the names. */
  dir(from: MntChan, names: readonly string[]): MntChan | null {
    return this.#dirs.get(`${from.fid}/${names.join("/")}`) ?? null;
  }

  /** Remembers the directory, whose reference it takes. */
  walked(from: MntChan, names: readonly string[], c: MntChan): void {
    this.#dirs.set(`${from.fid}/${names.join("/")}`, c);
  }

  /** It is not what it was. */
  forget(from: MntChan, names: readonly string[]): void {
    this.#dirs.delete(`${from.fid}/${names.join("/")}`);
  }

  /** Something was removed or renamed through this mount: names may lead elsewhere now. */
  moved(): void {
    this.#dirs.clear();
  }

  /** The mount is gone. */
  clear(): void {
    this.#dirs.clear();
    this.#pages.clear();
  }
}
