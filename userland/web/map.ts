// The drawing of machines and links: the farther away a machine is, the farther to the right it stands, on
// a scale of powers of ten. Dragging one, or the arrow keys on it, changes the round trip time of its link;
// a line drawn from the machine that runs the program ends in a new one; Delete takes one away. A link is as
// thick as it is wide, and dashed where it loses.

import type { Simhost } from "../boot/simhost.ts";
import { HERE } from "../boot/simhost.ts";
import { parserate, parsetime, showtime } from "../boot/units.ts";
import { fill, svg } from "./dom.ts";

/** What is done to a machine by its place in the list. */
export type Hands = {
  readonly move: (i: number, rtt: string) => void;
  /** A new one, so far away. */
  readonly add: (rtt: string) => void;
  readonly remove: (i: number) => void;
  readonly choose: (i: number) => void;
};

const WIDTH = 520;
const ROW = 46;
const LEFT = 110;
const RIGHT = WIDTH - 56;
/** The scale goes from 100 µs to 1 s. */
const NEAREST = 5;
const FARTHEST = 9;
/** The round trip times that keys go through. */
const STOPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((ms) => ms * 1e6);

export class Map {
  readonly #svg: SVGSVGElement;
  readonly #hands: Hands;
  #hosts: readonly Simhost[] = [];

  constructor(e: SVGSVGElement, hands: Hands) {
    this.#svg = e;
    this.#hands = hands;
  }

  /** Draws these machines; the one that has the focus keeps it. */
  draw(hosts: readonly Simhost[]): void {
    this.#hosts = hosts;
    const focus = this.#svg.querySelector(":focus")?.getAttribute("data-i") ?? null;
    const height = Math.max(1, hosts.length) * ROW + 30;
    this.#svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    const mid = (Math.max(1, hosts.length) * ROW) / 2;
    fill(
      this.#svg,
      ...scale(height),
      ...hosts.map((h, i) => link(h, mid, i)),
      this.#here(mid),
      ...hosts.map((h, i) => this.#machine(h, i)),
    );
    if (focus !== null)
      this.#svg.querySelector<SVGElement>(`[data-i="${focus}"]`)?.focus({ preventScroll: true });
  }

  /** The machine that the program runs on: links are drawn from it. */
  #here(mid: number): SVGGElement {
    const g = box(HERE, 50, mid, "machine-here");
    g.prepend(svg("title", {}, "the program runs here; draw a line from here for a new machine"));
    g.addEventListener("pointerdown", (e) => this.#link(e, mid));
    return g;
  }

  /** Draws a link from here; where it ends is a new machine. */
  #link(e: PointerEvent, mid: number): void {
    if (e.button !== 0) return;
    e.preventDefault();
    const line = svg("path", { class: "drawn" });
    this.#svg.append(line);
    const at = (m: PointerEvent): { x: number; y: number } => {
      const r = this.#svg.getBoundingClientRect();
      return { x: this.#x(m), y: ((m.clientY - r.top) / r.width) * WIDTH };
    };
    follow({
      moved: (m) => line.setAttribute("d", `M 88 ${mid} L ${at(m).x} ${at(m).y}`),
      over: (m) => {
        line.remove();
        if (m.type === "pointerup" && at(m).x > LEFT) this.#hands.add(showtime(time(at(m).x)));
      },
    });
  }

  /** Where a pointer is on the drawing. */
  #x(e: PointerEvent): number {
    const r = this.#svg.getBoundingClientRect();
    return ((e.clientX - r.left) / r.width) * WIDTH;
  }

