// The conformance run: our servers pass it, and each of its checks fails against a server that is wrong in the way
// that the check is about. The wrong servers are good ones with a machine before them that edits messages.

import test from "ava";
import { DMAPPEND, DMDIR, DMEXCL, ORCLOSE, OTRUNC, QTDIR } from "../../kernel/abi/const.ts";
import { convM2D } from "../../kernel/abi/dir.ts";
import { error } from "../../kernel/abi/errors.ts";
import type { Dir, Qid } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import type { Rmsg, Tmsg } from "../../kernel/abi/fcall.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { newexport } from "../../userland/lib/export.ts";
import { Unreachable, checks, verify } from "../../userland/lib/verify/verify.ts";
import type { Result, Verifyopts } from "../../userland/lib/verify/verify.ts";
import { sums } from "../../examples/clone.ts";
import { fossil, machine } from "../../userland/testing/index.ts";
import type { Machine, Serveropts } from "../../userland/testing/index.ts";
import { middle } from "../kit/middle.ts";
import type { Edit } from "../kit/middle.ts";
import { packdir } from "../kit/frames.ts";

/** What a run from `here` finds at an address. */
async function found(m: Machine, addr: string, opts: Verifyopts): Promise<Result[]> {
  let results: Result[] = [];
  await m.run(
    async function verifies(sys: Sys) {
      results = await verify(sys, { addr, uname: "glenda", aname: "", patience: 1000 }, opts);
    },
    { calls: 1_000_000 },
  );
  return results;
}

async function ofserver(server: Serveropts, opts: Verifyopts = {}): Promise<Result[]> {
  const m = await machine();
  await m.server("far", { on: null, ...server });
  const results = await found(m, "tcp!far!9fs", opts);
  await m.end();
  return results;
}

const failed = (results: readonly Result[]): string[] =>
  results.filter((r) => r.outcome === "fail").map((r) => `${r.id}: ${r.message}`);

const SERVERS: Readonly<Record<string, Serveropts>> = {
  ramfs: {},
  "ramfs, of 9P2000 only": { version: "9P2000" },
  fossil: { serve: fossil() },
  exportfs: { serve: (sys) => newexport(sys, { root: "/tmp" }) },
};

for (const [name, server] of Object.entries(SERVERS))
  test(`${name} passes all checks, and nothing of them is left`, async (t) => {
    const m = await machine();
    const far = await m.server("far", { on: null, ...server });
    const results = await found(m, "tcp!far!9fs", {});
    t.deepEqual(
      failed(results).filter((text) => !ADVICE.test(text)),
      [],
    );
    t.is(results.length, checks.length + 1);
    const skipped = results.filter((r) => r.outcome === "skip").map((r) => r.id);
    t.deepEqual(
      skipped.filter((id) => !id.startsWith("9P2000.ix.") || server.version === undefined),
      [],
    );
    t.deepEqual(
      Object.keys(await far.files()).filter((name) => name.startsWith("verify-")),
      [],
    );
    await m.end();
  });

/** A new directory is open to be read, whatever the mode was; and a wstat ignores what it cannot change, as Plan 9's ramfs. */
const ADVICE = /^(?:create\.directorymode|stat\.fixed): /;

test("what cannot be written is only read, and the checks that write say why not", async (t) => {
  const files = { usr: { ken: "hello" } };
  const results = await ofserver({ files }, { readonly: true });
  t.deepEqual(failed(results), []);
  t.true(results.filter((r) => r.outcome === "pass").length > 50);
  t.true(results.some((r) => r.outcome === "skip" && r.message === "--readonly"));
  const clone = await ofserver({ serve: sums });
  t.deepEqual(failed(clone), []);
  t.regex(
    clone.find((r) => r.id === "create.file")?.message ?? "",
    /^no directory for it can be made in \/: create prohibited$/,
  );
  t.true(clone.every((r) => r.id !== "remove.everything"));
});

