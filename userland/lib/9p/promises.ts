// Servers with async callbacks. The library works with plain answers and Tasks; here a promise of a callback becomes
// a Task that sleeps until the promise is settled, which a flush or the end of the connection interrupts.

import { Eintr, PlanError } from "../../../kernel/abi/errors.ts";
import type { Task } from "../../../syscalls/sys.ts";
import type { ThreadSys } from "../both.ts";
import { istask } from "./answer.ts";
import type { Srv } from "./srv.ts";

/** The callbacks that may be async. */
const CALLBACKS: readonly (keyof Srv<unknown>)[] = [
  "auth",
  "attach",
  "stat",
  "walk1",
  "walk",
  "open",
  "create",
  "stream",
  "read",
  "write",
  "wstat",
  "remove",
  "clunk",
];

/** A callback that gives no promise. */
type Plain<F> = F extends (...args: infer P) => infer R
  ? (...args: P) => Exclude<R, Promise<unknown>>
  : F;

/** A server as the library calls it: its answers are plain or Tasks. */
export type Plainsrv<A> = { [K in keyof Srv<A>]: Plain<Srv<A>[K]> };

/** Any server. */
export type Anysrv = Srv<unknown>;

type Anyfn = (...args: readonly unknown[]) => unknown;
const Asyncfunction: unknown = Object.getPrototypeOf(async () => undefined).constructor;

const callback = (srv: object, name: keyof Srv<unknown>): Anyfn | null => {
  const fn: unknown = Reflect.get(srv, name);
  return typeof fn === "function" ? (fn as Anyfn) : null;
};

/** The server as the library has it: the same one, unless callbacks of it are async. */
export function settling<A>(sys: ThreadSys, srv: Srv<A>): Plainsrv<A> {
  const made = srv as Plainsrv<A>;
  const some = CALLBACKS.some((name) => callback(srv, name)?.constructor === Asyncfunction);
  if (!some && srv.async !== true) return made;
  const over: PropertyDescriptorMap = {};
  for (const name of CALLBACKS) {
    const fn = callback(srv, name);
    if (fn === null) continue;
    const value = (...args: readonly unknown[]): unknown => {
      const a = Reflect.apply(fn, srv, args);
      return a instanceof Promise ? settled(sys, a) : a;
    };
    over[name] = { value };
  }
  return Object.create(made, over) as Plainsrv<A>;
}

/** Sleeps until a promise is settled; "interrupted" when its thread is. */
function* settled(sys: ThreadSys, p: Promise<unknown>): Task<unknown> {
  const how = { done: false, failed: false, value: undefined as unknown, waits: false };
  const tag = {};
  const end = (failed: boolean, value: unknown): void => {
    Object.assign(how, { done: true, failed, value });
    if (how.waits) sys.threadcreate(meet(sys, tag));
  };
  p.then(
    (value) => end(false, value),
    (e: unknown) => end(true, e),
  );
  // A turn of the host settles what needs nothing but its turn: no time passes meanwhile.
  yield* sys.sleep(0);
  if (!how.done) {
    how.waits = true;
    try {
      yield* sys.rendezvous(tag, null);
    } finally {
      how.waits = false;
    }
    if (!how.done) throw new PlanError(Eintr);
  }
  if (how.failed) throw how.value;
  return istask(how.value) ? yield* how.value as Task<unknown> : how.value;
}

function* meet(sys: ThreadSys, tag: object): Task<void> {
  yield* sys.rendezvous(tag, null);
}
