// What `import { ... } from "namec"` gives a program wherever it runs, in the host's engine or in a memory of its
// own: the constants, PlanError, and what libc, lib9p and the like give. What boots and drives a kernel is apart,
// in boot/index.ts, since a program with a memory of its own has none to boot.

export { PlanError } from "../../kernel/abi/errors.ts";
export * from "../../kernel/abi/const.ts";
export { both } from "./both.ts";
export { fprint, print, readall, readfile, readn, readtext, writeall, writefile } from "./io.ts";
export { dirread, dirreadall, readdir } from "./dirread.ts";
export * from "./proc.ts";
export {
  accept,
  announce,
  dial,
  dialctl,
  listen,
  netaddr,
  netmkaddr,
  netproves,
  netuser,
  reject,
} from "./dial.ts";
export {
  Fid,
  NOTOPEN,
  acceptsrv,
  dir,
  file,
  listensrv,
  post,
  postfd,
  postmount,
  serve,
  tree,
} from "./9p.ts";
export { newexport } from "./export.ts";
export { newram } from "./ram.ts";
export { args } from "./arg.ts";
export { quote, tokenize } from "../../kernel/abi/quote.ts";
