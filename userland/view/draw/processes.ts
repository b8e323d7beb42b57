// The picture of the processes. A box for each process has its open files, what it shares and what it waits for. A pipe has
// its ends and the bytes in it. First comes the scene, in words and rows; then the places, and the SVG. Pure.
//
// Boxes stand below each other, children farther in than their parents. The pipes are on the right, and a line leads from
// each descriptor to the end of a pipe that it is. Classes, for the page's colours: box, with now and ended; row, with
// its kind and changed; pill; tie, with put and take where bytes went; tree. No line passes over a label: lines run
// between the boxes and the pipes, and left of the boxes.

import { utfdecode } from "../../../kernel/abi/utf.ts";
import { LETTER, esc, svgof } from "./svg.ts";
import type { Point } from "./svg.ts";
import { push } from "../record/recording.ts";
import type { Recording } from "../record/recording.ts";
import type { Frame } from "../step/frame.ts";
import { GROUPNAMES } from "../step/procs.ts";
import type { Change, Descriptor, Groupname, Pipe, Pipeway, Process, Wait } from "../step/procs.ts";
import { cut, plural, visible } from "../words/text.ts";

/** Processes that are shown, and rows of one of them. */
const BOXES = 40;
const ROWS = 24;
/** Letters of a pipe's bytes, and of a path. */
const BYTES = 16;
const PATH = 30;

/** What a row says: an open file, what is closed, what is shared, what is waited for, a note. */
export type Rowkind = "file" | "closed" | "shared" | "wait" | "note" | "names";

/** A row of a box; `end` is the end of a pipe that the row's file is. */
export type Row = {
  readonly kind: Rowkind;
  readonly text: string;
  /** This step changed it. */
  readonly changed: boolean;
  readonly end: { readonly pipe: number; readonly end: 0 | 1 } | null;
};

/** A process. */
export type Box = {
  readonly pid: number;
  readonly depth: number;
  readonly title: string;
  readonly now: boolean;
  readonly ended: boolean;
  readonly rows: readonly Row[];
};

/** A pipe; of each end what waits there to be read, "" when nothing is said of it. */
export type Pill = {
  readonly pipe: number;
  readonly title: string;
  readonly ends: readonly [string, string];
  /** The way in which bytes went at this step: into an end's queue, or out of it. */
  readonly moved: { readonly what: "put" | "take"; readonly end: 0 | 1 } | null;
};

/** What is to be drawn. */
export type Procscene = {
  readonly title: string;
  readonly boxes: readonly Box[];
  /** Processes that have no room. */
  readonly more: number;
  readonly pills: readonly Pill[];
};

/** The scene of a frame. */
export function procscene(f: Frame, r: Recording): Procscene {
  const { list, pipes, changes } = f.procs;
  // The kernel's own process has nothing to tell until it does something.
  const told = list.filter((p) => p.now || p.fds.length > 0 || p.parent > 0 || p.life === "ended");
  const shown = nearest(told.length > 0 ? told : list);
  return {
    title: shown.length === 1 ? "1 process" : `${told.length} processes`,
    boxes: shown.map((p) => box(p, { frame: f, r })),
    more: Math.max(0, told.length - shown.length),
    pills: pipes.map((p) => pill(p, changes)),
  };
}

/** All processes, or those of the step and the ones around them. */
function nearest(list: readonly Process[]): readonly Process[] {
  if (list.length <= BOXES) return list;
  const at = Math.max(0, list.findIndex((p) => p.now) - BOXES / 2);
  return list.slice(at, at + BOXES);
}

type At = { readonly frame: Frame; readonly r: Recording };

function box(p: Process, at: At): Box {
  const { pid, depth, text, now, life, status } = p;
  const how = status === "" ? "has ended" : `has ended: "${status}"`;
  const all =
    life === "ended"
      ? [row("wait", `${how}; its parent has not waited for it`)]
      : [...shared(p, at), ...files(p, at.frame.procs.changes), ...notes(p), ...waits(p, at)];
  const rows = all.slice(0, ROWS);
  if (all.length > ROWS) rows.push(row("names", `and ${all.length - ROWS} more`));
  return { pid, depth, title: `${pid} ${text}`.trimEnd(), now, ended: life === "ended", rows };
}

