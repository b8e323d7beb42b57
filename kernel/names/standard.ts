// The name space `standard`, as the published Plan 9 kernel has it: mounts are keyed by the file that they
// cover, and a name is walked with every server on the way asked. It is what `names` is measured against.
// It keeps a table of mount heads (standard-table.ts), in which names are walked (standard-walk.ts). `names`
// (names.ts) is the other one.

import { MCACHE, OREAD } from "../abi/const.ts";
import { convM2D } from "../abi/dir.ts";
import type { Dir } from "../abi/dir.ts";
import { ROOTPATH, ccloseall, cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { packdirs, statquiet } from "../dirread.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Answer, Task } from "../proc/rendez.ts";
import { Aopen, namec, resolve } from "./namec.ts";
import type { Wanted } from "./namec.ts";
import type { Mounthow, Namespace, Nsline, Picture } from "./namespace.ts";
import { MNTPATH, MountTable } from "./standard-table.ts";
import type { Mhead, Mount } from "./standard-table.ts";
import { start } from "./standard-walk.ts";
import type { Start } from "./standard-walk.ts";

/** A call of bind or mount: how it mounts, and the union that a bind takes whole (`head`). */
type Mountcall = Mounthow & { readonly op: "bind" | "mount"; readonly head: Mhead | null };

/** What a bind takes. */
const Abound: Wanted<Chan, null, Start> = { tellsname: false, act: (s) => s.bound() };
/** The file itself, whatever is mounted on it. */
const Afound: Wanted<Chan, null, Start> = { tellsname: false, act: (s) => s.find() };

export class Standard implements Namespace {
  readonly tab: MountTable;
  readonly slash: Chan;
  #picture: Picture | null = null;

  /** `slash` is device / , which `/` starts as; its reference is taken. */
  constructor(slash: Chan, tab: MountTable) {
    this.slash = slash;
    this.tab = tab;
    slash.path = ROOTPATH;
  }

  start(up: Proc, text: string): Answer<Start> {
    return start(up, text, this.tab, this.slash);
  }

  *bind(up: Proc, name: string, old: string, flags: number): Task<number> {
    const s = yield* waitfor(this.start(up, name));
    const chan = yield* waitfor(resolve(s, Abound, null));
    const { head } = s;
    return yield* this.#mount(up, chan, old, { op: "bind", flags, spec: "", head });
  }

  *mount(up: Proc, c: Chan, old: string, how: Mounthow): Task<number> {
    if ((how.flags & MCACHE) !== 0) c.dev.cache(c);
    c.path = MNTPATH;
    const { flags, spec } = how;
    return yield* this.#mount(up, c, old, { op: "mount", flags, spec, head: null });
  }

  /** The file to mount on, in front of what is mounted there: so one may mount on . and see the effect. */
  *#covered(up: Proc, old: string): Task<Chan> {
    const s = yield* waitfor(this.start(up, old));
    return yield* waitfor(resolve(s, Afound, null));
  }

  /** Puts `to`, whose reference it takes, on `old`. */
  *#mount(up: Proc, to: Chan, old: string, how: Mountcall): Task<number> {
    const held = [to];
    try {
      const chan = yield* this.#covered(up, old);
      held.unshift(chan);
      const { op, flags, spec, head } = how;
      const id = yield* this.tab.mount(chan, { to, head, flags, spec });
      this.#trace(up, op, chan);
      return id;
    } finally {
      yield* ccloseall(held);
    }
  }

  *unmount(up: Proc, name: string | null, old: string): Task<void> {
    const chan = yield* this.#covered(up, old);
    const held = [chan];
    try {
      // Opening is the only way to the Chan that stands behind a name such as /srv/x.
      if (name !== null) held.push(yield* waitfor(namec(up, name, Aopen, OREAD)));
      yield* this.tab.unmount(chan, held[1] ?? null);
      this.#trace(up, "unmount", chan);
    } finally {
      yield* ccloseall(held);
    }
  }

  #trace(up: Proc, op: "bind" | "mount" | "unmount", old: Chan): void {
    this.#picture = null;
    const { trace } = up.k;
    if (trace.on)
      trace.emit({
        type: "mount",
        op,
        path: old.path.toString(),
        table: this.snapshot(),
        pgrp: up.pgrp.pgrpid,
      });
  }

  lines(channame: (c: Chan) => string): Nsline[] {
    return this.tab.lines(channame);
  }

  /** Every entry whose file is mounted upon is asked for, unless the directory itself is in the union. */
  mountfix(up: Proc, _c: Chan, entries: Uint8Array): Answer<Uint8Array | null> {
    return this.tab.empty ? null : this.#fixed(up, entries);
  }

  *#fixed(up: Proc, entries: Uint8Array): Task<Uint8Array | null> {
    const dirs: Dir[] = [];
    let fixed = false;
    for (let off = 0; off < entries.length;) {
      const e = convM2D(entries, off, entries.length);
      if (e === null) return null;
      const first = this.#instead(up, e.dir);
      const d = first === null ? null : yield* statheld(up, first.incref());
      fixed ||= d !== null;
      dirs.push(d === null ? e.dir : { ...d, name: e.dir.name });
      off = e.next;
    }
    return fixed ? packdirs(dirs) : null;
  }

  /** What is mounted on the file of an entry. */
  #instead(up: Proc, { type, dev: devno, qid }: Dir): Chan | null {
    const dev = up.k.devtab.get(String.fromCodePoint(type));
    const mh = dev === undefined ? null : this.tab.find(dev, devno, qid);
    if (mh === null) return null;
    const itself = ({ to }: Mount): boolean =>
      to.dev === dev && to.devno === devno && to.qid.path === qid.path;
    return mh.mounts.some(itself) ? null : mh.first;
  }

  fork(): Namespace {
    return new Standard(this.slash.incref(), this.tab.fork());
  }

  clean(): Namespace {
    return new Standard(this.slash.incref(), this.tab.clean());
  }

  /** The table changes in place: a picture is kept until the next change. */
  snapshot(): Picture {
    this.#picture ??= this.tab.picture();
    return this.#picture;
  }

  *close(): Task<void> {
    try {
      yield* this.tab.close();
    } finally {
      yield* cclose(this.slash);
    }
  }
}

/** The entry of c, whose reference it takes. */
function* statheld(up: Proc, c: Chan): Task<Dir | null> {
  try {
    return yield* statquiet(up, c);
  } finally {
    yield* cclose(c);
  }
}
