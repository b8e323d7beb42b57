// What vm programs run on, as the page gives it to a worker: a piece that loads with the worker's script.

import { library, wasm } from "virtual:quickjs";
import type { Engine } from "./talk.ts";

export const engine: Engine = { kind: "engine", wasm, library };
