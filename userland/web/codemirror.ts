// CodeMirror as the editor of the program: TypeScript's colours, undo, and marks on the line of a step and of
// a fault. Loaded after the page. Tab leaves the editor, so that the keyboard alone gets everywhere;
// lines are indented with Ctrl-] and Ctrl-[.

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import {
  HighlightStyle,
  bracketMatching,
  indentOnInput,
  syntaxHighlighting,
} from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import type { Text } from "@codemirror/state";
import {
  Decoration,
  EditorView,
  drawSelection,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import type { DecorationSet } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { Checker } from "./check.ts";
import type { Surface } from "./editor.ts";

type Marks = { readonly line: number | null; readonly fault: number | null };

const setmarks = StateEffect.define<Marks>();
const here = Decoration.line({ class: "cm-here" });
const fault = Decoration.line({ class: "cm-fault" });

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (old, tr) => {
    for (const e of tr.effects) if (e.is(setmarks)) return decorations(tr.state.doc, e.value);
    return old.map(tr.changes);
  },
  provide: (f) => EditorView.decorations.from(f),
});

function decorations(doc: Text, m: Marks): DecorationSet {
  const list = [];
  if (m.line !== null && m.line <= doc.lines) list.push(here.range(doc.line(m.line).from));
  if (m.fault !== null && m.fault <= doc.lines) list.push(fault.range(doc.line(m.fault).from));
  return Decoration.set(list, true);
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.moduleKeyword], class: "tok-keyword" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], class: "tok-string" },
  { tag: [tags.number, tags.bool, tags.null], class: "tok-number" },
  { tag: [tags.comment], class: "tok-comment" },
  { tag: [tags.typeName, tags.className], class: "tok-type" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], class: "tok-call" },
]);

/** Brings a line into the editor's sight. CodeMirror's own way would scroll the page, too. */
function into(view: EditorView, line: number): void {
  view.requestMeasure({
    key: "into",
    read: () => {
      const { from } = view.state.doc.line(Math.min(line, view.state.doc.lines));
      return view.lineBlockAt(from);
    },
    write: ({ top, bottom }) => {
      const box = view.scrollDOM;
      const margin = Math.min(60, box.clientHeight / 4);
      if (top - margin < box.scrollTop) box.scrollTop = top - margin;
      else if (bottom + margin > box.scrollTop + box.clientHeight)
        box.scrollTop = bottom + margin - box.clientHeight;
    },
  });
}

/** Keeps the marked line in sight where the editor becomes lower. */
function keepinsight(view: EditorView, marked: () => number | null): void {
  const box = view.scrollDOM;
  let high = box.clientHeight;
  new ResizeObserver(() => {
    const was = high;
    high = box.clientHeight;
    const line = marked();
    if (high >= was || line === null || line > view.state.doc.lines) return;
    const { top, bottom } = view.lineBlockAt(view.state.doc.line(line).from);
    if (bottom > box.scrollTop && top < box.scrollTop + was) into(view, line);
  }).observe(box);
}

/** What the editor tells and asks. */
export type Around = { readonly changed: () => void; readonly name: () => string };

/** Puts CodeMirror in the place of a textarea, which stays, hidden. */
export function codemirror(area: HTMLTextAreaElement, { changed, name }: Around): Surface {
  const checker = new Checker(name);
  const view = new EditorView({
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(),
        highlightSpecialChars(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        javascript({ typescript: true }),
        syntaxHighlighting(colours),
        marks,
        checker.extension,
        keymap.of([...defaultKeymap.filter((k) => k.key !== "Mod-Enter"), ...historyKeymap]),
        EditorView.contentAttributes.of({ "aria-label": "Program", id: "program-text" }),
        EditorView.updateListener.of((u) => {
          if (u.docChanged) changed();
        }),
      ],
    }),
  });
  area.hidden = true;
  area.after(view.dom);
  checker.attach(view);
  let marked: number | null = null;
  keepinsight(view, () => marked);
  return {
    text: () => view.state.doc.toString(),
    settext: (text) =>
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    mark: (line, bad) => {
      view.dispatch({ effects: setmarks.of({ line, fault: bad }) });
      marked = bad ?? line;
      if (marked !== null && marked <= view.state.doc.lines) into(view, marked);
    },
    focus: () => view.focus(),
  };
}
