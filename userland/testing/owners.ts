// Whose an event of the trace is, when several programs run at once: of the run whose process it happened in or
// for. What the kernel sends by itself, such as the clunk of a file that was open when its process ended, is the
// run's that made the fid.

import * as F from "../../kernel/abi/fcall.ts";
import type { Fcall } from "../../kernel/abi/fcall.ts";
import type { Unread } from "../boot/witness.ts";
import type { Event, EventBody } from "../../kernel/trace.ts";

/** What hears of the events of a run. */
export interface Owner {
  take(e: Event, body: EventBody): void;
  /** What a process of the run threw. */
  crashed(pid: number, thrown: unknown): void;
  /** A failed call of a vm program has no reader, and then it has one. */
  unread(p: Promise<unknown>, it: Unread): void;
  read(p: Promise<unknown>): void;
}

const none = (): undefined => undefined;
/** What the kit itself does is no run's. */
const KIT: Owner = { take: none, crashed: none, unread: none, read: none };
/** Nor is what the processes of a run do that has ended. */
const OVER: Owner = { ...KIT };

/** A 9P message on its way: sent, or received. */
type Transmission = Event & { readonly type: "send" | "receive" };

/** The processes of the runs, with what they have at servers. */
export class Owners {
  readonly #runs = new Set<Owner>();
  readonly #procs = new Map<number, Owner>();
  /** Fids and requests outstanding, by connection and number. */
  readonly #fids = new Map<string, Owner>();
  readonly #asked = new Map<string, Owner>();
  #next: Owner | null = null;

  /** Runs that have begun and are not over. */
  get running(): number {
    return this.#runs.size;
  }

  /** A run begins. */
  add(run: Owner): void {
    this.#runs.add(run);
  }

  /** Its events are no longer wanted; its processes stay known. */
  delete(run: Owner): void {
    this.#runs.delete(run);
    for (const [pid, owner] of this.#procs) if (owner === run) this.#procs.set(pid, OVER);
    for (const map of [this.#fids, this.#asked])
      for (const [key, owner] of map) if (owner === run) map.delete(key);
  }

  /** The process that fn starts, and its children, are the run's, or the kit's. */
  starting<T>(run: Owner | null, fn: () => T): T {
    this.#next = run ?? KIT;
    try {
      return fn();
    } finally {
      this.#next = null;
    }
  }

  /** The processes of a run, the first one first. */
  *procs(run: Owner): Generator<number, void, void> {
    for (const [pid, owner] of this.#procs) if (owner === run) yield pid;
  }

  /** What a process threw, for the run that it is of. */
  crashed(pid: number, thrown: unknown): void {
    this.#procs.get(pid)?.crashed(pid, thrown);
  }

  /** A failed call without a reader, for the run whose process made it. */
  unread(pid: number, p: Promise<unknown>, it: Unread): void {
    this.#procs.get(pid)?.unread(p, it);
  }

  /** It has a reader now. */
  read(p: Promise<unknown>): void {
    for (const run of this.#runs) run.read(p);
  }

  /** Whether a process is of a run. */
  isrun(pid: number): boolean {
    const owner = this.#procs.get(pid);
    return owner !== undefined && owner !== KIT && owner !== OVER;
  }

  /** Whether a process is the kit's. */
  iskit(pid: number): boolean {
    return this.#procs.get(pid) === KIT;
  }

  /** Tells an event to the run that it is of; an event that belongs to no run goes to all. */
  take(e: Event, body: EventBody): void {
    const owner = this.#ownerof(e);
    if (owner !== undefined) owner.take(e, body);
    else for (const run of this.#runs) run.take(e, body);
  }

  #ownerof(e: Event): Owner | undefined {
    if (e.type === "proc") return this.#proc(e);
    const owner = this.#procs.get(e.call?.pid ?? e.pid);
    return e.type === "send" || e.type === "receive" ? this.#message(e, owner) : owner;
  }

  #proc(e: Event & { readonly type: "proc" }): Owner | undefined {
    if (e.what === "start") {
      const parent = this.#next ?? (e.call === null ? undefined : this.#procs.get(e.call.pid));
      if (parent !== undefined) this.#procs.set(e.pid, parent);
    }
    const owner = this.#procs.get(e.pid);
    if (e.what === "exit") this.#procs.delete(e.pid);
    return owner;
  }

  #message(e: Transmission, known: Owner | undefined): Owner | undefined {
    const { conn, fcall } = e;
    const tag = `${conn} ${fcall.tag}`;
    if (e.type === "receive") return known ?? this.#asked.get(tag);
    const fid = fidof(fcall);
    const owner = known ?? (fid === null ? undefined : this.#fids.get(`${conn} ${fid}`));
    if (owner === undefined) {
      this.#asked.delete(tag);
      return undefined;
    }
    this.#asked.set(tag, owner);
    const made = madeby(fcall);
    if (made !== null) this.#fids.set(`${conn} ${made}`, owner);
    return owner;
  }
}

function fidof(f: Fcall): number | null {
  return "fid" in f ? f.fid : null;
}

/** The fid that a request makes. */
function madeby(f: Fcall): number | null {
  if (f.type === F.Twalk) return f.newfid;
  if (f.type === F.Tattach) return f.fid;
  return f.type === F.Tauth ? f.afid : null;
}
