// Checks of what files hold and what they are: read(5), with directories and writes, and stat(5).

import { DMAPPEND, DMDIR, OREAD, OWRITE, QTDIR } from "../../../kernel/abi/const.ts";
import { convD2M, nulldir } from "../../../kernel/abi/dir.ts";
import type { Dir, Wstat } from "../../../kernel/abi/dir.ts";
import * as F from "../../../kernel/abi/fcall.ts";
import type { Rmsg } from "../../../kernel/abi/fcall.ts";
import { section } from "./check.ts";
import type { Check, Context } from "./check.ts";
import { ROOT, Skip, Wrong, named } from "./peer.ts";
import type { Peer } from "./peer.ts";

/** Files of the directory that is read in pieces. */
const MANY = 60;
/** Bytes of the file that is written and read in pieces. */
const LONG = 20_000;

const read: Check[] = section("read(5)", {
  unopened: [
    "a fid that is not open is refused",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.file);
      await p.refused(
        { type: F.Tread, fid, offset: 0, count: 10 },
        "a Tread of a fid that is not open",
      );
    },
  ],
  writeonly: [
    "a fid that is open for writing only is not read",
    async (c) => {
      const p = await c.open();
      const fid = await p.create(c.scratch, "writeonly", 0o666, OWRITE);
      await p.refused({ type: F.Tread, fid, offset: 0, count: 10 }, "a Tread of a fid open OWRITE");
    },
  ],
  readonly: [
    "a fid that is open for reading only is not written",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.file);
      await p.open(fid, OREAD);
      const data = new Uint8Array(0);
      await p.refused({ type: F.Twrite, fid, offset: 0, data }, "a Twrite to a fid open OREAD");
    },
  ],
  end: [
    "a read at the end of a file, or beyond, gives nothing",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.file);
      const { length } = await p.stat(fid);
      await p.open(fid, OREAD);
      for (const offset of [length, length + 1000])
        if ((await p.read(fid, offset, 100)).length > 0)
          throw new Wrong(`bytes at ${offset} of ${length}`);
    },
  ],
  nothing: [
    "a read of no bytes gives none",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.file);
      await p.open(fid, OREAD);
      await p.read(fid, 0, 0);
    },
  ],
  clipped: [
    "a read of more than a message holds gives what fits, or an error",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.file);
      await p.open(fid, OREAD);
      await p.send({ type: F.Tread, tag: 1, fid, offset: 0, count: 4_000_000 });
      const frame = await p.frame();
      if (frame === null) throw new Wrong("it hung up");
      if (frame.length > p.msize)
        throw new Wrong(`a reply of ${frame.length} bytes, and msize ${p.msize}`);
      const r = F.convM2S(frame, 0, frame.length);
      if (r?.type === F.Rerror) return;
      if (r?.type !== F.Rread || r.data.length === 0)
        throw new Wrong(`the answer is ${r === null ? "no message" : named(r)}`);
    },
  ],
  offset: [
    "an offset where no file can be is refused, or is the end",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.file);
      await p.open(fid, OREAD);
      const r = await p.rpc({ type: F.Tread, fid, offset: Number.MAX_SAFE_INTEGER, count: 10 });
      if (r.type === F.Rread && r.data.length > 0) throw new Wrong(`${r.data.length} bytes came`);
    },
  ],
  written: [
    "what was written is read, in pieces and from the middle",
    async (c) => {
      const p = await c.open();
      const fid = await p.create(c.scratch, "written", 0o666);
      const data = Uint8Array.from({ length: LONG }, (_, i) => (i * 7) & 255);
      await writeall(p, fid, data);
      for (const [offset, count] of [
        [0, 100],
        [4090, 20],
        [LONG - 5, 100],
        [12_345, 4096],
      ] as const) {
        const got = await p.read(fid, offset, count);
        const want = data.subarray(offset, offset + count);
        if (got.length === 0 || got.some((b, i) => b !== want[i]))
          throw new Wrong(`${count} bytes at ${offset} are not those that were written`);
      }
    },
  ],
  hole: [
    "bytes that were never written, before some that were, are 0",
    async (c) => {
      const p = await c.open();
      const fid = await p.create(c.scratch, "hole", 0o666);
      const n = await p.write(fid, 1000, new Uint8Array([255]));
      if (n !== 1) throw new Wrong(`a Twrite of a byte wrote ${n}`);
      const got = await p.read(fid, 0, 2000);
      if (got.length !== 1001 || got[1000] !== 255 || got.subarray(0, 1000).some((b) => b !== 0))
        throw new Wrong(`${got.length} bytes came, and not 1000 zeros with a byte after them`);
    },
    "should",
  ],
  append: [
    "what is written to an append-only file goes to its end",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.scratch);
      const perm = (DMAPPEND | 0o666) >>> 0;
      const r = await p.rpc({ type: F.Tcreate, fid, name: "append", perm, mode: OWRITE });
      if (r.type === F.Rerror) throw new Skip(`it makes no append-only file: ${r.ename}`);
      if (((await p.stat(fid)).mode & DMAPPEND) === 0)
        throw new Skip("it makes no append-only file");
      for (let i = 0; i < 2; i++) await p.write(fid, 0, new Uint8Array([65, 66]));
      const { length } = await p.stat(fid);
      if (length !== 4) throw new Wrong(`two writes of 2 bytes at offset 0 make ${length} bytes`);
    },
    "should",
  ],
  entries: [
    "a directory's reads give whole entries, each of a file that a walk finds",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.dir.slice(0, -1));
      await p.open(fid, OREAD);
      const list = await p.entries(fid);
      const bad = list.find(
        (d) => d.name === "" || d.name === "." || d.name === ".." || d.name.includes("/"),
      );
      if (bad !== undefined) throw new Wrong(`an entry has the name ${JSON.stringify(bad.name)}`);
      const last = c.dir.at(-1);
      const mine = list.find((d) => d.name === last);
      if (mine === undefined)
        throw new Wrong(`${last} can be walked to and is not among the entries`);
      const { qid } = await p.stat(await p.walk(c.dir));
      if (qid.path !== mine.qid.path)
        throw new Wrong(`the entry of ${last} has another qid than its stat`);
    },
  ],
  again: [
    "a directory read once more from 0 gives the same entries",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      await p.open(fid, OREAD);
      const [a, b] = [await p.entries(fid), await p.entries(fid)];
      const names = (list: typeof a): string =>
        list
          .map((d) => d.name)
          .toSorted()
          .join(" ");
      if (names(a) !== names(b)) throw new Wrong(`${a.length} entries, and then ${b.length}`);
    },
  ],
  seek: [
    "a directory is read from 0 or where the last read ended, and from nowhere else",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      await p.open(fid, OREAD);
      await p.refused(
        { type: F.Tread, fid, offset: 7, count: 4096 },
        "a read of a directory at offset 7",
      );
    },
  ],
  smallcount: [
    "a read that holds no whole entry gives none, or an error",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.dir.slice(0, -1));
      await p.open(fid, OREAD);
      const r = await p.rpc({ type: F.Tread, fid, offset: 0, count: 20 });
      if (r.type === F.Rread && r.data.length > 0)
        throw new Wrong(`${r.data.length} bytes of an entry came`);
    },
  ],
  many: [
    "a directory that is read in small pieces has each of its files once",
    async (c) => {
      const p = await c.open();
      await p.clunk(await p.create(c.scratch, "many", (DMDIR | 0o777) >>> 0, OREAD));
      const want = Array.from({ length: MANY }, (_, i) => `file-${i}`);
      for (const name of want) await p.clunk(await p.create([...c.scratch, "many"], name, 0o666));
      const fid = await p.walk([...c.scratch, "many"]);
      await p.open(fid, OREAD);
      const got = (await p.entries(fid, 300)).map((d) => d.name);
      if (got.toSorted().join(" ") !== want.toSorted().join(" "))
        throw new Wrong(
          `${got.length} entries of ${MANY} files, ${new Set(got).size} different ones`,
        );
    },
  ],
});

