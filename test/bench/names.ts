// Names and reads of in-memory files five names down: this kernel beside memfs and ZenFS, through the
// promises that each of them gives. Each operation takes the next of a thousand names, so that no contestant
// answers from what it remembers of one.

import { InMemory, configureSingle, fs as zen } from "@zenfs/core";
import { memfs } from "memfs";
import { OREAD, boot } from "../../userland/host/index.ts";
import type { Kernel, Sys, Task, TaskSys } from "../../userland/host/index.ts";
import type { Contestant } from "./rounds.ts";

const DIR = "/a/b/c/d";
const SIZE = 4096;
const CONTENTS = new Uint8Array(SIZE).fill(0x61);
/** A power of two, so that a mask finds the next name. */
const NFILES = 1024;
const LEAVES: readonly string[] = Array.from({ length: NFILES }, (_, i) => `file${i}`);
const FILES: readonly string[] = LEAVES.map((leaf) => `${DIR}/${leaf}`);
const file = (i: number): string => FILES[i & (NFILES - 1)] ?? "";

/** The files that all this is about. */
export const TREE: { a: { b: { c: { d: Record<string, Uint8Array> } } } } = {
  a: { b: { c: { d: Object.fromEntries(LEAVES.map((leaf) => [leaf, CONTENTS])) } } },
};

/** An operation, for each contestant. */
export type Match = { readonly name: string; readonly list: readonly Contestant[] };

export type Work = (sys: Sys, n: number) => Promise<void>;
type Taskwork = (sys: TaskSys, n: number) => Task<void>;

/** Hands pieces of work to a process: its system calls are good only while it runs. */
export function worker(kernel: Kernel): (work: Work) => (n: number) => Promise<number> {
  return (work) => async (n) => {
    const p = kernel.spawn(async (sys: Sys) => await work(sys, n), ["bench"]);
    await ended(p.wait());
    return n;
  };
}

function taskworker(kernel: Kernel): (work: Taskwork) => (n: number) => Promise<number> {
  return (work) => async (n) => {
    const p = kernel.spawn(
      function* bench(sys: TaskSys): Task<void> {
        yield* work(sys, n);
      },
      ["bench"],
    );
    await ended(p.wait());
    return n;
  };
}

async function ended(status: Promise<string>): Promise<void> {
  const text = await status;
  if (text !== "") throw new Error(text);
}

/** What is done with names, by what it is called. */
export const ours: Readonly<Record<"stat" | "openclose" | "read", Work>> = {
  async stat(sys, n) {
    for (let i = 0; i < n; i++) await sys.stat(file(i));
  },
  async openclose(sys, n) {
    for (let i = 0; i < n; i++) await sys.close(await sys.open(file(i), OREAD));
  },
  async read(sys, n) {
    const buf = new Uint8Array(SIZE);
    for (let i = 0; i < n; i++) {
      const fd = await sys.open(file(i), OREAD);
      await sys.read(fd, buf);
      await sys.close(fd);
    }
  },
};

const tasks: Readonly<Record<string, Taskwork>> = {
  *stat(sys, n) {
    for (let i = 0; i < n; i++) yield* sys.stat(file(i));
  },
  *openclose(sys, n) {
    for (let i = 0; i < n; i++) yield* sys.close(yield* sys.open(file(i), OREAD));
  },
  *read(sys, n) {
    const buf = new Uint8Array(SIZE);
    for (let i = 0; i < n; i++) {
      const fd = yield* sys.open(file(i), OREAD);
      yield* sys.read(fd, buf);
      yield* sys.close(fd);
    }
  },
};

/** What memfs and ZenFS have in common. */
type Promises = {
  stat(name: string): Promise<unknown>;
  open(name: string, flags: string): Promise<Opened>;
};
type Opened = {
  read(buf: Uint8Array, offset: number, length: number, position: number): Promise<unknown>;
  close(): Promise<void>;
};

const peer = (p: Promises): Readonly<Record<string, (n: number) => Promise<number>>> => ({
  async stat(n) {
    for (let i = 0; i < n; i++) await p.stat(file(i));
    return n;
  },
  async openclose(n) {
    for (let i = 0; i < n; i++) await (await p.open(file(i), "r")).close();
    return n;
  },
  async read(n) {
    const buf = new Uint8Array(SIZE);
    for (let i = 0; i < n; i++) {
      const f = await p.open(file(i), "r");
      await f.read(buf, 0, SIZE, 0);
      await f.close();
    }
    return n;
  },
});

/** The operations, and what each is called. */
export const NAMES: readonly (readonly ["stat" | "openclose" | "read", string])[] = [
  ["stat", "stat"],
  ["openclose", "open, close"],
  ["read", "open, read 4 KiB, close"],
];

/** The matches, and the end of what they need. */
export async function matches(): Promise<{ list: Match[]; close: () => Promise<void> }> {
  const kernel = await boot({ files: TREE });
  const { fs: mem } = memfs();
  mem.mkdirSync(DIR, { recursive: true });
  for (const name of FILES) mem.writeFileSync(name, CONTENTS);
  await configureSingle({ backend: InMemory });
  zen.mkdirSync(DIR, { recursive: true });
  for (const name of FILES) zen.writeFileSync(name, CONTENTS);
  const [run, runtask] = [worker(kernel), taskworker(kernel)];
  const memops = peer(mem.promises as unknown as Promises);
  const zenops = peer(zen.promises as unknown as Promises);
  const none = async (): Promise<number> => 0;
  const list = NAMES.map(([key, name]) => ({
    name,
    list: [
      { name: "namec", run: run(ours[key]) },
      { name: "memfs", run: memops[key] ?? none },
      { name: "ZenFS", run: zenops[key] ?? none },
      { name: "namec, generator", run: runtask(tasks[key] ?? function* () {}) },
    ],
  }));
  return { list, close: () => kernel.shutdown() };
}
