// What the program wrote: what comes after the step that is looked at paler. A program may write very much,
// so only what is around the step is in the page.

import { search } from "../../kernel/abi/search.ts";
import { byid, el, fill } from "./dom.ts";
import type { Rsaid } from "../view/record/recording.ts";

/** Letters that are shown before the step, and after it. */
const AROUND = 10_000;

/** The output of the run that is shown. */
export class Console {
  readonly #e = byid("console", HTMLElement);
  #said: Rsaid[] = [];
  /** Pieces that were written when the step happened. */
  #now = 0;
  #asked = false;

  /** Shows this output in place of what is there. */
  show(said: readonly Rsaid[]): void {
    this.#said = [...said];
    this.#now = said.length;
    this.#draw();
  }

  /** Adds a piece at the end. */
  add(piece: Rsaid): void {
    this.#now = this.#said.push(piece);
    this.#draw();
  }

  /** Makes paler what had not been written when this event happened. */
  at(event: number): void {
    const now = this.#written(event);
    if (now === this.#now) return;
    this.#now = now;
    this.#draw();
  }

  /** How many pieces were written by an event; they come in its order. */
  #written(event: number): number {
    const said = this.#said;
    return search(said.length, (i) => (said[i]?.event ?? 0) <= event);
  }

  /** Draws once for all that happens before the browser paints. */
  #draw(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      const last = spans(this.#nearest(this.#now - 1, -1).toReversed(), "");
      const after = this.#nearest(this.#now, 1);
      fill(this.#e, ...last, ...spans(after, "later"));
      // The line that was written last is in sight.
      this.#e.scrollTop = after.length === 0 ? this.#e.scrollHeight : bottom(last.at(-1), this.#e);
    });
  }

  /** The pieces from one on, either way, as many letters as are shown. */
  #nearest(from: number, way: 1 | -1): Rsaid[] {
    const list: Rsaid[] = [];
    let room = AROUND;
    for (let i = from; ; i += way) {
      const s = this.#said[i];
      if (s === undefined) return list;
      const { length } = s.text;
      if (length > room) {
        const some = way < 0 ? `…${s.text.slice(length - room)}` : `${s.text.slice(0, room)}…`;
        return [...list, { ...s, text: some }];
      }
      list.push(s);
      room -= length;
    }
  }
}

/** A span for each run of pieces that went to the same. */
function spans(said: readonly Rsaid[], kind: string): HTMLElement[] {
  const list: HTMLElement[] = [];
  for (const { to, text } of said) {
    const last = list.at(-1);
    if (last?.classList.contains(to) === true) last.append(text);
    else list.push(el("span", { class: `${to} ${kind}`.trim() }, text));
  }
  return list;
}

/** How far to scroll for the end of an element to be in sight. */
function bottom(e: HTMLElement | undefined, box: HTMLElement): number {
  return e === undefined ? 0 : e.offsetTop + e.offsetHeight - box.clientHeight + 8;
}
