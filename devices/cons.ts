// The console device, '#c': the terminal, the clock, chance, and who and where one is. cons(3)
//
// The terminal is the Tty of the process. The file term, which Plan 9's cons has not, says which descriptors are on
// a terminal that a person sees; in Plan 9 all are. This kernel prints no messages, so kmesg is empty and a read of
// kprint waits. The host gives the clock, so a write to time does not set it.

import { COPEN, Chan, Path } from "../kernel/chan.ts";
import { QTDIR, QTEXCL } from "../kernel/abi/const.ts";
import { andthen } from "../kernel/abi/answer.ts";
import type { Dir } from "../kernel/abi/dir.ts";
import {
  Dev,
  devattach,
  devclone,
  devdirread,
  devfile,
  devopen,
  devstat,
  devwalk,
  DEVDOTDOT,
  devdir,
} from "../kernel/dev.ts";
import type { Dirent, Gen, Walkqid } from "../kernel/dev.ts";
import { Ebadarg, Ebadctl, Ebadtimectl, Einuse, Eperm, error } from "../kernel/abi/errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Tty } from "../kernel/proc/tty.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import { Rendez } from "../kernel/proc/rendez.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import { utfdecode } from "../kernel/abi/utf.ts";
import { lookupcmd } from "./cmd.ts";
import type { Cmdtab } from "./cmd.ts";
import { NUMSIZE, num, readstr, strtoul, written } from "./text.ts";
import { young } from "../kernel/abi/young.ts";

/** The width of a long number, and how much a host's name may have. */
const VLNUMSIZE = 22;
const DOMLEN = 64;
const SYSNAMELEN = 256;
/** #c2 is what a program starts with as descriptor 2: its cons may go elsewhere (Tty.writeerr). */
const ERRSPEC = "2";
const ERRDEVNO = 2;
/** Ticks of the fast clock in a second: it counts nanoseconds. */
const FASTHZ = 1_000_000_000n;

/** One file: its name, length and permission, and the text it reads as if that is all it does. */
type Consfile = {
  readonly name: string;
  readonly length: number;
  readonly perm: number;
  readonly text?: (up: Proc) => string;
};

/** What a program writes, and whether it is to the console of descriptor 2. */
type Conswrite = { readonly bytes: Uint8Array; readonly offset: number; readonly err: boolean };

const ROOT: Dirent = { qid: devdir(0n), name: "#c", length: 0, perm: 0o555 };

/** What one console device remembers. */
type Cons = {
  sysname: string;
  hostdomain: string;
  kprintinuse: boolean;
  readonly kprint: Rendez;
  /** How often consctl is open, and the terminal that gives characters as they are typed. */
  ctls: number;
  raw: Tty | null;
};

const owner = (up: Proc): string => up.k.user;

function times(up: Proc): string {
  const ns = up.k.clock.nsec();
  const ticks = ns - up.k.clock.epoch;
  return (
    num(up.k.clock.seconds()) + num(ns, VLNUMSIZE) + num(ticks, VLNUMSIZE) + num(FASTHZ, VLNUMSIZE)
  );
}

/** User, system and real time in milliseconds, of the process and of its children. */
function cputimes(up: Proc): string {
  const real = Math.round((up.k.clock.now() - up.started) / 1e6);
  return [0, 0, real, 0, 0, 0].map((n) => num(n)).join("");
}

/** One line for the one processor: its number, context switches, and eight counts we have not. */
function sysstat(up: Proc): string {
  return `${[0, up.k.sched.resumed, 0, 0, 0, 0, 0, 0, 100, 0].map((n) => num(n)).join("")}\n`;
}

const SWAP = "0 memory\n4096 pagesize\n0 kernel\n0/0 user\n0/0 swap\n";

/** The files in the order that a directory read gives them. */
function consfiles(state: Cons): readonly Consfile[] {
  return [
    { name: "bintime", length: 24, perm: 0o664 },
    { name: "cons", length: 0, perm: 0o660 },
    { name: "consctl", length: 0, perm: 0o220 },
    { name: "cputime", length: 6 * NUMSIZE, perm: 0o444, text: cputimes },
    { name: "drivers", length: 0, perm: 0o444, text: drivers },
    { name: "hostdomain", length: DOMLEN, perm: 0o664, text: () => state.hostdomain },
    { name: "hostowner", length: 0, perm: 0o664, text: owner },
    { name: "kmesg", length: 0, perm: 0o440, text: () => "" },
    { name: "kprint", length: 0, perm: 0o440 },
    { name: "null", length: 0, perm: 0o666 },
    { name: "osversion", length: 0, perm: 0o444, text: () => "2000" },
    { name: "pgrpid", length: NUMSIZE, perm: 0o444, text: (up) => num(up.pgrp.pgrpid) },
    { name: "pid", length: NUMSIZE, perm: 0o444, text: (up) => num(up.pid) },
    { name: "ppid", length: NUMSIZE, perm: 0o444, text: (up) => num(up.ppid) },
    { name: "random", length: 0, perm: 0o444 },
    { name: "reboot", length: 0, perm: 0o660, text: () => "" },
    { name: "swap", length: 0, perm: 0o664, text: () => SWAP },
    { name: "sysname", length: 0, perm: 0o664, text: () => state.sysname },
    { name: "sysstat", length: 0, perm: 0o666, text: sysstat },
    { name: "term", length: 0, perm: 0o444, text: (up) => (up.tty.terminals ?? []).join(" ") },
    { name: "time", length: NUMSIZE + 3 * VLNUMSIZE, perm: 0o664, text: times },
    { name: "user", length: 0, perm: 0o666, text: (up) => up.user },
    { name: "zero", length: 0, perm: 0o444 },
    { name: "config", length: 0, perm: 0o444, text: config },
  ];
}

