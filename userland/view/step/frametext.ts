// Frames as plain text, one after another, for files and for comparing runs. Each says its step, the decision and its
// reason, and of the rest only what is not as it was in the frame before.
//
// A message has a line of its own on the time axis. The line shows the way that is behind the message, where it is, and
// the way ahead as far as the recording knows.
//
//	├──────────>·······◆················┤
//	           ^ on its way there, at the step's time; ◆ it reaches the server; ┤ the answer is here

import type { Frame, Message } from "./frame.ts";
import type { Look, Member, Row } from "./names.ts";
import { datafmt } from "../words/callfmt.ts";
import { GROUPS } from "./procs.ts";
import type { Change, Descriptor, Groupname, Holder, Pipe, Process, Procs, Wait } from "./procs.ts";
import { plural, timefmt, visible } from "../words/text.ts";
import { procfmt, sleepfmt } from "../words/eventtext.ts";
import type { Spent } from "./tape.ts";
import { rows } from "./names.ts";

const LABEL = 8;

/** A frame as lines; `last` is the one printed before. */
export function frametext(f: Frame, last: Frame | null): string[] {
  const who = `${f.pid} ${f.process}`.trimEnd();
  const lines = [`${f.step + 1}/${f.steps}  ${timefmt(f.time)}  ${who}  ${f.line}`];
  const { call } = f;
  if (call !== null && call.id !== last?.call?.id) {
    put(lines, "call", call.place === null ? call.text : `${call.text}    ${call.place}`);
    const here = call.source.find((s) => s.here);
    if (here !== undefined) put(lines, "source", here.text.trim());
  }
  put(lines, "what", f.what);
  put(lines, "why", f.why);
  put(lines, "mend", f.mend);
  for (const [label, texts] of Object.entries(PARTS)) {
    const now = texts(f);
    if (last === null || now.join("\n") !== texts(last).join("\n"))
      for (const text of now) put(lines, label, text);
  }
  for (const m of f.served)
    put(lines, "serves", `${m.text}  for ${m.pid} ${nameof(f, m.pid)}`.trimEnd());
  for (const c of f.procs.changes) put(lines, "change", changetext(c));
  for (const s of f.said)
    for (const text of s.text.trimEnd().split("\n")) put(lines, "output", text);
  return lines.map((text) => visible(text, "\t"));
}

/** What is told again only when it has changed. */
const PARTS: Readonly<Record<string, (f: Frame) => readonly string[]>> = {
  name: (f) => f.names.map(looktext),
  tree: (f) => treetext(rows(f.tree)),
  procs: (f) => {
    const list = usersof(f.procs);
    return list.length < 2
      ? []
      : [...list.slice(0, ROWS).map(proctext), ...more(list.length - ROWS)];
  },
  pipes: (f) => f.procs.pipes.slice(0, ROWS).flatMap(pipetext),
  flying: (f) => [
    ...f.flying.map((m) => flyingtext(m, f.time)),
    ...more(f.inflight - f.flying.length, " in flight"),
  ],
  cost: (f) => (f.callspent === null || !isspent(f.callspent) ? [] : [spenttext(f.callspent)]),
};

/** The parts that say something. */
const said = (parts: readonly string[], between: string): string =>
  parts.filter((x) => x !== "").join(between);

const more = (n: number, what = ""): string[] => (n > 0 ? [`and ${n} more${what}`] : []);

/** Lines of a tree that are printed, and members of a union. */
const ROWS = 64;
const MEMBERS = 16;

/** The rows of a tree: of many those that a name leads through, and the first of the others. */
function treetext(all: readonly Row[]): string[] {
  const shown = new Set(
    all.toSorted((a, b) => Number(b.node.taken) - Number(a.node.taken)).slice(0, ROWS),
  );
  return [...all.filter((r) => shown.has(r)).map(rowtext), ...more(all.length - shown.size)];
}

