// The space-time diagram of a scene as SVG: time runs down, the machine's lifeline and one for each server,
// each message an arrow from when it left to when it arrived, system calls as bars beside the machine.
// Space between two moments grows with the time between them; messages of one moment stand below each
// other, so that every label can be read, and every moment has its exact time on the axis.
//
// Here is where things are (layout) and how they are written (diagramsvg). Colours are the page's: all is
// drawn in currentColor, and has the classes lifeline, tick, now, bar, arrow, label, with out, in, current,
// inflight, failed, other (of another call than the current) and vague (the server's side is not known)
// where that is so. An arrow, its label and a bar have data-event, the event to go to when they are clicked.
// Labels lie above all lines; a page may give them a border in its own colour, so that no line crosses them.

import { nullproto } from "../../../kernel/abi/nullproto.ts";
import { cut } from "../words/line.ts";
import { exactly, happened, heading, isown, label, refuses } from "./arrowtext.ts";
import { sentence, sentences, stateof } from "./arrowtext.ts";
import type { Arrow, Bar, Moment, Scene } from "./scene.ts";
import { serverof } from "../words/who.ts";

/** Heights: of what stands above, of an arrow with its label, of the least time; and what the times share. */
const HEAD = 26;
const SLOT = 17;
const LEAST = 10;
const SHARED = 220;
const TICK = 12;
/** Widths: of the lanes of calls altogether, where there is room and where not; of a letter; of it all. */
const LANES = 80;
const NARROW = 48;
const ROOMY = 480;
const LETTER = 6.7;
const MINWIDTH = 260;

type Point = { readonly x: number; readonly y: number };

/** An arrow as drawn: from where to where, as far as it is, and what stands on it. */
export type Drawnarrow = {
  readonly from: Point;
  readonly to: Point;
  /** Of a run of messages, the last one's. */
  readonly last: { readonly from: Point; readonly to: Point } | null;
  readonly classes: readonly string[];
  readonly label: string;
  readonly at: Point;
  readonly title: string;
  readonly event: number;
};

export type Drawnbar = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly title: string;
  readonly current: boolean;
  readonly event: number;
};

export type Drawnline = { readonly x: number; readonly name: string; readonly title: string };

/** Where everything is, in pixels. */
export type Layout = {
  readonly width: number;
  readonly height: number;
  /** Where the axis ends and the lanes of calls begin. */
  readonly axis: number;
  readonly title: string;
  readonly desc: string;
  readonly lifelines: readonly Drawnline[];
  readonly ticks: readonly { readonly y: number; readonly text: string }[];
  readonly now: number;
  readonly bars: readonly Drawnbar[];
  readonly arrows: readonly Drawnarrow[];
  readonly notes: readonly { readonly y: number; readonly text: string }[];
};

/** Lays a scene out on so many pixels. */
export function layout(s: Scene, width = 640): Layout {
  const w = Math.max(width, MINWIDTH);
  const rows = new Rows(s);
  const axis = axisof(s);
  const lanes = w < ROOMY ? NARROW : LANES;
  const xs = columns(s, w, axis + lanes);
  const all = sentences(s);
  return {
    width: w,
    height: rows.bottom + SLOT,
    axis,
    title: heading(s),
    desc: all.length === 0 ? "No messages." : `${all.join(". ")}.`,
    lifelines: s.lifelines.map(({ name, conns }, i) => {
      const title =
        i === 0 ? "this machine" : conns.map((c) => serverof(s.recording, c)).join(", ");
      return { x: xs[i] ?? 0, name: cut(name, Math.floor(gap(xs) / LETTER)), title };
    }),
    ticks: rows.ticks(),
    now: rows.at(s.now, s.event),
    bars: s.bars.map((b) => drawbar(s, b, { rows, axis, lanes })),
    arrows: s.arrows.map((a) => drawarrow(s, a, { rows, xs })).filter((a) => a !== null),
    notes: notes(s, rows),
  };
}

/** Where moments are, from above. */
class Rows {
  readonly bottom: number;
  readonly #s: Scene;
  readonly #tops: readonly number[];
  readonly #index: ReadonlyMap<number, number>;

