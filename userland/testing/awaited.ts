// System calls that are not awaited: an async program that forgets `await`, a generator program that forgets
// `yield*`, whose call is then never made. The kit gives programs system calls whose results know whether they
// were asked for.

import { callfmt } from "../view/words/callfmt.ts";
import { PlanError } from "../../kernel/abi/errors.ts";
import type { Program } from "../../kernel/proc/trap.ts";

/** A call as it was made: the program has not asked for its result yet. */
export type Unasked = {
  readonly name: string;
  readonly args: readonly unknown[];
  /** Made where the call was: its stack becomes a text only when somebody reads it. */
  readonly at: Error | null;
  /** What it failed with. */
  error: PlanError | null;
};

/** A call in words: write(1, "a"). */
export function unaskedfmt(u: Unasked): string {
  return callfmt(u);
}

/** Notes the calls of a program, and those of its children, until their results are asked for. */
export type Watched = {
  readonly unasked: Set<Unasked>;
  /** Whether their stacks are wanted. */
  readonly stacks: boolean;
  /** A program begins, and its main function ends by itself. */
  begin(): (() => void) | undefined;
};

/** A promise's own, which tells nothing. */
const plainthen = (p: Promise<unknown>, done: unknown, failed: unknown): unknown =>
  Reflect.apply(Reflect.get(Promise.prototype, "then") as () => unknown, p, [done, failed]);

/** A result that knows when it is awaited. */
class Called extends Promise<unknown> {
  /** Set when it is made; a promise of Promise's own methods has none. */
  asked: (() => void) | null = null;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // How an `await` is told.
  // oxlint-disable-next-line unicorn/no-thenable
  override then<A = unknown, B = never>(
    done?: ((value: unknown) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.asked?.();
    return plainthen(this, done, failed) as Promise<A | B>;
  }
}

/** Frames from a system call to the program's line, through any library function. */
const DEEP = 30;

function here(): Error {
  const how: ErrorConstructor & { stackTraceLimit?: number } = Error;
  const { stackTraceLimit = 10 } = how;
  how.stackTraceLimit = DEEP;
  const e = new Error("here");
  how.stackTraceLimit = stackTraceLimit;
  return e;
}

type Anycall = (...args: readonly unknown[]) => unknown;
const Generatorfunction: unknown = Object.getPrototypeOf(function* () {}).constructor;
/** The program, with system calls that are watched. */
export function watched(main: Program, w: Watched): Program {
  const program = main as unknown as (sys: object, argv: string[]) => unknown;
  const made =
    main.constructor === Generatorfunction
      ? function* (sys: object, argv: string[]): Generator<unknown, unknown, unknown> {
          const end = w.begin();
          try {
            return yield* program(watchedsys(sys, w), argv) as Generator;
          } finally {
            end?.();
          }
        }
      : async (sys: object, argv: string[]): Promise<unknown> => {
          const end = w.begin();
          try {
            return await program(watchedsys(sys, w), argv);
          } finally {
            end?.();
          }
        };
  Object.defineProperty(made, "name", { value: main.name });
  return made as unknown as Program;
}

const THREADS: readonly string[] = ["threadcreate", "threadbegin", "threadint"];

function watchedsys(sys: object, w: Watched): object {
  const made: Record<string, unknown> = {};
  for (const [name, call] of Object.entries(sys) as [string, Anycall][])
    made[name] = THREADS.includes(name) ? call : watchedcall(name, call, w);
  return made;
}

/** A child's program is watched, too. */
function watchedcall(name: string, call: Anycall, w: Watched): Anycall {
  return (...given) => {
    const [flags, child] = given;
    const args =
      name === "rfork" && typeof child === "function"
        ? [flags, watched(child as Program, w)]
        : given;
    const unasked: Unasked = { name, args: given, at: w.stacks ? here() : null, error: null };
    const result = call(...args);
    w.unasked.add(unasked);
    const asked = (): void => void w.unasked.delete(unasked);
    if (!(result instanceof Promise)) return begun(result, asked);
    const failed = (e: unknown): void => void (e instanceof PlanError && (unasked.error = e));
    return promised(result, asked, failed);
  };
}

function promised(
  p: Promise<unknown>,
  asked: () => void,
  failed: (e: unknown) => void,
): Promise<unknown> {
  const c = new Called((resolve, reject) => void p.then(resolve, reject));
  // A failure that the program does not ask for is an unread -1, and no end of the test runner.
  plainthen(c, undefined, failed);
  c.asked = asked;
  return c;
}

/** What a generator program's call gives: `yield*` asks it for its iterator. */
function begun(task: unknown, asked: () => void): unknown {
  if (typeof task !== "object" || task === null) return task;
  Object.defineProperty(task, Symbol.iterator, {
    value: () => {
      asked();
      return task;
    },
  });
  return task;
}
