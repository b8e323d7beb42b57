// The lines that Plan 9's %F and %D print.

import test from "ava";
import { DMAPPEND, DMDIR, DMEXCL, NOFID, NOTAG, TOOBIG } from "../../kernel/abi/const.ts";
import { type Dir, convD2M, nulldir, sizeD2M } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { dirfmt, dirmodefmt, fcallfmt } from "../../kernel/abi/fcallfmt.ts";
import { utfencode } from "../../kernel/abi/utf.ts";

const qid = { path: 0x2an, vers: 3, type: 0x80 };
const file: Dir = {
  type: 0x4d,
  dev: 7,
  qid: { path: 0xffff_0000_0000_0001n, vers: 4_000_000_000, type: 0x60 },
  mode: DMAPPEND + 0o644,
  atime: 1_000_000_000,
  mtime: 1_000_000_001,
  length: 4096,
  name: "file",
  uid: "glenda",
  gid: "sys",
  muid: "",
};
const fileline =
  "'file' 'glenda' 'sys' '' q (ffff000000000001 4000000000 al) m 010000000644 " +
  "at 1000000000 mt 1000000001 l 4096 t 77 d 7";
const stat = new Uint8Array(sizeD2M(file));
convD2M(file, stat, 0);

const lines: readonly (readonly [F.Fcall, string])[] = [
  [
    { type: F.Tversion, tag: NOTAG, msize: 8216, version: "9P2000" },
    "Tversion tag 65535 msize 8216 version '9P2000'",
  ],
  [
    { type: F.Rversion, tag: NOTAG, msize: 8216, version: "unknown" },
    "Rversion tag 65535 msize 8216 version 'unknown'",
  ],
  [
    { type: F.Tauth, tag: 1, afid: 5, uname: "glenda", aname: "" },
    "Tauth tag 1 afid 5 uname glenda aname ",
  ],
  [{ type: F.Rauth, tag: 1, aqid: { ...qid, type: 8 } }, "Rauth tag 1 qid (000000000000002a 3 A)"],
  [
    { type: F.Tattach, tag: 1, fid: 0, afid: NOFID, uname: "glenda", aname: "usr" },
    "Tattach tag 1 fid 0 afid -1 uname glenda aname usr",
  ],
  [{ type: F.Rattach, tag: 1, qid }, "Rattach tag 1 qid (000000000000002a 3 d)"],
  [
    { type: F.Rerror, tag: 1, ename: "file does not exist" },
    "Rerror tag 1 ename file does not exist",
  ],
  [{ type: F.Tflush, tag: 2, oldtag: 1 }, "Tflush tag 2 oldtag 1"],
  [{ type: F.Rflush, tag: 2 }, "Rflush tag 2"],
  [
    { type: F.Twalk, tag: 1, fid: 2, newfid: 3, wname: ["usr", "glenda"] },
    "Twalk tag 1 fid 2 newfid 3 nwname 2 0:usr 1:glenda ",
  ],
  [{ type: F.Twalk, tag: 1, fid: 2, newfid: 3, wname: [] }, "Twalk tag 1 fid 2 newfid 3 nwname 0 "],
  [
    { type: F.Rwalk, tag: 1, wqid: [qid, { path: 1n, vers: 0, type: 0 }] },
    "Rwalk tag 1 nwqid 2 0:(000000000000002a 3 d) 1:(0000000000000001 0 ) ",
  ],
  [{ type: F.Topen, tag: 1, fid: NOFID, mode: 17 }, "Topen tag 1 fid 4294967295 mode 17"],
  [
    { type: F.Ropen, tag: 1, qid, iounit: 8192 },
    "Ropen tag 1 qid (000000000000002a 3 d) iounit 8192 ",
  ],
  [
    { type: F.Tcreate, tag: 1, fid: 3, name: "new", perm: DMDIR + 0o751, mode: 0 },
    "Tcreate tag 1 fid 3 name new perm d-rwxr-x--x mode 0",
  ],
  [
    { type: F.Rcreate, tag: 1, qid, iounit: 0 },
    "Rcreate tag 1 qid (000000000000002a 3 d) iounit 0 ",
  ],
  [
    { type: F.Tread, tag: 1, fid: 3, offset: 2 ** 40, count: 8192 },
    "Tread tag 1 fid 3 offset 1099511627776 count 8192",
  ],
  [{ type: F.Rread, tag: 1, data: utfencode("hello\n") }, "Rread tag 1 count 6 'hello '"],
  [
    { type: F.Twrite, tag: 1, fid: 3, offset: 7, data: Uint8Array.of(0, 1, 2, 3, 0xfe) },
    "Twrite tag 1 fid 3 offset 7 count 5 '00010203 fe'",
  ],
  [{ type: F.Rwrite, tag: 1, count: 5 }, "Rwrite tag 1 count 5"],
  [{ type: F.Tclunk, tag: 1, fid: 3 }, "Tclunk tag 1 fid 3"],
  [{ type: F.Rclunk, tag: 1 }, "Rclunk tag 1"],
  [{ type: F.Tremove, tag: 1, fid: 3 }, "Tremove tag 1 fid 3"],
  [{ type: F.Rremove, tag: 1 }, "Rremove tag 1"],
  [{ type: F.Tstat, tag: 1, fid: 3 }, "Tstat tag 1 fid 3"],
  [{ type: F.Rstat, tag: 1, stat }, `Rstat tag 1  stat ${fileline}`],
  [{ type: F.Twstat, tag: 1, fid: 3, stat }, `Twstat tag 1 fid 3 stat ${fileline}`],
  [{ type: F.Rwstat, tag: 1 }, "Rwstat tag 1"],
  [
    { type: F.Tstream, tag: 1, fid: 3, offset: 0, count: Infinity },
    "Tstream tag 1 fid 3 offset 0 count -1",
  ],
  [
    { type: F.Tstream, tag: 1, fid: 3, offset: TOOBIG, count: 65536 },
    "Tstream tag 1 fid 3 offset -9223372036854775808 count 65536",
  ],
  [{ type: F.Rstream, tag: 1, data: utfencode("") }, "Rstream tag 1 count 0 ''"],
];

