// The steps that are shown: one, or with both kernels two side by side; and which picture of them.

import { PICTURES } from "../view/step/frame.ts";
import type { Picturekind } from "../view/step/frame.ts";
import type { Acts } from "../view/step/keys.ts";
import { byid, el, fill } from "./dom.ts";
import type { Ledgers } from "./ledgers.ts";
import type { Beside, Run } from "./player.ts";
import { Stepview } from "./stepview.ts";
import type { Choice } from "./stepview.ts";

const TITLES: Readonly<Record<Choice, string>> = {
  auto: "Auto",
  messages: "Messages",
  names: "Names",
  processes: "Processes",
};

const CHOICES: readonly Choice[] = ["auto", ...PICTURES];

/** One step or two of them, and the choice of the picture. */
export class Views {
  readonly #one: Stepview;
  readonly #other: Stepview;
  readonly #changed: () => void;
  #choice: Choice = "auto";

  /** `changed` hears that another picture is wanted. */
  constructor(ledgers: Ledgers, changed: () => void) {
    this.#changed = changed;
    const othercost = (run: Run, step: number): string => ledgers.othercost(run, step);
    this.#one = new Stepview(true, { othercost, redraw: changed });
    this.#other = new Stepview(false, { othercost: () => "", redraw: changed });
    this.#other.element.classList.add("beside");
    this.#other.element.hidden = true;
    fill(byid("views", HTMLElement), this.#one.element, this.#other.element);
    fill(byid("pictures", HTMLElement), ...CHOICES.map((c) => this.#radio(c)));
  }

  #radio(choice: Choice): HTMLElement {
    const attrs = { type: "radio", name: "picture", id: `picture-${choice}` };
    const input = el("input", { ...attrs, checked: choice === this.#choice });
    input.addEventListener("change", () => this.#choose(choice));
    const title = choice === "auto" ? "the picture that each step needs" : null;
    return el("label", { title, id: `label-${choice}` }, input, el("span", {}, TITLES[choice]));
  }

  #choose(choice: Choice): void {
    this.#choice = choice;
    byid(`picture-${choice}`, HTMLInputElement).checked = true;
    this.#changed();
  }

  /** Chooses the picture that an act is about; false: it is about none. */
  act(act: Acts["page"]): boolean {
    const choice = CHOICES.find((c) => c === act);
    if (choice !== undefined) this.#choose(choice);
    return choice !== undefined;
  }

  /** Shows a step, and the other kernel's; gives the line of the program that it is about. */
  show(run: Run, step: number, beside: Beside | null): number | null {
    byid("views", HTMLElement).classList.toggle("both", beside !== null);
    this.#other.element.hidden = beside === null;
    const { picture, line } = this.#one.show(run, step, this.#choice);
    if (beside !== null) this.#other.show(beside.run, beside.step, picture);
    this.#mark(picture);
    return line;
  }

  #mark(picture: Picturekind): void {
    for (const p of PICTURES)
      byid(`label-${p}`, HTMLElement).classList.toggle("shown", p === picture);
  }

  /** The texts of what is shown, for the glossary. */
  get texts(): readonly string[] {
    const seen = this.#one.element.querySelectorAll(
      ".call, .names, .what, .why, .picture > :not([hidden])",
    );
    return [...seen].map((e) => e.textContent ?? "");
  }
}
