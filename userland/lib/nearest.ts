// Words that somebody may have meant: for what is said of a word that is not known.

/** The word of a list that someone who typed `word` is likely to have meant, or null. */
export function nearest(word: string, list: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const w of list) {
    // So many letters must be put in or taken out at least: a word may be as long as a program likes.
    if (Math.abs(w.length - word.length) >= least) continue;
    const d = distance(word, w);
    if (d < least) {
      least = d;
      best = w;
    }
  }
  return best;
}

/** How many letters must be put in, taken out or changed to make b of a. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
