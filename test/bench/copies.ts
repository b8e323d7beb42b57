// A file copied over a simulated link in the ways there are, and the virtual time that each takes. The
// server's bytes are computed and the copy goes to /dev/null, so what is measured is the way there.

import { DMDIR, MCREATE, MREPL, OREAD, OSTREAM, OWRITE } from "../../kernel/abi/const.ts";
import type { Exit, Task, TaskMain } from "../../syscalls/sys.ts";
import fcp from "../../userland/bin/fcp.ts";
import hget from "../../userland/bin/hget.ts";
import httpd from "../../userland/bin/httpd.ts";
import { serve9p, simnet } from "../../userland/boot/net.ts";
import type { Linkspec } from "../../userland/boot/net.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { copyfd } from "../../userland/lib/copy.ts";
import { dial } from "../../userland/lib/dial.ts";
import { Patternfs } from "../kit/streams.ts";

/** A way to copy: the program, its arguments, and the kernel and the server it has. */
export type Way = {
  readonly name: string;
  readonly main: TaskMain;
  readonly argv: readonly string[];
  readonly namespace: "names" | "standard";
  readonly version: string;
};

/** As cp and cat of Plan 9 do it: read 8 KiB, write it, read the next. */
function* plaincp(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const fd = yield* sys.open(argv[1] ?? "", OREAD);
  const tfd = yield* sys.open(argv[2] ?? "", OWRITE);
  const buf = new Uint8Array(8192);
  for (;;) {
    const n = yield* sys.read(fd, buf);
    if (n === 0) break;
    yield* sys.write(tfd, buf.subarray(0, n));
  }
  yield* sys.close(fd);
  yield* sys.close(tfd);
}

/** The same by streams, without what cp asks about the files first. */
function* streamcp(sys: ThreadSys, argv: readonly string[]): Task<Exit> {
  const fd = yield* sys.open(argv[1] ?? "", OREAD | OSTREAM);
  const tfd = yield* sys.open(argv[2] ?? "", OWRITE);
  yield* copyfd(sys, fd, tfd);
  yield* sys.close(fd);
  yield* sys.close(tfd);
}

const FILES = ["/n/far/f", "/dev/null"];
const standard = { namespace: "standard", version: "9P2000" } as const;
const names = { namespace: "names", version: "9P2000.ix.stream" } as const;

/** The ways. */
export const WAYS: readonly Way[] = [
  { name: "9P2000, one read after another", main: plaincp, argv: FILES, ...standard },
  { name: "9P2000, fcp", main: fcp, argv: FILES, ...standard },
  { name: "HTTP/1.1, hget", main: hget, argv: ["-o", "/dev/null", "http://far/f"], ...names },
  { name: "stream", main: streamcp, argv: FILES, ...names },
];

/** Nanoseconds that a copy of so many bytes takes. */
export async function copytime(way: Way, link: Linkspec, length: number): Promise<number> {
  const net = simnet();
  const here = await net.boot("here", { namespace: way.namespace });
  const far = await net.boot("far");
  net.link("here", "far", link);
  const fs = new Patternfs(way.version);
  fs.add("f", length);
  await serve9p(far, "tcp!*!564", () => fs as Anysrv);
  if (way.main === hget) far.spawn(web, ["httpd"]);
  let began = 0;
  const p = here.spawn(
    function* main(sys: ThreadSys): Task<Exit> {
      yield* mountfar(sys);
      yield* sys.sleep(1000);
      began = net.now;
      return yield* way.main(sys, [way.name, ...way.argv]) as Task<Exit>;
    },
    ["copy"],
  );
  const status = await p.wait();
  const took = net.now - began;
  await net.shutdown();
  if (status !== "") throw new Error(`${way.name}: ${status} ${p.output}`);
  return took;
}

function* mountfar(sys: ThreadSys): Task<void> {
  const fd = yield* dial(sys, "tcp!far!564");
  yield* sys.close(yield* sys.create("/n/far", OREAD, DMDIR | 0o777));
  yield* sys.mount(fd, -1, "/n/far", MREPL | MCREATE, "");
}

/** httpd with the server's own files. */
function* web(sys: ThreadSys): Task<Exit> {
  yield* mountfar(sys);
  return yield* httpd(sys, ["httpd", "-r", "/n/far"]) as Task<Exit>;
}
