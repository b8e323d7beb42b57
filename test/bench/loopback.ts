// In real time, between two processes over loopback TCP: a stream, Node's http and plain sockets move the
// same bytes to a client that counts them. Each server is a process of its own; the clients take turns.

import { get } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import type { Booted } from "../../kernel/boot.ts";
import { MREPL, OREAD, OSTREAM } from "../../kernel/abi/const.ts";
import type { Sys } from "../../syscalls/sys.ts";
import { machine } from "../../userland/host/machine.ts";
import { dial } from "../../userland/lib/dial.ts";
import { mkdir } from "../kit/world.ts";
import { Server } from "./process.ts";

const PEER: string = fileURLToPath(new URL("./peer.js", import.meta.url));
/** What a program reads at a time. */
const BUF = 256 * 1024;

/** Moves a file of so many bytes; gives how many came. */
export type Mover = {
  readonly name: string;
  readonly server: Server;
  readonly move: (length: number) => Promise<number>;
  readonly close: () => Promise<void>;
};

/** The stream: a kernel here, the 9P library there. */
async function stream(): Promise<Mover> {
  const server = await Server.start([PEER, "9p"]);
  const kernel = await machine();
  const todo: { job: ((sys: Sys) => Promise<void>) | null; wake: () => void } = {
    job: null,
    wake: () => undefined,
  };
  const program = kernel.spawn(
    async (sys: Sys) => {
      await mkdir(sys, "/n/peer");
      await sys.mount(await dial(sys, `tcp!127.0.0.1!${server.port}`), -1, "/n/peer", MREPL, "");
      for (;;) {
        const { job } = todo;
        if (job === null) await new Promise<void>((resolve) => (todo.wake = resolve));
        else {
          todo.job = null;
          await job(sys);
        }
      }
    },
    ["bench"],
  );
  void program;
  const buf = new Uint8Array(BUF);
  const move = (length: number): Promise<number> =>
    new Promise((resolve) => {
      todo.job = async (sys) => resolve(await slurp(sys, `/n/peer/${length}`, buf));
      todo.wake();
    });
  const close = async (): Promise<void> => end(kernel, server);
  return { name: "stream", server, move, close };
}

async function end(kernel: Booted, server: Server): Promise<void> {
  await kernel.shutdown();
  await server.stop();
}

async function slurp(sys: Sys, name: string, buf: Uint8Array): Promise<number> {
  const fd = await sys.open(name, OREAD | OSTREAM);
  let n = 0;
  for (let got = -1; got !== 0; n += got) got = await sys.sread(fd, buf);
  await sys.close(fd);
  return n;
}

async function http(): Promise<Mover> {
  const server = await Server.start([PEER, "http"]);
  const move = (length: number): Promise<number> =>
    new Promise((resolve, reject) => {
      let n = 0;
      get({ host: "127.0.0.1", port: server.port, path: `/${length}` }, (res) => {
        res.on("data", (chunk: Buffer) => (n += chunk.length));
        res.on("end", () => resolve(n));
        res.on("error", reject);
      }).on("error", reject);
    });
  return { name: "http", server, move, close: () => server.stop() };
}

async function sockets(): Promise<Mover> {
  const server = await Server.start([PEER, "net"]);
  const move = (length: number): Promise<number> =>
    new Promise((resolve, reject) => {
      let n = 0;
      const socket = connect({ host: "127.0.0.1", port: server.port, noDelay: true });
      socket.on("connect", () => socket.write(String(length)));
      socket.on("data", (chunk) => (n += chunk.length));
      socket.on("end", () => resolve(n));
      socket.on("error", reject);
    });
  return { name: "net", server, move, close: () => server.stop() };
}

/** The contestants. */
export async function movers(): Promise<Mover[]> {
  return [await stream(), await http(), await sockets()];
}

/** Bytes a second, and seconds of processor time for each GB, here and at the server. */
export type Moved = {
  readonly name: string;
  readonly rate: number;
  readonly here: number;
  readonly there: number;
};

/** Lets each move the file in turns; medians. */
export async function race(
  list: readonly Mover[],
  length: number,
  rounds: number,
): Promise<Moved[]> {
  const all = list.map((): Moved[] => []);
  for (let round = 0; round <= rounds; round++)
    for (const [i, m] of list.entries()) {
      const [cpu, cputhere] = [process.cpuUsage(), m.server.cpu() ?? 0];
      const began = performance.now();
      const n = await m.move(length);
      const took = performance.now() - began;
      if (n !== length) throw new Error(`${m.name}: ${n} bytes of ${length} came`);
      const used = process.cpuUsage(cpu);
      // The first round is to warm up.
      if (round > 0)
        all[i]?.push({
          name: m.name,
          rate: (length / took) * 1000,
          here: ((used.user + used.system) / 1e6 / length) * 1e9,
          there: (((m.server.cpu() ?? 0) - cputhere) / 1000 / length) * 1e9,
        });
    }
  return list.map(({ name }, i) => {
    const mid = (key: "rate" | "here" | "there"): number => {
      const sorted = (all[i] ?? []).map((r) => r[key]).toSorted((a, b) => a - b);
      return sorted[sorted.length >> 1] ?? 0;
    };
    return { name, rate: mid("rate"), here: mid("here"), there: mid("there") };
  });
}
