// The host's TLS as a Stack: node:tls, with certificates on both sides.
//
// A directory of the host has the three files of one party: ca.pem, the authorities it believes; cert.pem and
// key.pem, who it is. The party that is called shows a certificate for the name that was dialled. The caller shows
// a certificate that an authority in ca.pem signed; its subject's common name is the user (Conn.user). Files that
// have changed are read again for the next connection. While they cannot be read, or do not fit, the last good
// ones are used.
//
// A caller goes in steps, and reaches the kernel after the last one:
//
//	peek      its first byte must be that of a TLS handshake; plain text is refused in plain text
//	shake     node:tls makes the handshake; alerts are the caller's to read
//	check     the certificate; a refusal is sent as `refusal` words it, and then the end
//
// Tickets are not given: a resumed session would skip the check of a certificate that has expired since.

import { constants } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import type * as Tls from "node:tls";
import type { SecureContext, TLSSocket } from "node:tls";
import { Ehungup, PlanError, error } from "../../kernel/abi/errors.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { hostcode, hosterror, hostsync } from "../fs/host-node.ts";
import { anyhost, boundto, endsof, listenopts } from "./ip-node.ts";
import type { Netopts } from "./ip-node.ts";
import { Nodelistener, Sockets } from "./sock-node.ts";
import type { Nodeconn } from "./sock-node.ts";
import { showaddr } from "./conv.ts";
import type { Addr, Conn, Listener, Stack } from "./stack.ts";

/** Milliseconds until the handshake must be made, and that a refused caller has to read why. */
const HANDSHAKE = 10_000;
const GOODBYE = 1000;
/** Callers in the middle of a handshake; one more is hung up on. */
const SHAKING = 512;
/** The first byte of a TLS handshake. */
const CLIENTHELLO = 0x16;
/** The longest name of a user. */
const MAXUSER = 255;

/** How to make a stack. */
export type Tlsopts = Netopts & {
  /** The directory of ca.pem, cert.pem and key.pem. Without it no certificate is shown, and the host's authorities count. */
  readonly dir?: string;
  /** Gets a line for each caller that was refused, with the reason, and for each file that cannot be read again. */
  readonly log?: (line: string) => void;
  /** Milliseconds until a handshake must be made: 10 s unless given. */
  readonly handshake?: number;
  /** Callers that may be in the middle of a handshake: 512 unless given. */
  readonly shaking?: number;
  /** What a caller that is refused is sent: a message of its protocol. */
  readonly refusal?: (why: string) => Uint8Array;
};

/** The host's TLS. */
export function newTlsstack(k: Kernel, opts: Tlsopts = {}): Stack {
  return new Tlsstack(k, opts);
}

/** node:tls is loaded with the first connection: most runs have none. */
const tls = (): typeof Tls => createRequire(import.meta.url)("node:tls") as typeof Tls;

class Tlsstack implements Stack {
  readonly outside = true;
  readonly proves = true;
  readonly #opts: Tlsopts;
  readonly #sockets: Sockets;
  readonly #creds: Credentials | null;

  constructor(k: Kernel, opts: Tlsopts) {
    this.#opts = opts;
    this.#sockets = new Sockets(k.sched);
    this.#creds = opts.dir === undefined ? null : new Credentials(opts.dir, opts);
  }

