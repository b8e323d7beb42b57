// namec serve: a file server on the host's network, until Ctrl-C.

import { nullproto } from "../../kernel/abi/nullproto.ts";
import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { MCREATE, MREPL } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { LIMITS, acceptsrv } from "../lib/9p.ts";
import type { Anysrv, Limits } from "../lib/9p.ts";
import type { ThreadSys } from "../lib/both.ts";
import { announce, netaddr } from "../lib/dial.ts";
import type { Call } from "../lib/dial.ts";
import { newexport } from "../lib/export.ts";
import { MAXFILE, MAXTOTAL, newram } from "../lib/ram.ts";
import { hostfiles } from "../../devices/fs/host-node.ts";
import type { Tlsopts } from "../../devices/ip/tls-node.ts";
import { actor, become } from "./as.ts";
import { Usage, nearest } from "./command.ts";
import type { Command, Given, Option } from "./command.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Bootopts } from "../boot/boot.ts";
import { type Schedule, keepschedule } from "../lib/fossil/serve.ts";
import { takelock } from "./disklock.ts";
import { diskboot, listen, makedb, serving, socketof, tell } from "./fossil.ts";
import { Loaderror } from "./load.ts";
import { hostdir, machine } from "./machine.ts";
import { Pidfile } from "./pidfile.ts";
import { Unitserror, parsesize, parsetime } from "../boot/units.ts";
import { Mounterror } from "../boot/mounts.ts";
import { type Door, doorof, dooroptions, farewell, lines } from "./door.ts";
import { dialstring } from "./mounts.ts";
import { watch } from "./watch.ts";

const ADDR = "tcp!127.0.0.1!5640";

/** An option that is a limit: which, by how much its number is multiplied, and what the help says. */
type Limitoption = {
  readonly limit: keyof Limits;
  readonly value: string;
  readonly unit: number;
  readonly text: string;
};

const MEBI = 1048576;
const LIMITS_: Readonly<Record<string, Limitoption>> = {
  "max-connections": {
    limit: "connections",
    value: "N",
    unit: 1,
    text: `connections at a time (default ${LIMITS.connections})`,
  },
  "max-per-peer": {
    limit: "perpeer",
    value: "N",
    unit: 1,
    text: `connections at a time from one other host (default ${LIMITS.perpeer})`,
  },
  idle: {
    limit: "idle",
    value: "SECONDS",
    unit: 1000,
    text: "hang up on a client that asks nothing for so long (default: never)",
  },
  "max-memory": {
    limit: "bytes",
    value: "MIB",
    unit: MEBI,
    text: `requests and replies on their way, of all clients (default ${LIMITS.bytes / MEBI})`,
  },
  "max-fids": {
    limit: "fids",
    value: "N",
    unit: 1,
    text: `fids of all clients (default ${LIMITS.fids})`,
  },
  "max-name": {
    limit: "name",
    value: "BYTES",
    unit: 1,
    text: `the longest name of a user or tree (default ${LIMITS.name})`,
  },
  "max-elem": {
    limit: "elem",
    value: "BYTES",
    unit: 1,
    text: `the longest name of a file (default ${LIMITS.elem})`,
  },
};

const LIMITOPTIONS: readonly Option[] = Object.entries(LIMITS_).map(([name, o]) => ({
  name,
  values: [o.value],
  text: o.text,
}));

/** Files that clients of exportfs may have open, where the host allows as many. */
const MAXOPEN = 16384;

/** Descriptors and conversations that a server needs beside those of its connections. */
const SPARE = 4096;

