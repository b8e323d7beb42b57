// A server for tests: two directories of files, whose reads and writes take as long as the test likes,
// and which remembers everything that it was asked to do.

import { DMDIR, QTDIR } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Task } from "../../syscalls/sys.ts";
import type { Fid, Srv } from "../../userland/lib/9p.ts";
import { Gate, type Rig } from "./rig.ts";

export type Slow = {
  readonly name: string;
  readonly path: bigint;
  data: Uint8Array;
  files: Map<string, Slow> | null;
  up: Slow;
};

let paths = 0n;

export function newfile(name: string, data: Uint8Array, up?: Slow): Slow {
  const f: Slow = { name, path: ++paths, data, files: null, up: undefined as never };
  f.up = up ?? f;
  up?.files?.set(name, f);
  return f;
}

export function newdir(name: string, up?: Slow): Slow {
  const d = newfile(name, new Uint8Array(0), up);
  d.files = new Map();
  return d;
}

export function stat(f: Slow): Dir {
  const isdir = f.files !== null;
  const qid = { path: f.path, vers: 0, type: isdir ? QTDIR : 0 };
  const mode = isdir ? (DMDIR | 0o777) >>> 0 : 0o666;
  const uid = "glenda";
  return {
    type: 0,
    dev: 0,
    qid,
    mode,
    atime: 0,
    mtime: 0,
    length: f.data.length,
    name: f.name,
    uid,
    gid: uid,
    muid: uid,
  };
}

/** The server. Files whose names begin with "slow" wait at the gate of their name. */
export class Slowsrv implements Srv<Slow> {
  readonly root: Slow = newdir("/");
  readonly log: string[] = [];
  readonly gates: Map<string, Gate> = new Map();
  /** Fids that the server was told of and not told the end of. */
  readonly fids: Set<Fid<Slow>> = new Set();
  /** An interrupted wait fails; off, it goes on waiting. */
  interruptible = true;
  opensexisting = false;
  version: string;
  readonly #rig: Rig;

  constructor(rig: Rig, version = "9P2000.ix.stream") {
    this.#rig = rig;
    this.version = version;
    for (const name of ["f", "slow", "slow2"])
      newfile(name, new TextEncoder().encode(`contents of ${name}`), this.root);
    newfile(
      "g",
      new Uint8Array(200_000).map((_b, i) => i % 251),
      newdir("d", this.root),
    );
  }

  gate(name: string): Gate {
    let g = this.gates.get(name);
    if (g === undefined) this.gates.set(name, (g = new Gate()));
    return g;
  }

  #takestime(f: Slow): boolean {
    return f.name.startsWith("slow");
  }

  *#wait(f: Slow, what: string): Task<void> {
    for (;;) {
      try {
        yield* this.#rig.sleep(this.gate(f.name));
        return;
      } catch (e) {
        this.log.push(`${what} interrupted`);
        if (this.interruptible || !(e instanceof PlanError)) throw e;
      }
    }
  }

  attach(): Slow {
    return this.root;
  }

  qid(f: Slow): Dir["qid"] {
    return stat(f).qid;
  }

  stat(fid: Fid<Slow>): Dir {
    return stat(fid.aux);
  }

  walk1(dir: Slow, name: string): Slow | null {
    this.log.push(`walk ${name}`);
    return name === ".." ? dir.up : (dir.files?.get(name) ?? null);
  }

  open(fid: Fid<Slow>, mode: number): void {
    this.log.push(`open ${fid.aux.name} ${mode}`);
    this.fids.add(fid);
  }

  create(fid: Fid<Slow>, name: string, perm: number): Slow | Task<Slow> {
    const { aux } = fid;
    const make = (): Slow => {
      if (aux.files?.has(name) === true) throw new PlanError("file already exists");
      this.log.push(`create ${name}`);
      this.fids.add(fid);
      return (perm & DMDIR) === 0 ? newfile(name, new Uint8Array(0), aux) : newdir(name, aux);
    };
    if (!name.startsWith("slow")) return make();
    const wait = this.#wait(newfile(name, new Uint8Array(0)), "create");
    return (function* (): Task<Slow> {
      yield* wait;
      return make();
    })();
  }

  read(fid: Fid<Slow>, count: number, offset: number): Uint8Array | Task<Uint8Array> {
    const f = fid.aux;
    const get = (): Uint8Array => {
      this.log.push(`read ${f.name} ${offset}`);
      return f.data.slice(offset, offset + count);
    };
    if (!this.#takestime(f)) return get();
    const wait = this.#wait(f, "read");
    return (function* (): Task<Uint8Array> {
      yield* wait;
      return get();
    })();
  }

  *entries(fid: Fid<Slow>): Generator<Dir, void, void> {
    for (const f of fid.aux.files?.values() ?? []) yield stat(f);
  }

  *write(fid: Fid<Slow>, data: Uint8Array, offset: number): Task<number> {
    const f = fid.aux;
    if (this.#takestime(f)) yield* this.#wait(f, "write");
    const text = utfdecode(data, 0, Math.min(data.length, 20));
    this.log.push(`write ${f.name} ${offset} ${text}`);
    if (text.startsWith("bad")) throw new PlanError("file system full");
    if (text.startsWith("short")) return 1;
    return data.length;
  }

  wstat(): void {
    this.log.push("wstat");
  }

  remove(fid: Fid<Slow>): void {
    this.log.push(`remove ${fid.aux.name}`);
    fid.aux.up.files?.delete(fid.aux.name);
  }

  clunk(fid: Fid<Slow>): void {
    if (fid.omode >= 0 && !this.fids.delete(fid)) throw new Error("a fid ended twice");
    this.log.push(`clunk ${fid.aux.name}`);
  }
}