function put(lines: string[], label: string, text: string): void {
  if (text !== "") lines.push(`    ${label.padEnd(LABEL)}${text}`.trimEnd());
}

const isspent = (s: Spent): boolean => s.messages > 0 || s.time > 0;

/** "1 round trip, 6 messages, 164 bytes, 50.00 ms" */
export function spenttext(s: Spent): string {
  const parts = [plural(s.trips, "round trip"), plural(s.messages, "message")];
  return [...parts, plural(s.bytes, "byte"), timefmt(s.time)].join(", ");
}

/** The elements of a name, the one in question in brackets: "/ n  far  [a]  b". */
export function looktext(look: Look): string {
  const elems = look.elems.map((e, i) => {
    const text = e.state === "missing" ? `${e.text}!` : e.text;
    return i === look.cursor ? `[${text}]` : text;
  });
  const by = look.elems[look.cursor === look.elems.length ? look.cursor - 1 : look.cursor]?.by;
  const who = by === undefined || by === "" ? "" : `    ${by}`;
  return `${[look.root, ...elems].join(" ")}${who}`;
}

const MARKS: Readonly<Record<Member["outcome"], string>> = {
  none: "",
  only: "",
  pending: " ?",
  missed: " ✗",
  found: " ✓",
  refused: " !",
};

/** A line of the tree: "* far  far!564"; the path in question is marked with *. */
export function rowtext({ depth, node, folded }: Row): string {
  const some = node.members.slice(0, MEMBERS).map((m) => `${memberfmt(m)}${MARKS[m.outcome]}`);
  const members = [...some, ...more(node.members.length - MEMBERS)];
  const quiet = folded.length === 0 ? "" : `(${folded.join(" ")})`;
  const union = members.length > 1 ? `union: ${members.join(", ")}` : members.join("");
  const state = node.state === "missing" ? "is missing" : "";
  const parts = said([node.name, union, state, quiet], "  ");
  return `${"  ".repeat(depth)}${node.taken ? "*" : " "} ${parts}`;
}

/** A member of a union: "/n/far/a (far!564) MCREATE", with "(hung up)" when its server is gone. */
export function memberfmt(m: Member): string {
  const text = m.conn > 0 && m.text !== m.server ? `${m.text} (${m.server})` : m.text;
  return said([text, m.flags, m.gone ? "(hung up)" : ""], " ");
}

/** The number of the kernel's own process, which no program runs in. */
const KERNEL = 1;

/** The processes but for the kernel's own. */
export function usersof({ list }: Procs): Process[] {
  return list.filter((p) => p.pid !== KERNEL);
}

const nameof = (f: Frame, pid: number): string =>
  f.procs.list.find((p) => p.pid === pid)?.text ?? "";

/** "* 4 (main)  waits for bytes of pipe 1, which 3 can write": the process of the step is marked with *. */
export function proctext(p: Process): string {
  const name = p.text === "" ? "" : ` (${p.text})`;
  const head = `${"  ".repeat(p.depth)}${p.now ? "*" : " "} ${p.pid}${name}`;
  return [head, ...doingtexts(p)].join("  ");
}

/** What a process is at: what it waits for, its notes, its end. */
export function doingtexts(p: Process): string[] {
  const status = p.status === "" ? "" : `: ${p.status}`;
  if (p.life === "ended") return [`has ended${status}; its parent has not waited for it`];
  // A server waits in rendezvous for its end, whatever else it does.
  const own = p.waits.filter((w) => w.for !== "partner" || p.calls.length === 1);
  const waits = [...new Set(own.slice(0, MEMBERS).map(waittext))];
  const handles = p.handling === null ? [] : [`handles the note "${p.handling}"`];
  const notes = p.notes.map((n) => `has got the note "${n}"`);
  // Threads of one process wait each for something of its own.
  return [waits.join(", and "), ...handles, ...notes].filter((x) => x !== "");
}

