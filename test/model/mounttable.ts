// A slow plain model of the mount table: a flat map from names to members, with every rule of bind, mount and
// unmount written out as what it does to that map.

import { MBEFORE, MREPL } from "../../kernel/abi/const.ts";
import type { Chan } from "../../kernel/chan.ts";
import type { Member } from "../../kernel/names/names-table.ts";

/** A mount point of the model; `hidden` has what an MREPL hid, by names below this one. */
export type Entry = { readonly members: readonly Member[]; readonly hidden: Flat | null };
export type Flat = ReadonlyMap<string, Entry>;

/** Names are "", "/a", "/a/b": the root is empty. */
const isbelow = (name: string, dir: string): boolean => name.startsWith(`${dir}/`);
export const prefixes = (name: string): string[] =>
  name.split("/").map((_, i, all) => all.slice(0, i + 1).join("/"));

/** The entries below dir, named from there. */
export function under(flat: Flat, dir: string): Flat {
  const sub = [...flat].filter(([name]) => isbelow(name, dir));
  return new Map(sub.map(([name, e]) => [name.slice(dir.length), e]));
}

/** flat with what is below dir replaced. */
function graft(flat: Flat, dir: string, sub: Flat): Map<string, Entry> {
  const kept = [...flat].filter(([name]) => !isbelow(name, dir));
  return new Map([...kept, ...[...sub].map(([name, e]) => [dir + name, e] as const)]);
}

/** Both, the first winning: what it has as a mount point hides the second's there and below. */
function splice(first: Flat, second: Flat): Flat {
  const rest = [...second].filter(
    ([name]) => !prefixes(name).some((p) => p !== "" && first.has(p)),
  );
  return new Map([...first, ...rest]);
}

export type Change = { order: number; members: Member[]; below: Flat; covered: Member | null };

export function modelmount(flat: Flat, name: string, m: Change): Flat {
  const old = flat.get(name);
  const sub = under(flat, name);
  if (m.order === MREPL) {
    const hidden = old !== undefined ? old.hidden : sub.size > 0 ? sub : null;
    return graft(flat, name, m.below).set(name, { members: m.members, hidden });
  }
  const there = old?.members ?? (m.covered === null ? [] : [m.covered]);
  const before = m.order === MBEFORE;
  const all = before ? splice(m.below, sub) : splice(sub, m.below);
  const members = before ? [...m.members, ...there] : [...there, ...m.members];
  return graft(flat, name, all).set(name, { members, hidden: old?.hidden ?? null });
}

/** Takes the first member with this Chan away, or all; null when there is none. */
export function modelunmount(
  flat: Flat,
  name: string,
  which: Chan | null,
  base: Member,
): Flat | null {
  const old = flat.get(name);
  if (old === undefined) return null;
  const left = which === null ? [] : [...old.members];
  if (which !== null) {
    const i = left.findIndex((m) => m.chan === which);
    if (i < 0) return null;
    left.splice(i, 1);
  }
  if (left.length > 0) return new Map(flat).set(name, { ...old, members: left });
  const bare = graft(flat, name, old.hidden ?? new Map());
  bare.delete(name);
  if (name === "") bare.set("", { members: [base], hidden: null });
  return bare;
}
