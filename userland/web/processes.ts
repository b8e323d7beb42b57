// The picture of the processes: what each has open, the pipes between them, and who waits for whom.

import { procscene, procsvg } from "../view/draw/processes.ts";
import type { Frame } from "../view/step/frame.ts";
import { el } from "./dom.ts";
import type { Run } from "./player.ts";
import type { Picture } from "./stepview.ts";

/** What the picture has on its left and right, in pixels. */
const PADDING = 24;

/** The processes of a step. */
export class Processes implements Picture {
  readonly element: HTMLElement;
  readonly #primary: boolean;
  #width: number | null = null;

  /** `resized` hears that there is another room. */
  constructor(primary: boolean, resized: () => void) {
    this.#primary = primary;
    this.element = el("div", {
      id: primary ? "procs" : null,
      class: "procs",
      tabindex: 0,
      role: "group",
      "aria-label": "Processes",
    });
    new ResizeObserver(() => {
      if (this.#width === null) return;
      this.#width = null;
      resized();
    }).observe(this.element);
  }

  show(run: Run, f: Frame): void {
    const e = this.element;
    this.#width ??= e.clientWidth - PADDING;
    const id = `${this.#primary ? "p" : "q"}${f.event}`;
    e.innerHTML = procsvg(procscene(f, run.finished.recording), this.#width, id);
    // The process of the step is in sight.
    const box = e.querySelector(".now rect");
    const [y, height] = [box?.getAttribute("y"), box?.getAttribute("height")].map(Number);
    if (box === null || y === undefined || height === undefined) return;
    if (y < e.scrollTop) e.scrollTop = Math.max(0, y - 10);
    else if (y + height > e.scrollTop + e.clientHeight)
      e.scrollTop = y + height - e.clientHeight + 20;
  }
}