/** "waits for bytes of pipe 1, which 3 can write" */
function waittext(w: Wait): string {
  const whom = w.whom.slice(0, MEMBERS).join(", ");
  switch (w.for) {
    case "child":
      return `waits for a child to end${whom === "" ? "" : `: ${w.whom.length > 1 ? "any of " : ""}${whom}`}`;
    case "bytes":
      if (w.conn > 0)
        return `waits for requests${whom === "" ? "" : ` of ${whom}`}, from pipe ${w.pipe}`;
      return `waits for bytes of pipe ${w.pipe}, which ${whom === "" ? "no process" : whom} can write`;
    case "room":
      return `waits for room in pipe ${w.pipe}, which ${whom === "" ? "no process" : whom} can read`;
    case "turn":
      return `waits for its turn${whom === "" ? "" : `, after ${whom}`}`;
    case "reply":
      return `waits for ${w.servers.slice(0, MEMBERS).join(", ")}`;
    case "partner":
    case "time":
    case "semaphore":
    case "handler":
    case "start":
    case "other":
      return sleepfmt(w.what);
  }
}

/** "3 rw 5 /n/far/x  far!564  same as 4's fd 3": descriptor, mode, offset, file, server, who has the Chan besides. */
export function fdtext(d: Descriptor): string {
  const at = d.pipe === null ? String(d.offset) : `pipe ${d.pipe.pipe}`;
  // "same as 4's fd 3, 5's fd 3" where the numbers are others, "same in 4, 5" where they are not.
  const alike = d.shared.every((h) => h.fd === d.fd);
  const shared = d.shared.slice(0, MEMBERS).map((h) => (alike ? String(h.pid) : holdertext(h)));
  const rest = d.shared.length > MEMBERS ? [`and ${d.shared.length - MEMBERS} more`] : [];
  const list = [...shared, ...rest].join(", ");
  const same = shared.length === 0 ? "" : `same ${alike ? "in" : "as"} ${list}`;
  const parts = [`${d.fd} ${d.mode.padEnd(2)} ${at}`, d.path, d.server, same];
  return said([...parts, d.cexec ? "closed by exec" : ""], "  ");
}

const holdertext = ({ pid, fd }: Holder): string => `${pid}'s fd ${fd}`;

/** "pipe 1: 4's fd 4 → 3's fd 3  5 bytes "hello"", for each way that was used or can be. */
export function pipetext({ pipe, ways, conn, connend }: Pipe): string[] {
  const over = conn > 0 ? `  9P, connection ${conn}` : "";
  const who = (list: readonly Holder[], end: 0 | 1): string =>
    list.slice(0, MEMBERS).map(holdertext).join(", ") ||
    (conn > 0 && end === connend ? "the kernel" : "no process");
  const [a, b] = ways;
  const ends = [who(a.readers, 0), who(b.readers, 1)] as const;
  // Both ways are one line where both are empty and all who read an end write it, too.
  const both = ends[0] === who(b.writers, 0) && ends[1] === who(a.writers, 1);
  if (both && a.waiting + b.waiting === 0 && !a.hungup && !b.hungup)
    return [`pipe ${pipe}: ${ends[0]} ↔ ${ends[1]}  empty${over}`];
  const used = ways.filter((w) => w.readers.length + w.writers.length + w.waiting > 0);
  return used.map((w) => {
    const from = who(w.writers, w.end === 0 ? 1 : 0);
    const to = who(w.readers, w.end);
    const bytes = w.bytes.length === 0 ? "" : ` ${datafmt(w.bytes)}`;
    const what = w.waiting > 0 ? `${plural(w.waiting, "byte")}${bytes}` : "empty";
    return `pipe ${pipe}: ${from} → ${to}  ${what}${w.hungup ? ", nothing more comes" : ""}${over}`;
  });
}

const grouptext = (g: Groupname): string => (g === "rendez" ? "rendezvous group" : GROUPS[g].text);

