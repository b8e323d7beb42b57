// What the page fetches for its kernel: the modules of the worker, the library of vm programs, and QuickJS. The
// page fetches them as texts and bytes, since the frame that runs programs may request nothing (frame.ts).

import { inside, quickjs, worker } from "virtual:kernel";
import type { Engine, Modules } from "./talk.ts";

/** What a frame begins with. */
export type Kernel = { readonly modules: Modules; readonly engine: Engine };

/** What a module imports at its beginning from a file beside it. */
const BESIDE = /(?:from|import)\s*"\.\/([^"]+)"/g;

/** The module at an address and all that it imports: each behind those that it needs. */
async function modulesof(address: string): Promise<Modules> {
  const texts = new Map<string, string>();
  const asked = new Map<string, Promise<void>>();
  const read = async (url: URL): Promise<void> => {
    const text = await (await got(url)).text();
    const needs = [...text.matchAll(BESIDE)].map((m) => new URL(m[1] ?? "", url));
    await Promise.all(needs.map(once));
    texts.set(nameof(url), text);
  };
  const once = (url: URL): Promise<void> => {
    const reading = asked.get(url.href) ?? read(url);
    asked.set(url.href, reading);
    return reading;
  };
  await once(new URL(address));
  return [...texts];
}

const nameof = (url: URL): string => url.pathname.slice(url.pathname.lastIndexOf("/") + 1);

async function got(url: URL | string): Promise<Response> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${String(url)}: ${answer.status} ${answer.statusText}`);
  return answer;
}

let loading: Promise<Kernel> | null = null;

/** Fetches the kernel; a fetch that failed is tried again at the next call. */
export function loadkernel(): Promise<Kernel> {
  loading ??= load().catch((e: unknown) => {
    loading = null;
    throw e;
  });
  return loading;
}

async function load(): Promise<Kernel> {
  const [modules, library, wasm] = await Promise.all([
    modulesof(worker),
    modulesof(inside),
    got(quickjs).then((r) => r.arrayBuffer()),
  ]);
  return { modules, engine: { kind: "engine", wasm: new Uint8Array(wasm), library } };
}
