// What happened to a name, in words. The answer comes first: what became of the call, why, and what would mend it. Then
// the text says how far the name leads, which mount, member and server had to do with it, and what the call cost in this
// name space and in the other. Pure: recordings of both runs and what was asked after the run go in, paragraphs come out.

import * as F from "../../../kernel/abi/fcall.ts";
import { indexof } from "../record/index.ts";
import type { Eventof } from "../record/index.ts";
import type { Rcall, Recording } from "../record/recording.ts";
import { msgname } from "./eventtext.ts";
import { counted, listfmt, plural, timefmt } from "./text.ts";
import { decision, resultwords } from "./why.ts";
import type { Seenfile } from "../record/seen.ts";
import type { Spent } from "../step/tape.ts";
import { membersat } from "./who.ts";
import { failureof } from "./failure.ts";
import { follows } from "./whymsg.ts";

/** Calls of a recording: those from `from` on, before `to`. */
export type Asked = {
  readonly recording: Recording;
  readonly from: number;
  readonly to: number;
  /** What became of them: "" when they succeeded. */
  readonly error: string;
};

/** What there is of a name, found by asking after the run: the deepest part of it that exists. */
export type Found = {
  readonly path: string;
  /** As ls -l has it: "d-rwxrwxr-x glenda glenda 0". */
  readonly entry: string;
  readonly isdir: boolean;
  readonly length: number;
  /** The whole name exists. */
  readonly whole: boolean;
  /** Of a directory: names in it, those first that look like the one wanted; null when it cannot be read. */
  readonly names: readonly string[] | null;
  /** How many names there are. */
  readonly count: number;
  /** The name that was probably meant, or null. */
  readonly meant: string | null;
  /** Its mode and whose it is. */
  readonly file: Seenfile;
};

/** A call that is to be explained, and all that is known of it. */
export type Explaining = {
  /** The calls before it that failed, as "mkdir /a: file already exists". */
  readonly before: readonly string[];
  readonly run: Asked;
  /** Who ran it. */
  readonly user: string;
  readonly found: Found | null;
  /** The same on a machine of its own with the other name space; null when there was none. */
  readonly beside: Asked | null;
  /** Whether the mechanism is asked for, too. */
  readonly how: boolean;
};

/** The explanation, in paragraphs. */
export function explain(x: Explaining): string[] {
  const { recording: r, error } = x.run;
  const calls = r.calls.slice(x.run.from, x.run.to);
  const isnamed = (c: Rcall): boolean =>
    indexof(r)
      .during(c)
      .some(({ e }) => e.type === "namec");
  const main = calls.find((c) => c.error !== null) ?? calls.find(isnamed) ?? calls[0];
  const list: string[] = x.before.map((text) => `Before it, this failed: ${text}.`);
  if (main === undefined) return [...list, `Nothing was asked of the kernel.`];
  list.push(headline(r, calls, main));
  if (error !== "") list.push(...failure(r, main, x));
  else {
    const { why, mend } = decision(r, main.first);
    list.push(why, mendwords(mend));
  }
  // Where the reason lists what is in that directory, it is not told again.
  if (x.found !== null && !list.some((p) => p.includes(`In ${x.found?.path} there `)))
    list.push(there(x.found, main, x.user));
  list.push(way(r, main, x.how), answers(r, main), cost(x.run, calls));
  if (x.beside !== null) list.push(beside(x.beside, x.run));
  return list.filter((p) => p !== "");
}

function headline(r: Recording, calls: readonly Rcall[], main: Rcall): string {
  const done =
    indexof(r).stuckat(main) >= 0
      ? "does not return"
      : main.error !== null
        ? `fails: ${main.error}`
        : `succeeds${main.result === "" ? "" : `: ${resultwords(main)}`}`;
  const others = calls.filter((c) => c !== main).map((c) => c.name);
  const rest = counted(others).map((text) => text.replace(" ", " times "));
  return `${main.text} ${done}.${rest.length === 0 ? "" : ` With it went ${listfmt(rest)}.`}`;
}

/** What namec decided, as sentences, each once; with `how` each mechanism, too. */
function way(r: Recording, c: Rcall, how: boolean): string {
  const list = new Set<string>();
  for (const { e, event } of indexof(r).during(c)) {
    if (e.type !== "mount" && (e.type !== "namec" || !isworth(r, e, c.error !== null))) continue;
    const d = decision(r, event);
    list.add(d.what);
    if (e.type !== "namec" || e.step !== "miss") list.add(d.why);
    if (how) list.add(d.how);
  }
  list.delete("");
  return [...list].join(" ");
}

/** Whether a step is worth saying: where nothing was decided it is not, and the failure has been told. */
function isworth(r: Recording, e: Eventof<"namec">, failed: boolean): boolean {
  switch (e.step) {
    case "clean":
      return e.name !== e.path;
    case "prefix": {
      if (e.prefix !== "/") return true;
      // A failure says by itself that the kernel's own tree has the rest of a name, or has not got it.
      const [only, ...more] = membersat(r, e, e.point);
      const local = only?.conn === 0 && more.length === 0;
      return r.about.namespace === "names" && !(failed && local);
    }
    case "walk":
      return e.rest.length > 0 && !(failed && e.conn === 0 && e.got < e.rest.length);
    case "fail":
    case "mountpoint":
      return false;
    case "miss":
    case "dot":
    case "device":
    case "found":
    case "deferred":
    case "forced":
    case "ask":
    case "near":
    case "look":
    case "create":
      return true;
  }
}

