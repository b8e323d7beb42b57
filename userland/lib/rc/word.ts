// Words as rc keeps them: text in which a mark stands before each character that is a pattern's. Only an
// unquoted *, ? or [ of the source gets the mark.
//
//	echo 'a*'b*  has the word  a*b⟨mark⟩*

/** The mark: the character that follows it is a pattern's. */
export const GLOB = "\x01";

const MARKED = new RegExp(`${GLOB}([^])?`, "g");
/** Characters that end a word, and those that need quotes beside the control characters. */
const WORDEND = "\n \t#;&|^$=`'{}()<>";
const QUOTED = "`^#*[]=|\\?${}()'<>&;";
const NOTID = "!\"#$%&'()+,-./:;<=>?@[\\]^`{|}~";

/** The word without its marks. */
export function deglob(word: string): string {
  return word.includes(GLOB) ? word.replaceAll(MARKED, "$1") : word;
}

/** Whether c, one character or "" for the end of file, can be in an unquoted word. */
export function wordchr(c: string): boolean {
  return c !== "" && !WORDEND.includes(c);
}

/** Whether c can be in the name of a variable that follows a dollar sign. */
export function idchr(c: string): boolean {
  return c > " " && !NOTID.includes(c);
}

/** The word between quotes: forcequote("it's") is 'it''s'. */
export function forcequote(word: string): string {
  return `'${word.replaceAll("'", "''")}'`;
}

/** The word as rc must be given it: between quotes only where it has a character of rc's own. quote(2) */
export function rcquote(word: string): string {
  if (word === "") return "''";
  for (let i = 0; i < word.length; i++)
    if (word.charCodeAt(i) <= 0x20 || QUOTED.includes(word.charAt(i))) return forcequote(word);
  return word;
}

/** Compares as Plan 9 does, by the bytes of UTF-8, which is by code point. */
export function bytewise(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate stands for a code point above all others.
    const high = (u: number): number => (u >= 0xd800 && u <= 0xdfff ? u + 0x10000 : u);
    return high(x) - high(y);
  }
  return a.length - b.length;
}
