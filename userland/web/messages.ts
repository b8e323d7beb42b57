// The picture of the messages between machines: the space-time diagram of userland/view, in the room that there
// is. A click on a message or a call leads to its step (main.ts).

import { diagramsvg } from "../view/draw/diagram.ts";
import { Scenes } from "../view/draw/scene.ts";
import type { Frame } from "../view/step/frame.ts";
import { el } from "./dom.ts";
import type { Run } from "./player.ts";
import type { Picture } from "./stepview.ts";

/** What the picture has on its left and right, and above and below, in pixels. */
const PADDING = 24;
const ABOVE = 20;
/** How near to an edge of the picture the present may be. */
const SIGHT = 40;

const scenes = new WeakMap<Run, Scenes>();

/** The messages of a step. */
export class Messages implements Picture {
  readonly element: HTMLElement;
  readonly #primary: boolean;
  #size: readonly [width: number, height: number] | null = null;

  /** `resized` hears that there is another room. */
  constructor(primary: boolean, resized: () => void) {
    this.#primary = primary;
    this.element = el("div", {
      id: primary ? "diagram" : null,
      class: "diagram",
      tabindex: 0,
      role: "group",
      "aria-label": "Messages between machines",
    });
    // The names of the lifelines stay above them, however far down the picture is scrolled.
    this.element.addEventListener("scroll", () => this.#keepnames(), { passive: true });
    // Measuring costs a layout, so it is done once for each size.
    new ResizeObserver(() => {
      if (this.#size === null) return;
      this.#size = null;
      resized();
    }).observe(this.element);
  }

  #keepnames(): void {
    this.element.style.setProperty("--top", `${this.element.scrollTop}px`);
  }

  show(run: Run, f: Frame): void {
    let s = scenes.get(run);
    if (s === undefined) scenes.set(run, (s = new Scenes(run.finished.recording)));
    const e = this.element;
    this.#size ??= [e.clientWidth - PADDING, e.clientHeight];
    const [width, height] = this.#size;
    const id = `${this.#primary ? "d" : "e"}${f.event}`;
    e.innerHTML = diagramsvg(s.at(f.event, f.served[0]?.call), width, height - ABOVE, id);
    // The present is in sight, with what comes next.
    const now = Number(e.querySelector(".now")?.getAttribute("y1") ?? 0);
    if (now < e.scrollTop + SIGHT) e.scrollTop = Math.max(0, now - height / 2);
    else if (now > e.scrollTop + height - SIGHT) e.scrollTop = now - height / 2;
    this.#keepnames();
  }
}
