// Reader and writer: a record of two halves is written in two calls, and read in one.
//
//     npx namec explore examples/races/tornread.ts

import { ORDWR, RFFDG, RFPROC, type Sys } from "namec";

const half = (text: string): Uint8Array => new TextEncoder().encode(text.repeat(4));

/** Other work, so that the two are not in step from the beginning. */
async function work(sys: Sys): Promise<void> {
  for (let n = 0; n < 4; n++) await sys.nsec();
}

async function scene(sys: Sys, write: (s: Sys, fd: number) => Promise<unknown>): Promise<string> {
  const fd = await sys.create("/tmp/record", ORDWR, 0o666);
  await sys.pwrite(fd, half("old "), 0);
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await work(s);
    await write(s, fd);
  });
  const buf = new Uint8Array(16);
  await sys.pread(fd, buf, 0);
  await sys.wait();
  const text = new TextDecoder().decode(buf);
  return new Set(text.trim().split(" ")).size === 1 ? "" : `half old and half new: ${text}`;
}

/** Fault: a reader between the two writes finds one half of each. */
export default (sys: Sys): Promise<string> =>
  scene(sys, async (s, fd) => {
    await s.pwrite(fd, half("new ").subarray(0, 8), 0);
    await s.pwrite(fd, half("new ").subarray(8), 8);
  });

/** One write is whole. */
export const mended = (sys: Sys): Promise<string> =>
  scene(sys, (s, fd) => s.pwrite(fd, half("new "), 0));
