// The descriptor device, '#d': a file for each descriptor of the process that looks, which opened gives
// the Chan that the descriptor has, and a ctl file that describes it. dup(3)

import type { Dir } from "../kernel/abi/dir.ts";
import { instead } from "../kernel/chan.ts";
import type { Chan } from "../kernel/chan.ts";
import { OCEXEC, ORCLOSE, ORDWR, OREAD, OWRITE, QTDIR } from "../kernel/abi/const.ts";
import {
  DEVDOTDOT,
  Dev,
  devattach,
  devdir,
  devclone,
  devdirread,
  devfile,
  devopen,
  devstat,
  devwalk,
  opened,
  openmode,
} from "../kernel/dev.ts";
import type { Dirent, Gen, Walkqid } from "../kernel/dev.ts";
import { Eisdir, error } from "../kernel/abi/errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Answer } from "../kernel/proc/rendez.ts";
import { fdline, readstr } from "./text.ts";

const PERMS: Readonly<Record<number, number>> = { [OREAD]: 0o400, [OWRITE]: 0o200, [ORDWR]: 0o600 };
const root: Dirent = { qid: devdir(0n), name: "#d", length: 0, perm: 0o555 };

/** Entries 2n and 2n+1 are n and nctl; their qid paths are one more. */
const gen: Gen = (up, _c, s) => {
  if (s === DEVDOTDOT) return root;
  const fd = s >> 1;
  if (fd >= up.fgrp.fd.length) return null;
  const c = up.fgrp.fd[fd] ?? null;
  if (c === null) return "skip";
  const qid = devfile(BigInt(s + 1));
  if ((s & 1) === 1) return { qid, name: `${fd}ctl`, length: 0, perm: 0o400 };
  return { qid, name: fd.toString(), length: 0, perm: PERMS[c.mode] ?? 0o400 };
};

class Devdup extends Dev {
  readonly dc = "d";
  readonly name = "dup";

  attach(_up: Proc, spec: string): Chan {
    return devattach(this, spec);
  }

  walk(up: Proc, c: Chan, names: readonly string[]): Walkqid {
    return devwalk(up, devclone(c), names, gen);
  }

  stat(up: Proc, c: Chan): Dir {
    return devstat(up, c, gen);
  }

  open(up: Proc, c: Chan, omode: number): Answer<Chan> {
    const s = Number(c.qid.path) - 1;
    if ((c.qid.type & QTDIR) !== 0) {
      if (omode !== OREAD) error(Eisdir);
      return devopen(up, c, omode, gen);
    }
    if ((s & 1) === 1) return opened(c, omode);
    return instead(
      up.fgrp.tochan(s >> 1, openmode(omode & ~(OCEXEC | ORCLOSE)), false).incref(),
      c,
    );
  }

  read(up: Proc, c: Chan, buf: Uint8Array, offset: number): number {
    if ((c.qid.type & QTDIR) !== 0) return devdirread(up, c, buf, gen);
    const fd = (Number(c.qid.path) - 1) >> 1;
    return readstr(fdline(fd, up.fgrp.tochan(fd), 0), buf, offset);
  }
}

/** Makes the descriptor device. */
export function newDup(k: Kernel): Dev {
  return new Devdup(k);
}
