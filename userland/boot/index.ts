// What `import { ... } from "namec"` gives wherever the kernel runs; on Node the package adds the bridges
// to it (userland/host/index.ts).

export { boot } from "./boot.ts";
export type { Bootopts } from "./boot.ts";
export type { Booted as Kernel, Firstbind, Newdev } from "../../kernel/boot.ts";
export type { Host } from "../../kernel/proc/clock.ts";
export type { Process, Spawnopts } from "../../kernel/proc/spawn.ts";
export type { Audit } from "../../kernel/kernel.ts";
export type { Call, Event, Step, Trace } from "../../kernel/trace.ts";
export type { Tty } from "../../kernel/proc/tty.ts";
export type { Tree } from "../../devices/mem.ts";
export { faultfmt, parsefault } from "./inject.ts";
export type { Inject } from "./inject.ts";
export { Faults } from "../../devices/fault/faults.ts";
export type { Anyfault, Effect, Fault, Injected, When } from "../../devices/fault/faults.ts";
export type { Calleffect, Callfault, Callseen } from "../../devices/fault/callcount.ts";
export { fossil, servefossil, serveramfs, simnet } from "./net.ts";
export type { Linkspec, Net, Netlink, Netopts, Ramfsopts, Simfossilopts } from "./net.ts";
export { Unitserror } from "./units.ts";
export { bin } from "./bin.ts";
export type { Dir, Qid, Wstat } from "../../kernel/abi/dir.ts";
export type {
  Exit,
  Handler,
  Main,
  Sys,
  Task,
  TaskMain,
  TaskSys,
  Threads,
  Waitmsg,
} from "../../syscalls/sys.ts";

// What a program gets wherever it runs.
export * from "../lib/library.ts";
export type { Both, ThreadSys } from "../lib/both.ts";
export type {
  Answer,
  Anysrv,
  Contents,
  Directory,
  Dirfns,
  Entryof,
  File,
  Filefns,
  Files,
  Makesrv,
  Nodefns,
  Place,
  Plainsrv,
  Promised,
  Srv,
} from "../lib/9p.ts";
export type { Exportopts } from "../lib/export.ts";
export { newfossil } from "../lib/fossil/serve.ts";
export type { Fossil, Fossilopts } from "../lib/fossil/fossil.ts";
export type { Report } from "../lib/fossil/check.ts";
export type { Hash, Snap } from "../lib/fossil/format.ts";
export type { Limits } from "../lib/9p/shares.ts";
export type { Args } from "../lib/arg.ts";
export type { Call as Conversation, Dialled } from "../lib/dial.ts";
export type { Cost } from "../view/record/recording.ts";
export type { About } from "../view/record/recording.ts";
export type { Ramopts } from "../lib/ram.ts";

// The recording of a run (docs/recording.md).
export { Recorder } from "../view/record/recorder.ts";
export type { Recordopts } from "../view/record/recorder.ts";
export { Recordingerror, fromjson, tojson } from "../view/record/recording.ts";
export type { Injection, Rcall, Recording, Revent } from "../view/record/recording.ts";
