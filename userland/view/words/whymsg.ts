// 9P messages and round trips in sentences. Of a request they say what it asks for, of which server, and why it was sent; of
// an answer what it says, and what follows. Of a whole call they say which requests travelled together and why others
// could not, what was lost on the way, and what never came. Pure: a Recording is read.

import * as F from "../../../kernel/abi/fcall.ts";
import {
  DMDIR,
  OEXEC,
  ORCLOSE,
  ORDWR,
  OREAD,
  OTRUNC,
  OWRITE,
  QTDIR,
} from "../../../kernel/abi/const.ts";
import { indexof } from "../record/index.ts";
import type { Eventof, Index } from "../record/index.ts";
import { ismessage } from "../record/recording.ts";
import type { Rcall, Recording } from "../record/recording.ts";
import { changed, databytes, entryof, forcedby, forcedwhy, msgname } from "./eventtext.ts";
import { counted, listfmt, path, plural, sentences, timefmt, told } from "./text.ts";
import type { Decision } from "./text.ts";
import { servername, serverof, speaks, versionof } from "./who.ts";
import type { At } from "./why.ts";

type Send = Eventof<"send">;
type Receive = Eventof<"receive">;

/** What a fid stands for: "a/b/c (fid 4)", "its root (fid 0)", "fid 4". */
function fidof(a: At, conn: number, fid: number): string {
  const name = indexof(a.r).files.fidname({ conn, event: a.event }, fid);
  if (name === undefined) return `fid ${fid}`;
  return `${name === "" ? "its root" : name} (fid ${fid})`;
}

/** A request. */
export function sendwhy(a: At, e: Send): Decision {
  const t = e.fcall;
  const to = serverof(a.r, indexof(a.r).connof(e));
  if (!F.isT(t)) return told(`${to} is sent an answer`);
  const group = indexof(a.r).group(a.event);
  return told(
    `${to} ${asked(a, e, t)}`,
    sentences(reason(a, e, t, group), spoiltwords(a.r, a.event)),
    sentences(PURPOSE[t.type], group.before.length + group.after.length > 0 ? GROUP : ""),
  );
}

const GROUP =
  "A server of 9P2000.ix serves requests that have one tag in order, so they are sent without waiting for an answer in between";

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
      return `is sent ${carried(e)} for ${fid(t.fid)}, from byte ${t.offset} on`;
    case F.Tclunk:
      return `is told that ${fid(t.fid)} is not needed any more`;
    case F.Tremove:
      return `is asked to remove ${fid(t.fid)}`;
    case F.Tstat:
      return `is asked what it knows of ${fid(t.fid)}: its length, owner, mode and times`;
    case F.Twstat:
      return `is asked to change what it knows of ${[fid(t.fid), changed(t.stat).join(", ")].filter(Boolean).join(": ")}`;
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
    ? ", or to open and empty the one that is there (OTRUNC)"
    : ", or to open what is there";
}

/** The data that a message carries: "8192 bytes". */
const carried = ({ fcall: f, bytes }: Eventof<"send" | "receive">): string =>
  plural("data" in f ? databytes(f, bytes) : 0, "byte");

/** What requests are for. */
const PURPOSE: Readonly<Record<F.Tmsg["type"], string>> = {
  [F.Tversion]: "Both ends must agree on the version of 9P before anything else is said",
  [F.Tauth]: "A program proves to the server which user it runs for",
  [F.Tattach]: "A mount makes the root of the server's tree appear under a name",
  [F.Tflush]:
    "Tflush gives a request up: the client may use its tag again when the Rflush has come",
  [F.Twalk]:
    "Twalk makes a fid, the number by which the server knows a file, from another fid and names",
  [F.Topen]: "Topen makes a fid ready to be read or written",
  [F.Tcreate]:
    "Tcreate makes a file in the directory of its fid, which stands for the new file then",
  [F.Tread]: "Tread asks for bytes of an open file, or entries of a directory",
  [F.Tstream]:
    "Tstream asks for the rest of a file, which comes without being asked for piece by piece",
  [F.Twrite]: "Twrite gives bytes to an open file",
  [F.Tclunk]: "Tclunk gives a fid back: the server may forget it",
  [F.Tremove]: "Tremove removes a file and gives its fid back, whether or not it succeeds",
  [F.Tstat]: "Tstat asks for the entry of a file, which its server keeps",
  [F.Twstat]: "Twstat changes the entry of a file, if its server allows it",
};