  #machine(h: Simhost, i: number): SVGGElement {
    const g = box(h.name, place(rttof(h)), y(i), "machine-far");
    g.id = `machine-node-${h.name}`;
    const attrs = {
      tabindex: 0,
      role: "slider",
      "data-i": i,
      "aria-label": `${h.name}: round trip time`,
      "aria-valuemin": 0,
      "aria-valuemax": 1000,
      "aria-valuenow": rttof(h) / 1e6,
      "aria-valuetext": h.link.rtt,
    };
    for (const [name, value] of Object.entries(attrs)) g.setAttribute(name, String(value));
    g.addEventListener("keydown", (e) => this.#key(e, i));
    g.addEventListener("pointerdown", (e) => this.#drag(e, i));
    g.addEventListener("dblclick", () => this.#hands.choose(i));
    return g;
  }

  #key(e: KeyboardEvent, i: number): void {
    const now = rttof(this.#hosts[i]);
    if (e.key === "Enter") return this.#hands.choose(i);
    if (e.key === "Delete") {
      // The focus goes to a field, which is not to hear of this key.
      e.preventDefault();
      return this.#hands.remove(i);
    }
    const farther = e.key === "ArrowRight" || e.key === "ArrowUp";
    const nearer = e.key === "ArrowLeft" || e.key === "ArrowDown";
    if (!farther && !nearer) return;
    e.preventDefault();
    e.stopPropagation();
    const next = farther ? STOPS.find((t) => t > now) : STOPS.findLast((t) => t < now);
    if (next !== undefined) this.#hands.move(i, showtime(next));
  }

  #drag(e: PointerEvent, i: number): void {
    if (e.button !== 0) return;
    e.preventDefault();
    this.#svg.querySelector<SVGElement>(`[data-i="${i}"]`)?.focus({ preventScroll: true });
    const moved = (m: PointerEvent): void => {
      const t = time(this.#x(m));
      if (t !== rttof(this.#hosts[i])) this.#hands.move(i, showtime(t));
    };
    follow({ moved, over: () => undefined });
  }
}

type Follower = {
  readonly moved: (e: PointerEvent) => void;
  readonly over: (e: PointerEvent) => void;
};

/** Follows a pointer until it is let go. */
function follow({ moved, over }: Follower): void {
  const done = (e: PointerEvent): void => {
    window.removeEventListener("pointermove", moved);
    window.removeEventListener("pointerup", done);
    window.removeEventListener("pointercancel", done);
    over(e);
  };
  window.addEventListener("pointermove", moved);
  window.addEventListener("pointerup", done);
  window.addEventListener("pointercancel", done);
}

const y = (i: number): number => i * ROW + ROW / 2;

function rttof(h: Simhost | undefined): number {
  return h === undefined ? 0 : parsetime(h.link.rtt);
}

/** Where a round trip time is on the scale. */
function place(ns: number): number {
  const p = (Math.log10(Math.max(1, ns)) - NEAREST) / (FARTHEST - NEAREST);
  return LEFT + 40 + Math.min(1, Math.max(0, p)) * (RIGHT - LEFT - 40);
}

/** The time at a place, with two digits. */
function time(x: number): number {
  const p = Math.min(1, Math.max(0, (x - LEFT - 40) / (RIGHT - LEFT - 40)));
  const ns = 10 ** (NEAREST + p * (FARTHEST - NEAREST));
  return Number(ns.toPrecision(2));
}

function scale(height: number): SVGElement[] {
  return [1e5, 1e6, 1e7, 1e8, 1e9].flatMap((t) => {
    const x = place(t);
    return [
      svg("line", { class: "scale", x1: x, x2: x, y1: 4, y2: height - 24 }),
      svg("text", { class: "scale-text", x, y: height - 8, "text-anchor": "middle" }, showtime(t)),
    ];
  });
}

function link(h: Simhost, mid: number, i: number): SVGElement {
  const { bw, loss } = h.link;
  const width = bw === undefined ? 3 : Math.min(6, Math.max(1, Math.log10(parserate(bw)) - 3));
  const x = place(rttof(h));
  return svg("path", {
    class: "link",
    d: `M 88 ${mid} C ${LEFT + 30} ${mid} ${LEFT + 10} ${y(i)} ${x - 38} ${y(i)}`,
    "stroke-width": width,
    "stroke-dasharray": loss === undefined ? null : "6 5",
  });
}

function box(name: string, x: number, mid: number, kind: string): SVGGElement {
  return svg(
    "g",
    { class: kind, transform: `translate(${x} ${mid})` },
    svg("rect", { x: -38, y: -15, width: 76, height: 30, rx: 6 }),
    svg("text", { "text-anchor": "middle", y: 5 }, name.length > 9 ? `${name.slice(0, 8)}…` : name),
  );
}
