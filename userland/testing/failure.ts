// What the kit throws when something is not as it should be: an AssertionError as test runners know it, by
// its fields, so that they show what was expected beside what there was.

import { teststack } from "./place.ts";

/** What an assertion says of itself. */
export type Failed = {
  /** What there was. */
  readonly actual: unknown;
  /** What was expected. */
  readonly expected: unknown;
  /** The assertion's name, such as "trips". */
  readonly operator: string;
  /** The stack of who asked, where the failure was found later. */
  readonly stack?: string;
};

/** A failed assertion. Its stack begins at the test's line. */
export class Failure extends Error {
  /** "ERR_ASSERTION", as test runners expect. */
  readonly code = "ERR_ASSERTION";
  /** Whether the message was made by the kit. */
  readonly generatedMessage = false;
  /** What came. */
  readonly actual: unknown;
  /** What should have come. */
  readonly expected: unknown;
  /** Which assertion it was: "trips". */
  readonly operator: string;

  /**
   * Makes the failure of an assertion.
   *
   * @param message what does not hold, with the calls
   * @param f what there was, what was expected, and which assertion it is
   */
  constructor(message: string, f: Failed) {
    super(message);
    this.name = "AssertionError";
    this.actual = f.actual;
    this.expected = f.expected;
    this.operator = f.operator;
    this.stack = `${this.name}: ${message}\n${teststack(f.stack ?? this.stack)}`;
  }
}
