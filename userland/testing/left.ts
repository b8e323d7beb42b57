// What is alive on the machines of a test, as lines of text, and what of it should not be.

import type { Audit } from "../../kernel/kernel.ts";
import type { Booted } from "../../kernel/boot.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import { stuckof } from "../explore/stuck.ts";
import { sharesmemory } from "../explore/table.ts";
import type { Rcall } from "../view/record/recording.ts";
import { plural } from "../view/words/stepfmt.ts";
import type { Owners } from "./owners.ts";
import type { Run } from "./run.ts";
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
  // A process that shares its parent's memory is counted to that, which began before it.
  const memory = ({ pid }: Pick<Proc, "pid">): number => {
    const made = calls.findLast((c) => c.value === pid && sharesmemory(c.name, c.args));
    return made === undefined || made.pid >= pid ? pid : memory(made);
  };
  return stuckof([k], { spared: (p) => owners.iskit(p.pid), memory });
}

/** What is left, where a process stands with the place that made it, what it waits for, and its descriptors. */
export function withprocs(
  left: readonly string[],
  at: {
    readonly name: string;
    readonly kernel: Booted;
    readonly owners: Owners;
    readonly runs: readonly Run[];
  },
): string[] {
  const { name, kernel, owners, runs } = at;
  const list = [...left];
  const calls = runs.flatMap((r) => r.calls);
  const stuck = waiting(
    kernel,
    owners,
    calls.map((c) => c.call),
  );
  for (const p of kernel.procs.values()) {
    const line = `${name}: process ${p.pid} ${p.text}`;
    if (!list.includes(line)) continue;
    let n = 0;
    for (const c of new Set(p.fgrp.fd)) {
      const i =
        c === null
          ? -1
          : list.indexOf(`${name}: Chan #${c.dev.dc} ${c.path.toString()} ref ${c.ref}`);
      if (i >= 0) n += list.splice(i, 1).length;
    }
    const place = calls.findLast((c) => c.name === "rfork" && c.value === p.pid)?.place ?? "";
    const who = `process ${p.pid} `;
    const waits = stuck.filter((text) => text.startsWith(who)).map((t) => t.slice(who.length));
    const how = [...(place === "" ? [] : [`made at ${place}`]), ...waits].join(", ");
    const its = n === 0 ? "" : `, and its ${plural(n, "descriptor")}`;
    list[list.indexOf(line)] = `${line}${how === "" ? "" : ` (${how})`}${its}`;
  }
  return list;
}
