// Any message as one line of text: Plan 9's %F, to the letter (with the blank that ends some lines).
// Traces, dumps and error reports all print messages through here.
//
//	Twalk tag 1 fid 2 newfid 3 nwname 2 0:usr 1:glenda
//	Rread tag 1 count 6 'hello '
//
// Ids print as the C does: with %d NOFID is -1, with %ud it is 4294967295. Control characters in
// strings are printed as they are; data is never.

import * as c from "./const.ts";
import { type Dir, type Qid, convM2D } from "./dir.ts";
import * as F from "./fcall.ts";
import { utfdecode } from "./utf.ts";

const DUMPMAX = 64;

/** The types of messages by their names: "Tread" is 116. */
export const MESSAGES: ReadonlyMap<string, number> = new Map(
  Object.entries(F).flatMap(([name, v]) =>
    typeof v === "number" && /^[TR][a-z]+$/.test(name) ? [[name, v]] : [],
  ),
);

/** The message as Plan 9's %F prints it. */
export function fcallfmt(f: F.Fcall): string {
  return F.isT(f) ? tfmt(f) : rfmt(f);
}

function tfmt(f: F.Tmsg): string {
  const tag = `tag ${f.tag}`;
  switch (f.type) {
    case F.Tversion:
      return `Tversion ${tag} msize ${f.msize} version '${f.version}'`;
    case F.Tauth:
      return `Tauth ${tag} afid ${int(f.afid)} uname ${f.uname} aname ${f.aname}`;
    case F.Tattach: {
      const fids = `fid ${int(f.fid)} afid ${int(f.afid)}`;
      return `Tattach ${tag} ${fids} uname ${f.uname} aname ${f.aname}`;
    }
    case F.Tflush:
      return `Tflush ${tag} oldtag ${f.oldtag}`;
    case F.Twalk: {
      const head = `Twalk ${tag} fid ${int(f.fid)} newfid ${int(f.newfid)}`;
      return `${head} nwname ${f.wname.length} ${numbered(f.wname)}`;
    }
    case F.Topen:
      return `Topen ${tag} fid ${f.fid} mode ${f.mode}`;
    case F.Tcreate: {
      const perm = dirmodefmt(f.perm);
      return `Tcreate ${tag} fid ${f.fid} name ${f.name} perm ${perm} mode ${f.mode}`;
    }
    case F.Tread:
      return `Tread ${tag} fid ${int(f.fid)} offset ${vlong(f.offset)} count ${f.count}`;
    case F.Twrite: {
      const head = `Twrite ${tag} fid ${int(f.fid)} offset ${vlong(f.offset)}`;
      return `${head} count ${f.data.length} ${dumpsome(f.data)}`;
    }
    case F.Tclunk:
      return `Tclunk ${tag} fid ${f.fid}`;
    case F.Tremove:
      return `Tremove ${tag} fid ${f.fid}`;
    case F.Tstat:
      return `Tstat ${tag} fid ${f.fid}`;
    case F.Twstat:
      return `Twstat ${tag} fid ${f.fid}${statfmt(f.stat)}`;
    case F.Tstream: {
      const head = `Tstream ${tag} fid ${int(f.fid)} offset ${vlong(f.offset)}`;
      return `${head} count ${vlong(f.count)}`;
    }
  }
}