test("a server that takes no call, and one without a root, cannot be verified", async (t) => {
  const m = await machine();
  const refuses = (): never => error("no tree");
  const qid = (): Qid => QID;
  await m.server("far", {
    on: null,
    serve: () => ({ attach: refuses, qid, stat: refuses }),
  });
  const main = (addr: string, message: RegExp) => async (sys: Sys) => {
    const target = { addr, uname: "glenda", aname: "no-such-tree", patience: 100 };
    await t.throwsAsync(verify(sys, target), { instanceOf: Unreachable, message });
  };
  await m.run(main("tcp!far!7", /^it takes no call: connection refused$/));
  await m.run(main("tcp!far!9fs", /^Tattach .* failed: no tree$/));
  await m.end();
});

const QID: Qid = { path: 1n, vers: 0, type: 0 };

/** A reply that grants what was asked. */
function granted(t: Tmsg): Rmsg {
  const { tag } = t;
  const data = new Uint8Array(1);
  switch (t.type) {
    case F.Tauth:
      return { type: F.Rauth, tag, aqid: QID };
    case F.Tattach:
      return { type: F.Rattach, tag, qid: { ...QID, type: QTDIR } };
    case F.Twalk:
      return { type: F.Rwalk, tag, wqid: t.wname.map(() => QID) };
    case F.Topen:
      return { type: F.Ropen, tag, qid: QID, iounit: 0 };
    case F.Tcreate:
      return { type: F.Rcreate, tag, qid: QID, iounit: 0 };
    case F.Tread:
      return { type: F.Rread, tag, data };
    case F.Twrite:
      return { type: F.Rwrite, tag, count: 0 };
    case F.Tstat:
      return {
        type: F.Rstat,
        tag,
        stat: packdir({ name: "x", qid: QID, mode: 0, length: 0 }),
      };
    case F.Tversion:
      return { type: F.Rversion, tag, msize: t.msize, version: "9P2000" };
    case F.Tstream:
      return { type: F.Rstream, tag, data };
    default:
      return { type: t.type + 1, tag } as Rmsg;
  }
}

/** Every refusal becomes a consent. */
const yes: Edit = { r: (r, t) => [r.type === F.Rerror ? granted(t) : r] };
/** Behind the first two connections, with which the run looks at the server. */
const LATER = 3;
const no = (...types: readonly number[]): Edit => ({
  from: LATER,
  r: (r, t) => [types.includes(t.type) ? { type: F.Rerror, tag: r.tag, ename: "no" } : r],
});
/** Edits what stat entries say. */
const stats = (fn: (d: Dir, n: number) => Partial<Dir>, from = LATER): Edit => {
  let n = 0;
  return {
    from,
    r: (r) => {
      if (r.type !== F.Rstat) return [r];
      const e = convM2D(r.stat, 0, r.stat.length);
      return e === null ? [r] : [{ ...r, stat: packdir({ ...e.dir, ...fn(e.dir, ++n) }) }];
    },
  };
};
const asks = (fn: (t: Tmsg) => Tmsg | Rmsg, r?: Edit["r"]): Edit => ({
  from: LATER,
  t: fn,
  ...(r !== undefined && { r }),
});
const reads = (fn: (data: Uint8Array, t: Tmsg & { type: typeof F.Tread }) => Uint8Array): Edit => ({
  from: LATER,
  r: (r, t) => [r.type === F.Rread && t.type === F.Tread ? { ...r, data: fn(r.data, t) } : r],
});
const all = (page: string, ...ids: readonly string[]): string[] => ids.map((id) => `${page}.${id}`);

/** Replies wait until one with another tag has come. */
function behind(): Edit {
  let held: Rmsg[] = [];
  return {
    from: LATER,
    r: (r) => {
      if (r.type === F.Rstat) return (held.push(r), []);
      const out = [r, ...held];
      held = [];
      return out;
    },
  };
}

