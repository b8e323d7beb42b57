// Assertions about what a program or one of its calls did. Each gives the same again, so that they can be
// put in a row; one that does not hold throws a Failure, which shows the calls with their messages.

import { parsetime, showtime } from "../boot/units.ts";
import { valuefmt } from "../view/words/callfmt.ts";
import { plural } from "../view/words/stepfmt.ts";
import { same } from "./same.ts";
import { Failure } from "./failure.ts";
import { Call, Run } from "./run.ts";
import type { Message, Told } from "./run.ts";

/**
 * A text that is wanted. Of a message: its name, and any of its words in their order, "Twalk usr/ken",
 * "Tread at 8192", "Rerror permission denied".
 */
export type Want = string | RegExp;

/** Begins assertions about a run, or about a call of it. */
export function expect(what: Call): Expectcall;
export function expect(what: Run): Expectrun;
export function expect(what: Call | Run): Expectcall | Expectrun {
  return what instanceof Call ? new Expectcall(what) : new Expectrun(what);
}

class Expect<T extends Told> {
  protected readonly told: T;

  /** @internal */
  constructor(told: T) {
    this.told = told;
  }

  /** @internal */
  protected fail(operator: string, said: string, d: { actual: unknown; expected: unknown }): never {
    this.told.run.failed = true;
    throw new Failure(`${this.told.what}: ${said}\n\n${this.told.show()}`, { ...d, operator });
  }

  /** Round trips that were waited for. */
  trips(n: number): this {
    const { trips } = this.told;
    if (trips !== n)
      this.fail("trips", `${plural(n, "round trip")} expected, ${trips} made`, {
        actual: trips,
        expected: n,
      });
    return this;
  }

  /** Messages, both ways. */
  messages(n: number): this {
    const { length } = this.told.messages;
    if (length !== n)
      this.fail("messages", `${plural(n, "message")} expected, ${length} passed`, {
        actual: length,
        expected: n,
      });
    return this;
  }

  /** The time it took, exactly: "50ms", or nanoseconds. */
  time(t: string | number): this {
    const want = typeof t === "number" ? t : parsetime(t);
    const { time } = this.told;
    if (time !== want) {
      const [actual, expected] = [exacttime(time), exacttime(want)];
      this.fail("time", `${expected} expected, ${actual} taken`, { actual, expected });
    }
    return this;
  }

  /** All requests, in order. */
  sends(...wants: readonly Want[]): this {
    const sent = this.told.messages.filter((m) => m.request);
    const good = sent.length === wants.length && wants.every((w, i) => fits(sent[i], w));
    if (!good) {
      const actual = sent.map((m) => m.text);
      const expected = wants.map((w, i) => (fits(sent[i], w) ? sent[i]?.text : String(w)));
      const first = expected.findIndex((e, i) => e !== actual[i]);
      const at = first < 0 ? expected.length : first;
      const said = `request ${at + 1} should be ${quoted(wants[at])}, and is ${quoted(actual[at])}`;
      this.fail("sends", said, { actual, expected });
    }
    return this;
  }

  /** These messages, of both ways, in this order; others may be between. */
  order(...wants: readonly Want[]): this {
    const { messages } = this.told;
    let at = 0;
    for (const [i, want] of wants.entries()) {
      const found = messages.findIndex((m, n) => n >= at && fits(m, want));
      if (found < 0) {
        const behind = i === 0 ? "" : ` behind ${quoted(wants[i - 1])}`;
        this.fail("order", `no message ${quoted(want)}${behind}`, {
          actual: messages.map((m) => m.text),
          expected: wants.map(String),
        });
      }
      at = found + 1;
    }
    return this;
  }

  /** None of these messages. */
  never(...wants: readonly Want[]): this {
    for (const want of wants) {
      const found = this.told.messages.find((m) => fits(m, want));
      if (found !== undefined)
        this.fail("never", `${quoted(found.text)} should not have been`, {
          actual: found.text,
          expected: `never ${String(want)}`,
        });
    }
    return this;
  }

