// 9P messages: their types, and the one codec of both sides, written from intro(5). A message is a frame
// of bytes, size[4] type[1] tag[2] ..., integers little-endian, strings len[2] and bytes.
//
// convS2M writes a frame into the caller's buffer; convM2S reads one, and its data and stat are views of
// that buffer, good for as long as the bytes are. What bytes cannot say (a name with '/' or NUL in it, a
// mode of nonsense, an unknown fid) is for the callers to refuse. Transports and tags are elsewhere.

import type { Qid } from "./dir.ts";

export const Tversion = 100;
export const Rversion = 101;
export const Tauth = 102;
export const Rauth = 103;
export const Tattach = 104;
export const Rattach = 105;
export const Rerror = 107;
export const Tflush = 108;
export const Rflush = 109;
export const Twalk = 110;
export const Rwalk = 111;
export const Topen = 112;
export const Ropen = 113;
export const Tcreate = 114;
export const Rcreate = 115;
export const Tread = 116;
export const Rread = 117;
export const Twrite = 118;
export const Rwrite = 119;
export const Tclunk = 120;
export const Rclunk = 121;
export const Tremove = 122;
export const Rremove = 123;
export const Tstat = 124;
export const Rstat = 125;
export const Twstat = 126;
export const Rwstat = 127;
export const Tstream = 128;
export const Rstream = 129;

type Tfid<T extends number> = { readonly type: T; readonly tag: number; readonly fid: number };
type Rempty<T extends number> = { readonly type: T; readonly tag: number };
type Rversioned<T extends number> = Rempty<T> & { readonly msize: number; readonly version: string };
type Ropened<T extends number> = Rempty<T> & { readonly qid: Qid; readonly iounit: number };
type Rdata<T extends number> = Rempty<T> & { readonly data: Uint8Array };

/** A request. The count of a message with data is data.length, nwname is wname.length. */
export type Tmsg =
	| Rversioned<typeof Tversion>
	| (Rempty<typeof Tauth> & { readonly afid: number; readonly uname: string; readonly aname: string })
	| (Tfid<typeof Tattach> & { readonly afid: number; readonly uname: string; readonly aname: string })
	| (Rempty<typeof Tflush> & { readonly oldtag: number })
	| (Tfid<typeof Twalk> & { readonly newfid: number; readonly wname: readonly string[] })
	| (Tfid<typeof Topen> & { readonly mode: number })
	| (Tfid<typeof Tcreate> & { readonly name: string; readonly perm: number; readonly mode: number })
	/** offset is TOOBIG (kernel/const.ts) where the wire says more than MAXOFFSET. */
	| (Tfid<typeof Tread> & { readonly offset: number; readonly count: number })
	| (Tfid<typeof Twrite> & { readonly offset: number; readonly data: Uint8Array })
	| Tfid<typeof Tclunk>
	| Tfid<typeof Tremove>
	| Tfid<typeof Tstat>
	| (Tfid<typeof Twstat> & { readonly stat: Uint8Array })
	/** count is Infinity for "to the end"; TOOBIG from 2^63 on. */
	| (Tfid<typeof Tstream> & { readonly offset: number; readonly count: number });

/** A reply. */
export type Rmsg =
	| Rversioned<typeof Rversion>
	| (Rempty<typeof Rauth> & { readonly aqid: Qid })
	| (Rempty<typeof Rattach> & { readonly qid: Qid })
	| (Rempty<typeof Rerror> & { readonly ename: string })
	| Rempty<typeof Rflush>
	| (Rempty<typeof Rwalk> & { readonly wqid: readonly Qid[] })
	| Ropened<typeof Ropen>
	| Ropened<typeof Rcreate>
	| Rdata<typeof Rread>
	| (Rempty<typeof Rwrite> & { readonly count: number })
	| Rempty<typeof Rclunk>
	| Rempty<typeof Rremove>
	| (Rempty<typeof Rstat> & { readonly stat: Uint8Array })
	| Rempty<typeof Rwstat>
	| Rdata<typeof Rstream>;

/** Any message. */
export type Fcall = Tmsg | Rmsg;
