// Options of the kit as they are given: one that is not known is refused, since a misspelt one would be ignored.

import { nearest } from "../lib/nearest.ts";
import { fortest } from "./place.ts";

/** Throws TypeError for an option that is not among the known ones: "machine: unknown option sed; did you mean seed?" */
export function checkoptions(what: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== "object" || given === null)
    throw fortest(new TypeError(`${what}: options are an object, not ${typeof given}`));
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const close = nearest(key, known);
    const hint = close === null ? `there are ${known.join(", ")}` : `did you mean ${close}?`;
    throw fortest(new TypeError(`${what}: unknown option ${key}; ${hint}`));
  }
}
