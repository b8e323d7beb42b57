// The processes at one step, as data: a member of a Frame, for the terminal, the page and tests. There is the tree of
// processes, the files that each has open, and the Chans and groups that are shared. There are the bytes in the pipes, the
// waits of each process and what would end them, and all that this step changed.

import { OEXEC, ORDWR, OWRITE } from "../../../kernel/abi/const.ts";
import type { Openfile } from "../../../kernel/trace.ts";
import type { History, Wasproc } from "../record/history.ts";
import { indexof } from "../record/index.ts";
import type { Eventof, Index } from "../record/index.ts";
import { push } from "../record/recording.ts";
import type { Rcall, Recording } from "../record/recording.ts";
import type { Tape } from "./tape.ts";
import { sleepkind } from "../words/eventtext.ts";
import { connname, serverpid } from "../words/who.ts";

/** A group, and the other processes that share it with this one. */
export type Group = { readonly id: number; readonly with: readonly number[] };

export type Groupname = "names" | "fds" | "env" | "rendez" | "notes";

type Kind = keyof Wasproc["groups"];
type Proc = Eventof<"proc">;

/** Each group of a process: what the trace calls it, and what it is in words. */
export const GROUPS: Readonly<Record<Groupname, { readonly kind: Kind; readonly text: string }>> = {
  names: { kind: "pgrp", text: "name space" },
  fds: { kind: "fgrp", text: "descriptors" },
  env: { kind: "egrp", text: "environment" },
  rendez: { kind: "rgrp", text: "rendezvous tags" },
  notes: { kind: "noteid", text: "note group" },
};

export const GROUPNAMES = Object.keys(GROUPS) as readonly Groupname[];

/** A descriptor, as its process sees it. */
export type Descriptor = {
  readonly fd: number;
  readonly path: string;
  readonly mode: "r" | "w" | "rw" | "x";
  /** Where the next read or write begins. */
  readonly offset: number;
  readonly chan: number;
  /** The other descriptors, of this process and others, that are the same Chan and share its offset. */
  readonly shared: readonly Holder[];
  /** Who serves the file: "far!564"; "" for a device of the kernel. */
  readonly server: string;
  /** The end of a pipe that it is, 0 or 1, and which pipe. */
  readonly pipe: { readonly pipe: number; readonly end: 0 | 1 } | null;
  readonly cexec: boolean;
};

/** Who has a file open, and by which descriptor; of processes that share a table each. */
export type Holder = { readonly pid: number; readonly fd: number };

/** What a process waits for. */
export type Wait = {
  readonly call: number;
  /** "child": a child to end; "bytes", "room": of a pipe; "partner": at a rendezvous; "turn": after another call. */
  readonly for:
    | "child"
    | "bytes"
    | "room"
    | "partner"
    | "turn"
    | "reply"
    | "time"
    | "semaphore"
    | "handler"
    | "start"
    | "other";
  /** The processes that can end the wait, as far as that is known; of "bytes" those who can write, itself too. */
  readonly whom: readonly number[];
  /** Of "reply", who was asked. */
  readonly servers: readonly string[];
  /** Those of the servers that are processes of this machine. */
  readonly served: readonly number[];
  /** Of "bytes" and "room"; and the connection whose mount driver has the other end, 0 for none. */
  readonly pipe: number;
  readonly conn: number;
  /** The Chan that the call is on; 0 for none. */
  readonly chan: number;
  /** What the kernel calls it: "queue read". */
  readonly what: string;
};

/** A process; of one that has ended its parent has not heard yet. */
export type Process = Omit<Wasproc, "groups" | "life"> & {
  readonly life: "alive" | "ended";
  /** How deep it is in the tree; parents come before their children. */
  readonly depth: number;
  /** This step is of this process. */
  readonly now: boolean;
  readonly groups: Readonly<Record<Groupname, Group>>;
  readonly fds: readonly Descriptor[];
  readonly env: readonly { readonly name: string; readonly value: Uint8Array }[];
  /** The system calls that it is in, indexes into the recording's; and what these wait for. */
  readonly calls: readonly number[];
  readonly waits: readonly Wait[];
  /** The mount points of its name space, an index into the recording's `spaces`; -1 when it is not known. */
  readonly space: number;
};

/** One way of a pipe. */
export type Pipeway = {
  /** The end that reads it. */
  readonly end: 0 | 1;
  readonly readers: readonly Holder[];
  readonly writers: readonly Holder[];
  /** How many bytes wait, and the first of them. */
  readonly waiting: number;
  readonly bytes: Uint8Array;
  /** Nothing more comes. */
  readonly hungup: boolean;
};

/** A pipe that a process has open, or that a 9P connection runs over. */
export type Pipe = {
  readonly pipe: number;
  /** "#|/data" and such, as descriptors name it. */
  readonly ways: readonly [Pipeway, Pipeway];
  /** The connection that runs over it, and the end that the mount driver has; 0 for none. */
  readonly conn: number;
  readonly connend: 0 | 1;
};