async function writeall(p: Peer, fid: number, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) {
    const n = await p.write(fid, at, data.subarray(at, at + 4096));
    if (n === 0) throw new Wrong(`a Twrite at ${at} wrote nothing`);
    at += n;
  }
}

/** A Twstat of what is given. */
function wstat(p: Peer, fid: number, changes: Wstat): Promise<Rmsg> {
  return p.rpc({ type: F.Twstat, fid, stat: entry(changes) });
}

function entry(changes: Partial<Dir>): Uint8Array {
  const buf = new Uint8Array(1000);
  const n = convD2M({ ...nulldir(), ...changes }, buf, 0);
  return buf.subarray(0, n);
}

async function changed(p: Peer, fid: number, changes: Wstat): Promise<void> {
  const r = await wstat(p, fid, changes);
  if (r.type === F.Rerror && Object.keys(changes).length > 0) {
    const nothing = await wstat(p, fid, {});
    if (nothing.type === F.Rerror) throw new Skip(`it takes no wstat: ${nothing.ename}`);
  }
  if (r.type === F.Rerror)
    throw new Wrong(
      `a wstat of ${Object.keys(changes).join(", ") || "nothing"} failed: ${r.ename}`,
    );
}

/** A wstat that a server has to refuse, and what to call it. */
type Refused = { readonly changes: Wstat; readonly what: string };

