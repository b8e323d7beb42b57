// Lost update: two processes read a number, add one and write it back.
//
//     npx namec explore examples/races/lostupdate.ts

import { ORDWR, RFFDG, RFPROC, type Sys } from "namec";

const FILE = "/tmp/n";

/** Fault: between the read and the write another may write, and that is lost. */
async function add(sys: Sys, fd: number): Promise<void> {
  const n = new Uint8Array(1);
  await sys.pread(fd, n, 0);
  await sys.pwrite(
    fd,
    n.map((x) => x + 1),
    0,
  );
}

/** Other work, so that the two are not in step from the beginning. */
async function work(sys: Sys): Promise<void> {
  for (let n = 0; n < 4; n++) await sys.nsec();
}

async function twice(sys: Sys, fn: (s: Sys, fd: number) => Promise<void>): Promise<string> {
  const fd = await sys.create(FILE, ORDWR, 0o666);
  await sys.pwrite(fd, new Uint8Array([0]), 0);
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await work(s);
    await fn(s, fd);
  });
  await fn(sys, fd);
  await sys.wait();
  const n = new Uint8Array(1);
  await sys.pread(fd, n, 0);
  return n[0] === 2 ? "" : `added twice, and it is ${n[0]}`;
}

export default (sys: Sys): Promise<string> => twice(sys, add);

/** A token in a pipe is a lock: who has taken it reads and writes alone. */
export async function mended(sys: Sys): Promise<string> {
  const [take, give] = await sys.pipe();
  await sys.write(give, new Uint8Array(1));
  return await twice(sys, async (s, fd) => {
    await s.read(take, new Uint8Array(1));
    await add(s, fd);
    await s.write(give, new Uint8Array(1));
  });
}
