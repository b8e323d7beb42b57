// Checks of what concerns names: walk(5), open(5), create(5), remove(5).

import {
  DMDIR,
  DMEXCL,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
  QTDIR,
} from "../../../kernel/abi/const.ts";
import * as F from "../../../kernel/abi/fcall.ts";
import { section } from "./check.ts";
import type { Check } from "./check.ts";
import { ROOT, Skip, Wrong } from "./peer.ts";
import type { Peer } from "./peer.ts";

/** A name that is nowhere. */
const NONE = "no-such-name-here";
const MAXWELEM = 16;
/** The longest header of a message with data, which a Twrite has, and one byte. */
const IOHDRSZ = 24;

const walk: Check[] = section("walk(5)", {
  clone: [
    "a walk of no names makes a second fid for the file",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      const [a, b] = [await p.stat(ROOT), await p.stat(fid)];
      if (a.qid.path !== b.qid.path) throw new Wrong("the clone of the root is another file");
      await p.clunk(fid);
      await p.stat(ROOT);
    },
  ],
  self: [
    "a walk of no names in place succeeds, and the fid stays",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      await p.must({ type: F.Twalk, fid, newfid: fid, wname: [] });
      await p.stat(fid);
    },
  ],
  unknownfid: [
    "an unknown fid is refused",
    async (c) => {
      const p = await c.open();
      const ask = { type: F.Twalk, fid: 4242, newfid: 4243, wname: [] } as const;
      await p.refused(ask, "a Twalk from an unknown fid");
    },
  ],
  newfidinuse: [
    "a newfid that is in use is refused",
    async (c) => {
      const p = await c.open();
      const newfid = await p.walk([]);
      await p.refused({ type: F.Twalk, fid: ROOT, newfid, wname: [] }, "a newfid in use");
    },
  ],
  missing: [
    "a first name that is not there is an error",
    async (c) => {
      const p = await c.open();
      const newfid = p.newfid();
      await p.refused({ type: F.Twalk, fid: ROOT, newfid, wname: [NONE] }, "a walk to no file");
      await p.refused({ type: F.Tstat, fid: newfid }, "the newfid of a walk that failed");
    },
  ],
  partial: [
    "a walk that ends early says how far it came, and makes no fid",
    async (c) => {
      const p = await c.open();
      const newfid = p.newfid();
      const wname = [...c.dir.slice(0, 1), NONE];
      const { wqid } = await p.must({ type: F.Twalk, fid: ROOT, newfid, wname });
      if (wqid.length !== 1) throw new Wrong(`${wqid.length} qids, and one of two names is there`);
      await p.refused({ type: F.Tstat, fid: newfid }, "the newfid of a walk that ended early");
    },
  ],
  partialinplace: [
    "a walk in place that ends early leaves the fid where it was",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      const wname = [...c.dir.slice(0, 1), NONE];
      await p.must({ type: F.Twalk, fid, newfid: fid, wname });
      const [a, b] = [await p.stat(fid), await p.stat(ROOT)];
      if (a.qid.path !== b.qid.path) throw new Wrong(`the fid stands for ${a.name} now`);
    },
  ],
  inplace: [
    "a walk in place moves the fid",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      const wname = c.dir.slice(0, 1);
      const { wqid } = await p.must({ type: F.Twalk, fid, newfid: fid, wname });
      const { qid } = await p.stat(fid);
      if (qid.path !== wqid[0]?.path) throw new Wrong("the fid did not move");
    },
  ],
  dotdot: [
    "the parent of the root is the root, and .. leads up",
    async (c) => {
      const p = await c.open();
      const root = await p.stat(ROOT);
      for (const names of [[".."], [...c.dir.slice(0, 1), ".."]]) {
        const { qid } = await p.stat(await p.walk(names));
        if (qid.path !== root.qid.path) throw new Wrong(`${names.join("/")} is not the root`);
      }
    },
  ],
  sixteen: [
    "sixteen names are walked in one message",
    async (c) => {
      const p = await c.open();
      const wname = Array.from({ length: MAXWELEM }, () => "..");
      const { wqid } = await p.must({ type: F.Twalk, fid: ROOT, newfid: p.newfid(), wname });
      if (wqid.length !== MAXWELEM) throw new Wrong(`${wqid.length} qids came`);
    },
  ],
  file: [
    "a walk of a name in a file is an error",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.file);
      const ask = { type: F.Twalk, fid, newfid: p.newfid(), wname: [NONE] } as const;
      await p.refused(ask, "a walk of a name in a file");
    },
  ],
  open: [
    "an open fid is not walked from",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      await p.open(fid, OREAD);
      await p.refused(
        { type: F.Twalk, fid, newfid: p.newfid(), wname: c.dir.slice(0, 1) },
        "a walk from an open fid",
      );
    },
  ],
  qid: [
    "the last qid of a walk is the file's",
    async (c) => {
      const p = await c.open();
      const newfid = p.newfid();
      const { wqid } = await p.must({
        type: F.Twalk,
        fid: ROOT,
        newfid,
        wname: c.file.slice(0, MAXWELEM),
      });
      const { qid } = await p.stat(newfid);
      const last = wqid.at(-1);
      if (last?.path !== qid.path || last.type !== qid.type)
        throw new Wrong("Rwalk and Rstat give different qids for one file");
    },
  ],
});