test("a message prints as Plan 9 prints it", (t) => {
  for (const [f, line] of lines) t.is(fcallfmt(f), line);
});

test("every message type has a line", (t) => {
  const all = Object.values(F).filter((v) => typeof v === "number");
  const seen = new Set<number>(lines.map(([f]) => f.type));
  t.deepEqual(
    all.filter((type) => !seen.has(type)),
    [],
  );
});

test("of data, 64 bytes are printed, as text only if all of them print", (t) => {
  const long = utfencode("x".repeat(100));
  t.is(
    fcallfmt({ type: F.Rread, tag: 1, data: long }),
    `Rread tag 1 count 100 '${"x".repeat(64)}'`,
  );
  long[63] = 0xff;
  const hex = `${"78787878 ".repeat(15)}787878ff`;
  t.is(fcallfmt({ type: F.Rread, tag: 1, data: long }), `Rread tag 1 count 100 '${hex}'`);
});

test("a stat that is no entry prints its size only", (t) => {
  t.is(fcallfmt({ type: F.Rstat, tag: 1, stat: stat.subarray(1) }), "Rstat tag 1  stat(61 bytes)");
  t.is(
    fcallfmt({ type: F.Twstat, tag: 1, fid: 3, stat: new Uint8Array(0) }),
    "Twstat tag 1 fid 3 stat(0 bytes)",
  );
});

test("an entry that leaves everything alone shows what is on the wire", (t) => {
  t.is(
    dirfmt(nulldir()),
    "'' '' '' '' q (ffffffffffffffff 4294967295 dalA) m 037777777777 at -1 mt -1 l -1 t 65535 d -1",
  );
  t.true(dirfmt({ ...file, mode: 0 }).includes(" m 0 at "));
});

test("a mode prints as ls -l prints it", (t) => {
  t.is(dirmodefmt(0o644), "--rw-r--r--");
  t.is(dirmodefmt(DMDIR + 0o775), "d-rwxrwxr-x");
  t.is(dirmodefmt(DMAPPEND + DMEXCL + 0o600), "alrw-------");
});
