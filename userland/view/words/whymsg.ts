// 9P messages in sentences: what a request asks for and whom, what an answer says, and why it was sent or
// what follows from it.

import {
  DMDIR,
  OEXEC,
  ORCLOSE,
  OREAD,
  ORDWR,
  OTRUNC,
  OWRITE,
  QTDIR,
} from "../../../kernel/abi/const.ts";
import { convM2D } from "../../../kernel/abi/dir.ts";
import * as F from "../../../kernel/abi/fcall.ts";
import type { Recording, Revent } from "../record/recording.ts";
import { changed, msgfmt } from "./msgfmt.ts";
import { plural, timefmt } from "./stepfmt.ts";
import { fidname, serverof } from "./who.ts";
import { because } from "./whyerror.ts";
import type { At, Decision } from "./whystep.ts";

type Send = Revent & { type: "send" };
type Receive = Revent & { type: "receive" };

/** "Twalk" */
const nameof = (f: F.Fcall): string => msgfmt(f).replace(/ .*/s, "");
const capital = (s: string): string => s.charAt(0).toUpperCase() + s.slice(1);

/** What a fid stands for: "a/b/c (fid 4)", "its root (fid 0)", "fid 4". */
function fidof(a: At, conn: number, fid: number): string {
  const name = fidname(a.r, { conn, event: a.event }, fid);
  if (name === undefined) return `fid ${fid}`;
  return `${name === "" ? "its root" : name} (fid ${fid})`;
}

/** A request. */
export function sendwhy(a: At, e: Send): Decision {
  const t = e.fcall;
  const to = serverof(a.r, e.conn);
  if (!F.isT(t)) return { what: `${capital(to)} is sent an answer.`, why: "It asked." };
  const what = `${capital(to)} ${asked(a, e, t)}.`;
  return { what, why: sentence(reason(a, e, t)) };
}

const sentence = (s: string): string => `${capital(s)}.`;

/** What the server is asked: "is asked to walk a/b from its root (fid 0); ...". */
function asked(a: At, e: Send, t: F.Tmsg): string {
  const fid = (n: number): string => fidof(a, e.conn, n);
  switch (t.type) {
    case F.Tversion:
      return `is asked to speak ${t.version}, with messages of at most ${plural(t.msize, "byte")}`;
    case F.Tauth:
      return `is asked for a file through which ${t.uname} can prove who that is`;
    case F.Tattach:
      return `is asked for the root of its tree, as fid ${t.fid}, for user ${t.uname}`;
    case F.Tflush:
      return `is told that the answer to the request with tag ${t.oldtag} is not wanted any more`;
    case F.Twalk:
      if (t.wname.length === 0)
        return `is asked for a second handle, fid ${t.newfid}, on ${fidof(a, e.conn, t.fid)}`;
      return `is asked to walk ${t.wname.join("/")} from ${fid(t.fid)}; where that leads is to be fid ${t.newfid}`;
    case F.Topen:
      return `is asked to open ${fid(t.fid)} ${openwords(t.mode)}`;
    case F.Tcreate:
      return `is asked to create the ${(t.perm & DMDIR) === 0 ? "file" : "directory"} ${t.name} in ${fid(t.fid)} and open it ${openwords(t.mode & ~OTRUNC)}${therewords(t)}`;
    case F.Tread:
      return `is asked for ${plural(t.count, "byte")} of ${fid(t.fid)}, from byte ${t.offset} on`;
    case F.Tstream:
      return `is asked to send the data of ${fid(t.fid)} from byte ${t.offset} on as it comes`;
    case F.Twrite:
      return `is sent ${plural(carried(e), "byte")} for ${fid(t.fid)}, from byte ${t.offset} on`;
    case F.Tclunk:
      return `is told that ${fid(t.fid)} is not needed any more`;
    case F.Tremove:
      return `is asked to remove ${fid(t.fid)}`;
    case F.Tstat:
      return `is asked what it knows of ${fid(t.fid)}: its length, owner, mode and times`;
    case F.Twstat:
      return `is asked to change what it knows of ${fid(t.fid)}${changes(t.stat)}`;
  }
}

const ACCESS: Readonly<Record<number, string>> = {
  [OREAD]: "for reading",
  [OWRITE]: "for writing",
  [ORDWR]: "for reading and writing",
  [OEXEC]: "to be run",
};