function drivers(up: Proc): string {
  let text = "";
  for (const d of up.k.devtab) text += `#${d.dc} ${d.name}\n`;
  return text;
}

/** The part of a kernel's configuration that says which devices are in it. */
function config(up: Proc): string {
  let text = "dev\n";
  for (const d of up.k.devtab) text += `\t${d.name}\n`;
  return text;
}

/** The time as three numbers of 8 bytes, the high byte first: as many of them as buf has room for. */
function readbintime(up: Proc, buf: Uint8Array): number {
  const view = new DataView(buf.buffer, buf.byteOffset, buf.length);
  const ns = up.k.clock.nsec();
  const values = [ns, ns - up.k.clock.epoch, FASTHZ];
  let n = 0;
  for (const v of values) {
    if (n + 8 > buf.length) break;
    view.setBigUint64(n, v);
    n += 8;
  }
  return n;
}

function readcons(up: Proc, buf: Uint8Array): Answer<number> {
  return andthen(up.tty.read(buf.length), (bytes) => {
    buf.set(bytes);
    return bytes.length;
  });
}

/** The text of a name that is written whole, and must be shorter than `max`. */
function newname(bytes: Uint8Array, max: number): string {
  if (bytes.length === 0 || bytes.length >= max) error(Ebadarg);
  return written(bytes);
}

/** Messages to reboot. The machine is the host's, so a program may not do what they say. */
const REBOOT: Cmdtab<null> = new Map([
  ["halt", [0, null]],
  ["reboot", [0, null]],
  ["panic", [0, null]],
]);

/** The clock is given from outside: what would set it is looked at, and refused. */
function settime(up: Proc, name: string, bytes: Uint8Array): never {
  const ok =
    name === "time"
      ? bytes.length < NUMSIZE + 1 && strtoul(written(bytes)) > 0
      : bytes.length > (TIMECTL.get(String.fromCharCode(bytes[0] ?? 0)) ?? Infinity);
  return error(up.user !== up.k.user || ok ? Eperm : Ebadtimectl);
}

/** Messages to bintime by their first byte, and how many bytes follow it. */
const TIMECTL: ReadonlyMap<string, number> = new Map([
  ["n", 8],
  ["d", 12],
  ["f", 8],
]);

/** A pager that starts has nothing to do; there is no file to swap to. */
function swap(up: Proc, text: string): void {
  if (text.startsWith("start")) return;
  if (up.user !== up.k.user) error(Eperm);
  if (!/^[0-9]/.test(text)) error(Ebadarg);
  up.fgrp.tochan(strtoul(text));
  error(Ebadctl);
}

/** Writes to the file called `name`; gives what write(2) does. */
function conswrite(up: Proc, state: Cons, name: string, w: Conswrite): Answer<number> {
  switch (name) {
    case "cons":
      return writecons(up, w);
    case "consctl":
      consctl(up, state, w.bytes);
      break;
    case "null":
    case "sysstat":
      break;
    case "sysname":
      if (w.offset !== 0) error(Ebadarg);
      state.sysname = newname(w.bytes, SYSNAMELEN);
      break;
    case "hostdomain":
      if (up.user !== up.k.user) error(Eperm);
      state.hostdomain = newname(w.bytes, DOMLEN);
      break;
    case "user":
      // A process may become the user none, and no other user.
      if (utfdecode(w.bytes, 0, w.bytes.length) !== "none") error(Eperm);
      up.user = "none";
      break;
    case "reboot":
      if (up.user === up.k.user) lookupcmd(written(w.bytes), REBOOT);
      return error(Eperm);
    case "swap":
      swap(up, written(w.bytes));
      break;
    case "time":
    case "bintime":
      return settime(up, name, w.bytes);
    default:
      return error(Eperm);
  }
  return w.bytes.length;
}

/** The modes of the console: characters as they are typed, and lines that are held back. */
const MODES = ["rawon", "rawoff", "holdon", "holdoff"] as const;

