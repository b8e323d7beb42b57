// Device ip, #I: the network as files, ip(3), for tcp over any Stack (stack.ts).
//
//	tcp/clone                                 open it: the ctl file of a new conversation
//	tcp/N/{ctl,data,listen,local,remote,status}
//
// Here are the files and the numbers of conversations; what one does is in conv.ts. A Chan that is open
// holds its conversation, and the last one to close ends and frees it. A number may be used again: the
// version in a file's qid tells the conversations of one number apart.
//
// Names of hosts and services are for programs (userland/lib/dial.ts); what follows the verb in
// "connect 127.0.0.1!564" goes to the Stack as it is.

import { Chan, Path } from "../../kernel/chan.ts";
import { QTDIR } from "../../kernel/abi/const.ts";
import { DEVDOTDOT, Dev, devdirread, devopen, devstat, devwalk, opened } from "../../kernel/dev.ts";
import type { Dirent, Gen, Walkqid } from "../../kernel/dev.ts";
import type { Dir, Qid } from "../../kernel/abi/dir.ts";
import {
  Ebadusefd,
  Enodev,
  Enonexist,
  Enotannounced,
  Etoobig,
  error,
} from "../../kernel/abi/errors.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Answer, Task } from "../../kernel/proc/rendez.ts";
import type { Wire } from "../../kernel/trace.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import { Conv, showaddr } from "./conv.ts";
import type { Conn, Stack } from "./stack.ts";
import { readstr } from "../text.ts";

/** Conversations at one time, unless the device was made for another number. */
const NCONV = 16384;
/** Bytes of a control message. */
const CTLMAX = 1024;

const Qroot = 0;
const Qproto = 1;
const Qclone = 2;
const Qconv = 3;
const Qctl = 4;
const Qdata = 5;
const Qlisten = 6;
const Qlocal = 7;
const Qremote = 8;
const Qstatus = 9;

const FILES: readonly (readonly [string, number, number])[] = [
  ["ctl", Qctl, 0o660],
  ["data", Qdata, 0o660],
  ["listen", Qlisten, 0o666],
  ["local", Qlocal, 0o444],
  ["remote", Qremote, 0o444],
  ["status", Qstatus, 0o444],
];

const mkqid = (n: number, file: number, vers: number): Qid => ({
  path: (BigInt(n) << 8n) | BigInt(file),
  vers,
  type: file === Qroot || file === Qproto || file === Qconv ? QTDIR : 0,
});
const fileof = (q: Qid): number => Number(q.path & 0xffn);

/** A file of the device; `conv` is the conversation it holds while it is open. */
class Ipchan extends Chan {
  conv: Conv | null = null;
  file = 0;

  hold(conv: Conv, file: number): this {
    conv.ref++;
    this.conv = conv;
    this.file = file;
    this.qid = mkqid(conv.n, file, conv.vers);
    return this;
  }
}

/** Makes #I of a kernel over a stack, with at most so many conversations at a time. */
export function newIp(k: Kernel, stack: Stack, nconv: number = NCONV): Dev {
  return new Devip(k, stack, nconv);
}

class Devip extends Dev<Ipchan> {
  readonly dc = "I";
  readonly name = "ip";
  override readonly outside: boolean;
  readonly #stack: Stack;
  readonly #convs: (Conv | null)[] = [];
  readonly #nconv: number;
  /** No place below this one is free. */
  #low = 0;
  #vers = 0;

  constructor(k: Kernel, stack: Stack, nconv: number) {
    super(k);
    this.#nconv = nconv;
    this.#stack = stack;
    this.outside = stack.outside;
  }

  attach(_up: Proc, spec: string): Ipchan {
    const c = new Ipchan(this, mkqid(0, Qroot, 0));
    c.path = new Path(`#I${spec}`, []);
    return c;
  }

