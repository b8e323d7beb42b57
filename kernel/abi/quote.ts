// Words quoted as rc does, and lines cut into such words. quote(2)
//
//	quote("it's")          →  'it''s'
//	tokenize("a 'b c' d")  →  ["a", "b c", "d"]

const control = /\p{Cc}/u;

/**
 * Quotes a word as rc does, only where it must be. quote(2)
 *
 * @param word the word
 * @returns the word as %q prints it
 * @example
 * ```ts
 * quote("it's"); // 'it''s'
 * ```
 */
export function quote(word: string): string {
  return word === "" || /[\s']/.test(word) || control.test(word) ? quoted(word) : word;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "''")}'`;
}

/**
 * Cuts a line into words. Quotes hold together what is between them, and a doubled quote is one. quote(2)
 *
 * @param line the line
 * @returns the words
 * @example
 * ```ts
 * tokenize("a 'b c' d"); // ["a", "b c", "d"]
 * ```
 */
export function tokenize(line: string): string[] {
  const words: string[] = [];
  let word = "";
  let inword = false;
  let inquote = false;
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i);
    if (inquote) {
      if (c !== "'") word += c;
      else if (line.charAt(i + 1) === "'") word += line.charAt(++i);
      else inquote = false;
    } else if (c === "'") inquote = inword = true;
    else if (!/[ \t\r\n]/.test(c)) {
      word += c;
      inword = true;
    } else if (inword) {
      words.push(word);
      word = "";
      inword = false;
    }
  }
  if (inword) words.push(word);
  return words;
}
