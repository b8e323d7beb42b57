// namec fossil: commands for a fossil's disk. A disk that is being served is its server's: the command goes to it
// by the socket in the directory. Else the disk is opened here.

import * as crypto from "node:crypto";
import {
  closeSync,
  existsSync,
  fchmodSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import type { Server as Netserver } from "node:net";
import { join, relative, resolve } from "node:path";
import { DMDIR, MCREATE, MREPL, OREAD, QTDIR } from "../../kernel/abi/const.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import type { Bootopts } from "../boot/boot.ts";
import { Mounterror } from "../boot/mounts.ts";
import { serve } from "../lib/9p.ts";
import type { Anysrv } from "../lib/9p.ts";
import type { ThreadSys } from "../lib/both.ts";
import { readdir } from "../lib/dirread.ts";
import type { Fossil, Fossilopts } from "../lib/fossil/fossil.ts";
import type { Hash } from "../lib/fossil/format.ts";
import { COMMANDS, ask, command, lookfossil, newfossil, postconsole } from "../lib/fossil/serve.ts";
import { counted } from "../lib/fossil/words.ts";
import { type Command, type Given, Usage, nearest } from "./command.ts";
import { holder, takelock } from "./disklock.ts";
import { hostdir, machine } from "./machine.ts";

/** The disk, in the directory that --db names. */
const DISK = "disk";
/** Where commands go to one that is served. */
const SOCKET = "ctl";
/** Bytes that the name of a socket may have, less than sockaddr_un has in any system. */
const SOCKETNAME = 103;
/** The name of a fossil's console in /srv. */
const CONSOLE = "fscons";

/** sha-256 by the host. What hashes at once, in newer Nodes, leaves the garbage collector less to do. */
export const hash: Hash =
  "hash" in crypto
    ? (bytes) => crypto.hash("sha256", bytes, "buffer")
    : (bytes) => crypto.createHash("sha256").update(bytes).digest();

const about = [...COMMANDS]
  .filter(([name]) => name !== "end")
  .map(([name, text]) => `    ${name.padEnd(8)}${text}`)
  .join("\n");

export const fossil: Command = {
  name: "fossil",
  usage: "COMMAND DIR [args...]",
  brief: "commands for the disk of a fossil: snapshots, check, export",
  about: `Commands for the disk in DIR, which namec serve fossil --db DIR made. One that is being served is
asked to do it; else the disk is opened here.

${about}
    export  copy a snapshot, as ls names it, into a directory of this machine`,
  options: [{ name: "archive", values: [], text: "snap: make one for the archive" }],
  examples: [
    "namec fossil snap ./disk",
    "namec fossil snap --archive ./disk",
    "namec fossil ls ./disk",
    "namec fossil rm ./disk 2026/1127/0930",
    "namec fossil export ./disk 2026/1127/0930 /tmp/old",
    "namec fossil check ./disk",
  ],
  mixed: true,
  run: start,
};

async function start(given: Given): Promise<number> {
  const [name = "", dir, ...args] = given.rest;
  const names = [...COMMANDS.keys(), "export"].filter((n) => n !== "end");
  if (name === "") throw new Usage("no command is given", `there are ${names.join(", ")}`);
  if (!names.includes(name)) {
    const close = nearest(name, names);
    throw new Usage(
      `unknown command ${name}`,
      close === null ? `there are ${names.join(", ")}` : `did you mean ${close}?`,
    );
  }
  if (dir === undefined) throw new Usage("which disk?", `namec fossil ${name} DIR`);
  if (!existsSync(join(dir, DISK)))
    throw new Mounterror(
      `${dir} has no disk of a fossil; namec serve fossil --db ${dir} makes one`,
    );
  const line = [name, ...(given.has("archive") ? ["-a"] : []), ...args].join(" ");
  try {
    if (name === "export") return await copyout(resolve(dir), args);
    return answered(
      name,
      (await served(resolve(dir), line)) ??
        // check says in its answer what is wrong with the roots.
        (await alone(resolve(dir), name === "check" ? {} : { log }, (_sys, f) => command(f, line))),
    );
  } catch (e) {
    // "namec fossil:" stands before it.
    if (e instanceof PlanError || e instanceof Mounterror)
      throw new Mounterror(e.message.replace(/^fossil: /, ""));
    throw e;
  }
}

/** Prints the answer to a command, and gives the status that it ends with. */
function answered(name: string, lines: readonly string[]): number {
  for (const l of lines) process.stdout.write(`${l}\n`);
  return name === "check" && !lines.some((l) => l.endsWith(": all is well")) ? 1 : 0;
}

/** Asks the server of a disk; null where it has none. */
function served(dir: string, line: string): Promise<string[] | null> {
  if (holder(dir) === null) return Promise.resolve(null);
  return new Promise((done, fail) => {
    const socket = connect(socketof(dir));
    let text = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.end(`${line}\n`));
    socket.on("data", (s: string) => (text += s));
    socket.on("error", (e) =>
      fail(new Mounterror(`the server of ${dir} does not answer: ${e.message}`)),
    );
    socket.on("end", () => {
      if (text.startsWith("?")) fail(new Mounterror(text.slice(1).trimEnd()));
      else done(text.split("\n").slice(0, -1));
    });
  });
}

