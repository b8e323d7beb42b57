// What `import { ... } from "namec"` gives inside a vm: the constants, PlanError, and what libc, lib9p and the
// like give a program. What boots and drives a kernel is not there, since a vm has none to boot.

export { PlanError } from "../../../kernel/abi/errors.ts";
export * from "../../../kernel/abi/const.ts";
export { both } from "../../lib/both.ts";
export {
  fprint,
  print,
  readall,
  readfile,
  readn,
  readtext,
  writeall,
  writefile,
} from "../../lib/io.ts";
export { dirread, dirreadall, readdir } from "../../lib/dirread.ts";
export * from "../../lib/proc.ts";
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
} from "../../lib/dial.ts";
export { acceptsrv, file, listensrv, post, postfd, postmount, serve, tree } from "../../lib/9p.ts";
export { Fid, NOTOPEN } from "../../lib/9p.ts";
export { newexport } from "../../lib/export.ts";
export { newram } from "../../lib/ram.ts";
export { args } from "../../lib/arg.ts";
export { quote, tokenize } from "../../../kernel/abi/quote.ts";
