// The system calls as a program sees them, with Plan 9's names and order of arguments (section 2 of the
// manual). TaskSys is their form for generator programs: `const fd = yield* sys.open("/tmp/f", OREAD)`.
// Sys is the same for async programs: `const fd = await sys.open("/tmp/f", OREAD)`.
//
// All throw (or reject with) PlanError. Bytes are Uint8Array; offsets and counts are numbers; nsec is a
// bigint, in nanoseconds.

import type { Dir, Wstat } from "../kernel/abi/dir.ts";
import type { Handler } from "../kernel/proc/note.ts";
import type { Waitmsg } from "../kernel/proc/proc.ts";
import type { Task } from "../kernel/proc/rendez.ts";

export type { Dir, Wstat, Handler, Waitmsg, Task };

/** What a program may return: its exit status, nothing or "" for success. */
export type Exit = string | void;

/** An async program, or the child function of rfork in one. */
export type Main = (sys: Sys, argv: string[]) => Promise<Exit> | Exit;

/** A generator program: its system calls are made with yield*, in its own coroutine. */
export type TaskMain = (sys: TaskSys & Threads, argv: string[]) => Task<Exit>;

/** The system calls for a generator program. */
export interface TaskSys {
  /** Opens a file: OREAD, OWRITE, ORDWR or OEXEC, with OTRUNC, OCEXEC, ORCLOSE, OSTREAM. open(2) */
  open(name: string, mode: number): Task<number>;
  /** Creates a file, or truncates and opens the one that is there (not with OEXCL). open(2) */
  create(name: string, mode: number, perm: number): Task<number>;
  close(fd: number): Task<void>;
  remove(name: string): Task<void>;
  /** Reads at most buf.length bytes at the descriptor's offset; 0 at the end. read(2) */
  read(fd: number, buf: Uint8Array): Task<number>;
  /** Reads at `offset`, -1 being the descriptor's. As on Plan 9, that moves by what was read all the same. */
  pread(fd: number, buf: Uint8Array, offset: number): Task<number>;
  write(fd: number, bytes: Uint8Array): Task<number>;
  pwrite(fd: number, bytes: Uint8Array, offset: number): Task<number>;
  /** whence: 0 from the start, 1 from here, 2 from the end. seek(2) */
  seek(fd: number, offset: number, whence: number): Task<number>;
  /** Another descriptor for the same Chan: `nfd`, or the lowest free one. dup(2) */
  dup(fd: number, nfd?: number): Task<number>;
  /** Two descriptors, each end of a two-way pipe. pipe(2) */
  pipe(): Task<[number, number]>;
  /** The name the descriptor was opened by, cut to n-1 bytes. fd2path(2) */
  fd2path(fd: number, n?: number): Task<string>;
  chdir(name: string): Task<void>;
  stat(name: string): Task<Dir>;
  fstat(fd: number): Task<Dir>;
  /** Changes what is given and leaves the rest alone. stat(2) */
  wstat(name: string, d: Wstat): Task<void>;
  fwstat(fd: number, d: Wstat): Task<void>;
  /** stat as the real call has it: the entry's bytes into buf, or only its size when buf is too small. */
  statraw(name: string, buf: Uint8Array): Task<number>;
  wstatraw(name: string, buf: Uint8Array): Task<number>;
  fstatraw(fd: number, buf: Uint8Array): Task<number>;
  fwstatraw(fd: number, buf: Uint8Array): Task<number>;
  /** Makes `name` appear at `old`: MREPL, MBEFORE or MAFTER, with MCREATE. Gives the mount id. bind(2) */
  bind(name: string, old: string, flags: number): Task<number>;
  /** Mounts the 9P server behind fd on `old`; fd is closed when that worked. afd is -1 without authentication. */
  mount(fd: number, afd: number, old: string, flags: number, aname: string): Task<number>;
  /** Takes `name`, or with null everything, off `old`. */
  unmount(name: string | null, old: string): Task<void>;
  /** Negotiates the version of 9P spoken over fd; msize 0 and version "" are the kernel's choice. */
  fversion(fd: number, msize: number, version: string, n?: number): Task<string>;
  fauth(fd: number, aname: string): Task<number>;
  /** Exchanges the error string. errstr(2) */
  errstr(s?: string, n?: number): Task<string>;
  nsec(): Task<bigint>;
  /** Shares, copies or clears groups; with RFPROC a child runs `child`, and its pid is returned. fork(2) */
  rfork(flags: number, child?: Main | TaskMain): Task<number>;
  /** Runs the program in the file in place of this one; does not return when that works. exec(2) */
  exec(name: string, argv: readonly string[]): Task<never>;
  /** Ends the process with a status. Calls in progress are abandoned. exits(2) */
  exits(status?: string): Task<never>;
  _exits(status?: string): Task<never>;
  /** Waits for a child to end. wait(2) */
  wait(): Task<Waitmsg>;
  /** The same as text: "pid utime stime rtime 'msg'", cut to n bytes. */
  await(n?: number): Task<string>;
  /** Sets the handler of notes, null for none. notify(2) */
  notify(handler: Handler | null): Task<void>;
  /** Ends a handler: NCONT goes on, NDFLT dies of the note. */
  noted(how: number): Task<void>;
  /** Posts the note "alarm" in ms; 0 cancels. Gives what was left of the last one, in ms. sleep(2) */
  alarm(ms: number): Task<number>;
  sleep(ms: number): Task<void>;
  /** Starts a stream at `offset`: reading asks for the bytes now, writing starts there. Ours. */
  stream(fd: number, offset: number): Task<void>;
  /** The next bytes of the stream, as they come: at least one, 0 at the end. Ours. */
  sread(fd: number, buf: Uint8Array): Task<number>;
  /** Writes the next bytes of the stream, waiting only for room; fails with what became of earlier ones. Ours. */
  swrite(fd: number, bytes: Uint8Array): Task<number>;
  /** Meets another process at `tag` and exchanges values; undefined when interrupted. rendezvous(2) */
  rendezvous(tag: unknown, value: unknown): Task<unknown>;
  /**
   * Takes 1 off the semaphore sem[0], a word that processes share by sharing its memory, and gives 1.
   * While it is 0 it sleeps, or with `block` false gives 0. semacquire(2)
   */
  semacquire(sem: Int32Array, block: boolean): Task<0 | 1>;
  /** semacquire that sleeps for at most ms, and then gives 0. */
  tsemacquire(sem: Int32Array, ms: number): Task<0 | 1>;
  /** Adds count to the semaphore and lets as many sleepers have it, in the order they came; gives its new value. */
  semrelease(sem: Int32Array, count: number): Task<number>;
}

/** What a generator program has besides: threads of its own process, as libthread's threadcreate. */
export interface Threads {
  /** Starts task as another thread of this process; it ends with it. Gives the thread's number. */
  threadcreate(task: Task<unknown>): number;
  /** Fails the system call that the thread sleeps in with "interrupted"; does nothing if it does not sleep. */
  threadint(thread: number): void;
}

/** The system calls for an async program. */
export type Sys = {
  readonly [K in keyof TaskSys]: TaskSys[K] extends (...args: infer A) => Task<infer R>
    ? (...args: A) => Promise<R>
    : never;
};