const row = (kind: Rowkind, text: string, changed = false, end: Row["end"] = null): Row => ({
  kind,
  text: visible(text),
  changed,
  end,
});

/** The groups that are told of when they are shared. */
const SHARED: Readonly<Partial<Record<Groupname, string>>> = {
  names: "names",
  fds: "descriptors",
  env: "environment",
  notes: "notes",
};

/** With whom groups are shared, the same of them together; only where there are processes to share with. */
function shared(p: Process, { frame }: At): Row[] {
  const { changes } = frame.procs;
  const changed = changes.some((c) => c.what === "groups" && c.pid === p.pid);
  const bywhom = new Map<string, string[]>();
  for (const group of GROUPNAMES) {
    const [name, whom] = [SHARED[group], some(p.groups[group].with)];
    if (name !== undefined && whom !== "") push(bywhom, whom, name);
  }
  const rows = [...bywhom].map(([whom, names]) =>
    row("shared", `shares ${names.join(", ")} with ${whom}`, changed),
  );
  if (rows.length === 0 && changed) rows.push(row("shared", "shares nothing now", true));
  if (changes.some((c) => c.what === "mount" && c.pids.includes(p.pid)))
    rows.push(row("names", "its name space has changed", true));
  return rows;
}

/** A few numbers: "3, 4, 5 and 12 more". */
function some(list: readonly number[]): string {
  const first = list.slice(0, 4).join(", ");
  return list.length > 4 ? `${first} and ${list.length - 4} more` : first;
}

/** The open files; neighbours that say the same stand in one row, and what this step closed is there once more. */
function files(p: Process, changes: readonly Change[]): Row[] {
  const groups: [Descriptor, ...Descriptor[]][] = [];
  for (const d of p.fds) {
    const last = groups.at(-1);
    if (last !== undefined && alike(last[0], d)) last.push(d);
    else groups.push([d]);
  }
  const rows = new Map(groups.map((g) => [g[0].fd, file(p, g, changes)]));
  const open = new Set(p.fds.map((d) => d.fd));
  for (const c of changes)
    if (
      c.what === "fd" &&
      c.path === null &&
      c.fd >= 0 &&
      c.pids.includes(p.pid) &&
      !open.has(c.fd)
    )
      rows.set(c.fd, row("closed", `${c.fd} closed`, true));
  return [...rows].toSorted(([a], [b]) => a - b).map(([, x]) => x);
}

/** Whether two descriptors say the same to a reader: the console's three, say. */
function alike(a: Descriptor, b: Descriptor): boolean {
  return a.path === b.path && a.pipe === null && b.pipe === null && /^\/dev\/|^#c/.test(a.path);
}

function file(p: Process, group: [Descriptor, ...Descriptor[]], changes: readonly Change[]): Row {
  const [d] = group;
  const fds = group.map((x) => x.fd);
  const changed = changes.some(
    (c) =>
      (c.what === "fd" && c.pids.includes(p.pid) && (c.fd === -1 || fds.includes(c.fd))) ||
      (c.what === "offset" && c.chan === d.chan),
  );
  const end = d.pipe;
  // Devices and directories at their beginning say nothing of where the next read begins.
  const at = d.offset === 0 ? "" : ` at ${d.offset}`;
  const what = end === null ? `${path(d.path)} ${d.mode}${at}` : `pipe ${end.pipe}, end ${end.end}`;
  const cexec = d.cexec ? ", closes on exec" : "";
  const same = fds.length === 1 ? twins(p, d) : "";
  return row("file", `${fds.join(" ")}  ${what}${cexec}${same}`, changed, end);
}

const path = (text: string): string =>
  text.length <= PATH ? text : `…${text.slice(text.length - PATH + 1)}`;

/** The other descriptors that share the open file and its offset; those of a shared table are no others. */
function twins(p: Process, d: Descriptor): string {
  if (d.path.startsWith("/dev/") || d.path.startsWith("#c")) return "";
  const table = new Set(p.groups.fds.with);
  const others = d.shared.filter((h) => !table.has(h.pid));
  if (others.length === 0) return "";
  const texts = others
    .slice(0, 3)
    .map((h) => (h.pid === p.pid ? `its ${h.fd}` : `${h.pid}'s ${h.fd}`));
  return ` = ${texts.join(", ")}${others.length > 3 ? "…" : ""}`;
}