const open: Check[] = section("open(5)", {
  unknown: [
    "an unknown fid is refused",
    async (c) => {
      const p = await c.open();
      await p.refused({ type: F.Topen, fid: 4242, mode: OREAD }, "a Topen of an unknown fid");
    },
  ],
  twice: [
    "an open fid is not opened again",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk([]);
      await p.open(fid, OREAD);
      await p.refused({ type: F.Topen, fid, mode: OREAD }, "a second Topen");
    },
  ],
  directory: [
    "a directory is not opened to be written, truncated or removed on close",
    async (c) => {
      const p = await c.open();
      const modes = {
        OWRITE,
        ORDWR,
        "OREAD|OTRUNC": OREAD | OTRUNC,
        "OREAD|ORCLOSE": OREAD | ORCLOSE,
      };
      for (const [name, mode] of Object.entries(modes)) {
        const fid = await p.walk(c.dir);
        const r = await p.rpc({ type: F.Topen, fid, mode });
        // Never clunked: a directory opened ORCLOSE would go.
        if (r.type === F.Ropen) throw new Wrong(`a directory was opened ${name}`);
      }
    },
  ],
  iounit: [
    "iounit is 0, or what fits a message",
    async (c) => {
      const p = await c.open();
      const { iounit } = await p.open(await p.walk(c.file), OREAD);
      if (iounit > p.msize - IOHDRSZ) throw new Wrong(`iounit ${iounit}, and msize ${p.msize}`);
    },
  ],
  qid: [
    "the qid of Ropen is the file's",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.file);
      const { path } = (await p.stat(fid)).qid;
      const { qid } = await p.open(fid, OREAD);
      if (qid.path !== path) throw new Wrong("Rstat and Ropen give different qids for one file");
    },
  ],
  truncate: [
    "OTRUNC empties a file",
    async (c) => {
      const p = await c.open();
      await written(p, c.scratch, "trunc");
      const fid = await p.walk([...c.scratch, "trunc"]);
      await p.open(fid, OWRITE | OTRUNC);
      const { length } = await p.stat(fid);
      if (length !== 0) throw new Wrong(`its length is ${length} still`);
    },
  ],
  rclose: [
    "a file opened ORCLOSE is removed when its fid is clunked",
    async (c) => {
      const p = await c.open();
      await written(p, c.scratch, "rclose");
      const fid = await p.walk([...c.scratch, "rclose"]);
      await p.open(fid, OREAD | ORCLOSE);
      await p.clunk(fid);
      if (await p.has([...c.scratch, "rclose"])) throw new Wrong("the file is there still");
    },
  ],
  permission: [
    "a file without permission to write is not opened for it",
    async (c) => {
      const p = await c.open();
      await p.clunk(await p.create(c.scratch, "readonly", 0o444, OREAD));
      const fid = await p.walk([...c.scratch, "readonly"]);
      await p.refused(
        { type: F.Topen, fid, mode: OWRITE },
        "a Topen OWRITE of a file of mode 0444",
      );
    },
    "should",
  ],
  executes: [
    "a file without permission to be executed is not opened for it",
    async (c) => {
      const p = await c.open();
      await p.clunk(await p.create(c.scratch, "noexec", 0o666, OREAD));
      const fid = await p.walk([...c.scratch, "noexec"]);
      await p.refused({ type: F.Topen, fid, mode: OEXEC }, "a Topen OEXEC of a file of mode 0666");
    },
    "should",
  ],
});

/** A file with something in it. */
async function written(p: Peer, dir: readonly string[], name: string): Promise<void> {
  const fid = await p.create(dir, name, 0o666);
  await p.write(fid, 0, new Uint8Array([65, 66, 67, 68]));
  await p.clunk(fid);
}

