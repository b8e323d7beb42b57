// What the pictures in SVG share: points and segments, text as XML takes it, and the places of labels. Pure.
//
// The label of an arrow stands on the arrow or beside its end. No label covers another one, and each has as few lines
// beneath it as can be.

import { nullproto } from "../../../kernel/abi/nullproto.ts";

export type Point = { readonly x: number; readonly y: number };
export type Segment = readonly [from: Point, to: Point];

/** The width of a letter, and the height of a label with its ground. */
export const LETTER = 6.7;
const HEIGHT = 15;
/** What a label keeps free at the ends of its arrow. */
export const ENDS = 12;
/** Where on its arrow a label may stand, the best place first. */
const PLACES = [0.5, 0.38, 0.62, 0.28, 0.72, 0.2, 0.8];

/** A label that wants a place, and the arrow that it belongs to. */
export type Wanted = { readonly text: string; readonly along: Segment };

/** What the labels stand among: the lines, places that must be seen, and the edges of the picture. */
export type Among = {
  readonly lines: readonly Segment[];
  readonly points: readonly Point[];
  readonly top: number;
  readonly width: number;
};

type Box = { readonly x: number; readonly y: number; readonly width: number };

/** Where the text of each label begins: its left edge and its base line, in the order of `wanted`. */
export function placed(wanted: readonly Wanted[], among: Among): Point[] {
  const boxes: Box[] = [];
  return wanted.map(({ text, along }) => {
    const width = (text.length + 1) * LETTER;
    const others = among.lines.filter((l) => l !== along);
    let best: { readonly box: Box; readonly cost: number } | null = null;
    for (const [i, box] of candidates(along, width, among).entries()) {
      const over = boxes.filter((b) => overlaps(b, box)).length;
      const beneath = others.filter((l) => crosses(l, box)).length;
      const hidden = among.points.filter((p) => crosses([p, p], box)).length;
      const cost = 100 * over + 50 * hidden + 4 * beneath + i * 0.5;
      if (best === null || cost < best.cost) best = { box, cost };
    }
    const box = best?.box ?? { x: 0, y: 0, width };
    boxes.push(box);
    return { x: Math.round(box.x + 3), y: Math.round(box.y + 11) };
  });
}

/** Boxes on the arrow, then to the right of its far end, then those a row below or above. */
function candidates([from, to]: Segment, width: number, { top, width: edge }: Among): Box[] {
  const [left, right] = from.x < to.x ? [from, to] : [to, from];
  const span = right.x - left.x;
  const at = (t: number): Point => ({
    x: left.x + t * span,
    y: left.y + t * (right.y - left.y),
  });
  const on = PLACES.map(at)
    .map(({ x, y }) => ({ x: x - width / 2, y: y - HEIGHT / 2, width }))
    .filter((b) => b.x >= left.x + ENDS && b.x + width <= right.x - ENDS);
  const beside = [right.y, (left.y + right.y) / 2, left.y].map((y) => ({
    x: Math.min(right.x + ENDS, edge - width - 2),
    y: y - HEIGHT / 2,
    width,
  }));
  const all = [...on, ...beside];
  const rows = [0, 1, -1, 2, -2, 3, 4, 5, 6].flatMap((n) =>
    all.map((b) => ({ ...b, y: b.y + n * HEIGHT })),
  );
  return rows.filter((b) => b.y >= top && b.x >= 0);
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && Math.abs(a.y - b.y) < HEIGHT;
}

/** Whether a line passes through a box. */
export function crosses([p, q]: Segment, b: Box, height: number = HEIGHT): boolean {
  // The part of the line, from 0 to 1, that lies between two edges; empty where the box has none of it.
  let [low, high] = [0, 1];
  const cut = (from: number, step: number, min: number, max: number): boolean => {
    if (step === 0) return from >= min && from <= max;
    const [a, c] = [(min - from) / step, (max - from) / step];
    low = Math.max(low, Math.min(a, c));
    high = Math.min(high, Math.max(a, c));
    return low <= high;
  };
  return cut(p.x, q.x - p.x, b.x, b.x + b.width) && cut(p.y, q.y - p.y, b.y, b.y + height);
}

const ESCAPES: Readonly<Record<string, string>> = nullproto({
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
});

// What XML 1.0 has no way to write is shown as what it is: something that cannot be shown.
const UNFIT = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** A text with XML's own letters written as entities. */
export const esc = (text: string): string =>
  text.replace(UNFIT, "\uFFFD").replace(/[&<>"]/g, (c) => ESCAPES[c] ?? c);

/** What an <svg> element is, and what it says in words. */
export type Picture = {
  readonly kind: string;
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly desc: string;
};

/** One <svg> element, well-formed. */
export function svgof(
  { kind, id, width, height, title, desc }: Picture,
  parts: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="${kind}" role="img" aria-labelledby="${id}t ${id}d" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, monospace" font-size="11" fill="none" stroke="none">`,
    `<title id="${id}t">${esc(title)}</title><desc id="${id}d">${esc(desc)}</desc>`,
    ...parts,
    "</svg>",
  ].join("\n");
}
