// The space-time diagram of a scene as text, for terminals: a row for each moment and each arrow, a column
// for each lifeline. Where diagram.ts has one sloping arrow, there are two rows here: it leaves ("▷": on
// its way), and at the time that it arrives there is its head.
//
//	             gnot                      far
//	     0  stat ├─Twalk Tstat─────────────▷┊
//	 25 ms       │                          ● Twalk Tstat
//	             │◁─────────────────────────○
//	 50 ms       ◀─Rwalk Rstat──────────────┤

import { exactly, happened, heading, isown, label, refuses, stateof } from "./scene.ts";
import type { Arrow, Scene } from "./scene.ts";
import { cut, line } from "../words/text.ts";
import type { Kind, Line } from "../words/text.ts";

/** Columns for the time, and at least and at most before the machine's lifeline for the calls of a moment. */
const TIME = 12;
const CALL = 10;
const CALLS = 24;
const MOST = 44;

/** The diagram on so many columns; the first line is its title. */
export function axislines(s: Scene, columns = 80): Line[] {
  const longest = Math.max(CALL, ...s.moments.map((m) => began(s, m.time).length + 2));
  const at = places(s, columns, TIME + Math.min(longest, CALLS));
  const list = [line("call", heading(s)), line("other", names(s, at))];
  if (s.earlier > 0) list.push(line("other", `${" ".repeat(TIME)}${s.earlier} more before`));
  for (const m of s.moments) {
    if (m.time > s.now) break;
    const rows = [...theres(s, m.time, at), ...homes(s, m.arrows, at)];
    if (rows.length === 0) rows.push({ kind: "other", cells: lifelines(at), current: false });
    for (const [i, row] of rows.entries()) {
      const time = i === 0 ? exactly(m.time - s.origin) : "";
      list.push(
        line(row.kind, finish(row, { time, call: i === 0 ? began(s, m.time) : "" }, at[0] ?? 0)),
      );
    }
  }
  if (s.later > 0) list.push(line("other", `${" ".repeat(TIME)}${s.later} more after`));
  return list;
}

type Row = { readonly kind: Kind; readonly cells: string[]; readonly current: boolean };

function places(s: Scene, columns: number, home: number): number[] {
  const n = Math.max(1, s.lifelines.length - 1);
  const each = Math.max(12, Math.min(MOST, Math.floor((columns - home - 8) / n)));
  return s.lifelines.map((_, i) => home + i * each);
}

function names(s: Scene, at: readonly number[]): string {
  const room = (at[1] ?? MOST) - (at[0] ?? 0) - 2;
  let text = "";
  for (const [i, l] of s.lifelines.entries()) {
    const name = cut(l.name, room);
    text =
      text.padEnd(Math.max(text.length + 1, (at[i] ?? 0) - Math.floor(name.length / 2))) + name;
  }
  return text;
}

/** A row with nothing but the lifelines. */
function lifelines(at: readonly number[]): string[] {
  const cells = Array.from({ length: (at.at(-1) ?? 0) + 1 }, () => " ");
  for (const [i, x] of at.entries()) cells[x] = i === 0 ? "│" : "┊";
  return cells;
}

/** Whether an arrow takes no time: both of its ends are in one row. */
const atonce = ({ first }: Arrow): boolean => first.left !== null && first.left === first.arrived;

/** What happens at servers at a time. */
function theres(s: Scene, time: number, at: readonly number[]): Row[] {
  return s.arrows.flatMap((a): Row[] => {
    const out = a.way === "out";
    const far = out ? a.first.arrived : a.first.left;
    if (far !== time || atonce(a) || stateof(s, a) === "absent") return [];
    // What leaves at this time may not have: only what came later says that it did.
    if (!out && time >= s.now && stateof(s, a) !== "there") return [];
    const cells = lifelines(at);
    const x = at[a.server] ?? 0;
    cells[x] = out ? "●" : "○";
    if (!out) for (let i = (at[0] ?? 0) + 1; i < x; i++) cells[i] = i % 2 === 0 ? "·" : " ";
    return [{ kind: kindof(s, a), cells, current: false }];
  });
}

/** What leaves the machine, or comes to it, in one moment. */
function homes(s: Scene, arrows: readonly number[], at: readonly number[]): Row[] {
  return arrows.flatMap((i): Row[] => {
    const a = s.arrows[i];
    if (a === undefined || happened(s, a).length === 0) return [];
    const cells = lifelines(at);
    const [home, x] = [at[0] ?? 0, at[a.server] ?? 0];
    const vague = (a.way === "out" ? a.first.arrived : a.first.left) === null;
    for (let c = home + 1; c < x; c++) cells[c] = vague ? "╌" : "─";
    const whole = label(s, happened(s, a)) + whose(s, a);
    const text = ` ${cut(whole, x - home - 6)} `;
    for (let c = 0; c < text.length; c++) cells[home + 2 + c] = text.charAt(c);
    if (a.way === "out") cells[x - 1] = vague ? "▶" : "▷";
    else cells[home] = "◀";
    if (atonce(a)) cells[x] = a.way === "out" ? "●" : "○";
    return [{ kind: kindof(s, a), cells, current: happened(s, a).includes(s.event) }];
  });
}

/** Of which call an arrow is, where that is not the scene's. */
function whose(s: Scene, a: Arrow): string {
  if (isown(s, a)) return "";
  const none = a.events.every((i) => (s.recording.events[i]?.call ?? -1) < 0);
  return none ? ", of no call" : ", of another call";
}

function kindof(s: Scene, a: Arrow): Kind {
  if (!isown(s, a)) return "other";
  if (refuses(s, happened(s, a))) return "failed";
  return a.way === "out" ? "send" : "receive";
}

/** The names of the calls of the process that began at a time: "stat", "pread ×16". */
function began(s: Scene, time: number): string {
  const names = new Map<string, number>();
  for (const { call } of s.bars)
    if (call.began === time && call.first <= s.event && call.pid === s.call?.pid)
      names.set(call.name, (names.get(call.name) ?? 0) + 1);
  return [...names].map(([name, n]) => (n === 1 ? name : `${name} ×${n}`)).join(" ");
}

function finish(row: Row, { time, call }: { time: string; call: string }, home: number): string {
  const mark = row.current ? "> " : "  ";
  const left = time.padStart(TIME - 3) + mark + cut(call, home - TIME - 1);
  return left.padEnd(home) + row.cells.slice(home).join("").trimEnd();
}
