// Assertions about what a program or one of its calls did. Each gives the same again, so that they can be
// put in a row; one that does not hold throws a Failure, which shows the calls with their messages.

import { diffLines } from "diff";
import { parsetime, showtime } from "../boot/units.ts";
import { valuefmt } from "../view/words/callfmt.ts";
import { plural } from "../view/words/text.ts";
import { checkoptions } from "./options.ts";
import { differ, partof, same } from "./same.ts";
import { openedby } from "./left.ts";
import { nanoseconds } from "./limits.ts";
import { Failure } from "./failure.ts";
import { fortest } from "./place.ts";
import type { Failed } from "./failure.ts";
import { Call, Run, around, arrow } from "./run.ts";
import type { Message, Told } from "./run.ts";

/**
 * A text that is wanted. Of a message: its name, and any of its words in their order, "Twalk usr/ken",
 * "Tread at 8192", "Rerror permission denied".
 */
export type Want = string | RegExp;

/** What something may cost at most. */
export type Most = {
  /** Round trips. */
  readonly trips?: number;
  /** Messages, both ways. */
  readonly messages?: number;
  /** Bytes sent and received. */
  readonly bytes?: number;
  /** "50ms", or nanoseconds. */
  readonly time?: string | number;
  /** System calls; of a call itself that is one. */
  readonly calls?: number;
};

const MOST: readonly string[] = ["trips", "messages", "bytes", "time", "calls"];

/**
 * Begins assertions about a call of a run.
 *
 * @param what the call: r.call("open")
 * @returns the assertions
 * @throws TypeError it is neither a run nor a call; a promise above all
 * @example
 * ```ts
 * expect(r.call("open")).trips(1).time("50ms");
 * ```
 */
export function expect(what: Call): Expectcall;
/**
 * Begins assertions about a run.
 *
 * @param what what m.run or m.try gave
 * @returns the assertions
 * @throws TypeError it is neither a run nor a call; a promise above all
 * @example
 * ```ts
 * expect(await m.run(main)).trips(2);
 * ```
 */
export function expect(what: Run): Expectrun;
export function expect(what: Call | Run): Expectcall | Expectrun {
  if (what instanceof Call) return new Expectcall(what);
  if (what instanceof Run) return new Expectrun(what);
  const given: unknown = what;
  const said =
    given instanceof Promise
      ? "expect() got a promise, and what it promises is not there yet: write expect(await m.run(...))"
      : `expect() is about what m.run() gave, or a call of it, not about ${valuefmt(given)}`;
  throw fortest(new TypeError(said));
}

class Expect<T extends Told> {
  protected readonly told: T;

  /** @internal */
  constructor(told: T) {
    this.told = told;
  }

  /** @internal */
  protected fail(said: string, f: Failed, shown: string = this.told.show()): never {
    this.told.run.failed = true;
    throw new Failure(`${this.told.what}: ${said}\n\n${shown}`, f);
  }

  /**
   * Asserts how many round trips were waited for.
   *
   * @param n round trips
   * @returns this, so that assertions can be put in a row
   * @throws Failure "1 round trip expected, 2 made"
   * @example
   * ```ts
   * expect(r).trips(1);
   * ```
   */
  trips(n: number): this {
    const { trips } = this.told;
    if (trips !== n)
      this.fail(`${plural(n, "round trip")} expected, ${trips} made`, {
        actual: trips,
        expected: n,
        operator: "trips",
      });
    return this;
  }

  /**
   * Asserts how many 9P messages passed.
   *
   * @param n messages, both ways
   * @returns this, so that assertions can be put in a row
   * @throws Failure "2 messages expected, 4 passed"
   * @example
   * ```ts
   * expect(r.call("open")).messages(4);
   * ```
   */
  messages(n: number): this {
    const { length } = this.told.messages;
    if (length !== n)
      this.fail(`${plural(n, "message")} expected, ${length} passed`, {
        actual: length,
        expected: n,
        operator: "messages",
      });
    return this;
  }

  /**
   * Asserts how long it took, exactly.
   *
   * @param t "50ms", or nanoseconds
   * @returns this, so that assertions can be put in a row
   * @throws Failure "50ms expected, 100ms taken"
   * @throws Unitserror the text is no time
   * @example
   * ```ts
   * expect(r.call("open")).time("50ms");
   * ```
   */
  time(t: string | number): this {
    const want = nanoseconds("time", t);
    const { time } = this.told;
    if (time !== want) {
      const [actual, expected] = [exacttime(time), exacttime(want)];
      this.fail(`${expected} expected, ${actual} taken`, { actual, expected, operator: "time" });
    }
    return this;
  }

