// --mount ADDR DIR of the command line, checked. How mounts are made is in boot/mounts.ts.

import { netmkaddr } from "../lib/dial.ts";
import type { Mount } from "../boot/mounts.ts";
import { Usage } from "./command.ts";

/** What --mount was given, checked. */
export function mountof([addr = "", dir = ""]: readonly string[]): Mount {
  return { addr: dialstring(addr), dir: absolute(dir) };
}

/** ADDR of the command line as a dial string: "fs" is tcp!fs!9fs. */
export function dialstring(addr: string): string {
  const hostport = /^(\[[^!/\]]*\]|[^!/]*):(\d+)$/.exec(addr);
  if (hostport !== null) {
    const [, host = "", port = ""] = hostport;
    throw new Usage(`${addr} is no dial string`, `write it 'tcp!${host || "*"}!${port}'`);
  }
  return netmkaddr(addr, "tcp", "9fs");
}

function absolute(dir: string): string {
  if (dir.startsWith("/") && !/[\0]/.test(dir)) return dir;
  throw new Usage(
    `${dir} must be an absolute name`,
    "--mount ADDR DIR, such as --mount 'tcp!127.0.0.1!5640' /n/remote",
  );
}
