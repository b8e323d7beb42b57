// A name while it is being resolved: its elements, which of them were handled and by whom, and the one that
// is in question now. Found from what the kernel said in one call, up to one of its events: the steps of
// namec, and the answers to Twalk.

import { callrow } from "../../../kernel/abi/calls.ts";
import { Rwalk, Tcreate, Twalk } from "../../../kernel/abi/fcall.ts";
import type { Fcall } from "../../../kernel/abi/fcall.ts";
import { connname } from "../words/who.ts";
import { bare, isgone } from "../record/recording.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";

/** An element of a name. */
export type Elem = {
  readonly text: string;
  readonly state: "waiting" | "asked" | "done" | "missing";
  /** Who handled it or is asked: "the mount table", "far!564", "member 2"; "" while it waits. */
  readonly by: string;
};

/** What a member of a union was asked for, and what came of it. */
export type Tried = {
  readonly index: number;
  readonly outcome: "asked" | "missed" | "found" | "refused";
  readonly error: string;
};

/** A name that is looked up. */
export type Look = {
  /** As the program gave it. */
  readonly name: string;
  /** Where the elements begin: "/", "#s", or the directory that was dot. */
  readonly root: string;
  /** Of `names` those of the cleaned name; of `standard` as they were given. */
  readonly elems: readonly Elem[];
  /** The element in question; when it is elems.length the whole name is found. */
  readonly cursor: number;
  /** The mount point that it went through last, as the name space has it; null before that, at dot, at a device. */
  readonly at: string | null;
  /** How many members that has. */
  readonly members: number;
  readonly tried: readonly Tried[];
};

/** The names among the arguments of a call, as they were given. */
export function namesof(call: Rcall): string[] {
  const kinds = callrow(call.name)?.args ?? [];
  const args = call.args.filter((_, i) => kinds[i] === "name");
  return args.filter((arg) => typeof arg === "string");
}

