// cache: what a mount with MCACHE remembers, in bounds. Where files are read without it is io.ts; where walks
// start near their end, later.ts.
//
//	remembered                     good while                                     given back
//	pages of files                 the qid.vers that Ropen gave is the same, and  when others come, at unmount
//	                               this mount has not written the file
//	fids of directories walked to  nothing was removed or renamed by this mount;  when others come, when a walk
//	                               a walk that fails there is made again          from there fails, at unmount
//
// The cache owns a reference to the Chan of each such directory. A mount without MCACHE has no cache.

import type { Qid } from "../../kernel/abi/dir.ts";
import { cclose } from "../../kernel/chan.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { MntChan } from "./io.ts";
import { LRUCache } from "lru-cache";

const PAGE = 16 * 1024;
const MAXBYTES = 16 * 1024 * 1024;
const MAXFILES = 4096;
const MAXDIRS = 128;

/** Reads a piece of a file from its server. */
type Fetch = (c: MntChan, buf: Uint8Array, offset: number) => Task<number>;

export class Mntcache {
  readonly #pages: LRUCache<string, Uint8Array>;
  /** When a file was written last through this mount: part of its pages' keys. */
  readonly #written: LRUCache<bigint, number>;
  readonly #dirs: LRUCache<string, MntChan>;
  /** Writes so far, and those up to which files may have been forgotten in #written. */
  #writes = 0;
  #base = 0;
  /** Numbers of the Chans walked from: a fid may be another file's later. */
  readonly #froms: WeakMap<MntChan, number> = new WeakMap();
  #nfroms = 0;
  /** How often something was removed or renamed through this mount. */
  moves = 0;
  #gone = false;

  constructor(k: Kernel) {
    this.#pages = new LRUCache({ maxSize: MAXBYTES, sizeCalculation: (p) => p.length + 1 });
    // With a file's number goes all that was read by no number: it may be that file's from before.
    this.#written = new LRUCache({
      max: MAXFILES,
      dispose: (_n, _path, why) => {
        if (why === "evict") this.#base = this.#next();
      },
    });
    // Closing the Chan of a directory that is forgotten sends its Tclunk, without a wait.
    this.#dirs = new LRUCache({ max: MAXDIRS, dispose: (c) => void k.kproc("cache", cclose(c)) });
  }

  /** Whether this file's data may be remembered: a plain one that has versions. */
  holds(c: MntChan): boolean {
    return c.qid.type === 0 && c.qid.vers !== 0;
  }

  #key(q: Qid, page: number): string {
    return `${q.path}.${q.vers}.${this.#when(q)}.${page}`;
  }

  #when(q: Qid): number {
    return this.#written.get(q.path) ?? this.#base;
  }

  /**
   * As Dev.read, through the pages. A page that is short is the file's last, or what a server gave that
   * answers short: only an empty answer is the end.
   */
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
      if (part.length === 0 && n === 0 && !this.#pages.has(endkey(this.#key(c.qid, page))))
        return yield* this.#end(c, buf, at);
      buf.set(part, n);
      n += part.length;
      if (bytes.length < PAGE) break;
    }
    return n;
  }

  /** Reads where the known data ends: it is the file's end if nothing comes. */
  *#end(
    c: MntChan,
    buf: Uint8Array,
    at: { readonly offset: number; readonly fetch: Fetch },
  ): Task<number> {
    const key = this.#key(c.qid, Math.floor(at.offset / PAGE));
    const n = yield* at.fetch(c, buf, at.offset);
    if (n === 0) this.#pages.set(endkey(key), NOTHING);
    return n;
  }

  /** Reads the pages from `page` on that are not here, as far as wanted; gives the first. */
  *#fetch(
    c: MntChan,
    want: { readonly page: number; readonly last: number },
    fetch: Fetch,
  ): Task<Uint8Array> {
    const { qid } = c;
    const when = this.#when(qid);
    let end = want.page + 1;
    while (end <= want.last && !this.#pages.has(this.#key(qid, end))) end++;
    const buf = new Uint8Array((end - want.page) * PAGE);
    const n = yield* fetch(c, buf, want.page * PAGE);
    // Written to meanwhile, it is what it was or what it is: not to be remembered.
    if (this.#when(qid) !== when) return buf.subarray(0, Math.min(PAGE, n));
    if (n === 0) this.#pages.set(endkey(this.#key(qid, want.page)), NOTHING);
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
    this.#written.set(q.path, this.#next());
  }

  /** A number that no write before had. */
  #next(): number {
    return ++this.#writes;
  }

  #dirkey(from: MntChan, names: readonly string[]): string {
    let n = this.#froms.get(from);
    if (n === undefined) this.#froms.set(from, (n = this.#nfroms++));
    return `${n}/${names.join("/")}`;
  }

  /** The Chan of a directory walked to before, by the Chan it was walked from and the names. */
  dir(from: MntChan, names: readonly string[]): MntChan | null {
    return this.#dirs.get(this.#dirkey(from, names)) ?? null;
  }

  /** Whether a directory may be remembered whose walk was sent after that many moves. */
  remembers(moves: number): boolean {
    return moves === this.moves && !this.#gone;
  }

  /** Remembers the directory, whose reference it takes. */
  walked(from: MntChan, names: readonly string[], c: MntChan): void {
    this.#dirs.set(this.#dirkey(from, names), c);
  }

  /** It is not what it was. */
  forget(from: MntChan, names: readonly string[]): void {
    this.#dirs.delete(this.#dirkey(from, names));
  }

  /** Something was removed or renamed through this mount: names may lead elsewhere now. */
  moved(): void {
    this.moves++;
    this.#dirs.clear();
  }

  /** The mount is gone; dot and open files may outlive it. */
  clear(): void {
    this.#gone = true;
    this.#dirs.clear();
    this.#pages.clear();
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Remembered when the file is known to end in the page, or before it. */
const endkey = (page: string): string => `${page}.end`;
