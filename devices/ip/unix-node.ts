// Sockets of the host that are files, as a Stack: an address is an absolute name of the host's, "/tmp/ns/fs".
//
// A socket that is announced has mode 0600, so that the user of this process alone can call. The host's file goes
// when the announcement ends. A file that is left of a server that died is replaced: a call to it is refused.

import { lstatSync, unlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { Eaddrinuse, Econnrefused, Etoolong, PlanError, error } from "../../kernel/abi/errors.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { hostsync } from "../fs/host-node.ts";
import { Nodelistener, Sockets } from "./sock-node.ts";
import type { Ends } from "./sock-node.ts";
import { NOPORT } from "./stack.ts";
import type { Addr, Conn, Listener, Stack } from "./stack.ts";

/** Bytes of a name that the host takes: sockaddr_un's sun_path has 108 on Linux, 104 on BSD, with a NUL. */
const PATHMAX = process.platform === "linux" ? 107 : 103;
/** The other end of a call: a process of this host, of which no more is known. */
const HERE: Addr = { host: "localhost", port: NOPORT };

/** The host's sockets that are files. */
export function newUnixstack(k: Kernel): Stack {
  return new Unixstack(k);
}

class Unixstack implements Stack {
  readonly outside = true;
  readonly files = true;
  readonly #sockets: Sockets;

  constructor(k: Kernel) {
    this.#sockets = new Sockets(k.sched);
  }

  *dial(up: Proc, remote: Addr): Task<Conn> {
    const path = pathof(remote);
    const sock = hostsync(() => connect({ path, allowHalfOpen: true }));
    const ends: Ends = { local: HERE, remote };
    return yield* this.#sockets.dialled(up, sock, "connect", () => {
      const conn = this.#sockets.conn(sock, ends);
      sock.on("data", (chunk: Uint8Array) => conn.came(chunk));
      return conn;
    });
  }

  *announce(up: Proc, local: Addr): Task<Listener> {
    const path = pathof(local);
    try {
      return yield* this.#listen(up, local, path);
    } catch (e) {
      if (!(e instanceof PlanError) || e.message !== Eaddrinuse) throw e;
      yield* this.#stale(up, local, path);
      return yield* this.#listen(up, local, path);
    }
  }

  shutdown(): void {
    this.#sockets.shutdown();
  }

  /** libuv removes the file when the server is closed. */
  *#listen(up: Proc, local: Addr, path: string): Task<Listener> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const ends: Ends = { local, remote: HERE };
    return yield* this.#sockets.listening(
      up,
      server,
      () => listenprivate(server, path),
      () => {
        const listener = new Nodelistener(server, local);
        server.on("connection", (sock: Socket) =>
          listener.came(sock, () => this.#sockets.accepted(sock, ends)),
        );
        return listener;
      },
    );
  }

  /** Removes a socket that no process listens on. Throws "address in use" for any other file. */
  *#stale(up: Proc, addr: Addr, path: string): Task<void> {
    const before = hostsync(() => lstatSync(path));
    if (!before.isSocket()) error(Eaddrinuse);
    try {
      const conn = yield* this.dial(up, addr);
      conn.close();
    } catch (e) {
      if (!(e instanceof PlanError) || e.message !== Econnrefused) throw e;
      const now = hostsync(() => lstatSync(path));
      if (now.ino !== before.ino || now.dev !== before.dev) error(Eaddrinuse);
      hostsync(() => unlinkSync(path));
      return;
    }
    error(Eaddrinuse);
  }
}

/** Binds within this call, so that the mask is that of this file alone. */
function listenprivate(server: Server, path: string): void {
  const mask = process.umask(0o177);
  try {
    server.listen({ path, exclusive: true });
  } finally {
    process.umask(mask);
  }
}

function pathof({ host }: Addr): string {
  return Buffer.byteLength(host) > PATHMAX ? error(Etoolong) : host;
}
