// The service registry, '#s': a file for each channel to a server that a process has posted. srv(3)
//
// Creating a file and writing the number of a descriptor into it posts that descriptor's Chan; opening the
// file gives the same Chan. The registry holds a reference to each.

import { CCEXEC, COPEN, CRCLOSE, Chan, Path, instead } from "../kernel/chan.ts";
import {
  DMDIR,
  OCEXEC,
  OREAD,
  ORDWR,
  ORCLOSE,
  OTRUNC,
  OWRITE,
  QTAUTH,
  QTDIR,
} from "../kernel/abi/const.ts";
import {
  DEVDOTDOT,
  Dev,
  devdir,
  devdirent,
  devdirread,
  devfile,
  devpermcheck,
  devwalk,
  dirname,
  opened,
  openmode,
} from "../kernel/dev.ts";
import type { Dirent, Gen, Walkqid, Want } from "../kernel/dev.ts";
import type { Dir, Qid, Wstat } from "../kernel/abi/dir.ts";
import {
  Ebadusefd,
  Eclosed,
  Eexist,
  Eisdir,
  Enonexist,
  Eperm,
  Egreg,
  error,
  Esrvauth,
  Esrvexist,
  Esrvflags,
} from "../kernel/abi/errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { checkelem } from "../kernel/abi/elems.ts";
import { ccloseq } from "../kernel/proc/pgrp.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Answer, Task } from "../kernel/proc/rendez.ts";
import { strtoul, written } from "./text.ts";
import { young } from "../kernel/abi/young.ts";

/** The registry as boot and mount(2) use it. */
export interface Srv extends Dev<SrvChan> {
  /** Posts c, whose reference it takes, under a name: what boot does for its root. */
  post(name: string, c: Chan): void;
}

/** A posted channel, or one that is yet to be. */
type Service = {
  name: string;
  owner: string;
  perm: number;
  readonly qid: Qid;
  chan: Chan | null;
  removed: boolean;
};

const ROOTQID: Qid = devdir(0n);
const ROOT: Dirent = { qid: ROOTQID, name: "#s", length: 0, perm: 0o555 };
/** A descriptor's number is shorter than this. */
const MAXNUMBER = 32;

class SrvChan extends Chan {
  /** The service of a file; a directory has none. */
  service: Service | null = null;
  /** What a directory read goes through. */
  list: readonly Service[] = [];
}

const clone = (c: SrvChan): SrvChan => {
  const nc = new SrvChan(c.dev, c.qid);
  nc.service = c.service;
  nc.path = c.path;
  return nc;
};

const dirent = (s: Service): Dirent => ({
  qid: s.qid,
  name: s.name,
  length: 0,
  perm: s.perm,
  uid: s.owner,
});

/** The service of a file's Chan, while it is there. */
function serviceof(c: SrvChan): Service {
  if (c.service === null) return error(Eperm);
  return c.service.removed ? error(Enonexist) : c.service;
}

class Devsrv extends Dev<SrvChan> implements Srv {
  readonly dc = "s";
  readonly name = "srv";
  readonly #k: Kernel;
  readonly #services = new Map<string, Service>();
  #path = 0n;

  constructor(k: Kernel) {
    super(k);
    this.#k = k;
  }

  #new(name: string, owner: string, perm: number): Service {
    const s: Service = {
      name,
      owner,
      perm,
      qid: devfile(++this.#path),
      chan: null,
      removed: false,
    };
    this.#services.set(name, s);
    return s;
  }

