// A conversation of device ip: idle, calling, announced, or with a connection (which may have ended), and the
// words of its ctl file that take it from one to the next. ip(3)
//
//	connect host!port [localport]     announce [host!]port
//	connect /file                     announce /file        where addresses are files: unix
//	hangup    end both directions at once     close    send what was written, then the end
//	keepalive [ms]

import {
  Ebadaddrform,
  Ebadannounce,
  Ebadconnect,
  Econninuse,
  Ectlshort,
  Ectlunknown,
  Enotconnected,
  error,
} from "../../kernel/abi/errors.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { waitfor } from "../../kernel/proc/rendez.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import { NOPORT } from "./stack.ts";
import type { Addr, Conn, Listener, Stack } from "./stack.ts";
import { young } from "../../kernel/abi/young.ts";

export class Conv {
  readonly n: number;
  readonly vers: number;
  readonly owner: string;
  /** Open Chans. */
  ref = 0;
  conn: Conn | null = null;
  listener: Listener | null = null;
  /** It is about to have a connection or a listener. */
  #busy = false;

  constructor(n: number, vers: number, owner: string) {
    this.n = n;
    this.vers = vers;
    this.owner = owner;
  }

  /** Its status file: a TCP state and the bytes that wait in both directions. */
  get status(): string {
    const { conn } = this;
    const idle = this.#busy ? "Syn_sent" : "Closed";
    const state = conn?.state ?? (this.listener !== null ? "Listen" : idle);
    return `${state} qin ${conn?.qin ?? 0} qout ${conn?.qout ?? 0}\n`;
  }

  connection(): Conn {
    return this.conn ?? error(Enotconnected);
  }

  /** It has a connection from now on. */
  connected({ trace }: Kernel, conn: Conn): void {
    this.conn = conn;
    conn.arrived = young<NonNullable<Conn["arrived"]>>((way, piece) => {
      const { n: conv, vers: wire } = this;
      if (trace.on) trace.emit({ type: "wire", way, conv, wire, ...piece }, null);
    });
  }

  /** What was written to its ctl file. */
  *ctl(up: Proc, stack: Stack, text: string): Task<void> {
    const f = text.split(/\s+/).filter(Boolean);
    switch (f[0]) {
      case undefined:
        return error(Ectlshort);
      case "connect":
        return yield* this.#connect(up, stack, f);
      case "announce":
        return yield* this.#announce(up, stack, f);
      case "hangup":
        this.listener?.close();
        this.conn?.hangup();
        return;
      case "close":
        this.listener?.close();
        this.conn?.shut();
        return;
      case "keepalive":
        return this.connection().keepalive(Number(f[1] ?? 0) || 0);
      default:
        error(Ectlunknown);
    }
  }

  /** The last process that had it open has closed it. */
  close(): void {
    this.listener?.close();
    this.conn?.close();
  }

  *#connect(up: Proc, stack: Stack, f: readonly string[]): Task<void> {
    if (f[1] === undefined || f.length > 3) error(Ebadconnect);
    const remote = stack.files === true ? parsefile(f[1]) : parseaddr(f[1]);
    if (remote.host === "" || remote.host === "*") error(Ebadaddrform);
    const lport = f[2] === undefined ? 0 : parseaddr(f[2]).port;
    this.#start();
    try {
      this.connected(up.k, yield* stack.dial(up, remote, lport));
    } finally {
      this.#busy = false;
    }
  }

  *#announce(up: Proc, stack: Stack, f: readonly string[]): Task<void> {
    if (f[1] === undefined || f.length > 2) error(Ebadannounce);
    const { host, port } = stack.files === true ? parsefile(f[1]) : parseaddr(f[1]);
    this.#start();
    try {
      this.listener = yield* waitfor(stack.announce(up, { host: host === "" ? "*" : host, port }));
    } finally {
      this.#busy = false;
    }
  }

  /** A conversation is used once. */
  #start(): void {
    if (this.#busy || this.conn !== null || this.listener !== null) error(Econninuse);
    this.#busy = true;
  }
}

/** "host!port", "port", each perhaps with "!r", which asks for a port below 1024 and is passed over. */
function parseaddr(s: string): Addr {
  const parts = s.replace(/!r$/, "").split("!");
  const port = parts.pop() ?? "";
  const host = parts[0] ?? "";
  if (parts.length > 1 || !/^[0-9]{1,5}$/.test(port) || Number(port) > 65535) error(Ebadaddrform);
  if (host !== "" && host !== "*" && !/^[\w.:%-]{1,255}$/.test(host)) error(Ebadaddrform);
  return { host, port: Number(port) };
}

/** An absolute name of a file of the host: its blanks are written as %20, since a blank ends a word of ctl. */
function parsefile(s: string): Addr {
  const name = s.replaceAll("%20", " ").replaceAll("%25", "%");
  if (!name.startsWith("/") || name.includes("\0")) error(Ebadaddrform);
  return { host: name, port: NOPORT };
}

/** An address as the files local and remote show it. */
export function showaddr(a: Addr | undefined): string {
  if (a === undefined) return "::!0\n";
  return a.port === NOPORT ? `${a.host}\n` : `${a.host}!${a.port}\n`;
}
