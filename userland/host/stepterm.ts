// A stepper on the terminal of this process: keys in, screens out. The terminal is given back in every
// ending: quit, a signal, an exception; and while the process is stopped.

import { emitKeypressEvents } from "node:readline";
import { Screen } from "./ansi.ts";
import { colourful } from "./paint.ts";
import type { Stepper } from "./stepper.ts";

/** What a shell reports of a process that a signal ended. */
const ENDS = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 } as const;

type Emitter = {
  on(event: string, fn: (a: unknown, b: unknown) => void): unknown;
  off(event: string, fn: (a: unknown, b: unknown) => void): unknown;
};

/** A key as node:readline tells of it. */
type Key = {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly sequence?: string;
};

/** Steps until the one at the keys has seen enough; gives the status that this process ends with. */
export async function steponterminal(stepper: Stepper): Promise<number> {
  const { stdin, stdout } = process;
  const screen = new Screen(stdin, stdout, colourful(stdout));
  const draw = (): void =>
    screen.show(stepper.draw({ columns: screen.columns, rows: screen.rows }));
  const give = (): void => screen.give();
  const again = (): void => {
    screen.forget();
    draw();
  };
  const offs: (() => void)[] = [];
  const on = (from: Emitter, event: string, fn: (a: unknown, b: unknown) => void): void => {
    from.on(event, fn);
    offs.push(() => void from.off(event, fn));
  };
  // What read the console before has its hand on the stream still.
  stdin.removeAllListeners("readable");
  emitKeypressEvents(stdin);
  try {
    return await new Promise<number>((resolve, reject) => {
      const guard = (fn: () => void): void => {
        try {
          fn();
        } catch (e) {
          reject(e instanceof Error ? e : new Error(String(e)));
        }
      };
      for (const [signal, status] of Object.entries(ENDS))
        on(process, signal, () => resolve(status));
      on(process, "exit", give);
      on(process, "uncaughtException", (e) =>
        reject(e instanceof Error ? e : new Error(String(e))),
      );
      on(process, "SIGTSTP", () => stop(give));
      on(process, "SIGCONT", () => guard(() => (screen.take(), again())));
      on(stdout, "resize", () => guard(again));
      on(stdout, "error", () => resolve(ENDS.SIGHUP));
      on(stdin, "end", () => resolve(ENDS.SIGHUP));
      on(stdin, "keypress", (typed, pressed) =>
        guard(() => {
          const [letter, key] = [typeof typed === "string" ? typed : "", pressed as Key];
          if (key.ctrl === true && key.name === "z") return stop(give);
          if (stepper.key(keyname(letter, key), letter)) resolve(0);
          else draw();
        }),
      );
      guard(() => {
        screen.take();
        stdin.ref();
        stdin.resume();
        draw();
      });
    });
  } finally {
    for (const off of offs) off();
    give();
    stdin.pause();
  }
}

/** A key by the name that the stepper knows: "right", "M", "ctrl-c", "return". */
function keyname(letter: string, { name = "", ctrl, sequence = "" }: Key): string {
  if (ctrl === true) return `ctrl-${name}`;
  if (letter.length === 1 && letter > " " && letter !== "\u007F") return letter;
  return name === "" ? sequence : name;
}

/** Stops this process as Ctrl-Z does, with the terminal given back; SIGCONT takes it again. */
function stop(give: () => void): void {
  give();
  process.kill(process.pid, "SIGSTOP");
}
