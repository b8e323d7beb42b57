// Who waits for what when nothing can run any more, and for whom: the processes that could end the wait. Why a call
// of a recording waits is in view/words/whyproc.ts. That cannot serve here: a search records nothing, to be fast, and
// a recording does not say which processes share the memory of a semaphore.

import type { Chan } from "../../kernel/chan.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Proc } from "../../kernel/proc/proc.ts";
import type { Coroutine } from "../../kernel/proc/sched.ts";

/** What is known of processes. */
export type Known = {
  /** It is no program of the scene's. */
  readonly spared: (p: Proc) => boolean;
  /** The number of its memory. */
  readonly memory: (p: Proc) => number;
};

/** A sentence for each process that sleeps: "process 3 waits in wait for the end of process 5". */
export function stuckof(kernels: Iterable<Kernel>, known: Known): string[] {
  const list: string[] = [];
  for (const k of kernels)
    for (const p of k.procs.values()) {
      if (p === k.proc0 || known.spared(p)) continue;
      const lines = [...p.coroutines()].toReversed().filter((co) => co.on !== null);
      if (lines.length === 0 && !p.dead)
        list.push(`process ${p.pid} waits for a promise of its own`);
      for (const co of lines) list.push(`process ${p.pid} waits ${waitof(p, co, known)}`);
    }
  return list;
}

/** The others for which this is true, by their numbers. */
function others(p: Proc, known: Known, fn: (other: Proc) => boolean): string {
  const list = [...p.k.procs.values()]
    .filter((x) => x !== p && x !== p.k.proc0 && !x.dead && !known.spared(x) && fn(x))
    .map((x) => x.pid);
  const [first, ...more] = list;
  if (first === undefined) return "a process, and there is none that could,";
  return `process ${[first, ...more].join(" or ")}`;
}

function waitof(p: Proc, co: Coroutine, known: Known): string {
  const { k } = p;
  const { call } = co;
  const name = call?.name ?? co.doing ?? co.label;
  const args = call?.args ?? [];
  switch (name) {
    case "wait":
    case "await":
      return `in ${name} for ${children(k, p)}`;
    case "rendezvous":
      return `in rendezvous at ${tagtext(args[0])} for ${others(p, known, (x) => x.rgrp === p.rgrp)} to come there`;
    case "semacquire":
    case "tsemacquire":
      return `in ${name} for ${others(p, known, (x) => known.memory(x) === known.memory(p))} to release the semaphore`;
    case "read":
    case "pread":
      return inchan(k, p, { name, verb: "write to its other end", fd: args[0] });
    case "write":
    case "pwrite":
      return inchan(k, p, { name, verb: "read at its other end", fd: args[0] });
    default:
      return `in ${name}: ${co.on?.what ?? "ready"}`;
  }
}

function tagtext(tag: unknown): string {
  if (typeof tag === "number" || typeof tag === "bigint") return tag.toString();
  return typeof tag === "string" ? `"${tag}"` : `a tag that is ${typeof tag}`;
}

function children(k: Kernel, p: Proc): string {
  const alive = [...k.procs.values()].filter((c) => c.parent === p).map((c) => `process ${c.pid}`);
  return alive.length === 0 ? "a child" : `the end of ${alive.join(" or ")}`;
}

/** A call that waits: its name, what it does in words, and its descriptor. */
type Waitcall = { readonly name: string; readonly verb: string; readonly fd: unknown };

function inchan(k: Kernel, p: Proc, w: Waitcall): string {
  const c = typeof w.fd === "number" ? (p.fgrp.fd[w.fd] ?? null) : null;
  if (c === null) return `in ${w.name}`;
  const where = `in ${w.name}(${String(w.fd)}) of ${c.path.toString()}`;
  if (c.dev.dc !== "|") return `${where} for an answer`;
  const holders = [...k.procs.values()].filter((other) => openat(other, c));
  const mine = holders.includes(p);
  const list = holders.filter((other) => other !== p).map((other) => other.pid);
  if (list.length > 0)
    return `${where} for process ${list.join(" or ")}${mine ? ", or itself," : ""} to ${w.verb}`;
  return mine
    ? `${where} for itself to ${w.verb}: only its own descriptor is open there`
    : `${where}, whose other end is closed`;
}

/** Whether a process has the other end of a pipe's end. */
function openat(p: Proc, c: Chan): boolean {
  return p.fgrp.fd.some(
    (x) =>
      x !== null &&
      x.dev === c.dev &&
      x.qid.path >> 5n === c.qid.path >> 5n &&
      x.qid.path !== c.qid.path,
  );
}
