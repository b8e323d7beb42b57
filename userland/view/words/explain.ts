// What happened to a name, in words. The answer comes first: what became of the call, why, and what would mend
// it; then what is there of the name, which mount, which member and which server had to do with it, what it
// cost and what the other name space paid for the same. Pure: recordings of both runs and what was asked after
// the run go in, paragraphs come out.

import { isT } from "../../../kernel/abi/fcall.ts";
import * as F from "../../../kernel/abi/fcall.ts";
import { indexof } from "../record/index.ts";
import type { Rcall, Recording, Revent } from "../record/recording.ts";
import { msgname } from "./eventtext.ts";
import { counted, listfmt, plural, timefmt } from "./sentence.ts";
import { decision, resultwords } from "./why.ts";
import type { Seenfile } from "../record/seen.ts";
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
  const main = calls.find((c) => c.error !== null) ?? calls.find((c) => isnamed(r, c)) ?? calls[0];
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

/** Text cut into lines of at most `width` letters, at spaces. */
export function fold(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

type Eventof<T extends Revent["type"]> = Revent & { readonly type: T };

const isnamed = (r: Recording, c: Rcall): boolean =>
  indexof(r)
    .during(c)
    .some(({ e }) => e.type === "namec");

function headline(r: Recording, calls: readonly Rcall[], main: Rcall): string {
  const done =
    indexof(r).stuckat(main) >= 0
      ? "does not return"
      : main.error === null
        ? outcome(main)
        : `fails: ${main.error}`;
  const others = calls.filter((c) => c !== main).map((c) => c.name);
  const rest = counted(others).map((text) => text.replace(" ", " times "));
  const with_ = rest.length === 0 ? "" : ` With it went ${listfmt(rest)}.`;
  return `${main.text} ${done}.${with_}`;
}

function outcome(c: Rcall): string {
  return c.result === "" ? "succeeds" : `succeeds: ${resultwords(c)}`;
}

/** Whether a step says only that the kernel's own tree has the rest of a name, or has not got it: a failure says so. */
function islocal(r: Recording, e: Eventof<"namec">): boolean {
  if (e.step === "walk") return e.conn === 0 && e.got < e.rest.length;
  const members = e.step === "prefix" ? membersat(r, e, e.point) : [];
  return e.step === "prefix" && e.prefix === "/" && members.length === 1 && members[0]?.conn === 0;
}

/** What namec decided, as sentences; with `how` each mechanism, once. */
function way(r: Recording, c: Rcall, how: boolean): string {
  const failed = c.error !== null;
  const list: string[] = [];
  const add = (text: string): void => {
    if (text !== "" && !list.includes(text)) list.push(text);
  };
  for (const { e, event } of indexof(r).during(c)) {
    if (e.type !== "namec" && e.type !== "mount") continue;
    if (!isworth(r, e) || (failed && e.type === "namec" && islocal(r, e))) continue;
    const d = decision(r, event);
    add(d.what);
    if (e.type !== "namec" || e.step !== "miss") add(d.why);
    if (how) add(d.how);
  }
  return list.join(" ");
}

/** Whether a step is worth saying: where nothing was decided it is not, and the failure has been told. */
function isworth(r: Recording, e: Eventof<"namec"> | Eventof<"mount">): boolean {
  if (e.type === "mount") return true;
  switch (e.step) {
    case "clean":
      return e.name !== e.path;
    case "prefix":
      return e.prefix !== "/" || r.about.namespace === "names";
    case "walk":
      return e.rest.length > 0;
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
  const said: string[] = [];
  for (const { e, event } of indexof(r).during(c)) {
    if (e.type !== "receive" || follows(r, event)) continue;
    const of = r.events[e.of];
    if (of?.type !== "send" || of.fcall.type === F.Tclunk) continue;
    const { what } = decision(r, event);
    if (!said.includes(what)) said.push(what);
  }
  return said.join(" ");
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
type Sum = { trips: number; messages: number; bytes: number; time: number };

function sum(calls: readonly Rcall[]): Sum {
  const s: Sum = { trips: 0, messages: 0, bytes: 0, time: 0 };
  for (const { cost: k, began, ended } of calls) {
    s.trips += k.trips;
    s.messages += k.messages;
    s.bytes += k.bytes;
    s.time += (ended ?? began) - began;
  }
  return s;
}

function sumfmt(s: Sum): string {
  if (s.messages === 0) return "no message at all";
  const time = s.time === 0 ? "" : `${timefmt(s.time)}, `;
  const trips = s.trips === 0 ? "no round trip" : plural(s.trips, "round trip");
  return `${time}${trips}, ${plural(s.messages, "message")} and ${plural(s.bytes, "byte")}`;
}

/** "Twalk, Tstat and Tclunk" */
function requests(a: Asked): string {
  const names: string[] = [];
  for (const c of a.recording.calls.slice(a.from, a.to))
    for (const { e } of indexof(a.recording).during(c))
      if (e.type === "send" && isT(e.fcall)) names.push(msgname(e.fcall));
  return listfmt(counted(names));
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

const WHO = {
  standard: "The standard kernel",
  names: "The name space `names`",
} as const;

/** What the other kernel paid. */
function beside(b: Asked, run: Asked): string {
  const { about } = b.recording;
  const calls = b.recording.calls.slice(b.from, b.to);
  const mine = sum(run.recording.calls.slice(run.from, run.to));
  const its = sum(calls);
  const who = `${WHO[about.namespace]}, run beside it${about.namespace === "standard" ? " over 9P2000" : ""},`;
  const end =
    b.error === run.error
      ? ""
      : b.error === ""
        ? " There it succeeds."
        : ` There it fails: ${b.error}.`;
  if (its.messages === 0 && mine.messages === 0)
    return `${who} sent no message for it either.${end}`;
  const how =
    its.messages === 0
      ? ""
      : `: ${requests(b)}${about.namespace === "standard" && its.trips > 1 ? ", each waited for before the next" : ""}`;
  return `${who} paid ${sumfmt(its)} for the same${how}.${end}`;
}
