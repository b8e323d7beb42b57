// Rename race: a file is replaced by removing the old one and renaming the new one; between the two it is not there.
//
//     npx namec explore examples/races/renamerace.ts

import { OREAD, RFFDG, RFPROC, type Sys, writefile } from "namec";

const [CONF, NEW] = ["/tmp/conf", "/tmp/conf.new"];

async function replace(sys: Sys): Promise<void> {
  await sys.remove(CONF);
  await sys.wstat(NEW, { name: "conf" });
}

/** Other work, so that the two are not in step from the beginning. */
async function work(sys: Sys): Promise<void> {
  for (let n = 0; n < 4; n++) await sys.nsec();
}

async function scene(sys: Sys, read: (s: Sys) => Promise<number>): Promise<string> {
  await writefile(sys, CONF, "old");
  await writefile(sys, NEW, "new");
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    await work(s);
    await replace(s);
  });
  let fd: number;
  try {
    fd = await read(sys);
  } catch {
    return "there is no configuration";
  }
  await sys.close(fd);
  await sys.wait();
  return "";
}

/** Fault: a reader may come between. */
export default (sys: Sys): Promise<string> => scene(sys, (s) => s.open(CONF, OREAD));

/** A reader that finds no old one takes the new one, which by then is there under one of its names. */
export const mended = (sys: Sys): Promise<string> =>
  scene(sys, async (s) => {
    for (const name of [CONF, NEW])
      try {
        return await s.open(name, OREAD);
      } catch {
        // It was removed, or has its name by now.
      }
    return await s.open(CONF, OREAD);
  });
