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

/**
 * Serves the client at the other end of these descriptors until it hangs up, and closes them. 9p(2)
 *
 * @param fdin where requests are read
 * @param fdout where replies are written; it may be fdin
 * @param srv the server: what tree, newram or newexport gives, or one of your own
 * @throws PlanError "fd out of range or not open": fd is not open
 * @example
 * ```ts
 * await serve(sys, fd, fd, tree({ readme: "hello\n" }));
 * ```
 */
export const serve: Both<[fdin: number, fdout: number, srv: Anysrv], void, ThreadSys> = both(
  function* (sys, fdin, fdout, srv) {
    yield* new Conn(sys, { in: fdin, out: fdout }, srv).run();
  },
  "serve(fdin fd, fdout fd, srv object)",
);

/**
 * Posts a descriptor as /srv/name, where others can open it. srv(3)
 *
 * @param name its name in /srv
 * @param fd the descriptor, such as one end of a pipe
 * @returns the descriptor of the file in /srv; the file goes when each holder has closed it
 * @throws PlanError "fd out of range or not open": fd is not open
 * @throws PlanError "permission denied" and what else create(2) fails with
 * @example
 * ```ts
 * const [mine, theirs] = await sys.pipe();
 * const sfd = await postfd(sys, "fs", theirs);
 * ```
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

/**
 * Posts a server as /srv/name and serves it until no process can reach it any more. 9p(2)
 *
 * @param srv the server
 * @param name its name in /srv
 * @throws PlanError "permission denied" and what else create(2) fails with
 * @example
 * ```ts
 * await post(sys, tree({ readme: "hello\n" }), "hello");
 * ```
 */
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

/**
 * Makes a server, for postmount.
 *
 * @param sys the system calls of the process that is to serve it
 * @returns the server, or a Task that comes to it
 * @example
 * ```ts
 * const make: Makesrv = (sys) => newram(sys, { user: "glenda" });
 * ```
 */
export type Makesrv = (sys: ThreadSys) => Anysrv | Task<Anysrv>;

/**
 * Starts a process that serves what `make` makes, posts that and mounts it. 9p(2)
 *
 * @param make called in the new process, with its system calls; it gives the server
 * @param place where the server is posted and mounted
 * @returns the number of the process
 * @throws PlanError "file does not exist" or "does not exist": there is no directory place.mtpt
 * @example
 * ```ts
 * await postmount(sys, () => tree({ readme: "hello\n" }), { mtpt: "/tmp" });
 * ```
 */
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
    // A bound function is called "bound serving", which a trace would show as the program's name.
    Object.defineProperty(main, "name", { value: serving.name });
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

/**
 * Serves each caller of an address, in a thread of its own. It does not return. 9p(2)
 *
 * @param addr the address to announce: "tcp!*!564"
 * @param srv the server
 * @param limits what clients may hold; docs/servers.md has the defaults
 * @returns nothing: it ends by an error or with its process
 * @throws PlanError "listen hungup": calls come no more
 * @throws PlanError "bad network address": addr is no dial string
 * @throws PlanError "no port specified": addr names no service
 * @throws PlanError "can't translate service": the service has neither a number nor a name that is known here
 * @example
 * ```ts
 * await listensrv(sys, "tcp!127.0.0.1!5640", srv);
 * ```
 */
export const listensrv: Both<
  [addr: string, srv: Anysrv, limits?: Partial<Limits>],
  never,
  ThreadSys
> = both(function* (sys, addr, srv, limits) {
  return yield* acceptsrv(sys, yield* announce(sys, addr), srv, limits);
}, "listensrv(addr text, srv object, limits object?)");

/**
 * Serves each caller of an announced address, in a thread of its own. A fault of a connection ends that connection
 * and is told in a line on descriptor 2. 9p(2)
 *
 * @param at what announce gave
 * @param srv the server
 * @param limits what clients may hold; docs/servers.md has the defaults
 * @returns nothing: it ends by an error or with its process
 * @throws PlanError "listen hungup": calls come no more
 * @example
 * ```ts
 * await acceptsrv(sys, await announce(sys, "tcp!*!5640"), srv);
 * ```
 */
export const acceptsrv: Both<[at: Call, srv: Anysrv, limits?: Partial<Limits>], never, ThreadSys> =
  both(function* (sys, at, srv, limits) {
    return yield* new Porter(sys, srv, limits ?? {}).run(at);
  }, "acceptsrv(at object, srv object, limits object?)");
