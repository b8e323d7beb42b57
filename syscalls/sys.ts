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

/**
 * An async program, or the child function of rfork in one.
 *
 * @param sys the system calls of the process
 * @param argv the program's name, then its arguments
 * @returns the exit status: nothing or "" for success
 * @throws its process ends with the message of what was thrown as its status
 * @example
 * ```ts
 * const main: Main = async (sys, argv) => print(sys, `${argv[1]}\n`);
 * ```
 */
export type Main = (sys: Sys, argv: string[]) => Promise<Exit> | Exit;

/**
 * A generator program: its system calls are made with yield*, in its own coroutine.
 *
 * @param sys the system calls of the process
 * @param argv the program's name, then its arguments
 * @returns the exit status: nothing or "" for success
 * @throws its process ends with the message of what was thrown as its status
 * @example
 * ```ts
 * function* main(sys: TaskSys & Threads, argv: string[]): Task<Exit> {
 *   yield* print(sys, `${argv[1]}\n`);
 * }
 * ```
 */
export type TaskMain = (sys: TaskSys & Threads, argv: string[]) => Task<Exit>;

/** The system calls for a generator program. */
export interface TaskSys {
  /**
   * Opens a file and gives its descriptor, the lowest that is free. open(2)
   *
   * @param name the file's name: absolute, relative to dot, or a `#` name
   * @param mode OREAD, OWRITE, ORDWR or OEXEC, with OTRUNC, OCEXEC, ORCLOSE or OSTREAM added
   * @returns the descriptor, a number from 0
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "bad arg in system call": mode has an unknown bit
   * @throws PlanError "exclusive use file already open": another descriptor has the DMEXCL file open
   * @throws PlanError "cannot exec directory": mode is OEXEC and the file is a directory
   * @example
   * ```ts
   * const fd = await sys.open("/tmp/f", OREAD);
   * ```
   */
  open(name: string, mode: number): Task<number>;
  /**
   * Makes a file and opens it. A file that is there already is truncated and opened; `perm` then changes
   * nothing. open(2)
   *
   * @param name the file's name; the directory must exist
   * @param mode OREAD, OWRITE, ORDWR or OEXEC, with OEXCL, OTRUNC, OCEXEC, ORCLOSE or OSTREAM added
   * @param perm the permissions, such as 0o664, with DMDIR, DMAPPEND, DMEXCL or DMTMP; the directory's own
   *   permissions bound them
   * @returns the descriptor, a number from 0
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "file already exists": mode has OEXCL and the name exists
   * @throws PlanError "create without DMDIR": the name ends in "/" or "." and perm has no DMDIR
   * @throws PlanError "mounted directory forbids creation": no member of the union was bound with MCREATE
   * @example
   * ```ts
   * const fd = await sys.create("/tmp/d", OREAD, (DMDIR | 0o775) >>> 0);
   * ```
   */
  create(name: string, mode: number, perm: number): Task<number>;
  /**
   * Closes a descriptor. The file itself is closed when no descriptor has it any more. open(2)
   *
   * @param fd an open descriptor
   * @throws PlanError "fd out of range or not open": fd is not open
   * @example
   * ```ts
   * await sys.close(fd);
   * ```
   */
  close(fd: number): Task<void>;
  /**
   * Removes a file, or a directory that is empty. remove(2)
   *
   * @param name the file's name
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "directory not empty": the directory has entries
   * @throws PlanError "is a mount point": something is mounted on the name
   * @example
   * ```ts
   * await sys.remove("/tmp/f");
   * ```
   */
  remove(name: string): Task<void>;
  /**
   * Reads at the descriptor's offset and moves it by what was read. A directory gives whole entries, see
   * stat(5). read(2)
   *
   * @param fd a descriptor open for reading
   * @param buf takes at most buf.length bytes
   * @returns bytes read; 0 at the end of the file
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "inappropriate use of fd": fd is not open for reading
   * @throws PlanError "i/o count too small": the directory's next entry does not fit buf
   * @throws PlanError "interrupted": a note came while the call slept
   * @example
   * ```ts
   * const n = await sys.read(fd, buf);
   * ```
   */
  read(fd: number, buf: Uint8Array): Task<number>;
  /**
   * Reads at an offset. As on Plan 9, the descriptor's own offset moves by what was read, too. read(2)
   *
   * @param fd a descriptor open for reading
   * @param buf takes at most buf.length bytes
   * @param offset bytes from the start of the file; -1 is the descriptor's offset
   * @returns bytes read; 0 at the end of the file
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "inappropriate use of fd": fd is not open for reading
   * @throws PlanError "negative i/o offset": offset is below -1
   * @throws PlanError "interrupted": a note came while the call slept
   * @example
   * ```ts
   * const n = await sys.pread(fd, buf, 512);
   * ```
   */
  pread(fd: number, buf: Uint8Array, offset: number): Task<number>;
  /**
   * Writes at the descriptor's offset and moves it by what was written. read(2)
   *
   * @param fd a descriptor open for writing
   * @param bytes what is written
   * @returns bytes written: fewer than bytes.length only when a device took fewer
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "inappropriate use of fd": fd is not open for writing
   * @throws PlanError "i/o on hungup channel": the other end of the pipe or connection is closed; the note
   *   "sys: write on closed pipe" comes first
   * @throws PlanError "interrupted": a note came while the call slept
   * @example
   * ```ts
   * await sys.write(fd, new TextEncoder().encode("text"));
   * ```
   */
  write(fd: number, bytes: Uint8Array): Task<number>;
  /**
   * Writes at an offset. The descriptor's own offset stays. read(2)
   *
   * @param fd a descriptor open for writing
   * @param bytes what is written
   * @param offset bytes from the start of the file; -1 is the descriptor's offset
   * @returns bytes written
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "inappropriate use of fd": fd is not open for writing
   * @throws PlanError "negative i/o offset": offset is below -1
   * @example
   * ```ts
   * await sys.pwrite(fd, bytes, 0);
   * ```
   */
  pwrite(fd: number, bytes: Uint8Array, offset: number): Task<number>;
  /**
   * Sets the descriptor's offset. A directory can only be taken back to its start. seek(2)
   *
   * @param fd an open descriptor
   * @param offset bytes, counted from `whence`
   * @param whence 0: from the start; 1: from the present offset; 2: from the end of the file
   * @returns the new offset, in bytes
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "seek on a stream": fd is a pipe
   * @throws PlanError "negative i/o offset": the new offset would be below 0
   * @throws PlanError "file is a directory": a directory, and not seek(fd, 0, 0)
   * @throws PlanError "bad arg in system call": whence is not 0, 1 or 2
   * @example
   * ```ts
   * const length = await sys.seek(fd, 0, 2);
   * ```
   */
  seek(fd: number, offset: number, whence: number): Task<number>;
  /**
   * Gives another descriptor for the same Chan. The two share the offset. dup(2)
   *
   * @param fd an open descriptor
   * @param nfd the number wanted, whose file is closed first; -1 or nothing: the lowest that is free
   * @returns the new descriptor
   * @throws PlanError "fd out of range or not open": fd is not open, or nfd is beyond the table
   * @example
   * ```ts
   * await sys.dup(fd, 1); // output goes to fd
   * ```
   */
  dup(fd: number, nfd?: number): Task<number>;
  /**
   * Makes a pipe and opens both ends. What is written to one end is read from the other. pipe(2)
   *
   * @returns the two descriptors; each reads and writes
   * @throws PlanError "no free file descriptors": the table is full
   * @example
   * ```ts
   * const [mine, theirs] = await sys.pipe();
   * ```
   */
  pipe(): Task<[number, number]>;
  /**
   * Tells the name by which the file was opened. fd2path(2)
   *
   * @param fd an open descriptor
   * @param n bytes of the buffer that a C program would give: the name is cut to n - 1 bytes
   * @returns the name, absolute and cleaned
   * @throws PlanError "fd out of range or not open": fd is not open
   * @example
   * ```ts
   * await sys.fd2path(0); // "/dev/cons"
   * ```
   */
  fd2path(fd: number, n?: number): Task<string>;
  /**
   * Makes the directory dot, where names begin that have no slash in front. chdir(2)
   *
   * @param name a directory
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @example
   * ```ts
   * await sys.chdir("/tmp");
   * ```
   */
  chdir(name: string): Task<void>;
  /**
   * Tells what a file is. stat(2)
   *
   * @param name the file's name
   * @returns its Dir: name, uid, gid, muid, mode, qid, length in bytes, atime and mtime in seconds since
   *   1970, type, dev
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @example
   * ```ts
   * const { length } = await sys.stat("/tmp/f");
   * ```
   */
  stat(name: string): Task<Dir>;
  /**
   * Tells what an open file is. stat(2)
   *
   * @param fd an open descriptor
   * @returns its Dir, as stat gives it
   * @throws PlanError "fd out of range or not open": fd is not open
   * @example
   * ```ts
   * const { qid } = await sys.fstat(fd);
   * ```
   */
  fstat(fd: number): Task<Dir>;
  /**
   * Changes what `d` gives and leaves the rest alone. All changes are made, or none. stat(2)
   *
   * @param name the file's name
   * @param d the changes: name, mode, mtime (seconds since 1970), length (bytes), gid; a field that is
   *   absent, "", -1 or all ones changes nothing
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "file exists": the new name is taken
   * @throws PlanError "bad arg in system call": a field is of the wrong kind, or out of its range
   * @throws PlanError "name too long: an element has at most 8192 bytes", or gid or uid 255
   * @throws PlanError "bad character in file name: a/b": the new name has a slash or a control character
   * @throws PlanError "is a mount point": something is mounted on the name
   * @example
   * ```ts
   * await sys.wstat("/tmp/f", { name: "g", mode: 0o600 });
   * ```
   */
  wstat(name: string, d: Wstat): Task<void>;
  /**
   * Changes an open file as wstat does. stat(2)
   *
   * @param fd an open descriptor
   * @param d the changes, as for wstat
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "permission denied": the changes are not the caller's to make
   * @throws PlanError "file exists": the new name is taken
   * @example
   * ```ts
   * await sys.fwstat(fd, { length: 0 });
   * ```
   */
  fwstat(fd: number, d: Wstat): Task<void>;
  /**
   * stat as the real call has it: the entry's bytes go into buf. stat(2)
   *
   * @param name the file's name
   * @param buf takes the entry, stat(5); with less room only its size, 2 bytes
   * @returns bytes put into buf
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "stat buffer too small": buf has less than 2 bytes
   * @example
   * ```ts
   * const n = await sys.statraw("/tmp/f", buf);
   * ```
   */
  statraw(name: string, buf: Uint8Array): Task<number>;
  /**
   * wstat as the real call has it: the changes are an entry's bytes. stat(2)
   *
   * @param name the file's name
   * @param buf a whole entry, stat(5): empty strings and all ones change nothing
   * @returns the length of the entry, in bytes
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "malformed stat buffer": buf is no entry
   * @example
   * ```ts
   * await sys.wstatraw("/tmp/f", entry);
   * ```
   */
  wstatraw(name: string, buf: Uint8Array): Task<number>;
  /**
   * fstat as the real call has it: the entry's bytes go into buf. stat(2)
   *
   * @param fd an open descriptor
   * @param buf takes the entry, stat(5); with less room only its size, 2 bytes
   * @returns bytes put into buf
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "stat buffer too small": buf has less than 2 bytes
   * @example
   * ```ts
   * const n = await sys.fstatraw(fd, buf);
   * ```
   */
  fstatraw(fd: number, buf: Uint8Array): Task<number>;
  /**
   * fwstat as the real call has it: the changes are an entry's bytes. stat(2)
   *
   * @param fd an open descriptor
   * @param buf a whole entry, stat(5)
   * @returns the length of the entry, in bytes
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "malformed stat buffer": buf is no entry
   * @example
   * ```ts
   * await sys.fwstatraw(fd, entry);
   * ```
   */
  fwstatraw(fd: number, buf: Uint8Array): Task<number>;
  /**
   * Makes the file or directory `name` appear at `old`, for this process and those that share its name
   * space. bind(2)
   *
   * @param name what appears
   * @param old where: the mount point
   * @param flags MREPL, MBEFORE or MAFTER, with MCREATE
   * @returns the mount id, a number above 0
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "inconsistent mount": one is a file and the other a directory, or the order of a
   *   union is asked for a file
   * @throws PlanError "bad arg in system call": flags has an unknown bit
   * @example
   * ```ts
   * await sys.bind("/usr/ken/bin", "/bin", MAFTER);
   * ```
   */
  bind(name: string, old: string, flags: number): Task<number>;
  /**
   * Mounts the 9P server behind a descriptor at `old`. bind(2)
   *
   * @param fd a descriptor open for reading and writing, at whose other end is the server; closed when the
   *   mount succeeds
   * @param afd the descriptor that fauth gave, -1 without authentication
   * @param old the mount point, a directory
   * @param flags MREPL, MBEFORE or MAFTER, with MCREATE or MCACHE
   * @param aname which of the server's trees; "" is its own choice
   * @returns the mount id, a number above 0
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "inappropriate use of fd": fd is not open for both
   * @throws PlanError "mount/attach disallowed": the process called rfork(RFNOMNT)
   * @throws PlanError "EOF receiving fversion reply": the other end is no 9P server
   * @throws PlanError "i/o on hungup channel": the server hung up
   * @example
   * ```ts
   * await sys.mount(fd, -1, "/n/far", MREPL | MCREATE, "");
   * ```
   */
  mount(fd: number, afd: number, old: string, flags: number, aname: string): Task<number>;
  /**
   * Takes `name` off the mount point `old`. bind(2)
   *
   * @param name what was bound or mounted there; null takes off everything
   * @param old the mount point
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "not mounted": nothing is mounted on old
   * @throws PlanError "not in union": name is not mounted on old
   * @example
   * ```ts
   * await sys.unmount(null, "/n/far");
   * ```
   */
  unmount(name: string | null, old: string): Task<void>;
  /**
   * Agrees with a 9P server on the version and the size of messages, before a mount. mount does it where it
   * was not done. fversion(2)
   *
   * @param fd a descriptor open for reading and writing
   * @param msize the largest message, in bytes; 0 is the kernel's choice
   * @param version the version offered; "" is the kernel's choice
   * @param n bytes of the buffer that a C program would give
   * @returns the version agreed on, such as "9P2000.ix"
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "bad 9P version specification": the version is unknown to the kernel or not agreed
   * @throws PlanError "bad arg in system call": the answer does not fit n bytes
   * @example
   * ```ts
   * await sys.fversion(fd, 0, "9P2000");
   * ```
   */
  fversion(fd: number, msize: number, version: string, n?: number): Task<string>;
  /**
   * Asks a 9P server for an authentication file, which mount is given as afd. fauth(2)
   *
   * @param fd a descriptor open for reading and writing
   * @param aname the tree that is to be mounted
   * @returns the descriptor of the authentication file
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError the server's own words: the server wants no authentication, for example
   * @example
   * ```ts
   * const afd = await sys.fauth(fd, "");
   * ```
   */
  fauth(fd: number, aname: string): Task<number>;
  /**
   * Exchanges the process's error string: what the last failed call said. errstr(2)
   *
   * @param s the new error string
   * @param n bytes of the buffer that a C program would give; at most n - 1 bytes are exchanged
   * @returns the old error string
   * @throws PlanError "bad arg in system call": n is below 1
   * @example
   * ```ts
   * const why = await sys.errstr();
   * ```
   */
  errstr(s?: string, n?: number): Task<string>;
  /**
   * Tells the time. nsec(2)
   *
   * @returns nanoseconds since 1970, of the kernel's clock
   * @example
   * ```ts
   * const t = await sys.nsec();
   * ```
   */
  nsec(): Task<bigint>;
  /**
   * Copies, clears or leaves the groups that the process shares with others; with RFPROC a child gets them.
   * fork(2)
   *
   * @param flags RFPROC, RFNAMEG, RFFDG ... added
   * @param child what the child runs: a function like main, with the child's own `sys`; needed with RFPROC
   * @returns the child's pid; 0 without RFPROC
   * @throws PlanError "bad arg in system call": two flags exclude each other, RFMEM or RFNOWAIT stands
   *   without RFPROC, or child is missing
   * @example
   * ```ts
   * const pid = await sys.rfork(RFPROC | RFFDG, async (sys) => sys.exits("done"));
   * ```
   */
  rfork(flags: number, child?: Main | TaskMain): Task<number>;
  /**
   * Runs the program in a file in place of this one. It returns only when it fails. exec(2)
   *
   * @param name a file with execute permission
   * @param argv the arguments; argv[0] is the program's name
   * @returns never
   * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; the
   *   message begins with the name, quoted, up to that element
   * @throws PlanError "not a directory": an element on the way is a file
   * @throws PlanError "permission denied": a permission on the way, or of the file, forbids it
   * @throws PlanError "empty file name": the name is ""
   * @throws PlanError "exec header invalid": the file is no program
   * @throws PlanError "cannot exec directory": the file is a directory
   * @example
   * ```ts
   * await sys.exec("/bin/echo", ["echo", "hello"]);
   * ```
   */
  exec(name: string, argv: readonly string[]): Task<never>;
  /**
   * Ends the process. Its calls in progress are given up. exits(2)
   *
   * @param status what wait tells the parent: "" for success, else what went wrong
   * @returns never
   * @example
   * ```ts
   * await sys.exits("no such user");
   * ```
   */
  exits(status?: string): Task<never>;
  /**
   * Ends the process, as exits does: there is nothing here that exits would do before. exits(2)
   *
   * @param status what wait tells the parent
   * @returns never
   * @example
   * ```ts
   * await sys._exits("");
   * ```
   */
  _exits(status?: string): Task<never>;
  /**
   * Waits until a child has ended. wait(2)
   *
   * @returns its pid, its times in ms (user, system, real) and its status, "" for success
   * @throws PlanError "no living children": the process has no child to wait for
   * @throws PlanError "interrupted": a note came
   * @example
   * ```ts
   * const { pid, msg } = await sys.wait();
   * ```
   */
  wait(): Task<Waitmsg>;
  /**
   * Waits until a child has ended, and tells it as text. wait(2)
   *
   * @param n bytes of the buffer that a C program would give: the text is cut to n - 1 bytes
   * @returns "pid utime stime rtime 'msg'", times in ms
   * @throws PlanError "no living children": the process has no child to wait for
   * @throws PlanError "interrupted": a note came
   * @example
   * ```ts
   * await sys.await(); // "7 0 0 1 ''"
   * ```
   */
  await(n?: number): Task<string>;
  /**
   * Sets the function that is called when a note comes. Without one, a note ends the process. notify(2)
   *
   * @param handler is given the note; ends with noted; null: none
   * @throws PlanError "bad arg in system call": handler is no function
   * @example
   * ```ts
   * await sys.notify(async (sys, note) => sys.noted(note === "alarm" ? NCONT : NDFLT));
   * ```
   */
  notify(handler: Handler | null): Task<void>;
  /**
   * Ends a note handler. Outside a handler it kills the process. notify(2)
   *
   * @param how NCONT: the program goes on; NDFLT: the process dies with the note as its status
   * @example
   * ```ts
   * await sys.noted(NCONT);
   * ```
   */
  noted(how: number): Task<void>;
  /**
   * Has the note "alarm" posted to this process after a time. There is one alarm for a process. sleep(2)
   *
   * @param ms milliseconds from now; 0 takes the alarm back
   * @returns milliseconds that the last alarm had left, 0 if there was none
   * @throws PlanError "bad arg in system call": ms is no number, or too large
   * @example
   * ```ts
   * await sys.alarm(500);
   * ```
   */
  alarm(ms: number): Task<number>;
  /**
   * Sleeps. sleep(0) lets others run. sleep(2)
   *
   * @param ms milliseconds
   * @throws PlanError "interrupted": a note came
   * @throws PlanError "bad arg in system call": ms is no number, or too large
   * @example
   * ```ts
   * await sys.sleep(10);
   * ```
   */
  sleep(ms: number): Task<void>;
  /**
   * Starts a stream; ours. On a descriptor for reading the bytes are asked for now; on one for writing
   * swrite begins at the offset. docs/streams.md
   *
   * @param fd an open descriptor
   * @param offset bytes from the start of the file
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "negative i/o offset": offset is below 0
   * @example
   * ```ts
   * await sys.stream(fd, 0);
   * ```
   */
  stream(fd: number, offset: number): Task<void>;
  /**
   * Reads the next bytes of the stream, as they come; ours. docs/streams.md
   *
   * @param fd a descriptor open for reading
   * @param buf takes at most buf.length bytes
   * @returns bytes read, at least one; 0 at the end
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "inappropriate use of fd": fd is not open for reading
   * @throws PlanError "interrupted": a note came
   * @example
   * ```ts
   * for (let n = 1; n > 0; ) n = await sys.sread(fd, buf);
   * ```
   */
  sread(fd: number, buf: Uint8Array): Task<number>;
  /**
   * Writes the next bytes of the stream and waits only for room; ours. It fails with what became of earlier
   * bytes, close with what became of the last. docs/streams.md
   *
   * @param fd a descriptor open for writing
   * @param bytes what is written
   * @returns bytes taken
   * @throws PlanError "fd out of range or not open": fd is not open
   * @throws PlanError "inappropriate use of fd": fd is not open for writing
   * @throws PlanError the server's own words: an earlier write failed: PlanError.offset is the first byte
   *   that was not written
   * @example
   * ```ts
   * await sys.swrite(fd, bytes);
   * ```
   */
  swrite(fd: number, bytes: Uint8Array): Task<number>;
  /**
   * Meets another process of the rendezvous group and exchanges values with it. rendezvous(2)
   *
   * @param tag what both must name; compared with ===
   * @param value what the other process gets
   * @returns the other's value; undefined when a note interrupted the call
   * @example
   * ```ts
   * const theirs = await sys.rendezvous("done", mine);
   * ```
   */
  rendezvous(tag: unknown, value: unknown): Task<unknown>;
  /**
   * Takes 1 off a semaphore, a word that processes share by sharing its memory. semacquire(2)
   *
   * @param sem the semaphore is sem[0]
   * @param block true: sleep while it is 0; false: give 0 then
   * @returns 1 when it was taken, else 0
   * @throws PlanError "interrupted": a note came
   * @throws PlanError "bad arg in system call": sem is no Int32Array, or sem[0] is negative
   * @example
   * ```ts
   * await sys.semacquire(sem, true);
   * ```
   */
  semacquire(sem: Int32Array, block: boolean): Task<0 | 1>;
  /**
   * Takes 1 off a semaphore, and sleeps for a bounded time while it is 0. semacquire(2)
   *
   * @param sem the semaphore is sem[0]
   * @param ms milliseconds to sleep at most
   * @returns 1 when it was taken, else 0
   * @throws PlanError "interrupted": a note came
   * @throws PlanError "bad arg in system call": sem is no Int32Array, or sem[0] is negative
   * @example
   * ```ts
   * if ((await sys.tsemacquire(sem, 100)) === 0) return "too late";
   * ```
   */
  tsemacquire(sem: Int32Array, ms: number): Task<0 | 1>;
  /**
   * Adds to a semaphore, and lets as many sleepers take from it, in the order they came. semacquire(2)
   *
   * @param sem the semaphore is sem[0]
   * @param count how much is added, at least 0
   * @returns the semaphore's new value
   * @throws PlanError "bad arg in system call": sem is no Int32Array, or count is below 0
   * @example
   * ```ts
   * await sys.semrelease(sem, 1);
   * ```
   */
  semrelease(sem: Int32Array, count: number): Task<number>;
}

