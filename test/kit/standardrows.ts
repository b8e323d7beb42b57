// The rows of the table of messages that real Plan 9 kernels sent, and
// for each the system calls that it stands for. The rows run in this order on one tree and depend on each
// other. Left out are those of paging in an executable, since programs here are not paged.

import {
  AEXIST,
  DMDIR,
  MREPL,
  OEXCL,
  ORCLOSE,
  OREAD,
  OTRUNC,
  OWRITE,
  RFFDG,
  RFPROC,
} from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { access } from "../../userland/lib/proc.ts";
import { entries } from "./kit.ts";

/** `| operation | T-messages in order | count |` */
export const TABLE = `
| open depth1 | Twalk(f), Topen(0), Tclunk | 3 |
| open+read+close depth1 | Twalk(f), Topen(0), Tread(100@0)=6, Tclunk | 4 |
| open+read+read(EOF)+close depth6 | Twalk(a/b/c/d/e/f), Topen(0), Tread(100@0)=6, Tread(100@6)=0, Tclunk | 5 |
| open+write+close | Twalk(f), Topen(1), Twrite(3@0)=3, Tclunk | 4 |
| open+write+close OTRUNC | Twalk(f), Topen(17), Twrite(3@0)=3, Tclunk | 4 |
| stat depth1 | Twalk(f), Tstat, Tclunk | 3 |
| stat depth6 | Twalk(a/b/c/d/e/f), Tstat, Tclunk | 3 |
| stat mount root | Twalk(clone), Tstat, Tclunk | 3 |
| stat dir depth5 | Twalk(a/b/c/d/e), Tstat, Tclunk | 3 |
| open nonexistent depth1 | Twalk(nope)=ERR | 1 |
| open nonexistent depth6 | Twalk(a/b/c/d/e/nope)=partial 5 | 1 |
| open nonexistent mid | Twalk(a/b/nope/d/e/f)=partial 2 | 1 |
| create new depth1 + close | Twalk(new)=ERR, Twalk(clone), Tcreate, Tclunk | 4 |
| create existing depth1 + close | Twalk(new), Topen(17), Tclunk | 3 |
| create new depth6 + close | Twalk(a/b/c/d/e), Twalk(new)=ERR, Twalk(clone), Tcreate, Tclunk, Tclunk | 6 |
| create OEXCL new + close | Twalk(newx)=ERR, Twalk(clone), Tcreate, Tclunk | 4 |
| mkdir | Twalk(newdir)=ERR, Twalk(clone), Tcreate, Tclunk | 4 |
| fstat | Twalk(f), Topen(0), Tstat, Tclunk | 4 |
| wstat rename | Twalk(new), Twstat, Tclunk | 3 |
| wstat rename depth6 | Twalk(a/b/c/d/e/new), Twstat, Tclunk | 3 |
| remove depth1 | Twalk(new2), Tremove | 2 |
| remove depth6 | Twalk(a/b/c/d/e/new2), Tremove | 2 |
| remove nonexistent | Twalk(nope)=ERR | 1 |
| chdir depth1 | Twalk(dir), Tclunk | 2 |
| chdir depth5 | Twalk(a/b/c/d/e), Tclunk | 2 |
| chdir depth5 then open f | Twalk(a/b/c/d/e), Twalk(f), Topen(0), Tclunk, Tclunk | 5 |
| chdir depth5 then open ../f2 | Twalk(a/b/c/d/e), Twalk(..), Twalk(nope)=ERR, Tclunk, Tclunk | 5 |
| chdir depth5 then open .. | Twalk(a/b/c/d/e), Twalk(..), Topen(0), Tclunk, Tclunk | 5 |
| open a/b/../b/c | Twalk(a/b), Twalk(..), Tclunk, Twalk(b/c), Tclunk, Topen(0), Tclunk | 7 |
| open dir + dirread all (10 entries) + close | Twalk(dir), Topen(0), Tread(8192@0)=721, Tread(8192@721)=0, Tclunk | 5 |
| access AEXIST | Twalk(f), Tstat, Tclunk | 3 |
| pread x3 | Twalk(f), Topen(0), Tread(1@0)=1, Tread(1@1)=1, Tread(1@2)=1, Tclunk | 6 |
| ORCLOSE | Twalk(tmpf)=ERR, Twalk(clone), Tcreate, Tclunk | 4 |
| write 20000 bytes | Twalk(big)=ERR, Twalk(clone), Tcreate, Twrite(8192@0)=8192, Twrite(8192@8192)=8192, Twrite(3616@16384)=3616, Tclunk | 7 |
| read 20000 bytes | Twalk(big), Topen(0), Tread(8192@0)=8192, Tread(8192@8192)=8192, Tread(3616@16384)=3616, Tclunk | 6 |
| OEXEC read (exec of /n/r/sc) | Twalk(big), Topen(0), Tclunk | 3 |
| bind on dir inside | Twalk(dir), Twalk(a/b), Twalk(a/b), Tclunk, Tclunk, Tclunk | 6 |
| dup+close | Twalk(f), Topen(0), Tclunk | 3 |
| fork child closes | Twalk(f), Topen(0), Tclunk | 3 |
| cmd ls /tmp/n/r/dir | Twalk(dir), Tstat, Tclunk, Twalk(dir), Topen(0), Tread(8192@0)=721, Tread(8192@721)=0, Tclunk | 8 |
| cmd ls -l /tmp/n/r/dir | Twalk(dir), Tstat, Tclunk, Twalk(dir), Topen(0), Tread(8192@0)=721, Tread(8192@721)=0, Tclunk | 8 |
| cmd cat /tmp/n/r/a/b/c/d/e/f | Twalk(a/b/c/d/e/f), Topen(0), Tread(8192@0)=6, Tread(8192@6)=0, Tclunk | 5 |
| cmd cp /tmp/n/r/f /tmp/n/r/g | Twalk(g)=ERR, Twalk(f), Tstat, Tclunk, Twalk(g)=ERR, Twalk(f), Topen(0), Twalk(g)=ERR, Twalk(clone), Tcreate, Tread(8192@0)=3, Twrite(3@0)=3, Tread(8192@3)=0, Tclunk, Tclunk | 15 |
| cmd cp /tmp/n/r/a/b/c/d/e/f /tmp/n/r/a/b/c/d/e/g | Twalk(a/b/c/d/e/g)=partial 5, Twalk(a/b/c/d/e/f), Tstat, Tclunk, Twalk(a/b/c/d/e/g)=partial 5, Twalk(a/b/c/d/e/f), Topen(0), Twalk(a/b/c/d/e), Twalk(g)=ERR, Twalk(clone), Tcreate, Tclunk, Tread(8192@0)=6, Twrite(6@0)=6, Tread(8192@6)=0, Tclunk, Tclunk | 17 |
| cmd mv /tmp/n/r/g /tmp/n/r/h | Twalk(h)=ERR, Twalk(g), Tstat, Tclunk, Twalk(g), Tstat, Tclunk, Twalk(h)=ERR, Twalk(h)=ERR, Twalk(g), Twstat, Tclunk | 12 |
| cmd mv /tmp/n/r/h /tmp/n/r/dir/h | Twalk(dir/h)=partial 1, Twalk(h), Tstat, Tclunk, Twalk(clone), Tstat, Tclunk, Twalk(dir), Tstat, Tclunk, Twalk(h), Topen(0), Twalk(dir/h)=partial 1, Twalk(dir), Twalk(h)=ERR, Twalk(clone), Tcreate, Tclunk, Tread(8192@0)=3, Twrite(3@0)=3, Tread(8192@3)=0, Tclunk, Twstat, Twalk(h), Tremove, Tclunk | 26 |
| cmd rm /tmp/n/r/dir/h | Twalk(dir/h), Tremove | 2 |
| cmd mkdir /tmp/n/r/nd | Twalk(nd)=ERR, Twalk(nd)=ERR, Twalk(clone), Tcreate, Tclunk | 5 |
| cmd touch /tmp/n/r/tch | Twalk(tch)=ERR, Twalk(tch)=ERR, Twalk(clone), Tcreate, Twstat, Tclunk | 6 |
| cmd test -f /tmp/n/r/f | Twalk(f), Tstat, Tclunk | 3 |
| cmd du /tmp/n/r/a | Twalk(a), Tstat, Tclunk, Twalk(a), Topen(0), Tread(8192@0)=68, Twalk(a/b), Topen(0), Tread(8192@0)=68, Twalk(a/b/c), Topen(0), Tread(8192@0)=68, Twalk(a/b/c/d), Topen(0), Tread(8192@0)=68, Twalk(a/b/c/d/e), Topen(0), Tread(8192@0)=481, Tread(8192@481)=0, Tclunk, Tread(8192@68)=0, Tclunk, Tread(8192@68)=0, Tclunk, Tread(8192@68)=0, Tclunk, Tread(8192@68)=0, Tclunk | 28 |
| cmd cd /tmp/n/r/a/b/c/d/e | Twalk(a/b/c/d/e) | 1 |
| second mount | Twalk(a/b) | 1 |
| M2(plain 2nd mount at a/b; only 1st server traced): open depth6 | Twalk(a/b/c/d/e/f), Tclunk | 2 |
| M2: stat depth6 | Twalk(a/b/c/d/e/f), Tclunk | 2 |
| M2: create depth6 | Twalk(a/b/c/d/e), Tclunk | 2 |
| M2: chdir depth5 | Twalk(a/b/c/d/e), Tclunk | 2 |
| bind in path | Twalk(dir), Twalk(a/b/c) | 2 |
| B(bind dir on a/b/c): open /a/b/c/file1 | Twalk(a/b/c/file1)=partial 3, Twalk(file1), Topen(0), Tclunk | 4 |
| B: stat a/b/c/file1 | Twalk(a/b/c/file1)=partial 3, Twalk(file1), Tstat, Tclunk | 4 |
| U(union dir after a/b/c): open existing in 1st | Twalk(a/b/c/d), Tclunk, Twalk(d), Topen(0), Tclunk | 5 |
| U: open existing in 2nd | Twalk(a/b/c/file1)=partial 3, Twalk(file1)=ERR, Twalk(file1), Topen(0), Tclunk | 5 |
| U: open nonexisting | Twalk(a/b/c/nope)=partial 3, Twalk(nope)=ERR, Twalk(nope)=ERR | 3 |
| U: ls | Twalk(a/b/c), Tclunk, Twalk(clone), Topen(0), Twalk(clone), Topen(0), Tread(8192@0)=68, Tread(8192@68)=0, Tclunk, Twalk(clone), Topen(0), Tread(8192@0)=721, Tread(8192@721)=0, Tclunk, Tclunk | 15 |
| U: stat dir | Twalk(a/b/c), Tclunk, Twalk(clone), Tstat, Tclunk | 5 |
| C(bind -c): create new in union | Twalk(a/b/c), Twalk(newu)=ERR, Twalk(clone), Tcreate, Tclunk, Tclunk | 6 |
| unmount | Tclunk | 1 |
`;

