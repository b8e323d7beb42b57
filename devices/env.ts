// The environment device, '#e': a file for each variable of the process's environment; '#ec' is the
// configuration, one environment for the whole kernel. env(3)
//
// A Chan names a variable by its qid path. The variable is looked up in the environment of the process that uses the Chan:
// after rfork(RFENVG) a child's open file is its copy's. A directory read lists the variables that were there when it
// began, without those removed since.

import { COPEN, CRCLOSE, Chan, Path } from "../kernel/chan.ts";
import { OREAD, OTRUNC, QTDIR } from "../kernel/abi/const.ts";
import {
  DEVDOTDOT,
  Dev,
  devdir,
  devdirent,
  devdirread,
  devfile,
  devwalk,
  dirname,
  opened,
} from "../kernel/dev.ts";
import type { Dirent, Gen, Walkqid, Want } from "../kernel/dev.ts";
import type { Dir, Qid } from "../kernel/abi/dir.ts";
import {
  Ebadarg,
  Eexist,
  Enoenv,
  Enonexist,
  Eperm,
  Etoobig,
  Etoolong,
  error,
} from "../kernel/abi/errors.ts";
import { Egrp } from "../kernel/proc/pgrp.ts";
import type { Evar } from "../kernel/proc/pgrp.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Trace } from "../kernel/trace.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import { utflen } from "../kernel/abi/utf.ts";
import { readbytes } from "./text.ts";

/** The longest value, and one more than the longest name; how many variables one environment has. */
const MAXVALUE = 16300;
const MAXNAME = 128;
const MAXVARS = 5000;

const ROOTQID: Qid = devdir(0n);
const ROOT: Dirent = { qid: ROOTQID, name: "#e", length: 0, perm: 0o555 };

class EnvChan extends Chan {
  /** The configuration of '#ec'; null means whose environment it is depends on who looks. */
  readonly conf: Egrp | null;
  /** The variable, when last looked up, and where that was. */
  evar: Evar | null = null;
  egrp: Egrp | null = null;
  /** What a directory read goes through. */
  list: readonly Evar[] = [];

  constructor(dev: Dev, qid: Qid, conf: Egrp | null) {
    super(dev, qid);
    this.conf = conf;
  }
}

const clone = (c: EnvChan): EnvChan => {
  const nc = new EnvChan(c.dev, c.qid, c.conf);
  nc.path = c.path;
  return nc;
};

const egrpof = (up: Proc, c: EnvChan): Egrp => c.conf ?? up.egrp;
const dirent = (v: Evar): Dirent => ({
  qid: devfile(v.path, v.vers),
  name: v.name,
  length: v.value.length,
  perm: 0o666,
});

/** Names are looked up; a listing goes through c.list. */
const gen: Gen<EnvChan> = (up, c, s, name) => {
  if (s === DEVDOTDOT) return ROOT;
  if (name !== null) {
    const v = s === 0 ? egrpof(up, c).vars.get(name) : undefined;
    return v === undefined ? null : dirent(v);
  }
  const v = c.list[s];
  if (v === undefined) return null;
  return v.removed ? "skip" : dirent(v);
};

/** The variable that c is; "file does not exist" once it was removed. */
function lookup(up: Proc, c: EnvChan): Evar {
  const egrp = egrpof(up, c);
  if (c.evar !== null && c.egrp === egrp && !c.evar.removed) return c.evar;
  for (const v of egrp.vars.values())
    if (v.path === c.qid.path) {
      c.evar = v;
      c.egrp = egrp;
      return v;
    }
  return error(Enonexist);
}

/** Whole values are short, so each write makes a new one. */
function write(v: Evar, bytes: Uint8Array, offset: number): number {
  const end = offset + bytes.length;
  if (end > MAXVALUE) error(Etoobig);
  if (bytes.length === 0) return 0;
  const value = new Uint8Array(Math.max(end, v.value.length));
  value.set(v.value);
  value.set(bytes, offset);
  v.value = value;
  v.vers++;
  return bytes.length;
}

