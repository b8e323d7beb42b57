// A name space as a tree: mount points with their members, the directories that lead to them, and the path
// that a name takes through it, with the union members tried on the way.

import type { Mounted, Mountpoint, Picture } from "../../../kernel/names/namespace.ts";
import { mountleave } from "../words/callfmt.ts";
import { indexof } from "../record/index.ts";
import { connname } from "../words/who.ts";
import type { Elem, Look, Tried } from "./look.ts";
import { connin } from "../record/recording.ts";
import type { Recording } from "../record/recording.ts";

/** What became of a member of a mount point: "none" was not in question, "only" is alone there. A
 * member that refused has the name, and what was to be done with that has failed. */
export type Outcome = "none" | "only" | "pending" | "missed" | "found" | "refused";

/** Something that is mounted. */
export type Member = {
  readonly index: number;
  /** What it is: "far!564", "/n/far/a", "#c". */
  readonly text: string;
  /** Who serves it: "far!564", or "the kernel" for a device. */
  readonly server: string;
  readonly conn: number;
  /** Its connection has hung up: no request is answered there any more. */
  readonly gone: boolean;
  /** What may be done there: "MCREATE|MCACHE", or "". */
  readonly flags: string;
  readonly outcome: Outcome;
  /** Why it was missed. */
  readonly error: string;
};

/** A directory of the tree, or a file below one that a name leads to. */
export type Node = {
  /** Its last element; "/" at the root. */
  readonly name: string;
  readonly path: string;
  readonly mounted: boolean;
  readonly members: readonly Member[];
  readonly children: readonly Node[];
  /** Whether the name in question leads through it. */
  readonly taken: boolean;
  /** Of an element of that name, how far it is. */
  readonly state: Elem["state"] | null;
};

/** A line of a tree. `folded` are mount points of devices that no name in question leads through. */
export type Row = {
  readonly depth: number;
  readonly node: Node;
  readonly folded: readonly string[];
};

/** An event, and the name space of that moment. */
export type Moment = { readonly space: Picture; readonly event: number };

type Making = {
  name: string;
  path: string;
  mount: Mountpoint | null;
  children: Map<string, Making>;
  taken: boolean;
  state: Elem["state"] | null;
  look: Look | null;
};

const make = (name: string, path: string): Making => ({
  name,
  path,
  mount: null,
  children: new Map(),
  taken: false,
  state: null,
  look: null,
});

/** The tree of the name space at an event, with these names in it. */
export function treeof(r: Recording, at: Moment, looks: readonly Look[]): Node {
  const { space } = at;
  const root = make("/", "/");
  for (const m of space) place(root, m.path.split("/").filter(Boolean)).mount = m;
  for (const look of looks) lead(root, look);
  return finished(r, root, at.event);
}

function place(root: Making, elems: readonly string[]): Making {
  let at = root;
  for (const elem of elems) {
    let next = at.children.get(elem);
    if (next === undefined) {
      next = make(elem, `${at.path === "/" ? "" : at.path}/${elem}`);
      at.children.set(elem, next);
    }
    at = next;
  }
  return at;
}

/** Marks the way of a name: up to the element in question, and what it is at. */
function lead(root: Making, look: Look): void {
  if (look.root.startsWith("#")) return;
  const way: Making[] = [root];
  for (const elem of look.root.split("/").filter(Boolean))
    way.push(place(way.at(-1) ?? root, [elem]));
  for (const { text, state } of look.elems) {
    if (text === "..") {
      if (way.length > 1) way.pop();
      continue;
    }
    const at = place(way.at(-1) ?? root, [text]);
    at.state = state;
    way.push(at);
  }
  for (const at of way) at.taken ||= at.state !== "waiting";
  const mount = look.at === null ? undefined : place(root, look.at.split("/").filter(Boolean));
  if (mount !== undefined) {
    mount.taken = true;
    mount.look = look;
  }
}

const byname = (a: Making, b: Making): number => (a.name < b.name ? -1 : 1);

function finished(r: Recording, m: Making, event: number): Node {
  const { name, path, mount, taken, state, look } = m;
  return {
    name,
    path,
    mounted: mount !== null,
    members: (mount?.members ?? []).map((x, i) =>
      member(r, x, { index: i, look, of: mount, event }),
    ),
    children: [...m.children.values()].sort(byname).map((c) => finished(r, c, event)),
    taken,
    state,
  };
}

type Where = {
  readonly index: number;
  readonly look: Look | null;
  readonly of: Mountpoint | null;
  readonly event: number;
};

function member(r: Recording, m: Mounted, { index, look, of, event }: Where): Member {
  const chan = connin(r, m.conn)?.name;
  const server = m.conn > 0 ? connname(r, m.conn) : "the kernel";
  const tried = look?.tried.find((x) => x.index === index);
  return {
    index,
    text: m.conn > 0 && (m.from === "" || m.from === chan) ? server : m.from,
    server,
    conn: m.conn,
    gone: indexof(r).hungup(m.conn, event),
    flags: mountleave(m.flags),
    outcome: outcome(look, tried?.outcome, of),
    error: tried?.error ?? "",
  };
}

function outcome(
  look: Look | null,
  tried: Tried["outcome"] | undefined,
  of: Mountpoint | null,
): Outcome {
  if (look === null) return "none";
  if (of?.members.length === 1) return "only";
  if (tried !== undefined && tried !== "asked") return tried;
  const open = look.members > 1 && look.cursor < look.elems.length;
  return open && !look.tried.some((x) => x.outcome === "found" || x.outcome === "refused")
    ? "pending"
    : "none";
}

/** The tree in lines, from the top down; what no name leads through is folded where it is only the kernel's. */
export function rows(root: Node): Row[] {
  const list: Row[] = [];
  const add = (node: Node, depth: number): void => {
    const quiet = node.children.filter(isquiet);
    list.push({ depth, node, folded: quiet.map((c) => c.name) });
    for (const c of node.children) if (!isquiet(c)) add(c, depth + 1);
  };
  add(root, 0);
  return list;
}

/** Only devices of the kernel are there, and no name leads there. */
function isquiet(n: Node): boolean {
  return (
    !n.taken &&
    n.state === null &&
    n.members.every((m) => m.conn === 0 && /^#|^\/dev$/.test(m.text)) &&
    n.children.every(isquiet)
  );
}
