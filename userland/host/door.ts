// Who may come in to a server of the command line. A server on this machine's own addresses is open to the
// programs of this machine; elsewhere --tls or --anyone says who comes in.

import { NOTAG } from "../../kernel/abi/const.ts";
import { Rerror, convS2M, sizeS2M } from "../../kernel/abi/fcall.ts";
import { Mounterror } from "../boot/mounts.ts";
import { Usage } from "./command.ts";
import type { Given, Option } from "./command.ts";

/** --tls, which serve, run and step have. */
export const tlsoption: Option = {
  name: "tls",
  values: ["DIR"],
  text: "the certificates for tls!: DIR has ca.pem, cert.pem and key.pem, as 'namec cert' makes them",
};

/** The options of serve that say who comes in. */
export const dooroptions: readonly Option[] = [
  tlsoption,
  { name: "anyone", values: [], text: "every client that reaches --listen may come in" },
];

/** Where a server listens, and the directory of its certificates. */
export type Door = { readonly addr: string; readonly dir: string | null };

/** Checks what was given. Throws Mounterror for a door that would be open without a word. */
export function doorof(given: Given, addr: string): Door {
  const dir = given.get("tls") ?? null;
  const anyone = given.has("anyone");
  const [network = "", host = ""] = addr.split("!");
  if (dir !== null && anyone)
    throw new Usage("--tls asks for certificates and --anyone for none", "one of them");
  if (network === "unix" || network.endsWith("/unix")) {
    if (dir === null && !anyone) return { addr, dir };
    throw new Usage(`${dir === null ? "--anyone" : "--tls"} means nothing to ${addr}`, PRIVATE);
  }
  if (network === "tls" && dir === null)
    throw new Usage(`${addr} needs --tls DIR`, "the directory of its certificates");
  if (dir !== null) return { addr: addr.replace(/^(tcp|net)!/, "tls!"), dir };
  if (!anyone && !isloopback(host))
    throw new Mounterror(
      `${addr} is open to other machines: --tls DIR lets in those with a certificate, --anyone every one`,
    );
  return { addr, dir };
}

const PRIVATE = "its file has mode 0600: your own processes alone can call";

/** An address that only this machine reaches. */
function isloopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return bare === "localhost" || bare === "::1" || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** What a 9P client that is refused is sent: Rerror to its Tversion. */
export function farewell(why: string): Uint8Array {
  const f = { type: Rerror, tag: NOTAG, ename: why } as const;
  const bytes = new Uint8Array(sizeS2M(f));
  convS2M(f, bytes, 0);
  return bytes;
}

/** Milliseconds between two lines. */
const SECOND = 1000;

/** Says lines, one a second at most: what came meanwhile is counted, and its last line said. */
export function lines(say: (line: string) => void): (line: string) => void {
  let waiting = false;
  let more = 0;
  let last = "";
  const later = (): void => {
    waiting = more > 0;
    if (!waiting) return;
    say(more === 1 ? last : `${last} (and ${more - 1} more such)`);
    more = 0;
    setTimeout(later, SECOND).unref();
  };
  return (line) => {
    if (waiting) {
      more++;
      last = line;
      return;
    }
    waiting = true;
    say(line);
    setTimeout(later, SECOND).unref();
  };
}
