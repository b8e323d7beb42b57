// The package: everything that `import { ... } from "namec"` gives.

export { boot } from "./boot.ts";
export type { Bootopts } from "./boot.ts";
export type { Booted as Kernel } from "../../kernel/boot.ts";
export type { Process, Spawnopts } from "../../kernel/spawn.ts";
export type { Audit } from "../../kernel/kernel.ts";
export type { Call, Event, Step, Trace } from "../../kernel/trace.ts";
export type { Tree } from "../../devices/mem.ts";
export type { Dir, Qid, Wstat } from "../../kernel/dir.ts";
export type { Exit, Handler, Main, Sys, Task, TaskMain, TaskSys, Threads, Waitmsg } from "../../syscalls/sys.ts";
export { PlanError } from "../../kernel/errors.ts";
export * from "../../kernel/const.ts";
