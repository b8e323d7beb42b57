// The name space: bind(2), mount(2), unmount(2), and the agreement with a server: fversion(2), fauth(2).

import { cclose } from "../kernel/chan.ts";
import { MAXUNAME, MMASK, MORDER, ORDWR } from "../kernel/abi/const.ts";
import { Ebadarg, Ebadsharp, Ebadversion, Enoattach, Eshort, error } from "../kernel/abi/errors.ts";
import { checkuname, longer } from "../kernel/abi/elems.ts";
import { parsename } from "../kernel/names/name.ts";
import type { Dev } from "../kernel/dev.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import { waitfor } from "../kernel/proc/rendez.ts";
import type { Task } from "../kernel/proc/rendez.ts";
import { utflen } from "../kernel/abi/utf.ts";
import { mntattach, mntauth, mntversion } from "../devices/mnt/mnt.ts";
import { checkname, checknum } from "./arg.ts";
import { newfd } from "./file.ts";

function checkflags(flags: number): void {
  if (!Number.isInteger(flags) || (flags & ~MMASK) !== 0 || (flags & MORDER) === MORDER)
    error(Ebadarg);
}

export function* bind(up: Proc, name: string, old: string, flags: number): Task<number> {
  checkflags(flags);
  checkname(name);
  checkname(old);
  return yield* up.pgrp.ns.bind(up, name, old, flags);
}

function mntdev(up: Proc): Dev {
  return up.k.devtab.get("M") ?? error(Ebadsharp);
}

// oxlint-disable-next-line max-params -- mount(2) has five arguments
export function* mount(
  up: Proc,
  fd: number,
  afd: number,
  old: string,
  flags: number,
  aname: string,
): Task<number> {
  checkflags(flags);
  checknum(afd);
  checkname(old);
  checkname(aname);
  if (up.pgrp.noattach) error(Enoattach);
  const c = up.fgrp.tochan(fd, ORDWR, false);
  const afid = afd >= 0 ? up.fgrp.tochan(afd).incref() : null;
  c.incref();
  let id: number;
  try {
    checkuname("aname", aname);
    if (aname !== "") parsename(aname);
    const m = yield* mntversion(up, c, { msize: 0, version: "" });
    const root = yield* mntattach(up, mntdev(up), m, { afid, aname });
    id = yield* up.pgrp.ns.mount(up, root, old, { flags, spec: aname });
  } finally {
    if (afid !== null) yield* cclose(afid);
    yield* cclose(c);
  }
  // Success closes the descriptor: the mount has the connection now.
  if (up.fgrp.fd[fd] === c) yield* cclose(up.fgrp.take(fd));
  return id;
}

export function* unmount(up: Proc, name: string | null, old: string): Task<void> {
  if (name !== null) checkname(name);
  checkname(old);
  yield* up.pgrp.ns.unmount(up, name, old);
}

export function* fversion(
  up: Proc,
  fd: number,
  msize: number,
  version: string,
  n = 256,
): Task<string> {
  checknum(msize);
  checkname(version);
  checknum(n);
  // The version must end within the buffer, and be one that a message can hold.
  if (utflen(version) >= n) error(Ebadarg);
  if (longer(version, MAXUNAME)) error(Ebadversion);
  const c = up.fgrp.tochan(fd, ORDWR, false).incref();
  try {
    const m = yield* mntversion(up, c, { msize, version });
    if (n < m.version.length) error(Eshort);
    return m.version;
  } finally {
    yield* cclose(c);
  }
}

export function* fauth(up: Proc, fd: number, aname: string): Task<number> {
  checkname(aname);
  checkuname("aname", aname);
  const c = up.fgrp.tochan(fd, ORDWR, false).incref();
  try {
    const m = yield* mntversion(up, c, { msize: 0, version: "" });
    const ac = yield* mntauth(up, mntdev(up), m, aname);
    return yield* waitfor(newfd(up, ac));
  } finally {
    yield* cclose(c);
  }
}
