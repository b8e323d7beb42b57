// The root device, '#/': nothing but directories to mount on, so that a process whose name space is
// empty still has a / and the usual places below it.

import type { Dir } from "../kernel/abi/dir.ts";
import type { Chan } from "../kernel/chan.ts";
import {
  DEVDOTDOT,
  Dev,
  devattach,
  devclone,
  devdir,
  devdirread,
  devopen,
  devstat,
  devwalk,
} from "../kernel/dev.ts";
import type { Dirent, Gen, Walkqid } from "../kernel/dev.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import { young } from "../kernel/abi/young.ts";

const NAMES: readonly string[] = [
  "boot",
  "bin",
  "dev",
  "env",
  "fd",
  "mnt",
  "net",
  "net.alt",
  "proc",
  "root",
  "srv",
];

const ROOT: Dirent = { qid: devdir(0n), name: "#/", length: 0, perm: 0o555 };

class Devroot extends Dev {
  readonly dc = "/";
  readonly name = "root";
  readonly #entries: readonly Dirent[];
  readonly #byname: ReadonlyMap<string, Dirent>;

  constructor(k: Kernel, extra: readonly string[]) {
    super(k);
    const names = [...new Set([...NAMES, ...extra])];
    this.#entries = names.map((name, i) => ({
      qid: devdir(BigInt(i + 1)),
      name,
      length: 0,
      perm: 0o555,
    }));
    this.#byname = new Map(this.#entries.map((e) => [e.name, e]));
  }

  readonly #gen: Gen = young((_up, c, s, name) => {
    if (s === DEVDOTDOT) return ROOT;
    if (c.qid.path !== ROOT.qid.path) return null;
    if (name !== null) return s === 0 ? (this.#byname.get(name) ?? null) : null;
    return this.#entries[s] ?? null;
  });

  attach(_up: Proc, spec: string): Chan {
    return devattach(this, spec);
  }

  walk(up: Proc, c: Chan, names: readonly string[]): Walkqid {
    return devwalk(up, devclone(c), names, this.#gen);
  }

  stat(up: Proc, c: Chan): Dir {
    return devstat(up, c, this.#gen);
  }

  open(up: Proc, c: Chan, omode: number): Chan {
    return devopen(up, c, omode, this.#gen);
  }

  read(up: Proc, c: Chan, buf: Uint8Array): number {
    return devdirread(up, c, buf, this.#gen);
  }
}

/** Makes the root device; `extra` names more directories, such as "tmp" and "n". */
export function newRoot(k: Kernel, extra: readonly string[] = []): Dev {
  return new Devroot(k, extra);
}