function openwords(mode: number): string {
  const more = [
    (mode & OTRUNC) !== 0 ? ", and empty it" : "",
    (mode & ORCLOSE) !== 0 ? ", to be removed when it is closed" : "",
  ];
  return (ACCESS[mode & 3] ?? "") + more.join("");
}

/** What becomes of a file that is there already. */
function therewords(t: F.Tmsg & { type: typeof F.Tcreate }): string {
  if ((t.mode & OTRUNC) === 0) return "";
  return (t.perm & DMDIR) === 0
    ? ", or to open and empty the one that is there"
    : ", or to open what is there";
}

/** How many bytes of data a message carries; a recording keeps only the first of them. */
function carried(e: Revent & { readonly bytes: number; readonly fcall: F.Fcall }): number {
  const { fcall: f } = e;
  return "data" in f ? e.bytes - F.sizeS2M({ ...f, data: new Uint8Array(0) }) : 0;
}

function changes(stat: Uint8Array): string {
  const list = changed(stat);
  return list.length === 0 ? "" : `: ${list.join(", ")}`;
}

/** Requests on the same tag as this one, before (-1) or after (1) it, in one exchange with it. */
function mates(a: At, e: Send, way: 1 | -1): Send[] {
  const list: Send[] = [];
  for (let i = a.event + way; i >= 0 && i < a.r.events.length; i += way) {
    const x = a.r.events[i];
    if (x?.type !== "send" && x?.type !== "receive") {
      if (x?.call === e.call && (x.type === "call" || x.type === "return")) break;
      continue;
    }
    if (x.conn !== e.conn || x.fcall.tag !== e.fcall.tag) continue;
    if (x.type === "receive") break;
    list.push(x);
  }
  return list;
}

/** Why it was sent. */
function reason(a: At, e: Send, t: F.Tmsg): string {
  const before = mates(a, e, -1);
  const made =
    t.type !== F.Tclunk || before.some((x) => x.fcall.type === F.Twalk && x.fcall.newfid === t.fid);
  if (before.length > 0 && made && t.type !== F.Tread && t.type !== F.Twrite)
    return `it has the tag of the ${before.length === 1 ? "request" : "requests"} before it, so it is served after ${before.length === 1 ? "that" : "those"}, without waiting for an answer in between${ending(t)}`;
  switch (t.type) {
    case F.Tversion:
      return "both ends must agree on the version of 9P before anything else is said";
    case F.Tauth:
      return "the program asked to prove to the server who its user is";
    case F.Tattach:
      return "a mount makes the root of the server's tree appear under a name";
    case F.Tflush:
      return "the call was interrupted, or its program has gone on";
    case F.Twalk:
      return walkreason(a, e, t);
    case F.Topen:
      return "the walk has led to the file, and open makes it ready to be read or written";
    case F.Tcreate:
      return "the directory is known, and the file is to be made in it";
    case F.Tread:
    case F.Tstream:
      return readreason(a, e);
    case F.Twrite:
      return "what a program writes to a file is kept by the file's server";
    case F.Tclunk:
      return clunkreason(a, e);
    case F.Tremove:
      return "that also gives the fid back, whether it succeeds or not";
    case F.Tstat:
      return "the entry of a file is kept by its server";
    case F.Twstat:
      return "the entry of a file is kept by its server, which decides what may be changed";
  }
}

function ending(t: F.Tmsg): string {
  return t.type === F.Tclunk ? "; the fid was for this exchange alone" : "";
}

function walkreason(a: At, e: Send, t: F.Tmsg & { type: typeof F.Twalk }): string {
  const after = mates(a, e, 1);
  if (after.length > 0) {
    const names = after.map((x) => nameof(x.fcall)).join(", ");
    return `what needs the walk (${names}) follows at once with the same tag: the server does them in order`;
  }
  if (t.wname.length === 0)
    return "opening or changing a file uses its fid up, and this one must stay what it is";
  if (a.r.about.namespace === "standard")
    return t.wname[0] === ".."
      ? "the standard kernel has '..' walked by the server, alone, since a mount point may be left by it"
      : "the standard kernel asks for one thing at a time, and waits for each answer";
  return sametime(a, e)
    ? "it is one of several requests that are sent before any is answered, so that their round trips overlap"
    : "the answer decides how the call goes on";
}

