// The host's time zone in the form of /env/timezone: names and offsets of standard and summer time, and when each
// summer begins and ends.

import { search } from "../../kernel/abi/search.ts";

const FIRST = 1970;
const LAST = 2037;
const DAY = 86400;

/** Seconds east of GMT at a time. */
const offset = (seconds: number): number => -60 * new Date(seconds * 1000).getTimezoneOffset();

/** The time between two at which the offset changes. */
function change(from: number, to: number): number {
  const was = offset(from);
  return from + search(to - from, (i) => offset(from + i) === was);
}

/** What a zone is called at a time: EST, or +0530 where it has no letters. */
function name(seconds: number): string {
  const format = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" });
  const part = format
    .formatToParts(new Date(seconds * 1000))
    .find((p) => p.type === "timeZoneName");
  const text = part?.value ?? "GMT";
  return /^[A-Z]+$/.test(text) ? text : text.replace(/^GMT/, "").replace(":", "") || "GMT";
}

/** The zone; "" where it is GMT. */
export function hostzone(): string {
  const now = Math.floor(Date.now() / 1000);
  const year = new Date().getFullYear();
  const [january, july] = [0, 6].map((m) => Date.UTC(year, m, 1) / 1000);
  if (january === undefined || july === undefined) return "";
  const std = Math.min(offset(january), offset(july));
  const dst = Math.max(offset(january), offset(july));
  if (std === dst) return std === 0 ? "" : `${name(now)} ${std} ${name(now)} ${std}`;
  const [winter, summer] = offset(january) === std ? [january, july] : [july, january];
  const times: number[] = [];
  for (let t = Date.UTC(FIRST, 0, 1) / 1000; t < Date.UTC(LAST, 11, 31) / 1000; t += 30 * DAY) {
    if (offset(t) === offset(t + 30 * DAY)) continue;
    const at = change(t, t + 30 * DAY);
    const begins = offset(at) > offset(t);
    if (begins !== (times.length % 2 === 0)) continue;
    times.push(at);
  }
  return `${name(winter)} ${std} ${name(summer)} ${dst} ${times.join(" ")}`;
}
