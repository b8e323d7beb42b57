// Frames as plain text, one after another, for files and for comparing runs: each says its step, what was
// decided and why, and of the rest only what is not as it was in the frame before.

import type { Frame, Message } from "./frame.ts";
import type { Look } from "./look.ts";
import { plural, timefmt } from "../words/stepfmt.ts";
import type { Spent } from "../record/tape.ts";
import { rows } from "./tree.ts";
import type { Member, Row } from "./tree.ts";
import { visible } from "../words/visible.ts";

const LABEL = 8;

/** A frame as lines; `last` is the one printed before. */
export function frametext(f: Frame, last: Frame | null): string[] {
  const who = `${f.pid} ${f.process}`.trimEnd();
  const lines = [`${f.step + 1}/${f.steps}  ${timefmt(f.time)}  ${who}  ${f.line}`];
  const { call } = f;
  if (call !== null && call.id !== last?.call?.id) {
    put(lines, "call", call.place === null ? call.text : `${call.text}    ${call.place}`);
    const here = call.source.find((s) => s.here);
    if (here !== undefined) put(lines, "source", here.text.trim());
  }
  put(lines, "what", f.what);
  put(lines, "why", f.why);
  put(lines, "mend", f.mend);
  for (const [label, texts] of Object.entries(PARTS)) {
    const now = texts(f);
    if (last === null || now.join("\n") !== texts(last).join("\n"))
      for (const text of now) put(lines, label, text);
  }
  for (const s of f.said)
    for (const text of s.text.trimEnd().split("\n")) put(lines, "output", text);
  return lines.map((text) => visible(text, "\t"));
}

/** What is told again only when it has changed. */
const PARTS: Readonly<Record<string, (f: Frame) => readonly string[]>> = {
  name: (f) => f.names.map(looktext),
  tree: (f) => treetext(rows(f.tree)),
  flying: (f) => [
    ...f.flying.map((m) => flyingtext(m, f.time)),
    ...more(f.inflight - f.flying.length, " in flight"),
  ],
  cost: (f) => (f.callspent === null || !isspent(f.callspent) ? [] : [spenttext(f.callspent)]),
};

const more = (n: number, what = ""): string[] => (n > 0 ? [`and ${n} more${what}`] : []);

/** Lines of a tree that are printed, and members of a union. */
const ROWS = 64;
const MEMBERS = 16;

/** The rows of a tree: of many those that a name leads through, and the first of the others. */
function treetext(all: readonly Row[]): string[] {
  const shown = new Set(
    all.toSorted((a, b) => Number(b.node.taken) - Number(a.node.taken)).slice(0, ROWS),
  );
  return [...all.filter((r) => shown.has(r)).map(rowtext), ...more(all.length - shown.size)];
}

function put(lines: string[], label: string, text: string): void {
  if (text !== "") lines.push(`    ${label.padEnd(LABEL)}${text}`.trimEnd());
}

const isspent = (s: Spent): boolean => s.messages > 0 || s.time > 0;

/** "1 round trip, 6 messages, 164 bytes, 50.00 ms" */
export function spenttext(s: Spent): string {
  const parts = [plural(s.trips, "round trip"), plural(s.messages, "message")];
  return [...parts, plural(s.bytes, "byte"), timefmt(s.time)].join(", ");
}

/** The elements of a name, the one in question in brackets: "/ n  far  [a]  b". */
export function looktext(look: Look): string {
  const elems = look.elems.map((e, i) => {
    const text = e.state === "missing" ? `${e.text}!` : e.text;
    return i === look.cursor ? `[${text}]` : text;
  });
  const by = look.elems[look.cursor === look.elems.length ? look.cursor - 1 : look.cursor]?.by;
  const who = by === undefined || by === "" ? "" : `    ${by}`;
  return `${[look.root, ...elems].join(" ")}${who}`;
}

const MARKS: Readonly<Record<Member["outcome"], string>> = {
  none: "",
  only: "",
  pending: " ?",
  missed: " ✗",
  found: " ✓",
};

/** A line of the tree: "* far  far!564"; the path in question is marked with *. */
export function rowtext({ depth, node, folded }: Row): string {
  const some = node.members.slice(0, MEMBERS).map((m) => `${memberfmt(m)}${MARKS[m.outcome]}`);
  const members = [...some, ...more(node.members.length - MEMBERS)];
  const quiet = folded.length === 0 ? "" : `(${folded.join(" ")})`;
  const union = members.length > 1 ? `union: ${members.join(", ")}` : members.join("");
  const state = node.state === "missing" ? "is missing" : "";
  const parts = [node.name, union, state, quiet].filter((x) => x !== "");
  return `${"  ".repeat(depth)}${node.taken ? "*" : " "} ${parts.join("  ")}`;
}

/** A member of a union: "/n/far/a (far!564) MCREATE", with "(hung up)" when its server is gone. */
export function memberfmt(m: Member): string {
  const text = m.conn > 0 && m.text !== m.server ? `${m.text} (${m.server})` : m.text;
  return [text, m.flags, m.gone ? "(hung up)" : ""].filter((x) => x !== "").join(" ");
}

const STAGES: Readonly<Record<Message["stage"], string>> = {
  going: "on its way there",
  there: "at the server",
  coming: "its answer is on its way",
  arrived: "its answer has come and is read next",
  out: "waits for an answer",
  here: "answered",
};

function flyingtext(m: Message, now: number): string {
  return `${m.peer}  ${m.request}  ${STAGES[m.stage]}, sent ${timefmt(now - m.since)} ago`;
}
