// The fuzzer on the wire, 100,000 frames: npm run soak has the long run. FUZZ_SEED makes a failure again.

import test from "ava";
import { fuzz } from "../soak/fuzz.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1e9);
const FRAMES = 50_000;

for (const what of ["ramfs", "exportfs"] as const)
  test(`${what} stands ${FRAMES} frames of hostile clients, serves the others, and keeps nothing`, async (t) => {
    t.timeout(300_000);
    const { frames, conns, replies } = await fuzz(what, SEED, FRAMES);
    t.true(frames >= FRAMES && replies > frames / 4);
    t.log(`seed ${SEED}: ${frames} frames on ${conns} connections, ${replies} replies`);
  });
