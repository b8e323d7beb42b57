// A schedule as text. At each choice the default is the process that went before; to take another one is a switch.
// "3.1.4" is three choices by default, then a switch; one by default, a switch; four by default, a switch. Where more
// than two processes can go, a letter says which: "3b" takes the second of the others. "default" has no switch.

import type { Choice, Guide, Step } from "./course.ts";

/** The schedule without a switch. */
export const DEFAULT = "default";

/** A switch: how many choices since the last one go by default, and which of the other processes goes then, from 1. */
type Switch = { readonly after: number; readonly which: number };

/** The schedule of these steps. A step at which only one process could go is no choice. */
export function schedulefmt(steps: readonly Step[]): string {
  const parts: string[] = [];
  let after = 0;
  for (const { choice, chosen } of steps) {
    if (choice.going.length < 2) continue;
    if (chosen === 0) after++;
    else {
      parts.push(`${after}${chosen === 1 ? "" : letters(chosen)}`);
      after = 0;
    }
  }
  return parts.length === 0 ? DEFAULT : parts.join(".");
}

/** The schedules that begin as this one, and have one switch more, somewhere behind its last. */
export function withswitch(schedule: string, steps: readonly Step[]): string[] {
  const list: string[] = [];
  const before = schedule === DEFAULT ? "" : `${schedule}.`;
  let after = 0;
  for (const { choice, chosen } of steps) {
    const n = choice.going.length;
    if (n < 2) continue;
    if (chosen > 0) {
      after = list.length = 0;
      continue;
    }
    for (let which = 1; which < n; which++)
      list.push(`${before}${after}${which === 1 ? "" : letters(which)}`);
    after++;
  }
  return list;
}

/** The letters of `which`: 2 → "b", 26 → "z", 27 → "za". */
function letters(which: number): string {
  let text = "";
  let n = which;
  for (; n > 26; n -= 26) text += "z";
  return text + String.fromCharCode(96 + n);
}

/** How many switches a schedule has. */
export function switchesof(schedule: string): number {
  return schedule === DEFAULT ? 0 : schedule.split(".").length;
}

/** A schedule that cannot be read. */
export class Scheduleerror extends Error {
  readonly hint =
    'a schedule is "default", or numbers with dots between them, such as 3.1.4 or 3b.1';
}

function parse(schedule: string): Switch[] {
  if (schedule === DEFAULT) return [];
  return schedule.split(".").map((part) => {
    const m = /^(\d{1,9})(z*[a-z])?$/.exec(part);
    if (m === null) throw new Scheduleerror(`schedule '${schedule}': '${part}' is not a switch`);
    const text = m[2] ?? "a";
    const last = text.charCodeAt(text.length - 1) - 96;
    return { after: Number(m[1]), which: 26 * (text.length - 1) + last };
  });
}

/** Follows a schedule; after its last switch all choices go by default. */
export class Replay implements Guide {
  readonly #switches: readonly Switch[];
  readonly #schedule: string;
  #next = 0;
  #after = 0;
  /** How many processes could go at a switch that names another one; 0 if all switches fitted. */
  #toofew = 0;

  /** Reads a schedule. Throws Scheduleerror. */
  constructor(schedule: string) {
    this.#schedule = schedule;
    this.#switches = parse(schedule);
  }

  pick({ going }: Choice): number {
    const s = this.#switches[this.#next];
    if (going.length < 2 || s === undefined) return 0;
    if (this.#after < s.after) {
      this.#after++;
      return 0;
    }
    this.#next++;
    this.#after = 0;
    if (s.which >= going.length) this.#toofew = going.length;
    return s.which;
  }

  /** Why the schedule is not one of the scene's; null where it is. */
  get left(): string | null {
    const n = this.#switches.length - this.#next;
    const [part, few] = [this.#schedule.split(".")[this.#next - 1], this.#toofew];
    if (n === 0 && few === 0) return null;
    const why =
      few > 0
        ? `at switch ${this.#next} (${part}) ${few} could go, and it takes another one`
        : `the scene ended before its last ${n === 1 ? "switch" : `${n} switches`}`;
    return `schedule ${this.#schedule} does not fit: ${why}`;
  }
}

/** Has steps go in the order of their names, as far as that is possible. */
export class Script implements Guide {
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  pick(choice: Choice): number {
    const name = this.#names[choice.index];
    return name === undefined ? 0 : Math.max(0, choice.names().indexOf(name));
  }
}
