// Options of the kit as they are given: one that is not known is refused, since a misspelt one would be ignored.

import { valuefmt } from "../view/words/callfmt.ts";
import { nearest } from "../lib/nearest.ts";
import { fortest } from "./place.ts";

/** Throws TypeError for an option that is not among the known ones: "machine: unknown option sed; did you mean seed?" */
export function checkoptions(what: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== "object" || given === null)
    throw fortest(
      new TypeError(
        `${what}: options are an object, not ${given === null ? "null" : typeof given}`,
      ),
    );
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const close = nearest(key, known);
    const hint = close === null ? `there are ${known.join(", ")}` : `did you mean ${close}?`;
    throw fortest(new TypeError(`${what}: unknown option ${key}; ${hint}`));
  }
}

/** Throws TypeError for what is no function: "explore: a scene is a function, not undefined". */
export function checkfunction(what: string, given: unknown): void {
  if (typeof given !== "function")
    throw fortest(new TypeError(`${what} is a function, not ${valuefmt(given)}`));
}

/** Throws TypeError for what is no whole number from `least` on; what is not given is none. */
export function checknumber(what: string, given: unknown, least: number): void {
  if (given === undefined || (Number.isInteger(given) && (given as number) >= least)) return;
  throw fortest(new TypeError(`${what} is a number from ${least} on, not ${valuefmt(given)}`));
}
