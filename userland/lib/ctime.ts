// Seconds since 1970 as people write them, in GMT or in the zone of /env/timezone. ctime(2)

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
] as const;

const DAY = 86400;

/** A time taken apart; mon counts from 0. */
export type Tm = {
  readonly sec: number;
  readonly min: number;
  readonly hour: number;
  readonly mday: number;
  readonly mon: number;
  readonly year: number;
  readonly wday: string;
  readonly month: string;
};

/** Takes a time apart. Date is the calendar here and no clock: it is given the time. */
export function gmtime(time: number): Tm {
  // oxlint-disable-next-line no-restricted-globals
  const d = new Date(time * 1000);
  const mon = d.getUTCMonth();
  return {
    sec: d.getUTCSeconds(),
    min: d.getUTCMinutes(),
    hour: d.getUTCHours(),
    mday: d.getUTCDate(),
    mon,
    year: d.getUTCFullYear(),
    wday: DAYS[d.getUTCDay()] ?? "",
    month: MONTHS[mon] ?? "",
  };
}

const two = (n: number): string => String(n).padStart(2, "0");
const clock = (t: Tm): string => `${two(t.hour)}:${two(t.min)}`;

/** A time zone: standard and summer time, each with seconds east of GMT, and when each summer begins and ends. */
export type Zone = {
  readonly std: readonly [name: string, offset: number];
  readonly dst: readonly [name: string, offset: number];
  readonly summers: readonly number[];
};

/** Reads what /env/timezone holds: "EST -18000 EDT -14400" and times in pairs; null where it holds no zone. */
export function parsezone(text: string): Zone | null {
  const [std, stdoff, dst, dstoff, ...times] = text.trim().split(/\s+/);
  if (std === undefined || std === "" || stdoff === undefined) return null;
  const offset = Number(stdoff);
  if (!Number.isFinite(offset)) return null;
  return {
    std: [std, offset],
    dst: [dst ?? std, Number(dstoff ?? offset)],
    summers: times.map(Number).filter(Number.isFinite),
  };
}

const GMT: readonly [string, number] = ["GMT", 0];

/** The name and offset that a zone has at a time. */
function offsetat(zone: Zone | null, time: number): readonly [string, number] {
  if (zone === null) return GMT;
  for (let i = 0; i + 1 < zone.summers.length; i += 2)
    if (time >= (zone.summers[i] ?? 0) && time < (zone.summers[i + 1] ?? 0)) return zone.dst;
  return zone.std;
}

/** "Tue Nov 22 19:37:05 GMT 2011", as date prints it. */
export function ctime(time: number, zone: Zone | null = null): string {
  const [name, offset] = offsetat(zone, time);
  const t = gmtime(time + offset);
  const mday = String(t.mday).padStart(2);
  return `${t.wday} ${t.month} ${mday} ${clock(t)}:${two(t.sec)} ${name} ${t.year}`;
}

/** As ls prints it: with the hour if it is no more than half a year ago, else the year. */
export function lstime(time: number, now: number, zone: Zone | null = null): string {
  const t = gmtime(time + offsetat(zone, time)[1]);
  const recent = time >= now - 180 * DAY && time <= now + DAY;
  return `${t.month} ${String(t.mday).padStart(2)} ${recent ? clock(t) : String(t.year).padStart(5)}`;
}