function rfmt(f: F.Rmsg): string {
  const tag = `tag ${f.tag}`;
  switch (f.type) {
    case F.Rversion:
      return `Rversion ${tag} msize ${f.msize} version '${f.version}'`;
    case F.Rauth:
      return `Rauth ${tag} qid ${qidfmt(f.aqid)}`;
    case F.Rattach:
      return `Rattach ${tag} qid ${qidfmt(f.qid)}`;
    case F.Rerror:
      return `Rerror ${tag} ename ${f.ename}`;
    case F.Rflush:
      return `Rflush ${tag}`;
    case F.Rwalk:
      return `Rwalk ${tag} nwqid ${f.wqid.length} ${numbered(f.wqid.map(qidfmt))}`;
    case F.Ropen:
      return `Ropen ${tag} qid ${qidfmt(f.qid)} iounit ${f.iounit} `;
    case F.Rcreate:
      return `Rcreate ${tag} qid ${qidfmt(f.qid)} iounit ${f.iounit} `;
    case F.Rread:
      return `Rread ${tag} count ${f.data.length} ${dumpsome(f.data)}`;
    case F.Rwrite:
      return `Rwrite ${tag} count ${f.count}`;
    case F.Rclunk:
      return `Rclunk ${tag}`;
    case F.Rremove:
      return `Rremove ${tag}`;
    case F.Rstat:
      return `Rstat ${tag} ${statfmt(f.stat)}`;
    case F.Rwstat:
      return `Rwstat ${tag}`;
    case F.Rstream:
      return `Rstream ${tag} count ${f.data.length} ${dumpsome(f.data)}`;
  }
}

/** The entry as Plan 9's %D prints it, and %F in Rstat and Twstat. */
export function dirfmt(d: Dir): string {
  const names = `'${d.name}' '${d.uid}' '${d.gid}' '${d.muid}'`;
  const mode = d.mode === 0 ? "0" : `0${d.mode.toString(8)}`;
  const times = `at ${int(d.atime)} mt ${int(d.mtime)} l ${vlong(d.length)}`;
  return `${names} q ${qidfmt(d.qid)} m ${mode} ${times} t ${d.type} d ${int(d.dev)}`;
}

/** The qid as %F prints it: (path vers type), path in hex, type as the letters d a l A. */
export function qidfmt(q: Qid): string {
  const path = BigInt.asUintN(64, q.path).toString(16).padStart(16, "0");
  let type = "";
  if (q.type & c.QTDIR) type += "d";
  if (q.type & c.QTAPPEND) type += "a";
  if (q.type & c.QTEXCL) type += "l";
  if (q.type & c.QTAUTH) type += "A";
  return `(${path} ${q.vers} ${type})`;
}

/** The mode as Plan 9's %M prints it: d-rwxr-xr-x. */
export function dirmodefmt(mode: number): string {
  const kind = mode & c.DMDIR ? "d" : mode & c.DMAPPEND ? "a" : mode & c.DMAUTH ? "A" : "-";
  const excl = mode & c.DMEXCL ? "l" : "-";
  return kind + excl + rwx(mode >> 6) + rwx(mode >> 3) + rwx(mode);
}

function rwx(bits: number): string {
  return (bits & 4 ? "r" : "-") + (bits & 2 ? "w" : "-") + (bits & 1 ? "x" : "-");
}

function numbered(list: readonly string[]): string {
  return list.map((s, i) => `${i}:${s} `).join("");
}

function statfmt(stat: Uint8Array): string {
  const entry = convM2D(stat, 0, stat.length);
  if (entry === null || entry.next !== stat.length) return ` stat(${stat.length} bytes)`;
  return ` stat ${dirfmt(entry.dir)}`;
}

/** At most 64 bytes: as text if all of them are ASCII that prints, else in hex by fours. */
function dumpsome(data: Uint8Array): string {
  const some = data.subarray(0, DUMPMAX);
  if (some.every((b) => (b >= 32 && b <= 127) || b === 9 || b === 10))
    return `'${utfdecode(some, 0, some.length).replace(/[\t\n]/g, " ")}'`;
  let s = "";
  some.forEach((b, i) => {
    if (i > 0 && i % 4 === 0) s += " ";
    s += b.toString(16).padStart(2, "0");
  });
  return `'${s}'`;
}

/** As %d prints 32 bits. */
function int(v: number): number {
  return v | 0;
}

/** As %lld prints the 64 bits on the wire. */
function vlong(v: number): string {
  if (v === Infinity) return "-1";
  return v > c.MAXOFFSET ? "-9223372036854775808" : String(v);
}
