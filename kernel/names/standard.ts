// The name space `standard`, as the published Plan 9 kernel has it: mounts are keyed by the file that they
// cover, and a name is walked with every server on the way asked. It is what `names` is measured against.
// The mount table is in standard-mount.ts, walking in standard-walk.ts, namec in standard-namec.ts.

import { ROOTPATH, ccloseall, cclose } from "../chan.ts";
import type { Chan } from "../chan.ts";
import { MCACHE, OREAD } from "../abi/const.ts";
import type { Want } from "../dev.ts";
import { convM2D } from "../abi/dir.ts";
import type { Dir, Wstat } from "../abi/dir.ts";
import { packdirs, statquiet } from "../dirread.ts";
import { Eismtpt, PlanError, error } from "../abi/errors.ts";
import { nameerror } from "./name.ts";
import { Abind, Acreate, Amount, Aopen, Aremove, Astat, Atodir, Awstat } from "./namespace.ts";
import type { Mounthow, Namespace, Nsline, Picture } from "./namespace.ts";
import type { Proc } from "../proc/proc.ts";
import { waitfor } from "../proc/rendez.ts";
import type { Task } from "../proc/rendez.ts";
import { MNTPATH, Mnttab } from "./standard-mount.ts";
import type { Mhead } from "./standard-mount.ts";
import { NOWANT, namec } from "./standard-namec.ts";
import type { Found, Space } from "./standard-namec.ts";

/** How, and by which call; `head` is the union that a bind takes whole. */
type Mounting = Mounthow & { readonly op: "bind" | "mount"; readonly head: Mhead | null };

export class Standard implements Namespace, Space {
  readonly tab: Mnttab;
  readonly slash: Chan;
  #picture: Picture | null = null;

  /** `slash` is device / , which `/` starts as; its reference is taken. */
  constructor(slash: Chan, tab: Mnttab) {
    this.slash = slash;
    this.tab = tab;
    slash.path = ROOTPATH;
  }

  namec(up: Proc, name: string, amode: typeof Astat): Task<Dir>;
  namec(up: Proc, name: string, amode: typeof Aopen, omode: number): Task<Chan>;
  namec(up: Proc, name: string, amode: typeof Acreate, want: Want): Task<Chan>;
  namec(up: Proc, name: string, amode: typeof Aremove): Task<void>;
  namec(up: Proc, name: string, amode: typeof Awstat, d: Wstat): Task<void>;
  namec(up: Proc, name: string, amode: typeof Atodir): Task<Chan>;
  *namec(up: Proc, name: string, amode: number, arg?: number | Want | Wstat): Task<never> {
    switch (amode) {
      case Astat:
        return (yield* this.#stat(up, name)) as never;
      case Aremove:
        return (yield* this.#remove(up, name)) as never;
      case Awstat:
        return (yield* this.#wstat(up, name, arg as Wstat)) as never;
      default: {
        const want = amode === Acreate ? (arg as Want) : { omode: Number(arg ?? 0), perm: 0 };
        const { chan } = yield* namec(up, this, name, { amode, want });
        return chan as never;
      }
    }
  }

  #find(up: Proc, name: string, amode: number): Task<Found> {
    return namec(up, this, name, { amode, want: NOWANT });
  }

  *#stat(up: Proc, name: string): Task<Dir> {
    const { chan } = yield* this.#find(up, name, Astat);
    try {
      return { ...(yield* waitfor(chan.dev.stat(up, chan))), name: chan.path.last };
    } finally {
      yield* cclose(chan);
    }
  }

  *#remove(up: Proc, name: string): Task<void> {
    const { chan } = yield* this.#find(up, name, Aremove);
    try {
      if (chan.ismtpt) error(Eismtpt);
      yield* waitfor(chan.dev.remove(up, chan));
    } finally {
      yield* cclose(chan);
    }
  }

  *#wstat(up: Proc, name: string, d: Wstat): Task<void> {
    const { chan } = yield* this.#find(up, name, Awstat);
    try {
      if (chan.ismtpt && d.name !== undefined && d.name !== "")
        throw new PlanError(nameerror(chan.path.toString(), Eismtpt));
      yield* waitfor(chan.dev.wstat(up, chan, d));
    } finally {
      yield* cclose(chan);
    }
  }

  *bind(up: Proc, name: string, old: string, flags: number): Task<number> {
    const { chan, head } = yield* this.#find(up, name, Abind);
    return yield* this.#mount(up, chan, old, { op: "bind", flags, spec: "", head });
  }

  *mount(up: Proc, c: Chan, old: string, how: Mounthow): Task<number> {
    if ((how.flags & MCACHE) !== 0) c.dev.cache(c);
    c.path = MNTPATH;
    return yield* this.#mount(up, c, old, { ...how, op: "mount", head: null });
  }

  /** Puts `to`, whose reference it takes, on `old`. */
  *#mount(up: Proc, to: Chan, old: string, how: Mounting): Task<number> {
    const held = [to];
    try {
      const { chan } = yield* this.#find(up, old, Amount);
      held.unshift(chan);
      const id = yield* this.tab.mount(chan, { ...how, to });
      this.#trace(up, how.op, chan);
      return id;
    } finally {
      yield* ccloseall(held);
    }
  }

  *unmount(up: Proc, name: string | null, old: string): Task<void> {
    const { chan } = yield* this.#find(up, old, Amount);
    const held = [chan];
    try {
      // Opening is the only way to the Chan that stands behind a name such as /srv/x.
      if (name !== null) held.push(yield* this.namec(up, name, Aopen, OREAD));
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
      trace.emit({ type: "mount", op, path: old.path.toString(), table: this.snapshot() });
  }

  lines(channame: (c: Chan) => string): Nsline[] {
    return this.tab.lines(channame);
  }

  /** Every entry whose file is mounted upon is asked for, unless the directory itself is in the union. */
  *mountfix(up: Proc, _c: Chan, entries: Uint8Array): Task<Uint8Array | null> {
    if (this.tab.empty) return null;
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
    const itself = ({ to }: { to: Chan }): boolean =>
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