type Use<T> = (sys: ThreadSys, f: Fossil) => Task<T>;

const log = (line: string): void => void process.stderr.write(`namec ${line}\n`);

/** Opens the disk here, does something with it, and makes it safe. */
async function alone<T>(dir: string, opts: Omit<Fossilopts, "hash">, fn: Use<T>): Promise<T> {
  const lock = takelock(dir, "namec fossil");
  try {
    return await inkernel(dir, function* (sys) {
      const f = yield* newfossil(sys, `/db/${DISK}`, { ...opts, hash });
      const value = yield* fn(sys, f);
      yield* f.end();
      return value;
    });
  } finally {
    lock();
  }
}

/** Runs a Task in a kernel that has the directory at /db. */
async function inkernel<T>(dir: string, fn: (sys: ThreadSys) => Task<T>): Promise<T> {
  const kernel = await machine(diskboot(dir));
  const outcome: { value?: T; e?: unknown } = {};
  try {
    const p = kernel.spawn(
      function* main(sys: ThreadSys): Task<Exit> {
        try {
          outcome.value = yield* fn(sys);
        } catch (e) {
          outcome.e = e;
        }
        yield* sys.exits("");
      },
      ["fossil"],
      { tty: kernel.config.tty },
    );
    await p.wait();
  } finally {
    await kernel.shutdown();
  }
  if (outcome.e !== undefined) throw outcome.e;
  return outcome.value as T;
}

/** Copies a snapshot into a directory of the host, whatever its permissions. One that is served is read beside its server. */
async function copyout(dir: string, args: readonly string[]): Promise<number> {
  const [snap, to] = args;
  if (snap === undefined || to === undefined || args.length > 2)
    throw new Usage("what, and where to?", "namec fossil export DIR SNAP DIRECTORY");
  if (onhost(() => statSync(to, { throwIfNoEntry: false }))?.isDirectory() === false)
    throw new Mounterror(`${to} is not a directory`);
  const opts = { noperm: true };
  const copy: Use<Copied> = function* (sys, f) {
    const found = f.list.find((s) => s.name === snap);
    if (found === undefined)
      throw new Mounterror(`${dir} has no snapshot ${snap}: namec fossil ls ${dir} lists them`);
    const [mine, theirs] = yield* sys.pipe();
    sys.threadcreate(serve(sys, mine, mine, f.srv as Anysrv));
    yield* sys.mount(theirs, -1, "/n", MREPL, found.archive ? "main/archive" : "main/snapshot");
    return yield* copytree(sys, `/n/${snap}`, to);
  };
  const { files, failed } = await (holder(dir) === null
    ? alone(dir, { ...opts, log }, copy)
    : inkernel(dir, function* (sys) {
        return yield* copy(sys, yield* lookfossil(sys, `/db/${DISK}`, { ...opts, hash }));
      }));
  process.stdout.write(`${counted(files, "file")}\n`);
  if (failed > 0) throw new Mounterror(`${counted(failed, "name")} could not be copied`);
  return 0;
}

