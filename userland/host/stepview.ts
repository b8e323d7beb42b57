// The screen of `namec step`: panels made of a frame, laid out on so many columns and rows. It draws no
// escape sequences and knows no keys.
//
// Each panel says how many lines it needs and how many it would like; on a small screen all get what they
// need first, and then, in the order of what matters most, more. From 100 columns on, the tree stands beside
// the rest.

import {
  barof,
  changetext,
  doingtexts,
  fdtext,
  memberfmt,
  pipetext,
  proctext,
  spenttext,
  usersof,
} from "../view/step/frametext.ts";
import type { Frame, Message, Sourceline } from "../view/step/frame.ts";
import type { Descriptor, Process } from "../view/step/procs.ts";
import type { Rsaid } from "../view/record/recording.ts";
import type { Spent } from "../view/step/tape.ts";
import type { Elem, Look, Member, Row } from "../view/step/names.ts";
import { plural, timefmt } from "../view/words/text.ts";
import { rows } from "../view/step/names.ts";
import { clip, plaintext, width, wrapped } from "./ansi.ts";
import type { Piece, Style, Text } from "./ansi.ts";

export const COLUMNS = 40;
export const ROWS = 12;
/** Lines that each panel gets before another gets more, where there is room. */
const FAIR = 5;
/** From so many columns on there are two columns of panels. */
const BOTH = 100;

export type Size = { readonly columns: number; readonly rows: number };

/** The panes of the screen. */
export const PANES = [
  "call",
  "name",
  "decision",
  "name space",
  "processes",
  "messages",
  "output",
] as const;
export type Pane = (typeof PANES)[number];

/** A pane: its title, all its lines, the fewest that make sense, and what matters more when room is short. */
type Panel = {
  readonly pane: Pane;
  readonly title: string;
  readonly lines: readonly Text[];
  readonly least: number;
  readonly rank: number;
  /** So many first lines are always seen, and of the others this one. */
  readonly pinned?: number;
  readonly at?: number;
};

/** A line as many as it takes: what does not fit goes on below, further to the right. */
function hanging(line: string, columns: number, style: Style = "plain"): Text[] {
  const indent = /^ */.exec(line)?.[0] ?? "";
  const more = `${indent}      `;
  // The words of a line keep the spaces between them, but for where it is cut.
  return wrapped(line.slice(indent.length), columns - more.length).map((x, i) =>
    text((i === 0 ? indent : more) + x.trimStart(), style),
  );
}

/** What of the screen the one at the keys has chosen. */
export type Chosen = {
  /** The pane that is scrolled, and gets room before the others. */
  readonly focus: Pane | null;
  /** Only that pane is shown. */
  readonly alone: boolean;
  /** How many lines it is moved; the drawing keeps that within what there is. */
  readonly scroll: { by: number };
  /** What was written on the console so far. */
  readonly said: readonly Rsaid[];
};

const NOTHING: Chosen = { focus: null, alone: false, scroll: { by: 0 }, said: [] };

const piece = (s: string, style: Style = "plain"): Piece => ({ text: plaintext(s), style });
const text = (s: string, style: Style = "plain"): Text => [piece(s, style)];

/** The panes of a frame on the screen, but for its last line, which is the keys'. */
export function drawframe(f: Frame, size: Size, chosen: Chosen = NOTHING): Text[] {
  const { columns } = size;
  const height = size.rows - 1;
  const head = [titleline(f, columns)];
  const foot = ledger(f, columns);
  const room = height - head.length - foot.length;
  if (chosen.alone) {
    const one = panesof(f, columns, chosen).filter((p) => p.pane === chosen.focus);
    return [...head, ...stack(one, { columns, rows: room }, chosen), ...foot];
  }
  if (columns < BOTH) {
    const panels = panesof(f, columns, chosen);
    return [...head, ...stack(panels, { columns, rows: room }, chosen), ...foot];
  }
  const right = Math.floor(columns * 0.42);
  const left = columns - right - 3;
  const messages = flights(f, columns);
  const some = Math.min(
    messages.lines.length + 1,
    Math.floor(room * (chosen.focus === "messages" ? 0.7 : 0.4)),
  );
  const below = stack([messages], { columns, rows: some }, chosen);
  const above = room - below.length;
  const of = (width: number, panes: readonly Pane[]): Text[] =>
    stack(
      panesof(f, width, chosen).filter((p) => panes.includes(p.pane)),
      { columns: width, rows: above },
      chosen,
    );
  const a = of(left, ["call", "name", "decision"]);
  const b = of(right, ["name space", "processes", "output"]);
  return [...head, ...beside(a, b, left), ...below, ...foot];
}