  /**
   * Asserts that it cost at most so much of each thing that is named.
   *
   * @param most limits of round trips, messages, bytes, time, calls
   * @returns this, so that assertions can be put in a row
   * @throws Failure "at most 2 round trips expected, and it took 3 round trips"
   * @throws TypeError a name that there is not
   * @example
   * ```ts
   * expect(r).atMost({ trips: 2, messages: 8, time: "100ms" });
   * ```
   */
  atMost(most: Most): this {
    checkoptions("atMost", most, MOST);
    const { trips, time, bytes, messages, run } = this.told;
    const calls = this.told === (run as Told) ? run.calls.length : 1;
    const cost = { trips, messages: messages.length, bytes, time, calls };
    for (const [name, given] of Object.entries(most) as [keyof Most, string | number][]) {
      const limit = name === "time" ? nanoseconds("time", given) : Number(given);
      if (cost[name] <= limit) continue;
      const [actual, expected] = [amount(name, cost[name]), amount(name, limit)];
      const f = { actual: cost[name], expected: limit, operator: "atMost" };
      this.fail(`at most ${expected} expected, and it took ${actual}`, f);
    }
    return this;
  }

  /**
   * Asserts all requests that were sent, in order.
   *
   * @param wants one text for each request: its name, and any of its words in their order
   * @returns this, so that assertions can be put in a row
   * @throws Failure "request 1 should be ..., and is ..."
   * @example
   * ```ts
   * expect(r.call("open")).sends("Twalk usr/ken", "Topen OREAD");
   * ```
   */
  sends(...wants: readonly Want[]): this {
    const sent = this.told.messages.filter((m) => m.request);
    const good = sent.length === wants.length && wants.every((w, i) => fits(sent[i], w));
    if (!good) {
      const actual = sent.map((m) => m.text);
      const expected = wants.map((w, i) => (fits(sent[i], w) ? sent[i]?.text : String(w)));
      const first = expected.findIndex((e, i) => e !== actual[i]);
      const at = first < 0 ? expected.length : first;
      const said = `request ${at + 1} should be ${quoted(wants[at])}, and is ${quoted(actual[at])}`;
      this.fail(said, { actual, expected, operator: "sends" });
    }
    return this;
  }

  /**
   * Asserts that these messages passed in this order. Others may be between them.
   *
   * @param wants requests or replies
   * @returns this, so that assertions can be put in a row
   * @throws Failure "no message ... after ..."
   * @example
   * ```ts
   * expect(r).order("Tcreate plan", "Twrite", "Rwrite 5");
   * ```
   */
  order(...wants: readonly Want[]): this {
    const { messages } = this.told;
    const matched: number[] = [];
    for (const [i, want] of wants.entries()) {
      const from = (matched.at(-1) ?? -1) + 1;
      const found = messages.findIndex((m, n) => n >= from && fits(m, want));
      if (found < 0) {
        const behind = i === 0 ? "" : ` after ${quoted(wants[i - 1])}`;
        const d = { actual: messages.map((m) => m.text), expected: wants.map(String) };
        const said = `no message ${quoted(want)}${behind}`;
        this.fail(said, { ...d, operator: "order" }, stopped(messages, matched, quoted(want)));
      }
      matched.push(found);
    }
    return this;
  }

  /**
   * Asserts that none of these messages passed.
   *
   * @param wants requests or replies
   * @returns this, so that assertions can be put in a row
   * @throws Failure "... should never come, and ... came"
   * @example
   * ```ts
   * expect(r).never("Tstat");
   * ```
   */
  never(...wants: readonly Want[]): this {
    for (const want of wants) {
      const found = this.told.messages.find((m) => fits(m, want));
      if (found !== undefined)
        this.fail(`${quoted(want)} should never come, and ${quoted(found.text)} came`, {
          actual: found.text,
          expected: `never ${String(want)}`,
          operator: "never",
        });
    }
    return this;
  }
}

/** Assertions about a call. */
export class Expectcall extends Expect<Call> {
  /**
   * Asserts that the call failed with this error.
   *
   * @param want the error string; of one that begins with a quoted name, all of it or what is behind the name
   * @returns this, so that assertions can be put in a row
   * @throws Failure "it should fail with ..., but it succeeded and gave ..."
   * @example
   * ```ts
   * expect(r.call("open")).fails("file does not exist");
   * ```
   */
  fails(want: Want): this {
    const { error } = this.told;
    if (error !== null && says(error, want)) return this;
    const how =
      error === null ? `succeeded and gave ${this.told.result}` : `failed with "${error}"`;
    this.fail(`it should fail with ${quoted(want)}, but it ${how}`, {
      actual: error,
      expected: String(want),
      operator: "fails",
    });
  }

