// Lines of a trace on a terminal: fitted to its width, coloured where it takes colours.

import type { WriteStream } from "node:tty";
import { styleText } from "node:util";
import { fit } from "../view/words/text.ts";
import type { Kind, Line } from "../view/words/text.ts";

type Style = Parameters<typeof styleText>[0];

const STYLES: Readonly<Record<Kind, Style>> = {
  call: "bold",
  failed: ["bold", "red"],
  step: "cyan",
  send: "green",
  receive: "yellow",
  other: "dim",
  said: ["bold", "magenta"],
};

type Output = NodeJS.WritableStream & Partial<Pick<WriteStream, "isTTY" | "columns">>;

/** Whether to colour what is written there: a terminal, and NO_COLOR is not set. */
export function colourful(out: Output): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "0") return true;
  return out.isTTY === true && TERM !== "dumb";
}

/**
 * Writes lines of a view to a stream, on so many columns; if that is not said, on those of the terminal,
 * and whole where it is none.
 */
export function painter(out: Output, width?: number): (lines: readonly Line[]) => void {
  const colour = colourful(out);
  return (lines) => {
    const columns = width ?? (out.isTTY === true ? (out.columns ?? 80) : 0);
    let text = "";
    for (const l of lines) {
      const plain = fit(l, columns);
      text += `${colour ? styleText(STYLES[l.kind], plain) : plain}\n`;
    }
    if (text !== "") out.write(text);
  };
}