/** The panes in their order; the picture that belongs to the step gets its room first. */
function panesof(f: Frame, columns: number, chosen: Chosen): Panel[] {
  return [
    callpanel(f, columns),
    names(f, columns),
    decision(f, columns),
    tree(f),
    processes(f, columns),
    flights(f, columns),
    output(f, chosen.said),
  ].map((p) => (p.pane === chosen.focus ? { ...p, rank: -1, least: Math.max(p.least, 3) } : p));
}

/** Puts panes on top of each other in exactly so many rows; those that matter least are left out first. */
function stack(all: readonly Panel[], { columns, rows: height }: Size, chosen: Chosen): Text[] {
  const panels = fitting(
    all.filter((p) => p.lines.length > 0 || p.pane === chosen.focus),
    height,
  );
  const titles = height >= panels.reduce((n, p) => n + p.least + 1, 0);
  const got = panels.map((p) => Math.min(p.least, p.lines.length));
  let left = height - got.reduce((a, b) => a + b, 0) - (titles ? panels.length : 0);
  const order = panels
    .map((_, i) => i)
    .sort((a, b) => (panels[a]?.rank ?? 0) - (panels[b]?.rank ?? 0));
  const raise = (i: number, most: number): void => {
    const more = Math.max(0, Math.min(most - (got[i] ?? 0), left));
    got[i] = (got[i] ?? 0) + more;
    left -= more;
  };
  // What was decided, and for a failure what would mend it, is seen before more of anything else.
  for (const i of order) {
    const fair = panels[i]?.pane === "decision" ? Math.max(FAIR, height >> 1) : FAIR;
    raise(i, Math.min(panels[i]?.lines.length ?? 0, fair));
  }
  for (const i of order) raise(i, panels[i]?.lines.length ?? 0);
  const out = panels.flatMap((p, i) => {
    const focus = p.pane === chosen.focus;
    return [
      ...(titles ? [rule(p.title, columns, focus)] : []),
      ...shown(p, got[i] ?? 0, focus ? chosen.scroll : null),
    ];
  });
  while (out.length < height) out.push([]);
  return out.slice(0, height);
}

/** As many of the panes as have room for the fewest of their lines, and where it is not narrow for their titles. */
function fitting(all: readonly Panel[], height: number): readonly Panel[] {
  let panels = all;
  const title = height < TITLED ? 0 : 1;
  while (panels.length > 1 && panels.reduce((n, p) => n + p.least + title, 0) > height) {
    const last = panels.reduce((a, b) => (b.rank >= a.rank ? b : a));
    panels = panels.filter((p) => p !== last);
  }
  return panels;
}

/** From so many lines on every pane has its title. */
const TITLED = 16;

/** So many lines of a pane, the one that must be seen among them; what is left out is said. */
function shown(
  { lines, at = 0, pinned = 0 }: Panel,
  n: number,
  scroll: { by: number } | null,
): readonly Text[] {
  if (lines.length <= n) {
    if (scroll !== null) scroll.by = 0;
    return lines;
  }
  const first = Math.max(0, Math.min(pinned, n - 1));
  const room = n - first;
  const last = lines.length - room;
  const start = Math.max(first, Math.min(at - (room >> 1), last));
  const from = Math.max(first, Math.min(start + (scroll?.by ?? 0), last));
  if (scroll !== null) scroll.by = from - start;
  const some = [...lines.slice(0, first), ...lines.slice(from, from + room)];
  // The lines of a program have numbers, which say by themselves that some are left out.
  if (n > 2 && pinned === 0)
    some[n - 1] = [
      ...(some[n - 1] ?? []),
      piece(`  (${plural(lines.length - n, "more line")})`, "dim"),
    ];
  return some;
}