class Devenv extends Dev<EnvChan> {
  readonly dc = "e";
  readonly name = "env";
  readonly #conf = new Egrp();
  readonly #trace: Trace;

  constructor(k: Kernel) {
    super(k);
    this.#trace = k.trace;
  }

  /** A variable of the environment has another value; null: it is removed. */
  #tell(egrp: Egrp, name: string, value: Uint8Array | null): void {
    const trace = this.#trace;
    if (trace.on) trace.emit({ type: "env", egrp: trace.egrps.of(egrp), name, value });
  }

  attach(_up: Proc, spec: string): EnvChan {
    if (spec !== "" && spec !== "c") error(Ebadarg);
    const c = new EnvChan(this, ROOTQID, spec === "c" ? this.#conf : null);
    c.path = new Path(`#e${spec}`, []);
    return c;
  }

  walk(up: Proc, c: EnvChan, names: readonly string[]): Walkqid<EnvChan> {
    return devwalk(up, clone(c), names, gen);
  }

  stat(up: Proc, c: EnvChan): Dir {
    if ((c.qid.type & QTDIR) === 0) return devdirent(up, c, dirent(lookup(up, c)));
    return devdirent(up, c, { ...ROOT, name: dirname(c) });
  }

  open(up: Proc, c: EnvChan, omode: number): EnvChan {
    if ((c.qid.type & QTDIR) !== 0) {
      if (omode !== OREAD) error(Eperm);
      return opened(c, omode);
    }
    const v = lookup(up, c);
    opened(c, omode);
    if ((omode & OTRUNC) !== 0 && v.value.length > 0) {
      v.value = new Uint8Array(0);
      v.vers++;
      this.#tell(egrpof(up, c), v.name, v.value);
    }
    return c;
  }

  /** Creates a variable; a directory that is asked for becomes one too, as on Plan 9. */
  override create(up: Proc, c: EnvChan, name: string, want: Want): EnvChan {
    if ((c.qid.type & QTDIR) === 0) error(Eperm);
    if (utflen(name) >= MAXNAME) error(Etoolong);
    const egrp = egrpof(up, c);
    if (egrp.vars.has(name)) error(Eexist);
    if (egrp.vars.size >= MAXVARS) error(Enoenv);
    const v = egrp.create(name);
    c.qid = devfile(v.path, v.vers);
    c.evar = v;
    c.egrp = egrp;
    this.#tell(egrp, name, v.value);
    return opened(c, want.omode);
  }

  override close(c: EnvChan): void {
    if ((c.flag & COPEN) === 0 || (c.flag & CRCLOSE) === 0) return;
    if (c.evar !== null && c.egrp !== null && !c.evar.removed) this.#remove(c.egrp, c.evar);
  }

  read(up: Proc, c: EnvChan, buf: Uint8Array, offset: number): number {
    if ((c.qid.type & QTDIR) === 0) return readbytes(lookup(up, c).value, buf, offset);
    if (c.dri === 0) c.list = [...egrpof(up, c).vars.values()];
    return devdirread(up, c, buf, gen);
  }

  override write(up: Proc, c: EnvChan, bytes: Uint8Array, offset: number): number {
    const v = lookup(up, c);
    const n = write(v, bytes, offset);
    this.#tell(egrpof(up, c), v.name, v.value);
    return n;
  }

  override plain(): boolean {
    return true;
  }

  override remove(up: Proc, c: EnvChan): void {
    if ((c.qid.type & QTDIR) !== 0) error(Eperm);
    this.#remove(egrpof(up, c), lookup(up, c));
  }

  #remove(egrp: Egrp, v: Evar): void {
    v.removed = true;
    egrp.remove(v);
    this.#tell(egrp, v.name, null);
  }
}

/** Makes the environment device. */
export function newEnv(k: Kernel): Dev {
  return new Devenv(k);
}
