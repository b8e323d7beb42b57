// Empties the tree of a ramfs of what hostile clients left there: what files hold is no growth of the server. Their
// directories are as deep as they like and may be shut, so each is opened up and emptied as its own owner.

import { DMDIR, MAXWELEM, NOFID, OREAD } from "../../kernel/abi/const.ts";
import { convD2M, convM2D, nulldir, sizeD2M } from "../../kernel/abi/dir.ts";
import type { Dir } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Wire } from "../bench/wire.ts";

/** The file that the measuring client keeps. */
const KEPT = "file";
/** Fids that the measuring client does not use. */
const [ROOT, DIR, OTHER] = [900, 901, 902];

/** Removes all but the file that is measured; gives how many files that were. */
export function clear(w: Wire): Promise<number> {
  return empty(w, "glenda", []);
}

async function empty(w: Wire, owner: string, path: readonly string[]): Promise<number> {
  await enter(w, owner, path);
  const mode = (DMDIR | 0o777) >>> 0;
  if (path.length > 0) await w.rpc({ type: F.Twstat, tag: 0, fid: DIR, stat: packed({ mode }) });
  const dirs = (await entries(w)).filter((d) => path.length > 0 || d.name !== KEPT);
  let n = dirs.length;
  for (const d of dirs) if (isdir(d) && iswalked(d)) n += await empty(w, d.uid, [...path, d.name]);
  await enter(w, owner, path);
  for (const d of dirs.filter(iswalked)) {
    await w.rpc({ type: F.Twalk, tag: 0, fid: DIR, newfid: OTHER, wname: [d.name] });
    await w.rpc({ type: F.Tremove, tag: 0, fid: OTHER });
  }
  for (const fid of [ROOT, DIR]) await w.rpc({ type: F.Tclunk, tag: 0, fid });
  return n;
}

const isdir = (d: Dir): boolean => (d.mode & DMDIR) !== 0;

/** Whether a walk finds a file by its name; a wstat gives other names, too, such as a dot. */
const iswalked = ({ name }: Dir): boolean => name !== "." && name !== ".." && !name.includes("/");

/** Leads DIR to a directory, as a user. */
async function enter(w: Wire, uname: string, path: readonly string[]): Promise<void> {
  for (const fid of [ROOT, DIR]) await w.rpc({ type: F.Tclunk, tag: 0, fid }).catch(() => null);
  await w.rpc({ type: F.Tattach, tag: 0, fid: ROOT, afid: NOFID, uname, aname: "" });
  await w.rpc({ type: F.Twalk, tag: 0, fid: ROOT, newfid: DIR, wname: [] });
  for (let i = 0; i < path.length; i += MAXWELEM) {
    const wname = path.slice(i, i + MAXWELEM);
    await w.rpc({ type: F.Twalk, tag: 0, fid: DIR, newfid: DIR, wname });
  }
}

/** The entries of the directory of DIR. */
async function entries(w: Wire): Promise<Dir[]> {
  await w.rpc({ type: F.Twalk, tag: 0, fid: DIR, newfid: OTHER, wname: [] });
  await w.rpc({ type: F.Topen, tag: 0, fid: OTHER, mode: OREAD });
  const dirs: Dir[] = [];
  for (let offset = 0; ;) {
    const r = await w.rpc({ type: F.Tread, tag: 0, fid: OTHER, offset, count: 60_000 });
    if (r.type !== F.Rread) throw new Error("no Rread");
    if (r.data.length === 0) break;
    for (let off = 0; off < r.data.length;) {
      const e = convM2D(r.data, off, r.data.length);
      if (e === null) throw new Error("malformed directory entry");
      dirs.push(e.dir);
      off = e.next;
    }
    offset += r.data.length;
  }
  await w.rpc({ type: F.Tclunk, tag: 0, fid: OTHER });
  return dirs;
}

/** The entry of a wstat that changes these. */
function packed(change: Partial<Dir>): Uint8Array {
  const d = { ...nulldir(), ...change };
  const stat = new Uint8Array(sizeD2M(d));
  convD2M(d, stat, 0);
  return stat;
}
