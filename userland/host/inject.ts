// The option --inject: faults of 9P messages and of system calls that begin when the program does, so that the
// mounts made before it are spared and both are counted from there. A fault that never happened is told, since
// nothing was tested.

import { Faults } from "../../devices/fault/faults.ts";
import type { Anyfault } from "../../devices/fault/faults.ts";
import { parsefault, unfired } from "../boot/inject.ts";
import { Unitserror } from "../boot/units.ts";
import { visible } from "../view/words/text.ts";
import { Usage } from "./command.ts";
import type { Given, Option } from "./command.ts";

/** The option, for commands that run programs. */
export const injectoption: Option = {
  name: "inject",
  values: ["FAULT"],
  text: `a fault of 9P messages or of system calls; may be repeated. 'Tread:when=3:error=i/o error' is MSG[,MSG...][:when=W][:conn=C]:EFFECT. MSG is a request (Tread), a reply (Rread), T*, R* or *. W counts such messages since the program began: N, that one; N+, all from there; N..M; N+STEP. C is the number of a connection, or the machine at its other end. EFFECT is error=TEXT (a request does not reach the server, and fails so; a reply is replaced), delay=T (of it, and of what follows with its tag), drop, hangup (the connection breaks there) or short=N (a read, write or stream transfers at most N bytes). 'write:path=/tmp/*:when=2:error=file system full' is CALL[,CALL...][:when=W][:path=P][:fd=N][:proc=P]:EFFECT. CALL is a system call, or call for any. P is a file's name, where * is any text, and the number of a process or the name of its program. EFFECT is error=TEXT (the call is not made, and fails so), delay=T, short=N (it gets a buffer of N bytes), note=TEXT (its process gets that note, which interrupts the call where it sleeps) or kill (its process ends there)`,
};

/** The faults that a command was given. */
export class Injecting {
  readonly faults: Faults = new Faults();
  readonly #given: readonly Anyfault[];

  constructor(given: Given) {
    this.#given = given.all("inject").map(([text = ""]) => faultof(text));
  }

  /** The program begins. */
  begin(): void {
    for (const f of this.#given) this.faults.add(f);
  }

  /** The program is over: what was never injected is said on stderr. */
  end(): void {
    for (const line of unfired(this.faults)) process.stderr.write(`namec: ${visible(line)}\n`);
    this.faults.clear();
  }
}

function faultof(text: string): Anyfault {
  try {
    return parsefault(text);
  } catch (e) {
    throw e instanceof Unitserror ? new Usage(`--inject: ${e.message}`, e.hint) : e;
  }
}