function rule(title: string, columns: number, focus: boolean): Text {
  return [
    piece("── ", "dim"),
    piece(title, focus ? "title" : "bold"),
    piece(` ${"─".repeat(Math.max(0, columns - title.length - 4))}`, "dim"),
  ];
}

function beside(a: readonly Text[], b: readonly Text[], left: number): Text[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => [
    ...padded(a[i] ?? [], left),
    piece(" │ ", "dim"),
    ...(b[i] ?? []),
  ]);
}

function padded(line: Text, columns: number): Text {
  const out: Piece[] = [];
  let room = columns;
  for (const p of line) {
    const some = clip(p.text, room);
    out.push({ text: some, style: p.style });
    room -= width(some);
  }
  return [...out, piece(" ".repeat(Math.max(0, room)))];
}

function titleline(f: Frame, columns: number): Text {
  const who = f.process === "" ? "" : `${plaintext(f.process)} (${f.pid})  `;
  const right = columns < WORDS ? ` ${timefmt(f.time)} ` : `${timefmt(f.time)}  ${who}`;
  const left = plaintext(` step ${f.step + 1} of ${f.steps}  ${f.line}`);
  const room = Math.max(0, columns - width(right));
  const some = clip(left, room - 2);
  return text(`${some}${" ".repeat(Math.max(0, room - width(some)))}${right}`, "title");
}

function callpanel(f: Frame, columns: number): Panel {
  const { call, crash } = f;
  const none = { pane: "call", title: "call" } as const;
  if (crash !== null) {
    const lines = [placed(["the program threw here"], crash.place, { columns, style: "bad" })];
    const at =
      1 +
      Math.max(
        0,
        crash.source.findIndex((x) => x.here),
      );
    const all = [...lines.flat(), ...crash.source.flatMap((s) => source(s, columns))];
    return {
      ...none,
      title: "crash",
      lines: all,
      least: Math.min(3, all.length),
      rank: 1,
      pinned: 1,
      at,
    };
  }
  if (call === null) return { ...none, lines: [text("no system call", "dim")], least: 1, rank: 7 };
  const style: Style = call.error === null ? "bold" : "bad";
  const words = wrapped(plaintext(call.text), columns);
  const lines = placed(words, call.place, { columns, style });
  if (call.place === null && f.served.length > 0)
    lines.push(text("the library of servers makes this call", "dim"));
  const pinned = Math.min(3, lines.length);
  const here = call.source.findIndex((x) => x.here);
  const at = lines.length + Math.max(0, here);
  lines.push(...call.source.flatMap((s) => source(s, columns)));
  const least = Math.min(1 + pinned, lines.length);
  // Of what fails the line that does matters more than the pictures.
  return { ...none, lines, least, rank: f.mend === "" ? 4 : 2, pinned, at };
}

/** How wide lines may be, and their style. */
type Layout = { readonly columns: number; readonly style: Style };

/** Lines with the place behind the last, without its path; where there is no room it has its own line. */
function placed(
  words: readonly string[],
  place: string | null,
  { columns, style }: Layout,
): Text[] {
  const lines = words.map((x): Text => [piece(x, style)]);
  if (place === null) return lines;
  const room = columns - width(words.at(-1) ?? "") - 3;
  const short = place.slice(place.lastIndexOf("/") + 1);
  if (width(short) > room) lines.push([piece(clip(short, columns), "dim")]);
  else lines.push([...(lines.pop() ?? []), piece(`   ${short}`, "dim")]);
  return lines;
}

/** A line of the program; the one that makes the call is shown to its end. */
function source(s: Sourceline, columns: number): Text[] {
  const number = String(s.line).padStart(4);
  if (!s.here) return [[piece(` ${number} `, "dim"), piece(s.text, "dim")]];
  const line = plaintext(s.text);
  const indent = /^ */.exec(line)?.[0] ?? "";
  return wrapped(line.trim(), columns - number.length - 2 - indent.length).map((x, i) => [
    piece(i === 0 ? `▶${number} ` : " ".repeat(number.length + 4), "dim"),
    piece(indent + x),
  ]);
}

