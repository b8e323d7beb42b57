// What an exploration found, as data and as text.

import type { Recording } from "../view/record/recording.ts";
import { plural } from "../view/words/text.ts";
import { manyfmt } from "./count.ts";
import type { Many } from "./count.ts";

/** What can go wrong in a schedule. */
export type Faultkind =
  | "deadlock"
  | "livelock"
  | "status"
  | "assertion"
  | "crash"
  | "leak"
  | "panic"
  | "unsteady";

/** What went wrong in a schedule, and in words. */
export type Fault = {
  /** Which kind of failure it is. */
  readonly kind: Faultkind;
  /** One line: "process 3 waits in read(4) of #|/data for ...". */
  readonly what: string;
  /** What was thrown; undefined where nothing was. */
  readonly error: unknown;
};

/** An end that a scene can come to. */
export type Outcome = {
  /** What the scene gave, and what its programs said; or what went wrong. */
  readonly what: string;
  /** How many of the schedules that ran came to it. */
  readonly schedules: number;
  /** The one of them with the fewest switches: "3.1.4". */
  readonly schedule: string;
};

/** A way in which a scene fails. */
export type Failing = Fault &
  Outcome & {
    /** How many switches its schedule has. */
    readonly switches: number;
    /** One of the switches is that a fault happens, of those that may. */
    readonly happens: boolean;
    /** No schedule of this failure has fewer: each that could was run. */
    readonly least: boolean;
    /** What the machine did in that schedule: namec step shows it. null: no machine was made. */
    readonly recording: Recording | null;
  };

/** How an exploration went about it. */
export type Covered = {
  /** "every schedule", "every schedule with at most 1 preemption", "random priorities". */
  readonly what: string;
  /** How many schedules ran. */
  readonly schedules: number;
  /** They are all of that kind. */
  readonly all: boolean;
};

/** What a scene comes to. */
export class Explored {
  /** How many schedules ran to their end. */
  readonly schedules: number;
  /** They are all that there are: the rest differ only in the order of independent steps. */
  readonly all: boolean;
  /** How many schedules brute force would run. */
  readonly brute: Many;
  /** Schedules that were left, as ones that were run already in another order of independent steps. */
  readonly repeated: number;
  /** The ends that the scene came to; those that fail, too. */
  readonly outcomes: readonly Outcome[];
  /** Each distinct failure. */
  readonly failures: readonly Failing[];
  /** How the schedules were chosen. */
  readonly covered: readonly Covered[];
  /** Why it ended before all was done; "" when it did not. */
  readonly cut: string;
  /** Which part of the search it was: "3/8"; "" for the whole. */
  readonly part: string;

  /** @internal */
  constructor(f: Fields) {
    this.schedules = f.schedules;
    this.all = f.all;
    this.brute = f.brute;
    this.repeated = f.repeated;
    this.outcomes = f.outcomes;
    this.failures = f.failures;
    this.covered = f.covered;
    this.cut = f.cut;
    this.part = f.part;
  }

  /**
   * Shows all of it, for a person.
   *
   * @returns lines of text: "214 schedules, all there are: 2 outcomes; 1 deadlock: process 3 waits for ..."
   * @example
   * ```ts
   * console.log((await explore(scene)).show());
   * ```
   */
  show(): string {
    const whole = this.part === "" ? ", all there are" : `, all of part ${this.part}`;
    const how = this.all ? whole : "";
    const lines = [
      `${plural(this.schedules, "schedule")}${how}: ${plural(this.outcomes.length, "outcome")}${this.#faults()}`,
      `    brute force would run ${manyfmt(this.brute)}`,
    ];
    if (!this.all) lines.push(...this.#notall());
    for (const o of this.outcomes.filter((x) => !this.failures.some((f) => f.what === x.what)))
      lines.push(`  ${plural(o.schedules, "schedule")} (${o.schedule}): ${o.what}`);
    for (const f of this.failures) lines.push(...failinglines(f));
    return lines.join("\n");
  }

  #faults(): string {
    const kinds = new Map<Faultkind, Failing[]>();
    for (const f of this.failures) kinds.set(f.kind, [...(kinds.get(f.kind) ?? []), f]);
    return [...kinds]
      .map(
        ([kind, list]) =>
          `; ${named(list.length, kind)}: ${clipped(list[0]?.what.split("\n")[0] ?? "")}`,
      )
      .join("");
  }

  #notall(): string[] {
    const lines = this.covered.map(
      (c) =>
        `    ${c.what}: ${plural(c.schedules, "schedule")}${c.all ? ", all of these" : ", not all"}`,
    );
    if (this.cut !== "") lines.push(`    ${this.cut}: what is left was not run`);
    return lines;
  }
}

/** What an Explored is made of. @internal */
export type Fields = Omit<Explored, "show">;

const NAMES: Readonly<Record<Faultkind, readonly [one: string, more: string]>> = {
  deadlock: ["deadlock", "deadlocks"],
  livelock: ["livelock", "livelocks"],
  status: ["bad exit status", "bad exit statuses"],
  assertion: ["failed assertion", "failed assertions"],
  crash: ["crash", "crashes"],
  leak: ["leak", "leaks"],
  panic: ["panic", "panics"],
  unsteady: ["scene that does not repeat", "scenes that do not repeat"],
};

function named(n: number, kind: Faultkind): string {
  const [one, more] = NAMES[kind];
  return `${n} ${n === 1 ? one : more}`;
}

/** As much of a text as the first line has room for; all of it stands below. */
function clipped(text: string): string {
  return text.length <= ROOM ? text : `${text.slice(0, ROOM - 1)}…`;
}

const ROOM = 90;

/** How many switches, and whether one of them is a fault. */
function switchfmt({ switches, happens }: Failing): string {
  if (!happens) return `${switches}`;
  return switches === 1 ? "1 (the fault)" : `${switches} (one is the fault)`;
}

function failinglines(f: Failing): string[] {
  const [first = "", ...more] = f.what.split("\n");
  return [
    `  ${named(1, f.kind).slice(2)}: ${first}`,
    ...more.map((line) => `    ${line}`),
    `    in ${plural(f.schedules, "schedule")}; the fewest switches${f.least ? "" : " that were found"}: ${switchfmt(f)}, --schedule ${f.schedule} or replay(scene, "${f.schedule}")`,
  ];
}
