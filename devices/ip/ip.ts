// Device ip, #I: the network as files, ip(3), for networks over any Stack (stack.ts): tcp, and what the host has
// beside it, tls and unix.
//
//	tcp/clone                                 open it: the ctl file of a new conversation
//	tcp/N/{ctl,data,listen,local,remote,status}
//	tls/N/user                                whom the caller has proved to be, where the network asks for proof
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
import { young } from "../../kernel/abi/young.ts";

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
const Quser = 10;

const FILES: readonly (readonly [string, number, number])[] = [
  ["ctl", Qctl, 0o660],
  ["data", Qdata, 0o660],
  ["listen", Qlisten, 0o666],
  ["local", Qlocal, 0o444],
  ["remote", Qremote, 0o444],
  ["status", Qstatus, 0o444],
  ["user", Quser, 0o444],
];

/** qid.path is the network, 16 bits; the number of the conversation, 32; the file, 8. */
const mkqid = (net: number, n: number, file: number, vers: number): Qid => ({
  path: (BigInt(net) << 40n) | (BigInt(n) << 8n) | BigInt(file),
  vers,
  type: file === Qroot || file === Qproto || file === Qconv ? QTDIR : 0,
});
const fileof = (q: Qid): number => Number(q.path & 0xffn);
const convof = (q: Qid): number => Number((q.path >> 8n) & 0xffff_ffffn);
const netof = (q: Qid): number => Number(q.path >> 40n);

/** A directory of #I: its name, what its connections are made of, and its conversations by number. */
type Network = {
  readonly i: number;
  readonly name: string;
  readonly stack: Stack;
  readonly convs: (Conv | null)[];
  /** No place below this one is free. */
  low: number;
};

/** Networks beside tcp, by name. */
export type Networks = Readonly<Record<string, Stack>>;

/** A file of the device; `conv` is the conversation it holds while it is open. */
class Ipchan extends Chan {
  conv: Conv | null = null;
  file = 0;

  hold(conv: Conv, file: number): this {
    conv.ref++;
    this.conv = conv;
    this.file = file;
    this.qid = mkqid(netof(this.qid), conv.n, file, conv.vers);
    return this;
  }
}

/** Makes #I of a kernel: tcp over a stack, others beside it, each with at most so many conversations at a time. */
export function newIp(k: Kernel, tcp: Stack, nconv: number = NCONV, others: Networks = {}): Dev {
  return new Devip(k, { tcp, ...others }, nconv);
}

class Devip extends Dev<Ipchan> {
  readonly dc = "I";
  readonly name = "ip";
  override readonly outside: boolean;
  readonly #nets: readonly Network[];
  readonly #nconv: number;
  #vers = 0;