/** The replies of a tag, the last one first. */
function backwards(): Edit {
  const held: Rmsg[] = [];
  return {
    from: LATER,
    r: (r, t) => {
      if (t.tag !== 7) return [r];
      held.unshift(r);
      return held.length === 3 ? held.splice(0) : [];
    },
  };
}

type Mutant = readonly [edit: Edit, kills: readonly string[]];

const clunked = (t: Tmsg): Tmsg => (t.type === F.Tremove ? { ...t, type: F.Tclunk } : t);
const done = (r: Rmsg, t: Tmsg): readonly Rmsg[] =>
  t.type === F.Tremove && r.type === F.Rclunk ? [{ type: F.Rremove, tag: r.tag }] : [r];
const swallowed = (t: Tmsg): Tmsg | Rmsg =>
  t.type === F.Twstat ? { type: F.Rwstat, tag: t.tag } : t;
const without = (bits: number) => (t: Tmsg) =>
  t.type === F.Topen || t.type === F.Tcreate ? { ...t, mode: t.mode & ~bits } : t;

const refusal = ({ tag }: Tmsg): Rmsg => ({ type: F.Rerror, tag, ename: "no" });
/** A bit of the mode that stat gives to each file, and that no file is made with. */
function marked(bit: number): Edit {
  const { r } = stats((d) => ({ mode: (d.mode | bit) >>> 0 }));
  return asks((t) => (t.type === F.Tcreate ? { ...t, perm: (t.perm & ~bit) >>> 0 } : t), r);
}

