// Answers that may take time: a value, or a generator that returns the value later. The functions here pass on
// what a generator yields while it waits, and do not look at it: so the kernel and programs share them.

type Waiting<T, Y> = Generator<Y, T, void>;

/** A generator with nothing left to do, for a plain function whose caller writes `yield*`. */
export const DONE: Generator<never, void, void> = (function* () {})();

/** What all generators inherit from, as something for instanceof, which is the cheapest way to tell one. */
const Generators: Function = function () {};
Generators.prototype = Object.getPrototypeOf(Object.getPrototypeOf(DONE));

/** Whether an answer still has to be waited for. */
export function istask<T, Y>(a: T | Waiting<T, Y>): a is Waiting<T, Y> {
  return a instanceof Generators && a !== DONE;
}

/** Makes the instances of a class, which has a generator's methods, pass for generators. */
export function likegenerators(prototype: object): void {
  Object.setPrototypeOf(prototype, Generators.prototype);
}

/** fn of the answer, when it is there. */
export function andthen<T, R, Y>(
  a: T | Waiting<T, Y>,
  fn: (value: T) => R | Waiting<R, Y>,
): R | Waiting<R, Y> {
  return istask(a) ? after(a, fn) : fn(a);
}

/** fn of what the task comes to. */
export function* after<T, R, Y>(
  task: Waiting<T, Y>,
  fn: (value: T) => R | Waiting<R, Y>,
): Waiting<R, Y> {
  const r = fn(yield* task);
  return istask(r) ? yield* r : r;
}

/** The answer of first; last comes when that is there, also if it failed. */
export function always<T, Y>(
  first: () => T | Waiting<T, Y>,
  last: () => void | Waiting<void, Y>,
): T | Waiting<T, Y> {
  let a: T | Waiting<T, Y>;
  try {
    a = first();
  } catch (e) {
    return failafter(last(), e);
  }
  if (istask(a)) return alwaystask(a, last);
  const b = last();
  return istask(b) ? valueafter(b, a) : a;
}

/** Fails with e when the answer is there. */
export function failafter<Y>(a: void | Waiting<void, Y>, e: unknown): Waiting<never, Y> {
  if (istask(a)) return fail(a, e);
  throw e;
}

function* fail<Y>(task: Waiting<void, Y>, e: unknown): Waiting<never, Y> {
  yield* task;
  throw e;
}

/** The value, when the task is done. */
export function* valueafter<T, Y>(task: Waiting<void, Y>, value: T): Waiting<T, Y> {
  yield* task;
  return value;
}

function* alwaystask<T, Y>(
  task: Waiting<T, Y>,
  last: () => void | Waiting<void, Y>,
): Waiting<T, Y> {
  try {
    return yield* task;
  } finally {
    const b = last();
    if (istask(b)) yield* b;
  }
}
