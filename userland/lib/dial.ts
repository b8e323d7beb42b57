// Calling and being called: dial(2). A dial string is [netdir/]network!host[!service].
//
//	tcp!host!564      net!host!9fs      tcp![::1]!564
//	tls!host!564      the same, by TLS with certificates on both sides
//	unix!/tmp/ns/fs   a socket of the host that is a file; no service
//
// The network net is whatever there is, which is tcp. Services have a name or a number; hosts are passed on to
// device ip as they are (its stack may know names), but localhost is 127.0.0.1.
//
// Each network is a directory of /net, and a call is a conversation there. In Plan 9, /net/tls is tls(3), which
// takes a connection that is there and whose handshake a program makes. Here the host makes the handshake, so tls
// is a network like the others: no program holds a key, and an imported /net gives its networks with it.
//
//	const fd = yield* dial(sys, "tcp!127.0.0.1!5640");
//	const a = yield* announce(sys, "tcp!*!5640");
//	const call = yield* listen(sys, a.dir);
//	const fd = yield* accept(sys, call);

import { ORDWR } from "../../kernel/abi/const.ts";
import {
  Ebadaddr,
  Edoesnotexist,
  Enoport,
  Enoservice,
  PlanError,
} from "../../kernel/abi/errors.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import type { Task, TaskSys } from "../../syscalls/sys.ts";
import { type Both, both } from "./both.ts";
import { readtext } from "./io.ts";

/** A conversation: the descriptor of its ctl file, which keeps it, and its directory, "/net/tcp/3". */
export type Call = {
  /** The descriptor of its ctl file; the conversation lives while that is open. */
  readonly cfd: number;
  /** Its directory, such as /net/tcp/3. */
  readonly dir: string;
};

/** The services that have a name here: /lib/ndb/common. */
const SERVICES: ReadonlyMap<string, number> = new Map([
  ["9fs", 564],
  ["cpu", 17010],
  ["discard", 9],
  ["echo", 7],
  ["exportfs", 17007],
  ["http", 80],
  ["https", 443],
  ["smtp", 25],
  ["ssh", 22],
  ["telnet", 23],
]);

/** A dial string taken apart: `clone` is the file to open, `addr` what connect and announce are told. */
type Dialstring = { readonly clone: string; readonly addr: string };

function dialparse(s: string): Dialstring {
  const slash = s.lastIndexOf("/", s.indexOf("!"));
  const netdir = slash >= 0 ? s.slice(0, slash) : "/net";
  const rest = s.slice(slash + 1);
  if (rest.startsWith("unix!")) return unixparse(s, netdir, rest.slice("unix!".length));
  const [network, named, service, ...more] = rest.split("!");
  if (network !== "tcp" && network !== "net" && network !== "tls") return bad(Ebadaddr, s);
  const host = /^\[([\da-fA-F:.]+(?:%\w+)?)\]$/.exec(named ?? "")?.[1] ?? named;
  if (host === undefined || !/^(\*|[\w.:%-]+)$/.test(host) || more.length > 0)
    return bad(Ebadaddr, s);
  if (service === undefined || service === "") return bad(Enoport, s);
  const port = /^[0-9]+$/.test(service) ? Number(service) : SERVICES.get(service);
  if (port === undefined) return bad(Enoservice, s);
  if (port > 65535) return bad(Ebadaddr, s);
  const addr = `${host === "localhost" ? "127.0.0.1" : host}!${port}`;
  return { clone: `${netdir}/${network === "net" ? "tcp" : network}/clone`, addr };
}

/** A word of ctl ends at a blank, so those of a name are written as %20. */
function unixparse(s: string, netdir: string, name: string): Dialstring {
  if (!name.startsWith("/") || /[\0\n\t]/.test(name)) return bad(Ebadaddr, s);
  const addr = name.replaceAll("%", "%25").replaceAll(" ", "%20");
  return { clone: `${netdir}/unix/clone`, addr };
}

function bad(text: string, addr: string): never {
  const e = new PlanError(text);
  e.file = addr;
  throw e;
}

