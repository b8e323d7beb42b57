// What is read before the lessons: docs/ten-minutes.md, taken into the page when it is built.

import text from "../../docs/ten-minutes.md?raw";
import { blocksof } from "../view/words/blocks.ts";
import type { Block, Span } from "../view/words/blocks.ts";
import { byid, el, fill } from "./dom.ts";
import { term } from "./words.ts";

/** Shows it when it is opened for the first time. */
export function listenreading(): void {
  const e = byid("reading", HTMLDetailsElement);
  e.addEventListener("toggle", () => fill(byid("reading-text", HTMLElement), ...shown()), {
    once: true,
  });
}

/** All but the title, which is on the way in. */
const shown = (): HTMLElement[] => blocksof(text).slice(1).map(element);

function element(b: Block): HTMLElement {
  switch (b.form) {
    case "heading":
      return el("h3", {}, b.text);
    case "code":
      return el("pre", { tabindex: 0 }, b.text);
    case "paragraph":
      return el("p", {}, ...b.spans.map(span));
    case "list":
      return el("ul", {}, ...b.items.map((item) => el("li", {}, ...item.map(span))));
  }
}

/** Links lead to documents that the page has not: they are told by their names. */
function span(s: Span): HTMLElement | string {
  if (s.form === "code") return el("code", {}, s.text);
  return s.form === "strong" ? (term(s.text) ?? el("strong", {}, s.text)) : s.text;
}
