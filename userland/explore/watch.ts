// Sees what each step touches: it stands before the devices of a kernel and hears its trace. A kernel that is
// not explored has nothing of this.

import { OTRUNC, QTDIR, QTEXCL } from "../../kernel/abi/const.ts";
import { convM2D } from "../../kernel/abi/dir.ts";
import { istask } from "../../kernel/abi/answer.ts";
import type { Qid } from "../../kernel/abi/dir.ts";
import type { Chan } from "../../kernel/chan.ts";
import type { Dev, Walkqid } from "../../kernel/dev.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Call, Event } from "../../kernel/trace.ts";
import { kindof, sharesmemory, thingsof } from "./table.ts";
import type { Kind } from "./table.ts";
import { ADD, READ, WRITE } from "./touches.ts";
import type { How } from "./touches.ts";
import { young } from "../../kernel/abi/young.ts";

/** Hears that the step that runs touches a thing. */
export type Touch = (what: string, how: How) => void;

/** Where a Chan's file is: the thing that its directory is, and its name there. */
type Place = { readonly dir: string; readonly name: string };

/** The kernel that an event is of, and the call that it belongs to. */
type Because = { readonly k: Kernel; readonly call: Call | null };

/** A walk that was made: from which Chan, by which names, what it gave, and the name of the Chan. */
type Walked = {
  readonly c: Chan;
  readonly names: readonly string[];
  readonly wq: Walkqid;
  readonly name: string;
};

/** A piece of a directory: the directory's name, and the bytes of the entries. */
type Listing = { readonly name: string; readonly entries: Uint8Array };

/** Watches the kernels of one schedule. */
export class Watch {
  readonly #touch: Touch;
  readonly #ids = new WeakMap<object, number>();
  #nid = 0;
  readonly #places = new WeakMap<Chan, Place>();
  readonly #memory = new WeakMap<Proc, number>();
  readonly #kernels = new Set<Kernel>();
  /** Files of a directory whose order was looked at: there the order of two that add shows. */
  readonly #ordered: Set<string>;

  constructor(touch: Touch, ordered: Set<string>) {
    this.#touch = touch;
    this.#ordered = ordered;
  }

  /**
   * A number for a thing, the same as long as it lives. What a step touched in one schedule is compared with what
   * steps touch in another that began in the same way. So each thing gets its number when it comes to be, and not
   * when it is first touched, which may be later than where the two part.
   */
  readonly id: (x: object) => number = young((x: object) => {
    let n = this.#ids.get(x);
    if (n === undefined) this.#ids.set(x, (n = this.#nid++));
    return n;
  });

  /** Watches a kernel from now on; once is enough. */
  kernel(k: Kernel): void {
    if (this.#kernels.has(k)) return;
    this.#kernels.add(k);
    this.id(k);
    for (const dev of k.devtab) this.#device(dev, k);
    k.trace.listen((e) => this.#event(e, k));
  }

  /** What every step of a process touches: its notes, and its memory. */
  process(p: Proc): void {
    this.#touch(`notes ${this.id(p)}`, READ);
    this.#touch(`memory ${this.memory(p)}`, WRITE);
  }

  /** The number of its memory, which processes may share. */
  memory(p: Proc): number {
    return this.#memory.get(p) ?? this.id(p);
  }

  /** What a call touches beside files. */
  call(p: Proc, call: Call): void {
    thingsof(p, call, this.id, this.#touch);
  }

  #event(e: Event, k: Kernel): void {
    if (e.type === "call" && e.call !== null) {
      const up = k.procs.get(e.call.pid);
      if (up !== undefined) this.call(up, e.call);
    } else if (e.type === "proc") this.#proc(e.what, e.pid, { k, call: e.call });
    else if (e.type === "wire") this.#touch(this.#name(k, "I"), WRITE);
  }

  #proc(what: string, pid: number, { k, call }: Because): void {
    const p = k.procs.get(pid) ?? this.#gone.get(`${this.id(k)} ${pid}`);
    if (p === undefined) return;
    if (what === "note") this.#touch(`notes ${this.id(p)}`, WRITE);
    if (what === "start" || what === "groups")
      for (const x of [p, p.fgrp, p.pgrp, p.egrp, p.rgrp, p.tty]) this.id(x);
    if (what === "start") {
      this.#gone.set(`${this.id(k)} ${pid}`, p);
      this.#touch(`processes ${this.id(k)}`, ADD);
      const parent = call === null ? undefined : k.procs.get(call.pid);
      if (call !== null && parent !== undefined && sharesmemory(call.name, call.args))
        this.#memory.set(p, this.memory(parent));
    }
    if (what === "exit") {
      this.#touch(`processes ${this.id(k)}`, ADD);
      this.#touch(`process ${this.id(k)} ${pid}`, WRITE);
      // The last that has a table closes what is in it.
      this.#touch(`table ${this.id(p.fgrp)}`, WRITE);
      if (p.parent !== null) this.#touch(`children ${this.id(p.parent)}`, WRITE);
    }
  }

  /** Processes by kernel and number, also when they are gone. */
  readonly #gone = new Map<string, Proc>();

  #name(k: Kernel, dc: string): string {
    return `${this.id(k)}#${dc}`;
  }