async function unchanged(p: Peer, fid: number, how: Refused): Promise<void> {
  const r = await wstat(p, fid, how.changes);
  if (r.type !== F.Rerror) throw new Wrong(`${how.what} succeeded`);
}

/** A file of the scratch directory, not open: its fid. */
async function filefid(c: Context, p: Peer, name: string): Promise<number> {
  const fid = await p.create(c.scratch, name, 0o666);
  await p.write(fid, 0, new Uint8Array([1, 2, 3, 4, 5]));
  await p.clunk(fid);
  return await p.walk([...c.scratch, name]);
}

const stat: Check[] = section("stat(5)", {
  entry: [
    "the sizes in an Rstat agree, and a directory is one in its mode and its qid",
    async (c) => {
      const p = await c.open();
      for (const names of [[], c.dir]) {
        const d = await p.stat(await p.walk(names));
        if ((d.mode & DMDIR) === 0 || (d.qid.type & QTDIR) === 0)
          throw new Wrong(
            `${names.join("/") || "/"}: mode ${(d.mode >>> 0).toString(8)}, qid type ${d.qid.type}`,
          );
      }
    },
  ],
  directorylength: [
    "the length of a directory is 0",
    async (c) => {
      const p = await c.open();
      const { length } = await p.stat(ROOT);
      if (length !== 0) throw new Wrong(`it is ${length}`);
    },
  ],
  name: [
    "the name of a file is the last element of its walk",
    async (c) => {
      const p = await c.open();
      const { name } = await p.stat(await p.walk(c.file));
      if (name !== c.file.at(-1)) throw new Wrong(`${c.file.join("/")} has the name ${name}`);
    },
  ],
  unknown: [
    "an unknown fid is refused",
    async (c) => {
      const p = await c.open();
      await p.refused({ type: F.Tstat, fid: 4242 }, "a Tstat of an unknown fid");
    },
  ],
  length: [
    "the length is that of what was written",
    async (c) => {
      const p = await c.open();
      const { length } = await p.stat(await filefid(c, p, "length"));
      if (length !== 5) throw new Wrong(`5 bytes were written, and it is ${length}`);
    },
  ],
  vers: [
    "the version in the qid changes with the file",
    async (c) => {
      const p = await c.open();
      const fid = await p.create(c.scratch, "vers", 0o666);
      const before = await p.stat(fid);
      await p.write(fid, 0, new Uint8Array([1]));
      if ((await p.stat(fid)).qid.vers === before.qid.vers)
        throw new Wrong(`it is ${before.qid.vers} still`);
    },
    "should",
  ],
  nothing: [
    "a wstat that changes nothing succeeds",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "nothing");
      const before = await p.stat(fid);
      await changed(p, fid, {});
      const after = await p.stat(fid);
      if (
        after.name !== before.name ||
        after.mode !== before.mode ||
        after.length !== before.length
      )
        throw new Wrong("the file has changed");
    },
    "should",
  ],
  rename: [
    "a file is renamed, and its fid stands for it still",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "oldname");
      await changed(p, fid, { name: "newname" });
      const { name } = await p.stat(fid);
      if (name !== "newname") throw new Wrong(`its fid gives the name ${name}`);
      if (await p.has([...c.scratch, "oldname"])) throw new Wrong("the old name is there still");
      if (!(await p.has([...c.scratch, "newname"]))) throw new Wrong("the new name is not there");
    },
  ],
  renameexists: [
    "a name that another file has is refused",
    async (c) => {
      const p = await c.open();
      await filefid(c, p, "taken");
      const fid = await filefid(c, p, "wants");
      await unchanged(p, fid, {
        changes: { name: "taken" },
        what: "a wstat to the name of another file",
      });
    },
  ],
  renamefids: [
    "each fid of a file stands for it still when it has another name",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "before");
      const other = await p.walk([...c.scratch, "before"]);
      await changed(p, fid, { name: "after" });
      const { name } = await p.stat(other);
      if (name !== "after") throw new Wrong(`its second fid gives the name ${name}`);
    },
    "should",
  ],
  renamedots: [
    "the new names . and .. are refused",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "dots");
      for (const name of [".", ".."]) {
        const r = await wstat(p, fid, { name });
        if (r.type === F.Rerror) continue;
        // No walk finds the file any more: without its name it could not be removed.
        await wstat(p, fid, { name: "dots" });
        throw new Wrong(`a wstat to the name ${name} succeeded`);
      }
    },
  ],
  fixed: [
    "a wstat that would change the qid or the muid is refused",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "fixed");
      const { qid, muid } = await p.stat(fid);
      const fields: Readonly<Record<string, Partial<Dir>>> = {
        qid: { qid: { ...qid, path: qid.path + 1n } },
        muid: { muid: `${muid}x` },
      };
      for (const [field, changes] of Object.entries(fields)) {
        const r = await p.rpc({ type: F.Twstat, fid, stat: entry(changes) });
        if (r.type !== F.Rerror) throw new Wrong(`a wstat of another ${field} succeeded`);
      }
    },
    "should",
  ],
  renameslash: [
    "a new name with a slash is refused",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "slash");
      await unchanged(p, fid, { changes: { name: "a/b" }, what: "a wstat to the name a/b" });
    },
  ],
  truncate: [
    "a length that is given cuts the file, or is refused",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "cut");
      const r = await wstat(p, fid, { length: 2 });
      const { length } = await p.stat(fid);
      const want = r.type === F.Rerror ? 5 : 2;
      if (length !== want) throw new Wrong(`the answer is ${named(r)}, and the length ${length}`);
    },
  ],
  directorycut: [
    "a directory's length is not set",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.scratch);
      await unchanged(p, fid, { changes: { length: 7 }, what: "a wstat of a directory's length" });
    },
  ],
  directorybit: [
    "a file does not become a directory",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "dirbit");
      await wstat(p, fid, { mode: (DMDIR | 0o755) >>> 0 });
      if (((await p.stat(fid)).mode & DMDIR) !== 0)
        throw new Wrong("a wstat made a directory of a file");
    },
  ],
  mode: [
    "permissions are changed",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "mode");
      await changed(p, fid, { mode: 0o640 });
      const { mode } = await p.stat(fid);
      if ((mode & 0o777) !== 0o640)
        throw new Wrong(`0640 was set, and the mode is 0${(mode & 0o777).toString(8)}`);
    },
  ],
  mtime: [
    "the time of the last change is set",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "mtime");
      await changed(p, fid, { mtime: 1_000_000_000 });
      const { mtime } = await p.stat(fid);
      if (mtime !== 1_000_000_000) throw new Wrong(`1000000000 was set, and it is ${mtime}`);
    },
    "should",
  ],
  allornothing: [
    "of a wstat that fails nothing is done",
    async (c) => {
      const p = await c.open();
      await p.clunk(await p.create(c.scratch, "whole", (DMDIR | 0o777) >>> 0, OREAD));
      const fid = await p.walk([...c.scratch, "whole"]);
      const changes = { name: "halfdone", length: 7 };
      await unchanged(p, fid, { changes, what: "a wstat of a name and a directory's length" });
      if (!(await p.has([...c.scratch, "whole"]))) throw new Wrong("the name has changed");
    },
  ],
  malformed: [
    "an entry with sizes that disagree is refused",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      const bad = entry({}).slice();
      bad[0] = (bad[0] ?? 0) + 9;
      await p.refused({ type: F.Twstat, fid, stat: bad }, "a Twstat with a malformed entry");
    },
  ],
});

/** What makes a file the same file: its qid. */
const qids: Check[] = section("intro(5)", {
  qids: [
    "each file has a qid path of its own",
    async (c) => {
      const p = await c.open();
      const seen = new Map<bigint, string>();
      for (const name of ["qid-a", "qid-b", "qid-c", "qid-d"]) {
        const { path } = (await p.stat(await filefid(c, p, name))).qid;
        const other = seen.get(path);
        if (other !== undefined) throw new Wrong(`${other} and ${name} have the qid path ${path}`);
        seen.set(path, name);
      }
    },
  ],
  newqid: [
    "a file made in the place of one that was removed has another qid path",
    async (c) => {
      const p = await c.open();
      const fid = await filefid(c, p, "recreated");
      const { path } = (await p.stat(fid)).qid;
      await p.must({ type: F.Tremove, fid });
      if ((await p.stat(await filefid(c, p, "recreated"))).qid.path === path)
        throw new Wrong(`both have the qid path ${path}`);
    },
    "should",
  ],
});

/** The checks of this file. */
export const data: readonly Check[] = [...read, ...stat, ...qids];
