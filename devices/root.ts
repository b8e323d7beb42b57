// The root device, '#/': nothing but directories to mount on, so that a process whose name space is
// empty still has a / and the usual places below it.

import {
  DEVDOTDOT,
  devattach,
  devdir,
  devclone,
  devdirread,
  devopen,
  devstat,
  devwalk,
  nodev,
} from "../kernel/dev.ts";
import type { Dev, Dirent, Gen } from "../kernel/dev.ts";
import type { Kernel } from "../kernel/kernel.ts";

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

/** Makes the root device; `extra` names more directories, such as "tmp" and "n". */
export function newRoot(k: Kernel, extra: readonly string[] = []): Dev {
  const entries = [...new Set([...NAMES, ...extra])].map((name, i): Dirent => ({
    qid: devdir(BigInt(i + 1)),
    name,
    length: 0,
    perm: 0o555,
  }));
  const root: Dirent = { qid: devdir(0n), name: "#/", length: 0, perm: 0o555 };
  const byname = new Map(entries.map((e) => [e.name, e]));

  const gen: Gen = (_up, c, s, name) => {
    if (s === DEVDOTDOT) return root;
    if (c.qid.path !== root.qid.path) return null;
    if (name !== null) return s === 0 ? (byname.get(name) ?? null) : null;
    return entries[s] ?? null;
  };

  const dev: Dev = {
    ...nodev,
    dc: "/",
    name: "root",
    chans: k.chans,
    *attach(_up, spec) {
      return devattach(dev, spec);
    },
    *walk(up, c, names) {
      return devwalk(up, devclone(c), names, gen);
    },
    *stat(up, c) {
      return devstat(up, c, gen);
    },
    *open(up, c, omode) {
      return devopen(up, c, omode, gen);
    },
    *read(up, c, buf) {
      return devdirread(up, c, buf, gen);
    },
  };
  return dev;
}
