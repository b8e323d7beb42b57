// The system call table: Plan 9's number and name for each (sys.h), and the two faces made of it. Calls
// with number -1 are ours; the real kernel has one call where we have a Dir and a raw form.

import type { Faces, Image, Sysent } from "../kernel/proc/trap.ts";
import * as file from "./file.ts";
import * as io from "./io.ts";
import * as mount from "./mount.ts";
import * as proc from "./proc.ts";
import * as sem from "./sem.ts";
import * as stat from "./stat.ts";
import * as stream from "./stream.ts";
import type { Sys, TaskSys, Threads } from "./sys.ts";

/** Every system call by the name a program uses. */
export const systab: { readonly [K in keyof TaskSys]: Sysent } = {
  open: { num: 14, name: "open", fn: file.open },
  create: { num: 22, name: "create", fn: file.create },
  close: { num: 4, name: "close", fn: file.close },
  remove: { num: 25, name: "remove", fn: file.remove },
  chdir: { num: 3, name: "chdir", fn: file.chdir },
  dup: { num: 5, name: "dup", fn: file.dup },
  pipe: { num: 21, name: "pipe", fn: file.pipe },
  fd2path: { num: 23, name: "fd2path", fn: file.fd2path },
  read: { num: 15, name: "read", fn: io.read },
  write: { num: 20, name: "write", fn: io.write },
  pread: { num: 50, name: "pread", fn: io.pread },
  pwrite: { num: 51, name: "pwrite", fn: io.pwrite },
  seek: { num: 39, name: "seek", fn: io.seek },
  stat: { num: 42, name: "stat", fn: stat.stat },
  fstat: { num: 43, name: "fstat", fn: stat.fstat },
  wstat: { num: 44, name: "wstat", fn: stat.wstat },
  fwstat: { num: 45, name: "fwstat", fn: stat.fwstat },
  statraw: { num: 42, name: "stat", fn: stat.statraw },
  fstatraw: { num: 43, name: "fstat", fn: stat.fstatraw },
  wstatraw: { num: 44, name: "wstat", fn: stat.wstatraw },
  fwstatraw: { num: 45, name: "fwstat", fn: stat.fwstatraw },
  bind: { num: 2, name: "bind", fn: mount.bind },
  mount: { num: 46, name: "mount", fn: mount.mount },
  unmount: { num: 35, name: "unmount", fn: mount.unmount },
  fversion: { num: 40, name: "fversion", fn: mount.fversion },
  fauth: { num: 10, name: "fauth", fn: mount.fauth },
  errstr: { num: 41, name: "errstr", fn: proc.errstr },
  nsec: { num: 53, name: "nsec", fn: proc.nsec },
  rfork: { num: 19, name: "rfork", fn: proc.rfork },
  exec: { num: 7, name: "exec", fn: proc.exec },
  exits: { num: 8, name: "exits", fn: proc.exits },
  _exits: { num: 8, name: "_exits", fn: proc.exits },
  wait: { num: 47, name: "wait", fn: proc.wait },
  await: { num: 47, name: "await", fn: proc.await_ },
  notify: { num: 28, name: "notify", fn: proc.notify },
  noted: { num: 29, name: "noted", fn: proc.noted },
  alarm: { num: 6, name: "alarm", fn: proc.alarm },
  sleep: { num: 17, name: "sleep", fn: proc.sleep },
  stream: { num: -1, name: "stream", fn: stream.stream },
  sread: { num: -1, name: "sread", fn: stream.sread },
  swrite: { num: -1, name: "swrite", fn: stream.swrite },
  semacquire: { num: 37, name: "semacquire", fn: sem.semacquire },
  tsemacquire: { num: 52, name: "tsemacquire", fn: sem.tsemacquire },
  semrelease: { num: 38, name: "semrelease", fn: sem.semrelease },
  rendezvous: { num: 34, name: "rendezvous", fn: proc.rendezvous },
};

/** The system calls of one image, as promises and as tasks. */
export function faces(image: Image): Faces {
  const sys: Record<string, unknown> = {};
  const tasksys: Record<string, unknown> = {};
  for (const [name, ent] of Object.entries(systab)) {
    sys[name] = (...args: readonly unknown[]) => image.call(ent, args);
    tasksys[name] = (...args: readonly unknown[]) => image.inline(ent, args);
  }
  const threads: Threads = {
    threadcreate: (task) => image.thread(task),
    threadint: (n) => image.threadint(n),
  };
  Object.assign(tasksys, threads);
  return { sys: sys as Sys, tasksys: tasksys as unknown as TaskSys & Threads };
}
