// What is alive on the machines of a test, as lines of text, what of it should not be, and which line of the program
// made that.

import type { Audit } from "../../kernel/kernel.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Chan } from "../../kernel/chan.ts";
import { Tattach, Twalk } from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { stuckof } from "../explore/stuck.ts";
import { sharesmemory } from "../explore/table.ts";
import type { Rcall, Revent } from "../view/record/recording.ts";
import { plural } from "../view/words/text.ts";
import type { Owners } from "./owners.ts";
import type { Call, Run } from "./run.ts";
import type { Server } from "./server.ts";

/** What is alive: "here: fid 3 of connection 1". */
export function alive(audit: Readonly<Record<string, Audit>>, servers: Iterable<Server>): string[] {
  const list: string[] = [];
  for (const [name, a] of Object.entries(audit)) {
    for (const p of a.procs) list.push(`${name}: process ${p}`);
    for (const c of a.chans) list.push(`${name}: Chan ${c}`);
    for (const f of a.fids) list.push(`${name}: ${f}`);
    for (const t of a.tags) list.push(`${name}: ${t} unanswered`);
  }
  for (const s of servers)
    for (let i = 0; i < s.fids; i++) list.push(`${s.name}: a fid that a client has`);
  return list;
}

/** What is in `now` and was not before. */
export function besides(now: readonly string[], before: readonly string[]): string[] {
  const had = new Map<string, number>();
  for (const line of before) had.set(line, (had.get(line) ?? 0) + 1);
  return now.filter((line) => {
    const n = had.get(line) ?? 0;
    had.set(line, n - 1);
    return n <= 0;
  });
}

/** Who waits in what, and which processes could end that, by the calls that began them. */
export function waiting(k: Booted, owners: Owners, calls: readonly Rcall[]): string[] {
  // The number of a process stands for its memory; a child that shares its parent's memory has the parent's number.
  const memory = ({ pid }: Pick<Proc, "pid">): number => {
    const made = calls.findLast((c) => c.value === pid && sharesmemory(c.name, c.args));
    return made === undefined || made.pid >= pid ? pid : memory(made);
  };
  return stuckof([k], { spared: (p) => owners.iskit(p.pid), memory });
}

/** How many descriptors of a process are listed one by one. */
const SOME = 4;

/** Where things are that are left: their machine, and the runs that may have made them. */
type Where = {
  readonly name: string;
  readonly kernel: Booted;
  readonly owners: Owners;
  readonly runs: readonly Run[];
};

/** What to say of a thing that the call c opened: ", which pipe() opened (zombie.ts:19)". */
export function openedby(c: Call | undefined, what = "opened"): string {
  if (c === undefined) return "";
  return `, which ${c.what} ${what}${c.place === "" ? "" : ` (${c.place})`}`;
}

/** The call in which an event happened that is found among those of a run. */
function maker(
  runs: readonly Run[],
  find: (events: readonly Revent[]) => Revent | undefined,
): Call | undefined {
  for (const r of runs.toReversed()) {
    const e = find(r.recording.events);
    const call = r.calls.find((c) => c.call.id === e?.call);
    if (call !== undefined) return call;
  }
  return undefined;
}

/** The call that opened a Chan. */
function opener({ kernel, runs }: Where, c: Chan): Call | undefined {
  const chan = kernel.trace.chans.of(c);
  return maker(runs, (events) => events.find((e) => e.type === "fd" && e.file?.chan === chan));
}

const chanline = (name: string, c: Chan): string =>
  `${name}: Chan #${c.dev.dc} ${c.path.toString()} ref ${c.ref}`;

/**
 * What is left, each with the call and the line of the program that made it. A process stands with what it waits for,
 * and with its descriptors.
 */
export function leftwhere(left: readonly string[], at: Where): string[] {
  const { name, kernel, owners, runs } = at;
  const list = [...left];
  const calls = runs.flatMap((r) => r.calls);
  const stuck = waiting(
    kernel,
    owners,
    calls.map((c) => c.call),
  );
  for (const p of kernel.procs.values()) {
    const i = list.indexOf(`${name}: process ${p.pid} ${p.text}`);
    if (i < 0) continue;
    const made = calls.findLast((c) => c.name === "rfork" && c.value === p.pid)?.place ?? "";
    const who = `process ${p.pid} `;
    const waits = stuck.filter((text) => text.startsWith(who)).map((t) => t.slice(who.length));
    const how = [...(made === "" ? [] : [`made at ${made}`]), ...waits].join(", ");
    list[i] += `${how === "" ? "" : ` (${how})`}${descriptors(list, at, p)}`;
  }
  for (const c of kernel.chans) {
    const i = list.indexOf(chanline(name, c));
    if (i >= 0) list[i] += openedby(opener(at, c));
  }
  return list.map((line) => asked(line, at));
}

/** The descriptors of a process that are left with it: each is told with the call that opened it, and its line goes. */
function descriptors(list: string[], at: Where, p: Proc): string {
  const told: string[] = [];
  let n = 0;
  const seen = new Set<Chan>();
  for (const [fd, c] of p.fgrp.fd.entries()) {
    if (c === null || seen.has(c)) continue;
    seen.add(c);
    const i = list.indexOf(chanline(at.name, c));
    if (i < 0) continue;
    n += list.splice(i, 1).length;
    const by = openedby(opener(at, c));
    if (by !== "") told.push(`${fd} ${c.path.toString()}${by}`);
  }
  if (n === 0) return "";
  const more = told.length > SOME ? [`${told.length - SOME} more`] : [];
  const some = [...told.slice(0, SOME), ...more].join("; ");
  return `, and its ${plural(n, "descriptor")}${some === "" ? "" : `, of them ${some}`}`;
}

/** A fid, or a request without an answer, with the call that it was made for. */
function asked(line: string, { name, runs }: Where): string {
  const m = /^(.*): conn (\d+) (fid|tag) (\d+)/.exec(line);
  if (m === null || m[1] !== name) return line;
  const [conn, n] = [Number(m[2]), Number(m[4])];
  const fid = (f: Fcall): boolean =>
    (f.type === Twalk && f.newfid === n) || (f.type === Tattach && f.fid === n);
  // Numbers of fids and tags are used again: the last one is meant.
  const by = maker(runs, (events) =>
    events.findLast(
      (e) =>
        e.type === "send" && e.conn === conn && (m[3] === "fid" ? fid(e.fcall) : e.fcall.tag === n),
    ),
  );
  return `${line}${openedby(by, m[3] === "fid" ? "made" : "waits for")}`;
}
