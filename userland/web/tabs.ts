// Lists of tabs: each has its panel, one is chosen, and the arrow keys go from tab to tab.

import { byid } from "./dom.ts";

/** What the ids of the tabs, and of their panels, begin with. */
type Ids = { readonly tab: string; readonly panel: string };

/** A list of tabs; tab "x" of list "dock" is the button #dock-tab-x, its panel #dock-x. */
export class Tabs<T extends string> {
  readonly #names: readonly T[];
  readonly #ids: { readonly tab: string; readonly panel: string };
  readonly #shown: (tab: T) => void;
  #now: T;

  /** `shown` hears of each tab that is chosen, the first one not. */
  constructor(names: readonly [T, ...T[]], ids: Ids, shown: (tab: T) => void) {
    this.#names = names;
    this.#ids = ids;
    this.#shown = shown;
    [this.#now] = names;
    for (const name of names) {
      const b = this.#button(name);
      b.addEventListener("click", () => this.show(name));
      b.addEventListener("keydown", (e) => this.#key(e, name));
    }
    this.#draw();
  }

  get now(): T {
    return this.#now;
  }

  show(tab: T): void {
    this.#now = tab;
    this.#draw();
    this.#shown(tab);
  }

  /** Takes a tab out of the list, or puts it in again. */
  offer(tab: T, offered: boolean): void {
    this.#button(tab).hidden = !offered;
    if (!offered && this.#now === tab) this.show(this.#names[0] ?? tab);
  }

  #draw(): void {
    for (const name of this.#names) {
      byid(this.#ids.panel + name, HTMLElement).hidden = name !== this.#now;
      const b = this.#button(name);
      b.setAttribute("aria-selected", String(name === this.#now));
      b.tabIndex = name === this.#now ? 0 : -1;
    }
  }

  #key(e: KeyboardEvent, from: T): void {
    if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
    e.preventDefault();
    const names = this.#names.filter((n) => !this.#button(n).hidden);
    const step = e.key === "ArrowRight" ? 1 : names.length - 1;
    const next = names[(names.indexOf(from) + step) % names.length] ?? from;
    this.show(next);
    this.#button(next).focus();
  }

  #button(name: T): HTMLButtonElement {
    return byid(this.#ids.tab + name, HTMLButtonElement);
  }
}
