// A fossil in a process: its disk is a file of the name space, its time the kernel's. And the words that command
// one: sync, snap, ls, rm, check, expire. fossilcons(8)

import { OCEXEC, ORDWR, OREAD, OWRITE } from "../../../kernel/abi/const.ts";
import { Edoesnotexist, Enonexist, PlanError, error } from "../../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../../kernel/abi/utf.ts";
import type { Task, TaskSys } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { postfd } from "../9p/serve.ts";
import { Procenv, filedisk } from "./disk.ts";
import { type Fossil, type Fossilopts, openfossil, viewfossil } from "./fossil.ts";
import { counted } from "./words.ts";

/**
 * Opens the fossil whose disk is the file `name`, which is made where there is none.
 *
 * @param sys the system calls of the process that is to serve it
 * @param name the disk's name
 * @param opts how; `hash` is needed
 * @returns the Fossil; serve its `srv`, and call `end` when all is over
 * @throws PlanError "permission denied" and its like: the file cannot be opened
 * @throws PlanError "fossil: disk of format N, which this server does not know"
 * @example
 * ```ts
 * const f = yield* newfossil(sys, "/tmp/disk", { hash });
 * yield* post(sys, f.srv, "fossil");
 * ```
 */
export function* newfossil(sys: ThreadSys, name: string, opts: Fossilopts): Task<Fossil> {
  const fd = yield* opendisk(sys, name);
  const env = new Procenv(sys);
  yield* env.tick();
  const fossil = yield* openfossil(filedisk(sys, fd), env, { every: 1000, ...opts });
  const { srv } = fossil;
  // The clock is looked at once for each chunk of requests.
  srv.turn = () => env.tick();
  return fossil;
}

/**
 * Opens the fossil whose disk is the file `name`, and which another process serves, to look at its snapshots.
 *
 * @param sys the system calls of the process that looks
 * @param name the disk's name
 * @param opts how; `hash` is needed
 * @returns a Fossil of which only `list`, and main/snapshot and main/archive of its `srv`, may be used
 * @throws PlanError "i/o error: block N does not match its hash": the other process writes too much meanwhile
 */
export function* lookfossil(sys: ThreadSys, name: string, opts: Fossilopts): Task<Fossil> {
  const fd = yield* sys.open(name, OREAD | OCEXEC);
  const env = new Procenv(sys);
  yield* env.tick();
  return yield* viewfossil(filedisk(sys, fd), env, opts);
}

function* opendisk(sys: ThreadSys, name: string): Task<number> {
  try {
    return yield* sys.open(name, ORDWR | OCEXEC);
  } catch (e) {
    const missing =
      e instanceof PlanError &&
      (e.message.endsWith(Enonexist) || e.message.endsWith(Edoesnotexist));
    if (!missing) throw e;
  }
  yield* sys.close(yield* sys.create(name, OWRITE, 0o600));
  return yield* sys.open(name, ORDWR | OCEXEC);
}

/** What commands a fossil takes, for those who type one. */
export const COMMANDS: ReadonlyMap<string, string> = new Map([
  ["sync", "make safe what was written"],
  ["end", "make everything safe before the server ends"],
  ["snap", "make a snapshot, with -a for the archive, and print its name"],
  ["ls", "list the snapshots"],
  ["rm", "remove a snapshot and give back what only it held"],
  ["expire", "remove the snapshots that are older than so many seconds, archives excepted"],
  ["check", "read every block and say what is wrong"],
]);

/** How many arguments the commands take at most that take any. */
const ARGS: ReadonlyMap<string, number> = new Map([
  ["snap", 1],
  ["rm", 1],
  ["expire", 1],
]);

/**
 * Posts /srv/NAME, where commands are written, one a write, and their answers are read: lines, then nothing.
 * A command that fails is answered with "?" and why.
 */
export function* postconsole(sys: ThreadSys, fossil: Fossil, name: string): Task<void> {
  const [mine, theirs] = yield* sys.pipe();
  yield* postfd(sys, name, theirs);
  yield* sys.close(theirs);
  sys.threadcreate(console(sys, fossil, mine));
}

