// The picture of the processes as SVG: boxes below each other, children farther in than their parents, the pipes
// on the right, and a line from each descriptor to the end of a pipe that it is. Classes, for the page's colours:
// box, with now and ended; row, with its kind and changed; pill; tie, with put and take where bytes went; tree.
// No line passes over a label: lines run between the boxes and the pipes, and left of the boxes.

import { cut } from "../words/line.ts";
import { LETTER, esc } from "./labels.ts";
import type { Point } from "./labels.ts";
import type { Box, Pill, Procscene, Row } from "./procboxes.ts";

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

/** The picture in words, a sentence for each process and each pipe. */
function procsentences(s: Procscene): string[] {
  const box = (b: Box): string =>
    `process ${b.title}${b.now ? " (of this step)" : ""}${b.rows.length === 0 ? "" : `: ${b.rows.map((r) => r.text).join("; ")}`}`;
  const pill = (p: Pill): string => `${p.title}: ${p.ends.join("; ")}`;
  return [...s.boxes.map(box), ...s.pills.map(pill)];
}

/** The picture of a scene: one <svg> element, well-formed, that says in words what it shows. */
export function procsvg(s: Procscene, width: number, id: string): string {
  const l = proclayout(s, width);
  const desc = s.boxes.length === 0 ? "No processes." : `${procsentences(s).join(". ")}.`;
  const more = s.more > 0 ? ` ${s.more} more are not shown.` : "";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="procdiagram" role="img" aria-labelledby="${id}t ${id}d" viewBox="0 0 ${l.width} ${l.height}" width="${l.width}" height="${l.height}" font-family="ui-monospace, monospace" font-size="11" fill="none" stroke="none">`,
    `<title id="${id}t">${esc(s.title)}</title><desc id="${id}d">${esc(desc + more)}</desc>`,
    ...l.trees.map(
      (points) =>
        `<polyline class="tree-line" points="${points.map(({ x, y }) => `${x},${y}`).join(" ")}" stroke="currentColor"/>`,
    ),
    ...l.ties.map(tiesvg),
    ...l.boxes.map(boxsvg),
    ...l.pills.map(pillsvg),
    "</svg>",
  ].join("\n");
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
