// What the kit throws when something is not as it should be: an AssertionError as test runners know it, by
// its fields, so that they show what was expected beside what there was.

/** A failed assertion. */
export class Failure extends Error {
  readonly code = "ERR_ASSERTION";
  readonly generatedMessage = false;
  readonly actual: unknown;
  readonly expected: unknown;
  /** Which assertion it was: "trips". */
  readonly operator: string;

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