  #device(dev: Dev, k: Kernel): void {
    const kind = kindof(dev.dc);
    const name = this.#name(k, dev.dc);
    if (kind === "none") return;
    if (kind === "tree") this.#tree(dev, name);
    else if (kind === "pipe") this.#pipe(dev, name);
    else if (kind === "procs") this.#procs(dev, k);
    else this.#each(dev, kind, name);
  }

  /** A thing for each file, or one for them all. */
  #each(dev: Dev, kind: Kind, name: string): void {
    if (kind === "whole") {
      for (const op of OPS) before(dev, op, () => this.#touch(name, WRITE));
      return;
    }
    const touch = (up: Proc, c: Chan, how: How): void => {
      if (SILENT.has(c.path.last)) return;
      if (c.path.last === "cons") this.#touch(`console ${this.id(up.tty)}`, WRITE);
      else this.#touch(`${name} ${c.qid.path}`, how);
    };
    before(dev, "read", (up, c) => touch(up, c, READ));
    before(dev, "write", (up, c) => touch(up, c, WRITE));
    before(dev, "wstat", (up, c) => touch(up, c, WRITE));
  }

  /** A file of a tree: of '#e' the environment says which tree. */
  #file(up: Proc, dev: string, path: bigint): string {
    return dev.endsWith("#e") ? `${dev} ${this.id(up.egrp)} ${path}` : `${dev} ${path}`;
  }

  #tree(dev: Dev, name: string): void {
    this.#treenames(dev, name);
    this.#treefiles(dev, name);
  }

  /** Walks, creations, removals: what touches names. */
  #treenames(dev: Dev, name: string): void {
    after(dev, "walk", (wq, up, c, names) => {
      if (!istask(wq)) this.#walked(up, { c, names, wq, name });
    });
    const dirs = new Map<Chan, string>();
    before(dev, "create", (up, c, elem) => {
      const dir = this.#file(up, name, c.qid.path);
      dirs.set(c, dir);
      this.#touch(dir, READ);
      this.#entry(dir, elem, WRITE);
    });
    after(dev, "create", (made, _up, c, elem) => {
      const dir = dirs.get(c);
      dirs.clear();
      if (istask(made) || dir === undefined) return;
      // The file is no thing of this step: its number is another one in another order, and all come by its name.
      this.#listing(dir);
      this.#places.set(made, { dir, name: elem });
    });
    before(dev, "remove", (up, c) => {
      this.#touch(this.#file(up, name, c.qid.path), WRITE);
      this.#gonefrom(c);
    });
    before(dev, "wstat", (up, c, d) => {
      const file = this.#file(up, name, c.qid.path);
      this.#touch(file, WRITE);
      if (d.length !== undefined) this.#touch(`data ${file}`, WRITE);
      const at = this.#places.get(c);
      if (d.name === undefined || at === undefined) return;
      this.#gonefrom(c);
      this.#entry(at.dir, d.name, WRITE);
    });
    before(dev, "close", (c) => {
      // A file may go, or another may open it now, when it closes.
      const goes = "rclose" in c && c.rclose !== null;
      if (goes || (c.qid.type & QTEXCL) !== 0) this.#touch(`${name} ${c.qid.path}`, WRITE);
      if (goes) this.#gonefrom(c);
    });
  }

  /** Opens, reads, writes: what touches contents. */
  #treefiles(dev: Dev, name: string): void {
    const file = (up: Proc, c: Chan, how: How): void =>
      this.#touch(this.#file(up, name, c.qid.path), how);
    const data = (up: Proc, c: Chan, how: How): void =>
      this.#touch(`data ${this.#file(up, name, c.qid.path)}`, how);
    // A walk and a stat find the same.
    dev.chanat = dev.statat = unknown;
    before(dev, "open", (up, c, mode) => {
      file(up, c, (c.qid.type & QTEXCL) !== 0 ? WRITE : READ);
      if ((mode & OTRUNC) !== 0) data(up, c, WRITE);
    });
    before(dev, "read", (up, c) => {
      file(up, c, READ);
      data(up, c, READ);
    });
    after(dev, "read", (n, up, c, buf) => {
      if (istask(n) || (c.qid.type & QTDIR) === 0) return;
      this.#listed(up, c, { name, entries: buf.subarray(0, n) });
    });
    before(dev, "write", (up, c) => {
      file(up, c, READ);
      data(up, c, WRITE);
    });
    before(dev, "stat", (up, c) => {
      file(up, c, READ);
      data(up, c, READ);
      if ((c.qid.type & QTDIR) !== 0) this.#touch(`list ${this.#file(up, name, c.qid.path)}`, READ);
    });
  }

  #entry(dir: string, elem: string, how: How): void {
    this.#touch(`name ${dir}/${elem}`, how);
  }

  /** A file came to a directory, or went. */
  #listing(dir: string): void {
    this.#touch(`list ${dir}`, this.#ordered.has(dir) ? WRITE : ADD);
  }

  #gonefrom(c: Chan): void {
    const at = this.#places.get(c);
    if (at === undefined) return;
    this.#entry(at.dir, at.name, WRITE);
    this.#listing(at.dir);
  }

  #walked(up: Proc, w: Walked): void {
    const { c, names, wq, name } = w;
    let path = c.qid.path;
    let at = this.#places.get(c);
    for (const [i, elem] of names.entries()) {
      const dir = this.#file(up, name, path);
      this.#touch(dir, READ);
      this.#entry(dir, elem, READ);
      const qid: Qid | undefined = wq.qids[i];
      if (qid === undefined) return;
      path = qid.path;
      at = { dir, name: elem };
    }
    if (wq.clone !== null && at !== undefined) this.#places.set(wq.clone, at);
  }

  /** A directory was read: what is in it, what its entries say, and the order they have. */
  #listed(up: Proc, c: Chan, { name, entries }: Listing): void {
    const dir = this.#file(up, name, c.qid.path);
    this.#ordered.add(dir);
    this.#touch(`list ${dir}`, READ);
    for (let off = 0; off < entries.length;) {
      const entry = convM2D(entries, off, entries.length);
      if (entry === null) return;
      const file = this.#file(up, name, entry.dir.qid.path);
      this.#touch(file, READ);
      this.#touch(`data ${file}`, READ);
      off = entry.next;
    }
  }

  #pipe(dev: Dev, name: string): void {
    before(dev, "open", (_up, c) => this.#ends(name, c));
    after(dev, "open", (opened) => {
      if (!istask(opened)) this.#counted(opened);
    });
    before(dev, "read", (_up, c) => this.#queue(name, c, "in"));
    before(dev, "bread", (_up, c) => this.#queue(name, c, "in"));
    before(dev, "write", (_up, c) => this.#queue(name, c, "out"));
    before(dev, "close", (c) => this.#ends(name, c));
  }

  /** What goes into an end comes out of the other: the lowest bits of a qid say which end it is. */
  #queue(name: string, c: Chan, way: "in" | "out"): void {
    const end = Number(c.qid.path & 31n);
    this.#touch(`${name} ${c.qid.path >> 5n} ${way === "in" ? end : 3 - end}`, WRITE);
  }

  #ends(name: string, c: Chan): void {
    if ((c.qid.path & 31n) === 0n) return;
    this.#queue(name, c, "in");
    this.#queue(name, c, "out");
  }

  /** The last who gives up a pipe's end closes it: so each change of the count is a touch. */
  #counted(c: Chan): void {
    let ref = c.ref;
    const touch = this.#touch;
    const what = `end ${this.id(c)}`;
    Object.defineProperty(c, "ref", {
      get: () => ref,
      set: (n: number) => {
        ref = n;
        touch(what, WRITE);
      },
    });
  }

  #procs(dev: Dev, k: Kernel): void {
    const touch = (c: Chan): void => {
      const pid = c.path.elems.find((e) => /^\d+$/.test(e));
      const p = pid === undefined ? undefined : k.procs.get(Number(pid));
      if (p !== undefined) this.#touch(`notes ${this.id(p)}`, WRITE);
      if (pid !== undefined) this.#touch(`process ${this.id(k)} ${pid}`, READ);
      else this.#touch(`processes ${this.id(k)}`, READ);
    };
    before(dev, "read", (_up, c) => touch(c));
    before(dev, "write", (_up, c) => touch(c));
    before(dev, "wstat", (_up, c) => touch(c));
    before(dev, "walk", (_up, _c, names) => {
      for (const elem of names)
        if (/^\d+$/.test(elem)) this.#touch(`process ${this.id(k)} ${elem}`, READ);
    });
  }
}