/** Obeys the words of a message in turn; those that mean nothing here are passed over, as on Plan 9. */
function consctl(up: Proc, state: Cons, bytes: Uint8Array): void {
  for (const word of written(bytes).split(/\s+/)) {
    const mode = MODES.find((m) => m === word);
    if (mode === undefined) continue;
    if (mode === "rawon") state.raw = up.tty;
    else if (mode === "rawoff") state.raw = null;
    up.tty.ctl?.(mode);
  }
}

function writecons(up: Proc, w: Conswrite): Answer<number> {
  const apart = w.err ? up.tty.writeerr?.bind(up.tty) : undefined;
  return andthen(
    apart === undefined ? up.tty.write(w.bytes) : apart(w.bytes),
    () => w.bytes.length,
  );
}

/** Reads a file that is more than a text. */
function consread(up: Proc, state: Cons, name: string, buf: Uint8Array): Answer<number> {
  switch (name) {
    case "bintime":
      return readbintime(up, buf);
    case "cons":
      return readcons(up, buf);
    case "random":
      up.k.config.host.random(buf);
      return buf.length;
    case "zero":
      buf.fill(0);
      return buf.length;
    case "kprint":
      return readkprint(state.kprint);
    default:
      return 0;
  }
}

/** This kernel prints nothing, so the reader sleeps until it is interrupted. */
function* readkprint(printed: Rendez): Task<number> {
  yield printed;
  return 0;
}

class Devcons extends Dev {
  readonly dc = "c";
  readonly name = "cons";
  readonly #state: Cons;
  readonly #files: readonly Consfile[];
  readonly #gen: Gen;

  constructor(k: Kernel) {
    super(k);
    this.#state = {
      sysname: k.config.sysname,
      hostdomain: "",
      kprintinuse: false,
      kprint: new Rendez("kprint"),
      ctls: 0,
      raw: null,
    };
    this.#files = consfiles(this.#state);
    const entries = this.#files.map(dirent);
    this.#gen = young((_up, c, s, name) => {
      const e = s === DEVDOTDOT ? ROOT : (entries[s] ?? null);
      // The directory lists what Plan 9's does; a program that knows of term finds it by its name.
      const listed = (c.qid.type & QTDIR) !== 0 && name === null;
      return listed && e?.name === "term" ? "skip" : e;
    });
  }

  #file(c: Chan): Consfile | undefined {
    return this.#files[Number(c.qid.path) - 1];
  }

  attach(_up: Proc, spec: string): Chan {
    if (spec !== ERRSPEC) return devattach(this, spec);
    const c = new Chan(this, devdir(0n), ERRDEVNO);
    c.path = new Path(`#c${spec}`, []);
    return c;
  }

  walk(up: Proc, c: Chan, names: readonly string[]): Walkqid {
    return devwalk(up, devclone(c), names, this.#gen);
  }

  stat(up: Proc, c: Chan): Dir {
    return devstat(up, c, this.#gen);
  }

  open(up: Proc, c: Chan, omode: number): Chan {
    const name = this.#file(c)?.name;
    if (name !== "kprint") {
      const oc = devopen(up, c, omode, this.#gen);
      if (name === "consctl") this.#state.ctls++;
      return oc;
    }
    if (this.#state.kprintinuse) error(Einuse);
    const nc = devopen(up, c, omode, this.#gen);
    this.#state.kprintinuse = true;
    return nc;
  }

  /** The last close of consctl ends the raw mode of the console. */
  override close(c: Chan): void {
    if ((c.flag & COPEN) === 0) return;
    const name = this.#file(c)?.name;
    if (name === "kprint") this.#state.kprintinuse = false;
    if (name !== "consctl" || --this.#state.ctls > 0) return;
    this.#state.raw?.ctl?.("rawoff");
    this.#state.raw = null;
  }

  read(up: Proc, c: Chan, buf: Uint8Array, offset: number): Answer<number> {
    const f = this.#file(c);
    if (f === undefined) return devdirread(up, c, buf, this.#gen);
    if (f.text !== undefined) return readstr(f.text(up), buf, offset);
    return consread(up, this.#state, f.name, buf);
  }

  override write(up: Proc, c: Chan, bytes: Uint8Array, offset: number): Answer<number> {
    const err = c.devno === ERRDEVNO;
    return conswrite(up, this.#state, this.#file(c)?.name ?? "", { bytes, offset, err });
  }
}

function dirent(f: Consfile, i: number): Dirent {
  const qid = devfile(BigInt(i + 1));
  return {
    name: f.name,
    length: f.length,
    perm: f.perm,
    qid: f.name === "kprint" ? { ...qid, type: QTEXCL } : qid,
  };
}

/** Makes the console device. */
export function newCons(k: Kernel): Dev {
  return new Devcons(k);
}