/** What a row does, in a process of its own that starts in / and whose end closes what is still open. */
export type Row = (sys: Sys) => Promise<void>;

/** The server is mounted here. */
export const R = "/tmp/n/r";
const DEEP = `${R}/a/b/c/d/e`;
const NEWDIR = (DMDIR | 0o777) >>> 0;

const text = (s: string): Uint8Array => new TextEncoder().encode(s);

/** Opens and leaves it to the end of the process to close. */
const open =
  (name: string, mode = OREAD): Row =>
  async (sys) =>
    void (await sys.open(name, mode));

const create =
  (name: string, mode = OWRITE, perm = 0o666): Row =>
  async (sys) =>
    void (await sys.create(name, mode, perm));

const stat =
  (name: string): Row =>
  async (sys) =>
    void (await sys.stat(name));

const chdir =
  (name: string, then?: Row): Row =>
  async (sys) => {
    await sys.chdir(name);
    await then?.(sys);
  };

/** Calls one after another; a call may fail, as where a command looks whether something is there. */
const calls =
  (...rows: readonly Row[]): Row =>
  async (sys) => {
    for (const row of rows) await row(sys).catch(() => undefined);
  };

/** Opens, reads `count` bytes `times` times. */
const read =
  (name: string, count: number, times: number): Row =>
  async (sys) => {
    const fd = await sys.open(name, OREAD);
    const buf = new Uint8Array(count);
    for (let i = 0; i < times; i++) await sys.read(fd, buf);
  };