  constructor(k: Kernel, stacks: Networks, nconv: number) {
    super(k);
    this.#nconv = nconv;
    this.#nets = Object.entries(stacks).map(([name, stack], i) => ({
      i,
      name,
      stack,
      convs: [],
      low: 0,
    }));
    this.outside = this.#nets.some(({ stack }) => stack.outside);
  }

  attach(_up: Proc, spec: string): Ipchan {
    const c = new Ipchan(this, mkqid(0, 0, Qroot, 0));
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
    if (conv === null) return c.hold(this.#newconv(up, this.#net(c)), Qctl);
    if (file !== Qlisten) return c.hold(conv, file);
    return this.#listen(up, c, conv);
  }

  *#listen(up: Proc, c: Ipchan, conv: Conv): Task<Ipchan> {
    return c.hold(yield* this.#accept(up, this.#net(c), conv), Qctl);
  }

  override close(c: Ipchan): void {
    if (c.conv !== null) this.#unhold(this.#net(c), c.conv);
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
    return this.#ctl(up, c, conv, bytes);
  }

  *#ctl(up: Proc, c: Ipchan, conv: Conv, bytes: Uint8Array): Task<number> {
    yield* conv.ctl(up, this.#net(c).stack, utfdecode(bytes, 0, bytes.length));
    return bytes.length;
  }

  override peer(c: Ipchan): string | null {
    const remote = c.conv?.conn?.remote;
    return remote === undefined ? null : showaddr(remote).trimEnd();
  }

  override wire(c: Ipchan): Wire | null {
    const { conv } = c;
    const moved = conv?.conn?.moved?.();
    return conv === null || moved === undefined ? null : { wire: conv.vers, pipe: null, ...moved };
  }

  override hangup(c: Ipchan): void {
    c.conv?.conn?.hangup();
  }

  override shutdown(): void {
    for (const { stack } of this.#nets) stack.shutdown();
  }

  readonly #gen: Gen<Ipchan> = young((_up, c, s, name) => {
    const file = fileof(c.qid);
    if (file === Qroot && s !== DEVDOTDOT) return this.#genroot(s);
    const net = this.#net(c);
    if (s === DEVDOTDOT) {
      if (file === Qconv) return dirent(net.i, Qproto, net.name, 0o555);
      return dirent(0, Qroot, "#I", 0o555);
    }
    if (file === Qproto || file === Qclone) return this.#genproto(net, s, name);
    const conv = this.#find(c.qid);
    const f = FILES[s];
    if (conv === undefined || f === undefined) return null;
    if (f[1] === Quser && net.stack.proves !== true) return null;
    const length = f[1] === Qdata ? (conv.conn?.qin ?? 0) : 0;
    return {
      qid: mkqid(net.i, conv.n, f[1], conv.vers),
      name: f[0],
      length,
      perm: f[2],
      uid: conv.owner,
    };
  });

  #genroot(s: number): Dirent | null {
    const net = this.#nets[s];
    return net === undefined ? null : dirent(net.i, Qproto, net.name, 0o555);
  }

  /** A network: clone, then the conversations; one that is looked for is found at once. */
  #genproto(net: Network, s: number, name: string | null): Dirent | null | "skip" {
    if (s === 0 && (name === null || name === "clone"))
      return dirent(net.i, Qclone, "clone", 0o666);
    const n = name === null ? s - 1 : /^(0|[1-9][0-9]{0,5})$/.test(name) ? Number(name) : Infinity;
    if (n >= net.convs.length) return null;
    const conv = net.convs[n] ?? null;
    if (conv === null) return name === null ? "skip" : null;
    const qid = mkqid(net.i, n, Qconv, conv.vers);
    return { qid, name: String(n), length: 0, perm: 0o555, uid: conv.owner };
  }

  /** The network that a file belongs to. */
  #net(c: Ipchan): Network {
    return this.#nets[netof(c.qid)] ?? error(Enonexist);
  }

  #find(q: Qid): Conv | undefined {
    const conv = this.#nets[netof(q)]?.convs[convof(q)] ?? null;
    return conv?.vers === q.vers ? conv : undefined;
  }

  /** An idle conversation in the lowest free place; the caller holds it before anything waits. */
  #newconv(up: Proc, net: Network): Conv {
    const { convs } = net;
    const free = convs.indexOf(null, net.low);
    const n = free >= 0 ? free : convs.length;
    net.low = n;
    if (n >= this.#nconv) error(Enodev);
    const conv = new Conv(n, ++this.#vers, up.user);
    convs[n] = conv;
    return conv;
  }

  #unhold(net: Network, conv: Conv): void {
    if (--conv.ref > 0) return;
    net.convs[conv.n] = null;
    if (conv.n < net.low) net.low = conv.n;
    conv.close();
  }

  /** What opening listen does: waits for a call, and gives the conversation that it is. */
  *#accept(up: Proc, net: Network, conv: Conv): Task<Conv> {
    const listener = conv.listener ?? error(Enotannounced);
    conv.ref++;
    let conn: Conn | null = null;
    try {
      conn = yield* listener.accept(up);
      const nc = this.#newconv(up, net);
      nc.connected(up.k, conn);
      conn = null;
      return nc;
    } finally {
      // A call that cannot be taken is refused, and keeps nothing of the host.
      conn?.hangup();
      this.#unhold(net, conv);
    }
  }
}

const dirent = (net: number, file: number, name: string, perm: number): Dirent => ({
  qid: mkqid(net, 0, file, 0),
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
  if (file === Quser) return conv.conn?.user ?? "";
  return conv.status;
}
