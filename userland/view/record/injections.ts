// What --inject did to the messages and calls of a run: which of them each fault was for, found by counting as the
// faults do. The page injects nothing, so what is found is a part of the recording. Pure.

import { callrow } from "../../../kernel/abi/calls.ts";
import { msgname } from "../words/msgfmt.ts";
import { isT } from "../../../kernel/abi/fcall.ts";
import { connin, ismessage, programof } from "./recording.ts";
import type { Injection, Rcall, Recording, Revent } from "./recording.ts";

/** What each fault of a run was done to: its messages by their events, a reply by its coming; and its calls. */
export function injections(r: Recording): Injection[] {
  const met: Found = { messages: new Map(), calls: new Map() };
  for (const option of r.about.inject ?? []) {
    const f = faultof(option);
    if (f === null) continue;
    if (f.names.some((name) => /^(\*|[TR]([a-z]+|\*))$/.test(name))) messages(r, f, met.messages);
    else calls(r, f, met.calls);
  }
  return [
    ...[...met.messages].map(([event, f]) => told(f, event, -1, nameof(r.events[event]))),
    ...[...met.calls].map(([call, f]) => told(f, -1, call, r.calls[call]?.name ?? "")),
  ];
}

/** What a fault did to a message or a call. */
function told(f: Given, event: number, call: number, met: string): Injection {
  const { option, what, value } = f;
  const text =
    what === "drop"
      ? `No answer comes to this ${met}: --inject '${option}' drops it`
      : `--inject '${option}' met this ${met}`;
  return { event, call, option, what, value, text };
}

const nameof = (e: Revent | undefined): string => (ismessage(e) ? msgname(e.fcall) : "");

type Found = { readonly messages: Map<number, Given>; readonly calls: Map<number, Given> };

type Given = {
  readonly option: string;
  readonly what: string;
  readonly value: string;
  readonly names: readonly string[];
  readonly where: ReadonlyMap<string, string>;
};

/** Takes a fault apart: "Tread:when=3:conn=far:error=i/o error". */
function faultof(option: string): Given | null {
  const [, names = "", more = "", what = "", value = ""] =
    /^([^:]*)((?::(?:when|conn|path|fd|proc)=[^:]*)*):([a-z]+)=?([^]*)$/.exec(option) ?? [];
  if (what === "") return null;
  const where = more
    .split(":")
    .slice(1)
    .map((s) => [s.slice(0, s.indexOf("=")), s.slice(s.indexOf("=") + 1)] as const);
  return { option, what, value, names: names.split(","), where: new Map(where) };
}

/** Whether number n is meant: "3", "3+", "3..5", "3+2". */
function isturn(when: string | undefined, n: number): boolean {
  const [, first = "1", end, step] = /^(\d+)(?:\.\.(\d+)|\+(\d*))?$/.exec(when ?? "1+") ?? [];
  const from = Number(first);
  if (end !== undefined) return n >= from && n <= Number(end);
  if (step === undefined) return n === from;
  return n >= from && (n - from) % Number(step || 1) === 0;
}

function messages(r: Recording, f: Given, into: Map<number, Given>): void {
  let n = 0;
  const conn = f.where.get("conn");
  for (const [i, e] of r.events.entries()) {
    if ((e.type !== "send" && e.type !== "receive") || !named(f, e)) continue;
    const c = connin(r, e.conn);
    if (
      conn !== undefined &&
      conn !== String(e.conn) &&
      conn !== (c?.peer ?? "").replace(/!.*/, "")
    )
      continue;
    n++;
    // A reply that is dropped is never seen to come.
    while (e.type === "receive" && f.what === "drop" && isturn(f.where.get("when"), n)) n++;
    if (isturn(f.where.get("when"), n) && !into.has(i)) into.set(i, f);
  }
  if (f.what === "drop") unanswered(r, f, into);
}

/** No event tells of a reply that is dropped: its request is the one that has no answer, where its connection stands. */
function unanswered(r: Recording, f: Given, into: Map<number, Given>): void {
  const open = new Set<number>();
  for (const [i, e] of r.events.entries()) {
    const reply = nameof(e).replace(/^T/, "R");
    if (e.type === "send" && f.names.some((x) => x === reply || x === "R*" || x === "*"))
      open.add(i);
    else if (e.type === "receive") open.delete(e.of);
    else if (e.type === "conn" && e.what !== "open") break;
  }
  for (const i of open) if (!into.has(i)) into.set(i, f);
}

function named(f: Given, e: Revent & { readonly type: "send" | "receive" }): boolean {
  const name = nameof(e);
  // What is sent by a server of this machine is a reply, and is seen at the client, too.
  if (isT(e.fcall) !== (e.type === "send")) return false;
  return f.names.some((x) => x === name || x === "*" || x === `${name.charAt(0)}*`);
}

function calls(r: Recording, f: Given, into: Map<number, Given>): void {
  let n = 0;
  const [path, fd, proc] = ["path", "fd", "proc"].map((key) => f.where.get(key));
  for (const c of r.calls) {
    const kinds = callrow(c.name)?.args ?? [];
    const text = programof(r, c.pid);
    if (!f.names.includes("call") && !f.names.includes(c.name)) continue;
    if (fd !== undefined && (kinds[0] !== "fd" || String(c.args[0]) !== fd)) continue;
    if (proc !== undefined && proc !== String(c.pid) && proc !== text) continue;
    if (path !== undefined && !pathsof(c, kinds).some((p) => isglob(path, p))) continue;
    if (isturn(f.where.get("when"), ++n) && !into.has(c.id)) into.set(c.id, f);
  }
}

/** The names that a call is about. */
function pathsof(c: Rcall, kinds: readonly string[]): string[] {
  const names = c.args.filter((arg, i) => kinds[i] === "name" && typeof arg === "string");
  return [...names.map(String), ...(c.file === null ? [] : [c.file])];
}

/** Whether a pattern fits a name: "/tmp/*" is all below /tmp. */
function isglob(pattern: string, name: string): boolean {
  const source = pattern.replace(/[\\^$.|+()[\]{}]/g, "\\$&").replaceAll("*", "[^]*");
  return new RegExp(`^${source.replaceAll("?", "[^]")}$`, "u").test(name);
}
