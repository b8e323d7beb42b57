// Numbers as C's print writes and its atof reads them. print(2), atof(2)

/** %g: six digits at most, with an exponent where the number is very large or small. */
export function formatg(n: number, digits = 6): string {
  if (n === 0) return "0";
  if (!Number.isFinite(n)) return Number.isNaN(n) ? "NaN" : n > 0 ? "+Inf" : "-Inf";
  const [mantissa = "", exponent = "0"] = n.toExponential(digits - 1).split("e");
  const e = Number(exponent);
  if (e < -4 || e >= digits) {
    const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    return `${short}e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;
  }
  const text = n.toFixed(Math.max(0, digits - 1 - e));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** The number that a text begins with, 0 for none. */
export function atof(text: string): number {
  const m = /^\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?/.exec(text);
  return m === null ? 0 : Number(m[0]);
}

/** The whole number that a text begins with, 0 for none. */
export function atoi(text: string): number {
  const m = /^\s*[-+]?[0-9]+/.exec(text);
  return m === null ? 0 : Number(m[0]);
}
