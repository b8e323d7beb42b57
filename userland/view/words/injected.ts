// What --inject did to the messages and calls of a recording: which of them each fault was for, found by counting
// as the faults do. Pure.

import { callrow } from "../../../kernel/abi/calls.ts";
import { MESSAGES } from "../../../kernel/abi/fcallfmt.ts";
import { isT } from "../../../kernel/abi/fcall.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";

/** A fault as it was given, and what it does: "delay", "100ms". */
export type Injection = { readonly option: string; readonly what: string; readonly value: string };

/** The faults of a recording, by the number of the message's event, and of the call. */
type Met = {
  readonly events: number;
  readonly messages: Map<number, Injection>;
  readonly calls: Map<number, Injection>;
};

const met: WeakMap<Recording, Met> = new WeakMap();

const NAMES: ReadonlyMap<number, string> = new Map([...MESSAGES].map(([name, n]) => [n, name]));

/** What was done to the message of an event: a request by its sending, a reply by its coming; null for nothing. */
export const ofmessage = (r: Recording, event: number): Injection | null =>
  metof(r).messages.get(event) ?? null;

/** What was done to a call itself. */
export const ofcall = (r: Recording, call: Rcall): Injection | null =>
  metof(r).calls.get(call.id) ?? null;

function metof(r: Recording): Met {
  const old = met.get(r);
  if (old !== undefined && old.events === r.events.length) return old;
  const m: Met = { events: r.events.length, messages: new Map(), calls: new Map() };
  met.set(r, m);
  for (const option of r.about.inject ?? []) {
    const f = faultof(option);
    if (f === null) continue;
    if (f.names.some((name) => /^(\*|[TR]([a-z]+|\*))$/.test(name))) messages(r, f, m.messages);
    else calls(r, f, m.calls);
  }
  return m;
}

type Given = Injection & {
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

function messages(r: Recording, f: Given, into: Map<number, Injection>): void {
  let n = 0;
  const conn = f.where.get("conn");
  for (const [i, e] of r.events.entries()) {
    if ((e.type !== "send" && e.type !== "receive") || !named(f, e)) continue;
    const c = r.conns.find((x) => x.conn === e.conn);
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
}

function named(f: Given, e: Revent & { readonly type: "send" | "receive" }): boolean {
  const name = NAMES.get(e.fcall.type) ?? "";
  // What is sent by a server of this machine is a reply, and is seen at the client, too.
  if (isT(e.fcall) !== (e.type === "send")) return false;
  return f.names.some((x) => x === name || x === "*" || x === `${name.charAt(0)}*`);
}

function calls(r: Recording, f: Given, into: Map<number, Injection>): void {
  let n = 0;
  const [path, fd, proc] = ["path", "fd", "proc"].map((key) => f.where.get(key));
  for (const c of r.calls) {
    const kinds = callrow(c.name)?.args ?? [];
    const text = r.procs.find((p) => p.pid === c.pid)?.text ?? "";
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
