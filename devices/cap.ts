// The capability device, '#¤': files by which the host owner may let a process change its user. cap(3)
//
// All processes here are the host owner's, so nobody may become another: hashes are taken and forgotten,
// and no capability is valid.

import {
  DEVDOTDOT,
  devattach,
  devclone,
  devdir,
  devdirread,
  devfile,
  devstat,
  devwalk,
  nodev,
  opened,
} from "../kernel/dev.ts";
import type { Dev, Dirent, Gen } from "../kernel/dev.ts";
import { OREAD, QTDIR } from "../kernel/abi/const.ts";
import { Ebadarg, Ebadcap, Eperm, Eshort, error } from "../kernel/abi/errors.ts";
import type { Kernel } from "../kernel/kernel.ts";

/** Bytes of a hash. */
const HASHLEN = 20;

const HASH = 2n;
const FILES: readonly Dirent[] = [
  { qid: devfile(1n), name: "capuse", length: 0, perm: 0o222 },
  { qid: devfile(HASH), name: "caphash", length: 0, perm: 0o200 },
];
const root: Dirent = { qid: devdir(0n), name: "#¤", length: 0, perm: 0o500 };
const gen: Gen = (_up, _c, s) => (s === DEVDOTDOT ? root : (FILES[s] ?? null));

/** Makes the capability device. */
export function newCap(k: Kernel): Dev {
  const dev: Dev = {
    ...nodev,
    dc: "¤",
    name: "cap",
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
    *open(_up, c, omode) {
      if ((c.qid.type & QTDIR) !== 0 && omode !== OREAD) error(Ebadarg);
      return opened(c, omode);
    },
    *read(up, c, buf) {
      return (c.qid.type & QTDIR) === 0 ? error(Eperm) : devdirread(up, c, buf, gen);
    },
    *write(_up, c, bytes) {
      if (c.qid.path !== HASH) return error(Ebadcap);
      return bytes.length < HASHLEN ? error(Eshort) : bytes.length;
    },
  };
  return dev;
}