  /** @internal */
  protected equal(operator: string, what: string, d: { actual: unknown; expected: unknown }): void {
    if (same(d.actual, d.expected)) return;
    this.fail(operator, `${what}: ${valuefmt(d.expected)} expected, not ${valuefmt(d.actual)}`, d);
  }
}

/** Assertions about a call. */
export class Expectcall extends Expect<Call> {
  /** It failed with this error string; of one that begins with the quoted name, that or what is behind it. */
  fails(want: Want): this {
    const { error } = this.told;
    if (error === null || !says(error, want))
      this.fail("fails", `it should fail with ${quoted(want)}, and gave ${this.told.result}`, {
        actual: error,
        expected: String(want),
      });
    return this;
  }

  /** The call succeeded. */
  succeeds(): this {
    const { error } = this.told;
    if (error !== null)
      this.fail("succeeds", `it failed: ${error}`, { actual: error, expected: null });
    return this;
  }

  /** What it returned; of an object, the fields that are given. */
  gives(value: unknown): this {
    this.succeeds();
    const actual = partof(this.told.value, value);
    this.equal("gives", "the value", { actual, expected: value });
    return this;
  }
}

/** Assertions about a run. */
export class Expectrun extends Expect<Run> {
  /** The names of its calls, in order. */
  calls(...names: readonly string[]): this {
    const actual = this.told.calls.map((c) => c.name);
    this.equal("calls", "the calls", { actual, expected: names });
    return this;
  }

  /** All that it wrote on its console. */
  says(want: Want): this {
    const { output } = this.told;
    if (typeof want === "string" ? output !== want : !want.test(output))
      this.fail("says", `output ${quoted(want)} expected, not ${quoted(output)}`, {
        actual: output,
        expected: want,
      });
    return this;
  }

  /** Its exit status, "" for success; or what it threw, where that was a system call's error. */
  status(want: Want): this {
    const { status } = this.told;
    if (!says(status, want) || (want === "" && status !== ""))
      this.fail("status", `status ${quoted(want)} expected, not ${quoted(status)}`, {
        actual: status,
        expected: String(want),
      });
    return this;
  }

  /** It waits for ever, in a call whose text begins so. */
  hangs(text = ""): this {
    const waiting = this.told.waits ?? [];
    if (!waiting.some((w) => w.startsWith(text)))
      this.fail("hangs", `it should hang in ${text === "" ? "a call" : text}`, {
        actual: waiting,
        expected: [text],
      });
    return this;
  }
}

/** Whether a message is the one that is meant: its name, then words of it in order. */
function fits(m: Message | undefined, want: Want): boolean {
  if (m === undefined) return false;
  if (typeof want !== "string") return want.test(m.text);
  if (m.text === want) return true;
  const words = m.text.split(" ");
  const [name, ...rest] = want.split(" ");
  let at = 0;
  if (name !== words[0]) return false;
  return rest.every((w) => (at = words.indexOf(w, at + 1)) > 0);
}

/** Whether an error string is the one that is meant. */
function says(text: string, want: Want): boolean {
  if (typeof want !== "string") return want.test(text);
  return text === want || (want !== "" && text.replace(/^'[^']*' /, "") === want);
}

/** Of an object the fields that `like` has. */
function partof(value: unknown, like: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (typeof like !== "object" || like === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.keys(like)
      .filter((key) => key in value)
      .map((key) => [key, partof(Reflect.get(value, key), Reflect.get(like, key))]),
  );
}

function quoted(want: Want | undefined): string {
  if (want === undefined) return "nothing";
  return typeof want === "string" ? JSON.stringify(want) : String(want);
}

/** As short as it is exact. */
function exacttime(ns: number): string {
  const short = showtime(ns);
  return parsetime(short) === ns ? short : `${ns}ns`;
}
