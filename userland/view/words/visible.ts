// Text from elsewhere (names, errors, what a server says) on its way to a terminal: characters that would
// command it, or turn the order of what is read around, are written as escapes. Pure.

import { nullproto } from "../../../kernel/abi/nullproto.ts";

/** Control characters, those of both directions, line ends that \n is not, halves of letters, and nothings. */
const HIDDEN = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}\u200B\uFEFF]/gu;

const SHORT: Readonly<Record<string, string>> = nullproto({
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
});

/** The text with such characters as a program would write them, "\u001b"; those in `kept` stay. */
export function visible(text: string, kept = ""): string {
  return text.replaceAll(HIDDEN, (letter) =>
    kept.includes(letter)
      ? letter
      : (SHORT[letter] ?? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