/** What the servers said. */
function answers(r: Recording, c: Rcall): string {
  const index = indexof(r);
  const said = new Set<string>();
  for (const { e, event } of index.during(c)) {
    if (e.type !== "receive" || follows(r, event)) continue;
    const of = index.request(e);
    if (of !== null && of.fcall.type !== F.Tclunk) said.add(decision(r, event).what);
  }
  return [...said].join(" ");
}

const mendwords = (mend: string): string =>
  mend === "" ? "" : `What would mend it: ${mend.charAt(0).toLowerCase()}${mend.slice(1)}`;

/** Why it failed, and what would mend it. */
function failure(r: Recording, c: Rcall, { found, user }: Explaining): string[] {
  const probe =
    found === null
      ? null
      : {
          entry: found.whole ? found.file : null,
          names: found.names ?? [],
          meant: found.meant,
          user,
        };
  const { why, mend } = failureof(r, c, probe);
  return [why, mendwords(mend)];
}

/** How many names of a directory are shown. */
const SHOWN = 6;

/** What there is of the name. */
function there(f: Found, c: Rcall, user: string): string {
  if (f.whole) return present(f, c, user);
  if (!f.isdir)
    return `What is there: ${f.path} is a file of ${plural(f.length, "byte")} (${f.entry}).`;
  const what = `What is there: ${f.path} is the deepest directory of the name that exists.`;
  if (f.names === null) return `${what} It may not be read by ${user} (${f.entry}).`;
  return `${what} ${inside(f)}`.trimEnd();
}

/** What is in a directory. */
function inside(f: Found): string {
  if (f.names === null) return "";
  if (f.count === 0) return "It is empty.";
  const some = f.names.slice(0, SHOWN);
  const more = f.count > some.length ? `, and ${f.count - some.length} more` : "";
  return `In it ${f.count === 1 ? "is" : "are"} ${listfmt(some)}${more}.`;
}

function present(f: Found, c: Rcall, user: string): string {
  const error = c.error ?? "";
  if (error.endsWith("is a mount point")) return "";
  const entry = `What is there: ${f.path} exists (${f.entry}).`;
  if (error.endsWith("directory not empty")) return `${entry} ${inside(f)}`.trimEnd();
  return error.endsWith("permission denied") ? `${entry} ${user} asked.` : entry;
}

/** What calls cost together. */
function sum(calls: readonly Rcall[]): Spent {
  let [trips, messages, bytes, time] = [0, 0, 0, 0];
  for (const { cost: k, began, ended } of calls) {
    trips += k.trips;
    messages += k.messages;
    bytes += k.bytes;
    time += (ended ?? began) - began;
  }
  return { trips, messages, bytes, time };
}

function sumfmt(s: Spent): string {
  if (s.messages === 0) return "no message at all";
  const time = s.time === 0 ? "" : `${timefmt(s.time)}, `;
  const trips = s.trips === 0 ? "no round trip" : plural(s.trips, "round trip");
  return `${time}${trips}, ${plural(s.messages, "message")} and ${plural(s.bytes, "byte")}`;
}

/** "Twalk, Tstat and Tclunk" */
function requests({ recording: r, from, to }: Asked): string {
  const events = r.calls.slice(from, to).flatMap((c) => indexof(r).during(c));
  const sent = events.flatMap(({ e }) => (e.type === "send" && F.isT(e.fcall) ? [e.fcall] : []));
  return listfmt(counted(sent.map(msgname)));
}

function cost(run: Asked, calls: readonly Rcall[]): string {
  const s = sum(calls);
  if (s.messages === 0)
    return s.time === 0
      ? "It cost nothing: no server was asked."
      : `It cost ${timefmt(s.time)} and no message of 9P: no server was asked for a file.`;
  const sent = requests(run);
  return `It cost ${sumfmt(s)}${sent === "" ? "" : `: ${sent}`}.`;
}

/** What the other kernel paid. */
function beside(b: Asked, run: Asked): string {
  const standard = b.recording.about.namespace === "standard";
  const mine = sum(run.recording.calls.slice(run.from, run.to));
  const its = sum(b.recording.calls.slice(b.from, b.to));
  const name = standard ? "The standard kernel" : "The name space `names`";
  const who = `${name}, run beside it${standard ? " over 9P2000" : ""},`;
  const end =
    b.error === run.error
      ? ""
      : b.error === ""
        ? " There it succeeds."
        : ` There it fails: ${b.error}.`;
  if (its.messages === 0 && mine.messages === 0)
    return `${who} sent no message for it either.${end}`;
  const each = standard && its.trips > 1 ? ", each waited for before the next" : "";
  const how = its.messages === 0 ? "" : `: ${requests(b)}${each}`;
  return `${who} paid ${sumfmt(its)} for the same${how}.${end}`;
}