/** Wrong servers, and the checks that find each. */
const MUTANTS: Readonly<Record<string, () => Mutant>> = {
  "refuses nothing": () => [
    yes,
    [
      ...all("version", "reset", "first"),
      ...all("attach", "fidinuse", "badafid"),
      ...all("clunk", "gone", "unknown", "open"),
      ...all("intro", "connections"),
      ...all("walk", "unknownfid", "newfidinuse", "missing", "partial", "file", "open"),
      ...all("open", "unknown", "twice", "directory", "permission", "executes"),
      ...all("create", "exists", "dots", "empty", "infile", "directorymode", "open"),
      ...all("remove", "full", "unknown"),
      ...all("read", "unopened", "writeonly", "readonly", "seek", "offset"),
      ...all("read", "lastoffset", "lastwrite"),
      "intro.utf",
      "intro.characters",
      ...all("stat", "unknown", "renameexists", "renameslash", "renamedots", "fixed"),
      ...all("stat", "directorycut", "malformed"),
      "9P2000.ix.failure",
    ],
  ],
  "speaks a version of its own": () => [
    { from: LATER, r: (r) => [r.type === F.Rversion ? { ...r, version: "9P2000.u" } : r] },
    all("version", "same", "unknown", "suffix"),
  ],
  "sends more than msize": () => [
    reads(() => new Uint8Array(9000)),
    ["version.msize", "read.clipped", "read.nothing", "read.smallcount"],
  ],
  "has a root that is no directory": () => [
    { from: LATER, r: (r) => [r.type === F.Rattach ? { ...r, qid: QID } : r] },
    ["attach.root"],
  ],
  "has another root for each attach": () => [
    {
      from: LATER,
      r: (r) => [r.type === F.Rattach ? { ...r, qid: { ...r.qid, path: r.qid.path + 9n } } : r],
    },
    ["attach.twice"],
  ],
  "answers Tauth with something else": () => [
    { from: LATER, r: (r, t) => [t.type === F.Tauth ? { type: F.Rclunk, tag: r.tag } : r] },
    ["attach.auth"],
  ],
  "knows no Tflush": () => [no(F.Tflush), ["flush.unknown"]],
  "answers what was flushed": () => [behind(), ["flush.order"]],
  "loses a Tflush": () => [
    { from: LATER, r: (r) => (r.type === F.Rflush && r.tag === 3 ? [] : [r]) },
    ["flush.twice"],
  ],
  "answers twice": () => [
    { from: LATER, r: (r) => (r.type === F.Rstat ? [r, r] : [r]) },
    ["intro.tags"],
  ],
  "cannot stat": () => [no(F.Tstat), ["intro.pieces", "walk.clone"]],
  "takes whatever comes": () => [
    { from: LATER, bad: () => ({ type: F.Rclunk, tag: 1 }) },
    [
      ...all("intro", "type", "reply", "short", "long", "fixed", "string", "names", "data"),
      "walk.seventeen",
    ],
  ],
  "dies of rubbish": () => [{ from: LATER, dies: true }, all("intro", "rubbish", "vanishes")],
  "answers a group backwards": () => [backwards(), ["9P2000.ix.order"]],
  "ignores OTRUNC": () => [asks(without(OTRUNC)), ["9P2000.ix.truncate", "open.truncate"]],
  "ends a stream too early": () => [
    {
      from: LATER,
      r: (r) => [r.type === F.Rstream ? { ...r, data: r.data.subarray(0, 3) } : r],
    },
    ["9P2000.ix.stream"],
  ],
  "has a qid for each look": () => [
    stats((d, n) => ({ qid: { ...d.qid, path: d.qid.path + BigInt(n) } })),
    [
      "walk.clone",
      "walk.partialinplace",
      "walk.inplace",
      "walk.dotdot",
      "walk.qid",
      "open.qid",
      "read.entries",
    ],
  ],
  "has one qid for all files": () => [
    stats((d) => ({ qid: { ...d.qid, path: 5n } })),
    ["intro.qids", "intro.newqid", "create.qid"],
  ],
  "refuses a walk that goes nowhere": () => [
    asks((t) => (t.type === F.Twalk && t.fid === t.newfid ? refusal(t) : t)),
    ["walk.self"],
  ],
  "has no fids of files that were removed": () => {
    let removed = false;
    return [
      asks((t) => {
        removed ||= t.type === F.Tremove;
        return removed && t.type === F.Tclunk ? refusal(t) : t;
      }),
      ["remove.held"],
    ];
  },
  "says that a file is for exclusive use": () => [marked(DMEXCL), ["create.exclusive"]],
  "takes no small msize": () => [
    asks((t) => (t.type === F.Tversion ? { ...t, type: F.Rversion, msize: 9000 } : t)),
    ["version.same", "version.msize", "version.tiny"],
  ],
  "walks eight names": () => [
    { from: LATER, r: (r) => [r.type === F.Rwalk ? { ...r, wqid: r.wqid.slice(0, 8) } : r] },
    ["walk.sixteen"],
  ],
  "has an iounit beyond msize": () => [
    { from: LATER, r: (r) => [r.type === F.Ropen ? { ...r, iounit: 1e6 } : r] },
    ["open.iounit"],
  ],
  "ignores ORCLOSE": () => [asks(without(ORCLOSE)), ["open.rclose"]],
  "has another name for each file": () => [
    stats(() => ({ name: "other" })),
    ["create.file", "stat.name", "stat.rename", "stat.renamefids"],
  ],
  "makes files for directories": () => [
    asks((t) => (t.type === F.Tcreate ? { ...t, perm: (t.perm & ~DMDIR) >>> 0 } : t)),
    ["create.directory"],
  ],
  "gives all permissions": () => [
    stats((d) => ({ mode: (d.mode | 0o777) >>> 0 })),
    ["create.permissions", "stat.mode"],
  ],
  "removes nothing": () => [asks(clunked, done), ["remove.file", "remove.everything"]],
  "has a byte behind the end": () => [
    reads((data) => (data.length === 0 ? new Uint8Array(1) : data)),
    ["read.end", "read.nothing"],
  ],
  "writes elsewhere": () => [
    asks((t) => (t.type === F.Twrite ? { ...t, offset: 0 } : t)),
    ["read.hole", "read.written"],
  ],
  "says that a file is append-only": () => [marked(DMAPPEND), ["read.append"]],
  "cuts entries": () => [reads((data) => data.subarray(0, -1)), ["read.entries", "read.again"]],
  "shows a directory in part": () => [
    reads((data, t) => (t.offset === 0 ? data : new Uint8Array(0))),
    ["read.many"],
  ],
  "has the type of the other kind": () => [
    stats((d) => ({ qid: { ...d.qid, type: d.qid.type ^ QTDIR } })),
    ["stat.entry"],
  ],
  "has directories with a length": () => [
    stats((d) => ({ length: d.length + 1 })),
    ["stat.directorylength", "stat.length"],
  ],
  "has one version of each file": () => [
    stats((d) => ({ qid: { ...d.qid, vers: 0 } })),
    ["stat.vers"],
  ],
  "cannot wstat": () => [no(F.Twstat), ["stat.nothing"]],
  "says that it did a wstat": () => [
    asks(swallowed),
    all("stat", "rename", "truncate", "mode", "mtime"),
  ],
  "makes a directory of any file": () => [
    stats((d) => ({ mode: (d.mode | DMDIR) >>> 0 })),
    ["stat.directorybit"],
  ],
  "does half of a wstat": () => [
    asks(
      (t) => {
        const e = t.type === F.Twstat ? convM2D(t.stat, 0, t.stat.length) : null;
        if (t.type !== F.Twstat || e === null || e.dir.name !== "halfdone") return t;
        return { ...t, stat: packdir({ name: "halfdone" }) };
      },
      (r, t) => [t.type === F.Twstat ? { type: F.Rerror, tag: r.tag, ename: "no" } : r],
    ),
    ["stat.allornothing"],
  ],
};

