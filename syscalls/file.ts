// Files by name and by descriptor: open(2), remove(2), chdir(2), dup(2), pipe(2), fd2path(2).

import { andthen, istask } from "../kernel/abi/answer.ts";
import { cclose, owning } from "../kernel/chan.ts";
import type { Chan } from "../kernel/chan.ts";
import { OCEXEC, OEXCL, OEXEC, ORCLOSE, ORDWR, OSTREAM, OTRUNC } from "../kernel/abi/const.ts";
import { Ebadarg, Ebadfd, Ebadsharp, Enofd, error } from "../kernel/abi/errors.ts";
import { Acreate, Aopen, Aremove, Atodir, namec } from "../kernel/names/namec.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import { waitfor } from "../kernel/proc/rendez.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import { utfcut } from "../kernel/abi/utf.ts";
import { checkname, checknum } from "./arg.ts";
import { openstream } from "./stream.ts";

const OPENBITS = OEXEC | OTRUNC | OCEXEC | ORCLOSE | OSTREAM;

/** A mode with bits that mean nothing is an error; so is one with all there are, as on Plan 9. */
function checkmode(mode: number, more = 0): void {
  checknum(mode);
  const all = OEXEC | OTRUNC | OCEXEC | ORCLOSE;
  if ((mode & ~(OPENBITS | more)) !== 0 || (mode & all) === all) error(Ebadarg);
}

/** 32 bits, with or without a sign: DMDIR | 0o777 has one. */
function checkperm(perm: number): void {
  checknum(perm);
  if (perm < -(2 ** 31) || perm >= 2 ** 32) error(Ebadarg);
}

export function open(up: Proc, name: string, mode: number): Answer<number> {
  checkname(name);
  checkmode(mode);
  const c = namec(up, name, Aopen, mode);
  if ((mode & OSTREAM) !== 0) return streaming(up, c);
  return istask(c) ? opening(up, c) : newfd(up, c);
}

function* opening(up: Proc, c: Task<Chan>): Task<number> {
  return yield* waitfor(newfd(up, yield* c));
}

export function create(up: Proc, name: string, mode: number, perm: number): Answer<number> {
  checkname(name);
  checkperm(perm);
  checkmode(mode, OEXCL);
  const want = { omode: mode, perm: perm >>> 0 };
  return andthen(namec(up, name, Acreate, want), (c) => newfd(up, c));
}

/** The descriptor of a file opened with OSTREAM, whose stream begins now; a failure closes it. */
function* streaming(up: Proc, a: Answer<Chan>): Task<number> {
  const c = yield* waitfor(a);
  yield* waitfor(owning(c, () => openstream(up, c)));
  return yield* waitfor(newfd(up, c));
}

/** The lowest descriptor for c, whose reference it takes. */
export function newfd(up: Proc, c: Chan): Answer<number> {
  const fd = up.fgrp.newfd(c);
  return fd >= 0 ? fd : nofd(c);
}

function* nofd(c: Chan): Task<never> {
  yield* cclose(c);
  return error(Enofd);
}

export function close(up: Proc, fd: number): Answer<void> {
  const t = cclose(up.fgrp.take(fd));
  if (istask(t)) return t;
}

export function remove(up: Proc, name: string): Answer<void> {
  checkname(name);
  return namec(up, name, Aremove, null);
}

export function* chdir(up: Proc, name: string): Task<void> {
  checkname(name);
  yield* up.chdir(yield* waitfor(namec(up, name, Atodir, null)));
}

export function* dup(up: Proc, fd: number, nfd = -1): Task<number> {
  const c = up.fgrp.tochan(fd);
  if (nfd === -1) return yield* waitfor(newfd(up, c.incref()));
  if (!up.fgrp.candup(nfd)) error(Ebadfd);
  const old = up.fgrp.put(nfd, c.incref());
  if (old !== null) yield* cclose(old);
  return nfd;
}

export function* pipe(up: Proc): Task<[number, number]> {
  const dev = up.k.devtab.get("|");
  if (dev === undefined) return error(Ebadsharp);
  const root = yield* waitfor(dev.attach(up, ""));
  const ends: Chan[] = [];
  try {
    for (const name of ["data", "data1"]) {
      const { clone, error: why } = yield* waitfor(dev.walk(up, root, [name]));
      if (clone === null) return error(why);
      ends.push(clone);
      clone.path = root.path.add(name);
      yield* waitfor(dev.open(up, clone, ORDWR));
    }
    const a = yield* waitfor(newfd(up, ends.shift() ?? root));
    return [a, yield* waitfor(newfd(up, ends.shift() ?? root))];
  } finally {
    for (const c of ends) yield* cclose(c);
    yield* cclose(root);
  }
}

export function fd2path(up: Proc, fd: number, n = 8192): string {
  checknum(n);
  return utfcut(up.fgrp.tochan(fd).path.toString(), Math.max(0, n - 1));
}
