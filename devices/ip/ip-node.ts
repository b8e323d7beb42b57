// The host's TCP, a Stack over node:net. Announcing "*" listens on the loopback address, unless the stack
// was made public; an address that is named is taken at its word. Host names are the host's to resolve.
//
// What comes on a connection that was called for is read into buffers that are used again
// (devices/mnt/frames.ts), on one that was accepted into the host's own. What is written is sock-node.ts's.

import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { hostsync } from "../fs/host-node.ts";
import { Into, Nodelistener, Sockets } from "./sock-node.ts";
import type { Ends, Nodeconn } from "./sock-node.ts";
import type { Addr, Conn, Listener, Stack } from "./stack.ts";

/** How to make a stack. */
export type Netopts = {
  /** Announcing "*" listens on every address of the host. */
  readonly public?: boolean;
};

/** The host's TCP as a Stack. */
export function newNodestack(k: Kernel, opts: Netopts = {}): Stack {
  return new Nodestack(k, opts);
}

class Nodestack implements Stack {
  readonly outside = true;
  readonly #any: string | undefined;
  readonly #sockets: Sockets;

  constructor(k: Kernel, opts: Netopts) {
    this.#any = anyhost(opts);
    this.#sockets = new Sockets(k.sched);
  }

  *dial(up: Proc, remote: Addr, lport: number): Task<Conn> {
    const { host, port } = remote;
    const local = lport === 0 ? {} : { localPort: lport };
    const into = new Into();
    const call: { conn: Nodeconn | null } = { conn: null };
    const onread = {
      buffer: () => into.room(),
      callback: (n: number) => call.conn?.came(into.take(n)) ?? true,
    };
    const sock = hostsync(() =>
      connect({ host, port, ...local, noDelay: true, allowHalfOpen: true, onread }),
    );
    sock.once("close", () => into.end());
    return yield* this.#sockets.dialled(up, sock, "connect", () => {
      call.conn = this.#sockets.conn(sock, endsof(sock));
      return call.conn;
    });
  }

  *announce(up: Proc, local: Addr): Task<Listener> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    const start = (): void => void server.listen(listenopts(local, this.#any));
    return yield* this.#sockets.listening(up, server, start, () => {
      const listener = new Nodelistener(server, boundto(server));
      server.on("connection", (sock) =>
        listener.came(sock, () => this.#sockets.accepted(sock, endsof(sock))),
      );
      return listener;
    });
  }

  shutdown(): void {
    this.#sockets.shutdown();
  }
}

/** The address of the host that "*" stands for: undefined for all of them. */
export function anyhost(opts: Netopts): string | undefined {
  return opts.public === true ? undefined : "127.0.0.1";
}

/** The options with which a server listens. */
export function listenopts(
  local: Addr,
  any: string | undefined,
): { port: number; exclusive: boolean; host?: string } {
  const host = local.host === "*" ? any : local.host;
  return { port: local.port, exclusive: true, ...(host !== undefined && { host }) };
}

/** Where a server listens. */
export function boundto(server: Server): Addr {
  const a = server.address();
  return a === null || typeof a === "string"
    ? { host: "::", port: 0 }
    : { host: address(a.address), port: a.port };
}

/** Both ends of a socket. */
export function endsof(sock: Socket): Ends {
  return {
    local: { host: address(sock.localAddress), port: sock.localPort ?? 0 },
    remote: { host: address(sock.remoteAddress), port: sock.remotePort ?? 0 },
    resets: true,
  };
}

/** An address as Plan 9 shows it: version 4 in version 6 is version 4. */
function address(a: string | undefined): string {
  if (a === undefined) return "::";
  return a.startsWith("::ffff:") && a.includes(".") ? a.slice("::ffff:".length) : a;
}