for (const [name, make] of Object.entries(MUTANTS))
  test(`a server that ${name} is found`, async (t) => {
    const [edit, kills] = make();
    const m = await machine();
    await m.server("far", { on: null });
    const mid = await m.net.boot("mid");
    m.net.link("here", "mid", { rtt: "1ms" });
    m.net.link("mid", "far", { rtt: "1ms" });
    mid.spawn(middle("tcp!far!9fs", edit), ["middle"]);
    const only = kills.filter((id) => id !== "remove.everything");
    const results = await found(m, "tcp!mid!9fs", { only });
    const bad = results.filter((r) => r.outcome === "fail").map((r) => r.id);
    t.deepEqual(
      kills.filter((id) => !bad.includes(id)),
      [],
      results.map((r) => `${r.id} ${r.outcome} ${r.message}`).join("\n"),
    );
    await m.net.shutdown();
  });

test("what cannot be removed is told, and the rest of what the checks made is removed", async (t) => {
  const m = await machine();
  const far = await m.server("far", { on: null });
  const mid = await m.net.boot("mid");
  m.net.link("here", "mid", { rtt: "1ms" });
  m.net.link("mid", "far", { rtt: "1ms" });
  const stuck = (t_: Tmsg): Tmsg | Rmsg =>
    t_.type === F.Twalk && t_.wname.at(-1) === "afile" ? refusal(t_) : t_;
  mid.spawn(middle("tcp!far!9fs", { from: LATER, t: stuck }), ["middle"]);
  const results = await found(m, "tcp!mid!9fs", { only: ["create.file"] });
  t.regex(
    failed(results).join(),
    /^remove\.everything: \/verify-\w+ is left: Twalk .*afile.* failed: no$/,
  );
  const [made] = Object.values(await far.files());
  t.deepEqual(Object.keys(made as object), ["afile"]);
  await m.net.shutdown();
});

test("no check is without a server that fails it", (t) => {
  const killed = new Set(Object.values(MUTANTS).flatMap((make) => make()[1]));
  t.deepEqual(
    checks.map((c) => c.id).filter((id) => !killed.has(id)),
    [],
  );
});