  readonly #gen: Gen<SrvChan> = young((_up, { list }, s, name) => {
    if (s === DEVDOTDOT) return ROOT;
    const sv = name === null ? list[s] : s === 0 ? this.#services.get(name) : undefined;
    if (sv === undefined) return null;
    return sv.removed ? "skip" : dirent(sv);
  });

  attach(_up: Proc, spec: string): SrvChan {
    const c = new SrvChan(this, ROOTQID);
    c.path = new Path(`#s${spec}`, []);
    return c;
  }

  walk(up: Proc, c: SrvChan, names: readonly string[]): Walkqid<SrvChan> {
    const wq = devwalk(up, clone(c), names, this.#gen);
    const last = names[names.length - 1];
    if (wq.clone !== null && last !== undefined) {
      const file = (wq.clone.qid.type & QTDIR) === 0;
      wq.clone.service = file ? (this.#services.get(last) ?? null) : null;
    }
    return wq;
  }

  stat(up: Proc, c: SrvChan): Dir {
    if (c.service !== null) return devdirent(up, c, dirent(serviceof(c)));
    return devdirent(up, c, { ...ROOT, name: dirname(c) });
  }

  /** Opens a directory, or gives the Chan that was posted. */
  open(up: Proc, c: SrvChan, omode: number): Answer<Chan> {
    if (c.service === null) {
      if ((omode & ORCLOSE) !== 0) error(Eperm);
      if (omode !== OREAD) error(Eisdir);
      return opened(c, omode);
    }
    const s = c.service;
    if (s.removed || s.chan === null) return error(Eclosed);
    if ((omode & OTRUNC) !== 0) error(Esrvexist);
    const mode = openmode(omode & ~(OCEXEC | ORCLOSE));
    if (mode !== s.chan.mode && s.chan.mode !== ORDWR) error(Eperm);
    devpermcheck(up, s.owner, s.perm, omode);
    return instead(s.chan.incref(), c);
  }

  override create(up: Proc, c: SrvChan, name: string, want: Want): SrvChan {
    const mode = openmode(want.omode & ~(OCEXEC | ORCLOSE));
    if (c.service !== null || (want.perm & DMDIR) !== 0 || mode !== OWRITE) error(Eperm);
    if (this.#services.has(name)) error(Esrvexist);
    const s = this.#new(name, up.user, want.perm & 0o777);
    c.service = s;
    c.qid = s.qid;
    return opened(c, want.omode);
  }

  override close(c: SrvChan): Answer<void> {
    if ((c.flag & COPEN) === 0 || (c.flag & CRCLOSE) === 0) return;
    if (c.service !== null && !c.service.removed) return this.#drop(c.service);
  }

  read(up: Proc, c: SrvChan, buf: Uint8Array): number {
    if (c.service !== null) return error(Eperm);
    // The newest first, as on Plan 9.
    if (c.dri === 0) c.list = [...this.#services.values()].reverse();
    return devdirread(up, c, buf, this.#gen);
  }

  /** Posts the descriptor whose number is written; what is no number counts as 0. */
  override write(up: Proc, c: SrvChan, bytes: Uint8Array): number {
    if (bytes.length >= MAXNUMBER) error(Egreg);
    const s = serviceof(c);
    const posted = up.fgrp.tochan(strtoul(written(bytes)));
    if ((posted.flag & (CCEXEC | CRCLOSE)) !== 0) error(Esrvflags);
    if ((posted.qid.type & QTAUTH) !== 0) error(Esrvauth);
    if (s.chan !== null) error(Ebadusefd);
    s.chan = posted.incref();
    return bytes.length;
  }

  override remove(up: Proc, c: SrvChan): Task<void> {
    const s = serviceof(c);
    if (s.owner !== up.user && up.user !== this.#k.user) error(Eperm);
    return this.#drop(s);
  }

  *#drop(s: Service): Task<void> {
    s.removed = true;
    this.#services.delete(s.name);
    const posted = s.chan;
    s.chan = null;
    if (posted !== null) yield* ccloseq(posted);
  }

  override wstat(up: Proc, c: SrvChan, d: Wstat): void {
    const s = serviceof(c);
    if (s.owner !== up.user && up.user !== this.#k.user) error(Eperm);
    if (d.name !== undefined && d.name !== s.name) this.#rename(s, d.name);
    if (d.mode !== undefined) s.perm = d.mode & 0o777;
    if (d.uid !== undefined) s.owner = d.uid;
  }

  #rename(s: Service, name: string): void {
    checkelem(name);
    if (name === "." || name === "..") error(Eperm);
    if (this.#services.has(name)) error(Eexist);
    s.name = name;
    // It keeps its place in the list.
    const list = [...this.#services.values()];
    this.#services.clear();
    for (const sv of list) this.#services.set(sv.name, sv);
  }

  post(name: string, c: Chan): void {
    if (this.#services.has(name)) error(Esrvexist);
    this.#new(name, this.#k.user, 0o600).chan = c;
  }

  /** What is posted stays when its processes end; it goes with the kernel. */
  override shutdown(): void {
    for (const s of this.#services.values()) this.#drop(s).next();
  }

  override srvname(c: Chan): string | null {
    for (const s of this.#services.values()) if (s.chan === c) return `#s/${s.name}`;
    return null;
  }
}

/** Makes the service registry. */
export function newSrv(k: Kernel): Srv {
  return new Devsrv(k);
}
