// What a check is, what it may use, and what became of it.

import type { Sys } from "../../../syscalls/sys.ts";
import { Peer, Skip } from "./peer.ts";
import type { Target } from "./peer.ts";

/** What the checks know of a server before they begin. */
export type Known = {
  /** The names of a plain file with something in it that may be read, from the root; null: none was found. */
  readonly file: readonly string[] | null;
  /** The names of a directory below the root; null: none was found. */
  readonly dir: readonly string[] | null;
  /** The directory that was made for the checks; null: they may not write, for this reason. */
  readonly scratch: readonly string[] | null;
  readonly why: string;
  /** The best version that it speaks. */
  readonly version: string;
};

/** What a check works with. */
export class Context {
  readonly sys: Sys;
  readonly target: Target;
  readonly known: Known;
  readonly #peers: Peer[] = [];

  constructor(sys: Sys, target: Target, known: Known) {
    this.sys = sys;
    this.target = target;
    this.known = known;
  }

  /** The server has taken a call of this check. */
  get begun(): boolean {
    return this.#peers.length > 0;
  }

  /** A connection on which nothing was said. */
  async call(): Promise<Peer> {
    const p = await Peer.call(this.sys, this.target);
    this.#peers.push(p);
    return p;
  }

  /** A connection with the root attached. */
  async open(version = "9P2000"): Promise<Peer> {
    const p = await this.call();
    await p.begin(version);
    return p;
  }

  /** The directory for what is written. */
  get scratch(): readonly string[] {
    const { scratch, why } = this.known;
    if (scratch === null) throw new Skip(why);
    return scratch;
  }

  get file(): readonly string[] {
    if (this.known.file === null) throw new Skip("no plain file with something in it was found");
    return this.known.file;
  }

  get dir(): readonly string[] {
    const dir = this.known.dir ?? this.known.scratch;
    if (dir === null) throw new Skip("no directory was found below the root");
    return dir;
  }

  async close(): Promise<void> {
    for (const p of this.#peers) await p.hangup();
  }
}

/** A check: what a section of the manual says, or what servers got wrong. */
export type Check = {
  /** "walk.partial" */
  readonly id: string;
  /** The page of the manual: "walk(5)". */
  readonly section: string;
  /** What a server does that passes, as a sentence. */
  readonly title: string;
  /** The manual says so; or it is good advice, which does not fail a run. */
  readonly level: "must" | "should";
  run(c: Context): Promise<void>;
};

/** What became of a check. */
export type Result = Omit<Check, "run"> & {
  readonly outcome: "pass" | "fail" | "skip";
  /** What was wrong, or why it was left out. */
  readonly message: string;
};

/** Checks of one section. */
export function section(
  name: string,
  list: Readonly<Record<string, readonly [title: string, run: Check["run"], level?: "should"]>>,
): Check[] {
  const first = name.replace(/\(.*/, "");
  return Object.entries(list).map(([id, [title, run, level]]): Check => ({
    id: `${first}.${id}`,
    section: name,
    title,
    level: level ?? "must",
    run,
  }));
}