/** Opens or creates a file, and writes. */
const write =
  (name: string, bytes: Uint8Array, mode: number | null): Row =>
  async (sys) => {
    const fd = mode === null ? await sys.create(name, OWRITE, 0o666) : await sys.open(name, mode);
    await sys.write(fd, bytes);
  };

const remove =
  (name: string): Row =>
  async (sys) =>
    sys.remove(name);

const rename =
  (name: string, to: string): Row =>
  async (sys) =>
    sys.wstat(name, { name: to });

const bind =
  (name: string, old: string, flags: number): Row =>
  async (sys) =>
    void (await sys.bind(name, old, flags));

const ls =
  (name: string): Row =>
  async (sys) =>
    void (await readdir(sys, name));

const preads: Row = async (sys) => {
  const fd = await sys.open(`${R}/f`, OREAD);
  for (const offset of [0, 1, 2]) await sys.pread(fd, new Uint8Array(1), offset);
};

const fstat: Row = async (sys) => void (await sys.fstat(await sys.open(`${R}/f`, OREAD)));

const bindon: Row = async (sys) => {
  await sys.bind(`${R}/dir`, `${R}/a/b`, MREPL);
  await sys.unmount(null, `${R}/a/b`);
};

const dupclose: Row = async (sys) => {
  const fd = await sys.open(`${R}/f`, OREAD);
  const other = await sys.dup(fd);
  await sys.close(fd);
  await sys.close(other);
};

