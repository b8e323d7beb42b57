// The machine of the terminal, in the worker: it boots, logs in, and lives on from line to line. The page has
// the terminal and edits the lines; here is the console that they come to.
//
// Output waits while the page has not shown what came before, so a program that writes without end cannot
// fill the page's memory, and it hears an interrupt.

import type { Booted } from "../../kernel/boot.ts";
import { Rendez } from "../../kernel/boot.ts";
import { DMDIR } from "../../kernel/abi/const.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import { utfencode } from "../../kernel/abi/utf.ts";
import type { Process } from "../../kernel/proc/spawn.ts";
import type { Task } from "../../kernel/proc/rendez.ts";
import type { Tty } from "../../kernel/proc/tty.ts";
import type { Exit } from "../../syscalls/sys.ts";
import { Kbdq } from "../boot/kbdq.ts";
import { bindir } from "../boot/bin.ts";
import { boothosts } from "../boot/hosts.ts";
import { hostof } from "../boot/simhost.ts";
import type { Here } from "../boot/hosts.ts";
import { complete, lastword } from "../boot/complete.ts";
import { login, postgroup } from "../boot/login.ts";
import { mounted } from "../boot/mounts.ts";
import type { ThreadSys } from "../lib/both.ts";
import { readdir } from "../lib/dirread.ts";
import { readtext, writefile } from "../lib/io.ts";
import { NAMESPACE } from "../lib/namespace.ts";
import { withkept } from "./kept.ts";
import type { Keptdisk } from "./kept.ts";
import { Lines } from "./lines.ts";
import type { Begin, Edited, Found, Machinesaid, Typed } from "./talk.ts";
import type { Recording } from "../view/record/recording.ts";

/** Letters of output that may be on their way to the screen. */
const LETTERS = 50_000;

/** The longest file that the editor takes, in bytes. */
const MOST = 200_000;

const INTERRUPT = "\u0003";

/** What a machine says, and how it gives a recording away. */
export type Page = {
  readonly say: (m: Machinesaid) => void;
  readonly give: (recording: Recording) => void;
  /** The disk of the kept files; the page's word that it has stored something goes there at once. */
  readonly kept: Keptdisk | null;
};

/** Boots the machine of a terminal and begins its rc. */
export async function newmachine(begin: Begin, page: Page): Promise<Machine> {
  const tty = new Pagetty(page);
  const { name, text } = begin.file;
  const usr = { glenda: { bin: { rc: {} }, keep: {}, lib: {}, [name]: text } };
  const files = { bin: bindir, lib: { namespace: NAMESPACE }, mnt: {}, tmp: {}, usr };
  const here = await boothosts(
    { clock: "real", namespace: begin.space, tty, files },
    { hosts: begin.hosts.map(hostof), seed: begin.seed },
  );
  return await Machine.begin(here, begin, { tty, page });
}

/** A machine that is up. */
export class Machine {
  readonly #kernel: Booted;
  readonly #shell: Process;
  readonly #tty: Pagetty;
  readonly #page: Page;
  readonly #lines: Lines;

  private constructor(kernel: Booted, shell: Process, lines: Lines, to: To) {
    this.#kernel = kernel;
    this.#shell = shell;
    this.#lines = lines;
    this.#tty = to.tty;
    this.#page = to.page;
    this.#tty.lines = lines;
  }

  static async begin(here: Here, begin: Begin, to: To): Promise<Machine> {
    const { kernel } = here;
    const lines = new Lines(kernel, begin);
    const far = await mounted(kernel, here.mounts);
    const { kept } = to.page;
    const like = (kept === null ? null : await withkept(kernel, kept, far)) ?? far;
    const shell = login(kernel, ["rc", "-i"], { tty: to.tty, like, timezone: "" });
    like?.kill();
    if (far !== like) far?.kill();
    const machine = new Machine(kernel, shell, lines, to);
    void shell.wait().then(async () => {
      await here.shutdown();
      to.page.say({ kind: "down", why: "rc has ended" });
    });
    return machine;
  }

