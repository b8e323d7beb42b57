// The glossary in the page. A word of it in a sentence of the page is a button that says what the word means. The panel
// Words lists the words of this step before all others. The words are docs/glossary.md, which
// comes behind the first lesson (texts.ts).

import { Glossary } from "../view/words/documents.ts";
import type { Entry } from "../view/words/documents.ts";
import { byid, el, fill } from "./dom.ts";

let WORDS = new Glossary("");

/** Takes the words of docs/glossary.md. */
export function takewords(markdown: string): void {
  WORDS = new Glossary(markdown);
}

/** Puts a text into an element; the words of the glossary in it can be asked for. */
export function termed(e: Element, text: string): void {
  fill(
    e,
    ...WORDS.split(text).map((part) =>
      part.entry === null ? part.text : button(part.text, part.entry),
    ),
  );
}

/** A word that can be asked for; null for one that the glossary has not. */
export function term(text: string): HTMLElement | null {
  const entry = WORDS.entry(text);
  return entry === undefined ? null : button(text, entry);
}

/** A text with what stands between backquotes as code, and the words of the glossary to be asked for. */
export function marked(text: string): Node[] {
  return text.split("`").map((part, i) => {
    if (i % 2 === 1) return el("code", {}, part);
    const e = el("span");
    termed(e, part);
    return e;
  });
}

function button(text: string, entry: Entry): HTMLElement {
  const b = el("button", { type: "button", class: "term", "aria-haspopup": "dialog" }, text);
  b.addEventListener("click", (e) => {
    e.stopPropagation();
    ask(entry, b);
  });
  return b;
}

/** Says what a word means, below the word. */
function ask(entry: Entry, at: HTMLElement): void {
  const box = byid("word", HTMLElement);
  byid("word-name", HTMLElement).textContent = entry.words.join(", ");
  byid("word-text", HTMLElement).textContent = entry.text;
  box.showPopover();
  const [r, b] = [at.getBoundingClientRect(), box.getBoundingClientRect()];
  const top = r.bottom + 6 + b.height > innerHeight ? r.top - b.height - 6 : r.bottom + 6;
  box.style.top = `${Math.max(8, top)}px`;
  box.style.left = `${Math.max(8, Math.min(r.left, innerWidth - b.width - 8))}px`;
  // Where the word was the focus comes back to when the box is closed.
  const closed = (e: Event): void => {
    if (!(e instanceof ToggleEvent) || e.newState !== "closed") return;
    box.removeEventListener("toggle", closed);
    if (at.isConnected && document.activeElement === document.body)
      at.focus({ preventScroll: true });
  };
  box.addEventListener("toggle", closed);
  byid("word-more", HTMLButtonElement).focus({ preventScroll: true });
}

/** The panel of all words: those that stand in these texts come first. */
export function showwords(texts: readonly string[]): void {
  const here = new Set(texts.flatMap((t) => WORDS.split(t).flatMap((p) => p.entry ?? [])));
  const rest = WORDS.entries.filter((e) => !here.has(e));
  const list = (es: readonly Entry[]): HTMLElement[] =>
    es.flatMap((e) => [el("dt", {}, e.words.join(", ")), el("dd", {}, e.text)]);
  const head = (text: string): HTMLElement => el("dt", { class: "group" }, text);
  fill(
    byid("words", HTMLElement),
    ...(here.size === 0 ? [] : [head("in this step"), ...list([...here])]),
    head("all other words"),
    ...list(rest),
  );
}
