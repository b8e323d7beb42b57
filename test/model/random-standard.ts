// The model of the name space `standard`: mounts are found by the file that they cover, and a name is walked
// one after another of its elements, as Plan 9 does. It is written as the manual puts the rules (bind(2)), with no care
// for cost.

import {
  DMDIR,
  MBEFORE,
  MCREATE,
  MORDER,
  MREPL,
  OEXCL,
  OEXEC,
  OREAD,
  OTRUNC,
} from "../../kernel/abi/const.ts";
import type { Wstat } from "../../kernel/abi/dir.ts";
import {
  Ecreatedir,
  Edoesnotexist,
  Eexecdir,
  Eexist,
  Eismtpt,
  Emount,
  Enocreate,
  Enonexist,
  Enotdir,
  Eunion,
  Eunmount,
  PlanError,
  error,
} from "../../kernel/abi/errors.ts";
import { nameerror } from "../../kernel/names/name.ts";
import { asname, isref, parse, whole } from "./random-space.ts";
import type { Mem, Name, Opened, Place, Ref, Space, Want } from "./random-space.ts";
import type { File } from "./random-tree.ts";

/** A covered file and what is there instead. */
type Head = { readonly from: Ref; members: readonly Mem[] };

/** Where a walk stands. `covered` has, by depth, what was stepped over. */
type At = {
  elems: readonly string[];
  ref: Ref;
  covered: ReadonlyMap<number, Ref>;
  head: Head | null;
  crossed: boolean;
};

/** Where a walk came to, and by how many names. */
type Step = { readonly at: At; readonly names: number };

const MAXWELEM = 16;

export class ModelStandard implements Space {
  readonly #root: Ref;
  #heads: Head[];

  constructor(root: Ref, heads: readonly Head[] = []) {
    this.#root = root;
    this.#heads = heads.map((h) => ({ ...h }));
  }

  fork(): Space {
    return new ModelStandard(this.#root, this.#heads);
  }

  #head(ref: Ref): Head | null {
    return this.#heads.find((h) => isref(h.from, ref)) ?? null;
  }

  #start(dot: Place, name: Name): At {
    const from = name.absolute ? { elems: [], ref: this.#root, covered: new Map() } : dot;
    const { elems, ref, covered } = from;
    return { elems, ref, covered, head: null, crossed: false };
  }

