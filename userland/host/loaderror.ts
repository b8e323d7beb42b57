// The failure to load a program. It stands alone, since what loads programs is much to load itself.

/** A program, or a script, that could not be loaded; the message is for a person and complete. */
export class Loaderror extends Error {
  override readonly name: string = "Loaderror";
}
