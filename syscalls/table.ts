// The system call table: the rows of kernel/abi/calls.ts, each with the function that does it, and the two
// faces made of them. The real kernel has one call where we have a Dir and a raw form.

import { calls } from "../kernel/abi/calls.ts";
import type { Callname } from "../kernel/abi/calls.ts";
import type { Proc } from "../kernel/proc/proc.ts";
import type { Answer } from "../kernel/proc/rendez.ts";
import { calltask } from "../kernel/proc/trap.ts";
import type { Faces, Image, Sysent } from "../kernel/proc/trap.ts";
import * as file from "./file.ts";
import * as io from "./io.ts";
import * as mount from "./mount.ts";
import * as proc from "./proc.ts";
import * as sem from "./sem.ts";
import * as stat from "./stat.ts";
import * as stream from "./stream.ts";
import type { Sys, Task, TaskSys, Threads } from "./sys.ts";
import { young } from "../kernel/abi/young.ts";

type Fn = (up: Proc, ...args: never[]) => Answer<unknown>;

/** What each call does; it checks its arguments itself. */
const fns: { readonly [K in Callname]: Fn } & { readonly [K in keyof TaskSys]: Fn } = {
  open: file.open,
  create: file.create,
  close: file.close,
  remove: file.remove,
  chdir: file.chdir,
  dup: file.dup,
  pipe: file.pipe,
  fd2path: file.fd2path,
  read: io.read,
  write: io.write,
  pread: io.pread,
  pwrite: io.pwrite,
  seek: io.seek,
  stat: stat.stat,
  fstat: stat.fstat,
  wstat: stat.wstat,
  fwstat: stat.fwstat,
  statraw: stat.statraw,
  fstatraw: stat.fstatraw,
  wstatraw: stat.wstatraw,
  fwstatraw: stat.fwstatraw,
  bind: mount.bind,
  mount: mount.mount,
  unmount: mount.unmount,
  fversion: mount.fversion,
  fauth: mount.fauth,
  errstr: proc.errstr,
  nsec: proc.nsec,
  rfork: proc.rfork,
  exec: proc.exec,
  exits: proc.exits,
  _exits: proc.exits,
  wait: proc.wait,
  await: proc.await_,
  notify: proc.notify,
  noted: proc.noted,
  alarm: proc.alarm,
  sleep: proc.sleep,
  stream: stream.stream,
  sread: stream.sread,
  swrite: stream.swrite,
  semacquire: sem.semacquire,
  tsemacquire: sem.tsemacquire,
  semrelease: sem.semrelease,
  rendezvous: proc.rendezvous,
};

function ent(name: Callname): Sysent {
  const { num, args, as } = calls[name];
  // What a program gives is checked by the call, and not by its type.
  const fn = fns[name] as Sysent["fn"];
  return { num, name: as ?? name, call: name, byfd: args[0] === "fd", fn };
}

/** Every system call by the name a program uses. */
export const systab: Readonly<Record<Callname, Sysent>> = mapped(fns, ent);

/** A table with the same keys. */
function mapped<K extends string, V>(
  keys: Readonly<Record<K, unknown>>,
  fn: (key: K) => V,
): Readonly<Record<K, V>> {
  return Object.fromEntries(Object.keys(keys).map((k) => [k, fn(k as K)])) as Record<K, V>;
}

const entries: readonly (readonly [string, Sysent])[] = Object.entries(systab);

/** The system calls of one image, as promises and as tasks: each form is made when a program wants it. */
export function faces(image: Image): Faces {
  return new Made(image);
}

// Getters of an object by itself would stand in V8's description of that object, which is old from the beginning.
class Made implements Faces {
  readonly #image: Image;
  #sys: Record<string, unknown> | null = null;
  #tasksys: Record<string, unknown> | null = null;

  constructor(image: Image) {
    this.#image = image;
  }

  get sys(): Sys {
    return (this.#sys ??= promises(this.#image)) as Sys;
  }

  get tasksys(): TaskSys & Threads {
    return (this.#tasksys ??= tasks(this.#image)) as unknown as TaskSys & Threads;
  }

  task(name: Callname, args: readonly unknown[]): Task<unknown> {
    return calltask(this.#image, systab[name], args);
  }
}

function promises(image: Image): Record<string, unknown> {
  const sys: Record<string, unknown> = {};
  for (const [name, ent] of entries) sys[name] = image.syscall(ent);
  return sys;
}

function tasks(image: Image): Record<string, unknown> {
  const sys: Record<string, unknown> = {};
  for (const [name, ent] of entries)
    sys[name] = young((...args: readonly unknown[]) => calltask(image, ent, args));
  const threads: Threads = {
    threadcreate: (task) => image.thread(task),
    threadbegin: (task) => image.threadbegin(task),
    threadint: (n) => image.threadint(n),
  };
  return Object.assign(sys, threads);
}
