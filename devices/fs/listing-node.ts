// The names of a directory of the host, as they were when the reading began, in order. The host gives them a
// chunk at a time; each chunk is sorted by itself, and the chunks are merged as the names are taken. So no step
// is long, however large the directory is.

import { opendir } from "node:fs";
import type { Dir as Hostdir } from "node:fs";
import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Sched } from "../../kernel/proc/sched.ts";
import type { Hostpath } from "./calls-node.ts";
import { hostcall } from "./host-node.ts";

/** Names that are read and sorted at one time. */
const CHUNK = 1024;
/** Names that Node reads ahead: few enough that it hands them over quickly. */
const AHEAD = 256;

/** A chunk: names in order, and which of them is next. */
type Run = { readonly names: readonly string[]; at: number };

const nextof = (r: Run): string => r.names[r.at] ?? "";

/** Names in order, each to be taken once. */
export class Listing {
  /** Names that it holds. */
  size = 0;
  /** Names that were taken. */
  taken = 0;
  /** A heap: the run with the least next name is first. None of them is at its end. */
  readonly #runs: Run[] = [];

  /** Adds names in any order, before the first is taken. */
  add(names: string[]): void {
    if (names.length === 0) return;
    this.size += names.length;
    const run = { names: names.sort(), at: 0 };
    let i = this.#runs.length;
    for (let up = (i - 1) >> 1; i > 0; i = up, up = (i - 1) >> 1) {
      const above = this.#runs[up];
      if (above === undefined || nextof(above) <= nextof(run)) break;
      this.#runs[i] = above;
    }
    this.#runs[i] = run;
  }

  /** The next name; undefined at the end. */
  get next(): string | undefined {
    const [first] = this.#runs;
    return first === undefined ? undefined : nextof(first);
  }

  /** Goes on to the name behind the next. */
  take(): void {
    const [first] = this.#runs;
    if (first === undefined) return;
    this.taken++;
    if (++first.at < first.names.length) this.#sink(first);
    else {
      const last = this.#runs.pop();
      if (last !== undefined && last !== first) this.#sink(last);
    }
  }

  /** Puts a run where it belongs, from the top down. */
  #sink(run: Run): void {
    const heap = this.#runs;
    let i = 0;
    for (;;) {
      let k = 2 * i + 1;
      let kid = heap[k];
      const right = heap[k + 1];
      if (kid !== undefined && right !== undefined && nextof(right) < nextof(kid)) {
        kid = right;
        k++;
      }
      if (kid === undefined || nextof(run) <= nextof(kid)) break;
      heap[i] = kid;
      i = k;
    }
    heap[i] = run;
  }
}

/** Lists the directory at path; more(n) is asked before n names more are kept, and may refuse. */
export function* listdir(sched: Sched, path: Hostpath, more: (n: number) => void): Task<Listing> {
  const dir = yield* hostcall<Hostdir>(sched, "host directory", (done) =>
    opendir(path, { encoding: "latin1", bufferSize: AHEAD }, done),
  );
  try {
    const list = new Listing();
    for (;;) {
      const names = yield* hostcall<string[]>(sched, "host directory", (done) =>
        readsome(dir, [], done),
      );
      more(names.length);
      list.add(names);
      if (names.length < CHUNK) return list;
    }
  } finally {
    yield* hostcall(sched, "host directory", (done) => dir.close(done));
  }
}

/** Reads a chunk; fewer names than that are the last. */
function readsome(
  dir: Hostdir,
  names: string[],
  done: (e: Error | null, names: string[]) => void,
): void {
  dir.read((e, entry) => {
    if (entry !== null && e === null) names.push(nameof(entry.name));
    if (entry === null || e !== null || names.length >= CHUNK) done(e, names);
    else readsome(dir, names, done);
  });
}

/** A name of the host, whose bytes came as one character each. */
function nameof(bytes: string): string {
  for (let i = 0; i < bytes.length; i++)
    if (bytes.charCodeAt(i) >= 0x80) {
      const b = Buffer.from(bytes, "latin1");
      return utfdecode(b, 0, b.length);
    }
  return bytes;
}
