// Curves in an SVG, both axes logarithmic. A pure function of its data.

/** A curve: its name, its colour, and its points. */
export type Curve = {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
};

/** What is on the axes; ticks are values with what is written beside them. */
export type Axes = {
  readonly title: string;
  readonly x: { readonly label: string; readonly ticks: readonly (readonly [number, string])[] };
  readonly y: { readonly label: string; readonly ticks: readonly (readonly [number, string])[] };
};

const WIDTH = 420;
const HEIGHT = 300;
const MARGIN = { left: 60, right: 12, top: 30, bottom: 44 };

/** A place between the first and the last tick. */
function scale(
  ticks: readonly (readonly [number, string])[],
  from: number,
  to: number,
): (v: number) => number {
  const low = Math.log(ticks[0]?.[0] ?? 1);
  const high = Math.log(ticks.at(-1)?.[0] ?? 10);
  return (v) => from + ((Math.log(v) - low) / (high - low)) * (to - from);
}

const escape = (s: string): string =>
  s.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const round = (n: number): string => n.toFixed(1);

const text = (x: number, y: number, s: string, more = ""): string =>
  `<text x="${round(x)}" y="${round(y)}" ${more}>${escape(s)}</text>`;
const line = (a: readonly number[], colour: string): string => {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = a.map(round);
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}"/>`;
};

function panel(curves: readonly Curve[], axes: Axes): string {
  const [right, bottom] = [WIDTH - MARGIN.right, HEIGHT - MARGIN.bottom];
  const x = scale(axes.x.ticks, MARGIN.left, right);
  const y = scale(axes.y.ticks, bottom, MARGIN.top);
  const parts = [text(MARGIN.left, 18, axes.title, 'font-weight="bold"')];
  for (const [v, name] of axes.x.ticks) {
    parts.push(line([x(v), MARGIN.top, x(v), bottom], "#ddd"));
    parts.push(text(x(v), bottom + 15, name, 'text-anchor="middle"'));
  }
  for (const [v, name] of axes.y.ticks) {
    parts.push(line([MARGIN.left, y(v), right, y(v)], "#ddd"));
    parts.push(text(MARGIN.left - 5, y(v) + 4, name, 'text-anchor="end"'));
  }
  parts.push(text((MARGIN.left + right) / 2, HEIGHT - 10, axes.x.label, 'text-anchor="middle"'));
  const middle = (MARGIN.top + bottom) / 2;
  const turned = `transform="rotate(-90 12 ${round(middle)})" text-anchor="middle"`;
  parts.push(text(12, middle, axes.y.label, turned));
  for (const c of curves) {
    const points = c.points.map(([px, py]) => `${round(x(px))},${round(y(py))}`).join(" ");
    parts.push(`<polyline points="${points}" fill="none" stroke="${c.colour}" stroke-width="2"/>`);
  }
  return parts.join("\n");
}

/** Panels beside each other, in rows of `columns`, with one key below. */
export function plot(
  panels: readonly { readonly curves: readonly Curve[]; readonly axes: Axes }[],
  columns: number,
): string {
  const rows = Math.ceil(panels.length / columns);
  const [width, height] = [columns * WIDTH, rows * HEIGHT + 30];
  const parts = panels.map(
    ({ curves, axes }, i) =>
      `<g transform="translate(${(i % columns) * WIDTH} ${Math.floor(i / columns) * HEIGHT})">\n` +
      `${panel(curves, axes)}\n</g>`,
  );
  const key = (panels[0]?.curves ?? []).flatMap((c, i) => [
    line([20 + i * 160, height - 16, 50 + i * 160, height - 16], c.colour),
    text(56 + i * 160, height - 12, c.name),
  ]);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n` +
    `${[...parts, ...key].join("\n")}\n</svg>\n`
  );
}
