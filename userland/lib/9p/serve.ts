// Where a server meets its clients: on two descriptors, in /srv, on a mount point, at an announced
// address. postmountsrv in 9p(2)

import {
  MCREATE,
  MREPL,
  ORCLOSE,
  OWRITE,
  RFFDG,
  RFNAMEG,
  RFNOTEG,
  RFPROC,
} from "../../../kernel/abi/const.ts";
import { utfencode } from "../../../kernel/abi/utf.ts";
import type { Task, TaskSys } from "../../../syscalls/sys.ts";
import { type Both, type ThreadSys, both } from "../both.ts";
import { type Call, announce } from "../dial.ts";
import { Conn } from "./conn.ts";
import { Porter } from "./porter.ts";
import type { Limits } from "./shares.ts";
import type { Anysrv } from "./promises.ts";

export type { Anysrv } from "./promises.ts";

/** Serves the client on these descriptors until it hangs up, and closes them. */
export const serve: Both<[fdin: number, fdout: number, srv: Anysrv], void, ThreadSys> = both(
  function* (sys, fdin, fdout, srv) {
    yield* new Conn(sys, { in: fdin, out: fdout }, srv).run();
  },
  "serve(fdin fd, fdout fd, srv object)",
);

/**
 * Posts a descriptor as /srv/name. Gives the descriptor of that file, which goes when that is closed by
 * all who have it. srv(3)
 */
export const postfd: Both<[name: string, fd: number], number> = both(function* (sys, name, fd) {
  const sfd = yield* sys.create(`#s/${name}`, OWRITE | ORCLOSE, 0o600);
  try {
    yield* sys.write(sfd, utfencode(String(fd)));
  } catch (e) {
    yield* sys.close(sfd);
    throw e;
  }
  return sfd;
}, "postfd(name text, fd fd)");

/** Posts a server as /srv/name and serves it until no process can reach it any more. */
export const post: Both<[srv: Anysrv, name: string], void, ThreadSys> = both(function* (
  sys,
  srv,
  name,
) {
  const [mine, theirs] = yield* sys.pipe();
  const sfd = yield* postfd(sys, name, theirs);
  yield* sys.close(theirs);
  yield* serve(sys, mine, mine, srv);
  yield* sys.close(sfd);
}, "post(srv object, name text)");

/** Where postmount puts a server: in /srv, on a directory, or both. */
export type Place = {
  /** Its name in /srv. */
  readonly name?: string;
  /** The directory that it is mounted on. */
  readonly mtpt?: string;
  /** How it is mounted: MREPL|MCREATE unless given. */
  readonly flags?: number;
};

/** Makes a server, with the system calls of the process that is to serve it. */
export type Makesrv = (sys: ThreadSys) => Anysrv | Task<Anysrv>;

/** Starts a process that serves what `make` makes, and posts and mounts that. Gives the process's number. */
export const postmount: Both<[make: Makesrv, place: Place], number> = both(function* (
  sys,
  make,
  place,
) {
  const [mine, theirs] = yield* sys.pipe();
  const open = [mine, theirs];
  try {
    // The server has the file in /srv open: it goes when the server does.
    if (place.name !== undefined) open.push(yield* postfd(sys, place.name, theirs));
    // Bound, and no closure: V8 keeps a closure that is a generator function until it looks through all memory.
    const main = serving.bind(null, make, mine, theirs);
    // QuickJS gives a bound function the prototype of all functions: by this one it is known as a generator function.
    Object.setPrototypeOf(main, Object.getPrototypeOf(serving));
    const pid = yield* sys.rfork(RFPROC | RFFDG | RFNAMEG | RFNOTEG, main);
    yield* closeall(sys, open.splice(0, 1));
    if (place.mtpt !== undefined) {
      yield* sys.mount(theirs, -1, place.mtpt, place.flags ?? MREPL | MCREATE, "");
      open.shift(); // mount closed it
    }
    return pid;
  } finally {
    yield* closeall(sys, open);
  }
}, "postmount(make function, place object)");

/** The process that serves on the descriptor `mine`. */
function* serving(make: Makesrv, mine: number, theirs: number, child: ThreadSys): Task<void> {
  yield* child.close(theirs);
  const srv = make(child);
  yield* serve(child, mine, mine, "next" in srv ? yield* srv : srv);
}

function* closeall(sys: TaskSys, fds: readonly number[]): Task<void> {
  for (const fd of fds) yield* sys.close(fd);
}

/** Serves all who call at addr, "tcp!*!564", each in a thread. */
export const listensrv: Both<
  [addr: string, srv: Anysrv, limits?: Partial<Limits>],
  never,
  ThreadSys
> = both(function* (sys, addr, srv, limits) {
  return yield* acceptsrv(sys, yield* announce(sys, addr), srv, limits);
}, "listensrv(addr text, srv object, limits object?)");

/**
 * Serves all who call at what announce gave, within the limits (shares.ts). What goes wrong with a call or a
 * connection is its own end, and a line on descriptor 2. Throws "listen hungup" when calls come no more.
 */
export const acceptsrv: Both<[at: Call, srv: Anysrv, limits?: Partial<Limits>], never, ThreadSys> =
  both(function* (sys, at, srv, limits) {
    return yield* new Porter(sys, srv, limits ?? {}).run(at);
  }, "acceptsrv(at object, srv object, limits object?)");