/**
 * Makes a dial string of what a person typed; the parts that are there stay. dial(2)
 *
 * @param addr "fs", "tcp!fs" or "tcp!fs!9fs"
 * @param network the network, where addr has none: "net" unless given
 * @param service the service, where addr has none
 * @returns the dial string: netmkaddr("fs", "tcp", "9fs") is "tcp!fs!9fs"
 * @example
 * ```ts
 * const addr = netmkaddr("fs", "tcp", "9fs");
 * ```
 */
export function netmkaddr(addr: string, network = "net", service = ""): string {
  if (/^([^!]*\/)?unix!/.test(addr)) return addr;
  const tail = service === "" ? "" : `!${service}`;
  if (!addr.includes("!")) return `${network}!${addr}${tail}`;
  return addr.indexOf("!") === addr.lastIndexOf("!") ? `${addr}${tail}` : addr;
}

/**
 * Calls a server. Only the data file of the conversation stays open. dial(2)
 *
 * @param addr the dial string: "tcp!host!564"
 * @returns the descriptor of the connection, for reading and writing
 * @throws PlanError "bad network address": addr is no dial string
 * @throws PlanError "no port specified": addr names no service
 * @throws PlanError "can't translate service": the service has neither a number nor a name that is known here
 * @throws PlanError "connection refused" and its like: what the network says
 * @example
 * ```ts
 * const fd = await dial(sys, "tcp!far!9fs");
 * ```
 */
export const dial: Both<[addr: string], number> = both(function* (sys, addr) {
  const call = yield* converse(sys, addr, "connect");
  try {
    return yield* sys.open(`${call.dir}/data`, ORDWR);
  } finally {
    yield* sys.close(call.cfd);
  }
}, "dial(addr text)");

/** A conversation, with the descriptor of its data. */
export type Dialled = Call & {
  /** What is written to it goes to the other end. */
  readonly fd: number;
};

/**
 * Calls a server, and keeps the ctl file of the conversation open. dial(2)
 *
 * @param addr the dial string: "tcp!host!564"
 * @returns the conversation; the caller closes its fd and cfd
 * @throws PlanError "bad network address": addr is no dial string
 * @throws PlanError "no port specified": addr names no service
 * @throws PlanError "can't translate service": the service has neither a number nor a name that is known here
 * @throws PlanError "connection refused" and its like: what the network says
 * @example
 * ```ts
 * const { fd, cfd, dir } = await dialctl(sys, "tcp!far!9fs");
 * ```
 */
export const dialctl: Both<[addr: string], Dialled> = both(function* (sys, addr) {
  const call = yield* converse(sys, addr, "connect");
  return { ...call, fd: yield* accept(sys, call, true) };
}, "dialctl(addr text)");

/**
 * Announces an address: calls to it come as long as the cfd of the result is open. dial(2)
 *
 * @param addr the dial string: "tcp!*!564" for each interface of this machine
 * @returns the conversation; listen takes its dir
 * @throws PlanError "bad network address": addr is no dial string
 * @throws PlanError "no port specified": addr names no service
 * @throws PlanError "can't translate service": the service has neither a number nor a name that is known here
 * @throws PlanError "address in use" and its like: what the network says
 * @example
 * ```ts
 * const at = await announce(sys, "tcp!*!5640");
 * ```
 */
export const announce: Both<[addr: string], Call> = both(function* (sys, addr) {
  return yield* converse(sys, addr, "announce");
}, "announce(addr text)");

/**
 * Sleeps until a call comes to an announced address. dial(2)
 *
 * @param dir the dir that announce gave
 * @returns the call, to be accepted or rejected
 * @throws PlanError "interrupted": a note came meanwhile
 * @example
 * ```ts
 * const call = await listen(sys, at.dir);
 * ```
 */
export const listen: Both<[dir: string], Call> = both(function* (sys, dir) {
  const cfd = yield* sys.open(`${dir}/listen`, ORDWR);
  try {
    return { cfd, dir: yield* convdir(sys, cfd, dir.slice(0, dir.lastIndexOf("/"))) };
  } catch (e) {
    yield* sys.close(cfd);
    throw e;
  }
}, "listen(dir name)");

