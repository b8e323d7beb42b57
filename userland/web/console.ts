// What the program wrote: all of it, what comes after the step that is looked at paler.

import { byid, el, fill } from "./dom.ts";
import type { Rsaid } from "../view/recording.ts";

/** The output of the run that is shown. */
export class Console {
  readonly #e = byid("console", HTMLElement);
  #pieces: { readonly event: number; readonly e: HTMLElement }[] = [];

  /** Shows this output in place of what is there. */
  show(said: readonly Rsaid[]): void {
    this.#pieces = [];
    fill(this.#e);
    for (const s of said) this.add(s);
  }

  /** Adds a piece at the end. */
  add({ event, to, text }: Rsaid): void {
    const stays = this.#e.scrollTop + this.#e.clientHeight < this.#e.scrollHeight - 4;
    const e = el("span", { class: to }, text);
    this.#pieces.push({ event, e });
    this.#e.append(e);
    if (!stays) this.#e.scrollTop = this.#e.scrollHeight;
  }

  /** Makes paler what had not been written when this event happened. */
  at(event: number): void {
    for (const p of this.#pieces) p.e.classList.toggle("later", p.event > event);
  }
}
