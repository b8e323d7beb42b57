// Text as XML takes it.

import { nullproto } from "../../../kernel/abi/nullproto.ts";

const ESCAPES: Readonly<Record<string, string>> = nullproto({
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
});

// What XML 1.0 has no way to write is shown as what it is: something that cannot be shown.
const UNFIT = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** A text with XML's own letters written as entities. */
export const esc = (text: string): string =>
  text.replace(UNFIT, "\uFFFD").replace(/[&<>"]/g, (c) => ESCAPES[c] ?? c);
