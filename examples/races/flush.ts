// Flush race with a server: a client gives up a request, and uses its tag again before the server has said that
// nothing more comes for it. Why a client of 9P waits for Rflush: see flush(5).
//
//     npx namec explore examples/races/flush.ts

import { OEXCL, OWRITE, RFFDG, RFNOWAIT, RFPROC, type Sys, fprint } from "namec";

const REQUEST = "/tmp/request";

/** A message from a pipe: "T1 a", a request with tag 1; "F1", its flush; "R1 a" and "F1" answer them. */
async function receive(sys: Sys, fd: number): Promise<string> {
  const buf = new Uint8Array(16);
  return new TextDecoder().decode(buf.subarray(0, await sys.read(fd, buf)));
}

/** Takes the request that is not answered yet: its answer and its flush may try, and one of them can. */
const take = (sys: Sys): Promise<boolean> =>
  sys.remove(REQUEST).then(
    () => true,
    () => false,
  );

/** Answers the first request by another process, which is slow; then a flush of it, and a second request. */
async function server(sys: Sys, fd: number): Promise<void> {
  await receive(sys, fd);
  await sys.close(await sys.create(REQUEST, OWRITE | OEXCL, 0o666));
  await sys.rfork(RFPROC | RFFDG, async (s: Sys) => {
    for (let n = 0; n < 6; n++) await s.nsec();
    if (await take(s)) await fprint(s, fd, "R1 a");
  });
  await receive(sys, fd);
  // An answer that is on its way comes before the flush's.
  if (!(await take(sys))) await sys.wait();
  await fprint(sys, fd, "F1");
  await receive(sys, fd);
  await fprint(sys, fd, "R1 b");
}

async function scene(sys: Sys, client: (s: Sys, fd: number) => Promise<string>): Promise<string> {
  const [near, far] = await sys.pipe();
  await sys.rfork(RFPROC | RFFDG | RFNOWAIT, (s: Sys) => server(s, far));
  const got = await client(sys, near);
  return got === "R1 b" ? "" : `the answer to b was ${got}`;
}

/** Fault: what comes with tag 1 may still be the answer to the first request. */
export default (sys: Sys): Promise<string> =>
  scene(sys, async (s, fd) => {
    for (const text of ["T1 a", "F1", "T1 b"]) await fprint(s, fd, text);
    for (;;) {
      const answer = await receive(s, fd);
      if (answer.startsWith("R1")) return answer;
    }
  });

/** Behind the answer to the flush nothing comes of the first request. */
export const mended = (sys: Sys): Promise<string> =>
  scene(sys, async (s, fd) => {
    for (const text of ["T1 a", "F1"]) await fprint(s, fd, text);
    while ((await receive(s, fd)) !== "F1");
    await fprint(s, fd, "T1 b");
    return await receive(s, fd);
  });