  /** Walks; a failure has in `at` how many of the names an error shows. */
  #walk(from: At, names: readonly string[]): At | PlanError {
    let p: At = { ...from, head: null, crossed: false };
    for (let have = 0; have < names.length;) {
      if (!p.ref.file.isdir) return new PlanError(Enotdir, have);
      let end = have + 1;
      if (names[have] !== "..")
        while (end < names.length && end - have < MAXWELEM && names[end] !== "..") end++;
      const part = names.slice(have, end);
      const next = part[0] === ".." ? dotdot(p) : this.#step(this.#domount(p), part);
      if (next instanceof PlanError) return new PlanError(next.message, have + (next.at ?? 1));
      p = next.at;
      have += next.names;
    }
    return p;
  }

  #domount(p: At): At {
    const head = p.crossed ? null : this.#head(p.ref);
    const first = head?.members[0];
    if (head === null || first === undefined) return p;
    return { ...p, head, ref: first.ref, covered: put(p.covered, p.elems.length, head.from) };
  }

  /** On by some of the names: up to the first mount point before the last of them. */
  #step(p: At, part: readonly string[]): Step | PlanError {
    const { passed, att, failed } = ask(p, part);
    if (passed.length === 0) return new PlanError(failed, 1);
    const depth = p.elems.length;
    for (const [i, file] of passed.slice(0, part.length - 1).entries()) {
      const head = this.#head({ file, att });
      const first = head?.members[0];
      if (head === null || first === undefined) continue;
      const covered = put(p.covered, depth + i + 1, head.from);
      const elems = [...p.elems, ...part.slice(0, i + 1)];
      return { at: { elems, ref: first.ref, covered, head, crossed: true }, names: i + 1 };
    }
    const last = passed.at(-1);
    if (last === undefined || passed.length < part.length) {
      if (last?.isdir === true) return new PlanError(Edoesnotexist, passed.length + 1);
      return new PlanError(Enotdir, passed.length);
    }
    const ref = { file: last, att };
    const elems = [...p.elems, ...part];
    const at = { elems, ref, covered: p.covered, head: null, crossed: false };
    return { at, names: part.length };
  }

  /** Where a name leads, not yet onto what is mounted there. */
  #find(dot: Place, name: Name, elems = name.elems): At {
    const p = this.#walk(this.#start(dot, name), elems);
    if (p instanceof PlanError) {
      if (p.at === undefined || p.at === 0) throw p;
      throw new PlanError(nameerror(name.upto[p.at - 1] ?? name.text, p.message));
    }
    if (elems === name.elems && name.mustdir && !p.ref.file.isdir) whole(name, Enotdir);
    return p;
  }

  #ours(p: At): At {
    return this.#domount({ ...p, head: null, crossed: false });
  }

  peek(dot: Place, text: string): File | null {
    const name = parse(text);
    const p = this.#walk(this.#start(dot, name), name.elems);
    if (p instanceof PlanError || (name.mustdir && !p.ref.file.isdir)) return null;
    return this.#ours(p).ref.file;
  }

  stat(dot: Place, text: string): { file: File; name: string } {
    const p = this.#ours(this.#find(dot, parse(text)));
    p.ref.file.alive();
    return { file: p.ref.file, name: p.elems.at(-1) ?? "" };
  }

  open(dot: Place, text: string, mode: number): Opened {
    const name = parse(text);
    const p = this.#find(dot, name);
    if ((mode & 3) === OEXEC && p.ref.file.isdir) whole(name, Eexecdir);
    return this.#open(name, p, mode);
  }

  #open(name: Name, at: At, mode: number): Opened {
    const p = this.#ours(at);
    asname(name, () => p.ref.file.open(mode & 0x5f));
    const { head, ref, elems } = p;
    const union = head !== null && head.members.length > 1;
    const members = (): readonly Ref[] => head?.members.map((m) => m.ref) ?? [];
    return { ref, elems, ismtpt: head !== null, members: union ? members : null };
  }

  create(dot: Place, text: string, want: Want): Opened {
    const name = parse(text);
    const last = name.elems.at(-1);
    const dir = (want.perm & DMDIR) !== 0;
    if ((name.mustdir || last === undefined) && !dir) whole(name, Ecreatedir);
    if (last === undefined) return error(Eexist);
    const p = this.#find(dot, name, name.elems.slice(0, -1));
    if (name.mustdir && !p.ref.file.isdir)
      error(name.elems.length < 2 ? Enotdir : nameerror(name.upto.at(-2) ?? "", Enotdir));
    const there = this.#lookfor(p, last);
    if (there !== null) {
      if ((want.mode & OEXCL) !== 0) whole(name, Eexist);
      return this.#open(name, there, want.mode | OTRUNC);
    }
    const head = this.#head(p.ref);
    const parent = head === null ? p.ref : head.members.find((m) => m.create)?.ref;
    if (parent === undefined) return whole(name, Enocreate);
    const file = asname(name, () => parent.file.create(last, want.perm));
    const ref = { file, att: parent.att };
    return { ref, elems: [...p.elems, last], ismtpt: false, members: null };
  }

  #lookfor(p: At, last: string): At | null {
    const there = this.#walk(p, [last]);
    return there instanceof PlanError ? null : there;
  }

  remove(dot: Place, text: string): void {
    const p = this.#ours(this.#find(dot, parse(text)));
    if (p.head !== null) error(Eismtpt);
    p.ref.file.remove(true);
  }

  wstat(dot: Place, text: string, w: Wstat): void {
    const p = this.#ours(this.#find(dot, parse(text)));
    if (p.head !== null && w.name !== undefined) error(nameerror(`/${p.elems.join("/")}`, Eismtpt));
    p.ref.file.wstat(w);
  }

  chdir(dot: Place, text: string): Place {
    const name = parse(text);
    const { elems, ref, covered } = this.#find(dot, name);
    if (!ref.file.isdir) whole(name, Enotdir);
    return { elems, ref, covered };
  }

  bind(dot: Place, text: string, old: string, flags: number): void {
    const { ref, head } = this.#ours(this.#find(dot, parse(text)));
    this.#mount(this.#find(dot, parse(old)).ref, { ref, head, flags });
  }

  mount(dot: Place, ref: Ref, old: string, flags: number): void {
    this.#mount(this.#find(dot, parse(old)).ref, { ref, head: null, flags });
  }

  #mount(old: Ref, m: { ref: Ref; head: Head | null; flags: number }): void {
    const order = m.flags & MORDER;
    const create = (m.flags & MCREATE) !== 0;
    const { isdir } = old.file;
    if (isdir !== m.ref.file.isdir || (!isdir && order !== MREPL)) error(Emount);
    const source = m.head?.members ?? [];
    if (create && m.head !== null && (source.length > 1 || source[0]?.create !== true))
      error(Emount);
    const now: readonly Mem[] = [m.ref, ...source.slice(1).map((x) => x.ref)].map((ref, i) => ({
      ref,
      create: create && i === 0,
      covered: false,
    }));
    let head = this.#head(old);
    if (head === null) {
      const self = { ref: old, create: false, covered: true };
      head = { from: old, members: order === MREPL ? [] : [self] };
      this.#heads.push(head);
    }
    if (order === MREPL) head.members = now;
    else head.members = order === MBEFORE ? [...now, ...head.members] : [...head.members, ...now];
  }

  unmount(dot: Place, text: string | null, old: string): void {
    const o = this.#find(dot, parse(old));
    let ref: Ref | null = null;
    if (text !== null) {
      ({ ref } = this.open(dot, text, OREAD));
      ref.file.opens--;
    }
    const head = this.#head(o.ref);
    if (head === null) return error(Eunmount);
    const i = head.members.findIndex((m) => ref !== null && isref(m.ref, ref));
    if (ref !== null && i < 0) error(Eunion);
    head.members = ref === null ? [] : head.members.filter((_, j) => j !== i);
    if (head.members.length === 0) this.#heads = this.#heads.filter((h) => h !== head);
  }

  instead(_dir: Opened, f: Ref): File | null {
    const head = this.#head(f);
    if (head === null || head.members.some((m) => isref(m.ref, f))) return null;
    return head.members[0]?.ref.file ?? null;
  }
}

