// What stepping costs a kernel: when nobody has ever recorded it, when a recorder has come and gone, and
// while one records. The first is there twice, so that the noise can be seen.

import { boot } from "../../userland/host/index.ts";
import type { Kernel } from "../../userland/host/index.ts";
import { findplace } from "../../userland/host/place.ts";
import { Recorder } from "../../userland/view/record/recorder.ts";
import type { About } from "../../userland/view/record/recording.ts";
import { NAMES, TREE, ours, worker } from "./names.ts";
import type { Match } from "./names.ts";

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
export const ON = "recording";

/** Records a kernel as `namec step` does; the result ends that. It is bounded: what is too much is counted. */
function recorder(kernel: Kernel): () => void {
  const rec = new Recorder({ about: ABOUT, place: findplace(), limit: 10_000 });
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
  const [never, again, gone, on] = [
    await another(),
    await another(),
    await another(),
    await another(),
  ];
  const off = recorder(gone);
  await worker(gone)(ours.stat)(1000);
  off();
  const list = NAMES.map(([key, name]) => ({
    name,
    list: [
      { name: NEVER, run: worker(never)(ours[key]) },
      { name: AGAIN, run: worker(again)(ours[key]) },
      { name: OFF, run: worker(gone)(ours[key]) },
      {
        name: ON,
        async run(n: number): Promise<number> {
          const stop = recorder(on);
          try {
            return await worker(on)(ours[key])(n);
          } finally {
            stop();
          }
        },
      },
    ],
  }));
  return {
    list,
    close: async () => {
      for (const k of kernels) await k.shutdown();
    },
  };
}
