// The packet capture as Debian's tshark reads it: every message of 9P2000 as we meant it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { ExecutionContext } from "ava";
import { DMDIR, OREAD, ORDWR, OSTREAM } from "../../kernel/abi/const.ts";
import { convM2D } from "../../kernel/abi/dir.ts";
import type { Qid } from "../../kernel/abi/dir.ts";
import * as F from "../../kernel/abi/fcall.ts";
import { fcallfmt } from "../../kernel/abi/fcallfmt.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { Pcapng } from "../../userland/view/export/pcapng.ts";
import type { Tell } from "../../userland/view/record/recorder.ts";
import { dial } from "../../userland/lib/dial.ts";
import { failure, put } from "../kit/kit.ts";
import { recorded } from "../kit/recorded.ts";
import { directory, namec } from "../kit/cli.ts";
import { fields, tshark } from "../kit/tshark.ts";

/** The fields of 9P2000, of each message all that it has. */
const FIELDS = [
  "9p.msglen",
  "9p.msgtype",
  "9p.tag",
  "9p.oldtag",
  "9p.maxsize",
  "9p.version",
  "9p.fid",
  "9p.afid",
  "9p.newfid",
  "9p.uname",
  "9p.aname",
  "9p.ename",
  "9p.nwalk",
  "9p.wname",
  "9p.nqid",
  "9p.qidtype",
  "9p.qidvers",
  "9p.qidpath",
  "9p.mode",
  "9p.iounit",
  "9p.filename",
  "9p.perm",
  "9p.offset",
  "9p.count",
  "9p.statmode",
  "9p.length",
  "9p.user",
  "9p.group",
  "9p.muid",
] as const;

type Decoded = Partial<Record<(typeof FIELDS)[number], readonly (string | number | bigint)[]>>;

/** What a decoder must say of a message. */
function decoded(f: F.Fcall): Decoded {
  const all = { "9p.msglen": [F.sizeS2M(f)], "9p.msgtype": [f.type], "9p.tag": [f.tag] };
  return { ...all, ...(F.isT(f) ? request(f) : reply(f)) };
}

function request(f: F.Tmsg): Decoded {
  const fid = "fid" in f ? { "9p.fid": [f.fid] } : {};
  switch (f.type) {
    case F.Tversion:
      return { "9p.maxsize": [f.msize], "9p.version": [f.version] };
    case F.Tauth:
    case F.Tattach:
      return { ...fid, "9p.afid": [f.afid], "9p.uname": [f.uname], "9p.aname": [f.aname] };
    case F.Tflush:
      return { "9p.oldtag": [f.oldtag] };
    case F.Twalk: {
      const { length } = f.wname;
      return { ...fid, "9p.newfid": [f.newfid], "9p.nwalk": [length], "9p.wname": f.wname };
    }
    case F.Topen:
      return { ...fid, "9p.mode": [f.mode] };
    case F.Tcreate:
      return { ...fid, "9p.filename": [f.name], "9p.perm": [f.perm], "9p.mode": [f.mode] };
    case F.Tread:
      return { ...fid, "9p.offset": [f.offset], "9p.count": [f.count] };
    case F.Twrite:
      return { ...fid, "9p.offset": [f.offset], "9p.count": [f.data.length] };
    case F.Twstat:
      return { ...fid, ...stat(f.stat) };
    case F.Tclunk:
    case F.Tremove:
    case F.Tstat:
      return fid;
    default: // Tshark does not know what newer versions have.
      return {};
  }
}

function reply(f: F.Rmsg): Decoded {
  switch (f.type) {
    case F.Rversion:
      return { "9p.maxsize": [f.msize], "9p.version": [f.version] };
    case F.Rauth:
      return qids([f.aqid]);
    case F.Rattach:
      return qids([f.qid]);
    case F.Rerror:
      return { "9p.ename": [f.ename] };
    case F.Rwalk:
      return { "9p.nqid": [f.wqid.length], ...qids(f.wqid) };
    case F.Ropen:
    case F.Rcreate:
      return { ...qids([f.qid]), "9p.iounit": [f.iounit] };
    case F.Rread:
      return { "9p.count": [f.data.length] };
    case F.Rwrite:
      return { "9p.count": [f.count] };
    case F.Rstat:
      return stat(f.stat);
    default:
      return {};
  }
}

function qids(list: readonly Qid[]): Decoded {
  return {
    "9p.qidtype": list.map((q) => q.type),
    "9p.qidvers": list.map((q) => q.vers),
    "9p.qidpath": list.map((q) => BigInt.asUintN(64, q.path)),
  };
}

function stat(bytes: Uint8Array): Decoded {
  const d = convM2D(bytes, 0, bytes.length)?.dir;
  if (d === undefined) throw new Error("no entry");
  return {
    ...qids([d.qid]),
    "9p.statmode": [d.mode],
    "9p.length": [d.length],
    "9p.filename": [d.name],
    "9p.user": [d.uid],
    "9p.group": [d.gid],
    "9p.muid": [d.muid],
  };
}

/** Numbers in decimal, whatever base they were shown in; what is empty is not shown. */
function plain(values: readonly (string | number | bigint)[]): string[] {
  return values
    .map((v) => (String(v).startsWith("0x") ? String(BigInt(v)) : String(v)))
    .filter(Boolean);
}