  /**
   * Asserts that the call did not fail.
   *
   * @returns this, so that assertions can be put in a row
   * @throws Failure "it failed: ..."
   * @example
   * ```ts
   * expect(r.call("open")).succeeds();
   * ```
   */
  succeeds(): this {
    const { error } = this.told;
    if (error !== null)
      this.fail(`it failed: ${error}`, { actual: error, expected: null, operator: "succeeds" });
    return this;
  }

  /**
   * Asserts what the call returned.
   *
   * @param value the value; of an object, the fields that are to be looked at
   * @returns this, so that assertions can be put in a row
   * @throws Failure "the value: 5 expected, and it is 4"
   * @throws Failure "it failed: ..."
   * @example
   * ```ts
   * expect(r.call("stat")).gives({ length: 5, uid: "glenda" });
   * ```
   */
  gives(value: unknown): this {
    this.succeeds();
    const d = differ(this.told.value, value, true);
    if (d === null) return this;
    const what = d.at === "" ? "the value" : `the value's ${d.at}`;
    this.fail(`${what}: ${valuefmt(d.expected)} expected, and it is ${valuefmt(d.actual)}`, {
      actual: partof(this.told.value, value),
      expected: value,
      operator: "gives",
    });
  }
}

/** Assertions about a run. */
export class Expectrun extends Expect<Run> {
  /**
   * Asserts the calls of the run, in order.
   *
   * @param names the names of all calls
   * @returns this, so that assertions can be put in a row
   * @throws Failure "call 2 should be read, and is close"
   * @example
   * ```ts
   * expect(r).calls("open", "read", "close");
   * ```
   */
  calls(...names: readonly string[]): this {
    const actual = this.told.calls.map((c) => c.name);
    if (same(actual, names)) return this;
    const at = actual.findIndex((name, i) => name !== names[i]);
    const first = at < 0 ? actual.length : at;
    const is = actual[first];
    const should = `call ${first + 1} should be ${names[first] ?? ""}`;
    const said =
      is === undefined
        ? `${should}, and there are only ${plural(actual.length, "call")}`
        : names[first] === undefined
          ? `the calls should end before call ${first + 1}, which is ${is}`
          : `${should}, and is ${is}`;
    const f = { actual, expected: [...names], operator: "calls" };
    this.fail(said, f, this.told.show(first, "?"));
  }

  /**
   * Asserts all that the program wrote on its console.
   *
   * @param want the whole output, or a pattern that is in it
   * @returns this, so that assertions can be put in a row
   * @throws Failure "output ... expected, and it was ..."
   * @example
   * ```ts
   * expect(r).says("hello\n");
   * ```
   */
  says(want: Want): this {
    const { output } = this.told;
    if (typeof want !== "string" ? want.test(output) : output === want) return this;
    const f = { actual: output, expected: want, operator: "says" };
    const long = typeof want === "string" && (want + output).split("\n").length > 3;
    if (long) this.fail("the output differs", f, `${textdiff(want, output)}\n${this.told.show()}`);
    this.fail(`output ${quoted(want)} expected, and it was ${quoted(output)}`, f);
  }

  /**
   * Asserts the exit status.
   *
   * @param want "" for success; or the error string that the program threw
   * @returns this, so that assertions can be put in a row
   * @throws Failure "status ... expected, and it was ..."
   * @example
   * ```ts
   * expect(await m.try(main)).status("file system full");
   * ```
   */
  status(want: Want): this {
    const { status } = this.told;
    if (!says(status, want) || (want === "" && status !== ""))
      this.fail(
        `status ${quoted(want)} expected, and it was ${quoted(status)}`,
        { actual: status, expected: String(want), operator: "status" },
        this.told.show(this.told.calls.length - 1),
      );
    return this;
  }

  /**
   * Asserts that the program waits for ever.
   *
   * @param text how the text of the call begins in which it waits: "read("; "" is any call
   * @returns this, so that assertions can be put in a row
   * @throws Failure "it should hang in read(, and it ended"
   * @example
   * ```ts
   * expect(await m.try(main)).hangs("write(");
   * ```
   */
  hangs(text = ""): this {
    const waiting = this.told.waits ?? [];
    if (!waiting.some((w) => w.startsWith(text)))
      this.fail(`it should hang in ${text === "" ? "a call" : text}, and it ${this.told.how}`, {
        actual: waiting,
        expected: [text],
        operator: "hangs",
      });
    return this;
  }

