// A server of a test: a simulated machine that serves files, the link to it, and what it holds. It counts
// the fids that its clients have, so that a test sees one that was never given back.

import type { Booted } from "../../kernel/boot.ts";
import { MCREATE, MREPL } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { thishost } from "../boot/host.ts";
import { mkpath } from "../boot/mounts.ts";
import type { Net, Netlink } from "../boot/net.ts";
import type { Linkspec } from "../boot/net.ts";
import type { Anysrv } from "../lib/9p.ts";
import { Conn } from "../lib/9p/conn.ts";
import { Log } from "../lib/9p/log.ts";
import { Shares } from "../lib/9p/shares.ts";
import { speaking } from "../lib/9p/srv.ts";
import type { ThreadSys } from "../lib/both.ts";
import { accept, announce, dial, listen } from "../lib/dial.ts";
import type { Call } from "../lib/dial.ts";
import { getuser } from "../lib/proc.ts";
import { newram } from "../lib/ram.ts";
import { gather, plant } from "./files.ts";
import type { Files } from "./files.ts";
import { checkoptions } from "./options.ts";

/** What a server is, and how far away: a millisecond there and back unless it says. */
export type Serveropts = Partial<Linkspec> & {
  /** The files that it has at first, as an object of names. */
  readonly files?: Files;
  /** The best version of 9P that it speaks. */
  readonly version?: "9P2000" | "9P2000.ix" | "9P2000.ix.stream";
  /** Where it is mounted: /n/NAME. null: nowhere. */
  readonly on?: string | null;
  /** Links to other servers, by their names, for one that is a client of theirs. */
  readonly links?: Readonly<Record<string, Linkspec>>;
  /** Serves this in place of files in memory: `fossil()`, or a server of the test's own. */
  readonly serve?: (sys: ThreadSys) => Anysrv | Task<Anysrv>;
};

const OPTS: readonly (keyof Serveropts)[] = [
  "rtt",
  "bw",
  "bwback",
  "jitter",
  "loss",
  "files",
  "version",
  "on",
  "links",
  "serve",
];

/** Nanoseconds of the host that a server may take to begin. */
const STARTS = 30e9;
const ADDR = "tcp!*!9fs";
const NEAR = "/n/mine";

/** A machine with a 9P server, and the link to it. */
export class Server {
  /** Its name on the network. */
  readonly name: string;
  /** Its kernel. */
  readonly kernel: Booted;
  /** The link to it. */
  readonly link: Netlink;
  /** Its links to other servers. */
  readonly links: Map<string, Netlink> = new Map();
  /**
   * What its callbacks have thrown that was no answer, with the stack: "far: TypeError: ...". The end of the
   * machine complains of them; a test that wants them takes them away: `far.faults.splice(0)`.
   */
  readonly faults: string[] = [];
  readonly #opts: Serveropts;
  readonly #conns = new Set<Conn<unknown>>();

  private constructor(name: string, kernel: Booted, link: Netlink, opts: Serveropts) {
    this.name = name;
    this.kernel = kernel;
    this.link = link;
    this.#opts = opts;
  }

  /** Boots the machine, lays the link from `here`, and serves; the files are there when this resolves. @internal */
  static async start(net: Net, here: string, name: string, opts: Serveropts): Promise<Server> {
    checkoptions("server", opts, OPTS);
    const kernel = await net.boot(name);
    const { rtt = "1ms", files, version: _v, on: _on, serve: _s, links = {}, ...spec } = opts;
    const s = new Server(name, kernel, net.link(here, name, { rtt, ...spec }), opts);
    for (const [other, far] of Object.entries(links))
      s.links.set(other, net.link(name, other, far));
    await s.#serve();
    if (files !== undefined) await s.#within((sys) => plant(sys, NEAR, files));
    return s;
  }

  /**
   * Hangs up every connection to the server. Calls go unanswered until heal().
   *
   * @example
   * ```ts
   * far.cut();
   * ```
   */
  cut(): void {
    this.link.cut();
  }

  /**
   * Ends a cut: new calls go through. What is to be used again has to be mounted again.
   *
   * @example
   * ```ts
   * far.heal();
   * ```
   */
  heal(): void {
    this.link.heal();
  }

  /**
   * Holds up all that moves on the link; nothing is lost.
   *
   * @param time for how long: "1s"
   * @throws Unitserror the time cannot be read
   * @example
   * ```ts
   * far.stall("1s");
   * ```
   */
  stall(time: string): void {
    this.link.stall(time);
  }

