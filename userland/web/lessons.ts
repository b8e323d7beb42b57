// The lessons and the examples as lists, and which lesson comes before and after another one.

import { byid, el, fill } from "./dom.ts";
import type { Example } from "./example.ts";
import { EXAMPLES } from "./examples.ts";

const lessons = (): Example[] => EXAMPLES.filter((e) => e.lesson);

/** Fills the lists; `choose` hears which one is wanted. */
export function listlessons(choose: (e: Example) => void): void {
  const item = (e: Example): HTMLElement => {
    const title = e.lesson ? e.title : e.name.replace(/\.ts$/, "");
    const b = el("button", { type: "button", class: "link", "data-name": e.name }, title);
    b.addEventListener("click", () => choose(e));
    const text = e.lesson ? e.question : e.title;
    return el("li", {}, b, el("span", { class: "hint" }, text));
  };
  fill(byid("lessons-list", HTMLElement), ...lessons().map(item));
  fill(byid("examples-list", HTMLElement), ...EXAMPLES.filter((e) => !e.lesson).map(item));
}

/** Fills the select with all examples, in groups. */
export function fillselect(select: HTMLSelectElement): void {
  const group = (label: string, lesson: boolean): HTMLElement[] => {
    const list = EXAMPLES.filter((e) => e.lesson === lesson);
    const options = list.map((e, i) =>
      el("option", { value: e.name }, lesson ? `${i + 1} ${e.title}` : e.name.replace(/\.ts$/, "")),
    );
    return list.length === 0 ? [] : [el("optgroup", { label }, ...options)];
  };
  fill(
    select,
    el("option", { value: "" }, "(your own)"),
    ...group("Lessons", true),
    ...group("Examples", false),
  );
}

/** Says which of the lessons an example is: "Lesson 3 of 11 · Round trips". */
export function placeof(e: Example | undefined): string {
  if (e === undefined) return "";
  if (!e.lesson) return e.name;
  const list = lessons();
  if (list.length < 2) return `Lesson 1 · ${e.title}`;
  return `Lesson ${list.indexOf(e) + 1} of ${list.length} · ${e.title}`;
}

/** The lesson so many places after an example; null where there is none. */
export function lessonfrom(e: Example | undefined, by: 1 | -1): Example | null {
  const list = lessons();
  const at = e === undefined ? -1 : list.indexOf(e);
  if (at < 0) return (by > 0 ? list[0] : null) ?? null;
  return list[at + by] ?? null;
}

/** Marks the example that the editor has. */
export function markexample(e: Example | undefined): void {
  byid("example", HTMLSelectElement).value = e?.name ?? "";
  for (const b of byid("part-lessons", HTMLElement).querySelectorAll("[data-name]")) {
    const here = e !== undefined && b.getAttribute("data-name") === e.name;
    if (here) b.setAttribute("aria-current", "true");
    else b.removeAttribute("aria-current");
  }
  byid("lesson-place", HTMLElement).textContent = placeof(e);
  byid("lesson-back", HTMLButtonElement).disabled = lessonfrom(e, -1) === null;
  byid("lesson-next", HTMLButtonElement).disabled = lessonfrom(e, 1) === null;
}
