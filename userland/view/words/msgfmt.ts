// A 9P message in a few words, for views that show many: fids by number, names by name, data by its
// length. The whole of a message is fcallfmt's to print. Pure.
//
//	Twalk 1 → 3 a/b    Rwalk 2 qids    Tread 3 at 0    Rread 6 "hello\n"

import * as F from "../../../kernel/abi/fcall.ts";
import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { convM2D, dirwstat } from "../../../kernel/abi/dir.ts";
import type { Dir } from "../../../kernel/abi/dir.ts";
import { datafmt, openmode, valuefmt } from "./callfmt.ts";
import { plural } from "./sentence.ts";

/** The message, shortly; `bytes` is its size on the wire, of one whose data may have been cut. */
export function msgfmt(f: Fcall, bytes: number = 0): string {
  const whole = "data" in f ? bytes - (F.sizeS2M(f) - f.data.length) : 0;
  if ("data" in f && f.data.length < whole) return cutfmt(f, whole);
  return F.isT(f) ? request(f) : reply(f);
}

/** "Twalk" */
export const msgname = (f: Fcall): string => msgfmt(f).replace(/ .*/s, "");

/** A message of which not all data is there. */
function cutfmt(f: Extract<Fcall, { data: Uint8Array }>, whole: number): string {
  const some = `${datafmt(f.data.subarray(0, SOME))}… (${whole})`;
  switch (f.type) {
    case F.Twrite:
      return `Twrite ${f.fid} at ${f.offset} ${some}`;
    case F.Rread:
      return `Rread ${whole} ${some}`;
    case F.Rstream:
      return `Rstream ${whole} ${some}`;
  }
}

/** Bytes of data that are shown of a message that was cut. */
const SOME = 32;

function request(f: F.Tmsg): string {
  switch (f.type) {
    case F.Tversion:
      return `Tversion ${f.version}, ${f.msize}`;
    case F.Tauth:
      return `Tauth ${f.uname}`;
    case F.Tattach:
      return `Tattach ${f.fid} as ${f.uname}${f.aname === "" ? "" : ` to ${f.aname}`}`;
    case F.Tflush:
      return `Tflush tag ${f.oldtag}`;
    case F.Twalk:
      return `Twalk ${f.fid} → ${f.newfid} ${f.wname.join("/")}`.trimEnd();
    case F.Topen:
      return `Topen ${f.fid} ${openmode(f.mode)}`;
    case F.Tcreate:
      return `Tcreate ${f.fid} ${f.name} ${openmode(f.mode)}`;
    case F.Tread:
      return `Tread ${f.fid} ${f.count} at ${f.offset}`;
    case F.Twrite:
      return `Twrite ${f.fid} at ${f.offset} ${valuefmt(f.data)}`;
    case F.Tclunk:
      return `Tclunk ${f.fid}`;
    case F.Tremove:
      return `Tremove ${f.fid}`;
    case F.Tstat:
      return `Tstat ${f.fid}`;
    case F.Twstat:
      return `Twstat ${f.fid} ${changed(f.stat).join(" ")}`;
    case F.Tstream:
      return `Tstream ${f.fid} at ${f.offset}`;
  }
}

function reply(f: F.Rmsg): string {
  switch (f.type) {
    case F.Rversion:
      return `Rversion ${f.version}, ${f.msize}`;
    case F.Rerror:
      return `Rerror ${f.ename}`;
    case F.Rwalk:
      return `Rwalk ${plural(f.wqid.length, "qid")}`;
    case F.Rread:
      return f.data.length === 0 ? "Rread 0" : `Rread ${f.data.length} ${datafmt(f.data)}`;
    case F.Rstream:
      return f.data.length === 0 ? "Rstream 0" : `Rstream ${f.data.length} ${datafmt(f.data)}`;
    case F.Rwrite:
      return `Rwrite ${f.count}`;
    case F.Rstat: {
      const d = entry(f.stat);
      return d === null ? "Rstat" : `Rstat ${d.name}, ${plural(d.length, "byte")}`;
    }
    case F.Rauth:
      return "Rauth";
    case F.Rattach:
      return "Rattach";
    case F.Rflush:
      return "Rflush";
    case F.Ropen:
      return "Ropen";
    case F.Rcreate:
      return "Rcreate";
    case F.Rclunk:
      return "Rclunk";
    case F.Rremove:
      return "Rremove";
    case F.Rwstat:
      return "Rwstat";
  }
}

function entry(stat: Uint8Array): Dir | null {
  return convM2D(stat, 0, stat.length)?.dir ?? null;
}

/** What the data of a Twstat asks to change: "mode 0644", 'name "x"'. */
export function changed(stat: Uint8Array): string[] {
  const d = entry(stat);
  if (d === null) return [];
  return Object.entries(dirwstat(d)).map(([key, v]) =>
    key === "mode" && typeof v === "number"
      ? `mode 0${(v & 0o777).toString(8)}`
      : `${key} ${valuefmt(v)}`,
  );
}