  /**
   * Reads what the server holds below a directory, there and not over the link.
   *
   * @param dir a directory: "/" unless given
   * @returns the files by their names: texts, bytes, objects of files
   * @throws Error "NAME: DIR is a file"
   * @throws Error "NAME: ...": the directory cannot be read
   * @example
   * ```ts
   * assert.deepEqual(await far.files("usr/ken"), { plan: "sleep" });
   * ```
   */
  async files(dir = "/"): Promise<Files> {
    const found = await this.#within((sys) => gather(sys, `${NEAR}/${dir}`));
    if (typeof found === "string" || found instanceof Uint8Array)
      throw new Error(`${this.name}: ${dir} is a file`);
    return found;
  }

  /**
   * Reads what a file of the server holds, there and not over the link.
   *
   * @param name the file's name
   * @returns a text, or bytes that are no text
   * @throws Error "NAME: FILE is a directory"
   * @throws Error "NAME: ...": the file cannot be read
   * @example
   * ```ts
   * assert.equal(await far.file("usr/ken/plan"), "sleep");
   * ```
   */
  async file(name: string): Promise<string | Uint8Array> {
    const found = await this.#within((sys) => gather(sys, `${NEAR}/${name}`));
    if (typeof found === "string" || found instanceof Uint8Array) return found;
    throw new Error(`${this.name}: ${name} is a directory`);
  }

  /** Fids that its clients have. */
  get fids(): number {
    let n = 0;
    for (const conn of this.#conns) n += conn.nfids;
    return n;
  }

  /** Runs a task on that machine, with what it serves on NEAR. */
  async #within<T>(task: (sys: ThreadSys) => Task<T>): Promise<T> {
    let got: { readonly value: T } | null = null;
    const p = this.kernel.spawn(
      function* within(sys: ThreadSys): Task<Exit> {
        yield* mkpath(sys, NEAR);
        const fd = yield* dial(sys, "tcp!localhost!9fs");
        yield* sys.mount(fd, -1, NEAR, MREPL | MCREATE, "");
        got = { value: yield* task(sys) };
      },
      ["files"],
    );
    const status = await p.wait();
    const done = got as { readonly value: T } | null;
    if (done === null) throw new Error(`${this.name}: ${status}`);
    return done.value;
  }

  async #serve(): Promise<void> {
    let tell: (e: string | null) => void = () => undefined;
    const ready = new Promise<string | null>((resolve) => (tell = resolve));
    const p = this.kernel.spawn(
      this.#program(() => tell(null)),
      ["serve"],
    );
    void p.wait().then(tell, (e: unknown) => tell(String(e)));
    const cancel = thishost.alarm(STARTS, () =>
      tell(`serve has given no server in ${STARTS / 1e9} s`),
    );
    const failed = await ready;
    cancel();
    if (failed !== null) throw new Error(`${this.name}: cannot serve: ${failed}`);
  }

  #program(ready: () => void): (sys: ThreadSys) => Task<Exit> {
    const [conns, { serve = ramfs, version }] = [this.#conns, this.#opts];
    const hear = (fault: string): void => void this.faults.push(`${this.name}: ${fault}`);
    return function* (sys): Task<Exit> {
      const made = serve(sys);
      const srv = "next" in made ? yield* made : made;
      const best = version === undefined ? srv : speaking(srv, version);
      const at = yield* announce(sys, ADDR);
      ready();
      for (;;) {
        const call = yield* listen(sys, at.dir);
        sys.threadcreate(answer(sys, { call, srv: best, conns, hear }));
      }
    };
  }
}

function* ramfs(sys: ThreadSys): Task<Anysrv> {
  return newram(sys, { user: yield* getuser(sys), perm: 0o777 });
}

/** A call that is answered, with what, and who hears of faults. */
type Answering = {
  readonly call: Call;
  readonly srv: Anysrv;
  readonly conns: Set<Conn<unknown>>;
  readonly hear: (fault: string) => void;
};

function* answer(sys: ThreadSys, a: Answering): Task<void> {
  let fd: number;
  try {
    fd = yield* accept(sys, a.call);
  } catch (e) {
    if (e instanceof PlanError) return; // gone already
    throw e;
  }
  const shares = new Shares(a.srv, new Log(sys, a.hear));
  const conn = new Conn(sys, { in: fd, out: fd }, a.srv, shares);
  a.conns.add(conn);
  yield* conn.run();
  a.conns.delete(conn);
}
