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
import {
  DEVDOTDOT,
  devdirread,
  devopen,
  devstat,
  devwalk,
  nodev,
  opened,
} from "../../kernel/dev.ts";
import type { Dev, Dirent, Walkqid, Want } from "../../kernel/dev.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import {
  Ebadusefd,
  Enodev,
  Enonexist,
  Enotannounced,
  Etoobig,
  Panic,
  error,
} from "../../kernel/abi/errors.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Wire } from "../../kernel/trace.ts";
import { utfdecode } from "../../kernel/abi/utf.ts";
import { Conv, showaddr } from "./conv.ts";
import type { Conn, Stack } from "./stack.ts";
import { readstr } from "../text.ts";

/** Conversations at one time. */
const NCONV = 4096;
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

/** Makes #I of a kernel over a stack. */
export function newIp(k: Kernel, stack: Stack): Dev {
  return new Devip(k, stack);
}

class Devip implements Dev {
  readonly dc = "I";
  readonly name = "ip";
  readonly outside: boolean;
  readonly chans: Kernel["chans"];
  readonly #stack: Stack;
  readonly #convs: (Conv | null)[] = [];
  #vers = 0;

  constructor(k: Kernel, stack: Stack) {
    this.chans = k.chans;
    this.#stack = stack;
    this.outside = stack.outside;
  }

  *attach(_up: Proc, spec: string): Task<Chan> {
    const c = new Ipchan(this, mkqid(0, Qroot, 0));
    c.path = new Path(`#I${spec}`, []);
    return c;
  }

  *walk(up: Proc, c: Chan, names: readonly string[]): Task<Walkqid> {
    return devwalk(up, clone(c), names, this.#gen);
  }

  *stat(up: Proc, c: Chan): Task<Dir> {
    return devstat(up, c, this.#gen);
  }

  *open(up: Proc, chan: Chan, omode: number): Task<Chan> {
    const c = ipchan(chan);
    const file = fileof(c.qid);
    if (file <= Qproto || file === Qconv) return opened(c, omode);
    const conv = file === Qclone ? null : (this.#find(c.qid) ?? error(Enonexist));
    devopen(up, c, omode, this.#gen);
    if (conv === null) return c.hold(this.#newconv(up), Qctl);
    if (file !== Qlisten) return c.hold(conv, file);
    return c.hold(yield* this.#accept(up, conv), Qctl);
  }

  *close(chan: Chan): Task<void> {
    const c = ipchan(chan);
    if (c.conv !== null) this.#unhold(c.conv);
    c.conv = null;
  }

  *read(up: Proc, chan: Chan, buf: Uint8Array, offset: number): Task<number> {
    const c = ipchan(chan);
    const { conv } = c;
    if (conv === null) return devdirread(up, c, buf, this.#gen);
    if (c.file === Qdata) return yield* conv.connection().read(up, buf);
    return readstr(contents(conv, c.file), buf, offset);
  }

  *bread(up: Proc, chan: Chan, n: number): Task<Uint8Array> {
    const c = ipchan(chan);
    if (c.conv !== null && c.file === Qdata) return yield* c.conv.connection().bread(up, n);
    const buf = new Uint8Array(n);
    return buf.subarray(0, yield* this.read(up, c, buf, c.offset));
  }

  *write(up: Proc, chan: Chan, bytes: Uint8Array): Task<number> {
    const c = ipchan(chan);
    const conv = c.conv ?? error(Ebadusefd);
    if (c.file === Qdata) return yield* conv.connection().write(up, bytes);
    if (bytes.length > CTLMAX) error(Etoobig);
    yield* conv.ctl(up, this.#stack, utfdecode(bytes, 0, bytes.length));
    return bytes.length;
  }

  peer(chan: Chan): string | null {
    const remote = ipchan(chan).conv?.conn?.remote;
    return remote === undefined ? null : `${remote.host}!${remote.port}`;
  }

  wire(chan: Chan): Wire | null {
    const { conv } = ipchan(chan);
    const moved = conv?.conn?.moved?.();
    return conv === null || moved === undefined ? null : { wire: conv.vers, ...moved };
  }

  hangup(chan: Chan): void {
    ipchan(chan).conv?.conn?.hangup();
  }

  create(_up: Proc, _c: Chan, _name: string, _want: Want): Task<Chan> {
    return nodev.create();
  }

  remove(_up: Proc, _c: Chan): Task<void> {
    return nodev.remove();
  }

  wstat(_up: Proc, _c: Chan, _d: Wstat): Task<void> {
    return nodev.wstat();
  }

  shutdown(): void {
    this.#stack.shutdown();
  }

  readonly #gen = (_up: Proc, c: Chan, s: number, name: string | null): Dirent | null | "skip" => {
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
    const n = name === null ? s - 1 : /^(0|[1-9][0-9]{0,3})$/.test(name) ? Number(name) : NCONV;
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
    const free = this.#convs.indexOf(null);
    const n = free >= 0 ? free : this.#convs.length;
    if (n >= NCONV) error(Enodev);
    const conv = new Conv(n, ++this.#vers, up.user);
    this.#convs[n] = conv;
    return conv;
  }

  #unhold(conv: Conv): void {
    if (--conv.ref > 0) return;
    this.#convs[conv.n] = null;
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
      conn?.close();
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

function ipchan(c: Chan): Ipchan {
  if (c instanceof Ipchan) return c;
  throw new Panic("not a Chan of device ip");
}

function clone(c: Chan): Chan {
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