const ELEMS: Readonly<Record<Elem["state"], Style>> = {
  waiting: "plain",
  asked: "asked",
  done: "good",
  missing: "bad",
};

function names(f: Frame, columns: number): Panel {
  return {
    pane: "name",
    title: "name",
    lines: f.names.map((look) =>
      nameline(look, f.failed || (f.type === "namec" && f.mend !== ""), columns),
    ),
    least: Math.min(2, f.names.length),
    rank: 1,
  };
}

/** "/n/far/[a]/b    far!564": what is done, asked and missing in their colours. */
function nameline(look: Look, failed: boolean, columns: number): Text {
  const whole = elements(look, Infinity);
  const long = width(whole.map((p) => p.text).join("")) + NOTE > columns;
  // Of a long name the elements are cut, so that the one in question is seen and what is said of it.
  const out = long ? elements(look, ELEMENT) : whole;
  if (look.elems.length === 0 && look.root === "/") out.push(piece("/", "good"));
  const e = look.elems[Math.min(look.cursor, look.elems.length - 1)];
  const note = look.cursor >= look.elems.length ? "found" : SAID[e?.state ?? "waiting"];
  const by = e === undefined || e.by === "" ? "" : `, ${e.by}`;
  // What is there may still be refused.
  const then = failed && note === "found" ? "; but the call fails" : "";
  return [...out, piece(`   ${note}${by}${then}`, "dim")];
}

/** Columns that what is said of an element may take, and that an element of a long name gets. */
const NOTE = 24;
const ELEMENT = 10;

/** The elements of a name; the one in question has twice as much room. */
function elements(look: Look, room: number): Piece[] {
  const out: Piece[] = [piece(look.root === "/" ? "" : look.root, "dim")];
  for (const [i, e] of look.elems.entries()) {
    const here = i === look.cursor;
    const name = clip(plaintext(e.text), here ? 2 * room : room);
    out.push(piece("/", "dim"), piece(here ? `[${name}]` : name, ELEMS[e.state]));
  }
  return out;
}

const SAID: Readonly<Record<Elem["state"], string>> = {
  waiting: "is next",
  asked: "is asked for",
  done: "is found",
  missing: "is missing",
};

function decision(f: Frame, columns: number): Panel {
  const what = wrapped(plaintext(f.what), columns - 1).map((x) =>
    text(x, f.failed ? "bad" : "bold"),
  );
  const why = [f.why, f.mend]
    .filter((x) => x !== "")
    .flatMap((x) => wrapped(plaintext(x), columns - 1))
    .map((x) => text(x));
  return {
    pane: "decision",
    title: "decision",
    lines: [...what, ...why],
    // What mends a failure is seen before the pictures.
    least: Math.min(f.mend === "" ? 3 : columns < WORDS ? 6 : 9, what.length + why.length),
    rank: 0,
  };
}

function tree(f: Frame): Panel {
  const all = rows(f.tree);
  const at = all.findLastIndex((r) => r.node.taken);
  const lines = all.flatMap(treelines);
  const line = all.slice(0, Math.max(0, at)).reduce((n, r) => n + treelines(r).length, 0);
  const rank = f.picture === "processes" ? 5 : 2;
  return {
    pane: "name space",
    title: "name space",
    lines,
    least: Math.min(rank === 2 ? 3 : 2, lines.length),
    rank,
    at: line,
  };
}

/** Descriptors in lines; those that are the console, and open in the same processes, are one. */
function fdlines(fds: readonly Descriptor[]): string[] {
  const groups = new Map<string, Descriptor[]>();
  for (const d of fds) {
    const alike = d.shared.every((h) => h.fd === d.fd) && d.path === "/dev/cons";
    const key = alike ? `cons ${d.shared.map((h) => h.pid).join()}` : String(d.fd);
    groups.set(key, [...(groups.get(key) ?? []), d]);
  }
  return [...groups.values()].map((list) => {
    const [d] = list;
    if (d === undefined || list.length === 1) return d === undefined ? "" : fdtext(d);
    const same = d.shared.map((h) => h.pid).join(", ");
    return `${list.map((x) => x.fd).join(" ")}  ${d.path}${same === "" ? "" : `  same in ${same}`}`;
  });
}

