// The service registry, '#s': a file for each channel to a server that somebody posted. srv(3)
//
// Creating a file and writing the number of a descriptor into it posts that descriptor's Chan; opening the
// file gives the same Chan. The registry holds a reference to each.

import { COPEN, CRCLOSE, Chan, Path, cclose } from "../kernel/chan.ts";
import { OREAD, ORDWR, ORCLOSE, OTRUNC, OWRITE, QTAUTH, QTDIR } from "../kernel/const.ts";
import { DEVDOTDOT, devdir, devdirent, devdirread, devfile, devpermcheck, devwalk } from "../kernel/dev.ts";
import { nodev, opened, openmode } from "../kernel/dev.ts";
import type { Dev, Dirent, Gen, Want } from "../kernel/dev.ts";
import type { Dir, Qid, Wstat } from "../kernel/dir.ts";
import { Ebadusefd, Eclosed, Eexist, Eisdir, Enonexist, Eperm, Etoobig, error } from "../kernel/errors.ts";
import { Esrvauth, Esrvexist } from "../kernel/errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { checkelem } from "../kernel/name.ts";
import { ccloseq } from "../kernel/pgrp.ts";
import type { Proc } from "../kernel/proc.ts";
import type { Task } from "../kernel/rendez.ts";
import { strtoul, written } from "./text.ts";

/** The registry as boot and mount(2) use it. */
export interface Srv extends Dev {
  /** Posts c, whose reference it takes, under a name: what boot does for its root. */
  post(name: string, c: Chan): void;
  /** The name, "#s/name", that c is posted under; null when it is not. */
  srvname(c: Chan): string | null;
  /** Gives up everything posted, as when the kernel ends. */
  clear(): Task<void>;
}

/** A posted channel, or one that is yet to be. */
type Service = { name: string; owner: string; perm: number; readonly qid: Qid; chan: Chan | null; removed: boolean };

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

const clone = (c: Chan): SrvChan => {
  const nc = new SrvChan(c.dev, c.qid);
  nc.service = (c as SrvChan).service;
  nc.path = c.path;
  return nc;
};

const dirent = (s: Service): Dirent => ({ qid: s.qid, name: s.name, length: 0, perm: s.perm, uid: s.owner });

/** Copies an array of services, the newest first, as a directory read lists them. */
const newestfirst = (services: ReadonlyMap<string, Service>): Service[] => [...services.values()].reverse();

class Registry {
  readonly services = new Map<string, Service>();
  #path = 0n;

