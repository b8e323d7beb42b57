// One end of the loopback comparison, in a process of its own: a server that says where it listens, of bytes
// that are computed (every file is the pattern of test/kit/streams.ts and as long as its name says).
//
//	node peer.js 9p|http|net       "serving ... on tcp!127.0.0.1!port"

import { createServer as createhttp } from "node:http";
import { createServer as createnet } from "node:net";
import type { AddressInfo } from "node:net";
import type { Writable } from "node:stream";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { machine } from "../../userland/host/machine.ts";
import { acceptsrv } from "../../userland/lib/9p.ts";
import type { Anysrv } from "../../userland/lib/9p.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { announce, netaddr } from "../../userland/lib/dial.ts";
import { Patternfs, pattern } from "../kit/streams.ts";

/** Bytes of one write, as in a frame. */
const CHUNK = 65536;

const say = (what: string, addr: string): void =>
  void process.stderr.write(`serving ${what} on tcp!${addr}\n`);

/** Writes so many bytes, as fast as they are taken. */
function pump(out: Writable, length: number): void {
  let at = 0;
  const more = (): void => {
    while (at < length) {
      const n = Math.min(CHUNK, length - at);
      at += n;
      if (!out.write(pattern(at - n, n))) {
        out.once("drain", more);
        return;
      }
    }
    out.end();
  };
  more();
}

function http(): void {
  const server = createhttp((req, res) => {
    const length = Number((req.url ?? "").slice(1));
    res.writeHead(200, { "Content-Length": length });
    pump(res, length);
  });
  server.listen(0, "127.0.0.1", () =>
    say("http", `127.0.0.1!${(server.address() as AddressInfo).port}`),
  );
}

function net(): void {
  const server = createnet({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (data) => pump(socket, Number(data.toString())));
  });
  server.listen(0, "127.0.0.1", () =>
    say("net", `127.0.0.1!${(server.address() as AddressInfo).port}`),
  );
}

async function ninep(): Promise<void> {
  const kernel = await machine();
  const files = new Patternfs();
  const walk1 = files.walk1.bind(files);
  files.walk1 = (dir, name) =>
    walk1(dir, name) ?? (/^\d+$/.test(name) ? files.add(name, Number(name)) : null);
  kernel.spawn(
    function* main(sys: ThreadSys): Task<Exit> {
      const at = yield* announce(sys, "tcp!127.0.0.1!0");
      say("9p", yield* netaddr(sys, at.dir, "local"));
      return yield* acceptsrv(sys, at, files as Anysrv);
    },
    ["peer"],
  );
}

process.on("SIGINT", () => process.exit(0));
const [what] = process.argv.slice(2);
if (what === "http") http();
else if (what === "net") net();
else await ninep();