const forkclose: Row = async (sys) => {
  const fd = await sys.open(`${R}/f`, OREAD);
  await sys.rfork(RFPROC | RFFDG, async (child: Sys) => child.close(fd));
  await sys.wait();
};

/** Copies what is in the one to the other, both open. */
async function copyfd(sys: Sys, from: number, to: number): Promise<void> {
  const buf = new Uint8Array(8192);
  for (let n = await sys.read(from, buf); n > 0; n = await sys.read(from, buf))
    await sys.write(to, buf.subarray(0, n));
}

const cp =
  (from: string, to: string): Row =>
  async (sys) => {
    await calls(stat(to), stat(from), stat(to))(sys);
    const fd = await sys.open(from, OREAD);
    await copyfd(sys, fd, await sys.create(to, OWRITE, 0o666));
  };

const mvdir: Row = async (sys) => {
  const [from, to] = [`${R}/h`, `${R}/dir/h`];
  await calls(stat(to), stat(from), stat(R), stat(`${R}/dir`))(sys);
  const fd = await sys.open(from, OREAD);
  await remove(to)(sys).catch(() => undefined);
  const tfd = await sys.create(to, OWRITE, 0o666);
  await copyfd(sys, fd, tfd);
  await sys.close(fd);
  await sys.fwstat(tfd, { mode: 0o664 });
  await sys.remove(from);
};

const touch: Row = async (sys) => {
  await sys.wstat(`${R}/tch`, { mtime: 0 }).catch(() => undefined);
  await sys.fwstat(await sys.create(`${R}/tch`, OREAD, 0o666), { mtime: 0 });
};

/** A directory's entries, those of its directories between its own reads. */
async function du(sys: Sys, name: string): Promise<void> {
  const fd = await sys.open(name, OREAD);
  const buf = new Uint8Array(65535);
  for (let n = await sys.read(fd, buf); n > 0; n = await sys.read(fd, buf))
    for (const d of entries(buf, n)) if ((d.mode & DMDIR) !== 0) await du(sys, `${name}/${d.name}`);
  await sys.close(fd);
}