export const serve: Command = {
  name: "serve",
  usage: "ramfs|exportfs|fossil [options]",
  brief: "serve files over the network: from memory, or a directory of this machine",
  about: `Serves files by 9P, to any 9P client, until Ctrl-C.

    ramfs     an empty tree in memory
    exportfs  the directory that --root names; nothing outside it can be reached
    fossil    a tree that is kept, with snapshots, on the disk in the directory that --db
              names; \`namec fossil\` commands it

exportfs acts as one user of this machine, whatever name a client gives, and
says at the start as which: you, or nobody when root starts it. That a file is
append-only or for exclusive use is remembered while the server runs.

A server listens on this machine only, unless --listen says otherwise. Elsewhere it
wants to know who comes in: by --tls the clients show certificates, and each is the user
that its certificate names; --anyone says that every client may come in.

What a client does beyond the limits is refused, or waits, or ends its connection;
the others do not notice. Refused calls and faults are told here, one line a second.`,
  options: [
    {
      name: "listen",
      values: ["ADDR"],
      text: `where to listen (default ${ADDR}): tcp!HOST!PORT, tls!HOST!PORT or unix!/FILE; port 0 takes a free one, HOST * is every interface`,
    },
    ...dooroptions,
    {
      name: "pidfile",
      values: ["FILE"],
      text: "write the number of this process to FILE, which goes when the server ends",
    },
    { name: "root", values: ["DIR"], text: "exportfs: the directory of this machine to serve" },
    { name: "readonly", values: [], text: "exportfs: nothing can be changed" },
    {
      name: "replace",
      values: [],
      text: "a rename takes the place of a file that has the name, as rename(2) does; Plan 9 refuses it",
    },
    {
      name: "max-file",
      values: ["SIZE"],
      text: "ramfs: the longest file, such as 64MiB (default 768MiB)",
    },
    {
      name: "max-total",
      values: ["SIZE"],
      text: "ramfs: what all files may take together (default 2GiB)",
    },
    {
      name: "as",
      values: ["NAME"],
      text: "exportfs, started by root: the user of this machine to act as (default nobody)",
    },
    { name: "perm", values: ["OCT"], text: "ramfs: permissions of its root (default 777)" },
    {
      name: "db",
      values: ["DIR"],
      text: "fossil: the directory of its disk; made where there is none",
    },
    {
      name: "flush",
      values: ["TIME"],
      text: "fossil: how long what is written may be in memory only (default 1s)",
    },
    {
      name: "cache",
      values: ["SIZE"],
      text: "fossil: memory for what was read (default 64MB)",
    },
    { name: "size", values: ["SIZE"], text: "fossil: what the disk may grow to" },
    { name: "snap", values: ["TIME"], text: "fossil: make a snapshot each time this has passed" },
    {
      name: "keep",
      values: ["TIME"],
      text: "fossil: how long those are kept; archives are kept for ever",
    },
    {
      name: "archive",
      values: ["HH:MM"],
      text: "fossil: make one for the archive each day at this time, UTC",
    },
    {
      name: "user",
      values: ["NAME"],
      text: "who runs the server, and owns the root of ramfs (default glenda)",
    },
    ...LIMITOPTIONS,
  ],
  examples: [
    "namec serve ramfs --listen 'tcp!127.0.0.1!5640'",
    "namec serve exportfs --root /usr/share/doc --readonly",
    "namec cert certs; namec serve ramfs --listen 'tcp!*!5640' --tls certs/server",
    "namec serve ramfs --listen 'unix!/tmp/ramfs'",
    "namec serve fossil --db ./disk --snap 1h --keep 30d --archive 05:00",
    "namec run --mount 'tcp!127.0.0.1!5640' /n/remote ls /n/remote",
  ],
  mixed: true,
  run: start,
};

/** A server: what else the machine needs for it, and how its tree is made in the serving process. */
type Server = {
  readonly options: readonly string[];
  readonly boot: Bootopts;
  readonly make: (sys: ThreadSys) => Task<Anysrv>;
  /** Files that it may have open for its clients. */
  readonly maxopen?: number;
  /** What is left to do when it listens, before the first call is answered; gives what to say of it. */
  readonly ready?: () => string;
  /** Begins what the host does beside it. */
  readonly begin?: (kernel: Booted) => void;
  /** Is called before the server is ended by a signal, and must come to an end. */
  readonly before?: (kernel: Booted) => Promise<void>;
  /** Gives back what the server holds of the host. */
  readonly end?: () => void;
};

const SERVERS: Readonly<Record<string, (given: Given, user: string) => Server>> = nullproto({
  ramfs,
  exportfs,
  fossil,
});

