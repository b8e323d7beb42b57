// The panel below the step, with tabs: output, calls, costs and so on. The page draws a costly tab only while it is shown.

import { byid, el, fill } from "./dom.ts";
import { Tabs } from "./tabs.ts";

/** The tabs with their titles. */
const DOCK = {
  output: "Output",
  calls: "Calls",
  costs: "Costs",
  machines: "Machines",
  find: "Find",
  words: "Words",
  files: "Files",
} as const;

export type Docktab = keyof typeof DOCK;

const NAMES: readonly [Docktab, ...Docktab[]] = [
  "output",
  "calls",
  "costs",
  "machines",
  "find",
  "words",
  "files",
];

/** The panel below the step. */
export class Dock {
  readonly #tabs: Tabs<Docktab>;

  /** Makes the buttons of the tabs; `shown` is called with each tab that comes to be shown. */
  constructor(shown: (tab: Docktab) => void) {
    fill(
      byid("dock-tabs", HTMLElement),
      ...NAMES.map((name) =>
        el(
          "button",
          {
            type: "button",
            role: "tab",
            id: `dock-tab-${name}`,
            "aria-controls": `dock-${name}`,
          },
          DOCK[name],
        ),
      ),
    );
    const part = byid("part-dock", HTMLElement);
    this.#tabs = new Tabs(NAMES, { tab: "dock-tab-", panel: "dock-" }, (tab) => {
      part.dataset["tab"] = tab;
      shown(tab);
    });
    part.dataset["tab"] = this.#tabs.now;
    this.#tabs.offer("files", false);
  }

  get now(): Docktab {
    return this.#tabs.now;
  }

  show(tab: Docktab): void {
    if (tab !== this.#tabs.now) this.#tabs.show(tab);
  }

  /** Shows the tab of files, or hides it while the terminal has no machine. */
  offerfiles(offered: boolean): void {
    this.#tabs.offer("files", offered);
  }
}
