// What a call has waited for its servers: the requests that travelled together, why others could not, what
// was lost on the way, and what never came. Pure: a Recording is read.

import { Tflush, isT } from "../../../kernel/abi/fcall.ts";
import { indexof } from "../record/index.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { msgname } from "./msgfmt.ts";
import { counted, listfmt, path, plural, sentences, timefmt } from "./sentence.ts";
import { forcedby } from "./eventtext.ts";
import { servername, speaks, versionof } from "./who.ts";
import { forcedwhy } from "./whystep.ts";

type Send = Revent & { readonly type: "send" };
type Namec = Revent & { readonly type: "namec" };

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
    if (e.type === "send" && isT(e.fcall)) {
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
const asked = (round: Round): string => listfmt(counted(round.asked.map((e) => msgname(e.fcall))));

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
    all.size === 1 ? asked(x) : `${asked(x)} to ${listfmt(servers(r, x))}`,
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
    return `${asked(round)} to ${name} and its answer`;
  if (to.length > 1) return `${asked(round)} went to ${listfmt(to)} at once`;
  const tags = new Set(round.asked.map((x) => x.fcall.tag));
  const back = round.asked.at(-1);
  if (back?.fcall.type === Tflush && back.at > e.at)
    return `${asked(round)} went to ${name}, the Tflush ${timefmt(back.at - e.at)} after the ${msgname(e.fcall)}`;
  if (tags.size > 1)
    return `${asked(round)} went to ${name} one behind the other, before any was answered`;
  return `${asked(round)} went to ${name} together, since ${speaks(r, e.conn, "it")}`;
}

/** Why what was asked in later rounds was not asked in the first; each reason once. */
function apart(r: Recording, list: readonly Round[]): string[] {
  const why: string[] = [];
  const kinds = new Set<string>();
  for (const round of list.slice(1)) {
    const [kind, text] = reason(r, round);
    if (!kinds.has(kind)) why.push(text);
    kinds.add(kind);
  }
  return why;
}

function reason(r: Recording, round: Round): readonly [kind: string, text: string] {
  const [e] = round.asked;
  const what = e === undefined ? "request" : msgname(e.fcall);
  const unsent = `the ${what} could not be sent before the ${round.after} had come`;
  const conn = e?.conn ?? 0;
  if (e?.fcall.type === Tflush)
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

/** What was lost on the way of a call's messages and sent again; "" where no message was lost. */
function lostwords(r: Recording, call: Rcall): string {
  const conns = new Set<number>();
  for (const i of indexof(r).callevents(call.id)) {
    const e = r.events[i];
    if (e?.type === "send") conns.add(e.conn);
  }
  const words: string[] = [];
  for (const conn of conns) words.push(...lostof(r, call, conn));
  return words.join(" ");
}

function lostof(r: Recording, call: Rcall, conn: number): string[] {
  const back = indexof(r).returnof(call.id);
  const sum = { in: 0, out: 0 };
  for (const { way, lost } of indexof(r).lost(conn, call.first, back < 0 ? Infinity : back))
    sum[way] += lost ?? 0;
  const name = servername(r, conn);
  return [
    sum.out === 0
      ? ""
      : `${timefmt(sum.out)} of it: packets were lost on the way to ${name}, and sent again.`,
    sum.in === 0
      ? ""
      : `${timefmt(sum.in)} of it: packets were lost on the way from ${name}, and sent again.`,
  ].filter((s) => s !== "");
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
export function lostby(r: Recording, sent: number, came: number): string {
  const [e, reply] = [r.events[sent], r.events[came]];
  if (e?.type !== "send" || reply?.type !== "receive") return "";
  const overlaps = (x: Revent & { type: "wire" }, m: { off: number; bytes: number }): boolean =>
    x.off < m.off + m.bytes && m.off < x.off + x.bytes;
  let [out, back] = [0, 0];
  for (const x of indexof(r).lost(e.conn, sent, came)) {
    if (x.way === "out" && overlaps(x, e)) out += x.lost ?? 0;
    if (x.way === "in" && overlaps(x, reply)) back += x.lost ?? 0;
  }
  const name = servername(r, e.conn);
  return sentences(
    out === 0
      ? ""
      : `the request was lost on the way to ${name} and sent again: that took ${timefmt(out)} of it`,
    back === 0
      ? ""
      : `the answer was lost on the way from ${name} and sent again: that took ${timefmt(back)} of it`,
  );
}