type Pids = { readonly pids: readonly number[] };

/** What a step changed, beside what its event says. */
export type Change =
  | (Pick<Proc, "pid" | "text"> & { readonly what: Exclude<Proc["what"], "groups"> })
  /** rfork: these groups of the process are others now. */
  | { readonly what: "groups"; readonly pid: number; readonly groups: readonly Groupname[] }
  /** A descriptor of these processes is another file now; null: it is closed. fd -1 is all of them. */
  | (Pids & { readonly what: "fd"; readonly fd: number; readonly path: string | null })
  /** The offset of a Chan is another: `from` one `to` the other. */
  | ({ readonly what: "offset"; readonly chan: number; readonly path: string } & Moved)
  | Pick<Eventof<"pipe">, "what" | "pipe" | "end" | "bytes" | "data">
  | (Pids & Pick<Eventof<"env">, "name" | "value"> & { readonly what: "env" })
  /** The name space of these processes changed at a mount point. */
  | (Pids & Pick<Eventof<"mount">, "op" | "path"> & { readonly what: "mount" });

type Moved = { readonly from: number; readonly to: number };

/** What is known of the processes at a step. */
export type Procs = {
  /** Whether the recording has groups, descriptors and pipes: one of version 1 has not. */
  readonly known: boolean;
  readonly list: readonly Process[];
  readonly pipes: readonly Pipe[];
  /** Since the step before. */
  readonly changes: readonly Change[];
};

/** Bytes of a pipe that are shown. */
const BYTES = 64;

/** What is known of the processes at a step of a tape. */
export function procsof(tape: Tape, step: number): Procs {
  const from = step === 0 ? 0 : tape.event(step - 1) + 1;
  return new Moment(tape.recording, from, tape.event(step)).procs();
}

/** What is known of the processes after an event; nothing of what it changed. */
export function procsat(r: Recording, event: number): Procs {
  return new Moment(r, event + 1, event).procs();
}

type File = { readonly pid: number; readonly fd: number; readonly file: Openfile };

/** The look at one event; what is new since the event `from` and with it are changes. */
class Moment {
  readonly #r: Recording;
  readonly #index: Index;
  readonly #h: History;
  readonly #from: number;
  readonly #event: number;
  readonly #was: readonly Wasproc[];
  /** All descriptors of all processes, by the Chan and by the end of a pipe that they are. */
  readonly #files = new Map<number, readonly File[]>();
  readonly #bychan = new Map<number, Holder[]>();
  readonly #byend = new Map<string, { readonly holder: Holder; readonly mode: number }[]>();
  readonly #calls = new Map<number, number[]>();