/** A program that makes the kernel send every request that it has. */
async function everything(sys: Sys): Promise<void> {
  await sys.close(await sys.create("/n/far/dir", OREAD, DMDIR | 0o775));
  await put(sys, "/n/far/dir/größe", "x".repeat(70_000));
  await failure(sys.open("/n/far/dir/none/such", OREAD));
  const fd = await sys.open("/n/far/dir/größe", ORDWR);
  const buf = new Uint8Array(100_000);
  while ((await sys.read(fd, buf)) > 0);
  await sys.pread(fd, buf, 5_000_000_000);
  const run = await sys.open("/n/far/dir/größe", OREAD | OSTREAM);
  while ((await sys.sread(run, buf)) > 0);
  await sys.close(run);
  await sys.wstat("/n/far/dir/größe", { mode: 0o600, length: 3 });
  await sys.stat("/n/far/dir/größe");
  await sys.notify(async (_note, at) => (at as Sys).noted(0));
  await sys.alarm(10);
  await sys.stat("/n/far/dir");
  await sys.notify(null);
  await failure(sys.fauth(await dial(sys, "tcp!far!9fs"), ""));
  await sys.close(fd);
  await sys.remove("/n/far/dir/größe");
}

/** Every request of 9P2000. */
const REQUESTS = [
  F.Tversion,
  F.Tauth,
  F.Tattach,
  F.Tflush,
  F.Twalk,
  F.Topen,
  F.Tcreate,
  F.Tread,
  F.Twrite,
  F.Tclunk,
  F.Tremove,
  F.Tstat,
  F.Twstat,
];

/** A message as it was when it was sent or came, and what a decoder must say of it. */
type Heard = { readonly type: number; readonly text: string; readonly decoded: Decoded };

/** Captures the program that sends everything, in a file; and the messages that there were. */
async function captured(t: ExecutionContext, version: string): Promise<[string, Heard[]]> {
  const pieces: Uint8Array[] = [];
  const heard: Heard[] = [];
  const pcap = new Pcapng((b) => pieces.push(b), 0n, "test");
  const tell: Tell = (e, r, full) => {
    pcap.take(e, r, full);
    if (full === null) return;
    heard.push({ type: full.type, text: fcallfmt(full), decoded: decoded(full) });
  };
  await recorded(everything, { limit: 0, snap: 0, version, tell, before: tell });
  pcap.finish();
  const file = join(directory(t, {}), "x.pcapng");
  writeFileSync(file, Buffer.concat(pieces));
  return [file, heard];
}

const NINEP = 'frame.protocols contains "9p"';
const NOTE = 0x400000;
const BAD = `_ws.malformed || _ws.expert.severity >= ${NOTE}`;

for (const version of ["9P2000", "9P2000.ix", "9P2000.ix.stream"])
  test(`tshark decodes every message of 9P2000 as we meant it (${version})`, async (t) => {
    const [file, heard] = await captured(t, version);
    const packets = fields(file, NINEP, [...FIELDS, "_ws.col.Info"]);
    t.is(packets.length, heard.length);
    for (const [i, { type, text, decoded: d }] of heard.entries()) {
      const got = packets[i] ?? {};
      if (type === F.Tstream || type === F.Rstream)
        t.deepEqual(got["_ws.col.Info"], [`9P Data (Message type ${type})`]);
      else
        for (const name of FIELDS) t.deepEqual(plain(got[name] ?? []), plain(d[name] ?? []), text);
    }
    t.deepEqual(tshark(file, ["-Y", BAD]), []);
    const types = new Set(heard.map((h) => h.type));
    const streams = version.endsWith(".stream");
    t.deepEqual(
      [...types].filter((n) => n % 2 === 0).toSorted((a, b) => a - b),
      [...REQUESTS, ...(streams ? [F.Tstream] : [])],
    );
    t.is(types.has(F.Rstream), streams);
  });

test("namec run --pcap: each packet has its interface and the call with its line", async (t) => {
  const dir = directory(t, {
    "main.ts": `import { type Sys } from "namec";
export default async function main(sys: Sys): Promise<void> {
  await sys.stat("/n/far/.");
  await sys.stat("/n/near/.");
}
`,
  });
  const hosts = ["--host", "far:rtt=50ms", "--host", "near:rtt=1ms"];
  const args = ["run", "--virtual", ...hosts, "--pcap", "x.pcapng", "--summary", "main.ts"];
  const ended = await namec(args, "", dir);
  t.is(ended.status, 0, ended.err);
  const file = join(dir, "x.pcapng");
  const packets = fields(file, NINEP, ["frame.interface_name", "frame.comment", "9p.msgtype"]);
  const said = packets.map((p) =>
    [p["frame.interface_name"]?.[0], p["frame.comment"]?.[0]].join(" "),
  );
  for (const host of ["far", "near"]) {
    t.is(said.filter((s) => s === `${host}!564 pid 2 (mount)`).length, 4);
    const line = host === "far" ? 3 : 4;
    t.is(
      said.filter((s) => s === `${host}!564 pid 3 stat("/n/${host}/.") main.ts:${line}`).length,
      2,
    );
  }
  const [, total = ""] = /(\d+) +\d+  total$/m.exec(ended.err) ?? [];
  t.is(packets.length, Number(total) + 8);
  t.deepEqual(tshark(file, ["-Y", BAD]), []);
});
