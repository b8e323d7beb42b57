// The machine that the command line boots: the usual kernel with the host's TCP at /net, the commands in
// /bin, and the console on the streams of this process.

import { MREPL } from "../../kernel/const.ts";
import type { Booted } from "../../kernel/boot.ts";
import { newIp } from "../../devices/ip.ts";
import { newNodestack } from "../../devices/ip-node.ts";
import { bin } from "../bin/index.ts";
import { boot } from "./boot.ts";
import type { Bootopts } from "./boot.ts";
import { Streamtty } from "./tty.ts";

/** Boots it. */
export function machine(opts: Bootopts = {}): Promise<Booted> {
  const mine = machineopts(opts);
  return boot({
    ...mine,
    devices: [(k) => newIp(k, newNodestack(k)), ...(mine.devices ?? [])],
    binds: [["#I", "/net", MREPL], ...(mine.binds ?? [])],
  });
}

/** The same machine but for its network. */
export function machineopts(opts: Bootopts): Bootopts {
  return {
    tty: new Streamtty(process.stdin, process.stdout, process.stderr),
    ...opts,
    files: { bin, ...opts.files },
  };
}