  constructor(r: Recording, from: number, event: number) {
    this.#r = r;
    this.#index = indexof(r);
    this.#h = this.#index.history;
    this.#from = from;
    this.#event = event;
    this.#was = this.#h.procs(this.#event);
    for (const p of this.#was) if (p.life === "alive") this.#open(p);
    for (const id of this.#h.calls(this.#event)) {
      const pid = this.#r.calls[id]?.pid ?? 0;
      push(this.#calls, pid, id);
    }
  }

  procs(): Procs {
    const known = this.#h.known;
    const list = this.#tree();
    const changes: Change[] = [];
    for (let i = this.#from; i <= this.#event; i++) {
      const c = this.#change(i);
      if (c !== null) changes.push(c);
    }
    return { known, list, pipes: known ? this.#pipes() : [], changes };
  }

  #open({ pid, groups }: Wasproc): void {
    const files: File[] = [];
    for (const [fd, file] of this.#h.fds(groups.fgrp, this.#event)) {
      files.push({ pid, fd, file });
      const holder = { pid, fd };
      push(this.#bychan, file.chan, holder);
      const { pipe, mode } = file;
      if (pipe !== null) push(this.#byend, `${pipe.pipe} ${pipe.end}`, { holder, mode });
    }
    this.#files.set(pid, files);
  }

  /** The processes, parents before their children. */
  #tree(): Process[] {
    const children = new Map<number, Wasproc[]>();
    const pids = new Set(this.#was.map((p) => p.pid));
    for (const p of this.#was) push(children, pids.has(p.parent) ? p.parent : 0, p);
    const groups = this.#sharers();
    const list: Process[] = [];
    // A chain of processes is as long as programs make it, so a list is followed and no call goes deeper.
    const left = (children.get(0) ?? []).map((p) => ({ p, depth: 0 })).toReversed();
    for (let x = left.pop(); x !== undefined; x = left.pop()) {
      list.push(this.#process(x.p, x.depth, groups));
      for (const p of (children.get(x.p.pid) ?? []).toReversed())
        left.push({ p, depth: x.depth + 1 });
    }
    return list;
  }

  /** Who is in each group: "fgrp 3" → pids. */
  #sharers(): Map<string, number[]> {
    const map = new Map<string, number[]>();
    for (const p of this.#was)
      if (p.life === "alive")
        for (const [kind, id] of Object.entries(p.groups)) push(map, `${kind} ${id}`, p.pid);
    return map;
  }

  #process(p: Wasproc, depth: number, sharers: Map<string, number[]>): Process {
    const { pid, groups } = p;
    const life = p.life === "ended" ? "ended" : "alive";
    const group = (name: Groupname): Group => {
      const { kind } = GROUPS[name];
      const id = groups[kind];
      return { id, with: (sharers.get(`${kind} ${id}`) ?? []).filter((x) => x !== pid) };
    };
    const calls = life === "alive" ? (this.#calls.get(pid) ?? []) : [];
    const env = life === "alive" ? this.#h.env(groups.egrp, this.#event) : [];
    return {
      ...p,
      depth,
      life,
      calls,
      now: this.#r.events[this.#event]?.pid === pid,
      groups: {
        names: group("names"),
        fds: group("fds"),
        env: group("env"),
        rendez: group("rendez"),
        notes: group("notes"),
      },
      fds: (this.#files.get(pid) ?? []).map((f) => this.#descriptor(f)),
      env: env.map(([name, value]) => ({ name, value })),
      waits: calls.flatMap((c) => this.#wait(pid, c) ?? []).filter((w) => !this.#idle(pid, w)),
      space: life === "alive" ? this.#h.space(groups.pgrp, this.#event) : -1,
    };
  }

  #descriptor({ pid, fd, file }: File): Descriptor {
    const { chan, path, conn, pipe, cexec } = file;
    const shared = (this.#bychan.get(chan) ?? []).filter((h) => h.pid !== pid || h.fd !== fd);
    const server = conn > 0 ? connname(this.#r, conn) : "";
    const offset = this.#h.offset(chan, this.#event);
    return { fd, path, mode: modefmt(file.mode), offset, chan, shared, server, pipe, cexec };
  }

  /** Whether a process only waits in rendezvous for its end, as a server does, while another call of it is this step. */
  #idle(pid: number, w: Wait): boolean {
    const e = this.#r.events[this.#event];
    return w.for === "partner" && e?.pid === pid && e.call !== w.call;
  }

  /** What a call waits for; null when it does not wait as far as the recording tells. */
  #wait(pid: number, id: number): Wait | null {
    const call = this.#r.calls[id];
    const e = this.#r.events[this.#index.callevents(id, this.#event).at(-1) ?? -1];
    if (call === undefined || e === undefined) return null;
    const none = { call: id, whom: [], servers: [], served: [], pipe: 0, conn: 0, chan: call.chan };
    // After a step of namec's own the call goes on at once.
    const conns = e.type === "namec" ? [] : this.#asked(id);
    if (conns.length > 0)
      return {
        ...none,
        for: "reply",
        servers: [...new Set(conns.map((conn) => connname(this.#r, conn)))],
        served: conns.map((conn) => serverpid(this.#r, conn)).filter((pid) => pid > 0),
        what: "9P reply",
      };
    if (e.type !== "sleep") return null;
    const { what } = e;
    const why = sleepkind(what);
    switch (why) {
      case "child":
        return { ...none, for: why, whom: this.#alive((p) => p.parent === pid), what };
      case "bytes":
      case "room":
        return { ...none, for: why, ...this.#onpipe(pid, call, why === "bytes"), what };
      case "turn":
        return { ...none, for: why, whom: this.#before(call), what };
      case "handler":
        return { ...none, for: why, whom: [pid], what };
      default:
        return { ...none, for: why, what };
    }
  }

  /** The connections of the servers that a call has asked and that have not answered. */
  #asked(id: number): number[] {
    const conns = this.#index.waiting(id, this.#event).map((i) => {
      const e = this.#r.events[i];
      return e?.type === "send" ? e.conn : 0;
    });
    return [...new Set(conns)];
  }

  /** Who can write what a read waits for, or read what a write has no room for. */
  #onpipe(pid: number, call: Rcall, reading: boolean): Pick<Wait, "whom" | "pipe" | "conn"> {
    const file = this.#files.get(pid)?.find((f) => f.file.chan === call.chan)?.file;
    const at = file?.pipe ?? null;
    if (at === null) return { whom: [], pipe: 0, conn: 0 };
    const other = this.#holders(at.pipe, (1 - at.end) as 0 | 1, reading ? "w" : "r");
    const over = this.#r.conns.find((c) => c.pipe?.pipe === at.pipe && c.pipe.end !== at.end);
    const conn = over?.conn ?? 0;
    // The processes that reach files over a connection may write to its server.
    const kernel = [...this.#files].filter(([, l]) =>
      l.some((f) => conn > 0 && f.file.conn === conn),
    );
    const whom = [...new Set([...other.map((h) => h.pid), ...kernel.map(([p]) => p)])];
    return { whom, pipe: at.pipe, conn };
  }

  /** The processes whose calls on the same Chan began before. */
  #before(call: Rcall): number[] {
    const list: number[] = [];
    for (const [pid, calls] of this.#calls)
      if (calls.some((id) => id < call.id && this.#r.calls[id]?.chan === call.chan)) list.push(pid);
    return list;
  }

  #holders(pipe: number, end: 0 | 1, how: "r" | "w"): Holder[] {
    const list = this.#byend.get(`${pipe} ${end}`) ?? [];
    return list.filter(({ mode }) => modefmt(mode).includes(how)).map(({ holder }) => holder);
  }

  #pipes(): Pipe[] {
    const list: Pipe[] = [];
    const now = this.#r.events[this.#event]?.at ?? 0;
    const conns = new Map(
      this.#r.conns.flatMap((c) => (c.pipe === null ? [] : [[c.pipe.pipe, c] as const])),
    );
    const ends = [...this.#byend.keys()].map((key) => Number(key.slice(0, key.indexOf(" "))));
    const numbers = new Set([...this.#h.pipes(this.#event), ...ends]);
    for (const pipe of [...numbers].sort((a, b) => a - b)) {
      const c = conns.get(pipe);
      const conn = c !== undefined && c.opened <= now ? c.conn : 0;
      const ways: [Pipeway, Pipeway] = [this.#way(pipe, 0), this.#way(pipe, 1)];
      const held = ways.some((w) => w.readers.length + w.writers.length > 0);
      if (held) list.push({ pipe, ways, conn, connend: c?.pipe?.end ?? 0 });
    }
    return list;
  }

  #way(pipe: number, end: 0 | 1): Pipeway {
    const was = this.#h.way(pipe, end, this.#event);
    return {
      end,
      readers: this.#holders(pipe, end, "r"),
      writers: this.#holders(pipe, (1 - end) as 0 | 1, "w"),
      waiting: was === undefined ? 0 : was.put - was.taken,
      bytes: this.#h.bytes(pipe, end, { event: this.#event, most: BYTES }),
      hungup: was?.hungup ?? false,
    };
  }

  #change(i: number): Change | null {
    const e = this.#r.events[i];
    switch (e?.type) {
      case "proc":
        if (e.what !== "groups") return { what: e.what, pid: e.pid, text: e.text };
        return { what: "groups", pid: e.pid, groups: this.#regrouped(e.pid, i) };
      case "fd": {
        const pids = this.#members("fgrp", e.fgrp);
        // The end of a process says by itself that all is closed.
        if (pids.length === 0) return null;
        return { what: "fd", pids, fd: e.fd, path: e.file?.path ?? null };
      }
      case "pipe": {
        const { what, pipe, end, bytes, data } = e;
        return { what, pipe, end, bytes, data };
      }
      case "env":
        return { what: "env", pids: this.#members("egrp", e.egrp), name: e.name, value: e.value };
      case "mount":
        return { what: "mount", op: e.op, pids: this.#members("pgrp", e.pgrp), path: e.path };
      case "return":
        return this.#moved(i, this.#r.calls[e.call], e.offset);
      default:
        return null;
    }
  }

  #moved(i: number, call: Rcall | undefined, to: number): Change | null {
    if (call === undefined || call.chan === 0 || to < 0) return null;
    if (ORDERLESS.has(this.#h.file(call.chan)?.dev ?? "")) return null;
    const from = this.#h.offset(call.chan, i - 1);
    return from === to
      ? null
      : { what: "offset", chan: call.chan, path: call.file ?? "", from, to };
  }

  #members(kind: Kind, id: number): number[] {
    return this.#alive((p) => p.groups[kind] === id);
  }

  #alive(fits: (p: Wasproc) => boolean): number[] {
    return this.#was.filter((p) => p.life === "alive" && fits(p)).map((p) => p.pid);
  }

  #regrouped(pid: number, i: number): Groupname[] {
    const [was, now] = [this.#h.proc(pid, i - 1)?.groups, this.#h.proc(pid, i)?.groups];
    return GROUPNAMES.filter((name) => was?.[GROUPS[name].kind] !== now?.[GROUPS[name].kind]);
  }
}

/** Devices whose files are read and written in the order of time: an offset means nothing there. */
const ORDERLESS: ReadonlySet<string> = new Set(["|", "c"]);

function modefmt(mode: number): Descriptor["mode"] {
  const m = mode & 3;
  return m === OWRITE ? "w" : m === ORDWR ? "rw" : m === OEXEC ? "x" : "r";
}