const namesof = (list: readonly Send[]): string => listfmt(list.map((x) => msgname(x.fcall)));

type Group = ReturnType<Index["group"]>;

/** Why it is sent now: with what it goes, or what has to wait for it. */
function reason(a: At, e: Send, t: F.Tmsg, { before, after }: Group): string {
  if (t.type === F.Tversion || t.type === F.Tattach || t.type === F.Tauth) return "";
  const call = a.r.calls[e.call];
  if (t.type === F.Tflush)
    return `the ${flushed(a, t)} is not waited for any more${call === undefined ? "" : `: ${call.name} was interrupted`}`;
  const promise = speaks(a.r, e.conn);
  if (before.length > 0) return `it leaves right behind the ${namesof(before)}: ${promise}`;
  if (after.length > 0)
    return `the ${namesof(after)} leave${after.length === 1 ? "s" : ""} right behind it: ${promise}`;
  switch (t.type) {
    case F.Tread:
    case F.Tstream:
      return readreason(a, t, call);
    case F.Tclunk:
      return clunkreason(a, call);
    case F.Twalk:
      return walkreason(a, e, t);
    default:
      return "";
  }
}

type Flush = F.Tmsg & { type: typeof F.Tflush };

/** The request that a Tflush takes back: "Tread with tag 3". */
function flushed(a: At, { oldtag }: Flush): string {
  const x = indexof(a.r).flushed(a.event);
  return `${x === null ? "request" : msgname(x.fcall)} with tag ${oldtag}`;
}

/** What of the same call waits for a walk that goes alone. */
function walkreason(a: At, e: Send, t: F.Tmsg & { type: typeof F.Twalk }): string {
  const together = sametime(a);
  if (together.length > 1) return `${listfmt(together)} are asked before any has answered`;
  const next = waits(a, e, t.newfid);
  if (next === null) return "";
  const name = msgname(next.fcall);
  if (a.r.about.namespace === "standard")
    return `the ${name} waits until the Rwalk has come: the standard kernel sends one request at a time`;
  return versionof(a.r, e.conn).includes(".ix")
    ? `the ${name} waits until the Rwalk has come`
    : `${speaks(a.r, e.conn)}; so the ${name} is not sent before the Rwalk has come`;
}

/** The next request of the call that names a fid. */
function waits(a: At, e: Send, fid: number): Send | null {
  for (const { e: x } of indexof(a.r).near(a.event, 1)) {
    if (x.type === "return") return null;
    if (x.type === "send" && x.conn === e.conn && "fid" in x.fcall && x.fcall.fid === fid) return x;
  }
  return null;
}

/** The servers that namec's last step asked at once. */
function sametime({ r, event }: At): string[] {
  const index = indexof(r);
  for (const { e: ask, event: from } of index.near(event, -1)) {
    if (ask.type === "send") continue;
    if (ask.type !== "namec" || ask.step !== "ask" || ask.asked.length < 2) return [];
    const to = new Set<string>();
    for (const { e: x } of index.near(from, 1)) {
      if (x.type !== "send") break;
      to.add(servername(r, x.conn));
    }
    return [...to];
  }
  return [];
}

type Read = F.Tmsg & { type: typeof F.Tread | typeof F.Tstream };

function readreason(a: At, t: Read, call: Rcall | undefined): string {
  const called = call !== undefined && (call.last > a.event || call.ended === null);
  return called && (call.name === "read" || call.name === "pread")
    ? `${call.text} waits for it`
    : `Byte ${t.offset} and what follows are read ahead: no read has asked for them yet`;
}

function clunkreason({ r, event }: At, call: Rcall | undefined): string {
  if (call === undefined) return "No call waits for the Rclunk";
  const name = call.text;
  if (r.about.namespace === "standard")
    return `${name} waits for the Rclunk, as the standard kernel waits for each answer`;
  // Whether the call went on only when the answer had come.
  const [first] = indexof(r).answers(event);
  const back = indexof(r).returnof(call.id);
  return first !== undefined && (back < event || first < back) && call.name === "close"
    ? `${name} waits for the Rclunk: the server removes the file now, or takes in what was written`
    : `${name} goes on without waiting for the Rclunk`;
}

