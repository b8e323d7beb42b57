// What a step touches, and whether two steps depend on each other: they do when both touch one thing and the
// order shows. Which calls touch what is the table of table.ts.

/** It is looked at. */
export const READ = 1;
/** It is changed, or looked at and changed. */
export const WRITE = 2;
/** Something is added to it, or taken from it, so that the order of two such does not show. */
export const ADD = 4;

/** READ, WRITE, ADD, or a sum of them. */
export type How = number;

/** Things by their names, and how each is touched. */
export type Touches = ReadonlyMap<string, How>;

/** Whether the order of two touches of one thing shows: not of two reads, and not of two that add. */
export function clash(a: How, b: How): boolean {
  return a !== b || (a !== READ && a !== ADD);
}

/** Whether steps that touch these depend on each other. */
export function depend(a: Touches, b: Touches): boolean {
  const [few, many] = a.size <= b.size ? [a, b] : [b, a];
  for (const [what, how] of few) {
    const other = many.get(what);
    if (other !== undefined && clash(how, other)) return true;
  }
  return false;
}

/** Both together. */
export function merged(a: Touches | undefined, b: Touches): Touches {
  if (a === undefined) return b;
  const all = new Map(a);
  for (const [what, how] of b) all.set(what, (all.get(what) ?? 0) | how);
  return all;
}
