// The space-time diagram of a scene as SVG. Time runs down. The machine has a lifeline, with the system calls as bars
// beside it, and so has each server. A message is an arrow from the time when it left to the time when it arrived.
// Space between two moments grows with the time between them, and each moment has its exact time on the axis. Messages
// of one moment stand below each other, so that every label can be read. The farther away a server is, the farther
// away is its lifeline.
//
// Here is where things are (layout) and how they are written (diagramsvg). Colours are the page's: all is
// drawn in currentColor, and has the classes lifeline, tick, now, bar, arrow, label, with out, in, current,
// inflight, failed, other (of another call than the current) and vague (the server's side is not known)
// where that is so. An arrow, its label and a bar have data-event, the event to go to when they are clicked.
// Labels lie above all lines, each on a ground of its own (class ground, in the page's colour), and where each
// stands is svg.ts's, so that no line crosses one.

import { cut } from "../words/text.ts";
import {
  exactly,
  happened,
  heading,
  isown,
  refuses,
  sentence,
  sentences,
  shortlabel,
  stateof,
} from "./scene.ts";
import type { Arrow, Bar, Moment, Scene } from "./scene.ts";
import { ENDS, LETTER, esc, placed, svgof } from "./svg.ts";
import type { Point, Segment } from "./svg.ts";
import { serverof } from "../words/who.ts";

/** Heights: of what stands above, of an arrow with its label, of the least time; and what the times share. */
const HEAD = 26;
const SLOT = 17;
const LEAST = 10;
const SHARED = 220;
const LEASTSHARED = 40;
const TICK = 12;
/** Widths: of the lanes of calls altogether, where there is room and where not; of a letter; of it all. */
const LANES = 80;
const NARROW = 60;
const ROOMY = 480;
const MINWIDTH = 260;
/** Between two lifelines at least, and right of the last one. */
const APART = 64;
const RIGHT = 36;
/** How far out the farthest server is, and servers of this machine are. */
const FARTHEST = 620;
const NEAREST = 180;

/** An arrow as drawn: from where to where, as far as it is, and what stands on it. */
export type Drawnarrow = {
  readonly from: Point;
  readonly to: Point;
  /** Where it will be, while it is on its way. */
  readonly ahead: Point | null;
  /** Of a run of messages, the last one's. */
  readonly last: Segment | null;
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

/** A time on the axis; `now`: it is the present. */
export type Tick = { readonly y: number; readonly text: string; readonly now?: true };

/** Where everything is, in pixels. */
export type Layout = {
  readonly width: number;
  readonly height: number;
  /** Where the axis ends and the lanes of calls begin. */
  readonly axis: number;
  readonly title: string;
  readonly desc: string;
  readonly lifelines: readonly Drawnline[];
  readonly ticks: readonly Tick[];
  readonly now: number;
  readonly bars: readonly Drawnbar[];
  readonly arrows: readonly Drawnarrow[];
  readonly notes: readonly { readonly y: number; readonly text: string }[];
};

/** Lays a scene out on so many pixels; it is higher than that where it must be. */
export function layout(s: Scene, width = 640, height: number | null = null): Layout {
  const w = Math.max(width, MINWIDTH);
  const rows = new Rows(s, height);
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
      return {
        x: xs[i] ?? 0,
        name: headname(name, Math.floor((Math.min(...gaps(xs), MINWIDTH) - 2) / LETTER)),
        title,
      };
    }),
    ticks: rows.ticks(),
    now: rows.at(s.now, s.event),
    bars: s.bars.map((b) => drawbar(s, b, { rows, axis, lanes })),
    arrows: arrows(s, { rows, xs }, w),
    notes: notes(s, rows),
  };
}

/** Where moments are, from above. */
class Rows {
  readonly bottom: number;
  readonly #s: Scene;
  readonly #tops: readonly number[];
  readonly #index: ReadonlyMap<number, number>;

