// What the picture of the processes shows at a step, before it is drawn: a box for each process with its open
// files, what it shares and what it waits for; and each pipe with its ends and the bytes in it. Words and rows,
// no places: procdiagram.ts has those. Pure.

import { utfdecode } from "../../../kernel/abi/utf.ts";
import type { Frame } from "../step/frame.ts";
import type { Change, Descriptor, Pipe, Pipeway, Process, Wait } from "../step/procs.ts";
import type { Recording } from "../record/recording.ts";
import { plural } from "../words/sentence.ts";
import { visible } from "../words/line.ts";

/** Processes that are shown, and rows of one of them. */
const BOXES = 40;
const ROWS = 24;
/** Letters of a pipe's bytes, and of a path. */
const BYTES = 16;
const PATH = 30;

/** What a row says: an open file, what is closed, what is shared, what is waited for, a note. */
export type Rowkind = "file" | "closed" | "shared" | "wait" | "note" | "names";

/** A row of a box; `end` is the end of a pipe that the row's file is. */
export type Row = {
  readonly kind: Rowkind;
  readonly text: string;
  /** This step changed it. */
  readonly changed: boolean;
  readonly end: { readonly pipe: number; readonly end: 0 | 1 } | null;
};

/** A process. */
export type Box = {
  readonly pid: number;
  readonly depth: number;
  readonly title: string;
  readonly now: boolean;
  readonly ended: boolean;
  readonly rows: readonly Row[];
};

/** A pipe; of each end what waits there to be read, "" when nothing is said of it. */
export type Pill = {
  readonly pipe: number;
  readonly title: string;
  readonly ends: readonly [string, string];
  /** The way in which bytes went at this step: into an end's queue, or out of it. */
  readonly moved: { readonly what: "put" | "take"; readonly end: 0 | 1 } | null;
};

/** What is to be drawn. */
export type Procscene = {
  readonly title: string;
  readonly boxes: readonly Box[];
  /** Processes that have no room. */
  readonly more: number;
  readonly pills: readonly Pill[];
};

/** The scene of a frame. */
export function procscene(f: Frame, r: Recording): Procscene {
  const { list, pipes, changes } = f.procs;
  // The kernel's own process has nothing to tell until it does something.
  const told = list.filter((p) => p.now || p.fds.length > 0 || p.parent > 0 || p.life === "ended");
  const shown = nearest(told.length > 0 ? told : list);
  return {
    title: shown.length === 1 ? "1 process" : `${told.length} processes`,
    boxes: shown.map((p) => box(p, { frame: f, r })),
    more: Math.max(0, told.length - shown.length),
    pills: pipes.map((p) => pill(p, changes)),
  };
}

/** All processes, or those of the step and the ones around them. */
function nearest(list: readonly Process[]): readonly Process[] {
  if (list.length <= BOXES) return list;
  const at = Math.max(0, list.findIndex((p) => p.now) - BOXES / 2);
  return list.slice(at, at + BOXES);
}

type At = { readonly frame: Frame; readonly r: Recording };

function box(p: Process, at: At): Box {
  const ended = p.life === "ended";
  const rows = ended
    ? [over(p)]
    : [...shared(p, at), ...files(p, at), ...notes(p), ...waits(p, at)];
  const cut = rows.slice(0, ROWS);
  if (rows.length > ROWS) cut.push(row("names", `and ${rows.length - ROWS} more`));
  return {
    pid: p.pid,
    depth: p.depth,
    title: `${p.pid} ${p.text}`.trimEnd(),
    now: p.now,
    ended,
    rows: cut,
  };
}

const row = (kind: Rowkind, text: string, changed = false): Row => ({
  kind,
  text,
  changed,
  end: null,
});

function over(p: Process): Row {
  const how = p.status === "" ? "has ended" : `has ended: "${visible(p.status)}"`;
  return row("wait", `${how}; its parent has not waited for it`);
}

const GROUPS: readonly (readonly [keyof Process["groups"], string])[] = [
  ["names", "names"],
  ["fds", "descriptors"],
  ["env", "environment"],
  ["notes", "notes"],
];

/** With whom groups are shared, the same of them together; only where there are processes to share with. */
function shared(p: Process, { frame }: At): Row[] {
  const changed = frame.procs.changes.some((c) => c.what === "groups" && c.pid === p.pid);
  const mounted = frame.procs.changes.some((c) => c.what === "mount" && c.pids.includes(p.pid));
  const bywhom = new Map<string, string[]>();
  for (const [group, name] of GROUPS) {
    const whom = some(p.groups[group].with.filter((x) => x !== p.pid));
    if (whom === "") continue;
    bywhom.set(whom, [...(bywhom.get(whom) ?? []), name]);
  }
  const rows = [...bywhom].map(([whom, names]) =>
    row("shared", `shares ${names.join(", ")} with ${whom}`, changed),
  );
  if (rows.length === 0 && changed) rows.push(row("shared", "shares nothing now", true));
  if (mounted) rows.push(row("names", "its name space has changed", true));
  return rows;
}

/** A few numbers: "3, 4, 5 and 12 more". */
function some(list: readonly number[]): string {
  const first = list.slice(0, 4).join(", ");
  return list.length > 4 ? `${first} and ${list.length - 4} more` : first;
}