  walk(up: Proc, c: Ipchan, names: readonly string[]): Walkqid<Ipchan> {
    return devwalk(up, clone(c), names, this.#gen);
  }

  stat(up: Proc, c: Ipchan): Dir {
    return devstat(up, c, this.#gen);
  }

  open(up: Proc, c: Ipchan, omode: number): Answer<Ipchan> {
    const file = fileof(c.qid);
    if (file <= Qproto || file === Qconv) return opened(c, omode);
    const conv = file === Qclone ? null : (this.#find(c.qid) ?? error(Enonexist));
    devopen(up, c, omode, this.#gen);
    if (conv === null) return c.hold(this.#newconv(up), Qctl);
    if (file !== Qlisten) return c.hold(conv, file);
    return this.#listen(up, c, conv);
  }

  *#listen(up: Proc, c: Ipchan, conv: Conv): Task<Ipchan> {
    return c.hold(yield* this.#accept(up, conv), Qctl);
  }

  override close(c: Ipchan): void {
    if (c.conv !== null) this.#unhold(c.conv);
    c.conv = null;
  }

  read(up: Proc, c: Ipchan, buf: Uint8Array, offset: number): Answer<number> {
    const { conv } = c;
    if (conv === null) return devdirread(up, c, buf, this.#gen);
    if (c.file === Qdata) return conv.connection().read(up, buf);
    return readstr(contents(conv, c.file), buf, offset);
  }

  override bread(up: Proc, c: Ipchan, n: number): Task<Uint8Array> {
    if (c.conv !== null && c.file === Qdata) return c.conv.connection().bread(up, n);
    return super.bread(up, c, n);
  }

  override write(up: Proc, c: Ipchan, bytes: Uint8Array): Task<number> {
    const conv = c.conv ?? error(Ebadusefd);
    if (c.file === Qdata) return conv.connection().write(up, bytes);
    if (bytes.length > CTLMAX) error(Etoobig);
    return this.#ctl(up, conv, bytes);
  }

  *#ctl(up: Proc, conv: Conv, bytes: Uint8Array): Task<number> {
    yield* conv.ctl(up, this.#stack, utfdecode(bytes, 0, bytes.length));
    return bytes.length;
  }

  override peer(c: Ipchan): string | null {
    const remote = c.conv?.conn?.remote;
    return remote === undefined ? null : `${remote.host}!${remote.port}`;
  }

  override wire(c: Ipchan): Wire | null {
    const { conv } = c;
    const moved = conv?.conn?.moved?.();
    return conv === null || moved === undefined ? null : { wire: conv.vers, ...moved };
  }

  override hangup(c: Ipchan): void {
    c.conv?.conn?.hangup();
  }

  override shutdown(): void {
    this.#stack.shutdown();
  }

  readonly #gen: Gen<Ipchan> = (_up, c, s, name) => {
    const file = fileof(c.qid);
    if (s === DEVDOTDOT) {
      const up = file === Qconv ? Qproto : Qroot;
      return { qid: mkqid(0, up, 0), name: up === Qproto ? "tcp" : "#I", length: 0, perm: 0o555 };
    }
    if (file === Qroot) return s === 0 ? dirent(Qproto, "tcp", 0o555) : null;
    if (file === Qproto || file === Qclone) return this.#genproto(s, name);
    const conv = this.#find(c.qid);
    const f = FILES[s];
    if (conv === undefined || f === undefined) return null;
    const length = f[1] === Qdata ? (conv.conn?.qin ?? 0) : 0;
    return { qid: mkqid(conv.n, f[1], conv.vers), name: f[0], length, perm: f[2], uid: conv.owner };
  };

  /** tcp: clone, then the conversations; one that is looked for is found at once. */
  #genproto(s: number, name: string | null): Dirent | null | "skip" {
    if (s === 0 && (name === null || name === "clone")) return dirent(Qclone, "clone", 0o666);
    const n = name === null ? s - 1 : /^(0|[1-9][0-9]{0,5})$/.test(name) ? Number(name) : Infinity;
    if (n >= this.#convs.length) return null;
    const conv = this.#convs[n] ?? null;
    if (conv === null) return name === null ? "skip" : null;
    const qid = mkqid(n, Qconv, conv.vers);
    return { qid, name: String(n), length: 0, perm: 0o555, uid: conv.owner };
  }

  #find(q: Qid): Conv | undefined {
    const conv = this.#convs[Number(q.path >> 8n)];
    return conv !== null && conv?.vers === q.vers ? conv : undefined;
  }

  /** An idle conversation in the lowest free place; the caller holds it before anything waits. */
  #newconv(up: Proc): Conv {
    const free = this.#convs.indexOf(null, this.#low);
    const n = free >= 0 ? free : this.#convs.length;
    this.#low = n;
    if (n >= this.#nconv) error(Enodev);
    const conv = new Conv(n, ++this.#vers, up.user);
    this.#convs[n] = conv;
    return conv;
  }

  #unhold(conv: Conv): void {
    if (--conv.ref > 0) return;
    this.#convs[conv.n] = null;
    if (conv.n < this.#low) this.#low = conv.n;
    conv.close();
  }

  /** What opening listen does: waits for a call, and gives the conversation that it is. */
  *#accept(up: Proc, conv: Conv): Task<Conv> {
    const listener = conv.listener ?? error(Enotannounced);
    conv.ref++;
    let conn: Conn | null = null;
    try {
      conn = yield* listener.accept(up);
      const nc = this.#newconv(up);
      nc.connected(up.k, conn);
      conn = null;
      return nc;
    } finally {
      // A call that cannot be taken is refused, and keeps nothing of the host.
      conn?.hangup();
      this.#unhold(conv);
    }
  }
}

const dirent = (file: number, name: string, perm: number): Dirent => ({
  qid: mkqid(0, file, 0),
  name,
  length: 0,
  perm,
});

function clone(c: Ipchan): Ipchan {
  const nc = new Ipchan(c.dev, c.qid, c.devno);
  nc.path = c.path;
  return nc;
}

function contents(conv: Conv, file: number): string {
  if (file === Qctl) return String(conv.n);
  if (file === Qlocal) return showaddr((conv.conn ?? conv.listener)?.local);
  if (file === Qremote) return showaddr(conv.conn?.remote);
  return conv.status;
}