  create(name: string, owner: string, perm: number): Service {
    const s: Service = { name, owner, perm, qid: devfile(++this.#path), chan: null, removed: false };
    this.services.set(name, s);
    return s;
  }

  readonly gen: Gen = (_up, chan, s, name) => {
    if (s === DEVDOTDOT) return ROOT;
    const { list } = chan as SrvChan;
    const sv = name === null ? list[s] : s === 0 ? this.services.get(name) : undefined;
    if (sv === undefined) return null;
    return sv.removed ? "skip" : dirent(sv);
  };

  /** The service of a file's Chan, while it is there. */
  service(c: SrvChan): Service {
    if (c.service === null) return error(Eperm);
    return c.service.removed ? error(Enonexist) : c.service;
  }

  stat(up: Proc, c: SrvChan): Dir {
    if (c.service !== null) return devdirent(up, c, dirent(this.service(c)));
    const name = c.path.elems.length > 0 ? c.path.last : c.path.root;
    return devdirent(up, c, { ...ROOT, name });
  }

  /** Opens a directory, or gives the Chan that was posted. */
  *open(up: Proc, c: SrvChan, omode: number): Task<Chan> {
    if (c.service === null) {
      if ((omode & ORCLOSE) !== 0) error(Eperm);
      if (omode !== OREAD) error(Eisdir);
      return opened(c, omode);
    }
    const s = c.service;
    if (s.removed || s.chan === null) return error(Eclosed);
    if ((omode & OTRUNC) !== 0) error(Esrvexist);
    const mode = openmode(omode & ~ORCLOSE);
    if (mode !== s.chan.mode && s.chan.mode !== ORDWR) error(Eperm);
    devpermcheck(up.user, s.owner, s.perm, omode);
    const posted = s.chan.incref();
    yield* cclose(c);
    return posted;
  }

  newfile(up: Proc, c: SrvChan, name: string, want: Want): SrvChan {
    const mode = openmode(want.omode & ~ORCLOSE);
    if (c.service !== null || want.perm >>> 31 === 1 || mode !== OWRITE) error(Eperm);
    if (this.services.has(name)) error(Esrvexist);
    const s = this.create(name, up.user, want.perm & 0o777);
    c.service = s;
    c.qid = s.qid;
    opened(c, want.omode);
    return c;
  }

  /** Posts the descriptor whose number is written; what is no number counts as 0. */
  write(up: Proc, c: SrvChan, bytes: Uint8Array): number {
    if (bytes.length >= MAXNUMBER) error(Etoobig);
    const s = this.service(c);
    const posted = up.fgrp.get(strtoul(written(bytes)));
    if ((posted.qid.type & QTAUTH) !== 0) error(Esrvauth);
    if (s.chan !== null) error(Ebadusefd);
    s.chan = posted.incref();
    return bytes.length;
  }

  *remove(up: Proc, c: SrvChan): Task<void> {
    const s = this.service(c);
    if (s.owner !== up.user && up.user !== up.k.user) error(Eperm);
    yield* this.drop(s);
  }

  *drop(s: Service): Task<void> {
    s.removed = true;
    this.services.delete(s.name);
    const posted = s.chan;
    s.chan = null;
    if (posted !== null) yield* ccloseq(posted);
  }

  wstat(up: Proc, c: SrvChan, d: Wstat): void {
    const s = this.service(c);
    if (s.owner !== up.user && up.user !== up.k.user) error(Eperm);
    if (d.name !== undefined && d.name !== s.name) this.#rename(s, d.name);
    if (d.mode !== undefined) s.perm = d.mode & 0o777;
    if (d.uid !== undefined) s.owner = d.uid;
  }

  #rename(s: Service, name: string): void {
    checkelem(name);
    if (this.services.has(name)) error(Eexist);
    this.services.delete(s.name);
    s.name = name;
    this.services.set(name, s);
  }
}

/** Makes the service registry. */
export function newSrv(k: Kernel): Srv {
  const reg = new Registry();
  const dev: Srv = {
    ...nodev,
    dc: "s",
    name: "srv",
    chans: k.chans,
    *attach(_up, spec) {
      const c = new SrvChan(dev, ROOTQID);
      c.path = new Path(`#s${spec}`, []);
      return c;
    },
    *walk(up, c, names) {
      const wq = devwalk(up, c, names, reg.gen, clone);
      if (wq.clone instanceof SrvChan && names.length > 0) {
        const file = (wq.clone.qid.type & QTDIR) === 0;
        wq.clone.service = file ? (reg.services.get(names[names.length - 1] ?? "") ?? null) : null;
      }
      return wq;
    },
    *stat(up, c: SrvChan) {
      return reg.stat(up, c);
    },
    *open(up, c: SrvChan, omode) {
      return yield* reg.open(up, c, omode);
    },
    *create(up, c: SrvChan, name, want) {
      return reg.newfile(up, c, name, want);
    },
    *close(c: SrvChan) {
      if ((c.flag & COPEN) === 0 || (c.flag & CRCLOSE) === 0) return;
      if (c.service !== null && !c.service.removed) yield* reg.drop(c.service);
    },
    *read(up, c: SrvChan, buf) {
      if (c.service !== null) return error(Eperm);
      if (c.dri === 0) c.list = newestfirst(reg.services);
      return devdirread(up, c, buf, reg.gen);
    },
    *write(up, c: SrvChan, bytes) {
      return reg.write(up, c, bytes);
    },
    *remove(up, c: SrvChan) {
      yield* reg.remove(up, c);
    },
    *wstat(up, c: SrvChan, d) {
      reg.wstat(up, c, d);
    },
    post(name, c) {
      if (reg.services.has(name)) error(Esrvexist);
      reg.create(name, k.user, 0o600).chan = c;
    },
    srvname(c) {
      for (const s of reg.services.values()) if (s.chan === c) return `#s/${s.name}`;
      return null;
    },
    *clear() {
      for (const s of [...reg.services.values()]) yield* reg.drop(s);
    },
  };
  return dev;
}
