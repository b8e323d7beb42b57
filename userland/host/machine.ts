// The machine that the command line boots: the usual kernel with the host's TCP at /net, the commands in
// /bin, and the console on the streams of this process.

import { MREPL } from "../../kernel/abi/const.ts";
import type { Booted, Newdev } from "../../kernel/boot.ts";
import { newFs } from "../../devices/fs/fs-node.ts";
import type { Ids } from "../../devices/fs/hostfile-node.ts";
import { newIp } from "../../devices/ip/ip.ts";
import { newNodestack } from "../../devices/ip/ip-node.ts";
import { newTlsstack } from "../../devices/ip/tls-node.ts";
import type { Tlsopts } from "../../devices/ip/tls-node.ts";
import { newUnixstack } from "../../devices/ip/unix-node.ts";
import { bindir } from "../boot/bin.ts";
import { NAMESPACE } from "../lib/namespace.ts";
import { boot } from "../boot/boot.ts";
import type { Bootopts } from "../boot/boot.ts";
import { Streamtty } from "./tty.ts";
import "./vmhost.ts";

/** Device #I over the host's networks, for boot's devices. */
export function hostnet(opts: Tlsopts = {}): Newdev {
  return (k) => {
    const others = { tls: newTlsstack(k, opts), unix: newUnixstack(k) };
    return newIp(k, newNodestack(k, opts), undefined, others);
  };
}

/**
 * How a directory is served: to be read only if so; whether a rename takes the place of a file, as rename(2) does; as
 * whom, if not as the user of this process.
 */
export type Hostdiropts = {
  readonly readonly?: boolean;
  readonly replace?: boolean;
  readonly as?: Ids;
};

/** Device #U over a directory of the host, for boot's devices: nothing outside it can be reached. */
export function hostdir(root: string, opts: Hostdiropts = {}): Newdev {
  const { readonly = false, replace = false, as } = opts;
  return (k) => newFs(k, { root, readonly, replace }, as === undefined ? {} : { as });
}

/** Boots it, with the host's networks as `net` says. */
export function machine(opts: Bootopts = {}, net: Tlsopts = {}): Promise<Booted> {
  const mine = machineopts(opts);
  return boot({
    ...mine,
    devices: [hostnet(net), ...(mine.devices ?? [])],
    binds: [["#I", "/net", MREPL], ...(mine.binds ?? [])],
  });
}

/** The same machine but for its network. */
export function machineopts(opts: Bootopts): Bootopts {
  return {
    tty: new Streamtty(process.stdin, process.stdout, process.stderr),
    ...opts,
    files: { bin: bindir, lib: { namespace: NAMESPACE }, ...opts.files },
  };
}
