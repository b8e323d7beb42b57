// Random programs of rc, made by a grammar from a seed, and what must hold of each: it ends, or says a syntax error;
// nothing crashes, panics or hangs; nothing is left behind, not even when everything is killed half-way.

import { utfdecode } from "../../kernel/abi/utf.ts";
import type { Tty } from "../../kernel/proc/tty.ts";
import type { Audit } from "../../kernel/kernel.ts";
import type { Exit, Task } from "../../syscalls/sys.ts";
import { bindir } from "../../userland/bin/index.ts";
import rc from "../../userland/bin/rc.ts";
import { boot, chance } from "../../userland/boot/boot.ts";
import type { ThreadSys } from "../../userland/lib/both.ts";
import { readdir } from "../../userland/lib/dirread.ts";
import { writefile } from "../../userland/lib/io.ts";
import { PlanError } from "../../kernel/abi/errors.ts";

/** How deep commands are in one another. */
const DEPTH = 4;
/** What is put into a program to make it wrong. */
const NOISE = "(){};&|<>^=`'$#~!@\n\\[]* \"x1";

/** Makes programs. */
export class Grammar {
  readonly #chance: (n: number) => number;
  /** Noise in its condition would make a loop endless: a program has one or the other. */
  readonly #noisy: boolean;

  constructor(seed: number) {
    this.#chance = chance(seed);
    this.#noisy = this.#chance(8) === 0;
  }

  #one<T>(list: readonly T[]): T {
    const item = list[this.#chance(list.length)];
    if (item === undefined) throw new Error("an empty list");
    return item;
  }

  #some(max: number, make: () => string, sep: string): string {
    return Array.from({ length: 1 + this.#chance(max) }, make).join(sep);
  }

  /** A program of a few lines; one in eight has some noise in it. */
  program(): string {
    let text = `${this.#line()}\n${this.#some(5, () => this.#line(), "\n")}`;
    for (let n = this.#noisy ? 1 + this.#chance(3) : 0; n > 0; n--) {
      const at = this.#chance(text.length);
      text = text.slice(0, at) + this.#one(Array.from(NOISE)) + text.slice(at + this.#chance(2));
    }
    return `fn t { status='' }\nfn f { echo f $*; status=$1 }\n${text}\n`;
  }

  #line(): string {
    if (this.#chance(10) === 0)
      return `cat ${this.#one(["", ">/tmp/h", "|wc"])} <<${this.#one(["E", "'E'"])}\n$x $1 $$ $x^y\nE`;
    return this.#some(2, () => this.#command(DEPTH), ";");
  }

  #word(depth: number): string {
    const x = this.#one(["x", "y", "z", "*", "status", "nosuch"]);
    switch (this.#chance(depth > 0 ? 14 : 9)) {
      case 0:
        return `$${x}`;
      case 1:
        return this.#one([`$#${x}`, `$"${x}`, `$${x}(1)`, `$${x}(2-)`]);
      case 2:
        return this.#one(["'a b'", "''", "'it''s'", "/tmp/*", "[a-c]", "?", "/bin/l*"]);
      case 3:
        return `(${this.#one(["", "a", "a b", "a b c"])})`;
      case 9:
        return `\`{${this.#command(depth - 1)}}`;
      case 10:
        return `(${this.#word(depth - 1)} ${this.#word(depth - 1)})`;
      case 11:
        return `${this.#word(depth - 1)}^${this.#one(["a", "(1 2)", "$x"])}`;
      case 12:
        return `<{${this.#command(depth - 1)}}`;
      default:
        return this.#one([
          "a",
          "b",
          "abc",
          "1",
          "2",
          "0",
          "-n",
          "/tmp",
          "/tmp/f",
          "/dev/null",
          ".",
        ]);
    }
  }

  #simple(depth: number): string {
    const words = (): string => this.#some(3, () => this.#word(depth), " ");
    switch (this.#chance(12)) {
      case 0:
        return `f ${words()}`;
      case 1:
        return this.#one(["t", "wait", "shift", "cd /tmp", "whatis x f ls", "flag e", "rfork e"]);
      case 2:
        return `eval '${this.#one(["x=(1 2 3)", "echo e $x", "fn g { echo g }", "echo ("])}'`;
      case 3:
        return this.#one(["seq 5", "ls /tmp", "cat /dev/null", "pwd", "nosuchcommand", "sleep 0"]);
      case 4:
        return `test ${this.#one(["-d /tmp", "-f /tmp/f", "1 -eq 1", "a '=' b", "-e"])}`;
      case 5:
        return `~ ${this.#word(depth)} ${words()}`;
      default:
        return `echo ${words()}`;
    }
  }

  #redirected(command: string): string {
    if (this.#chance(4) > 0) return command;
    const file = this.#one(["/tmp/f", "/tmp/g", "/dev/null", "/nonexistent/f", "$x"]);
    return `${command} ${this.#one([`>${file}`, `>>${file}`, `<${file}`, ">[2=1]", ">[1=]", "<[0=]", ">[2]/dev/null"])}`;
  }

  #command(depth: number): string {
    if (depth === 0) return this.#redirected(this.#simple(0));
    const below = (): string => this.#command(depth - 1);
    switch (this.#chance(22)) {
      case 0:
        return `if(${below()}) ${below()}`;
      case 1:
        return `{ ${this.#some(3, below, "; ")} }`;
      case 2:
        return `for(${this.#one(["i", "x"])} in ${this.#one(["a b c", "$x", "()", "`{seq 3}"])}) ${below()}`;
      case 3:
        if (this.#noisy) return below();
        return `{ *=(${this.#one(["", "1", "1 2 3"])}); while(! ~ $#* 0) { ${below()}; *=$*(2-) } }`;
      case 4:
        return `switch(${this.#word(1)}){ case a b; ${below()}\ncase *\n${below()}\n}`;
      case 5:
        return this.#redirected(`@{ ${below()} }`);
      case 6:
        return `${below()} & wait`;
      case 7:
      case 8:
        return `${below()} | ${this.#one(["cat", "wc", "sort", "sed 2q", "tr a-z A-Z", "grep a", below()])}`;
      case 9:
        return `${below()} ${this.#one(["&&", "||"])} ${below()}`;
      case 10:
        return `! ${below()}`;
      case 11:
        return `x=${this.#word(1)} ${this.#one(["", "y=2 "])}${this.#simple(1)}`;
      case 12:
      case 13:
        return `${this.#one(["x", "y", "z"])}=${this.#word(2)}`;
      case 14:
        return `fn ${this.#one(["g", "h"])} { ${below()} }`;
      default:
        return this.#redirected(this.#simple(depth));
    }
  }
}