  constructor(s: Scene, height: number | null) {
    this.#s = s;
    const total = (s.moments.at(-1)?.time ?? 0) - (s.moments[0]?.time ?? 0);
    const tops: number[] = [];
    let y = HEAD + (s.earlier > 0 ? SLOT : 4);
    const after = (s.later > 0 ? SLOT : 4) + SLOT;
    const slots = s.arrows.length * SLOT + Math.max(0, s.moments.length - 1) * LEAST;
    const shared = height === null ? SHARED : Math.max(LEASTSHARED, height - y - slots - after);
    for (const [i, m] of s.moments.entries()) {
      const before = s.moments[i - 1];
      if (before !== undefined) {
        y += before.arrows.length * SLOT + LEAST;
        y += Math.round((shared * (m.time - before.time)) / Math.max(total, 1));
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
  ticks(): Tick[] {
    const list: Tick[] = [];
    for (const [i, m] of this.#s.moments.entries()) {
      const y = this.#tops[i] ?? 0;
      const text = exactly(m.time - this.#s.origin);
      const now = m.time === this.#s.now;
      if (now) while (y - (list.at(-1)?.y ?? -TICK) < TICK) list.pop();
      if (y - (list.at(-1)?.y ?? -TICK) >= TICK) list.push({ y, text, ...(now && { now }) });
    }
    return list;
  }
}

/** The axis has room for the longest of its times, those to come as well: it stays while one steps. */
function axisof(s: Scene): number {
  const longest = Math.max(1, ...s.moments.map((m) => exactly(m.time - s.origin).length));
  return Math.ceil(longest * LETTER) + 10;
}

/**
 * The lifelines' places: the machine's behind the axis and the calls, each server's as far from it as the square
 * root of its distance says, so that one of 2 ms is seen beside one of 50 ms.
 */
function columns(s: Scene, width: number, home: number): number[] {
  const aways = s.lifelines.slice(1).map((l) => l.away ?? 0);
  const most = Math.max(0, ...aways);
  const room = width - home - RIGHT;
  const each = Math.min(APART, room / Math.max(1, aways.length));
  const reach = Math.min(room, most > 0 ? FARTHEST : Math.max(NEAREST, each * aways.length));
  const order = [...aways.keys()].toSorted((a, b) => (aways[a] ?? 0) - (aways[b] ?? 0));
  const xs = [home, ...aways.map(() => home)];
  // From the farthest inwards, each leaves room for those that are nearer.
  let limit = home + reach;
  for (const [nearer, i] of [...order.entries()].toReversed()) {
    const wanted = home + (most > 0 ? Math.sqrt((aways[i] ?? 0) / most) * reach : reach);
    xs[i + 1] = Math.round(Math.max(home + (nearer + 1) * each, Math.min(wanted, limit)));
    limit = (xs[i + 1] ?? 0) - each;
  }
  return xs;
}

/** The room between lifelines and their neighbours. */
function gaps(xs: readonly number[]): number[] {
  const sorted = xs.toSorted((a, b) => a - b);
  return sorted.slice(1).map((x, i) => x - (sorted[i] ?? 0));
}

/** The name of a lifeline; of a process the number says which, where its program has no room. */
const headname = (name: string, room: number): string =>
  cut(name.length > room ? name.replace(/ \(.*/, "") : name, room);

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

/** The arrows that are to be seen, each with its label where no line crosses it. */
function arrows(s: Scene, at: Places, width: number): Drawnarrow[] {
  const all = s.arrows.map((a) => ({ drawn: drawarrow(s, a, at), along: journey(s, a, at) }));
  const seen = all.flatMap(({ drawn, along }) => (drawn === null ? [] : [{ drawn, along }]));
  const lifelines = at.xs.map((x): Segment => [
    { x, y: HEAD - 6 },
    { x, y: at.rows.bottom },
  ]);
  const places = placed(
    seen.map(({ drawn, along }) => ({ text: drawn.label, along })),
    {
      lines: [...all.map((a) => a.along), ...lifelines],
      points: seen.map(({ drawn }) => drawn.to),
      top: HEAD - 4,
      width,
    },
  );
  return seen.map(({ drawn }, n) => ({ ...drawn, at: places[n] ?? drawn.at }));
}

/** The whole way of an arrow. */
function journey(s: Scene, a: Arrow, { rows, xs }: Places): Segment {
  const out = a.way === "out";
  const home = { x: xs[0] ?? 0, y: rows.slot(s.arrows.indexOf(a)) + (out ? SLOT - 3 : 2) };
  const t = out ? a.first.arrived : a.first.left;
  const far = { x: xs[a.server] ?? 0, y: t === null ? home.y : rows.there(t) };
  return out ? [home, far] : [far, home];
}

function drawarrow(s: Scene, a: Arrow, { rows, xs }: Places): Drawnarrow | null {
  const state = stateof(s, a);
  if (state === "absent") return null;
  const out = a.way === "out";
  const [from, to] = journey(s, a, { rows, xs });
  const home = out ? from : to;
  const tip = state === "there" ? to : onway(s, a, [from, to], rows.at(s.now, s.event));
  const seen = happened(s, a);
  const vague = (out ? a.first.arrived : a.first.left) === null;
  const is: readonly (readonly [string, boolean])[] = [
    ["current", seen.includes(s.event)],
    ["asked", seen.includes(askedby(s))],
    ["inflight", state === "inflight"],
    ["failed", refuses(s, seen)],
    ["other", !isown(s, a)],
    ["vague", vague],
  ];
  const room = Math.floor((Math.max(...xs) + RIGHT - home.x) / LETTER) - 2;
  // Where it stands between two lifelines, no line is covered.
  const between = Math.floor((Math.max(...gaps(xs), RIGHT) - 2 * ENDS) / LETTER) - 1;
  return {
    from,
    to: tip,
    ahead: state === "inflight" ? to : null,
    last: a.first === a.last || state !== "there" ? null : runend(a, { rows, xs }, out),
    classes: ["arrow", a.way, ...is.filter(([, yes]) => yes).map(([name]) => name)],
    label: cut(shortlabel(s, seen, between), room),
    at: home,
    title: sentence(s, a),
    event: seen[0] ?? a.events[0] ?? 0,
  };
}

/** The request that the scene's event answers; -1 where it is no answer. */
function askedby(s: Scene): number {
  const e = s.recording.events[s.event];
  return e?.type === "receive" ? e.of : -1;
}

/** How far something in flight is at the present: its way is straight from moment to moment. */
function onway(s: Scene, a: Arrow, [from, to]: Segment, y: number): Point {
  if (a.first.left === null || a.first.left >= s.now || to.y <= from.y) return from;
  const part = Math.min(1, Math.max(0, (y - from.y) / (to.y - from.y)));
  return {
    x: Math.round(from.x + part * (to.x - from.x)),
    y: Math.round(from.y + part * (to.y - from.y)),
  };
}

/** The last message of a run. */
function runend(a: Arrow, { rows, xs }: Places, out: boolean): Segment {
  const [here, there] = out ? [a.last.left, a.last.arrived] : [a.last.arrived, a.last.left];
  const near = { x: xs[0] ?? 0, y: rows.there(here ?? 0) };
  const far = { x: xs[a.server] ?? 0, y: there === null ? near.y : rows.there(there) };
  return out ? [near, far] : [far, near];
}

const notes = ({ earlier, later }: Scene, rows: Rows): Layout["notes"] => [
  ...(earlier > 0 ? [{ y: HEAD + 11, text: `${earlier} more before` }] : []),
  ...(later > 0 ? [{ y: rows.bottom + 4, text: `${later} more after` }] : []),
];

/** The diagram of a scene: one <svg> element, well-formed, that says in words what it shows. */
export function diagramsvg(
  s: Scene,
  width = 640,
  height: number | null = null,
  id = `d${s.event}`,
): string {
  const l = layout(s, width, height);
  const bottom = l.height - SLOT / 2;
  return svgof({ kind: "diagram", id, ...l }, [
    ...l.ticks.map(
      ({ y, text, now = false }) =>
        `<g class="tick${now ? " present" : ""}"><line x1="${l.axis - 4}" x2="${l.width}" y1="${y}" y2="${y}" stroke="currentColor" stroke-opacity="0.15"/><text x="${l.axis - 8}" y="${y + 4}" text-anchor="end" fill="currentColor">${esc(text)}</text></g>`,
    ),
    ...l.lifelines.map(
      ({ x, title }, i) =>
        `<g class="lifeline${i === 0 ? " machine" : ""}"><title>${esc(title)}</title><line x1="${x}" x2="${x}" y1="${HEAD - 6}" y2="${bottom}" stroke="currentColor" stroke-opacity="0.6"/></g>`,
    ),
    ...l.bars.map(barsvg),
    `<line class="now" x1="${l.axis - 4}" x2="${l.width}" y1="${l.now}" y2="${l.now}" stroke="currentColor" stroke-dasharray="2 3"/>`,
    ...l.arrows.map(arrowsvg),
    ...l.arrows.map(labelsvg),
    ...l.notes.map(
      ({ y, text }) =>
        `<text class="note" x="${(l.lifelines[0]?.x ?? l.axis) + 7}" y="${y}" fill="currentColor" font-style="italic">${esc(text)}</text>`,
    ),
    headssvg(l),
  ]);
}

/** The names of the lifelines, above everything: a page may keep them in sight. */
function headssvg(l: Layout): string {
  const names = l.lifelines.map(
    ({ x, name, title }) =>
      `<text x="${x}" y="14" text-anchor="middle" fill="currentColor" font-weight="bold">${esc(name)}<title>${esc(title)}</title></text>`,
  );
  return `<g class="heads"><rect class="ground" x="0" y="-8" width="${l.width}" height="28" fill="Canvas"/>${names.join("")}</g>`;
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
  return `<g class="${a.classes.join(" ")}" data-event="${a.event}"${faint}><title>${esc(a.title)}</title>${band(a)}${ahead(a)}${line}${head(a)}</g>`;
}

function labelsvg(a: Drawnarrow): string {
  if (a.label === "") return "";
  const classes = ["label", ...a.classes.filter((name) => name !== "arrow")].join(" ");
  const width = Math.round((a.label.length + 1) * LETTER);
  const ground = `<rect class="ground" x="${a.at.x - 3}" y="${a.at.y - 11}" width="${width}" height="15" rx="3" fill="Canvas"/>`;
  const bold = a.classes.includes("current") ? ' font-weight="bold"' : "";
  return `${ground}<text class="${classes}" data-event="${a.event}" x="${a.at.x}" y="${a.at.y}" fill="currentColor"${bold}>${esc(a.label)}<title>${esc(a.title)}</title></text>`;
}

/** The way that is left, in dots: it has not been gone yet. */
function ahead({ to, ahead: end }: Drawnarrow): string {
  if (end === null) return "";
  return `<line class="ahead" x1="${to.x}" y1="${to.y}" x2="${end.x}" y2="${end.y}" stroke="currentColor" stroke-width="1" stroke-opacity="0.6" stroke-dasharray="1 5"/>`;
}

/** The area that a run of messages covers. */
function band({ from, to, last }: Drawnarrow): string {
  if (last === null) return "";
  const points = [from, to, last[1], last[0]].map(({ x, y }) => `${x},${y}`);
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
