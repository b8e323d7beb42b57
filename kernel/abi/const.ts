// The numbers that programs, the kernel and the wire agree on: open modes, permission and qid bits,
// flags of bind, rfork, access and noted, and the limits of 9P2000. Names and values are Plan 9's
// (libc.h, fcall.h); OSTREAM and TOOBIG are ours. Message types are in fcall.ts.
//
// A mode is kept unsigned. JavaScript's | gives a signed result: write (DMDIR | 0o775) >>> 0.

// Modes of open and create: open(2).
export const OREAD = 0;
export const OWRITE = 1;
export const ORDWR = 2;
export const OEXEC = 3;
export const OTRUNC = 0x10;
export const OCEXEC = 0x20;
export const ORCLOSE = 0x40;
export const OEXCL = 0x1000;
/** "I will read, or write, all of it": open, data and close share a round trip. Never on the wire. */
export const OSTREAM = 0x4000;

// Bits of Dir.mode: stat(5).
export const DMDIR = 0x80000000;
export const DMAPPEND = 0x40000000;
export const DMEXCL = 0x20000000;
export const DMMOUNT = 0x10000000;
export const DMAUTH = 0x08000000;
export const DMTMP = 0x04000000;
export const DMREAD = 4;
export const DMWRITE = 2;
export const DMEXEC = 1;

// Bits of Qid.type, the high byte of the mode.
export const QTDIR = 0x80;
export const QTAPPEND = 0x40;
export const QTEXCL = 0x20;
export const QTMOUNT = 0x10;
export const QTAUTH = 0x08;
export const QTTMP = 0x04;
export const QTFILE = 0;

// Flags of bind and mount: bind(2). MORDER masks the three orders.
export const MORDER = 3;
export const MREPL = 0;
export const MBEFORE = 1;
export const MAFTER = 2;
export const MCREATE = 4;
export const MCACHE = 0x10;
export const MMASK = 0x17;

// Flags of rfork: fork(2).
export const RFNAMEG = 1;
export const RFENVG = 2;
export const RFFDG = 4;
export const RFNOTEG = 8;
export const RFPROC = 0x10;
export const RFMEM = 0x20;
export const RFNOWAIT = 0x40;
export const RFCNAMEG = 0x400;
export const RFCENVG = 0x800;
export const RFCFDG = 0x1000;
export const RFREND = 0x2000;
export const RFNOMNT = 0x4000;

// What access(2) asks.
export const AEXIST = 0;
export const AEXEC = 1;
export const AWRITE = 2;
export const AREAD = 4;

// What noted is told, and whom postnote means: notify(2), postnote(2).
export const NCONT = 0;
export const NDFLT = 1;
export const NSAVE = 2;
export const NRSTR = 3;
export const PNPROC = 1;
export const PNGROUP = 2;

/** Bytes of an error string or note, with the NUL that C needs. */
export const ERRMAX = 128;
/** Names in one Twalk, qids in one Rwalk. */
export const MAXWELEM = 16;
/** The tag of Tversion. */
export const NOTAG = 0xffff;
/** The afid of an attach without authentication. */
export const NOFID = 0xffffffff;
/** What a message with data needs beside its data, with room to spare: iounit is msize less this. */
export const IOHDRSZ = 24;
/** Bytes of a qid. */
export const QIDSZ = 13;
/** Bytes of a stat entry whose four strings are empty, its leading size[2] included. */
export const STATFIXLEN = 49;
/** The most bytes a stat entry can have, its size[2] included: stat[n] counts them in 16 bits. */
export const STATMAX = 0xffff;
/** The most bytes a string can have: its length is len[2]. */
export const STRMAX = 0xffff;
/** The largest offset or length we work with: numbers are exact up to here. */
export const MAXOFFSET: number = Number.MAX_SAFE_INTEGER;
/**
 * What a 64-bit offset or length above MAXOFFSET decodes to. The message stays whole and can be answered
 * with an Rerror: `offset + count > MAXOFFSET` finds it like any other excess. On the wire it is 2^63.
 */
export const TOOBIG: number = 2 ** 63;