/**
 * Takes a call. dial(2)
 *
 * @param call the call that listen gave
 * @param keep whether its cfd stays open: false unless given
 * @returns the descriptor of the connection, for reading and writing
 * @throws PlanError "i/o on hungup channel" and its like: the caller is gone
 * @example
 * ```ts
 * const fd = await accept(sys, call);
 * ```
 */
export const accept: Both<[call: Call, keep?: boolean], number> = both(function* (
  sys,
  call,
  keep = false,
) {
  let kept = false;
  try {
    const fd = yield* sys.open(`${call.dir}/data`, ORDWR);
    kept = keep;
    return fd;
  } finally {
    if (!kept) yield* sys.close(call.cfd);
  }
}, "accept(call object, keep boolean?)");

/**
 * Refuses a call, and closes its cfd. dial(2)
 *
 * @param call the call that listen gave
 * @throws PlanError "i/o on hungup channel" and its like: the caller is gone
 * @example
 * ```ts
 * await reject(sys, call);
 * ```
 */
export const reject: Both<[call: Call], void> = both(function* (sys, call) {
  try {
    yield* sys.write(call.cfd, utfencode("hangup"));
  } finally {
    yield* sys.close(call.cfd);
  }
}, "reject(call object)");

/**
 * Tells the address of one end of a conversation. getnetconninfo(2)
 *
 * @param dir the directory of the conversation: "/net/tcp/3"
 * @param end which end
 * @returns the address: "127.0.0.1!5640"
 * @throws PlanError "file does not exist" or "does not exist": an element of the name is missing; and what else
 *   open(2) fails with
 * @example
 * ```ts
 * const from = await netaddr(sys, call.dir, "remote");
 * ```
 */
export const netaddr: Both<[dir: string, end: "local" | "remote"], string> = both(function* (
  sys,
  dir,
  end,
) {
  return (yield* readtext(sys, `${dir}/${end}`)).trimEnd();
}, "netaddr(dir name, end text)");

/**
 * Tells whether the callers of a network prove who they are, as those of tls and unix do.
 *
 * @param dir the directory of one of its conversations
 * @returns true if netuser gives a proved name
 * @throws PlanError "file does not exist" or "does not exist": the conversation is missing; and what else open(2)
 *   fails with
 * @example
 * ```ts
 * if (!(await netproves(sys, call.dir))) await reject(sys, call);
 * ```
 */
export const netproves: Both<[dir: string], boolean> = both(function* (sys, dir) {
  try {
    yield* sys.stat(`${dir}/user`);
    return true;
  } catch (e) {
    // The kernel may name the element that is missing: "'user' does not exist".
    if (e instanceof PlanError && e.message.endsWith(Edoesnotexist)) return false;
    throw e;
  }
}, "netproves(dir name)");

/**
 * Tells which user the caller of a conversation has proved to be.
 *
 * @param dir the directory of the conversation: "/net/tls/3"
 * @returns the user's name
 * @throws PlanError "file does not exist" or "does not exist": the network proves nothing
 * @example
 * ```ts
 * const user = await netuser(sys, call.dir);
 * ```
 */
export const netuser: Both<[dir: string], string> = both(function* (sys, dir) {
  return yield* readtext(sys, `${dir}/user`);
}, "netuser(dir name)");

/** A new conversation that has done as it was told; when it fails none is left. */
function* converse(sys: TaskSys, addr: string, verb: "connect" | "announce"): Task<Call> {
  const d = dialparse(addr);
  const cfd = yield* sys.open(d.clone, ORDWR);
  try {
    const dir = yield* convdir(sys, cfd, d.clone.slice(0, d.clone.lastIndexOf("/")));
    yield* sys.write(cfd, utfencode(`${verb} ${d.addr}`));
    return { cfd, dir };
  } catch (e) {
    yield* sys.close(cfd);
    if (e instanceof PlanError) e.file ??= addr;
    throw e;
  }
}

/** The directory of the conversation whose ctl file cfd is. */
function* convdir(sys: TaskSys, cfd: number, proto: string): Task<string> {
  const buf = new Uint8Array(32);
  const n = yield* sys.read(cfd, buf);
  return `${proto}/${utfdecode(buf, 0, n).trim()}`;
}