function put(m: ReadonlyMap<number, Ref>, depth: number, ref: Ref): ReadonlyMap<number, Ref> {
  return new Map([...m, [depth, ref]]);
}

/** Up: to what the server says, or where the name there was mounted upon, to what that covers. */
function dotdot(p: At): Step | PlanError {
  const up = p.ref.file.look("..");
  if (typeof up === "string") return new PlanError(up);
  const found = { file: up, att: p.ref.att };
  const elems = p.elems.slice(0, -1);
  const covered = new Map(p.covered);
  if (p.elems.length > 0) covered.delete(p.elems.length);
  const ref = covered.get(elems.length) ?? found;
  covered.delete(elems.length);
  return { at: { elems, ref, covered, head: null, crossed: false }, names: 1 };
}

/** The files that a Twalk passes; where it has not even the first, the other members of the union. */
function ask(
  p: At,
  part: readonly string[],
): { readonly passed: readonly File[]; readonly att: number; readonly failed: string } {
  const refs = [p.ref, ...(p.head?.members.slice(1).map((m) => m.ref) ?? [])];
  let failed = Enonexist;
  for (const { file, att } of refs) {
    const passed: File[] = [];
    let at: File | string = file;
    for (const name of part) {
      at = at.look(name);
      if (typeof at === "string") break;
      passed.push(at);
    }
    if (passed.length > 0) return { passed, att, failed };
    if (typeof at === "string") failed = at;
  }
  return { passed: [], att: p.ref.att, failed };
}