/** What became of a program. */
export type Fate = {
  /** What went wrong: "" if nothing. */
  readonly wrong: string;
  /** It was parsed, and ran three commands or more. */
  readonly ran: boolean;
};

/** How long a program may take, in ms of the host's time. */
const LIMIT = 20_000;
/** Time enough, in virtual ms, for all that runs behind to end. */
const AFTER = 100_000;

/** Commands that a program must run to count. */
const COMMANDS = 3;

/** A console that counts the commands which -x shows, and sees whether a line could not be parsed. */
class Counting implements Tty {
  commands = 0;
  wrong = false;

  *write(): Task<void> {}

  *writeerr(bytes: Uint8Array): Task<void> {
    const text = utfdecode(bytes, 0, bytes.length);
    if (/^rc: (line [0-9]+: ).*syntax/.test(text)) this.wrong = true;
    else if (!/^[^ ]*: /.test(text)) this.commands++;
  }

  *read(): Task<Uint8Array> {
    return new Uint8Array(0);
  }
}

/** What an audit finds. */
function left(a: Audit): string {
  const all = [...a.procs, ...a.chans, ...a.fids, ...a.tags];
  return all.length === 0 ? "" : `left: ${all.join(", ")}`;
}

/** Kills every process of rc and its commands that there is. */
function* killall(sys: ThreadSys, but: ReadonlySet<string>): Task<void> {
  for (const d of yield* readdir(sys, "/proc")) {
    if (but.has(d.name)) continue;
    try {
      yield* writefile(sys, `/proc/${d.name}/ctl`, "kill");
    } catch (e) {
      if (!(e instanceof PlanError)) throw e;
    }
  }
}

/** Runs a program; with `kill`, everything is killed when so many other processes' turns have passed. */
export async function fate(text: string, kill: number | null = null): Promise<Fate> {
  const k = await boot({ clock: "virtual", files: { bin: bindir, tmp: {} } });
  const tty = new Counting();
  const p = k.spawn(rc, ["rc", "-x", "-c", text], { tty });
  if (kill !== null) {
    const own = new Set(["1", `${p.pid + 1}`]);
    k.spawn(function* (sys: ThreadSys): Task<Exit> {
      for (let n = 0; n < kill; n++) yield* sys.sleep(0);
      yield* killall(sys, own);
    });
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("does not end"), LIMIT);
  });
  const run = async (): Promise<string> => {
    await p.wait();
    if (p.crash !== undefined)
      return `crashes: ${p.crash instanceof Error ? p.crash.message : "?"}`;
    await k
      .spawn(function* (sys: ThreadSys): Task<Exit> {
        yield* sys.sleep(AFTER);
      })
      .wait();
    const alive = [...k.procs.values()].filter((x) => x !== k.proc0);
    return alive.length === 0 ? "" : `runs on: ${alive.map((x) => x.text).join(" ")}`;
  };
  let wrong = "";
  try {
    wrong = await Promise.race([run(), late]);
  } catch (e) {
    wrong = `panics: ${e instanceof Error ? e.message : "?"}`;
  }
  clearTimeout(timer);
  const ran = tty.commands >= COMMANDS && !tty.wrong;
  await k.shutdown();
  return { wrong: wrong || left(k.audit()), ran };
}
