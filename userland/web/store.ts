// Where the browser keeps the disk of the terminal's machine: IndexedDB, in pieces. What is written between two
// syncs is stored at once or not at all, so that the disk is always one that was whole. One page at a time has it.

import { Diskbytes } from "./diskbytes.ts";

/** Where the kept files are in the machine's name space. */
export const KEPT = "/usr/glenda/keep";

const NAME = "namec";
const STORE = "disk";
const PIECE = 65_536;

/** The disk of the browser. */
export class Store {
  readonly #db: IDBDatabase;
  /** The disk as it is to be stored, and the pieces of it that have changed since the last sync. */
  readonly #bytes: Diskbytes;
  readonly #changed = new Set<number>();
  /** A write was refused, so that what was written since makes no whole disk. */
  #refused = false;
  readonly #giveup: () => void;

  private constructor(db: IDBDatabase, bytes: Uint8Array, giveup: () => void) {
    this.#db = db;
    this.#bytes = new Diskbytes(bytes);
    this.#giveup = giveup;
  }

  /** Opens it; null where another page has it, or where the browser keeps nothing. */
  static async open(): Promise<Store | null> {
    const giveup = await lock();
    if (giveup === null) return null;
    try {
      const db = await opened();
      return new Store(db, await whole(db), giveup);
    } catch {
      // A browser that keeps nothing, as in a private window.
      giveup();
      return null;
    }
  }

  /** A copy of what is on it. */
  get contents(): Uint8Array {
    return this.#bytes.slice(0, this.#bytes.length);
  }

  write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    if (!this.#bytes.write(bytes, at)) this.#refused = true;
    else for (let i = Math.floor(at / PIECE); i * PIECE < end; i++) this.#changed.add(i);
  }

  /**
   * Comes back when all that was written before is stored. Rejects when the browser has no room for it, and from the
   * first write on that was no place of the disk: the browser then keeps the disk as of the sync before.
   */
  async sync(): Promise<void> {
    if (this.#refused) throw new Error("a write was beyond the end of the disk");
    const changed = [...this.#changed];
    this.#changed.clear();
    const t = this.#db.transaction(STORE, "readwrite", { durability: "strict" });
    const store = t.objectStore(STORE);
    for (const i of changed) store.put(this.#bytes.slice(i * PIECE, (i + 1) * PIECE), i);
    store.put(this.#bytes.length, "length");
    await new Promise<void>((done, fail) => {
      t.addEventListener("complete", () => done());
      t.addEventListener("abort", () => {
        for (const i of changed) this.#changed.add(i);
        fail(t.error ?? new Error("it was not stored"));
      });
    });
  }

  /** Lets another page have it. */
  close(): void {
    this.#db.close();
    this.#giveup();
  }
}

/** Has the disk to oneself; gives what gives it up, or null when another page has it. */
function lock(): Promise<(() => void) | null> {
  return new Promise((resolve) => {
    if (typeof navigator.locks === "undefined") return resolve(null);
    void navigator.locks
      .request(NAME, { ifAvailable: true }, async (l) => {
        if (l === null) return resolve(null);
        await new Promise<void>((giveup) => resolve(giveup));
      })
      .catch(() => resolve(null));
  });
}

function opened(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const r = indexedDB.open(NAME, 1);
    r.addEventListener("upgradeneeded", () => r.result.createObjectStore(STORE));
    r.addEventListener("success", () => done(r.result));
    r.addEventListener("error", () => fail(r.error ?? new Error("no database")));
  });
}

/** All pieces, put together. */
async function whole(db: IDBDatabase): Promise<Uint8Array> {
  const store = db.transaction(STORE).objectStore(STORE);
  const [keys, values] = await Promise.all([got(store.getAllKeys()), got(store.getAll())]);
  const length = Number(values[keys.indexOf("length")] ?? 0);
  const bytes = new Uint8Array(length);
  for (const [i, key] of keys.entries()) {
    const piece: unknown = values[i];
    if (
      typeof key === "number" &&
      piece instanceof Uint8Array &&
      key * PIECE + piece.length <= length
    )
      bytes.set(piece, key * PIECE);
  }
  return bytes;
}

function got<T>(r: IDBRequest<T>): Promise<T> {
  return new Promise((done, fail) => {
    r.addEventListener("success", () => done(r.result));
    r.addEventListener("error", () => fail(r.error ?? new Error("not read")));
  });
}
