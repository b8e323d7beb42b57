// What the trace says of processes: their groups, their descriptors, their environment; and all of it at one
// moment, for a recording that begins when they have long been there.

import { CCEXEC, COPEN } from "../chan.ts";
import type { Chan } from "../chan.ts";
import type { Kernel } from "../kernel.ts";
import type { EventBody, Grouped, Openfile, Standing, Trace } from "../trace.ts";
import type { Egrp, Fgrp } from "./pgrp.ts";
import type { Proc } from "./proc.ts";

/** The groups that those of a process were copied from; null where they are no copies. */
export type Copied = { readonly fgrp: Fgrp | null; readonly egrp: Egrp | null };

/** An open file as its descriptor's event has it. */
export function openfile(trace: Trace, c: Chan): Openfile {
  return {
    chan: trace.chans.of(c),
    path: c.path.toString(),
    mode: c.mode,
    dev: c.dev.dc,
    conn: c.dev.conn(c),
    offset: c.offset,
    cexec: (c.flag & CCEXEC) !== 0,
    pipe: c.dev.wire(c)?.pipe ?? null,
  };
}

function grouped(p: Proc): Grouped {
  const { trace } = p.k;
  return {
    pgrp: p.pgrp.pgrpid,
    fgrp: trace.fgrps.of(p.fgrp),
    egrp: trace.egrps.of(p.egrp),
    rgrp: trace.rgrps.of(p.rgrp),
    noteid: p.noteid,
  };
}

function standing(p: Proc, { fgrp, egrp }: Copied): Standing {
  const { trace } = p.k;
  return {
    parent: p.parent?.pid ?? 0,
    groups: grouped(p),
    fdcopy: fgrp === null ? 0 : trace.fgrps.of(fgrp),
    envcopy: egrp === null ? 0 : trace.egrps.of(egrp),
    dot: p.dot.path.toString(),
    table: p.pgrp.ns.snapshot(),
  };
}

/** A process starts, or has other groups. The caller has tested that the trace is on. */
export function tellgroups(p: Proc, what: "start" | "groups", copied: Copied): void {
  p.k.trace.emit({ type: "proc", what, pid: p.pid, text: p.text, of: standing(p, copied) });
}

const NONE: Copied = { fgrp: null, egrp: null };

/** The processes and what they have now, as the events that a trace from the beginning would have. */
export function stateof(k: Kernel): EventBody[] {
  const list: EventBody[] = [];
  const seen = new Set<object>();
  for (const p of k.procs.values()) {
    if (p.dead) continue;
    list.push({ type: "proc", what: "start", pid: p.pid, text: p.text, of: standing(p, NONE) });
    if (!seen.has(p.fgrp)) for (const e of fdsof(p)) list.push(e);
    if (!seen.has(p.egrp)) for (const e of envof(p)) list.push(e);
    seen.add(p.fgrp).add(p.egrp);
    for (const text of p.notes) list.push({ type: "proc", what: "note", pid: p.pid, text, by: 0 });
  }
  const pipes = new Set<string>();
  for (const c of k.chans) {
    if ((c.flag & COPEN) === 0) continue;
    const at = c.dev.wire(c)?.pipe ?? null;
    const key = at === null ? "" : `${at.pipe} ${at.end}`;
    if (at === null || pipes.has(key)) continue;
    pipes.add(key);
    for (const e of c.dev.contents(c)) list.push(e);
  }
  return list;
}

function fdsof(p: Proc): EventBody[] {
  const { trace } = p.k;
  const fgrp = trace.fgrps.of(p.fgrp);
  const list: EventBody[] = [];
  for (const [fd, c] of p.fgrp.fd.entries())
    if (c !== null) list.push({ type: "fd", fgrp, fd, file: openfile(trace, c) });
  return list;
}

function envof(p: Proc): EventBody[] {
  const egrp = p.k.trace.egrps.of(p.egrp);
  return [...p.egrp.vars.values()].map(({ name, value }) => ({ type: "env", egrp, name, value }));
}
