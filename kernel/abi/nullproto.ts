// Tables that are looked up by a word from outside: a command's, a verb's, a device's letter.

/**
 * A table without a prototype, so that a word such as "constructor" or "__proto__" finds nothing in it.
 *
 *	nullproto({ ls, cat })["constructor"] is undefined
 */
export function nullproto<T extends object>(entries: T): T {
  const table: T = Object.create(null) as T;
  for (const [key, value] of Object.entries(entries)) Reflect.set(table, key, value);
  return table;
}