  constructor(s: Scene) {
    this.#s = s;
    const total = (s.moments.at(-1)?.time ?? 0) - (s.moments[0]?.time ?? 0);
    const tops: number[] = [];
    let y = HEAD + (s.earlier > 0 ? SLOT : 4);
    for (const [i, m] of s.moments.entries()) {
      const before = s.moments[i - 1];
      if (before !== undefined) {
        y += before.arrows.length * SLOT + LEAST;
        y += Math.round((SHARED * (m.time - before.time)) / Math.max(total, 1));
      }
      tops.push(y);
    }
    this.#tops = tops;
    this.#index = new Map(s.moments.map((m, i) => [m.time, i]));
    this.bottom = y + (s.moments.at(-1)?.arrows.length ?? 0) * SLOT + (s.later > 0 ? SLOT : 4);
  }

  /** A time at the machine: below what has happened there at the same time up to an event. */
  at(time: number, event: number): number {
    const i = this.#place(time);
    const moment = this.#s.moments[i];
    if (moment === undefined) return HEAD;
    const over = moment.arrows.filter((a) => (this.#s.arrows[a]?.events[0] ?? 0) <= event);
    const later = moment.time > time || event < 0;
    return (this.#tops[i] ?? HEAD) + (later ? 0 : over.length * SLOT);
  }

  /** A time at a server. */
  there(time: number): number {
    return this.#tops[this.#place(time)] ?? HEAD;
  }

  /** Where the machine has arrow number a. */
  slot(a: number): number {
    const i = this.#s.moments.findIndex((m) => m.arrows.includes(a));
    const n = this.#s.moments[i]?.arrows.indexOf(a) ?? 0;
    return (this.#tops[i] ?? HEAD) + n * SLOT;
  }

  /** The first moment that is not before a time, or the last. */
  #place(time: number): number {
    const known = this.#index.get(time);
    if (known !== undefined) return known;
    const i = this.#s.moments.findIndex((m) => m.time >= time);
    return i >= 0 ? i : this.#s.moments.length - 1;
  }

  /** Times on the axis, as many as have room. */
  ticks(): { y: number; text: string }[] {
    const list: { y: number; text: string }[] = [];
    for (const [i, m] of this.#s.moments.entries()) {
      const y = this.#tops[i] ?? 0;
      const text = exactly(m.time - this.#s.origin);
      if (y - (list.at(-1)?.y ?? -TICK) >= TICK) list.push({ y, text });
    }
    return list;
  }
}

/** The axis has room for the longest of its times, those to come as well: it stays while one steps. */
function axisof(s: Scene): number {
  const longest = Math.max(1, ...s.moments.map((m) => exactly(m.time - s.origin).length));
  return Math.ceil(longest * LETTER) + 10;
}

/** The lifelines' places: the machine's behind the axis and the calls, the servers' over the rest. */
function columns(s: Scene, width: number, home: number): number[] {
  const n = Math.max(1, s.lifelines.length - 1);
  const each = Math.min((width - home - 36) / n, 360);
  return s.lifelines.map((_, i) => home + Math.round(i * each));
}

const gap = (xs: readonly number[]): number => (xs[1] ?? MINWIDTH) - (xs[0] ?? 0) - 6;

type Lanes = { readonly rows: Rows; readonly axis: number; readonly lanes: number };

function drawbar(s: Scene, b: Bar, { rows, axis, lanes }: Lanes): Drawnbar {
  const n = Math.max(...s.bars.map((x) => x.lane)) + 1;
  const each = (lanes - 8) / n;
  const { call, returned } = b;
  const [first, last] = [s.moments[0] as Moment, s.moments.at(-1) as Moment];
  const y = call.began < first.time ? HEAD : rows.at(call.began, call.first - 1);
  const open = call.ended === null || returned > s.event;
  const end = open || call.ended === null ? s.now : Math.min(call.ended, last.time);
  const until = rows.at(end, open ? s.event : returned);
  const width = Math.max(2, each - 2);
  return {
    x: Math.round(axis + lanes - 6 - (b.lane + 1) * each),
    y,
    width: Math.round(width),
    height: Math.max(4, until - y),
    label: width < 4 * LETTER ? "" : cut(call.name, Math.floor(width / LETTER)),
    title: open ? call.text : `${call.text} = ${call.result}`,
    current: call === s.call,
    event: call.first,
  };
}

type Places = { readonly rows: Rows; readonly xs: readonly number[] };

function drawarrow(s: Scene, a: Arrow, { rows, xs }: Places): Drawnarrow | null {
  const state = stateof(s, a);
  if (state === "absent") return null;
  const out = a.way === "out";
  const home = { x: xs[0] ?? 0, y: rows.slot(s.arrows.indexOf(a)) + (out ? SLOT - 3 : 2) };
  const far = (t: number | null): Point => ({
    x: xs[a.server] ?? 0,
    y: t === null ? home.y : rows.there(t),
  });
  const [from, to] = out ? [home, far(a.first.arrived)] : [far(a.first.left), home];
  const tip = state === "there" ? to : onway(s, a, { from, to, y: rows.at(s.now, s.event) });
  const seen = happened(s, a);
  const vague = (out ? a.first.arrived : a.first.left) === null;
  const is: readonly (readonly [string, boolean])[] = [
    ["current", seen.includes(s.event)],
    ["inflight", state === "inflight"],
    ["failed", refuses(s, seen)],
    ["other", !isown(s, a)],
    ["vague", vague],
  ];
  const room = Math.floor(((xs.at(-1) ?? 0) + 30 - home.x) / LETTER);
  return {
    from,
    to: tip,
    last: a.first === a.last || state !== "there" ? null : runend(a, { rows, xs }, out),
    classes: ["arrow", a.way, ...is.filter(([, yes]) => yes).map(([name]) => name)],
    label: cut(label(s, seen), room),
    at: { x: home.x + 7, y: home.y + (out ? -4 : 11) },
    title: sentence(s, a),
    event: seen[0] ?? a.events[0] ?? 0,
  };
}

/** How far something in flight is at the present: its way is straight from moment to moment. */
function onway(s: Scene, a: Arrow, w: { from: Point; to: Point; y: number }): Point {
  const { from, to, y } = w;
  if (a.first.left === null || a.first.left >= s.now || to.y <= from.y) return from;
  const part = Math.min(1, Math.max(0, (y - from.y) / (to.y - from.y)));
  return {
    x: Math.round(from.x + part * (to.x - from.x)),
    y: Math.round(from.y + part * (to.y - from.y)),
  };
}

/** The last message of a run. */
function runend(a: Arrow, { rows, xs }: Places, out: boolean): { from: Point; to: Point } {
  const [here, there] = out ? [a.last.left, a.last.arrived] : [a.last.arrived, a.last.left];
  const near = { x: xs[0] ?? 0, y: rows.there(here ?? 0) };
  const far = { x: xs[a.server] ?? 0, y: there === null ? near.y : rows.there(there) };
  return out ? { from: near, to: far } : { from: far, to: near };
}

function notes(s: Scene, rows: Rows): { y: number; text: string }[] {
  const list: { y: number; text: string }[] = [];
  if (s.earlier > 0) list.push({ y: HEAD + 11, text: `${s.earlier} more before` });
  if (s.later > 0) list.push({ y: rows.bottom + 4, text: `${s.later} more after` });
  return list;
}

/** The diagram of a scene: one <svg> element, well-formed, that says in words what it shows. */
export function diagramsvg(s: Scene, width = 640): string {
  return svg(layout(s, width), `d${s.event}`);
}

const ESCAPES: Readonly<Record<string, string>> = nullproto({
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
});

// What XML 1.0 has no way to write is shown as what it is: something that cannot be shown.
const UNFIT = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const esc = (text: string): string =>
  text.replace(UNFIT, "\uFFFD").replace(/[&<>"]/g, (c) => ESCAPES[c] ?? c);

function svg(l: Layout, id: string): string {
  const bottom = l.height - SLOT / 2;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="diagram" role="img" aria-labelledby="${id}t ${id}d" viewBox="0 0 ${l.width} ${l.height}" width="${l.width}" height="${l.height}" font-family="ui-monospace, monospace" font-size="11" fill="none" stroke="none">`,
    `<title id="${id}t">${esc(l.title)}</title><desc id="${id}d">${esc(l.desc)}</desc>`,
    ...l.ticks.map(
      ({ y, text }) =>
        `<g class="tick"><line x1="${l.axis - 4}" x2="${l.width}" y1="${y}" y2="${y}" stroke="currentColor" stroke-opacity="0.15"/><text x="${l.axis - 8}" y="${y + 4}" text-anchor="end" fill="currentColor">${esc(text)}</text></g>`,
    ),
    ...l.lifelines.map(
      ({ x, name, title }, i) =>
        `<g class="lifeline${i === 0 ? " machine" : ""}"><title>${esc(title)}</title><line x1="${x}" x2="${x}" y1="${HEAD - 6}" y2="${bottom}" stroke="currentColor" stroke-opacity="0.6"/><text x="${x}" y="14" text-anchor="middle" fill="currentColor" font-weight="bold">${esc(name)}</text></g>`,
    ),
    ...l.bars.map(barsvg),
    `<line class="now" x1="${l.axis - 4}" x2="${l.width}" y1="${l.now}" y2="${l.now}" stroke="currentColor" stroke-dasharray="2 3"/>`,
    ...l.arrows.map(arrowsvg),
    ...l.arrows.map(labelsvg),
    ...l.notes.map(
      ({ y, text }) =>
        `<text class="note" x="${(l.lifelines[0]?.x ?? l.axis) + 7}" y="${y}" fill="currentColor" font-style="italic">${esc(text)}</text>`,
    ),
    "</svg>",
  ];
  return parts.join("\n");
}

function barsvg(b: Drawnbar): string {
  const text =
    b.label === ""
      ? ""
      : `<text x="${b.x + 2}" y="${b.y + 11}" fill="currentColor">${esc(b.label)}</text>`;
  return `<g class="bar${b.current ? " current" : ""}" data-event="${b.event}"><title>${esc(b.title)}</title><rect x="${b.x}" y="${b.y}" width="${b.width}" height="${b.height}" rx="2" fill="currentColor" fill-opacity="${b.current ? 0.25 : 0.12}"/>${text}</g>`;
}

function arrowsvg(a: Drawnarrow): string {
  const strong = a.classes.includes("current");
  const faint = !strong && a.classes.includes("other") ? ' opacity="0.5"' : "";
  const dash = a.classes.includes("vague") ? ' stroke-dasharray="5 3"' : "";
  const line = `<line x1="${a.from.x}" y1="${a.from.y}" x2="${a.to.x}" y2="${a.to.y}" stroke="currentColor" stroke-width="${strong ? 2.5 : 1.2}"${dash}/>`;
  return `<g class="${a.classes.join(" ")}" data-event="${a.event}"${faint}><title>${esc(a.title)}</title>${band(a)}${line}${head(a)}</g>`;
}

function labelsvg(a: Drawnarrow): string {
  if (a.label === "") return "";
  const classes = ["label", ...a.classes.filter((name) => name !== "arrow")].join(" ");
  const bold = a.classes.includes("current") ? ' font-weight="bold"' : "";
  return `<text class="${classes}" data-event="${a.event}" x="${a.at.x}" y="${a.at.y}" fill="currentColor"${bold}>${esc(a.label)}<title>${esc(a.title)}</title></text>`;
}

/** The area that a run of messages covers. */
function band({ from, to, last }: Drawnarrow): string {
  if (last === null) return "";
  const points = [from, to, last.to, last.from].map(({ x, y }) => `${x},${y}`);
  return `<polygon points="${points.join(" ")}" fill="currentColor" fill-opacity="0.12"/>`;
}

/** The head of an arrow that has arrived; a dot where something is on its way. */
function head({ from, to, classes }: Drawnarrow): string {
  if (classes.includes("inflight"))
    return `<circle cx="${to.x}" cy="${to.y}" r="3.5" fill="currentColor"/>`;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const size = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [(dx / size) * 8, (dy / size) * 8];
  const points = [
    [to.x, to.y],
    [to.x - ux - uy * 0.45, to.y - uy + ux * 0.45],
    [to.x - ux + uy * 0.45, to.y - uy - ux * 0.45],
  ].map((p) => p.map((n) => Math.round(n * 10) / 10).join(","));
  return `<polygon points="${points.join(" ")}" fill="currentColor"/>`;
}
