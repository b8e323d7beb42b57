// Create race: two processes look whether a lock file is there, and make it if it is not.
//
//     npx namec explore examples/races/createrace.ts

import { OEXCL, OWRITE, RFFDG, RFPROC, type Sys } from "namec";

const LOCK = "/tmp/lock";
const WORK = "/tmp/work";

async function fails(call: Promise<unknown>): Promise<boolean> {
  return await call.then(
    () => false,
    () => true,
  );
}

/** Fault: both may find none, and create makes what is there all the same. */
async function lock(sys: Sys): Promise<boolean> {
  if (!(await fails(sys.stat(LOCK)))) return false;
  await sys.close(await sys.create(LOCK, OWRITE, 0o666));
  return true;
}

/** Who has the lock does the work, which must not be done twice. */
async function work(sys: Sys, lockit: (s: Sys) => Promise<boolean>): Promise<string> {
  if (!(await lockit(sys))) return "";
  if (await fails(sys.create(WORK, OWRITE | OEXCL, 0o666))) return "the work was done twice";
  return "";
}

/** Other work, so that the two are not in step from the beginning. */
async function other(sys: Sys): Promise<void> {
  for (let n = 0; n < 6; n++) await sys.nsec();
}

async function two(sys: Sys, lockit: (s: Sys) => Promise<boolean>): Promise<string> {
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await other(s);
    return await work(s, lockit);
  });
  const mine = await work(sys, lockit);
  const { msg } = await sys.wait();
  return mine === "" && msg === "" ? "" : "the work was done twice";
}

export default (sys: Sys): Promise<string> => two(sys, lock);

/** OEXCL looks and makes in one call. */
export const mended = (sys: Sys): Promise<string> =>
  two(sys, async (s) => !(await fails(s.create(LOCK, OWRITE | OEXCL, 0o666))));
