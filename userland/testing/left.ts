// What is alive on the machines of a test, as lines of text, and what of it should not be.

import type { Audit } from "../../kernel/kernel.ts";
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
