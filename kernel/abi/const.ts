// The numbers that programs, the kernel and the wire agree on: open modes, permission and qid bits,
// flags of bind, rfork, access and noted, and the limits of 9P2000. Names and values are Plan 9's
// (libc.h, fcall.h); OSTREAM and TOOBIG are ours. Message types are in fcall.ts.
//
// A mode is kept unsigned. JavaScript's | gives a signed result: write (DMDIR | 0o775) >>> 0.

// Modes of open and create: open(2).
/** Mode of open and create: the descriptor is for reading. open(2) */
export const OREAD = 0;
/** Mode of open and create: the descriptor is for writing. open(2) */
export const OWRITE = 1;
/** Mode of open and create: the descriptor is for reading and writing. open(2) */
export const ORDWR = 2;
/** Mode of open: execute. The caller needs execute permission; the descriptor can be read. open(2) */
export const OEXEC = 3;
/** Flag of open: the file's length becomes 0 first, which needs write permission. open(2) */
export const OTRUNC = 0x10;
/** Flag of open and create: exec closes the descriptor. open(2) */
export const OCEXEC = 0x20;
/** Flag of open and create: the last close removes the file. open(2) */
export const ORCLOSE = 0x40;
/** Flag of create: it fails with "file already exists" where the name exists. open(2) */
export const OEXCL = 0x1000;
/**
 * Flag of open and create, ours: the program will read, or write, all of the file, so open, data and close
 * share a round trip. It is never on the wire.
 */
export const OSTREAM = 0x4000;

// Bits of Dir.mode: stat(5).
/** Mode bit: the file is a directory. Give it to create to make one. stat(5) */
export const DMDIR = 0x80000000;
/** Mode bit: every write goes to the end of the file, whatever its offset. stat(5) */
export const DMAPPEND = 0x40000000;
/** Mode bit: one descriptor at a time may have the file open. stat(5) */
export const DMEXCL = 0x20000000;
/** Mode bit: the file is a mounted channel. The kernel sets it; a server leaves it 0. stat(5) */
export const DMMOUNT = 0x10000000;
/** Mode bit: the file is an authentication file, made by fauth. stat(5) */
export const DMAUTH = 0x08000000;
/** Mode bit: the file is temporary, and a backup leaves it out. stat(5) */
export const DMTMP = 0x04000000;
/** Permission to read; `DMREAD << 6` for the owner, `<< 3` for the group, unshifted for others. stat(5) */
export const DMREAD = 4;
/** Permission to write, shifted like DMREAD. stat(5) */
export const DMWRITE = 2;
/** Permission to execute a file or to search a directory, shifted like DMREAD. stat(5) */
export const DMEXEC = 1;

// Bits of Qid.type, the high byte of the mode.
/** Bit of qid.type: the file is a directory (DMDIR). stat(5) */
export const QTDIR = 0x80;
/** Bit of qid.type: the file is append-only (DMAPPEND). stat(5) */
export const QTAPPEND = 0x40;
/** Bit of qid.type: the file is for one open descriptor at a time (DMEXCL). stat(5) */
export const QTEXCL = 0x20;
/** Bit of qid.type: the file is a mounted channel (DMMOUNT). stat(5) */
export const QTMOUNT = 0x10;
/** Bit of qid.type: the file is an authentication file (DMAUTH). stat(5) */
export const QTAUTH = 0x08;
/** Bit of qid.type: the file is temporary (DMTMP). stat(5) */
export const QTTMP = 0x04;
/** qid.type of a plain file: no bit is set. stat(5) */
export const QTFILE = 0;

// Flags of bind and mount: bind(2). MORDER masks the three orders.
/** Mask of the order in the flags of bind and mount: `flags & MORDER` is MREPL, MBEFORE or MAFTER. bind(2) */
export const MORDER = 3;
/** Flag of bind and mount: the new directory or file replaces the old one. bind(2) */
export const MREPL = 0;
/** Flag of bind and mount: the new directory comes first in the union, before what was there. bind(2) */
export const MBEFORE = 1;
/** Flag of bind and mount: the new directory comes last in the union, after what was there. bind(2) */
export const MAFTER = 2;
/** Flag of bind and mount: create in the union may make its file in this member. bind(2) */
export const MCREATE = 4;
/** Flag of mount: the kernel may remember what it reads from the server. bind(2) */
export const MCACHE = 0x10;
/** All bits that bind and mount know; any other is "bad arg in system call". bind(2) */
export const MMASK = 0x17;

