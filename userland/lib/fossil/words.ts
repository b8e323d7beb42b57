// What a fossil says in words: counted things, and the sentence for a root that cannot be read.

import { ctime } from "../ctime.ts";
import type { Lostroot } from "./store.ts";

/** counted(1, "block") → "1 block", counted(2, "block") → "2 blocks" */
export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** How long ago a moment was. ago(150) → "2 minutes ago" */
export function ago(seconds: number): string {
  const minutes = seconds / 60;
  if (minutes < 2) return `${counted(Math.max(0, seconds), "second")} ago`;
  if (minutes < 120) return `${Math.floor(minutes)} minutes ago`;
  return minutes < 2880
    ? `${Math.floor(minutes / 60)} hours ago`
    : `${Math.floor(minutes / 1440)} days ago`;
}

/** The sentence for a disk of which one root cannot be read. Times are in seconds. */
export function lostsaid({ slot, age, time }: Lostroot, now: number): string {
  const after = age === "older" ? "nothing is lost" : "what was made safe later is not there";
  return `the ${age} root (slot ${slot}) cannot be read: the other one is served, of ${ctime(time)}, ${ago(now - time)}; ${after}`;
}
