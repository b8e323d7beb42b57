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

/** Where a read begins, and how it gets the pages that are not here. */
type Pageread = { readonly offset: number; readonly fetch: Fetch };

/** The pages that a read still wants: the next one, and the last. */
type Pagerange = { readonly page: number; readonly last: number };

export class Mntcache {
  readonly #pages: LRUCache<string, Uint8Array>;
  /** The number of each file's last write through this mount (#writes). It is part of the keys of the file's pages. */
  readonly #written: LRUCache<bigint, number>;
  readonly #dirs: LRUCache<string, MntChan>;
  /** How many writes there were, and the number that stands for a last write that is not in #written. */
  #writes = 0;
  #base = 0;
  /** A number for each Chan that walks start from. Directories have it in their keys, since a fid may be used again. */
  readonly #froms: WeakMap<MntChan, number> = new WeakMap();
  #nfroms = 0;
  /** How often something was removed or renamed through this mount. */
  moves = 0;
  #gone = false;

  constructor(k: Kernel) {
    this.#pages = new LRUCache({ maxSize: MAXBYTES, sizeCalculation: (p) => p.length + 1 });
    // A file that #written forgets may have pages from before its last write, under #base. A new #base, for all
    // files that are not in #written, makes sure that those pages are not found.
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
   * Reads as Dev.read, through the pages. A server may give fewer bytes than there are, so a short page does not show
   * the end of the file. Only an empty answer does.
   */
  *read(c: MntChan, buf: Uint8Array, at: Pageread): Task<number> {
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

  /** Reads behind a short page from the server. If nothing comes, the end of the file is known, and remembered. */
  *#end(c: MntChan, buf: Uint8Array, at: Pageread): Task<number> {
    const key = this.#key(c.qid, Math.floor(at.offset / PAGE));
    const n = yield* at.fetch(c, buf, at.offset);
    if (n === 0) this.#pages.set(endkey(key), NOTHING);
    return n;
  }

  /** Reads the pages from `page` on that are not here, as far as wanted; gives the first. */
  *#fetch(c: MntChan, want: Pagerange, fetch: Fetch): Task<Uint8Array> {
    const { qid } = c;
    const when = this.#when(qid);
    let end = want.page + 1;
    while (end <= want.last && !this.#pages.has(this.#key(qid, end))) end++;
    const buf = new Uint8Array((end - want.page) * PAGE);
    const n = yield* fetch(c, buf, want.page * PAGE);
    // The file was written during the read. The bytes may be from before or after, so no page keeps them.
    if (this.#when(qid) !== when) return buf.subarray(0, Math.min(PAGE, n));
    if (n === 0) this.#pages.set(endkey(this.#key(qid, want.page)), NOTHING);
    for (let p = want.page; p < end; p++) {
      const from = (p - want.page) * PAGE;
      // The answer says nothing of the pages behind its end.
      if (from > n) break;
      this.#pages.set(this.#key(qid, p), buf.slice(from, Math.min(from + PAGE, n)));
    }
    return buf.subarray(0, Math.min(PAGE, n));
  }

  /** Notes a write to a file: pages that were read before are not found any more. */
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

  /** The Chan of the directory that a walk of names from `from` led to before; null when none is remembered. */
  dir(from: MntChan, names: readonly string[]): MntChan | null {
    return this.#dirs.get(this.#dirkey(from, names)) ?? null;
  }

  /** Whether a directory may be remembered. `moves` is from before its walk: a move since then may change the name. */
  remembers(moves: number): boolean {
    return moves === this.moves && !this.#gone;
  }

  /** Remembers c, the Chan of a directory. It takes over the caller's reference to c. */
  walked(from: MntChan, names: readonly string[], c: MntChan): void {
    this.#dirs.set(this.#dirkey(from, names), c);
  }

  /** Forgets a directory, from which a walk failed: the names may lead to another one now. */
  forget(from: MntChan, names: readonly string[]): void {
    this.#dirs.delete(this.#dirkey(from, names));
  }

  /** Something was removed or renamed through this mount: names may lead elsewhere now. */
  moved(): void {
    this.moves++;
    this.#dirs.clear();
  }

  /** Forgets all, since the mount is gone. Dot and open files may still use the cache: it keeps no directories then. */
  clear(): void {
    this.#gone = true;
    this.#dirs.clear();
    this.#pages.clear();
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** The key that is in the cache when the file is known to end in the page, or before it. */
const endkey = (page: string): string => `${page}.end`;