function* console(sys: ThreadSys, fossil: Fossil, fd: number): Task<void> {
  const buf = new Uint8Array(8192);
  for (;;) {
    const n = yield* sys.read(fd, buf);
    let text: string;
    try {
      const lines = yield* command(fossil, utfdecode(buf, 0, n));
      text = lines.map((l) => `${l}\n`).join("");
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
      text = `?${e.message}\n`;
    }
    if (text !== "") yield* sys.write(fd, utfencode(text));
    yield* sys.write(fd, new Uint8Array(0));
  }
}

/** Writes a command to a fossil's console and gives the lines of its answer. Throws what it says after "?". */
export function* ask(sys: TaskSys, name: string, line: string): Task<string[]> {
  const fd = yield* sys.open(`#s/${name}`, ORDWR);
  try {
    yield* sys.write(fd, utfencode(line));
    const buf = new Uint8Array(65536);
    let text = "";
    for (let n = yield* sys.read(fd, buf); n > 0; n = yield* sys.read(fd, buf))
      text += utfdecode(buf, 0, n);
    if (text.startsWith("?")) error(text.slice(1).trimEnd());
    return text.split("\n").slice(0, -1);
  } finally {
    yield* sys.close(fd);
  }
}

/** Does what a line says, and gives what there is to say: lines. Throws PlanError where it cannot. */
export function* command(fossil: Fossil, line: string): Task<string[]> {
  const [name = "", ...args] = line.trim().split(/\s+/);
  const [arg = ""] = args;
  if (COMMANDS.has(name) && args.length > (ARGS.get(name) ?? 0))
    error(`fossil: too many arguments for ${name}`);
  switch (name) {
    case "sync":
      yield* fossil.sync();
      return [];
    case "end":
      yield* fossil.end();
      return [];
    case "snap":
      if (arg !== "" && arg !== "-a") error(`fossil: snap takes -a, and not ${arg}`);
      return [yield* fossil.snap(arg === "-a")];
    case "ls":
      return fossil.list.map((s) => `${s.archive ? "archive " : "snapshot"} ${s.name}`);
    case "rm":
      if (arg === "") error("fossil: rm wants the name of a snapshot");
      yield* fossil.remove(arg);
      return [];
    case "expire":
      if (!/^[0-9]+$/.test(arg)) error("fossil: expire wants a number of seconds");
      return (yield* fossil.expire(Number(arg))).map((s) => `removed ${s}`);
    case "check": {
      const { faults, blocks, bytes, files } = yield* fossil.check();
      const sum = `${counted(files, "file")} in ${counted(blocks, "block")} of ${counted(bytes, "byte")}`;
      const end = faults.length === 0 ? "all is well" : counted(faults.length, "fault");
      return [...faults, `${sum}: ${end}`];
    }
    default:
      return error(`fossil: unknown command ${name}`);
  }
}

/** When snapshots are made by themselves. All are seconds; archive is the time of day, in UTC. */
export type Schedule = {
  readonly every?: number;
  readonly keep?: number;
  readonly archive?: number;
  readonly log: (line: string) => void;
};

const DAY = 86400;

/** Makes snapshots as a schedule says, for ever. One that fails is told, and the next is made all the same. */
export function* keepschedule(sys: ThreadSys, fossil: Fossil, s: Schedule): Task<never> {
  const seconds = function* (): Task<number> {
    return Number((yield* sys.nsec()) / 1_000_000_000n);
  };
  let now = yield* seconds();
  let snap = s.every === undefined ? Infinity : now + s.every;
  let archive = nextarchive(now, s.archive);
  for (;;) {
    yield* sys.sleep(Math.min(DAY, Math.max(1, Math.min(snap, archive) - now)) * 1000);
    now = yield* seconds();
    if (s.every !== undefined && now >= snap) {
      yield* told(s, fossil.snap(false));
      if (s.keep !== undefined) yield* told(s, fossil.expire(s.keep));
      snap = now + s.every;
    }
    if (now >= archive) {
      yield* told(s, fossil.snap(true));
      archive = nextarchive(now, s.archive);
    }
  }
}

/** The next moment at which it is this time of the day. */
function nextarchive(now: number, archive: number | undefined): number {
  if (archive === undefined) return Infinity;
  const today = Math.floor(now / DAY) * DAY + archive;
  return today > now ? today : today + DAY;
}

function* told(s: Schedule, task: Task<unknown>): Task<void> {
  try {
    yield* task;
  } catch (e) {
    if (!(e instanceof PlanError)) throw e;
    s.log(`fossil: no snapshot: ${e.message}`);
  }
}