  /**
   * Asserts that the program and its children closed every descriptor that they had opened, before their main
   * functions returned.
   *
   * @returns this, so that assertions can be put in a row
   * @throws Failure "1 descriptor left open: 4 /n/far/x"
   * @example
   * ```ts
   * expect(r).closes();
   * ```
   */
  closes(): this {
    const { left, calls } = this.told;
    if (left.length === 0) return this;
    const opened = (text: string): string => {
      const fd = Number(text.split(" ")[0]);
      const call = calls.findLast(
        (c) => c.value === fd || (Array.isArray(c.value) && c.value.includes(fd)),
      );
      return `${text}${openedby(call)}`;
    };
    const said = `${plural(left.length, "descriptor")} left open: ${left.map(opened).join("; ")}`;
    this.fail(said, { actual: left, expected: [], operator: "closes" });
  }

  /**
   * Asserts that the program awaited each of its calls, and that none was in progress when it returned.
   *
   * @returns this, so that assertions can be put in a row
   * @throws Failure "1 call not awaited: ..."
   * @example
   * ```ts
   * expect(r).awaits();
   * ```
   */
  awaits(): this {
    const { unawaited, unfinished } = this.told;
    const [never] = unawaited;
    const [late] = unfinished;
    if (never === undefined && late === undefined) return this;
    const said =
      never === undefined
        ? `${plural(unfinished.length, "call")} in progress when it returned: ${late}`
        : `${plural(unawaited.length, "call")} not awaited: ${never}`;
    const actual = [...unawaited, ...unfinished];
    this.fail(said, { actual, expected: [], operator: "awaits" });
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

/** Messages that the place shows where an order was not kept. */
const NEAR = 24;

/** The messages, with a mark at those that fitted, and one where the search for the next began. */
function stopped(messages: readonly Message[], matched: readonly number[], want: string): string {
  const last = matched.at(-1) ?? -1;
  const cut = around(messages, last + 1, NEAR);
  const lines: string[] = [];
  if (cut.before > 0) lines.push(`    ${plural(cut.before, "message")} before`);
  const missing = `  ? ${want} is not among those that follow`;
  if (last < 0) lines.push(`  ? ${want} is none of these, which are all`);
  for (const [i, m] of cut.list.entries()) {
    const n = cut.before + i;
    lines.push(`  ${matched.includes(n) ? "✔" : " "} ${arrow(m)} ${m.text}`);
    if (n === last) lines.push(missing);
  }
  if (cut.behind > 0) lines.push(`    and ${plural(cut.behind, "message")} more`);
  return lines.join("\n");
}

/** Lines of a difference around which others are left out. */
const CONTEXT = 2;

/** The lines that differ: - is expected and was not there, + was there. */
function textdiff(expected: string, actual: string): string {
  const lines = ["- expected", "+ actual", ""];
  for (const part of diffLines(expected, actual)) {
    const text = part.value.replace(/\n$/, "").split("\n");
    const sign = part.added ? "+" : part.removed ? "-" : " ";
    const shown =
      sign !== " " || text.length <= 2 * CONTEXT + 1
        ? text
        : [
            ...text.slice(0, CONTEXT),
            `… ${text.length - 2 * CONTEXT} lines`,
            ...text.slice(-CONTEXT),
          ];
    lines.push(...shown.map((line) => `${sign} ${line}`));
    if (sign !== " " && !part.value.endsWith("\n")) lines.push("  (without a newline at the end)");
  }
  return `${lines.join("\n")}\n`;
}

/** Whether an error string is the one that is meant. */
function says(text: string, want: Want): boolean {
  if (typeof want !== "string") return want.test(text);
  return text === want || (want !== "" && text.replace(/^'[^']*' /, "") === want);
}

function quoted(want: Want | undefined): string {
  if (want === undefined) return "nothing";
  return typeof want === "string" ? JSON.stringify(want) : String(want);
}

/** A cost in words. */
function amount(name: keyof Most, n: number): string {
  if (name === "time") return exacttime(n);
  if (name === "bytes") return `${n} bytes`;
  return plural(n, { trips: "round trip", messages: "message", calls: "call" }[name]);
}

/** As short as it is exact. */
function exacttime(ns: number): string {
  const short = showtime(ns);
  return parsetime(short) === ns ? short : `${ns}ns`;
}
