// What is read before the lessons: docs/ten-minutes.md, loaded when it is asked for.

import { blocksof } from "../view/words/documents.ts";
import type { Block, Span } from "../view/words/documents.ts";
import { byid, el, fill } from "./dom.ts";
import { term } from "./words.ts";

/** Shows it when it is opened for the first time. */
export function listenreading(): void {
  const e = byid("reading", HTMLDetailsElement);
  e.addEventListener("toggle", () => void show(), { once: true });
}

/** All but the title, which is on the way in. */
async function show(): Promise<void> {
  const { default: text } = await import("../../docs/ten-minutes.md?raw");
  fill(byid("reading-text", HTMLElement), ...blocksof(text).slice(1).map(element));
}

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