// Flags of rfork: fork(2).
/** Flag of rfork: the process gets a copy of the name space; without it parent and child share one. fork(2) */
export const RFNAMEG = 1;
/** Flag of rfork: the process gets a copy of the environment group (/env). fork(2) */
export const RFENVG = 2;
/** Flag of rfork: the process gets a copy of the descriptor table; without it they share one. fork(2) */
export const RFFDG = 4;
/** Flag of rfork: the process begins a new note group. fork(2) */
export const RFNOTEG = 8;
/** Flag of rfork: a child process is made; without it the flags change the caller. fork(2) */
export const RFPROC = 0x10;
/** Flag of rfork: parent and child share memory. It needs RFPROC. fork(2) */
export const RFMEM = 0x20;
/** Flag of rfork: the parent gets no wait message for the child. It needs RFPROC. fork(2) */
export const RFNOWAIT = 0x40;
/** Flag of rfork: the process starts with an empty name space. It excludes RFNAMEG. fork(2) */
export const RFCNAMEG = 0x400;
/** Flag of rfork: the process starts with an empty environment. It excludes RFENVG. fork(2) */
export const RFCENVG = 0x800;
/** Flag of rfork: the process starts with no open descriptor. It excludes RFFDG. fork(2) */
export const RFCFDG = 0x1000;
/** Flag of rfork: the process begins a new rendezvous group. fork(2) */
export const RFREND = 0x2000;
/** Flag of rfork: the process may mount nothing more and attach only the devices | d e c p. fork(2) */
export const RFNOMNT = 0x4000;

// What access(2) asks.
/** Mode of access: does the file exist? access(2) */
export const AEXIST = 0;
/** Mode of access: may the caller execute the file? access(2) */
export const AEXEC = 1;
/** Mode of access: may the caller write the file? access(2) */
export const AWRITE = 2;
/** Mode of access: may the caller read the file? access(2) */
export const AREAD = 4;

// The argument of noted, and the first argument of postnote: notify(2), postnote(2).
/** Argument of noted: the interrupted program goes on. notify(2) */
export const NCONT = 0;
/** Argument of noted: the process dies with the note as its status. notify(2) */
export const NDFLT = 1;
/** Argument of noted: as in Plan 9, the handler's state is kept and another handler may run. notify(2) */
export const NSAVE = 2;
/** Argument of noted: as in Plan 9, the state that NSAVE kept is taken up again. notify(2) */
export const NRSTR = 3;
/** First argument of postnote: the note is for one process. postnote(2) */
export const PNPROC = 1;
/** First argument of postnote: the note is for every process of the note group. postnote(2) */
export const PNGROUP = 2;

/** Bytes of an error string or note, with the NUL that C needs: the text has at most ERRMAX - 1. errstr(2) */
export const ERRMAX = 128;
/** Names in one Twalk, and qids in one Rwalk, at most. walk(5) */
export const MAXWELEM = 16;
/** The tag of Tversion. version(5) */
export const NOTAG = 0xffff;
/** The afid of a Tattach without authentication. attach(5) */
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
/** The most bytes an element of a name has: a longer one is refused before any server sees it. */
export const MAXELEM = 8192;
/** The most bytes that a user's name, a group's and an attach name have. */
export const MAXUNAME = 255;
/** The largest offset or length we work with: numbers are exact up to here. */
export const MAXOFFSET: number = Number.MAX_SAFE_INTEGER;
/**
 * What a 64-bit offset or length above MAXOFFSET decodes to. The message stays whole and can be answered
 * with an Rerror: `offset + count > MAXOFFSET` finds it like any other excess. On the wire it is 2^63.
 */
export const TOOBIG: number = 2 ** 63;
