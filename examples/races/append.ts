// Two writers appending: each finds the end of the file, and writes there.
//
//     npx namec explore examples/races/append.ts

import { DMAPPEND, OWRITE, RFFDG, RFPROC, type Sys, readtext } from "namec";

const LOG = "/tmp/log";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function log(sys: Sys, perm: number, line: string): Promise<void> {
  const fd = await sys.open(LOG, OWRITE);
  if ((perm & DMAPPEND) === 0) await sys.seek(fd, 0, 2);
  await sys.write(fd, bytes(line));
  await sys.close(fd);
}

/** Other work, so that the two are not in step from the beginning. */
async function work(sys: Sys): Promise<void> {
  for (let n = 0; n < 6; n++) await sys.nsec();
}

async function two(sys: Sys, perm: number): Promise<string> {
  await sys.close(await sys.create(LOG, OWRITE, perm));
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await work(s);
    await log(s, perm, "child\n");
  });
  await log(sys, perm, "parent\n");
  await sys.wait();
  const text = await readtext(sys, LOG);
  const whole = text.includes("child\n") && text.includes("parent\n");
  return whole ? "" : `a line is lost: ${text.trim()}`;
}

/** Fault: both may find the same end. */
export default (sys: Sys): Promise<string> => two(sys, 0o666);

/** Of an append-only file the server finds the end, with each write. */
export const mended = (sys: Sys): Promise<string> => two(sys, (DMAPPEND | 0o666) >>> 0);