/** The line of a process. Where the process waits for nothing it ends in "runs": each line says what its process does. */
const statetext = (p: Process): string =>
  `${proctext(p)}${doingtexts(p).length === 0 ? "  runs" : ""}`;

/** The processes, what this step changed, the descriptors of its process, and the pipes. */
function processes(f: Frame, columns: number): Panel {
  const { changes, pipes } = f.procs;
  const users = usersof(f.procs);
  const now = users.find((p) => p.now);
  const alone = users.length < 2 && pipes.length === 0 && changes.length === 0;
  const lines = [
    ...changes.flatMap((c) => hanging(`+ ${changetext(c)}`, columns, "asked")),
    ...f.served.map((m) =>
      text(`${m.way === "request" ? "←" : "→"} ${m.text}  for ${m.pid}`, "good"),
    ),
    ...users.flatMap((p) =>
      hanging(statetext(p), columns, p.now ? "bold" : p.life === "ended" ? "dim" : "plain"),
    ),
    ...pipes.flatMap((p) => pipetext(p).flatMap((x) => hanging(x, columns))),
    ...fdlines(now?.fds ?? []).flatMap((x) => hanging(`    ${x}`, columns)),
  ];
  const rank = f.picture === "processes" ? 2 : alone ? 8 : 5;
  return {
    pane: "processes",
    title: now === undefined ? "processes" : `processes, descriptors of ${now.pid} (${now.text})`,
    lines: f.procs.known || users.length > 1 ? lines : [],
    least: Math.min(rank === 2 ? 3 : 1, lines.length),
    rank,
  };
}

const OUTCOMES: Readonly<Record<Member["outcome"], readonly [mark: string, style: Style]>> = {
  none: [" ", "plain"],
  only: [" ", "path"],
  pending: ["?", "asked"],
  missed: ["✗", "bad"],
  found: ["✓", "good"],
  refused: ["!", "bad"],
};

/** What is said of an element of a name that is not found, or not yet. */
const STATES: Readonly<Partial<Record<Elem["state"], string>>> = {
  missing: "is missing",
  asked: "is asked for",
};

/** A node of the tree; the members of a union have lines of their own. */
function treelines({ depth, node, folded }: Row): Text[] {
  const style: Style =
    node.state === "missing" ? "bad" : node.taken ? "path" : node.mounted ? "plain" : "dim";
  const indent = "  ".repeat(depth);
  const line: Piece[] = [
    piece(`${indent}${node.taken ? "▸" : " "} `, "path"),
    piece(node.name, style),
  ];
  const [only] = node.members;
  if (node.members.length > 1) line.push(piece(`  union of ${node.members.length}`, "dim"));
  else if (only !== undefined)
    line.push(piece(`  ${memberfmt(only)}`, OUTCOMES[only.outcome][1] === "path" ? "path" : "dim"));
  const note = node.state === null ? "" : (STATES[node.state] ?? "");
  if (note !== "") line.push(piece(`  ${note}`, node.state === "missing" ? "bad" : "asked"));
  if (folded.length > 0) line.push(piece(`  (${folded.join(" ")})`, "dim"));
  if (node.members.length < 2) return [line];
  const members = node.members.map((m): Text => {
    const [mark, how] = OUTCOMES[m.outcome];
    const error =
      m.error === ""
        ? ""
        : `: ${m.outcome === "refused" ? "has it, but " : ""}${m.error.replace(/^file does not exist$/, "has it not")}`;
    return [
      piece(`${indent}    ${mark} ${m.index + 1}. `, how),
      piece(`${memberfmt(m)}${error}`, how),
    ];
  });
  return [line, ...members];
}