const create: Check[] = section("create(5)", {
  file: [
    "the fid stands for the new file, open",
    async (c) => {
      const p = await c.open();
      const fid = await p.create(c.scratch, "new", 0o666);
      const { name, qid } = await p.stat(fid);
      if (name !== "new") throw new Wrong(`the fid's file is ${name}`);
      if ((qid.type & QTDIR) !== 0) throw new Wrong("the new file is a directory");
      if ((await p.write(fid, 0, new Uint8Array([1]))) !== 1)
        throw new Wrong("it cannot be written");
      if (!(await p.has([...c.scratch, "new"])))
        throw new Wrong("the file is not in its directory");
    },
  ],
  qid: [
    "the qid of Rcreate is the file's, and its iounit 0 or what fits a message",
    async (c) => {
      const p = await c.open();
      for (const [name, perm] of [
        ["qidfile", 0o666],
        ["qiddir", (DMDIR | 0o777) >>> 0],
      ] as const) {
        const fid = await p.walk(c.scratch);
        const r = await p.must({ type: F.Tcreate, fid, name, perm, mode: OREAD });
        const { qid } = await p.stat(fid);
        if (r.qid.path !== qid.path || r.qid.type !== qid.type)
          throw new Wrong(`Rcreate and Rstat give different qids for ${name}`);
        if (r.iounit > p.msize - IOHDRSZ)
          throw new Wrong(`iounit ${r.iounit}, and msize ${p.msize}`);
      }
    },
  ],
  exclusive: [
    "a file for exclusive use is open once at a time",
    async (c) => {
      const p = await c.open();
      const perm = (DMEXCL | 0o666) >>> 0;
      const fid = await p.walk(c.scratch);
      const r = await p.rpc({ type: F.Tcreate, fid, name: "excl", perm, mode: OREAD });
      if (r.type === F.Rerror) throw new Skip(`it makes no file for exclusive use: ${r.ename}`);
      if (((await p.stat(fid)).mode & DMEXCL) === 0)
        throw new Skip("it makes no file for exclusive use");
      const other = await p.walk([...c.scratch, "excl"]);
      const again = { type: F.Topen, fid: other, mode: OREAD } as const;
      await p.refused(again, "a second Topen of a file with DMEXCL");
      await p.clunk(fid);
      await p.must(again);
    },
  ],
  exists: [
    "a name that exists is refused",
    async (c) => {
      const p = await c.open();
      await written(p, c.scratch, "exists");
      const fid = await p.walk(c.scratch);
      const ask = { type: F.Tcreate, fid, name: "exists", perm: 0o666, mode: OWRITE } as const;
      await p.refused(ask, "a Tcreate of a name that exists");
      const { qid } = await p.stat(fid);
      if ((qid.type & QTDIR) === 0)
        throw new Wrong("after a Tcreate that failed the fid is a file");
    },
  ],
  dots: [
    "the names . and .. are refused",
    async (c) => {
      const p = await c.open();
      for (const name of [".", ".."]) {
        const fid = await p.walk(c.scratch);
        await p.refused(
          { type: F.Tcreate, fid, name, perm: 0o666, mode: OREAD },
          `a Tcreate of ${name}`,
        );
      }
    },
  ],
  empty: [
    "an empty name is refused",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.scratch);
      await p.refused(
        { type: F.Tcreate, fid, name: "", perm: 0o666, mode: OREAD },
        "a Tcreate without a name",
      );
    },
    "should",
  ],
  infile: [
    "no file is made in a file",
    async (c) => {
      const p = await c.open();
      await written(p, c.scratch, "infile");
      const fid = await p.walk([...c.scratch, "infile"]);
      await p.refused(
        { type: F.Tcreate, fid, name: "x", perm: 0o666, mode: OREAD },
        "a Tcreate in a file",
      );
    },
  ],
  directory: [
    "DMDIR makes a directory",
    async (c) => {
      const p = await c.open();
      const fid = await p.create(c.scratch, "subdir", DMDIR | 0o777, OREAD);
      const { qid, mode } = await p.stat(fid);
      if ((qid.type & QTDIR) === 0 || (mode & DMDIR) === 0) throw new Wrong("it is no directory");
      if ((await p.read(fid, 0, 1000)).length > 0) throw new Wrong("it is not empty");
    },
  ],
  directorymode: [
    "a directory is not made to be written",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.scratch);
      const ask = {
        type: F.Tcreate,
        fid,
        name: "wdir",
        perm: (DMDIR | 0o777) >>> 0,
        mode: OWRITE,
      } as const;
      await p.refused(ask, "a Tcreate of a directory with OWRITE");
    },
    "should",
  ],
  permissions: [
    "permissions are cut to what the directory's leave",
    async (c) => {
      const p = await c.open();
      await p.clunk(await p.create(c.scratch, "perms", (DMDIR | 0o750) >>> 0, OREAD));
      const within = await p.stat(await p.create([...c.scratch, "perms"], "f", 0o666));
      const dir = await p.stat(await p.walk([...c.scratch, "perms"]));
      const want = 0o666 & (~0o666 | (dir.mode & 0o666));
      if ((within.mode & 0o777) !== want)
        throw new Wrong(
          `0666 in a directory of ${oct(dir.mode)} is ${oct(within.mode)}, not ${oct(want)}`,
        );
    },
  ],
  open: [
    "nothing is made in a directory that is open",
    async (c) => {
      const p = await c.open();
      const fid = await p.walk(c.scratch);
      await p.open(fid, OREAD);
      await p.refused(
        { type: F.Tcreate, fid, name: "y", perm: 0o666, mode: OREAD },
        "a Tcreate on an open fid",
      );
    },
  ],
});

