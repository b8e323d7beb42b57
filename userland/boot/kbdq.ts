// Kbdq: what was typed on a console and is not read yet. A read gives no more than one line, as Plan 9's console
// does. A line of no bytes is an end of file, which is read once.

const NOTHING = new Uint8Array(0);

export class Kbdq {
  readonly #pieces: Uint8Array[] = [];

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  add(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
  }

  /** At most n bytes of what was typed first. */
  take(n: number): Uint8Array {
    const [first = NOTHING] = this.#pieces;
    if (first.length <= n) {
      this.#pieces.shift();
      return first;
    }
    this.#pieces[0] = first.subarray(n);
    return first.subarray(0, n);
  }
}