async function start(given: Given): Promise<number> {
  const [name, extra] = given.rest;
  const server = choose(name, given);
  if (extra !== undefined) throw new Usage(`${extra} is too much: one server at a time`);
  const door = doorof(given, dialstring(given.get("listen") ?? ADDR));
  const limits = limitsof(given);
  const pidfile = given.get("pidfile");
  const pid = pidfile === undefined ? null : new Pidfile(pidfile);
  const maxfd = limits.connections + SPARE + (server.maxopen ?? 0);
  const kernel = await machine({ user: user(given), maxfd, ...server.boot }, netof(door));
  const failure: { e: PlanError | Usage | Loaderror | null } = { e: null };
  try {
    const p = kernel.spawn(
      function* main(sys: ThreadSys): Task<Exit> {
        const srv = yield* server.make(sys);
        let at: Call;
        let how = "";
        try {
          at = yield* announce(sys, door.addr);
          pid?.write();
          how = server.ready?.() ?? "";
        } catch (e) {
          if (!(e instanceof PlanError) && !(e instanceof Usage) && !(e instanceof Loaderror))
            throw e;
          failure.e = e;
          return;
        }
        // Every interface is * in a dial string.
        const local = (yield* netaddr(sys, at.dir, "local")).replace(/^(::|0\.0\.0\.0)!/, "*!");
        process.stderr.write(`serving ${name} on ${netname(at.dir)}!${local}${how}\n`);
        return yield* acceptsrv(sys, at, srv, limits);
      },
      [name ?? ""],
      { tty: kernel.config.tty },
    );
    server.begin?.(kernel);
    const before = server.before;
    const status = await watch(kernel, p, {
      interrupted: 0,
      sigterm: true,
      ...(before !== undefined && { before: () => before(kernel) }),
    });
    if (failure.e instanceof Usage || failure.e instanceof Loaderror) throw failure.e;
    if (failure.e !== null)
      throw new Mounterror(`cannot listen on ${door.addr}: ${failure.e.message}`);
    return status;
  } finally {
    await kernel.shutdown();
    pid?.end();
    server.end?.();
  }
}

/** The host's networks, as a server has them: "*" is every interface, since the door was checked. */
function netof({ dir }: Door): Tlsopts {
  const net = { public: true, log: lines(say), refusal: farewell };
  return dir === null ? net : { ...net, dir };
}

/** /net/tls/3 → tls */
const netname = (dir: string): string => dir.split("/").at(-2) ?? "";

/** The limits that were given; the others are the library's. */
function limitsof(given: Given): Limits {
  const limits = { ...LIMITS };
  for (const [name, { limit, unit }] of Object.entries(LIMITS_)) {
    const text = given.get(name);
    if (text === undefined) continue;
    if (!/^[0-9]{1,9}$/.test(text) || Number(text) === 0)
      throw new Usage(`--${name} ${text}: it is a number above 0`);
    limits[limit] = Number(text) * unit;
  }
  return limits;
}

const user = (given: Given): string => given.get("user") ?? "glenda";

/** Options of one server or another. */
const FOR =
  "root readonly replace as perm max-file max-total db flush cache size snap keep archive".split(
    " ",
  );

function choose(name: string | undefined, given: Given): Server {
  const names = Object.keys(SERVERS);
  const make = SERVERS[name ?? ""];
  if (name === undefined) throw new Usage("no server is named", `there are ${names.join(" and ")}`);
  if (make === undefined) {
    const close = nearest(name, names);
    throw new Usage(
      `unknown server ${name}`,
      close === null ? `there are ${names.join(" and ")}` : `did you mean ${close}?`,
    );
  }
  const server = make(given, user(given));
  for (const option of FOR)
    if (given.has(option) && !server.options.includes(option))
      throw new Usage(`--${option} means nothing to ${name}`);
  return server;
}

function ramfs(given: Given, uid: string): Server {
  const text = given.get("perm") ?? "777";
  if (!/^0?[0-7]{1,3}$/.test(text))
    throw new Usage(`--perm ${text}: permissions are octal, such as 755`);
  const perm = Number.parseInt(text, 8);
  const maxfile = size(given, "max-file", MAXFILE);
  const limit = size(given, "max-total", MAXTOTAL);
  const replace = given.has("replace");
  return {
    options: ["perm", "replace", "max-file", "max-total"],
    boot: {},
    *make(sys) {
      return newram(sys, { user: uid, perm, maxfile, limit, replace }) as Anysrv;
    },
  };
}