  *dial(up: Proc, { host, port }: Addr, lport: number): Task<Conn> {
    const secureContext = this.#creds?.context("client");
    const how = {
      host,
      port,
      ...(lport !== 0 && { localPort: lport }),
      ...(!isaddress(host) && { servername: host }),
      ...(secureContext !== undefined && { secureContext }),
      allowHalfOpen: true,
    };
    const sock = hostsync(() => tls().connect({ ...how, rejectUnauthorized: true }));
    sock.setNoDelay(true);
    const late = (): void => void sock.destroy(new PlanError(Enoshake));
    const timer = setTimeout(late, this.#opts.handshake ?? HANDSHAKE);
    sock.once("close", () => clearTimeout(timer));
    const made = (): Nodeconn => {
      clearTimeout(timer);
      const conn = this.#sockets.conn(sock, { ...endsof(sock), resets: false });
      sock.on("data", (chunk: Uint8Array) => conn.came(chunk));
      return conn;
    };
    return yield* this.#sockets.dialled(up, sock, "secureConnect", made, (e) => tlserror(e, host));
  }

  *announce(up: Proc, local: Addr): Task<Listener> {
    const creds = this.#creds ?? error(Enocerts);
    creds.context("server");
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    const start = (): void => void server.listen(listenopts(local, anyhost(this.#opts)));
    return yield* this.#sockets.listening(up, server, start, () => {
      const listener = new Nodelistener(server, boundto(server));
      const gate = new Gate(creds, this.#opts, (secure, user) => {
        const ends = { ...endsof(secure), resets: false, user };
        listener.came(secure, () => this.#sockets.accepted(secure, ends));
      });
      server.on("connection", (sock) => {
        this.#sockets.keep(sock);
        gate.came(sock);
      });
      return listener;
    });
  }

  shutdown(): void {
    this.#sockets.shutdown();
  }
}

/** Takes the callers of one port through the steps at the head of the file. */
class Gate {
  readonly #creds: Credentials;
  readonly #opts: Tlsopts;
  readonly #server: Tls.Server;
  #context: SecureContext;
  /** Who is on the way in: addresses, and the ports that they call from. */
  readonly #shaking: Set<string> = new Set();

  constructor(creds: Credentials, opts: Tlsopts, enter: (secure: TLSSocket, user: string) => void) {
    this.#creds = creds;
    this.#opts = opts;
    this.#context = creds.context("server");
    this.#server = tls().createServer({
      requestCert: true,
      // The certificate is checked in this file, so that a refused caller is sent the reason.
      rejectUnauthorized: false,
      handshakeTimeout: opts.handshake ?? HANDSHAKE,
      ...creds.options("server"),
      secureOptions: NOTICKETS,
    });
    this.#server.on("tlsClientError", (e, secure) => {
      this.#tell(secure, tlserror(e, null));
      secure.destroy();
    });
    this.#server.on("secureConnection", (secure) => {
      this.#shaking.delete(peerof(secure));
      const checked = check(secure);
      if ("why" in checked) this.#refuse(secure, checked.why);
      else {
        secure.pause();
        enter(secure, checked.user);
      }
    });
  }

  came(sock: Socket): void {
    const peer = peerof(sock);
    if (this.#shaking.size >= (this.#opts.shaking ?? SHAKING)) {
      sock.destroy();
      return;
    }
    this.#shaking.add(peer);
    const timer = setTimeout(() => sock.destroy(), this.#opts.handshake ?? HANDSHAKE).unref();
    sock.on("error", () => undefined);
    sock.once("close", () => {
      clearTimeout(timer);
      this.#shaking.delete(peer);
    });
    sock.once("readable", () => {
      clearTimeout(timer);
      this.#peeked(sock, sock.read() as Uint8Array | null);
    });
  }

  #peeked(sock: Socket, first: Uint8Array | null): void {
    if (first === null) sock.destroy();
    else if (first[0] === CLIENTHELLO) {
      sock.unshift(first);
      this.#renew();
      this.#server.emit("connection", sock);
    } else this.#refuse(sock, "the client does not speak TLS; dial tls!");
  }

  /** New connections have the certificate that is in the directory now. */
  #renew(): void {
    const context = this.#creds.context("server");
    if (context === this.#context) return;
    this.#context = context;
    this.#server.setSecureContext({ ...this.#creds.options("server"), secureOptions: NOTICKETS });
  }

  /** Says why, in the caller's protocol, and gives the caller time to read it. */
  #refuse(sock: Socket, why: string): void {
    this.#tell(sock, why);
    const { refusal } = this.#opts;
    sock.on("error", () => undefined);
    if (refusal === undefined) sock.end();
    else sock.end(refusal(why));
    sock.resume();
    const timer = setTimeout(() => sock.destroy(), GOODBYE);
    sock.once("close", () => clearTimeout(timer));
  }

  #tell(sock: Socket, why: string): void {
    const { remote } = endsof(sock);
    this.#opts.log?.(`a call was refused: ${remote.host}: ${why}`);
  }
}

const NOTICKETS = constants.SSL_OP_NO_TICKET;

/** Which side of a connection a certificate is for. */
type Side = "client" | "server";

/** What a directory says, as node:tls takes it. */
type Pems = { readonly ca: string; readonly cert?: string; readonly key?: string };

/** The three files of a directory: see the head of the file. */
class Credentials {
  readonly #dir: string;
  readonly #opts: Tlsopts;
  /** Sizes, times and numbers of the files, as they were when they were last looked at. */
  #seen = "";
  #good: { readonly pems: Pems; readonly context: SecureContext } | null = null;

  constructor(dir: string, opts: Tlsopts) {
    this.#dir = dir;
    this.#opts = opts;
  }