  /** Takes what the terminal says. */
  take(m: Exclude<Typed, Begin | { readonly kind: "stored" }>): void {
    switch (m.kind) {
      case "typed":
        this.#typed(m.text);
        return;
      case "interrupt":
        postgroup(this.#kernel, this.#shell, "interrupt");
        return;
      case "taken":
        this.#tty.taken(m.letters);
        return;
      case "complete":
        void this.#complete(m.line, m.asked);
        return;
      case "file":
        this.#write(m.file);
        return;
      case "look":
        this.#look(m.path);
        return;
      case "open": {
        const recording = this.#lines.recording(m.line);
        if (recording !== null) this.#page.give(recording);
      }
    }
  }

  #typed(text: string): void {
    if (this.#tty.raw && text === INTERRUPT) {
      postgroup(this.#kernel, this.#shell, "interrupt");
      return;
    }
    if (!this.#tty.raw && text.trim() !== "") {
      const line = this.#lines.begin(text.trimEnd());
      this.#page.say({ kind: "line", line, text: text.trimEnd() });
    }
    this.#tty.typed(text);
  }

  async #complete(line: string, asked: number): Promise<void> {
    const found = await complete(this.#kernel, this.#shell, line);
    this.#page.say({ kind: "names", asked, word: lastword(line).word, found });
  }

  /** Tells what is at a path: the files of a directory, or a file's text as far as the editor takes it. */
  #look(path: string): void {
    const say = (found: Found): void => this.#page.say({ kind: "found", found });
    const look = function* (sys: ThreadSys): Task<Exit> {
      try {
        const { mode, length } = yield* sys.stat(path);
        if ((mode & DMDIR) === 0) {
          if (length > MOST)
            throw new PlanError(`file of ${length} bytes is too long for the editor`);
          return say({ what: "file", path, text: yield* readtext(sys, path) });
        }
        const list = (yield* readdir(sys, path))
          .map((d) => ({ name: d.name, dir: (d.mode & DMDIR) !== 0, length: Number(d.length) }))
          .toSorted((a, b) => (a.name < b.name ? -1 : 1));
        say({ what: "dir", path, list });
      } catch (e) {
        if (!(e instanceof PlanError)) throw e;
        say({ what: "error", path, text: e.message });
      }
    };
    this.#kernel.spawn(look, ["files"], { tty: this.#tty, like: this.#shell });
  }

  /** The editor's file, as it is now. */
  #write({ name, text }: Edited): void {
    const { user } = this.#kernel.config;
    const write = function* (sys: ThreadSys): Task<Exit> {
      yield* writefile(sys, `/usr/${user}/${name}`, text);
    };
    this.#kernel.spawn(write, ["editor"], { tty: this.#tty });
  }
}

type To = { readonly tty: Pagetty; readonly page: Page };

/** The console: what is typed comes from the page, what is written goes there. */
class Pagetty implements Tty {
  readonly terminals: readonly number[] = [0, 1, 2];
  raw = false;
  lines: Lines | null = null;
  readonly #page: Page;
  readonly #ready = new Rendez("page input");
  readonly #room = new Rendez("page output");
  readonly #decoders = { out: new TextDecoder(), err: new TextDecoder() };
  readonly #typed = new Kbdq();
  /** Letters that the page has not shown yet. */
  #letters = 0;

  constructor(page: Page) {
    this.#page = page;
  }

  typed(text: string): void {
    this.#typed.add(utfencode(text));
    this.#ready.wakeupall();
  }

  taken(letters: number): void {
    this.#letters -= letters;
    this.#room.wakeupall();
  }

  write(bytes: Uint8Array): Task<void> {
    return this.#write("out", bytes);
  }

  writeerr(bytes: Uint8Array): Task<void> {
    return this.#write("err", bytes);
  }

  *#write(to: "out" | "err", bytes: Uint8Array): Task<void> {
    const text = this.#decoders[to].decode(bytes, { stream: true });
    while (this.#letters > LETTERS) yield this.#room;
    if (text === "") return;
    this.#letters += text.length;
    this.lines?.said(to, text);
    this.#page.say({ kind: "wrote", text });
  }

  *read(n: number): Task<Uint8Array> {
    while (this.#typed.empty) {
      this.lines?.end();
      this.#page.say({ kind: "reads", raw: this.raw });
      yield this.#ready;
    }
    return this.#typed.take(n);
  }

  /** rawon and rawoff of consctl. */
  ctl(message: string): void {
    if (message === "rawon") this.raw = true;
    else if (message === "rawoff") this.raw = false;
  }
}
