// The program that is written, with what it runs on: its name, its text, its arguments, the seed, the machines.
// An example that is changed is the user's own program, and gets a name of its own.

import { byid, el, fill } from "./dom.ts";
import { Editor } from "./editor.ts";
import type { Example } from "./example.ts";
import { exampleof } from "./example.ts";
import { EXAMPLES } from "./examples.ts";
import { Machines } from "./machines.ts";
import { marked, termed } from "./words.ts";
import { isname } from "./setup.ts";
import type { Setup } from "./setup.ts";

/** What a program is called that was an example until it was changed. */
const MINE = "mine.ts";

/** The program and what it runs on. */
export class Draft {
  readonly editor: Editor;
  readonly machines: Machines;
  readonly #changed: () => void;
  readonly #field = byid("name", HTMLInputElement);
  #name = MINE;

  /** `changed` hears when the program or what it runs on is not what it was. */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.editor = new Editor(() => this.#edited());
    this.machines = new Machines(() => changed());
    byid("own", HTMLInputElement).addEventListener("change", () => changed());
    for (const id of ["args", "seed"])
      byid(id, HTMLInputElement).addEventListener("input", () => changed());
    this.#field.addEventListener("input", () => this.#renamed());
  }

  /** What there is now. */
  get setup(): Setup {
    const seed = byid("seed", HTMLInputElement).value;
    return {
      name: this.#name,
      text: this.editor.text,
      args: byid("args", HTMLInputElement).value,
      hosts: this.machines.hosts,
      seed: isseed(seed) ? Number(seed) : 0,
      ...(!byid("own", HTMLInputElement).checked && { native: true }),
    };
  }

  /** What is wrong with it; "" when nothing is. */
  get problem(): string {
    const { problem } = this.machines;
    if (problem !== "") return `machines: ${problem}`;
    if (!isname(this.#field.value))
      return `name: '${this.#field.value}' is no name for a file: it has letters, digits, dots, - and _`;
    const seed = byid("seed", HTMLInputElement).value;
    return isseed(seed) ? "" : `seed: '${seed}' is no whole number from 0 on`;
  }

  /** The example that it is, unchanged; undefined when it is the user's own program. */
  get example(): Example | undefined {
    return EXAMPLES.find((e) => e.name === this.#name && e.text === this.editor.text);
  }

  /** The texts of the examples and of the glossary have come. */
  refresh(): void {
    const { text } = this.editor;
    this.#lesson(this.example ?? exampleof(this.#name, text));
  }

  put(s: Setup): void {
    this.#called(s.name);
    this.editor.text = s.text;
    byid("args", HTMLInputElement).value = s.args;
    byid("seed", HTMLInputElement).value = String(s.seed);
    byid("own", HTMLInputElement).checked = s.native !== true;
    this.machines.hosts = s.hosts;
    this.#edited();
  }

  #called(name: string): void {
    this.#name = name;
    this.#field.value = name;
    this.#field.setAttribute("aria-invalid", "false");
  }

  #renamed(): void {
    const { value } = this.#field;
    this.#field.setAttribute("aria-invalid", String(!isname(value)));
    if (isname(value)) this.#name = value;
    this.#changed();
  }

  /** The text is another one: an example's name stays with the example's text. */
  #edited(): void {
    const { text } = this.editor;
    const same = EXAMPLES.find((e) => e.text === text);
    if (same !== undefined) this.#called(same.name);
    else if (EXAMPLES.some((e) => e.name === this.#name)) this.#called(MINE);
    this.editor.fault(null);
    this.#lesson(same ?? exampleof(this.#name, text));
    this.#changed();
  }

  /** Shows what the program asks its reader. */
  #lesson(e: Example): void {
    byid("lesson", HTMLElement).hidden = e.question === "";
    termed(byid("lesson-question", HTMLElement), e.question);
    fill(byid("lesson-look", HTMLElement), ...marked(e.look));
    fill(byid("lesson-change", HTMLElement), ...marked(e.change));
    byid("lesson-change-line", HTMLDetailsElement).hidden = e.change === "";
    byid("lesson-look-line", HTMLElement).hidden = e.look === "";
    const more = byid("lesson-more", HTMLDetailsElement);
    const question = `${e.name} ${e.question}`;
    if (more.dataset["of"] !== question) {
      more.open = false;
      byid("lesson-change-line", HTMLDetailsElement).open = false;
    }
    more.dataset["of"] = question;
    more.hidden = e.answer === "";
    const paragraphs = e.answer.split("\n\n");
    if (e.changed !== "") paragraphs.push(`With the change: ${e.changed}`);
    fill(
      byid("lesson-answer", HTMLElement),
      ...paragraphs.map((text) => el("p", {}, ...marked(text))),
    );
  }
}

const isseed = (text: string): boolean =>
  /^\s*\d*\s*$/.test(text) && Number.isSafeInteger(Number(text));