  /** The context of the next connection. Throws when the files were never good. */
  context(side: Side): SecureContext {
    const seen = FILES.map((name) => this.#stamp(name)).join(" ");
    if (this.#good !== null && seen === this.#seen) return this.#good.context;
    try {
      const pems = this.#read(side);
      const context = hostsync(() => contextof(pems, this.#dir));
      this.#good = { pems, context };
    } catch (e) {
      if (this.#good === null || !(e instanceof PlanError)) throw e;
      this.#opts.log?.(`the certificates stay as they were: ${e.message}`);
    }
    this.#seen = seen;
    return this.#good.context;
  }

  /** What `context` was made of. */
  options(side: Side): Pems {
    this.context(side);
    return this.#good?.pems ?? error(Enocerts);
  }

  #stamp(name: string): string {
    const stat = statSync(join(this.#dir, name), { throwIfNoEntry: false, bigint: true });
    return stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
  }

  #read(side: Side): Pems {
    const ca = this.#file("ca.pem") ?? error(`${join(this.#dir, "ca.pem")}: there is no such file`);
    const [cert, key] = [this.#file("cert.pem"), this.#file("key.pem")];
    if (cert !== null && key !== null) return { ca, cert, key };
    if (side === "client" && cert === null && key === null) return { ca };
    const missing = cert === null ? "cert.pem" : "key.pem";
    return error(`${join(this.#dir, missing)}: there is no such file`);
  }

  #file(name: string): string | null {
    const path = join(this.#dir, name);
    try {
      return readFileSync(path, "latin1");
    } catch (e) {
      if (hostcode(e) === "ENOENT") return null;
      return error(`${path}: ${hosterror(e)}`);
    }
  }
}

const FILES: readonly string[] = ["ca.pem", "cert.pem", "key.pem"];

function contextof(pems: Pems, dir: string): SecureContext {
  try {
    return tls().createSecureContext({ ...pems, secureOptions: NOTICKETS });
  } catch (e) {
    const why = e instanceof Error && "reason" in e ? String(e.reason) : String(e);
    return error(`${dir}: the certificates cannot be used: ${why}`);
  }
}

const Enocerts = "no certificates: --tls DIR names their directory";
const Enoshake = "no TLS handshake was made in time: does the server speak TLS?";

/** Who a caller is, or why it may not come in. */
function check(secure: TLSSocket): { readonly user: string } | { readonly why: string } {
  // node:tls gives {} for no certificate, which its types do not say.
  const { subject }: { subject?: { CN?: unknown } } = secure.getPeerCertificate();
  if (subject === undefined) return { why: "the client shows no certificate" };
  if (!secure.authorized)
    return { why: `the client's certificate ${wrong(secure.authorizationError)}` };
  // A subject with several common names has an array of them.
  const user = subject.CN;
  if (typeof user !== "string" || user.length > MAXUSER || !/^[^\p{Cc}\s/]+$/u.test(user))
    return { why: "the client's certificate has no single common name" };
  return { user };
}

/** What is wrong with a certificate, by OpenSSL's names of it. */
const WRONG: ReadonlyMap<string, string> = new Map([
  ["CERT_HAS_EXPIRED", "has expired"],
  ["CERT_NOT_YET_VALID", "is not valid yet"],
  ["CERT_SIGNATURE_FAILURE", "has a signature that is false"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "is signed by itself"],
  ["INVALID_PURPOSE", "is for another purpose"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "is signed by an unknown authority"],
  ["UNABLE_TO_GET_ISSUER_CERT", "is signed by an unknown authority"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "is signed by an unknown authority"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "is signed by an unknown authority"],
  ["unable to get issuer certificate", "is signed by an unknown authority"],
  ["unsuitable certificate purpose", "is for another purpose"],
]);

const wrong = (code: unknown): string => WRONG.get(String(code)) ?? `is not valid: ${String(code)}`;

/** A failure of a handshake, in words: with the server that was dialled, or null for a client. */
function tlserror(e: unknown, host: string | null): string {
  if (e instanceof PlanError) return e.message;
  const code = hostcode(e);
  const [who, other] = host === null ? ["client", "tls!"] : ["server", "tcp!"];
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `the server's certificate is not one of ${host}`;
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return Enoshake;
  if (/^(CERT_|DEPTH_|INVALID_|SELF_|UNABLE_)/.test(code))
    return `the ${who}'s certificate ${wrong(code)}`;
  if (
    /WRONG_VERSION|PACKET_LENGTH|HTTP_REQUEST|UNKNOWN_PROTOCOL|UNEXPECTED_MESSAGE/.test(code) ||
    code === "EPROTO"
  )
    return `the ${who} does not speak TLS; dial ${other}`;
  if (code === "ECONNRESET") return `the ${who} hung up before TLS was agreed on`;
  if (!code.startsWith("ERR_")) return hosterror(e);
  const reason = e instanceof Error && "reason" in e ? String(e.reason) : code;
  return `${Ehungup}: TLS: ${reason}`;
}

const peerof = (sock: Socket): string => showaddr(endsof(sock).remote).trimEnd();

/** Whether a host is an address, which has no name for the server to choose by. */
const isaddress = (host: string): boolean => host.includes(":") || /^[\d.]+$/.test(host);
