// The editor of the program: a textarea at once, CodeMirror in its place when it has loaded. Where it cannot
// be loaded the textarea stays.

import { byid } from "./dom.ts";

/** What shows and changes a text: the textarea, or CodeMirror. */
export type Surface = {
  readonly text: () => string;
  readonly settext: (text: string) => void;
  /** Marks the line that a step is about, and the one that has a fault; null: none. */
  readonly mark: (line: number | null, fault: number | null) => void;
  readonly focus: () => void;
};

/** The program's text. */
export class Editor {
  readonly #changed: () => void;
  #surface: Surface;
  #line: number | null = null;
  #fault: number | null = null;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#surface = plain(byid("program", HTMLTextAreaElement), changed);
  }

  get text(): string {
    return this.#surface.text();
  }

  set text(text: string) {
    this.#surface.settext(text);
    // The marks went with the old text.
    this.#line = null;
    this.#fault = null;
  }

  /** Marks the line of the current step; from 1. */
  step(line: number | null): void {
    if (line === this.#line) return;
    this.#line = line;
    this.#surface.mark(this.#line, this.#fault);
  }

  /** Marks the line of a fault. */
  fault(line: number | null): void {
    if (line === this.#fault) return;
    this.#fault = line;
    this.#surface.mark(this.#line, this.#fault);
  }

  focus(): void {
    this.#surface.focus();
  }

  /** Puts the real editor in the textarea's place; `name` gives the name of the program's file. */
  async load(name: () => string): Promise<void> {
    const area = byid("program", HTMLTextAreaElement);
    try {
      const { codemirror } = await import("./codemirror.ts");
      const had = document.activeElement === area;
      this.#surface = codemirror(area, { changed: this.#changed, name });
      this.#surface.mark(this.#line, this.#fault);
      if (had) this.#surface.focus();
    } catch {
      // The textarea does as well.
    }
  }
}

function plain(area: HTMLTextAreaElement, changed: () => void): Surface {
  area.addEventListener("input", changed);
  return {
    text: () => area.value,
    settext: (text) => (area.value = text),
    mark: (line) => {
      const height = Number.parseFloat(getComputedStyle(area).lineHeight);
      if (line !== null) area.scrollTop = Math.max(0, (line - 4) * height);
    },
    focus: () => area.focus(),
  };
}
