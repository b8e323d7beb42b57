// The 9P server library, as a program imports it. 9p(2), and the heads of the files below.

export { agree } from "./9p/conn.ts";
export { acceptsrv, listensrv, post, postfd, postmount, serve } from "./9p/serve.ts";
export type { Anysrv, Makesrv, Place } from "./9p/serve.ts";
export { LIMITS } from "./9p/shares.ts";
export type { Limits } from "./9p/shares.ts";
export { Fid, NOTOPEN } from "./9p/srv.ts";
export type { Plainsrv } from "./9p/promises.ts";
export type { Answer, Promised, Srv } from "./9p/srv.ts";
export { dir, file, tree } from "./9p/tree.ts";
export type {
  Contents,
  Directory,
  Dirfns,
  Entryof,
  File,
  Filefns,
  Files,
  Nodefns,
} from "./9p/tree.ts";