function notes(p: Process): Row[] {
  const rows = p.notes.map((n) => row("note", `note "${n}" waits`));
  return p.handling === null ? rows : [row("note", `handles "${p.handling}"`), ...rows];
}

const waits = (p: Process, { r }: At): Row[] =>
  p.waits.map((w) => row("wait", `waits in ${r.calls[w.call]?.name ?? ""} ${waitfmt(w)}`));

/** What is waited for, and who can end it. */
function waitfmt(w: Wait): string {
  const whom = some(w.whom);
  switch (w.for) {
    case "child":
      return `for a child to end${whom === "" ? "" : `: ${whom}`}`;
    case "bytes":
      return w.whom.length === 0 ? "for bytes" : `for bytes of pipe ${w.pipe}, from ${whom}`;
    case "room":
      return w.whom.length === 0 ? "for room" : `for room in pipe ${w.pipe}, by ${whom}`;
    case "partner":
      return "for its partner";
    case "turn":
      return `for its turn${whom === "" ? "" : `, after ${whom}`}`;
    case "reply":
      return `for ${w.servers.join(", ")}`;
    case "time":
      return "for its time";
    case "semaphore":
      return "for the semaphore";
    case "handler":
      return "for its note handler";
    case "start":
      return "to start";
    case "other":
      return w.what;
  }
}

function pill(p: Pipe, changes: readonly Change[]): Pill {
  const way = changes.findLast((c) => (c.what === "put" || c.what === "take") && c.pipe === p.pipe);
  const moved =
    way?.what === "put" || way?.what === "take" ? { what: way.what, end: way.end } : null;
  const conn = p.conn > 0 ? `, 9P for the kernel at end ${p.connend}` : "";
  return {
    pipe: p.pipe,
    title: `pipe ${p.pipe}${conn}`,
    ends: [endfmt(p.ways[0]), endfmt(p.ways[1])],
    moved,
  };
}

/** What waits to be read at an end. */
function endfmt(w: Pipeway): string {
  const at = `end ${w.end}`;
  if (w.waiting > 0) {
    const text = utfdecode(w.bytes, 0, Math.min(BYTES, w.bytes.length));
    const more = w.waiting > BYTES ? "…" : "";
    return `${at}: "${visible(text)}${more}" ${plural(w.waiting, "byte")}`;
  }
  if (w.hungup) return `${at}: no more comes`;
  return at;
}

/** Heights of a row, of a title, between boxes; how much farther in a child is; what a box has at its sides. */
const LINE = 16;
const HEAD = 21;
const GAP = 12;
const INDENT = 20;
const SIDE = 9;
const LEFT = 10;
const TOP = 8;
/** Widths of a box, of a pipe, and between them. */
const BOXMOST = 350;
const BOXLEAST = 150;
const PILLMOST = 230;
const PILLLEAST = 100;
const BETWEEN = 70;
const PILL = 58;
const MINWIDTH = 260;

