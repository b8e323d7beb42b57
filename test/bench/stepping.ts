// What stepping costs a kernel: when it was never recorded, when a recorder has come and gone, while a
// listener hears of each event and does nothing, and while a recorder records. The first is there twice, so
// that the noise can be seen. A recording of too many events is full, and what comes then is only counted.

import { boot } from "../../userland/host/index.ts";
import type { Kernel } from "../../userland/host/index.ts";
import { findplace } from "../../userland/host/place.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import type { About } from "../../userland/view/record/recording.ts";
import { NAMES, TREE, ours, worker } from "./names.ts";
import type { Match, Work } from "./names.ts";

const ABOUT: About = {
  program: "bench",
  namespace: "names",
  clock: "real",
  seed: 0,
  machine: "gnot",
  hosts: [],
};

export const NEVER = "never recorded";
export const AGAIN = "the same again";
export const OFF = "recorder gone";
export const HEARD = "a listener";
export const ON = "recording";
export const FULL = "recording, full";

const place = findplace();

/** The last recordings, as somebody who looks at a recording keeps it while the next is made. */
const last: Recorder[] = [];

/** Records a kernel as `namec step` does; the result ends that. */
function recorder(kernel: Kernel, limit: number): () => void {
  const rec = new Recorder({ about: ABOUT, place, limit });
  // V8 forgets what it has compiled for a recorder when a collection, as there is one before each round, finds none.
  if (last.push(rec) > 4) last.shift();
  const off = rec.listen(kernel.trace);
  rec.begin();
  return off;
}

/** The matches, and the end of what they need. */
export async function stepping(): Promise<{ list: Match[]; close: () => Promise<void> }> {
  const kernels: Kernel[] = [];
  const another = async (): Promise<Kernel> => {
    const k = await boot({ files: TREE });
    kernels.push(k);
    return k;
  };
  const [never, again, gone, heard] = [
    await another(),
    await another(),
    await another(),
    await another(),
  ];
  const [on, full] = [await another(), await another()];
  heard.trace.listen(() => undefined);
  const recorded = (kernel: Kernel, limit: number, work: Work) => {
    return async (n: number): Promise<number> => {
      const stop = recorder(kernel, limit);
      try {
        return await worker(kernel)(work)(n);
      } finally {
        stop();
      }
    };
  };
  const off = recorder(gone, 10_000);
  await worker(gone)(ours.stat)(1000);
  off();
  const list = NAMES.map(([key, name]) => ({
    name,
    list: [
      { name: NEVER, run: worker(never)(ours[key]) },
      { name: AGAIN, run: worker(again)(ours[key]) },
      { name: OFF, run: worker(gone)(ours[key]) },
      { name: HEARD, run: worker(heard)(ours[key]) },
      { name: ON, run: recorded(on, 1_000_000, ours[key]) },
      { name: FULL, run: recorded(full, 100, ours[key]) },
    ],
  }));
  return {
    list,
    close: async () => {
      for (const k of kernels) await k.shutdown();
    },
  };
}