/** Whether namec's last step was to ask several servers at once. */
function sametime(a: At, e: Send): boolean {
  for (let i = a.event - 1; i >= 0; i--) {
    const x = a.r.events[i];
    if (x?.call !== e.call || x.type === "send") continue;
    return x.type === "namec" && x.step === "ask" && x.asked.length > 1;
  }
  return false;
}

function readreason(a: At, e: Send): string {
  const call = a.r.calls[e.call];
  const called = call !== undefined && (call.last > a.event || call.ended === null);
  return called && (call.name === "read" || call.name === "pread")
    ? "the program wants this data now"
    : "it is read ahead: a program that reads a file from one end to the other will want it";
}

/** Whether the call went on only when the answer to this had come. */
function waited(a: At, e: Send): boolean {
  for (let i = a.event + 1; i < a.r.events.length; i++) {
    const x = a.r.events[i];
    if (x?.type === "receive" && x.of === a.event) return true;
    if (x?.type === "return" && x.call === e.call) return false;
  }
  return false;
}

function clunkreason(a: At, e: Send): string {
  if (a.r.about.namespace === "standard")
    return "the standard kernel waits for the answer, though it learns nothing from it";
  if (e.call >= 0 && a.r.calls[e.call]?.name === "close" && waited(a, e))
    return "the close waits for the answer, since the server does more here than forget a number";
  return "the server may forget it; nobody waits for the answer";
}

/** An answer. */
export function receivewhy(a: At, e: Receive): Decision {
  const of = a.r.events[e.of];
  const from = capital(serverof(a.r, e.conn));
  if (of?.type !== "send" || !F.isT(of.fcall))
    return {
      what: `${from} answers something that was asked before the recording began.`,
      why: "Answers come when the server has them.",
    };
  const at = { ...a, event: e.of };
  const what = `${from} ${answer(at, of, e)}.`;
  return { what, why: sentence(consequence(at, of, e, a.event)) };
}

/** What the server says: "walked a/b: ...". */
function answer(a: At, of: Send, e: Receive): string {
  const { fcall: f } = e;
  const t = of.fcall;
  const fid = "fid" in t ? fidof(a, of.conn, t.fid) : "";
  switch (f.type) {
    case F.Rerror:
      return `refuses ${nameof(t)}: "${f.ename}"`;
    case F.Rwalk:
      return t.type === F.Twalk ? walked(t, f.wqid) : "has walked";
    case F.Rversion:
      return `speaks ${f.version}, with messages of at most ${plural(f.msize, "byte")}`;
    case F.Rauth:
      return "gives a file to prove it through";
    case F.Rattach:
      return "has a tree for this user, and gives its root";
    case F.Rflush:
      return "has let go of that request";
    case F.Ropen:
      return `has opened ${fid}`;
    case F.Rcreate:
      return t.type === F.Tcreate ? `has created ${t.name}, and opened it` : "has created it";
    case F.Rread:
      return f.data.length === 0
        ? `has no more data of ${fid}: the end`
        : `sends ${plural(carried(e), "byte")} of ${fid}`;
    case F.Rstream:
      return f.data.length === 0
        ? `has come to the end of ${fid}`
        : `sends the next ${plural(carried(e), "byte")} of ${fid}`;
    case F.Rwrite:
      return `has taken ${plural(f.count, "byte")} for ${fid}`;
    case F.Rclunk:
      return `has forgotten fid ${"fid" in t ? t.fid : ""}`;
    case F.Rremove:
      return `has removed ${fid}`;
    case F.Rstat:
      return entry(f.stat);
    case F.Rwstat:
      return `has changed ${fid}`;
    default:
      return `answers ${nameof(f)}`;
  }
}

function walked(
  t: F.Tmsg & { type: typeof F.Twalk },
  qids: readonly { readonly type: number }[],
): string {
  const { wname } = t;
  const last = qids[qids.length - 1];
  const dir = last === undefined || (last.type & QTDIR) !== 0;
  if (qids.length === wname.length)
    return wname.length === 0
      ? `has a second handle ready, fid ${t.newfid}`
      : `has walked ${wname.join("/")}: it is a ${dir ? "directory" : "file"}, and fid ${t.newfid} stands for it`;
  const before = wname.slice(0, qids.length).join("/");
  const next = wname[qids.length] ?? "";
  return dir
    ? `has walked ${before} and no further: in it, ${next} is not there or not to be reached`
    : `has walked ${before} and no further: that is a file, so there is no ${next} in it`;
}

