// The capability device, '#¤': files by which the host owner may let a process change its user. cap(3)
//
// All processes here are the host owner's, so no process may become another user: hashes are taken and forgotten,
// and no capability is valid.

import type { Dir } from "../kernel/abi/dir.ts";
import type { Chan } from "../kernel/chan.ts";
import {
  DEVDOTDOT,
  Dev,
  devattach,
  devclone,
  devdir,
  devdirread,
  devfile,
  devstat,
  devwalk,
  opened,
} from "../kernel/dev.ts";
import type { Dirent, Gen, Walkqid } from "../kernel/dev.ts";
import { OREAD, QTDIR } from "../kernel/abi/const.ts";
import { Ebadarg, Ebadcap, Eperm, Eshort, error } from "../kernel/abi/errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Proc } from "../kernel/proc/proc.ts";

/** Bytes of a hash. */
const HASHLEN = 20;

const HASH = 2n;
const FILES: readonly Dirent[] = [
  { qid: devfile(1n), name: "capuse", length: 0, perm: 0o222 },
  { qid: devfile(HASH), name: "caphash", length: 0, perm: 0o200 },
];
const root: Dirent = { qid: devdir(0n), name: "#¤", length: 0, perm: 0o500 };
const gen: Gen = (_up, _c, s) => (s === DEVDOTDOT ? root : (FILES[s] ?? null));

class Devcap extends Dev {
  readonly dc = "¤";
  readonly name = "cap";

  attach(_up: Proc, spec: string): Chan {
    return devattach(this, spec);
  }

  walk(up: Proc, c: Chan, names: readonly string[]): Walkqid {
    return devwalk(up, devclone(c), names, gen);
  }

  stat(up: Proc, c: Chan): Dir {
    return devstat(up, c, gen);
  }

  open(_up: Proc, c: Chan, omode: number): Chan {
    if ((c.qid.type & QTDIR) !== 0 && omode !== OREAD) error(Ebadarg);
    return opened(c, omode);
  }

  read(up: Proc, c: Chan, buf: Uint8Array): number {
    return (c.qid.type & QTDIR) === 0 ? error(Eperm) : devdirread(up, c, buf, gen);
  }

  override write(_up: Proc, c: Chan, bytes: Uint8Array): number {
    if (c.qid.path !== HASH) return error(Ebadcap);
    return bytes.length < HASHLEN ? error(Eshort) : bytes.length;
  }
}

/** Makes the capability device. */
export function newCap(k: Kernel): Dev {
  return new Devcap(k);
}