/** A name from the root, without ".", ".." and empty elements; one of a device stays with it: #s/x. */
export function cleanname(name: string, dot: string): string {
  const whole = name.startsWith("/") || name.startsWith("#") ? name : `${dot}/${name}`;
  const [, root = "", rest = ""] = /^(#[^/]*)?(.*)$/s.exec(whole) ?? [];
  const out: string[] = [];
  for (const elem of rest.split("/")) {
    if (elem === "..") out.pop();
    else if (elem !== "" && elem !== ".") out.push(elem);
  }
  return root === "" || out.length > 0 ? `${root}/${out.join("/")}` : root;
}

/** The names of a call as they stand after some of its events. */
export function looksof(r: Recording, call: Rcall, events: Iterable<number>): Look[] {
  const resolver = new Resolver(r, call);
  for (const i of events) {
    const e = r.events[i];
    if (e !== undefined) resolver.take(e, i);
  }
  return resolver.looks();
}

type State = { text: string; state: Elem["state"]; by: string };

/** A Look in the making. */
class Seeking {
  readonly name: string;
  root = "/";
  elems: State[];
  /** The elements before it are not walked: the table, dot or the device has them; or a cache, from `base` on. */
  start = 0;
  base = 0;
  at: string | null = null;
  members = 0;
  tried: Tried[] = [];
  begun = false;

  constructor(name: string) {
    this.name = name;
    const [, root = "", rest = ""] = /^(#[^/]*)?(.*)$/s.exec(name) ?? [];
    if (root !== "") this.root = root;
    this.elems = split(rest);
  }

  begin(root: string, elems: readonly string[]): void {
    this.root = root;
    this.elems = elems.map(waiting);
    this.begun = true;
  }

  /** Sets the elements from one to before another. */
  set(from: number, to: number, state: Elem["state"], by: string): void {
    for (const elem of this.elems.slice(from, to)) {
      elem.state = state;
      if (by !== "" || state === "waiting") elem.by = by;
    }
  }

  /** Where these elements are, from one of the places on; -1 when they are not this name's. */
  where(rest: readonly string[], places: readonly number[] = [this.base]): number {
    const fits = (at: number): boolean => rest.every((x, i) => this.elems[at + i]?.text === x);
    return places.find(fits) ?? -1;
  }

  get union(): boolean {
    return this.members > 1;
  }

  look(): Look {
    const { name, root, elems, at, members, tried } = this;
    const of = (state: Elem["state"]): number => elems.findIndex((x) => x.state === state);
    const cursor = [of("missing"), of("asked"), of("waiting")].find((i) => i >= 0) ?? elems.length;
    return { name, root, elems, cursor, at, members, tried };
  }
}

const waiting = (text: string): State => ({ text, state: "waiting", by: "" });
const split = (path: string): State[] =>
  path
    .split("/")
    .filter((x) => x !== "" && x !== ".")
    .map(waiting);

type Namec = Revent & { type: "namec" };

/** Follows the events of one call. */
class Resolver {
  readonly #r: Recording;
  readonly #standard: boolean;
  readonly #all: readonly Seeking[];
  #cur = -1;
  /** How many elements of its name a fid stands for, by connection and fid; and the walks under way. */
  readonly #fids = new Map<string, number>();
  readonly #walks = new Map<number, { readonly s: Seeking; readonly at: number }>();
  /** The name has begun, and nothing was said of it since. */
  #fresh = false;

  constructor(r: Recording, call: Rcall) {
    this.#r = r;
    this.#standard = r.about.namespace === "standard";
    this.#all = namesof(call).map((name) => new Seeking(name));
  }

  looks(): Look[] {
    return this.#all.map((s) => s.look());
  }

  take(e: Revent, event: number): void {
    if (this.#all.length === 0) return;
    if (e.type === "namec") this.#namec(e);
    else if (e.type === "send" && e.fcall.type === Twalk) this.#asked(e.fcall, e.conn, event);
    else if (e.type === "send" && e.fcall.type === Tcreate) this.#creating(e.conn);
    else if (e.type === "receive") this.#answered(e);
    else if (e.type === "return") this.#over(e);
  }

  #namec(e: Namec): void {
    const fresh = this.#fresh;
    this.#fresh = e.step === "clean" || e.step === "dot" || e.step === "device";
    switch (e.step) {
      case "clean":
        return this.#next().begin(
          "/",
          split(e.path).map((x) => x.text),
        );
      case "dot":
        return this.#dot(e, fresh ? this.#now() : this.#next());
      case "device":
        return this.#next().begin(e.path, e.rest);
      case "prefix":
        return this.#prefix(e, fresh);
      case "walk":
        return this.#walk(e.rest, e.got);
      case "found":
      case "miss":
        return this.#member(e);
      case "create":
        return this.#create(e.index);
      case "fail":
        return this.#fail(e);
      case "ask":
        return this.#ask(e);
      case "near":
        return this.#near(e.dir);
      case "deferred":
      case "forced":
      case "look":
      case "mountpoint":
        return undefined;
    }
  }

  #now(): Seeking {
    return this.#all[Math.max(this.#cur, 0)] ?? new Seeking("");
  }

  #next(): Seeking {
    this.#cur = Math.min(this.#cur + 1, this.#all.length - 1);
    return this.#now();
  }

  #dot(e: Namec & { step: "dot" }, s: Seeking): void {
    if (!s.begun) return s.begin(e.path, e.rest);
    s.start = s.base = s.elems.length - e.rest.length;
    s.set(0, s.base, "done", "dot");
  }

  #prefix(e: Namec & { step: "prefix" }, fresh: boolean): void {
    const another = this.#standard && !fresh && e.point === "/" && this.#cur < this.#all.length - 1;
    const s = this.#cur < 0 || another ? this.#next() : this.#now();
    if (!this.#standard) {
      s.start = s.base = s.elems.length - e.rest.length;
      s.set(0, s.base, "done", "the mount table");
    }
    s.at = e.point;
    s.members = e.members;
    s.tried = [];
  }

  /** Whose elements these are. */
  #whose(rest: readonly string[]): Seeking {
    return (
      this.#all.find(
        (s) => s.where(rest, [s.base, s.start]) >= 0 && !s.elems.slice(s.base).every(isdone),
      ) ?? this.#now()
    );
  }

  #walk(rest: readonly string[], got: number): void {
    const s = this.#whose(rest);
    const from = s.base;
    s.set(from, from + got, "done", this.#server(s));
    for (const elem of s.elems.slice(from, from + got)) if (elem.by === "") elem.by = "the kernel";
    if (this.#standard) s.base = from + got;
    else if (got < rest.length && !s.union) s.set(from + got, from + got + 1, "missing", "");
  }

  /** Who serves the first member of the mount point that a name is at. */
  #server(s: Seeking): string {
    return s.root.startsWith("#") ? s.root : s.at === null ? "dot" : s.union ? "member 1" : "";
  }

  #member(e: Namec & { step: "found" | "miss" }): void {
    const s = this.#now();
    const outcome = e.step === "found" ? "found" : "missed";
    s.tried = s.tried.filter((x) => x.index !== e.index);
    s.tried.push({ index: e.index, outcome, error: e.step === "miss" ? e.error : "" });
    if (e.step === "miss") return;
    s.set(s.base, s.base + 1, "done", `member ${e.index + 1}`);
    if (this.#standard && e.index > 0) s.base++;
  }

  #ask(e: Namec & { step: "ask" }): void {
    if (e.of !== "union") return;
    const s = this.#now();
    s.tried = e.asked.map((index) => ({ index, outcome: "asked", error: "" }));
  }

  /** A mount with a cache walks on from a directory that it remembers. */
  #near(dir: readonly string[]): void {
    const s = this.#now();
    if (s.union || s.where(dir) < 0) return;
    s.set(s.base, s.base + dir.length, "done", "the cache");
    s.base += dir.length;
  }

  #create(index: number): void {
    const s = this.#now();
    const last = s.elems.length - 1;
    // No server is asked yet.
    s.set(last, last + 1, "waiting", index < 0 ? "" : `member ${index + 1} is to make it`);
  }

  /** The server makes the last element. */
  #creating(conn: number): void {
    const s = this.#now();
    const last = s.elems.length - 1;
    s.set(last, last + 1, "asked", connname(this.#r, conn));
  }

  #fail({ walked, elem, error }: Namec & { step: "fail" }): void {
    const s = this.#now();
    if (elem === "") return;
    const i =
      s.elems[walked - 1]?.text === elem
        ? walked - 1
        : s.elems.findLastIndex((x) => x.text === elem);
    if (i < 0) return;
    s.set(0, i, "done", "");
    // What may not be opened, or is of the wrong kind, is there.
    const gone = isgone(error);
    s.set(i, i + 1, gone ? "missing" : "done", "");
    if (!gone)
      s.tried = s.tried.map((x) =>
        x.outcome === "found" ? { ...x, outcome: "refused", error: bare(error) } : x,
      );
  }

  /** A walk goes on from where an earlier one led, or from where the name's begins. */
  #asked(
    { fid, newfid, wname }: Fcall & { type: typeof Twalk },
    conn: number,
    event: number,
  ): void {
    const s = this.#whose(wname);
    const from = this.#fids.get(`${conn} ${fid}`);
    const at = s.where(wname, from === undefined ? [s.base, s.start] : [from, s.base, s.start]);
    if (at < 0) return;
    this.#fids.set(`${conn} ${newfid}`, at + wname.length);
    if (wname.length === 0) return;
    this.#walks.set(event, { s, at });
    s.set(at, at + wname.length, "asked", s.union ? "" : connname(this.#r, conn));
  }

  #answered(e: Revent & { type: "receive" }): void {
    const of = this.#r.events[e.of];
    const walk = this.#walks.get(e.of);
    if (of?.type !== "send" || of.fcall.type !== Twalk || walk === undefined) return;
    const { s, at } = walk;
    if (s.union) return;
    const end = at + of.fcall.wname.length;
    const got = at + (e.fcall.type === Rwalk ? e.fcall.wqid.length : 0);
    s.set(at, got, "done", "");
    s.set(got, end, "waiting", "");
    if (got < end) s.set(got, got + 1, "missing", connname(this.#r, e.conn));
  }

  #over(e: Revent): void {
    const error = this.#r.calls[e.call]?.error ?? null;
    if (error !== null) return;
    for (const s of this.#all) {
      s.set(0, s.elems.length, "done", "");
      for (const elem of s.elems) if (elem.by === "") elem.by = "the kernel";
    }
  }
}

const isdone = (x: State): boolean => x.state === "done";