const oct = (mode: number): string => `0${(mode & 0o777).toString(8)}`;

const remove: Check[] = section("remove(5)", {
  file: [
    "a file is gone, and so is the fid",
    async (c) => {
      const p = await c.open();
      await written(p, c.scratch, "remove");
      const fid = await p.walk([...c.scratch, "remove"]);
      await p.must({ type: F.Tremove, fid });
      await p.refused({ type: F.Tstat, fid }, "the fid of a Tremove");
      if (await p.has([...c.scratch, "remove"])) throw new Wrong("the file is there still");
    },
  ],
  held: [
    "a fid of a file that another fid has removed can be used and clunked without harm",
    async (c) => {
      const p = await c.open();
      await written(p, c.scratch, "held");
      const [fid, other] = [
        await p.walk([...c.scratch, "held"]),
        await p.walk([...c.scratch, "held"]),
      ];
      await p.open(other, OREAD);
      await p.must({ type: F.Tremove, fid });
      // The manual does not say whether the file can still be read.
      await p.rpc({ type: F.Tread, fid: other, offset: 0, count: 10 });
      await p.rpc({ type: F.Tstat, fid: other });
      await p.clunk(other);
    },
  ],
  full: [
    "a directory with files in it is not removed, and the fid is gone all the same",
    async (c) => {
      const p = await c.open();
      await p.clunk(await p.create(c.scratch, "full", (DMDIR | 0o777) >>> 0, OREAD));
      await p.clunk(await p.create([...c.scratch, "full"], "f", 0o666));
      const fid = await p.walk([...c.scratch, "full"]);
      await p.refused({ type: F.Tremove, fid }, "a Tremove of a directory that is not empty");
      await p.refused({ type: F.Tstat, fid }, "the fid of a Tremove that failed");
      if (!(await p.has([...c.scratch, "full", "f"]))) throw new Wrong("the file in it is gone");
    },
  ],
  unknown: [
    "an unknown fid is refused",
    async (c) => {
      const p = await c.open();
      await p.refused({ type: F.Tremove, fid: 4242 }, "a Tremove of an unknown fid");
    },
  ],
});

/** What no name may hold. */
const characters: Check[] = section("intro(5)", {
  characters: [
    "a new file with a slash or a NUL in its name is refused",
    async (c) => {
      const p = await c.open();
      for (const [name, said] of [
        ["a/b", "a/b"],
        ["a\0b", "a name with a NUL"],
      ] as const) {
        const fid = await p.walk(c.scratch);
        await p.refused(
          { type: F.Tcreate, fid, name, perm: 0o666, mode: OREAD },
          `a Tcreate of ${said}`,
        );
      }
    },
  ],
});

/** A frame that no client may send. */
const rude: Check[] = section("walk(5)", {
  seventeen: [
    "more than sixteen names are refused",
    async (c) => {
      const p = await c.open();
      const n = MAXWELEM + 1;
      const body = [
        0,
        0,
        0,
        0,
        9,
        0,
        0,
        0,
        n,
        0,
        ...Array.from({ length: n }, () => [2, 0, 46, 46]).flat(),
      ];
      await p.rejected(
        new Uint8Array([body.length + 7, 0, 0, 0, F.Twalk, 1, 0, ...body]),
        "a walk of 17 names",
      );
    },
  ],
});

/** The checks of this file. */
export const names: readonly Check[] = [...walk, ...open, ...create, ...characters, ...remove];

/** Those that come last. */
export const rudenames: readonly Check[] = rude;
