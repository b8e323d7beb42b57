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

/**
 * Makes device #I over the networks of the host, for the devices of boot. ip(3)
 *
 * @param opts the certificates for tls!
 * @returns what boot makes the device with
 * @example
 * ```ts
 * await boot({ devices: [hostnet()], binds: [["#I", "/net", MREPL]] });
 * ```
 */
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

/**
 * Makes device #U over a directory of the host, for the devices of boot. Programs reach nothing outside it. fs(3)
 *
 * @param root the directory's path at the host
 * @param opts whether it is read-only, whether a rename replaces a file, and which user it acts as
 * @returns what boot makes the device with
 * @example
 * ```ts
 * await boot({ devices: [hostdir(".")], binds: [["#U", "/n/host", MREPL]] });
 * ```
 */
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