function whose(pids: readonly number[]): string {
  if (pids.length === 0) return "a group";
  return `${pids.length === 1 ? "process" : "processes"} ${pids.slice(0, MEMBERS).join(", ")}`;
}

/** What a step changed: "descriptor 3 of process 4 is closed". */
export function changetext(c: Change): string {
  switch (c.what) {
    case "start":
      return `process ${c.pid} is there`;
    case "exec":
      return `process ${c.pid} is ${c.text} now`;
    case "exit":
      return `process ${c.pid} has ended`;
    case "note":
      return `process ${c.pid} has got the note "${c.text}"`;
    case "handle":
    case "noted":
    case "waited":
      return procfmt(c);
    case "dot":
      return `dot of process ${c.pid} is ${c.text}`;
    case "groups":
      return `process ${c.pid} has its own ${c.groups.map(grouptext).join(", ")} now`;
    case "fd":
      if (c.fd < 0) return `all descriptors of ${whose(c.pids)} are closed`;
      return `descriptor ${c.fd} of ${whose(c.pids)} is ${c.path ?? "closed"}`;
    case "offset":
      return `the offset of ${c.path} goes from ${c.from} to ${c.to}`;
    case "put":
      return `${plural(c.bytes, "byte")} go into pipe ${c.pipe}: ${datafmt(c.data)}`;
    case "take":
      return `${plural(c.bytes, "byte")} are taken out of pipe ${c.pipe}`;
    case "hangup":
      return `nothing more goes into pipe ${c.pipe} for end ${c.end}`;
    case "drop":
      return `end ${c.end} of pipe ${c.pipe} is read no more`;
    case "env":
      return `$${c.name} of ${whose(c.pids)} is ${c.value === null ? "removed" : datafmt(c.value)}`;
    case "mount":
      return `${c.op} at ${c.path}: the name space of ${whose(c.pids)} changes`;
  }
}

const STAGES: Readonly<Record<Message["stage"], string>> = {
  going: "on its way there",
  there: "at the server",
  coming: "its answer is on its way",
  arrived: "its answer has come and is read next",
  out: "waits for an answer",
  here: "answered",
};

function flyingtext(m: Message, now: number): string {
  return `${m.peer}  ${m.request}  ${STAGES[m.stage]}, sent ${timefmt(now - m.since)} ago`;
}

/** A line of the axis in parts: before the message, the way behind it, its head, the way ahead. */
export type Bar = {
  readonly before: string;
  readonly behind: string;
  readonly head: string;
  readonly ahead: string;
};

/** The bar of a message on so many columns. */
export function barof(m: Message, axis: Frame["axis"], columns: number): Bar {
  const span = Math.max(1, axis.to - axis.from);
  const at = (t: number): number =>
    Math.max(0, Math.min(columns - 1, Math.round(((t - axis.from) / span) * (columns - 1))));
  const sent = at(m.since);
  const now = Math.max(sent, at(m.stage === "here" ? (m.until ?? axis.now) : axis.now));
  const end = Math.max(now, at(m.until ?? m.turn ?? axis.now));
  const letters: string[] = Array.from({ length: end + 1 }, (_, i) => (i <= now ? "─" : "·"));
  if (m.turn !== null) letters[Math.max(sent, at(m.turn))] = "◆";
  letters[sent] = "├";
  if (end > sent && m.until !== null) letters[end] = "┤";
  const head = HEADS[m.stage];
  const arrives = m.stage === "there" && letters[now] === "◆";
  if (head !== "" && now < columns && !arrives) letters[now] = head;
  const text = letters.join("");
  const stop = m.stage === "here" ? end : now;
  return {
    before: " ".repeat(sent),
    behind: text.slice(sent, stop),
    head: text.slice(stop, stop + 1),
    ahead: text.slice(stop + 1),
  };
}

const HEADS: Readonly<Record<Message["stage"], string>> = {
  going: ">",
  there: ">",
  coming: "<",
  arrived: "┤",
  out: ">",
  here: "",
};
