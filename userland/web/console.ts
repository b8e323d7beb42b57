// What the program wrote: all of it, what comes after the step that is looked at paler.

import { byid, el, fill } from "./dom.ts";
import type { Output } from "./talk.ts";

/** The output of the run that is shown. */
export class Console {
  readonly #e = byid("console", HTMLElement);
  #pieces: { readonly event: number; readonly e: HTMLElement }[] = [];

  /** Shows this output in place of what is there. */
  show(output: readonly Output[]): void {
    this.#pieces = [];
    fill(this.#e);
    for (const o of output) this.add(o);
  }

  /** Adds a piece at the end. */
  add(o: Output): void {
    const last = this.#pieces.at(-1);
    const stays = this.#e.scrollTop + this.#e.clientHeight < this.#e.scrollHeight - 4;
    const e = el("span", { class: o.err ? "err" : null }, o.text);
    if (last !== undefined && last.event === o.event && !o.err && !last.e.classList.contains("err"))
      last.e.append(o.text);
    else {
      this.#pieces.push({ event: o.event, e });
      this.#e.append(e);
    }
    if (!stays) this.#e.scrollTop = this.#e.scrollHeight;
  }

  /** Makes paler what had not been written when this event happened. */
  at(event: number): void {
    for (const p of this.#pieces) p.e.classList.toggle("later", p.event > event + 1);
  }
}
