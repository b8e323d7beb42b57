// The names at one step: each as far as it is resolved, and the name space as a tree with the way of the names in it.
//
// A Look is a name while it is being resolved: its elements, which of them were handled and by whom, and the one that
// is in question. It is found from what the kernel said in one call, up to one of its events: the steps of namec, and
// the answers to Twalk. The tree has the mount points with their members, the directories that lead to them, and the
// union members that were tried on the way.

import { callrow } from "../../../kernel/abi/calls.ts";
import { Rwalk, Tcreate, Twalk } from "../../../kernel/abi/fcall.ts";
import type { Fcall } from "../../../kernel/abi/fcall.ts";
import type { Mounted, Mountpoint, Picture } from "../../../kernel/names/namespace.ts";
import { got } from "../record/history.ts";
import { indexof } from "../record/index.ts";
import type { Eventof } from "../record/index.ts";
import { bare, connin, isgone } from "../record/recording.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { below } from "../record/seen.ts";
import { mountleave } from "../words/callfmt.ts";
import { connname } from "../words/who.ts";

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
  const [root, rest] = rooted(whole);
  const clean = below("", elemsof(rest));
  return root === "" || clean !== "" ? `${root}/${clean}` : root;
}

/** The device that a name begins at, and the rest of it: "#s/x" → ["#s", "/x"]; "" for no device. */
function rooted(name: string): readonly [device: string, rest: string] {
  const [, device = "", rest = ""] = /^(#[^/]*)?(.*)$/s.exec(name) ?? [];
  return [device, rest];
}

/** Whether a name is that of a directory, or below it. */
export const isbelow = (name: string, dir: string): boolean =>
  name === dir || name.startsWith(dir === "/" ? dir : `${dir}/`);

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
    const [root, rest] = rooted(name);
    if (root !== "") this.root = root;
    this.elems = elemsof(rest).map(waiting);
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

  /** Elements that were found; what no server had is the kernel's. */
  found(from: number, to: number, by = ""): void {
    this.set(from, to, "done", by);
    for (const elem of this.elems.slice(from, to)) if (elem.by === "") elem.by = "the kernel";
  }

  /** Sets the last element, which is to be made. */
  make(state: Elem["state"], by: string): void {
    this.set(this.elems.length - 1, this.elems.length, state, by);
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
const elemsof = (path: string): string[] => path.split("/").filter((x) => x !== "" && x !== ".");

type Namec = Eventof<"namec">;

/** Follows the events of one call. */
class Resolver {
  readonly #r: Recording;
  readonly #standard: boolean;
  readonly #all: readonly Seeking[];
  #cur = -1;
  /** How many elements of its name a fid stands for, by connection and fid; and the walks under way. */
  readonly #fids = new Map<string, number>();
  readonly #walks = new Map<number, { s: Seeking; at: number; end: number }>();
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
    else if (e.type === "send" && e.fcall.type === Tcreate)
      this.#now().make("asked", connname(this.#r, e.conn));
    else if (e.type === "receive") this.#answered(e);
    else if (e.type === "return") this.#over(e);
  }

  #namec(e: Namec): void {
    const fresh = this.#fresh;
    this.#fresh = e.step === "clean" || e.step === "dot" || e.step === "device";
    switch (e.step) {
      case "clean":
        return this.#next().begin("/", elemsof(e.path));
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
        // No server is asked yet.
        return this.#now().make(
          "waiting",
          e.index < 0 ? "" : `member ${e.index + 1} is to make it`,
        );
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
    s.found(from, from + got, this.#server(s));
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
    const end = at + wname.length;
    this.#walks.set(event, { s, at, end });
    s.set(at, end, "asked", s.union ? "" : connname(this.#r, conn));
  }

  #answered(e: Eventof<"receive">): void {
    const walk = this.#walks.get(e.of);
    if (walk === undefined || walk.s.union) return;
    const { s, at, end } = walk;
    const got = at + (e.fcall.type === Rwalk ? e.fcall.wqid.length : 0);
    s.set(at, got, "done", "");
    s.set(got, end, "waiting", "");
    if (got < end) s.set(got, got + 1, "missing", connname(this.#r, e.conn));
  }

  #over(e: Revent): void {
    if ((this.#r.calls[e.call]?.error ?? null) !== null) return;
    for (const s of this.#all) s.found(0, s.elems.length);
  }
}

const isdone = (x: State): boolean => x.state === "done";

/**
 * What became of a member of a mount point: "none" was not in question, "only" is alone there. A member that refused
 * has the name, and what was to be done with that has failed.
 */
export type Outcome = "none" | "only" | "pending" | "missed" | "found" | "refused";

/** Something that is mounted. */
export type Member = {
  readonly index: number;
  /** What it is: "far!564", "/n/far/a", "#c". */
  readonly text: string;
  /** Who serves it: "far!564", or "the kernel" for a device. */
  readonly server: string;
  readonly conn: number;
  /** Its connection has hung up: no request is answered there any more. */
  readonly gone: boolean;
  /** What may be done there: "MCREATE|MCACHE", or "". */
  readonly flags: string;
  readonly outcome: Outcome;
  /** Why it was missed. */
  readonly error: string;
};

/** A directory of the tree, or a file below one that a name leads to. */
export type Node = {
  /** Its last element; "/" at the root. */
  readonly name: string;
  readonly path: string;
  readonly mounted: boolean;
  readonly members: readonly Member[];
  readonly children: readonly Node[];
  /** Whether the name in question leads through it. */
  readonly taken: boolean;
  /** Of an element of that name, how far it is. */
  readonly state: Elem["state"] | null;
};

/** A line of a tree. `folded` are mount points of devices that no name in question leads through. */
export type Row = {
  readonly depth: number;
  readonly node: Node;
  readonly folded: readonly string[];
};

/** A Node in the making. */
class Making {
  readonly name: string;
  readonly path: string;
  mount: Mountpoint | null = null;
  readonly children = new Map<string, Making>();
  taken = false;
  state: Elem["state"] | null = null;
  look: Look | null = null;

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
  }
}

/** The tree of a name space as it is at an event, with these names in it. */
export function treeof(r: Recording, event: number, space: Picture, looks: readonly Look[]): Node {
  const root = new Making("/", "/");
  for (const m of space) place(root, elemsof(m.path)).mount = m;
  for (const look of looks) lead(root, look);
  return finished(r, root, event);
}

function place(root: Making, elems: readonly string[]): Making {
  let at = root;
  for (const elem of elems) {
    const { path, children } = at;
    at = got(children, elem, () => new Making(elem, `${path === "/" ? "" : path}/${elem}`));
  }
  return at;
}

/** Marks the way of a name: up to the element in question, and what it is at. */
function lead(root: Making, look: Look): void {
  if (look.root.startsWith("#")) return;
  const way: Making[] = [root];
  for (const elem of elemsof(look.root)) way.push(place(way.at(-1) ?? root, [elem]));
  for (const { text, state } of look.elems) {
    if (text === "..") {
      if (way.length > 1) way.pop();
      continue;
    }
    const at = place(way.at(-1) ?? root, [text]);
    at.state = state;
    way.push(at);
  }
  for (const at of way) at.taken ||= at.state !== "waiting";
  const mount = look.at === null ? undefined : place(root, elemsof(look.at));
  if (mount !== undefined) {
    mount.taken = true;
    mount.look = look;
  }
}

function finished(r: Recording, m: Making, event: number): Node {
  const { name, path, mount, taken, state, look } = m;
  const members = mount?.members ?? [];
  return {
    name,
    path,
    mounted: mount !== null,
    members: members.map((x, index) => {
      const tried = look?.tried.find((y) => y.index === index);
      const became = outcome(look, tried?.outcome, members.length);
      return { ...member(r, x, event), index, outcome: became, error: tried?.error ?? "" };
    }),
    children: [...m.children.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((c) => finished(r, c, event)),
    taken,
    state,
  };
}

type Mountedthere = Omit<Member, "index" | "outcome" | "error">;

function member(r: Recording, { conn, from, flags }: Mounted, event: number): Mountedthere {
  const server = conn > 0 ? connname(r, conn) : "the kernel";
  const whole = from === "" || from === connin(r, conn)?.name;
  return {
    text: conn > 0 && whole ? server : from,
    server,
    conn,
    gone: indexof(r).hungup(conn, event),
    flags: mountleave(flags),
  };
}

function outcome(look: Look | null, tried: Tried["outcome"] | undefined, members: number): Outcome {
  if (look === null) return "none";
  if (members === 1) return "only";
  if (tried !== undefined && tried !== "asked") return tried;
  const open = look.members > 1 && look.cursor < look.elems.length;
  return open && !look.tried.some((x) => x.outcome === "found" || x.outcome === "refused")
    ? "pending"
    : "none";
}

/** The tree in lines, from the top down; what no name leads through is folded where it is only the kernel's. */
export function rows(root: Node): Row[] {
  const list: Row[] = [];
  const add = (node: Node, depth: number): void => {
    const quiet = node.children.filter(isquiet);
    list.push({ depth, node, folded: quiet.map((c) => c.name) });
    for (const c of node.children) if (!isquiet(c)) add(c, depth + 1);
  };
  add(root, 0);
  return list;
}

/** Only devices of the kernel are there, and no name leads there. */
function isquiet(n: Node): boolean {
  return (
    !n.taken &&
    n.state === null &&
    n.members.every((m) => m.conn === 0 && /^#|^\/dev$/.test(m.text)) &&
    n.children.every(isquiet)
  );
}
