// What a run is made from: the program, its arguments, the machines around it; and the step that is looked
// at. A link holds exactly this: JSON, compressed where the browser can, in the letters of base64url, behind
// the # of the page's address, so that no server sees it.
//
//	#z.q1YqU7...	compressed (deflate-raw)
//	#p.eyJ0Ijo...	plain

import { joined } from "../../kernel/abi/bits.ts";
import { distinct, hostof } from "../boot/simhost.ts";
import { Unitserror } from "../boot/units.ts";
import type { Space } from "./talk.ts";

/** A program and what it runs on. */
export type Setup = {
  /** Of the file: "hello.ts". */
  readonly name: string;
  readonly text: string;
  readonly args: string;
  /** "far:rtt=50ms,bw=600KB/s" */
  readonly hosts: readonly string[];
  readonly seed: number;
  /** The program has no memory of its own. */
  readonly native?: true;
};

/** What a link leads to; `step` is null where the program was not run. */
export type Linked = Setup & { readonly space: Space; readonly step: number | null };

/** A link that leads nowhere; the message says why. */
export class Linkerror extends Error {}

/** The most bytes that a link may unfold to. */
const LIMIT = 500_000;

/** Whether a program's file may be called so. */
export const isname = (name: string): boolean => /^[\w.-]{1,80}$/.test(name);

/** The part of an address behind its #. Throws Linkerror where no page would follow it. */
export async function tolink(l: Linked): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(l));
  if (bytes.length > LIMIT)
    throw new Linkerror(
      `no link is made: the program with its machines has ${bytes.length.toLocaleString("en")} bytes, and a link may hold ${LIMIT.toLocaleString("en")}`,
    );
  if (typeof CompressionStream === "undefined") return `p.${base64url(bytes)}`;
  return `z.${base64url(await through(bytes, new CompressionStream("deflate-raw")))}`;
}

/** What a link holds. Throws Linkerror. */
export async function fromlink(hash: string): Promise<Linked> {
  const [, kind, text = ""] = /^#?([pz])\.([\w-]+)$/.exec(hash) ?? [];
  if (kind === undefined)
    throw new Linkerror("this link holds no program: it is cut short, or it is another page's");
  const bytes = await unfold(kind, text);
  let l: unknown;
  try {
    l = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Linkerror("this link is damaged: what it holds cannot be read");
  }
  return checked(l);
}

async function unfold(kind: string, text: string): Promise<Uint8Array> {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    return kind === "p" ? bytes : await through(bytes, new DecompressionStream("deflate-raw"));
  } catch (e) {
    if (e instanceof Linkerror) throw e;
    throw new Linkerror("this link is damaged: some of its letters are missing or were changed");
  }
}

function base64url(bytes: Uint8Array): string {
  let s = "";
  for (const b of bytes) s += String.fromCharCode(b);
  return btoa(s).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function through(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const reader = new Blob([bytes.slice()]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let n = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    n += value.length;
    if (n > LIMIT) throw new Linkerror("this link holds more than a program: it is not followed");
  }
  return joined(parts, n);
}

function checked(l: unknown): Linked {
  const wrong = (what: string): never => {
    throw new Linkerror(`this link is not from this page: ${what}`);
  };
  if (typeof l !== "object" || l === null) return wrong("it holds no program");
  const { name, text, args, hosts, seed, space, step, native } = l as Partial<
    Record<string, unknown>
  >;
  if (typeof name !== "string" || !isname(name)) return wrong("its program has no name");
  if (typeof text !== "string") return wrong("it holds no program");
  if (typeof args !== "string") return wrong("its arguments are no text");
  if (!Array.isArray(hosts) || !hosts.every((h) => typeof h === "string"))
    return wrong("its machines are no list");
  if (!isnumber(seed)) return wrong("its seed is no number");
  if (space !== "names" && space !== "standard") return wrong("its name space is none");
  if (step !== null && !isnumber(step)) return wrong("its step is no number");
  try {
    distinct(hosts.map(hostof));
  } catch (e) {
    if (e instanceof Unitserror) return wrong(e.message);
    throw e;
  }
  const setup = {
    name,
    text,
    args,
    hosts,
    seed,
    ...(native === true && { native: true as const }),
  };
  return { ...setup, space, step };
}

const isnumber = (v: unknown): v is number => Number.isSafeInteger(v) && Number(v) >= 0;
