// What vm programs run on, as the page gives it to a worker. QuickJS is an asset beside the page's scripts, which the
// page requests, since the worker may request nothing.

import { library, wasm } from "virtual:quickjs";
import type { Engine } from "./talk.ts";

let loading: Promise<Engine> | null = null;

/** QuickJS and the library, requested once; a request that failed is made again. Rejects when it cannot be had. */
export function loadengine(): Promise<Engine> {
  loading ??= load().catch((e: unknown) => {
    loading = null;
    throw e;
  });
  return loading;
}

async function load(): Promise<Engine> {
  const answer = await fetch(wasm);
  if (!answer.ok) throw new Error(`${wasm}: ${answer.status} ${answer.statusText}`);
  return { kind: "engine", wasm: new Uint8Array(await answer.arrayBuffer()), library };
}