/** The open files; neighbours that are one Chan stand in one row, and what this step closed is there once more. */
function files(p: Process, { frame }: At): Row[] {
  const { changes } = frame.procs;
  const rows: { fd: number; row: Row }[] = [];
  let group: Descriptor[] = [];
  const flush = (): void => {
    const [first] = group;
    if (first !== undefined) rows.push({ fd: first.fd, row: file(p, group, changes) });
    group = [];
  };
  for (const d of p.fds) {
    const before = group.at(-1);
    if (before !== undefined && !alike(before, d)) flush();
    group.push(d);
  }
  flush();
  const open = new Set(p.fds.map((d) => d.fd));
  for (const c of changes)
    if (
      c.what === "fd" &&
      c.path === null &&
      c.fd >= 0 &&
      c.pids.includes(p.pid) &&
      !open.has(c.fd)
    )
      rows.push({ fd: c.fd, row: row("closed", `${c.fd} closed`, true) });
  return rows.toSorted((a, b) => a.fd - b.fd).map((x) => x.row);
}

/** Whether two descriptors say the same to a reader: the console's three, say. */
function alike(a: Descriptor, b: Descriptor): boolean {
  return a.path === b.path && a.pipe === null && b.pipe === null && /^\/dev\/|^#c/.test(a.path);
}

function file(p: Process, group: readonly Descriptor[], changes: readonly Change[]): Row {
  const [first] = group as readonly [Descriptor];
  const fds = group.map((d) => d.fd).join(" ");
  const changed = changes.some(
    (c) =>
      (c.what === "fd" &&
        c.pids.includes(p.pid) &&
        (c.fd === -1 || group.some((d) => d.fd === c.fd))) ||
      (c.what === "offset" && c.chan === first.chan),
  );
  const end = first.pipe;
  const what =
    end === null
      ? `${path(first.path)} ${first.mode}${place(first)}`
      : `pipe ${end.pipe}, end ${end.end}`;
  const cexec = first.cexec ? ", closes on exec" : "";
  const text = `${fds}  ${what}${cexec}${group.length === 1 ? twins(p, first) : ""}`;
  return { kind: "file", text: visible(text), changed, end };
}

const path = (text: string): string =>
  text.length <= PATH ? text : `…${text.slice(text.length - PATH + 1)}`;

/** Where the next read begins; devices and directories at their beginning say nothing. */
const place = (d: Descriptor): string => (d.offset === 0 ? "" : ` at ${d.offset}`);

/** The other descriptors that share the open file and its offset; those of a shared table are no others. */
function twins(p: Process, d: Descriptor): string {
  if (d.path.startsWith("/dev/") || d.path.startsWith("#c")) return "";
  const table = new Set(p.groups.fds.with);
  const others = d.shared.filter((h) => !table.has(h.pid));
  if (others.length === 0) return "";
  const texts = others
    .slice(0, 3)
    .map((h) => (h.pid === p.pid ? `its ${h.fd}` : `${h.pid}'s ${h.fd}`));
  return ` = ${texts.join(", ")}${others.length > 3 ? "…" : ""}`;
}

function notes(p: Process): Row[] {
  const rows = p.notes.map((n) => row("note", `note "${visible(n)}" waits`));
  return p.handling === null ? rows : [row("note", `handles "${visible(p.handling)}"`), ...rows];
}

function waits(p: Process, { r }: At): Row[] {
  return p.waits.map((w) => {
    const name = r.calls[w.call]?.name ?? "";
    return row("wait", `waits in ${name} ${waitfmt(w)}`);
  });
}

/** What is waited for, and who can end it. */
function waitfmt(w: Wait): string {
  const whom = some(w.whom);
  const by = whom === "" ? "" : `: ${whom}`;
  switch (w.for) {
    case "child":
      return `for a child to end${by}`;
    case "bytes":
      return w.whom.length === 0 ? "for bytes" : `for bytes of pipe ${w.pipe}, from ${whom}`;
    case "room":
      return w.whom.length === 0 ? "for room" : `for room in pipe ${w.pipe}, by ${whom}`;
    case "partner":
      return "for its partner";
    case "turn":
      return `for its turn${whom === "" ? "" : `, after ${whom}`}`;
    case "reply":
      return `for ${w.servers.join(", ")}`;
    case "time":
      return "for its time";
    case "semaphore":
      return "for the semaphore";
    case "handler":
      return "for its note handler";
    case "start":
      return "to start";
    case "other":
      return w.what;
  }
}

function pill(p: Pipe, changes: readonly Change[]): Pill {
  const way = changes.flatMap((c) => (iswent(c) && c.pipe === p.pipe ? [c] : [])).at(-1);
  const conn = p.conn > 0 ? `, 9P for the kernel at end ${p.connend}` : "";
  return {
    pipe: p.pipe,
    title: `pipe ${p.pipe}${conn}`,
    ends: [endfmt(p.ways[0]), endfmt(p.ways[1])],
    moved: way === undefined ? null : { what: way.what, end: way.end },
  };
}

type Went = Change & { readonly pipe: number; readonly what: "put" | "take" };

/** Whether bytes went into a pipe or out of it. */
function iswent(c: Change): c is Went {
  return c.what === "put" || c.what === "take";
}

/** What waits to be read at an end. */
function endfmt(w: Pipeway): string {
  const at = `end ${w.end}`;
  if (w.waiting > 0) {
    const text = utfdecode(w.bytes, 0, Math.min(BYTES, w.bytes.length));
    const more = w.waiting > BYTES ? "…" : "";
    return `${at}: "${visible(text)}${more}" ${plural(w.waiting, "byte")}`;
  }
  if (w.hungup) return `${at}: no more comes`;
  return at;
}
