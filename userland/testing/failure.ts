// What the kit throws when something is not as it should be: an AssertionError as test runners know it, by
// its fields, so that they show what was expected beside what there was.

/** A failed assertion. */
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

  /** An assertion of the kit that did not hold. */
  constructor(
    message: string,
    f: { readonly actual: unknown; readonly expected: unknown; readonly operator: string },
  ) {
    super(message);
    this.name = "AssertionError";
    this.actual = f.actual;
    this.expected = f.expected;
    this.operator = f.operator;
  }
}
