// Debian's tshark as an independent reader of captures.

import { spawnSync } from "node:child_process";

/** Runs tshark on a capture, headers checked to the last bit; gives its lines. */
export function tshark(file: string, args: readonly string[]): string[] {
  const checks = ["tcp.check_checksum:TRUE", "ip.check_checksum:TRUE"].flatMap((o) => ["-o", o]);
  const all = ["-r", file, "-d", "tcp.port==564,9p", ...checks, ...args];
  const r = spawnSync("tshark", all, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (r.error !== undefined && "code" in r.error && r.error.code === "ENOENT")
    throw new Error("there is no tshark: run test/host/install");
  if (r.error !== undefined) throw r.error;
  // A capture that is cut short is said so, and still read.
  if (r.status !== 0 || /cut short|corrupt|malformed/.test(r.stderr)) throw new Error(r.stderr);
  return r.stdout.split("\n").filter((l) => l !== "");
}

/** The values of each field, in each packet that the filter passes. */
export function fields(
  file: string,
  filter: string,
  names: readonly string[],
): Readonly<Record<string, readonly string[]>>[] {
  const wanted = names.flatMap((name) => ["-e", name]);
  const form = ["-T", "fields", "-E", "occurrence=a", "-E", `aggregator=${SEP}`];
  return tshark(file, ["-Y", filter, ...form, ...wanted]).map((l) => {
    const values = l.split("\t");
    return Object.fromEntries(
      names.map((name, i) => [name, (values[i] ?? "").split(SEP).filter((v) => v !== "")]),
    );
  });
}

/** Between values; in no name that a test makes. */
const SEP = ";";