const unknown = (): null => null;

/** Files of '#c' on which nothing depends. */
const SILENT: ReadonlySet<string> = new Set(["null", "zero", "pid", "ppid", "time", "bintime"]);

/** The operations of a device that touch its files. */
const OPS = [
  "walk",
  "stat",
  "open",
  "create",
  "read",
  "bread",
  "write",
  "remove",
  "wstat",
  "close",
] as const;

type Op = (typeof OPS)[number];

/** Has fn see what an operation of a device is asked for, before it is done. */
function before<K extends Op>(dev: Dev, op: K, fn: (...args: Parameters<Dev[K]>) => void): void {
  const was: unknown = Reflect.get(dev, op);
  Reflect.set(dev, op, (...args: Parameters<Dev[K]>) => {
    fn(...args);
    return Reflect.apply(was as () => unknown, dev, args) as unknown;
  });
}

/** Has fn see what it gave. */
function after<K extends Op>(
  dev: Dev,
  op: K,
  fn: (gave: ReturnType<Dev[K]>, ...args: Parameters<Dev[K]>) => void,
): void {
  const was: unknown = Reflect.get(dev, op);
  Reflect.set(dev, op, (...args: Parameters<Dev[K]>) => {
    const gave = Reflect.apply(was as () => unknown, dev, args) as ReturnType<Dev[K]>;
    fn(gave, ...args);
    return gave;
  });
}
