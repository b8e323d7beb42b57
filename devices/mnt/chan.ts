// MntChan, a file at a server, and how replies become what the kernel knows of files.

import { COPEN, Chan } from "../../kernel/chan.ts";
import { IOHDRSZ, OTRUNC, QTDIR } from "../../kernel/abi/const.ts";
import type { Dev } from "../../kernel/dev.ts";
import { openmode } from "../../kernel/dev.ts";
import { convD2M, convM2D, sizeD2M, wstatdir } from "../../kernel/abi/dir.ts";
import type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
import { Ebadstat, Edoesnotexist, Emountrpc, Enotdir, error } from "../../kernel/abi/errors.ts";
import { Rcreate, Ropen } from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Group } from "./group.ts";
import type { Mntcache } from "./cache.ts";
import type { Mnt } from "./rpc.ts";

/** What a walk of no elements fails with, whatever the server said. */
export const Eclone = "clone failed";

/** A file at a server. Its mchan, which it holds a reference to, is the Chan of the connection. */
export class MntChan extends Chan {
  readonly mnt: Mnt;
  /** -1 once the server has forgotten it. */
  fid: number;
  /** This client created it, so it is a plain file whatever its qid says. */
  created = false;
  /** Its open is on its way: whatever needs the answer waits for it. */
  opening: Opening | null = null;
  /** What its mount remembers: MCACHE. */
  cache: Mntcache | null = null;
  /** It is the root that was mounted, with which the cache goes. */
  cacheroot = false;

  constructor(
    dev: Dev,
    mnt: Mnt,
    at: { readonly fid: number; readonly qid: Qid; readonly devno: number },
  ) {
    super(dev, at.qid, at.devno);
    this.mnt = mnt;
    this.fid = at.fid;
    this.mchan = mnt.chan.incref();
  }
}

/** A Chan for another file of c's server, reached from c. */
export function mntclone(c: MntChan, fid: number, qid: Qid): MntChan {
  const nc = new MntChan(c.dev, c.mnt, { fid, qid, devno: c.devno });
  nc.path = c.path;
  nc.cache = c.cache;
  return nc;
}

/** The open of a Chan that was sent and not yet answered. */
export interface Opening {
  readonly g: Group;
  /** Whether it is open now; throws what the open failed with. */
  known(): boolean;
  /** Sleeps until more of the answer has come. */
  wait(): Task<void>;
}

/** A file that bytes are kept in, and no pipe or device, as far as its qid tells. */
export function plain(c: MntChan): boolean {
  return c.qid.type === 0 && (c.qid.vers !== 0 || c.created);
}

/** What the kernel says of a walk that stopped after some elements. */
export function partial(qids: readonly Qid[]): string {
  const last = qids[qids.length - 1];
  return last === undefined || (last.type & QTDIR) !== 0 ? Edoesnotexist : Enotdir;
}

/** The entry that a server sent, as a file of device M. */
export function dirof(c: Chan, stat: Uint8Array): Dir {
  const d = convM2D(stat, 0, stat.length);
  if (d === null) return error(Ebadstat);
  return { ...d.dir, type: 0x4d, dev: c.devno };
}

/** The entry of a Twstat: what is not given is left alone. */
export function packwstat(w: Wstat): Uint8Array {
  const d = wstatdir(w);
  const n = sizeD2M(d);
  if (n === Infinity) error(Ebadstat);
  const buf = new Uint8Array(n);
  convD2M(d, buf, 0);
  return buf;
}

/** c as the open file that an Ropen or Rcreate says it is. */
export function opened(c: MntChan, omode: number, r: Fcall): MntChan {
  if (r.type !== Ropen && r.type !== Rcreate) return error(Emountrpc);
  c.qid = r.qid;
  c.mode = openmode(omode & 3);
  c.flag |= COPEN;
  c.offset = 0;
  c.created = r.type === Rcreate;
  if (c.created || (omode & OTRUNC) !== 0) c.cache?.wrote(c.qid);
  const max = c.mnt.msize - IOHDRSZ;
  c.iounit = r.iounit === 0 || r.iounit > max ? max : r.iounit;
  return c;
}