/** What a generator program has besides: threads of its own process, as libthread's threadcreate. */
export interface Threads {
  /**
   * Starts a task as another thread of this process. It ends with the process. thread(2)
   *
   * @param task what the thread does
   * @returns the thread's number
   * @example
   * ```ts
   * sys.threadcreate(answer(sys, fd));
   * ```
   */
  threadcreate(task: Task<unknown>): number;
  /**
   * Begins a task at once, in the thread that calls. thread(2)
   *
   * @param task what is done
   * @returns 0 if the task came to its end without sleeping; else the number of the thread of this process in
   *   which it goes on
   * @example
   * ```ts
   * if (sys.threadbegin(answer(sys, fd)) === 0) done++;
   * ```
   */
  threadbegin(task: Task<unknown>): number;
  /**
   * Fails the system call in which a thread sleeps with "interrupted"; does nothing if it does not sleep.
   * thread(2)
   *
   * @param thread the thread's number
   * @example
   * ```ts
   * sys.threadint(thread);
   * ```
   */
  threadint(thread: number): void;
}

/** The system calls for an async program. */
export type Sys = {
  readonly [K in keyof TaskSys]: TaskSys[K] extends (...args: infer A) => Task<infer R>
    ? (...args: A) => Promise<R>
    : never;
};