export type Drawnbox = Box & {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

export type Drawnpill = Pill & {
  readonly x: number;
  readonly y: number;
  readonly width: number;
};

/** A line from a descriptor to its end of a pipe. */
export type Tie = {
  readonly from: Point;
  /** Right of all boxes: until there the line is straight. */
  readonly bend: number;
  readonly to: Point;
  readonly classes: readonly string[];
};

/** Where everything is, in pixels. */
export type Proclayout = {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Drawnbox[];
  readonly pills: readonly Drawnpill[];
  readonly ties: readonly Tie[];
  /** From a parent's box down to a child's. */
  readonly trees: readonly (readonly Point[])[];
};

/** Lays a scene out on so many pixels. */
export function proclayout(s: Procscene, width = 640): Proclayout {
  const w = Math.max(width, MINWIDTH);
  const pipes = s.pills.length > 0;
  const room = pipes ? Math.floor((w - BETWEEN) * 0.6) : w - 2 * LEFT;
  const boxes = placeboxes(s.boxes, Math.min(BOXMOST, room));
  const right = Math.max(0, ...boxes.map((b) => b.x + b.width));
  const x = right + Math.min(BETWEEN * 2, Math.max(40, w - right - PILLMOST - LEFT));
  const pillwidth = Math.max(PILLLEAST, Math.min(PILLMOST, w - x - LEFT));
  const pills = placepills(s.pills, boxes, { x, width: pillwidth });
  const bottom = Math.max(0, ...boxes.map((b) => b.y + b.height), ...pills.map((p) => p.y + PILL));
  return {
    width: w,
    height: bottom + GAP,
    boxes,
    pills,
    ties: ties(boxes, pills),
    trees: trees(boxes),
  };
}

/** Below each other, all as wide as the widest needs. */
function placeboxes(list: readonly Box[], most: number): Drawnbox[] {
  const indent = (b: Box): number => Math.min(b.depth, 6) * INDENT;
  const letters = (b: Box): number =>
    Math.max(b.title.length + 1, ...b.rows.map((r) => r.text.length)) + 1;
  const wanted = Math.max(BOXLEAST, ...list.map((b) => letters(b) * LETTER + 2 * SIDE));
  let y = TOP;
  return list.map((b) => {
    const x = LEFT + indent(b);
    const width = Math.round(Math.min(most - indent(b), wanted));
    const height = HEAD + b.rows.length * LINE + (b.rows.length > 0 ? 6 : 2);
    const placed = { ...b, x, y, width, height };
    y += height + GAP;
    return placed;
  });
}

const rowy = (b: Drawnbox, i: number): number => b.y + HEAD + i * LINE + LINE / 2;

type Column = { readonly x: number; readonly width: number };

/** Each pipe in the middle of those that have it open, below the pipe before. */
function placepills(list: readonly Pill[], boxes: readonly Drawnbox[], at: Column): Drawnpill[] {
  const middle = (p: Pill): number => {
    const ys = boxes.flatMap((b) =>
      b.rows.flatMap((r, i) => (r.end?.pipe === p.pipe ? [rowy(b, i)] : [])),
    );
    return ys.length === 0 ? TOP : ys.reduce((a, y) => a + y, 0) / ys.length - PILL / 2;
  };
  let next = TOP;
  return list
    .map((p) => ({ p, y: middle(p) }))
    .toSorted((a, b) => a.y - b.y)
    .map(({ p, y }) => {
      const top = Math.round(Math.max(y, next));
      next = top + PILL + GAP;
      return { ...p, ...at, y: top };
    });
}

/** Where an end of a pipe is. */
const port = (p: Drawnpill, end: 0 | 1): Point => ({ x: p.x, y: p.y + (end === 0 ? 28 : 45) });

function ties(boxes: readonly Drawnbox[], pills: readonly Drawnpill[]): Tie[] {
  const bypipe = new Map(pills.map((p) => [p.pipe, p]));
  const list: Tie[] = [];
  const bend = Math.max(0, ...boxes.map((b) => b.x + b.width)) + 4;
  for (const b of boxes)
    for (const [i, { end }] of b.rows.entries()) {
      const p = bypipe.get(end?.pipe ?? -1);
      if (end === null || p === undefined) continue;
      list.push({
        from: { x: b.x + b.width, y: rowy(b, i) },
        bend,
        to: port(p, end.end),
        classes: ["tie", ...went(b, p, end.end)],
      });
    }
  return list;
}

/** Whether this process wrote to the pipe at this step by that end, or read from it. */
function went(b: Drawnbox, p: Drawnpill, end: 0 | 1): string[] {
  if (!b.now || p.moved === null) return [];
  // What is put for one end to read was written at the other one.
  if (p.moved.what === "put") return p.moved.end === end ? [] : ["put"];
  return p.moved.end === end ? ["take"] : [];
}

function trees(boxes: readonly Drawnbox[]): Point[][] {
  const list: Point[][] = [];
  const open: Drawnbox[] = [];
  for (const b of boxes) {
    while ((open.at(-1)?.depth ?? -1) >= b.depth) open.pop();
    const parent = open.at(-1);
    const y = b.y + HEAD / 2;
    if (parent !== undefined) {
      const x = parent.x + INDENT / 2;
      list.push([
        { x, y: parent.y + parent.height },
        { x, y },
        { x: b.x, y },
      ]);
    }
    open.push(b);
  }
  return list;
}

/** The picture of a scene, which says in words what it shows: a sentence for each process and each pipe. */
export function procsvg(s: Procscene, width: number, id: string): string {
  const l = proclayout(s, width);
  const rows = (b: Box): string =>
    b.rows.length === 0 ? "" : `: ${b.rows.map((r) => r.text).join("; ")}`;
  const said = [
    ...s.boxes.map((b) => `process ${b.title}${b.now ? " (of this step)" : ""}${rows(b)}`),
    ...s.pills.map((p) => `${p.title}: ${p.ends.join("; ")}`),
  ];
  const words = s.boxes.length === 0 ? "No processes." : `${said.join(". ")}.`;
  const desc = words + (s.more > 0 ? ` ${s.more} more are not shown.` : "");
  const { height } = l;
  return svgof({ kind: "procdiagram", id, width: l.width, height, title: s.title, desc }, [
    ...l.trees.map(
      (points) =>
        `<polyline class="tree-line" points="${points.map(({ x, y }) => `${x},${y}`).join(" ")}" stroke="currentColor"/>`,
    ),
    ...l.ties.map(tiesvg),
    ...l.boxes.map(boxsvg),
    ...l.pills.map(pillsvg),
  ]);
}

function tiesvg({ from, bend, to, classes }: Tie): string {
  const half = (to.x - bend) / 2;
  const strong = classes.length > 1;
  const d = `M ${from.x} ${from.y} H ${bend} C ${bend + half} ${from.y} ${to.x - half} ${to.y} ${to.x} ${to.y}`;
  const line = `<path d="${d}" stroke="currentColor" stroke-width="${strong ? 2.5 : 1.2}"/>`;
  const head = classes.includes("put")
    ? arrow(to, 1)
    : classes.includes("take")
      ? arrow(from, -1)
      : "";
  return `<g class="${classes.join(" ")}">${line}${head}</g>`;
}

/** The head of an arrow that comes to a place from the left (1) or from the right (-1). */
function arrow({ x, y }: Point, way: 1 | -1): string {
  const back = x - 8 * way;
  return `<polygon points="${x},${y} ${back},${y - 4} ${back},${y + 4}" fill="currentColor"/>`;
}

function boxsvg(b: Drawnbox): string {
  const letters = Math.floor((b.width - 2 * SIDE) / LETTER);
  const classes = ["box", ...(b.now ? ["now"] : []), ...(b.ended ? ["ended"] : [])].join(" ");
  const rows = b.rows.map((r, i) => rowsvg(r, { x: b.x + SIDE, y: rowy(b, i) + 4, letters }));
  return `<g class="${classes}" data-pid="${b.pid}"><rect x="${b.x}" y="${b.y}" width="${b.width}" height="${b.height}" rx="6" fill="Canvas" stroke="currentColor"/><text class="title" x="${b.x + SIDE}" y="${b.y + 15}" fill="currentColor" font-weight="bold">${esc(cut(b.title, letters))}</text>${rows.join("")}</g>`;
}

type Place = Point & { readonly letters: number };

function rowsvg(r: Row, { x, y, letters }: Place): string {
  const classes = ["row", r.kind, ...(r.changed ? ["changed"] : [])].join(" ");
  return `<text class="${classes}" x="${x}" y="${y}" fill="currentColor" xml:space="preserve">${esc(cut(r.text, letters))}<title>${esc(r.text)}</title></text>`;
}

function pillsvg(p: Drawnpill): string {
  const letters = Math.floor((p.width - 2 * SIDE - 8) / LETTER);
  const classes = `pill${p.moved === null ? "" : " moved"}`;
  const ends = p.ends.map((text, i) => {
    const { y } = port(p, i === 0 ? 0 : 1);
    return `<text class="row" x="${p.x + SIDE + 8}" y="${y + 4}" fill="currentColor">${esc(cut(text, letters))}<title>${esc(text)}</title></text><circle class="port" cx="${p.x}" cy="${y}" r="3" fill="currentColor"/>`;
  });
  return `<g class="${classes}"><rect x="${p.x}" y="${p.y}" width="${p.width}" height="${PILL}" rx="18" fill="Canvas" stroke="currentColor"/><text class="title" x="${p.x + SIDE + 8}" y="${p.y + 15}" fill="currentColor" font-weight="bold">${esc(cut(p.title, letters))}<title>${esc(p.title)}</title></text>${ends.join("")}</g>`;
}
