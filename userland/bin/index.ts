// The commands, by name: what a boot puts in /bin.

import { nullproto } from "../../kernel/abi/nullproto.ts";
import bind from "./bind.ts";
import cat from "./cat.ts";
import cp from "./cp.ts";
import date from "./date.ts";
import echo from "./echo.ts";
import exportfs from "./exportfs.ts";
import fcp from "./fcp.ts";
import hellofs from "./hellofs.ts";
import hget from "./hget.ts";
import httpd from "./httpd.ts";
import kill from "./kill.ts";
import ls from "./ls.ts";
import mkdir from "./mkdir.ts";
import mount from "./mount.ts";
import mv from "./mv.ts";
import ns from "./ns.ts";
import ps from "./ps.ts";
import pwd from "./pwd.ts";
import ramfs from "./ramfs.ts";
import rc from "./rc.ts";
import rm from "./rm.ts";
import sleep from "./sleep.ts";
import touch from "./touch.ts";
import unmount from "./unmount.ts";
import wc from "./wc.ts";
import type { TaskMain } from "../../syscalls/sys.ts";

/** The commands. */
export const bin: Readonly<Record<string, TaskMain>> = nullproto({
  bind,
  cat,
  cp,
  date,
  echo,
  exportfs,
  fcp,
  hellofs,
  hget,
  httpd,
  kill,
  ls,
  mkdir,
  mount,
  mv,
  ns,
  ps,
  pwd,
  ramfs,
  rc,
  rm,
  sleep,
  touch,
  unmount,
  wc,
});
