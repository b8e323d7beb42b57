// What a step shows, drawn: the call, its name with a cursor, the decision and its reason, the name space as
// a tree, the messages in space and time, what it cost in either kernel. All of it comes from userland/view
// as data; here it becomes elements.

import { diagramsvg } from "../view/draw/diagram.ts";
import { frameof } from "../view/step/frame.ts";
import type { Frame } from "../view/step/frame.ts";
import type { Look } from "../view/step/look.ts";
import { Scenes } from "../view/draw/scene.ts";
import { timefmt } from "../view/words/stepfmt.ts";
import { rows } from "../view/step/tree.ts";
import type { Member, Row } from "../view/step/tree.ts";
import { byid, el, fill } from "./dom.ts";
import type { Run } from "./steps.ts";

/** What a panel has on its left and right, in pixels. */
const PADDING = 24;
/** How near to an edge of its panel the present may be. */
const SIGHT = 40;

const scenes = new WeakMap<Run, Scenes>();

/** Shows a step of a run; gives the line of the program that it is about. */
export function showstep(run: Run, step: number): number | null {
  const f = frameof(run.tape, step);
  const { what, why } = f;
  const number = `Step ${step + 1} of ${f.steps}`;
  byid("step-number", HTMLElement).textContent = `of ${f.steps}`;
  const input = byid("step-input", HTMLInputElement);
  if (document.activeElement !== input) input.value = String(step + 1);
  byid("step-time", HTMLElement).textContent = timefmt(f.time);
  byid("step-call", HTMLElement).textContent = f.call?.text ?? whose(f);
  byid("step-call", HTMLElement).classList.toggle("failed", (f.call?.error ?? null) !== null);
  showprocess(run, f);
  byid("step-place", HTMLElement).textContent = f.call?.place ?? "";
  const line = f.call?.source.find((l) => l.here)?.text ?? "";
  byid("step-source", HTMLElement).textContent = line.trim();
  byid("step-what", HTMLElement).textContent = what;
  byid("step-why", HTMLElement).textContent = why;
  byid("step-say", HTMLElement).textContent = `${number}. ${what}`;
  fill(byid("step-names", HTMLElement), ...f.names.map(nameline));
  fill(byid("tree", HTMLElement), ...rows(f.tree).flatMap(row));
  diagram(run, f);
  const slider = byid("slider", HTMLInputElement);
  slider.setAttribute("aria-valuetext", `${number}: ${what}`);
  return run.finished.recording.calls[callid(f)]?.line?.line ?? null;
}

/** Which of several processes a call is of, and what its descriptor is open on. */
function showprocess(run: Run, f: Frame): void {
  const { procs, calls } = run.finished.recording;
  const call = calls[callid(f)];
  const e = byid("step-process", HTMLElement);
  e.hidden = procs.length < 2 || call === undefined;
  const whose = f.process === "" ? `process ${f.pid}` : `${f.process}, process ${f.pid}`;
  const [fd] = call?.args ?? [];
  const file = call?.file ?? null;
  e.textContent = file === null ? whose : `${whose}; descriptor ${String(fd)} is ${file}`;
}

const callid = (f: Frame): number => f.call?.id ?? -1;

/** What happens because of no call happens to a process, or in the kernel itself. */
function whose(f: Frame): string {
  return f.process === "" ? "the kernel itself" : `process ${f.pid}: ${f.process}`;
}

/** A name with its elements, the one in question marked. */
function nameline(look: Look): HTMLElement {
  const elems = look.elems.map((e, i) =>
    el(
      "span",
      {
        class: `elem ${e.state}${i === look.cursor ? " cursor" : ""}`,
        title: e.by === "" ? e.state : `${e.state}: ${e.by}`,
      },
      e.text,
    ),
  );
  const root = el("span", { class: "elem done" }, look.root === "/" ? "/" : `${look.root}`);
  return el("p", { class: "name", "aria-label": `name ${look.name}` }, root, ...elems);
}

function row({ depth, node, folded }: Row): HTMLElement[] {
  const state = node.state === null ? "" : ` ${node.state}`;
  const kind = `node${node.taken ? " taken" : ""}${node.mounted ? " mounted" : ""}${state}`;
  const line = el(
    "li",
    { style: `--depth: ${depth}`, "aria-level": depth + 1, class: kind },
    el("span", { class: "node-name", title: node.path }, node.name),
    node.state === "missing" ? el("span", { class: "gone" }, " is missing") : null,
    ...node.members.flatMap((m) => [" ", member(m, node.members.length)]),
    node.taken ? el("span", { class: "sr" }, " (on the way of the name)") : null,
  );
  if (folded.length === 0) return [line];
  const more = {
    style: `--depth: ${depth + 1}`,
    "aria-level": depth + 2,
    class: "node folded",
    title: "devices of the kernel",
  };
  return [line, el("li", more, folded.join(" "))];
}

const MARKS: Readonly<Record<Member["outcome"], string>> = {
  none: "",
  only: "",
  pending: "?",
  missed: "✗",
  found: "✓",
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
    MARKS[m.outcome] === "" ? null : el("i", {}, ` ${MARKS[m.outcome]}`),
  );
}

/** The size of an element's contents, measured once for each size of the window: that costs a layout. */
const sizeof = ((): ((e: HTMLElement) => readonly [width: number, height: number]) => {
  let [window, size] = ["", [0, 0] as readonly [number, number]];
  return (e) => {
    const now = `${innerWidth} ${innerHeight}`;
    if (window !== now) [window, size] = [now, [e.clientWidth - PADDING, e.clientHeight]];
    return size;
  };
})();

/** The names of the lifelines stay above them, however far down their panel is scrolled. */
function keepnames(): void {
  const e = byid("diagram", HTMLElement);
  e.style.setProperty("--top", `${e.scrollTop}px`);
}

byid("diagram", HTMLElement).addEventListener("scroll", keepnames, { passive: true });

function diagram(run: Run, f: Frame): void {
  let s = scenes.get(run);
  if (s === undefined) scenes.set(run, (s = new Scenes(run.finished.recording)));
  const e = byid("diagram", HTMLElement);
  const [width, height] = sizeof(e);
  e.innerHTML = diagramsvg(s.at(f.event), width);
  // The present is in sight, with what comes next.
  const now = Number(e.querySelector(".now")?.getAttribute("y1") ?? 0);
  if (now < e.scrollTop + SIGHT) e.scrollTop = Math.max(0, now - height / 2);
  else if (now > e.scrollTop + height - SIGHT) e.scrollTop = now - height / 2;
  keepnames();
}
