// The picture of the name space: a tree of its mount points, and the way that the step's name takes through it. Each
// mount point has its members, and a member says whether it was asked, and whether the name was found there.

import type { Frame } from "../view/step/frame.ts";
import { rows } from "../view/step/names.ts";
import type { Member, Row } from "../view/step/names.ts";
import { el, fill } from "./dom.ts";
import type { Run } from "./player.ts";
import type { Picture } from "./stepview.ts";

/** The name space of a step. */
export class Names implements Picture {
  readonly element: HTMLElement;
  readonly #list: HTMLElement;

  constructor(primary: boolean) {
    this.#list = el("ul", {
      id: primary ? "tree" : null,
      class: "tree",
      "aria-label": "Name space",
    });
    this.element = el("div", { class: "treebox", tabindex: 0, hidden: true }, this.#list);
  }

  show(_run: Run, f: Frame): void {
    fill(this.#list, ...nested(rows(f.tree)));
    // The end of the name's way is in sight.
    const way = [...this.#list.querySelectorAll<HTMLElement>(".taken")].at(-1);
    const box = this.element;
    if (way === undefined) return;
    const [top, bottom] = [way.offsetTop - 8, way.offsetTop + way.offsetHeight + 8];
    if (top < box.scrollTop) box.scrollTop = top;
    else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
  }
}

/** Rows with their depths as lists in lists. */
function nested(list: readonly Row[]): HTMLElement[] {
  const top: HTMLElement[] = [];
  const open: { readonly depth: number; readonly li: HTMLElement }[] = [];
  const put = (depth: number, li: HTMLElement): void => {
    while ((open.at(-1)?.depth ?? -1) >= depth) open.pop();
    const parent = open.at(-1)?.li;
    if (parent === undefined) top.push(li);
    else {
      const last = parent.lastElementChild;
      const ul = last instanceof HTMLUListElement ? last : el("ul");
      if (ul !== last) parent.append(ul);
      ul.append(li);
    }
    open.push({ depth, li });
  };
  for (const r of list) {
    put(r.depth, el("li", {}, row(r)));
    if (r.folded.length > 0)
      put(
        r.depth + 1,
        el(
          "li",
          {},
          el("span", { class: "node folded", title: "devices of the kernel" }, r.folded.join(" ")),
        ),
      );
  }
  return top;
}

function row({ node }: Row): HTMLElement {
  const state = node.state === null ? "" : ` ${node.state}`;
  const kind = `node${node.taken ? " taken" : ""}${node.mounted ? " mounted" : ""}${state}`;
  return el(
    "span",
    { class: kind },
    el("span", { class: "node-name", title: node.path }, node.name),
    node.state === "missing" ? el("span", { class: "gone" }, " is missing") : null,
    ...node.members.flatMap((m) => [" ", member(m, node.members.length)]),
    node.taken ? el("span", { class: "sr" }, " (on the way of the name)") : null,
  );
}

const MARKS: Readonly<Record<Member["outcome"], string>> = {
  none: "",
  only: "",
  pending: "?",
  missed: "✗",
  found: "✓",
  refused: "!",
};

function member(m: Member, of: number): HTMLElement {
  const text =
    m.text === m.server || m.server === "the kernel" ? m.text : `${m.text} · ${m.server}`;
  const said = m.error === "" ? "" : `: ${m.error}`;
  const leave = m.flags === "" ? "" : `, mounted with ${m.flags.replaceAll("|", " and ")}`;
  return el(
    "span",
    {
      class: `member ${m.outcome}${m.conn > 0 ? " remote" : ""}`,
      title: `${m.text}, served by ${m.server}${m.gone ? ", which has hung up" : ""}${leave}${said}`,
    },
    of > 1 ? el("b", {}, `${m.index + 1} `) : null,
    text,
    m.flags === "" ? null : el("small", {}, ` ${m.flags}`),
    m.gone ? el("small", { class: "gone" }, " hung up") : null,
    MARKS[m.outcome] === ""
      ? null
      : el("i", { role: "img", "aria-label": m.outcome }, ` ${MARKS[m.outcome]}`),
  );
}