/** An answer. */
export function receivewhy(a: At, e: Receive): Decision {
  const of = indexof(a.r).request(e);
  const from = serverof(a.r, indexof(a.r).connof(e));
  if (of === null || !F.isT(of.fcall))
    return told(`${from} answers something that was asked before the recording began`);
  const at = { ...a, event: e.of };
  return told(
    `${from} ${answer(at, of, e)}`,
    sentences(consequence(at, of, e, a.event), spoiltwords(a.r, a.event)),
  );
}

/** What the server says: "walked a/b: ...". */
function answer(a: At, of: Send, e: Receive): string {
  const { fcall: f } = e;
  const t = of.fcall;
  const fid = "fid" in t ? fidof(a, of.conn, t.fid) : "";
  switch (f.type) {
    case F.Rerror:
      return `refuses ${msgname(t)}: "${f.ename}"`;
    case F.Rwalk:
      return t.type === F.Twalk ? walked(t, f.wqid) : "has walked";
    case F.Rversion:
      return `speaks ${f.version}, with messages of at most ${plural(f.msize, "byte")}`;
    case F.Rauth:
      return "gives a file to prove it through";
    case F.Rattach:
      return "has a tree for this user, and gives its root";
    case F.Rflush:
      return t.type === F.Tflush ? `has let go of the ${flushed(a, t)}` : "has let go of it";
    case F.Ropen:
      return `has opened ${fid}`;
    case F.Rcreate:
      return t.type === F.Tcreate ? `has created ${t.name}, and opened it` : "has created it";
    case F.Rread:
      return f.data.length === 0
        ? `has no more data of ${fid}: the end`
        : `sends ${carried(e)} of ${fid}`;
    case F.Rstream:
      return f.data.length === 0
        ? `has come to the end of ${fid}`
        : `sends the next ${carried(e)} of ${fid}`;
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
      return `answers ${msgname(f)}`;
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
  const d = entryof(stat);
  if (d === null) return "sends the entry";
  const kind = (d.mode & DMDIR) === 0 ? `a file of ${plural(d.length, "byte")}` : "a directory";
  return `sends the entry: ${d.name === "/" || d.name === "" ? "it" : d.name} is ${kind}, of ${d.uid}`;
}

/** What follows from the answer, and when it came. */
function consequence(a: At, of: Send, e: Receive, event: number): string {
  const t = of.fcall;
  const f = e.fcall;
  const left =
    e.at === of.at
      ? `its ${msgname(t)} left at the same time`
      : `its request left ${timefmt(e.at - of.at)} before`;
  if (nofid(a, of, e))
    return `the walk before it failed, so fid ${"fid" in t ? t.fid : ""} never came to be`;
  const index = indexof(a.r);
  if (f.type === F.Rstream && (index.answers(e.of)[0] ?? event) < event)
    return `${serverof(a.r, e.conn)} sends on without being asked again; ${left}`;
  const call = a.r.calls[of.call];
  const lost = lostby(a.r, e.of, event);
  if (call === undefined) return sentences(left, lost);
  const back = index.returnof(of.call);
  if (back >= 0 && back < event)
    return sentences(`${call.text} has returned without it; ${left}`, lost);
  const trip = firstback(a.r, event)
    ? "One round trip"
    : "the same round trip as the answer before it";
  return sentences(`${trip}: ${left}`, lost);
}

/** Whether an answer is the first that its call gets to what was sent since the last one. */
function firstback(r: Recording, event: number): boolean {
  for (const { e } of indexof(r).near(event, -1)) if (ismessage(e)) return e.type === "send";
  return true;
}

/** Whether an answer is only the consequence of a walk that failed before it in the same exchange. */
export function follows(r: Recording, event: number): boolean {
  const e = r.events[event];
  const of = e?.type === "receive" ? indexof(r).request(e) : null;
  return e?.type === "receive" && of !== null && nofid({ r, event: e.of, e: of }, of, e);
}

/** Whether it refuses a fid that an earlier walk of the same exchange should have made, and did not. */
function nofid(a: At, of: Send, e: Receive): boolean {
  const t = of.fcall;
  if (e.fcall.type !== F.Rerror || !("fid" in t)) return false;
  const index = indexof(a.r);
  const began = a.r.calls[of.call]?.first ?? -1;
  for (const { e: x, event } of index.tagged(a.event, -1)) {
    if (event < began) return false;
    const w = ismessage(x) ? x.fcall : undefined;
    if (w?.type !== F.Twalk || w.newfid !== t.fid) continue;
    // Whether the answer to that walk says that it did not come all the way.
    const reply = a.r.events[index.answers(event)[0] ?? -1];
    const f = ismessage(reply) ? reply.fcall : undefined;
    return f?.type === F.Rerror || (f?.type === F.Rwalk && f.wqid.length < w.wname.length);
  }
  return false;
}

type Namec = Eventof<"namec">;

/** Requests that were sent before the next answer came, the answers after them, and namec's last word before. */
type Round = {
  readonly asked: Send[];
  answered: number;
  readonly after: string;
  readonly because: Namec | null;
};

/** The rounds of a call, up to its return. */
function rounds(r: Recording, call: Rcall): Round[] {
  const list: Round[] = [];
  let because: Namec | null = null;
  let answer = "";
  let asking = false;
  for (const { e } of indexof(r).during(call)) {
    if (e.type === "namec") because = e;
    if (e.type === "send" && F.isT(e.fcall)) {
      if (!asking) list.push({ asked: [], answered: 0, after: answer, because });
      asking = true;
      list.at(-1)?.asked.push(e);
    }
    if (e.type !== "receive") continue;
    answer = msgname(e.fcall);
    asking = false;
    const last = list.at(-1);
    if (last !== undefined) last.answered++;
  }
  return list;
}

/** "Twalk and Tstat" */
const askedof = (round: Round): string =>
  listfmt(counted(round.asked.map((e) => msgname(e.fcall))));

/** The servers of a round, by their names. */
const servers = (r: Recording, round: Round): string[] => [
  ...new Set(round.asked.map((e) => servername(r, indexof(r).connof(e)))),
];

/** Why a call that has returned took the round trips that it did; "" when it waited for no server. */
export function tripwords(r: Recording, call: Rcall): string {
  const list = rounds(r, call).filter((x) => x.answered > 0);
  const [first] = list;
  if (first === undefined || call.cost.trips === 0) return "";
  const time = timefmt((call.ended ?? call.began) - call.began);
  const head = `${plural(call.cost.trips, "round trip")} in ${time}`;
  const lost = lostwords(r, call);
  const back = flushwords(r, call);
  if (list.length === 1) return sentences(`${head}: ${together(r, first)}`, back, lost);
  const all = new Set(list.flatMap((x) => servers(r, x)));
  const [only = ""] = all;
  const each = list.map((x) =>
    all.size === 1 ? askedof(x) : `${askedof(x)} to ${listfmt(servers(r, x))}`,
  );
  const to = all.size === 1 ? ` to ${only}` : "";
  return sentences(`${head}${to}: ${each.join(", then ")}`, ...apart(r, list), back, lost);
}

/** Of a request that was taken back: by what, and that no answer comes to it any more. */
function flushwords(r: Recording, call: Rcall): string {
  const index = indexof(r);
  for (const { e } of index.during(call)) {
    const x = e.type === "receive" ? index.flushed(e.of) : null;
    if (x?.call === call.id)
      return `the Tflush took the ${msgname(x.fcall)} back, and after the Rflush no answer to the ${msgname(x.fcall)} comes`;
  }
  return "";
}

/** Why the requests of one round could travel together. */
function together(r: Recording, round: Round): string {
  const to = servers(r, round);
  const [e] = round.asked;
  const [name = ""] = to;
  if (e === undefined || round.asked.length === 1)
    return `${askedof(round)} to ${name} and its answer`;
  if (to.length > 1) return `${askedof(round)} went to ${listfmt(to)} at once`;
  const tags = new Set(round.asked.map((x) => x.fcall.tag));
  const back = round.asked.at(-1);
  if (back?.fcall.type === F.Tflush && back.at > e.at)
    return `${askedof(round)} went to ${name}, the Tflush ${timefmt(back.at - e.at)} after the ${msgname(e.fcall)}`;
  if (tags.size > 1)
    return `${askedof(round)} went to ${name} one behind the other, before any was answered`;
  return `${askedof(round)} went to ${name} together, since ${speaks(r, e.conn, "it")}`;
}

/** Why what was asked in later rounds was not asked in the first; each reason once. */
function apart(r: Recording, list: readonly Round[]): string[] {
  const why: string[] = [];
  const kinds = new Set<string>();
  for (const round of list.slice(1)) {
    const [kind, text] = later(r, round);
    if (!kinds.has(kind)) why.push(text);
    kinds.add(kind);
  }
  return why;
}

function later(r: Recording, round: Round): readonly [kind: string, text: string] {
  const [e] = round.asked;
  const what = e === undefined ? "request" : msgname(e.fcall);
  const unsent = `the ${what} could not be sent before the ${round.after} had come`;
  const conn = e?.conn ?? 0;
  if (e?.fcall.type === F.Tflush)
    return ["flush", "the Tflush gives up what the call still waited for"];
  if (r.about.namespace === "standard")
    return [
      "standard",
      `the standard kernel waits for each answer before it asks for more; so ${unsent}`,
    ];
  const step = round.because;
  if (step?.step === "forced")
    return ["forced", forcedwhy(forcedby(step.why), path(step.rest) || step.chan)];
  if (step?.step === "create")
    return ["create", `${step.elem} is made only where it is not there, so ${unsent}`];
  if (step?.step === "found")
    return [
      "found",
      `which member of ${step.point} has ${step.elem} had to be known first, so the ${what} could not be sent before the answer of ${servername(r, conn)} had come`,
    ];
  if (!versionof(r, conn).includes(".ix")) return ["version", `${speaks(r, conn)}; so ${unsent}`];
  if (step?.step === "walk" && step.got < step.rest.length)
    return ["miss", `the walk ended at ${path(step.rest.slice(0, step.got + 1))}; so ${unsent}`];
  return ["answer", unsent];
}

/** How long pieces were lost on a connection, both ways, from one event on and before another. */
function lostin(
  r: Recording,
  conn: number,
  [from, to]: readonly [number, number],
  counts: (x: Eventof<"wire">) => boolean = () => true,
): readonly (readonly [what: string, way: string, time: number])[] {
  const sum = { in: 0, out: 0 };
  for (const x of indexof(r).lost(conn, from, to)) if (counts(x)) sum[x.way] += x.lost ?? 0;
  const name = servername(r, conn);
  const all = [
    ["request", `to ${name}`, sum.out],
    ["answer", `from ${name}`, sum.in],
  ] as const;
  return all.filter(([, , time]) => time > 0);
}

/** What was lost on the way of a call's messages and sent again; "" where no message was lost. */
function lostwords(r: Recording, call: Rcall): string {
  const index = indexof(r);
  const back = index.returnof(call.id);
  const sent = index.during(call, Infinity).flatMap(({ e }) => (e.type === "send" ? [e.conn] : []));
  return [...new Set(sent)]
    .flatMap((conn) => lostin(r, conn, [call.first, back < 0 ? Infinity : back]))
    .map(
      ([, way, time]) =>
        `${timefmt(time)} of it: packets were lost on the way ${way}, and sent again.`,
    )
    .join(" ");
}

/** What --inject did to a message: "--inject 'Rstat:delay=20ms' met this Rstat"; "" where no fault met it. */
export const spoiltwords = (r: Recording, event: number): string =>
  r.injected?.find((x) => x.event === event)?.text ?? "";

/** What --inject did to a call that has returned, and to the messages of the call. */
export function spoiltcall(r: Recording, call: Rcall): string {
  const back = indexof(r).returnof(call.id);
  const own = (x: { readonly event: number; readonly call: number }): boolean =>
    x.call === call.id || (r.events[x.event]?.call === call.id && (back < 0 || x.event < back));
  return sentences(...new Set(r.injected?.filter(own).map((x) => x.text)));
}

/** How much of a request and its answer was lost on the way and sent again, in words; "" where none was lost. */
function lostby(r: Recording, sent: number, came: number): string {
  const [e, reply] = [r.events[sent], r.events[came]];
  if (e?.type !== "send" || reply?.type !== "receive") return "";
  const mine = (x: Eventof<"wire">): boolean => {
    const m = x.way === "out" ? e : reply;
    return x.off < m.off + m.bytes && m.off < x.off + x.bytes;
  };
  return sentences(
    ...lostin(r, e.conn, [sent, came], mine).map(
      ([what, way, time]) =>
        `the ${what} was lost on the way ${way} and sent again: that took ${timefmt(time)} of it`,
    ),
  );
}