/** The size that an option gives, in bytes. */
function size(given: Given, option: string, otherwise: number): number {
  const text = given.get(option);
  try {
    return text === undefined ? otherwise : parsesize(text);
  } catch (e) {
    throw e instanceof Unitserror ? new Usage(`--${option}: ${e.message}`, e.hint) : e;
  }
}

/** The directory, as device #U, stands at /export in the server's name space. */
function exportfs(given: Given): Server {
  const dir = given.get("root");
  if (dir === undefined)
    throw new Usage("exportfs needs --root DIR", "the directory of this machine to serve");
  const root = resolve(dir);
  const stat = statSync(root, { throwIfNoEntry: false });
  if (stat === undefined) throw new Usage(`--root ${dir}: there is no such directory`);
  if (!stat.isDirectory()) throw new Usage(`--root ${dir} is not a directory`);
  const readonly = given.has("readonly");
  const who = actor(given.get("as"));
  // The other half is for connections.
  const maxopen = Math.min(MAXOPEN, Math.floor(hostfiles() / 2));
  return {
    maxopen,
    options: ["root", "readonly", "replace", "as"],
    boot: {
      ...(!given.has("user") && { user: who.name }),
      files: { export: {} },
      devices: [hostdir(root, { readonly, replace: given.has("replace"), as: who })],
      binds: [["#U", "/export", MREPL | MCREATE]],
    },
    *make(sys) {
      return newexport(sys, { root: "/export", readonly, maxopen, called: root, log }) as Anysrv;
    },
    ready() {
      become(who);
      mayread(root, who.name);
      return `, as ${who.name} (${who.uid})`;
    },
  };
}

/** A line of the server's log. */
function* log(line: string): Task<void> {
  process.stderr.write(`${line}\n`);
}

/** What was opened by root is served only if the user that the server acts as can come there. */
function mayread(root: string, name: string): void {
  try {
    accessSync(root, constants.R_OK | constants.X_OK);
  } catch {
    throw new Usage(`--root ${root}: ${name} may not read it`, "--as NAME names another user");
  }
}

/** The disk's directory stands at /db in the server's name space, and at no client's. */
function fossil(given: Given, uid: string): Server {
  const db = given.get("db");
  if (db === undefined) throw new Usage("fossil needs --db DIR", "the directory of its disk");
  const dir = resolve(db);
  const schedule = scheduleof(given);
  const opts = fossilopts(given);
  socketof(dir);
  const fresh = makedb(dir);
  const unlock = takelock(dir, `namec serve fossil --db ${db}`);
  let close = (): void => undefined;
  return {
    options: ["db", "replace", "flush", "cache", "size", "snap", "keep", "archive"],
    boot: diskboot(dir),
    *make(sys) {
      const replace = given.has("replace");
      const f = yield* serving(sys, { ...opts, replace, user: uid, log: say });
      if (fresh) say(`made a disk in ${db}`);
      if (schedule !== null) sys.threadcreate(keepschedule(sys, f, schedule));
      return f.srv as Anysrv;
    },
    begin(kernel) {
      close = listen(kernel, dir);
    },
    async before(kernel) {
      await tell(kernel, "end");
    },
    end() {
      close();
      unlock();
    },
  };
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function fossilopts(given: Given): { cache?: number; size?: number; every: number } {
  const cache = given.get("cache");
  const size = given.get("size");
  return {
    every: parsetime(given.get("flush") ?? "1s") / 1e6,
    ...(cache !== undefined && { cache: parsesize(cache) }),
    ...(size !== undefined && { size: parsesize(size) }),
  };
}

function scheduleof(given: Given): Schedule | null {
  const snap = given.get("snap");
  const keep = given.get("keep");
  const archive = given.get("archive");
  if (keep !== undefined && snap === undefined)
    throw new Usage("--keep says how long snapshots are kept", "--snap makes them");
  const at = archive === undefined ? undefined : /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(archive);
  if (at === null) throw new Usage(`--archive ${archive}: write it as 05:00`);
  if (snap === undefined && at === undefined) return null;
  const seconds = (text: string): number => Math.max(1, Math.round(parsetime(text) / 1e9));
  return {
    ...(snap !== undefined && { every: seconds(snap) }),
    ...(keep !== undefined && { keep: seconds(keep) }),
    ...(at !== undefined && { archive: Number(at[1]) * 3600 + Number(at[2]) * 60 }),
    log: say,
  };
}
