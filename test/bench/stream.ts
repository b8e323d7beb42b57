// npm run bench:stream: what streams are for. On the virtual clock, a 200 MB file over a slow link in the
// ways there are, then over all links, as a table and a plot; in real time, beside Node's http.
//
//	npm run bench:stream -- [--quick] [copy] [links] [loopback] [-o plot.svg]

import { writeFileSync } from "node:fs";
import { parserate, parsetime } from "../../userland/boot/units.ts";
import { WAYS, copytime } from "./copies.ts";
import { movers, race } from "./loopback.ts";
import { plot } from "./plot.ts";
import type { Curve } from "./plot.ts";
import { columns } from "./rounds.ts";

const quick = process.argv.includes("--quick");
const words = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const say = (text: string): void => void process.stdout.write(text);

const FILE = 200e6;
/** The bytes of a link's smaller file: enough for a hundred round trips of one read after another. */
const SMALL = 8192 * 128;

/** Seconds that no way can beat: the request there and back, and the bytes. */
const limit = (rtt: string, bw: string, length: number): number =>
  parsetime(rtt) / 1e9 + length / parserate(bw);

const minutes = (s: number): string =>
  s >= 60 ? `${Math.floor(s / 60)} min ${Math.round(s % 60)} s` : `${s.toFixed(1)} s`;

async function copy(): Promise<void> {
  const [rtt, bw] = ["50ms", "600KB/s"];
  const least = limit(rtt, bw, FILE);
  const rows = [["200 MB, 50 ms away, 600 KB/s", "time", "of the limit"]];
  for (const way of WAYS) {
    const took = (await copytime(way, { rtt, bw }, FILE)) / 1e9;
    rows.push([way.name, minutes(took), `${(took / least).toFixed(3)}x`]);
  }
  rows.push(["the link's limit: a round trip and the bytes", minutes(least), "1.000x"]);
  say(`\nVirtual time, exact\n${columns(rows)}`);
}

const RTTS = ["1ms", "5ms", "20ms", "50ms", "150ms", "500ms"];
const RATES = ["100KB/s", "600KB/s", "10MB/s", "100MB/s", "1GB/s"];
const COLOURS = ["#b33", "#d90", "#36a", "#282"];
const SHORT = ["one by one", "fcp", "http", "stream"];

/** Every link, every way: multiples of the limit. Where reads go one by one a smaller file will do. */
async function links(): Promise<void> {
  const rows = [["of the link's limit", "", ...SHORT]];
  const panels = [];
  for (const bw of RATES) {
    const points = SHORT.map((): [number, number][] => []);
    for (const rtt of RTTS) {
      const cells: string[] = [];
      for (const [i, way] of WAYS.entries()) {
        const length = i < 2 || quick ? SMALL * (i === 1 ? 16 : 1) : FILE;
        const times = (await copytime(way, { rtt, bw }, length)) / 1e9 / limit(rtt, bw, length);
        cells.push(times < 10 ? times.toFixed(3) : times.toFixed(0));
        points[i]?.push([parsetime(rtt) / 1e6, times]);
      }
      rows.push([rtt === RTTS[0] ? bw : "", rtt, ...cells]);
    }
    const curves = SHORT.map((name, i): Curve => {
      return { name, colour: COLOURS[i] ?? "", points: points[i] ?? [] };
    });
    panels.push({ curves, axes: axes(bw) });
  }
  say(`\nOver other links: 200 MB by http and stream, 1 MB one by one, 17 MB by fcp\n`);
  say(columns(rows));
  say(
    "  stream: the limit, and 0.017% for frames (11 bytes of 65547), while rate x rtt is at most the first\n" +
      "  run: 3/4 of the kernel's credit (192 MiB of 256), or what 4 GB/s bring in a round trip\n",
  );
  const at = process.argv.indexOf("-o");
  const file = (at > 0 ? process.argv[at + 1] : undefined) ?? "bench-stream.svg";
  writeFileSync(file, plot(panels, 3));
  say(`  plotted in ${file}\n`);
}

function axes(bw: string) {
  const x = RTTS.map((rtt) => [parsetime(rtt) / 1e6, rtt.replace("ms", "")] as const);
  const y = [1, 10, 100, 1000].map((n) => [n, `${n}`] as const);
  return {
    title: bw,
    x: { label: "round-trip time, ms", ticks: x },
    y: { label: "time, as a multiple of the link's limit", ticks: y },
  };
}

/**
 * Copies of each byte outside the host's kernel, from the code: what is sent is copied into its frame
 * (fcall.ts) and to the piece that the host writes (ip-node.ts); what comes is copied once, to the
 * program's buffer (devices/mnt/io.ts). Node's http and sockets hand on the memory they were given.
 */
const COPIES: Readonly<Record<string, string>> = { stream: "2 + 1", http: "0 + 0", net: "0 + 0" };

async function loopback(): Promise<void> {
  const list = await movers();
  const length = quick ? 100e6 : 500e6;
  const results = await race(list, length, quick ? 3 : 9);
  const net = results.find((r) => r.name === "net")?.rate ?? 1;
  const http = results.find((r) => r.name === "http")?.rate ?? 1;
  const rows = [
    ["", "GB/s", "of http", "of sockets", "CPU s/GB here", "there", "MB copied per MB"],
  ];
  for (const r of results)
    rows.push([
      r.name,
      (r.rate / 1e9).toFixed(2),
      `${(r.rate / http).toFixed(2)}x`,
      `${(r.rate / net).toFixed(2)}x`,
      r.here.toFixed(2),
      r.there.toFixed(2),
      COPIES[r.name] ?? "",
    ]);
  for (const m of list) await m.close();
  say(`\nReal time, two processes, loopback TCP, ${length / 1e6} MB, in turns, medians\n`);
  say(columns(rows));
  say(
    "  copied: by the server + by the client, beside the host's own copies to and from its sockets\n",
  );
}

const PARTS: Readonly<Record<string, () => Promise<void>>> = { copy, links, loopback };
const known = words.filter((word) => word in PARTS);
for (const [name, part] of Object.entries(PARTS))
  if (known.length === 0 || known.includes(name)) await part();
process.exit(0);
