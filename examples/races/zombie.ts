// A process that is left: its parent ends it only if it has said that it is there.
//
//     npx namec explore examples/races/zombie.ts

import { ORDWR, RFFDG, RFNOWAIT, RFPROC, type Sys } from "namec";

const HERE = "/tmp/worker";

/** Says that it is there, and works until it is told to stop. */
const worker = (stop: number) => async (sys: Sys) => {
  await sys.close(await sys.create(HERE, ORDWR, 0o666));
  await sys.read(stop, new Uint8Array(1));
};

async function scene(sys: Sys, stops: (s: Sys) => Promise<boolean>): Promise<void> {
  const [stop, tell] = await sys.pipe();
  await sys.rfork(RFPROC | RFFDG | RFNOWAIT, worker(stop));
  // Other work, by another process.
  await sys.rfork(RFPROC | RFFDG, () => undefined);
  await sys.wait();
  if (await stops(sys)) await sys.write(tell, new Uint8Array(1));
}

/** Fault: a worker that has not said so yet is told nothing, and waits for ever. */
export default (sys: Sys): Promise<void> =>
  scene(sys, (s) =>
    s.stat(HERE).then(
      () => true,
      () => false,
    ),
  );

/** It is told in any case: what is written waits for it. */
export const mended = (sys: Sys): Promise<void> => scene(sys, () => Promise.resolve(true));