/** The programs of the rows, by the rows' names. */
export const ROWS: Readonly<Record<string, Row>> = {
  "open depth1": open(`${R}/f`),
  "open+read+close depth1": read(`${R}/f`, 100, 1),
  "open+read+read(EOF)+close depth6": read(`${DEEP}/f`, 100, 2),
  "open+write+close": write(`${R}/f`, text("abc"), OWRITE),
  "open+write+close OTRUNC": write(`${R}/f`, text("abc"), OWRITE | OTRUNC),
  "stat depth1": stat(`${R}/f`),
  "stat depth6": stat(`${DEEP}/f`),
  "stat mount root": stat(R),
  "stat dir depth5": stat(DEEP),
  "open nonexistent depth1": calls(open(`${R}/nope`)),
  "open nonexistent depth6": calls(open(`${DEEP}/nope`)),
  "open nonexistent mid": calls(open(`${R}/a/b/nope/d/e/f`)),
  "create new depth1 + close": create(`${R}/new`),
  "create existing depth1 + close": create(`${R}/new`),
  "create new depth6 + close": create(`${DEEP}/new`),
  "create OEXCL new + close": create(`${R}/newx`, OWRITE | OEXCL),
  mkdir: create(`${R}/newdir`, OREAD, NEWDIR),
  fstat,
  "wstat rename": rename(`${R}/new`, "new2"),
  "wstat rename depth6": rename(`${DEEP}/new`, "new2"),
  "remove depth1": remove(`${R}/new2`),
  "remove depth6": remove(`${DEEP}/new2`),
  "remove nonexistent": calls(remove(`${R}/nope`)),
  "chdir depth1": chdir(`${R}/dir`),
  "chdir depth5": chdir(DEEP),
  "chdir depth5 then open f": chdir(DEEP, open("f")),
  "chdir depth5 then open ../f2": chdir(DEEP, calls(open("../nope"))),
  "chdir depth5 then open ..": chdir(DEEP, open("..")),
  "open a/b/../b/c": open(`${R}/a/b/../b/c`),
  "open dir + dirread all (10 entries) + close": ls(`${R}/dir`),
  "access AEXIST": async (sys) => access(sys, `${R}/f`, AEXIST),
  "pread x3": preads,
  ORCLOSE: create(`${R}/tmpf`, OWRITE | ORCLOSE),
  "write 20000 bytes": write(`${R}/big`, new Uint8Array(20000), null),
  "read 20000 bytes": read(`${R}/big`, 20000, 1),
  "OEXEC read (exec of /n/r/sc)": open(`${R}/big`),
  "bind on dir inside": bindon,
  "dup+close": dupclose,
  "fork child closes": forkclose,
  "cmd ls /tmp/n/r/dir": calls(stat(`${R}/dir`), ls(`${R}/dir`)),
  "cmd ls -l /tmp/n/r/dir": calls(stat(`${R}/dir`), ls(`${R}/dir`)),
  "cmd cat /tmp/n/r/a/b/c/d/e/f": read(`${DEEP}/f`, 8192, 2),
  "cmd cp /tmp/n/r/f /tmp/n/r/g": cp(`${R}/f`, `${R}/g`),
  "cmd cp /tmp/n/r/a/b/c/d/e/f /tmp/n/r/a/b/c/d/e/g": cp(`${DEEP}/f`, `${DEEP}/g`),
  "cmd mv /tmp/n/r/g /tmp/n/r/h": calls(
    stat(`${R}/h`),
    stat(`${R}/g`),
    stat(`${R}/g`),
    stat(`${R}/h`),
    remove(`${R}/h`),
    rename(`${R}/g`, "h"),
  ),
  "cmd mv /tmp/n/r/h /tmp/n/r/dir/h": mvdir,
  "cmd rm /tmp/n/r/dir/h": remove(`${R}/dir/h`),
  "cmd mkdir /tmp/n/r/nd": calls(stat(`${R}/nd`), create(`${R}/nd`, OREAD, NEWDIR)),
  "cmd touch /tmp/n/r/tch": touch,
  "cmd test -f /tmp/n/r/f": stat(`${R}/f`),
  "cmd du /tmp/n/r/a": async (sys) => {
    await sys.stat(`${R}/a`);
    await du(sys, `${R}/a`);
  },
  "M2(plain 2nd mount at a/b; only 1st server traced): open depth6": open(`${DEEP}/f`),
  "M2: stat depth6": stat(`${DEEP}/f`),
  "M2: create depth6": create(`${DEEP}/m2`),
  "M2: chdir depth5": chdir(DEEP),
  "bind in path": bind(`${R}/dir`, `${R}/a/b/c`, MREPL),
  "B(bind dir on a/b/c): open /a/b/c/file1": open(`${R}/a/b/c/file1`),
  "B: stat a/b/c/file1": stat(`${R}/a/b/c/file1`),
  "U(union dir after a/b/c): open existing in 1st": open(`${R}/a/b/c/d`),
  "U: open existing in 2nd": open(`${R}/a/b/c/file1`),
  "U: open nonexisting": calls(open(`${R}/a/b/c/nope`)),
  "U: ls": ls(`${R}/a/b/c`),
  "U: stat dir": stat(`${R}/a/b/c`),
  "C(bind -c): create new in union": create(`${R}/a/b/c/newu`),
};
