// Masks what no two runs share: pids, program counters, dates, device instances, seconds since 1970.

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\/proc\/\d+/g, "/proc/PID"],
  // Wait messages: "rc 61: bad".
  [/\b(?!line |number )([A-Za-z0-9_.+#-]+) \d+: /g, "$1 PID: "],
  [/pc=0x[0-9a-f]+/g, "pc=PC"],
  // Dates and device instances of ls -l.
  [
    /\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d+ (\d\d:\d\d| \d{4})(?=[ \n])(?!:)/g,
    "DATE",
  ],
  [/(^|[ \]])([-da][-al][-rwx]{9}) (\S) \d+ /gm, "$1$2 $3 N "],
  [/\b1[78]\d{8}\b/g, "TIME"],
  [/\/tmp\/here[0-9a-f]+\.[0-9a-f]+/g, "/tmp/here"],
];

export function normalise(text: string): string {
  return MASKS.reduce((t, [re, mask]) => t.replace(re, mask), text);
}
