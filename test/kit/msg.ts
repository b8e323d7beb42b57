// Messages in short, what replies say in a word, and a server to send them to.

import type { ExecutionContext } from "ava";
import { NOFID, NOTAG, OREAD } from "../../kernel/abi/const.ts";
import * as fc from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import { utfdecode, utfencode } from "../../kernel/abi/utf.ts";
import { Rig } from "./rig.ts";
import { Slowsrv } from "./slow.ts";

export const version = (v = "9P2000.ix.stream", msize = 65560): Tmsg => ({
  type: fc.Tversion,
  tag: NOTAG,
  msize,
  version: v,
});
export const attach = (fid = 0): Tmsg => ({
  type: fc.Tattach,
  tag: 1,
  fid,
  afid: NOFID,
  uname: "glenda",
  aname: "",
});
export const walk = (fid: number, newfid: number, name = "", tag = 1): Tmsg => ({
  type: fc.Twalk,
  tag,
  fid,
  newfid,
  wname: name === "" ? [] : name.split("/"),
});
export const open = (fid: number, mode: number = OREAD, tag = 1): Tmsg => ({
  type: fc.Topen,
  tag,
  fid,
  mode,
});
export const read = (fid: number, tag = 1, offset = 0, count = 100): Tmsg => ({
  type: fc.Tread,
  tag,
  fid,
  offset,
  count,
});
export const write = (fid: number, text: string, tag = 1, offset = 0): Tmsg => ({
  type: fc.Twrite,
  tag,
  fid,
  offset,
  data: utfencode(text),
});
export const clunk = (fid: number, tag = 1): Tmsg => ({ type: fc.Tclunk, tag, fid });
export const stat = (fid: number, tag = 1): Tmsg => ({ type: fc.Tstat, tag, fid });
export const remove = (fid: number, tag = 1): Tmsg => ({ type: fc.Tremove, tag, fid });
export const flush = (oldtag: number, tag = 9): Tmsg => ({ type: fc.Tflush, tag, oldtag });
export const create = (fid: number, name: string, mode: number = OREAD, tag = 1): Tmsg => ({
  type: fc.Tcreate,
  tag,
  fid,
  name,
  perm: 0o666,
  mode,
});
export const stream = (fid: number, tag = 1, offset = 0, count: number = Infinity): Tmsg => ({
  type: fc.Tstream,
  tag,
  fid,
  offset,
  count,
});

/** What a reply says, in a word or two: "5 read:hello". */
export function said(r: Rmsg): string {
  switch (r.type) {
    case fc.Rerror:
      return `${r.tag} error:${r.ename}`;
    case fc.Rread:
      return `${r.tag} read:${utfdecode(r.data, 0, Math.min(20, r.data.length))}`;
    case fc.Rwrite:
      return `${r.tag} write:${r.count}`;
    case fc.Rwalk:
      return `${r.tag} walk:${r.wqid.length}`;
    case fc.Rstream:
      return `${r.tag} stream:${r.data.length}`;
    case fc.Rversion:
      return `version:${r.version} ${r.msize}`;
    default:
      return `${r.tag} ${r.type}`;
  }
}

export type Served = { rig: Rig; srv: Slowsrv; ask: (...fs: Tmsg[]) => string[] };

/** A server with a version agreed on and fid 0 attached. */
export function served(t: ExecutionContext, v = "9P2000.ix.stream", msize = 65560): Served {
  const rig = new Rig();
  const srv = new Slowsrv(rig);
  rig.serve(srv);
  const ask = (...fs: Tmsg[]): string[] => rig.rpc(...fs).map(said);
  t.deepEqual(ask(version(v, msize), attach()), [`version:${v} ${msize}`, `1 ${fc.Rattach}`]);
  return { rig, srv, ask };
}