function entry(stat: Uint8Array): string {
  const d = convM2D(stat, 0, stat.length)?.dir;
  if (d === undefined) return "sends the entry";
  const kind = (d.mode & DMDIR) === 0 ? `a file of ${plural(d.length, "byte")}` : "a directory";
  return `sends the entry: ${d.name === "/" || d.name === "" ? "it" : d.name} is ${kind}, of ${d.uid}`;
}

/** What follows from the answer, and when it came. */
function consequence(a: At, of: Send, e: Receive, event: number): string {
  const t = of.fcall;
  const f = e.fcall;
  if (nofid(a, of, e))
    return `that follows from the walk that failed: fid ${"fid" in t ? t.fid : ""} never came to be`;
  if (f.type === F.Rstream && streamed(a.r, e, event))
    return `the server sends on without being asked again; its request left ${timefmt(e.at - of.at)} before`;
  const late = a.r.calls[of.call];
  const after = late === undefined || (late.ended !== null && late.ended < e.at);
  if (f.type === F.Rclunk && (after || (a.r.about.namespace === "names" && late.name !== "close")))
    return `nobody has waited for this; its request left ${timefmt(e.at - of.at)} before`;
  const left = `its request left ${timefmt(e.at - of.at)} before`;
  const trip =
    after || of.call < 0
      ? ""
      : firstback(a.r, event)
        ? "that is one round trip: "
        : "it shares the round trip of the answer before it: ";
  const time = trip + left;
  if (f.type === F.Rerror) return `${because(f.ename).replace(/\.$/, "")}; ${time}`;
  return after && of.call >= 0 ? `the call that caused it has long returned; ${time}` : time;
}

/** Whether part of the answer to the same request has come before. */
function streamed(r: Recording, e: Receive, event: number): boolean {
  for (let i = event - 1; i > e.of; i--) {
    const x = r.events[i];
    if (x?.type === "receive" && x.of === e.of) return true;
  }
  return false;
}

/** Whether an answer is the first that its call gets to what was sent since the last one. */
function firstback(r: Recording, event: number): boolean {
  const e = r.events[event];
  const first = r.calls[e?.call ?? -1]?.first ?? 0;
  for (let i = event - 1; i >= first; i--) {
    const x = r.events[i];
    if (x === undefined || x.call !== e?.call) continue;
    if (x.type === "send" || x.type === "receive") return x.type === "send";
  }
  return true;
}

/** Whether an answer is only the consequence of a walk that failed before it in the same exchange. */
export function follows(r: Recording, event: number): boolean {
  const e = r.events[event];
  if (e?.type !== "receive") return false;
  const of = r.events[e.of];
  return of?.type === "send" && nofid({ r, event: e.of, e: of }, of, e);
}

/** Whether it refuses a fid that an earlier walk of the same exchange should have made, and did not. */
function nofid(a: At, of: Send, e: Receive): boolean {
  const t = of.fcall;
  if (e.fcall.type !== F.Rerror || !("fid" in t)) return false;
  const { fid } = t;
  for (let i = a.event - 1; i >= 0; i--) {
    const x = a.r.events[i];
    if (x?.type === "call" && x.call === of.call) return false;
    if (x?.type !== "send" || x.conn !== of.conn || x.fcall.tag !== of.fcall.tag) continue;
    if (x.fcall.type === F.Twalk && x.fcall.newfid === fid) return failed(a, i, x.fcall);
  }
  return false;
}

/** Whether the answer to a walk says that it did not come all the way. */
function failed(a: At, event: number, t: F.Tmsg & { type: typeof F.Twalk }): boolean {
  for (let i = event + 1; i < a.r.events.length; i++) {
    const x = a.r.events[i];
    if (x?.type !== "receive" || x.of !== event) continue;
    const f = x.fcall;
    return f.type === F.Rerror || (f.type === F.Rwalk && f.wqid.length < t.wname.length);
  }
  return false;
}
