// Bytes as tests write them: hex in any grouping, and text in quotes. bytesof("0300 'usr'")

/** The bytes that the text describes. */
export function bytesof(text: string): Uint8Array {
  const parts = text.match(/'[^']*'|[0-9a-f]{2}|\S/g) ?? [];
  return Uint8Array.from(
    parts.flatMap((p) => {
      if (p.startsWith("'")) return [...new TextEncoder().encode(p.slice(1, -1))];
      if (p.length !== 2) throw new Error(`not bytes: ${p} in ${text}`);
      return [Number.parseInt(p, 16)];
    }),
  );
}
