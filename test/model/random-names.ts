// The model of the name space `names`: one flat table from whole names to unions. Written as the rules
// read, with no care for cost.

import { MBEFORE, MCREATE, MORDER, MREPL, OEXCL, OREAD, OTRUNC } from "../../kernel/abi/const.ts";
import type { Wstat } from "../../kernel/abi/dir.ts";
import {
  Ecreatedir,
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
import { asname, checkkind, clean, isdirperm, isref, parse, whole } from "./random-space.ts";
import type { Mem, Name, Opened, Place, Ref, Space, Want } from "./random-space.ts";
import type { File } from "./random-tree.ts";

type Mnt = { readonly members: readonly Mem[]; readonly hidden: ReadonlyMap<string, Mnt> };
type Table = Map<string, Mnt>;

/** Where the walk of a name starts. */
type Start = {
  readonly name: Name;
  readonly elems: readonly string[];
  readonly own: readonly number[];
  readonly members: readonly Mem[] | null;
  readonly ref: Ref;
  readonly rest: readonly string[];
};

/** Names go with a slash before each element; the root's is empty. */
const key = (elems: readonly string[]): string => elems.map((e) => `/${e}`).join("");

const below = (table: ReadonlyMap<string, Mnt>, top: string): Table =>
  new Map([...table].filter(([k]) => k.startsWith(`${top}/`)));

export class ModelNames implements Space {
  #table: Table;
  readonly #root: Ref;
  /** Create and open go in one group, and the server decides. */
  readonly #ix: boolean;

  constructor(root: Ref, ix: boolean, table: Table = new Map()) {
    this.#root = root;
    this.#ix = ix;
    this.#table = table;
  }

  fork(): Space {
    return new ModelNames(this.#root, this.#ix, new Map(this.#table));
  }

  #start(dot: Place, text: string): Start {
    const name = parse(text);
    const { elems, own } = clean(dot.elems, name);
    let depth = 0;
    let at = this.#table.get("");
    let prefix = "";
    for (const [i, e] of elems.entries()) {
      prefix += `/${e}`;
      const mnt = this.#table.get(prefix);
      if (mnt !== undefined) [at, depth] = [mnt, i + 1];
    }
    const members = at?.members ?? [{ ref: this.#root, create: true, covered: false }];
    const indot = dot.elems.every((e, i) => elems[i] === e) && elems.length >= dot.elems.length;
    if (!name.absolute && indot && depth < dot.elems.length) {
      const rest = elems.slice(dot.elems.length);
      return { name, elems, own, members: null, ref: dot.ref, rest };
    }
    const ref = members[0]?.ref ?? this.#root;
    return { name, elems, own, members, ref, rest: elems.slice(depth) };
  }

  /** The error with the name up to the element that failed. */
  #failed(s: Start, e: PlanError): never {
    const i = s.own[s.elems.length - s.rest.length + (e.at ?? 0)] ?? -1;
    throw new PlanError(nameerror(s.name.upto[i] ?? s.name.text, e.message));
  }

  /** The file, or the failure with PlanError.at. */
  #walk(s: Start): Ref | PlanError {
    const { rest } = s;
    if (s.members === null || s.members.length === 1 || rest.length === 0)
      return walked(s.ref, rest);
    let last = new PlanError(Enonexist, 0);
    for (const { ref } of s.members) {
      const found = walked(ref, rest);
      if (!(found instanceof PlanError)) return found;
      // It has the first element, so it won.
      if (ref.file.isdir && ref.file.files.has(rest[0] ?? "") && !firstfails(ref.file, rest))
        return found;
      last = found;
    }
    return last;
  }

  #found(s: Start): Ref {
    const found = this.#walk(s);
    return found instanceof PlanError ? this.#failed(s, found) : found;
  }

  /** The same, for a mount: the kind must be right, too. */
  #kindfound(s: Start): Ref {
    const ref = this.#found(s);
    if (s.name.mustdir && !ref.file.isdir) whole(s.name, Enotdir);
    return ref;
  }

  #ismtpt = (s: Start): boolean => s.members !== null && s.rest.length === 0;

  peek(dot: Place, name: string): File | null {
    const found = this.#walk(this.#start(dot, name));
    return found instanceof PlanError ? null : found.file;
  }

  stat(dot: Place, text: string): { file: File; name: string } {
    const s = this.#start(dot, text);
    const { file } = this.#found(s);
    file.alive();
    if (s.name.mustdir && !file.isdir) whole(s.name, Enotdir);
    return { file, name: s.elems.at(-1) ?? "" };
  }

  open(dot: Place, text: string, mode: number): Opened {
    const s = this.#start(dot, text);
    const ref = this.#found(s);
    checkkind(s.name, ref.file, mode);
    return this.#open(s, ref, mode);
  }

  #open(s: Start, ref: Ref, mode: number): Opened {
    asname(s.name, () => ref.file.open(mode & 0x5f));
    return this.#opened(s, ref);
  }

  #opened(s: Start, ref: Ref): Opened {
    const union = this.#ismtpt(s) && (s.members?.length ?? 0) > 1;
    const members = (): readonly Ref[] =>
      this.#table.get(key(s.elems))?.members.map((m) => m.ref) ?? [];
    return { ref, elems: s.elems, ismtpt: this.#ismtpt(s), members: union ? members : null };
  }

  create(dot: Place, text: string, want: Want): Opened {
    const s = this.#start(dot, text);
    const { name, rest } = s;
    const here = name.elems.length === 0;
    if ((name.mustdir || here) && !isdirperm(want.perm)) whole(name, Ecreatedir);
    if (here) error(Eexist);
    const last = rest.at(-1);
    if (last === undefined) return this.#exists(s, this.#found(s), want);
    const one = s.members === null || s.members.length === 1;
    if (one && !name.mustdir && this.#forbids(s)) return this.#forbidden(s, want);
    if (one && !name.mustdir && this.#ix) return this.#group(s, last, want);
    const there = this.#lookfor(s);
    if (there !== null) return this.#exists(s, there, want);
    const dir = this.#createdir(s);
    const file = asname(name, () => dir.file.create(last, want.perm));
    return this.#opened(s, { file, att: dir.att });
  }

  /** One group: the walk to the directory, and there all is the server's to decide. */
  #group(s: Start, last: string, want: Want): Opened {
    const dir = this.#found({ ...s, rest: s.rest.slice(0, -1), elems: s.elems.slice(0, -1) });
    if (!dir.file.isdir) whole(s.name, Enotdir);
    const { file } = dir;
    // Who may not look whether it is there may still create.
    const there = file.files.get(last);
    if (there !== undefined && file.parent.may(1))
      return this.#exists(s, { file: there, att: dir.att }, want);
    const made = asname(s.name, () => file.create(last, want.perm));
    return this.#opened(s, { file: made, att: dir.att });
  }

  #exists(s: Start, ref: Ref, want: Want): Opened {
    if ((want.mode & OEXCL) !== 0) whole(s.name, Eexist);
    return this.#open(s, ref, want.mode | OTRUNC);
  }

  #forbids(s: Start): boolean {
    return s.members !== null && s.rest.length === 1 && !s.members.some((m) => m.create);
  }

  #forbidden(s: Start, want: Want): Opened {
    const found = this.#walk(s);
    if (found instanceof PlanError) return whole(s.name, Enocreate);
    return this.#exists(s, found, want);
  }

  #lookfor(s: Start): Ref | null {
    const found = this.#walk(s);
    if (!(found instanceof PlanError)) return found;
    const { at, message } = found;
    if (at === s.rest.length - 1) return null;
    if (at === s.rest.length - 2 && message === Enotdir && !s.name.mustdir) return null;
    return this.#failed(s, found);
  }

  #createdir(s: Start): Ref {
    if (s.members === null || s.rest.length > 1)
      return this.#found({ ...s, rest: s.rest.slice(0, -1), elems: s.elems.slice(0, -1) });
    const m = s.members.find((x) => x.create);
    return m === undefined ? whole(s.name, Enocreate) : m.ref;
  }

  remove(dot: Place, text: string): void {
    const s = this.#start(dot, text);
    if (this.#ismtpt(s)) error(Eismtpt);
    this.#target(s).remove(true);
  }

  wstat(dot: Place, text: string, w: Wstat): void {
    const s = this.#start(dot, text);
    if (this.#ismtpt(s) && w.name !== undefined) error(nameerror(key(s.elems) || "/", Eismtpt));
    this.#target(s).wstat(w);
  }

  #target(s: Start): File {
    const { file } = this.#found(s);
    if (s.name.mustdir && !file.isdir) whole(s.name, Enotdir);
    return file;
  }

  chdir(dot: Place, text: string): Place {
    const s = this.#start(dot, text);
    const ref = this.#found(s);
    if (!ref.file.isdir) whole(s.name, Enotdir);
    return { elems: s.elems, ref, covered: new Map() };
  }

  bind(dot: Place, text: string, old: string, flags: number): void {
    const s = this.#start(dot, text);
    const create = (flags & MCREATE) !== 0;
    const found = { ref: this.#kindfound(s), create: true };
    const sources = this.#ismtpt(s) ? (s.members ?? []) : [found];
    const forbids = sources.length > 1 || sources[0]?.create === false;
    const refs = sources.map((m) => m.ref);
    const members = refs.map((ref, i) => ({ ref, create: create && i === 0, covered: false }));
    const top = key(s.elems);
    const kids = new Map<string, Mnt>();
    for (const [k, m] of below(this.#table, top))
      kids.set(k.slice(top.length), { members: m.members, hidden: new Map() });
    const o = this.#start(dot, old);
    this.#kindfound(o);
    if (create && forbids) error(Emount);
    this.#mount(o, { members, kids, flags });
  }

  mount(dot: Place, ref: Ref, old: string, flags: number): void {
    const members = [{ ref, create: (flags & MCREATE) !== 0, covered: false }];
    this.#mount(this.#start(dot, old), { members, kids: new Map(), flags });
  }

  #mount(o: Start, m: { members: readonly Mem[]; kids: Table; flags: number }): void {
    const { file, att } = this.#kindfound(o);
    const order = m.flags & MORDER;
    const dir = m.members[0]?.ref.file.isdir ?? false;
    if (file.isdir !== dir || (!dir && order !== MREPL)) error(Emount);
    const at = key(o.elems);
    const was = this.#table.get(at);
    const old = below(this.#table, at);
    const fresh = new Map([...m.kids].map(([k, x]) => [at + k, x]));
    for (const k of old.keys()) this.#table.delete(k);
    if (order === MREPL) {
      this.#table.set(at, { members: m.members, hidden: was?.hidden ?? old });
      for (const [k, x] of fresh) this.#table.set(k, x);
      return;
    }
    const self = { ref: { file, att }, create: false, covered: true };
    const there = was?.members ?? [self];
    const members = order === MBEFORE ? [...m.members, ...there] : [...there, ...m.members];
    this.#table.set(at, { members, hidden: was?.hidden ?? new Map() });
    const both = order === MBEFORE ? over(fresh, old) : over(old, fresh);
    for (const [k, x] of both) this.#table.set(k, x);
  }

  unmount(dot: Place, text: string | null, old: string): void {
    const o = this.#start(dot, old);
    if (!this.#ismtpt(o)) this.#kindfound(o);
    let ref: Ref | null = null;
    if (text !== null) {
      ({ ref } = this.open(dot, text, OREAD));
      ref.file.opens--;
    }
    const at = key(o.elems);
    const was = this.#table.get(at);
    if (was === undefined) return error(Eunmount);
    const i = was.members.findIndex((m) => ref !== null && isref(m.ref, ref));
    if (ref !== null && i < 0) error(Eunion);
    const members = ref === null ? [] : was.members.filter((_, j) => j !== i);
    if (members.length > 0) {
      this.#table.set(at, { ...was, members });
      return;
    }
    for (const k of below(this.#table, at).keys()) this.#table.delete(k);
    this.#table.delete(at);
    for (const [k, x] of was.hidden) this.#table.set(k, x);
  }

  instead(dir: Opened, f: Ref): File | null {
    const m = this.#table.get(key([...dir.elems, f.file.name]));
    if (m === undefined || m.members.some((x) => x.covered)) return null;
    return m.members[0]?.ref.file ?? null;
  }
}

/** Whether not even the first name of the walk is to be had. */
function firstfails(f: File, rest: readonly string[]): boolean {
  return f.walk(rest.slice(0, 1)) instanceof PlanError;
}

function walked({ file, att }: Ref, rest: readonly string[]): Ref | PlanError {
  const found = file.walk(rest);
  return found instanceof PlanError ? found : { file: found, att };
}

/** Both tables; where both mount on one name, or the second below it, the first wins. */
function over(first: Table, second: Table): Table {
  const all = new Map(first);
  for (const [k, m] of second) {
    const parts = k.split("/");
    const beaten = parts.some((_, i) => first.has(parts.slice(0, i + 1).join("/")));
    if (!beaten) all.set(k, m);
  }
  return all;
}