/** A call of the host, whose failure is told in its words. */
function onhost<T>(call: () => T): T {
  try {
    return call();
  } catch (e) {
    // "ENAMETOOLONG: name too long, open '/tmp/...'": the caller says which name.
    throw new Mounterror(e instanceof Error ? e.message.replace(/, \w+ '.*$/s, "") : String(e));
  }
}

/** How many files were copied, and how many files and directories were not. */
type Copied = { files: number; failed: number };

/** A directory to be copied: its name in the kernel, and at the host. */
type Copydir = { readonly src: string; readonly dst: string };

/**
 * Copies a tree out of the kernel's name space. What cannot be copied is told, with the reason, and the rest is copied
 * all the same.
 */
function* copytree(sys: ThreadSys, from: string, to: string): Task<Copied> {
  const done: Copied = { files: 0, failed: 0 };
  const dirs: Copydir[] = [];
  onhost(() => mkdirSync(to, { recursive: true }));
  for (let at: Copydir | undefined = { src: from, dst: to }; at !== undefined; at = dirs.pop()) {
    const { src, dst } = at;
    for (const d of yield* listed(sys, src, from, done)) {
      const name = { src: `${src}/${d.name}`, dst: join(dst, d.name) };
      try {
        const isdir = (d.mode & DMDIR) !== 0 || (d.qid.type & QTDIR) !== 0;
        // A disk that was tampered with leads nowhere else.
        if (["", ".", ".."].includes(d.name) || /[/\0]/.test(d.name))
          throw new Mounterror("a name that no file can have");
        if (isdir) {
          onhost(() => copydir(name.dst));
          dirs.push(name);
        } else {
          yield* copyfile(sys, name, d);
          done.files++;
        }
      } catch (e) {
        notcopied(name.src.slice(from.length), e, done);
      }
    }
  }
  return done;
}

/** The entries of a directory; none where they cannot be had, which is told. */
function* listed(sys: ThreadSys, src: string, from: string, done: Copied): Task<Dir[]> {
  try {
    return yield* readdir(sys, src);
  } catch (e) {
    notcopied(`${src.slice(from.length)}/`, e, done);
    return [];
  }
}

/** Tells of a name that could not be copied. Where the machine takes nothing at all, the copying ends. */
function notcopied(name: string, e: unknown, done: Copied): void {
  if (!(e instanceof Mounterror) && !(e instanceof PlanError)) throw e;
  if (/^(ENOSPC|EDQUOT|EROFS)\b/.test(e.message)) throw new Mounterror(`${name}: ${e.message}`);
  // The file server's own name of the file says no more.
  const why = e.message.replace(/^\/.*: (?=i\/o error)/s, "");
  process.stderr.write(`namec fossil: ${name}: ${why}\n`);
  done.failed++;
}

/** A directory of the host: the one that has the name, or a new one. A link to one is none. */
function copydir(to: string): void {
  if (lstatSync(to, { throwIfNoEntry: false })?.isDirectory() !== true) mkdirSync(to);
}

/**
 * Copies a file, with its mode and time, to a new one of the host: what has the name, perhaps a link, is removed. What
 * is zeros for a whole read is a hole there. A file that cannot be copied whole is removed again.
 */
function* copyfile(sys: ThreadSys, { src, dst }: Copydir, d: Dir): Task<void> {
  const fd = yield* sys.open(src, OREAD);
  let whole = false;
  let out = -1;
  try {
    out = onhost(() => {
      rmSync(dst, { force: true });
      return openSync(dst, "wx", 0o600);
    });
    yield* copybytes(sys, fd, out);
    onhost(() => {
      futimesSync(out, d.atime, d.mtime);
      fchmodSync(out, d.mode & 0o777);
    });
    whole = true;
  } finally {
    if (out >= 0) closeSync(out);
    if (out >= 0 && !whole) onhost(() => rmSync(dst, { force: true }));
    yield* sys.close(fd);
  }
}

/** Copies what is read from fd to a new file of the host. */
function* copybytes(sys: ThreadSys, fd: number, out: number): Task<void> {
  const buf = Buffer.alloc(1 << 16);
  const zeros = Buffer.alloc(buf.length);
  let end = 0;
  for (let got = yield* sys.read(fd, buf); got > 0; got = yield* sys.read(fd, buf)) {
    const hole = zeros.compare(buf, 0, got, 0, got) === 0;
    for (let put = hole ? got : 0; put < got;)
      put += onhost(() => writeSync(out, buf, put, got - put, end + put));
    end += got;
  }
  onhost(() => ftruncateSync(out, end));
}

/** What a kernel needs that is to open the disk of a directory: the directory, at /db. */
export function diskboot(dir: string): Bootopts {
  return {
    files: { db: {}, n: {} },
    devices: [hostdir(dir)],
    binds: [["#U", "/db", MREPL | MCREATE]],
  };
}

/**
 * The socket of a directory, by the shorter of its names, from here or from the root. Throws Mounterror where the host
 * takes neither: the name of a socket has some 100 bytes.
 */
export function socketof(dir: string): string {
  const path = join(dir, SOCKET);
  const near = relative(process.cwd(), path);
  const name = near.length < path.length ? near : path;
  const bytes = Buffer.byteLength(name);
  if (bytes <= SOCKETNAME) return name;
  throw new Mounterror(
    `${dir}: the name of its socket has ${bytes} bytes, and the host takes ${SOCKETNAME}: start from a directory nearer to it`,
  );
}

/** Makes the directory of a disk. True when there was no disk in it. */
export function makedb(dir: string): boolean {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory()) throw new Usage(`--db ${dir} is not a directory`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return !existsSync(join(dir, DISK));
}

/** The server's tree, and its console, in the serving process. */
export function* serving(sys: ThreadSys, opts: Omit<Fossilopts, "hash">): Task<Fossil> {
  const f = yield* newfossil(sys, `/db/${DISK}`, { ...opts, hash });
  yield* postconsole(sys, f, CONSOLE);
  return f;
}

/** Sends a line to the console of the fossil that a kernel serves. */
export async function tell(kernel: Booted, line: string): Promise<string[]> {
  const answer: { lines: string[]; e: unknown } = { lines: [], e: undefined };
  const p = kernel.spawn(
    function* con(sys: ThreadSys): Task<Exit> {
      try {
        answer.lines = yield* ask(sys, CONSOLE, line);
      } catch (e) {
        answer.e = e;
      }
    },
    ["con"],
  );
  await p.wait();
  if (answer.e !== undefined) throw answer.e;
  return answer.lines;
}

/** Takes commands at the socket of a directory, one after the other, until the result is called. */
export function listen(kernel: Booted, dir: string): () => void {
  const path = socketof(dir);
  rmSync(path, { force: true });
  let last: Promise<unknown> = Promise.resolve();
  const server: Netserver = createServer({ allowHalfOpen: true }, (socket) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("data", (s: string) => {
      text += s;
      if (text.length > 8192) socket.destroy();
    });
    socket.on("end", () => {
      last = last
        .then(() => tell(kernel, text.trim()))
        .then(
          (lines) => socket.end(lines.map((l) => `${l}\n`).join("")),
          (e: unknown) => socket.end(`?${e instanceof Error ? e.message : String(e)}\n`),
        );
    });
  });
  const mask = process.umask(0o177);
  server.on("error", (e) =>
    process.stderr.write(`fossil: no commands are taken at ${path}: ${e.message}\n`),
  );
  server.listen(path);
  process.umask(mask);
  server.unref();
  return () => {
    server.close();
    rmSync(join(dir, SOCKET), { force: true });
  };
}