function flights(f: Frame, columns: number): Panel {
  const list = [
    ...f.answered.filter((m) => m.own),
    ...f.flying,
    ...f.answered.filter((m) => !m.own),
  ];
  list.sort((a, b) => a.send - b.send);
  const bar = Math.max(12, Math.floor(columns * 0.4));
  const label = Math.max(0, columns - bar - 2);
  const lines = list.map((m) => flightline(m, f, { bar, label }));
  const hidden = f.inflight - f.flying.length;
  if (hidden > 0) lines.push(text(` and ${hidden} more in flight`, "dim"));
  const now = list.findIndex((m) => m.now);
  const at = now < 0 ? list.length - 1 : now;
  const from = timefmt(f.axis.from);
  const to = timefmt(f.axis.to);
  const flying = `messages, ${f.inflight} in flight`;
  const times = from === to ? flying : `${flying}, from ${from} to ${to}`;
  // What the marks of the bars mean is said where there is room.
  const title =
    lines.length > 0 && times.length + BARS.length + 6 < columns ? `${times} ${BARS}` : times;
  const none = [text(f.callspent === null ? "" : "none", "dim")];
  return {
    pane: "messages",
    title,
    lines: lines.length === 0 ? none : lines,
    least: Math.min(2, Math.max(1, lines.length)),
    rank: f.inflight > 0 || lines.length > 0 ? 3 : 8,
    at,
  };
}

const BARS = "  ├ sent  ◆ there  ┤ back  > < now  · later";

/** The columns of a message's bar and of its label. */
type Widths = { readonly bar: number; readonly label: number };

/** One message: what is asked and answered, and its bar on the time axis. */
function flightline(m: Message, f: Frame, { bar, label }: Widths): Text {
  const style: Style = m.stage === "here" ? "dim" : m.own ? "plain" : "dim";
  const words = `${m.now ? "▶" : " "}${m.peer}  ${m.request}${m.answer === "" ? "" : `  ${m.answer}`}`;
  const some = clip(plaintext(words), label);
  const { before, behind, head, ahead } = barof(m, f.axis, bar);
  const colour: Style = m.stage === "here" ? "good" : "asked";
  return [
    piece(some.padEnd(some.length + label - width(some)), m.now ? "bold" : style),
    piece(`  ${before}`),
    piece(behind, colour),
    piece(head, m.stage === "here" ? colour : "mark"),
    piece(ahead, "dim"),
  ];
}

/** What the program has written so far; what it wrote at this step is bold. */
function output(f: Frame, said: readonly Rsaid[]): Panel {
  const fresh = new Set(f.said);
  const lines: Piece[][] = [[]];
  for (const s of [...said.filter((x) => !fresh.has(x)), ...f.said]) {
    const style: Style = s.to === "err" ? "bad" : fresh.has(s) ? "bold" : "plain";
    for (const [i, x] of s.text.split("\n").entries()) {
      if (i > 0) lines.push([]);
      if (x !== "") lines.at(-1)?.push(piece(x, style));
    }
  }
  if (lines.at(-1)?.length === 0) lines.pop();
  return {
    pane: "output",
    title: "output",
    lines,
    least: Math.min(fresh.size > 0 ? 2 : 1, lines.length),
    rank: fresh.size > 0 ? 2 : 6,
    at: lines.length - 1,
  };
}

/** What the call and the run have spent; beside each other where there is room. */
function ledger(f: Frame, columns: number): Text[] {
  const call =
    f.callspent === null ? [] : [piece("call ", "dim"), piece(spenttext(f.callspent), "bold")];
  const run = [piece("run ", "dim"), piece(spenttext(f.runspent))];
  const wide = [...call, piece(call.length > 0 ? "   " : ""), ...run];
  if (width(wide.map((p) => p.text).join("")) <= columns) return [wide];
  if (columns >= WORDS) return [call, run];
  return [
    f.callspent === null ? run : [piece("call ", "dim"), piece(shortspent(f.callspent), "bold")],
  ];
}

/** From so many columns on costs are told in words. */
const WORDS = 60;

/** "1 trip 6 msgs 164 B 50.00 ms" */
function shortspent(s: Spent): string {
  return `${plural(s.trips, "trip")} ${plural(s.messages, "msg")} ${s.bytes} B ${timefmt(s.time)}`;
}
